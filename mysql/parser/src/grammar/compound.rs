//! The statements of stored programs: blocks, loops, branches, cursors.

use super::Grammar;
use crate::ast::{
    Block, CaseStatement, ConditionValue, Declaration, HandlerCondition, HandlerKind, Ident, If,
    Loop, Repeat, SignalCondition, Statement, StatementKind, While,
};
use crate::error::Result;
use crate::lexer::T;

/// Words that start statements and so cannot be labels.
const NO_LABELS: [T; 37] = [
    T::ASCII,
    T::BEGIN,
    T::BINLOG,
    T::BYTE,
    T::CACHE,
    T::CHARSET,
    T::CHECKSUM,
    T::CLONE,
    T::COMMENT,
    T::COMMIT,
    T::CONTAINS,
    T::DEALLOCATE,
    T::DO,
    T::END,
    T::EXECUTE,
    T::FLUSH,
    T::FOLLOWS,
    T::HANDLER,
    T::IMPORT,
    T::INSTALL,
    T::LANGUAGE,
    T::NO,
    T::PRECEDES,
    T::PREPARE,
    T::REPAIR,
    T::RESET,
    T::RESTART,
    T::ROLLBACK,
    T::SAVEPOINT,
    T::SHUTDOWN,
    T::SIGNED,
    T::SLAVE,
    T::START,
    T::STOP,
    T::TRUNCATE,
    T::UNICODE,
    T::XA,
];

