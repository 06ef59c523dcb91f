//! Blocks, loops, branches.

use super::Printer;
use crate::ast::{
    Block, ConditionValue, Declaration, Expr, HandlerCondition, HandlerKind, Ident,
    SignalCondition, Statement, StatementKind, Text,
};

impl Printer {
    /// The statement if it is one that occurs only in stored programs.
    pub(super) fn program_statement(&mut self, kind: &StatementKind) {
        match kind {
            StatementKind::Block(block) => self.block(block),
            StatementKind::If(one) => {
                for (i, (condition, body)) in one.branches.iter().enumerate() {
                    self.word(if i == 0 { "IF" } else { "ELSEIF" });
                    self.expr(condition);
                    self.word("THEN");
                    self.statements(body);
                }
                self.otherwise(&one.otherwise);
                self.word("END IF");
            }
            StatementKind::Case(case) => {
                self.word("CASE");
                if let Some(operand) = &case.operand {
                    self.expr(operand);
                }
                for (when, body) in &case.branches {
                    self.word("WHEN");
                    self.expr(when);
                    self.word("THEN");
                    self.statements(body);
                }
                self.otherwise(&case.otherwise);
                self.word("END CASE");
            }
            StatementKind::Loop(one) => {
                self.label(one.label.as_ref());
                self.word("LOOP");
                self.statements(&one.body);
                self.word("END LOOP");
            }
            StatementKind::While(one) => {
                self.label(one.label.as_ref());
                self.word("WHILE");
                self.expr(&one.condition);
                self.word("DO");
                self.statements(&one.body);
                self.word("END WHILE");
            }
            StatementKind::Repeat(one) => {
                self.label(one.label.as_ref());
                self.word("REPEAT");
                self.statements(&one.body);
                self.word("UNTIL");
                self.expr(&one.until);
                self.word("END REPEAT");
            }
            StatementKind::Leave(label) => self.verb_ident("LEAVE", label),
            StatementKind::Iterate(label) => self.verb_ident("ITERATE", label),
            StatementKind::Return(expr) => {
                self.word("RETURN");
                self.expr(expr);
            }
            StatementKind::Open(cursor) => self.verb_ident("OPEN", cursor),
            StatementKind::Close(cursor) => self.verb_ident("CLOSE", cursor),
            StatementKind::Fetch { cursor, into } => {
                self.verb_ident("FETCH", cursor);
                self.word("INTO");
                self.list(into, Self::ident);
            }
            _ => {}
        }
    }

    pub(super) fn verb_ident(&mut self, verb: &str, name: &Ident) {
        self.word(verb);
        self.ident(name);
    }

    fn otherwise(&mut self, body: &[Statement]) {
        if !body.is_empty() {
            self.word("ELSE");
            self.statements(body);
        }
    }

    fn statements(&mut self, statements: &[Statement]) {
        for statement in statements {
            self.statement(statement);
            self.put(";");
        }
    }

    fn label(&mut self, label: Option<&Ident>) {
        if let Some(label) = label {
            self.ident(label);
            self.put(":");
        }
    }

    fn block(&mut self, block: &Block) {
        self.label(block.label.as_ref());
        self.word("BEGIN");
        for declaration in &block.declarations {
            self.word("DECLARE");
            self.declaration(declaration);
            self.put(";");
        }
        self.statements(&block.body);
        self.word("END");
    }

    fn declaration(&mut self, declaration: &Declaration) {
        match declaration {
            Declaration::Variables { names, data_type, collation, default } => {
                self.list(names, Self::ident);
                self.data_type(data_type);
                self.collate(collation.as_ref());
                if let Some(default) = default {
                    self.default_expr(default);
                }
            }
            Declaration::Condition { name, value } => {
                self.ident(name);
                self.word("CONDITION FOR");
                match value {
                    ConditionValue::Errno(number) => self.number(*number),
                    ConditionValue::Sqlstate(state) => self.sqlstate(state),
                }
            }
            Declaration::Cursor { name, query } => {
                self.ident(name);
                self.word("CURSOR FOR");
                self.query(query);
            }
            Declaration::Handler { action, conditions, body } => {
                self.word(match action {
                    HandlerKind::Continue => "CONTINUE HANDLER FOR",
                    HandlerKind::Exit => "EXIT HANDLER FOR",
                });
                self.list(conditions, |p, condition| match condition {
                    HandlerCondition::Errno(number) => p.number(*number),
                    HandlerCondition::State(condition) => p.signal_condition(condition),
                    HandlerCondition::SqlWarning => p.word("SQLWARNING"),
                    HandlerCondition::NotFound => p.word("NOT FOUND"),
                    HandlerCondition::SqlException => p.word("SQLEXCEPTION"),
                });
                self.statement(body);
            }
        }
    }

    fn default_expr(&mut self, expr: &Expr) {
        self.word("DEFAULT");
        self.expr(expr);
    }

    fn sqlstate(&mut self, state: &Text) {
        self.word_string("SQLSTATE", Some(state));
    }

    pub(super) fn signal_condition(&mut self, condition: &SignalCondition) {
        match condition {
            SignalCondition::Sqlstate(state) => self.sqlstate(state),
            SignalCondition::Name(name) => self.ident(name),
        }
    }
}