impl Grammar<'_> {
    /// A statement that exists only in stored programs; nothing is taken if it is none.
    pub(super) fn program_statement(&mut self) -> Result<Option<StatementKind>> {
        let mut label = None;
        if self.kind_at(1) == T::Colon && self.at_name() && !NO_LABELS.contains(&self.kind()) {
            label = Some(self.ident()?);
            self.bump();
        }
        Ok(Some(match self.kind() {
            T::BEGIN => self.block(label)?,
            T::LOOP => {
                self.bump();
                let body = self.statements(&[T::END])?;
                self.expect_all(&[T::END, T::LOOP])?;
                self.end_label(label.as_ref())?;
                StatementKind::Loop(Box::new(Loop { label, body }))
            }
            T::WHILE => {
                self.bump();
                let condition = self.expr()?;
                self.expect(T::DO)?;
                let body = self.statements(&[T::END])?;
                self.expect_all(&[T::END, T::WHILE])?;
                self.end_label(label.as_ref())?;
                StatementKind::While(Box::new(While { label, condition, body }))
            }
            T::REPEAT => {
                self.bump();
                let body = self.statements(&[T::UNTIL])?;
                self.expect(T::UNTIL)?;
                let until = self.expr()?;
                self.expect_all(&[T::END, T::REPEAT])?;
                self.end_label(label.as_ref())?;
                StatementKind::Repeat(Box::new(Repeat { label, body, until }))
            }
            _ if label.is_some() => return Err(self.unexpected()),
            T::IF => self.if_statement()?,
            T::CASE => self.case_statement()?,
            T::LEAVE => {
                self.bump();
                StatementKind::Leave(self.label()?)
            }
            T::ITERATE => {
                self.bump();
                StatementKind::Iterate(self.label()?)
            }
            T::RETURN => {
                self.bump();
                StatementKind::Return(Box::new(self.expr()?))
            }
            T::OPEN => {
                self.bump();
                StatementKind::Open(self.ident()?)
            }
            T::CLOSE => {
                self.bump();
                StatementKind::Close(self.ident()?)
            }
            T::FETCH => {
                self.bump();
                if self.eat(T::NEXT) {
                    self.expect(T::FROM)?;
                } else {
                    self.eat(T::FROM);
                }
                let cursor = self.ident()?;
                self.expect(T::INTO)?;
                StatementKind::Fetch { cursor, into: self.list(Self::ident)? }
            }
            _ => return Ok(None),
        }))
    }

    fn label(&mut self) -> Result<Ident> {
        if NO_LABELS.contains(&self.kind()) {
            return Err(self.unexpected());
        }
        self.ident()
    }

    /// The label behind END; it must be the one before BEGIN.
    fn end_label(&mut self, label: Option<&Ident>) -> Result<()> {
        if !self.at_name() {
            return Ok(());
        }
        if label.is_none() {
            return Err(self.unexpected());
        }
        let token = self.token();
        let end = self.label()?;
        let same = label.is_some_and(|label| label.text.eq_ignore_ascii_case(&end.text));
        if same {
            return Ok(());
        }
        Err(crate::error::Error::at(
            crate::error::ErrorKind::EndLabel,
            self.sql,
            token.start as usize,
        ))
    }

    /// Statements, each with its semicolon, up to one of `ends`.
    fn statements(&mut self, ends: &[T]) -> Result<Vec<Statement>> {
        let mut all = Vec::new();
        loop {
            all.push(self.statement()?);
            self.expect(T::Semicolon)?;
            if self.at_any(ends) {
                return Ok(all);
            }
        }
    }

    fn block(&mut self, label: Option<Ident>) -> Result<StatementKind> {
        self.expect(T::BEGIN)?;
        let mut declarations = Vec::new();
        while self.eat(T::DECLARE) {
            declarations.push(self.declaration()?);
            self.expect(T::Semicolon)?;
        }
        let body = if self.at(T::END) { Vec::new() } else { self.statements(&[T::END])? };
        self.expect(T::END)?;
        self.end_label(label.as_ref())?;
        Ok(StatementKind::Block(Box::new(Block { label, declarations, body })))
    }

    fn declaration(&mut self) -> Result<Declaration> {
        if self.at_any(&[T::CONTINUE, T::EXIT, T::UNDO]) && self.kind_at(1) == T::HANDLER {
            if self.at(T::UNDO) {
                return Err(self.unexpected());
            }
            let action = match self.bump().kind {
                T::CONTINUE => HandlerKind::Continue,
                _ => HandlerKind::Exit,
            };
            self.expect_all(&[T::HANDLER, T::FOR])?;
            let conditions = self.list(Self::handler_condition)?;
            let body = Box::new(self.statement()?);
            return Ok(Declaration::Handler { action, conditions, body });
        }
        let name = self.ident()?;
        if self.eat(T::CURSOR) {
            self.expect(T::FOR)?;
            return Ok(Declaration::Cursor { name, query: self.query()? });
        }
        if self.eat(T::CONDITION) {
            self.expect(T::FOR)?;
            let value = if self.at(T::SQLSTATE) {
                ConditionValue::Sqlstate(self.sqlstate()?)
            } else {
                ConditionValue::Errno(self.number()?)
            };
            return Ok(Declaration::Condition { name, value });
        }
        let mut names = vec![name];
        while self.eat(T::Comma) {
            names.push(self.ident()?);
        }
        let data_type = Box::new(self.data_type()?);
        let collation = if self.eat(T::COLLATE) { Some(self.collation_name()?) } else { None };
        let default = if self.eat(T::DEFAULT) { Some(self.expr()?) } else { None };
        Ok(Declaration::Variables { names, data_type, collation, default })
    }

    /// SQLSTATE [VALUE] '…'
    pub(super) fn sqlstate(&mut self) -> Result<crate::ast::Text> {
        self.expect(T::SQLSTATE)?;
        self.eat(T::VALUE);
        self.text()
    }

    fn handler_condition(&mut self) -> Result<HandlerCondition> {
        Ok(match self.kind() {
            T::Int => HandlerCondition::Errno(self.number()?),
            T::SQLSTATE => HandlerCondition::State(SignalCondition::Sqlstate(self.sqlstate()?)),
            T::SQLWARNING => {
                self.bump();
                HandlerCondition::SqlWarning
            }
            T::SQLEXCEPTION => {
                self.bump();
                HandlerCondition::SqlException
            }
            T::NOT => {
                self.expect_all(&[T::NOT, T::FOUND])?;
                HandlerCondition::NotFound
            }
            _ => HandlerCondition::State(SignalCondition::Name(self.ident()?)),
        })
    }

    fn if_statement(&mut self) -> Result<StatementKind> {
        self.expect(T::IF)?;
        let mut branches = Vec::new();
        loop {
            let condition = self.expr()?;
            self.expect(T::THEN)?;
            branches.push((condition, self.statements(&[T::ELSEIF, T::ELSE, T::END])?));
            if !self.eat(T::ELSEIF) {
                break;
            }
        }
        let otherwise = if self.eat(T::ELSE) { self.statements(&[T::END])? } else { Vec::new() };
        self.expect_all(&[T::END, T::IF])?;
        Ok(StatementKind::If(Box::new(If { branches, otherwise })))
    }

    fn case_statement(&mut self) -> Result<StatementKind> {
        self.expect(T::CASE)?;
        let operand = if self.at(T::WHEN) { None } else { Some(self.expr()?) };
        let mut branches = Vec::new();
        while self.eat(T::WHEN) {
            let when = self.expr()?;
            self.expect(T::THEN)?;
            branches.push((when, self.statements(&[T::WHEN, T::ELSE, T::END])?));
        }
        if branches.is_empty() {
            return Err(self.unexpected());
        }
        let otherwise = if self.eat(T::ELSE) { self.statements(&[T::END])? } else { Vec::new() };
        self.expect_all(&[T::END, T::CASE])?;
        let case = CaseStatement { operand, branches, otherwise };
        Ok(StatementKind::Case(Box::new(case)))
    }
}
