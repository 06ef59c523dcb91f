//! INSERT, REPLACE, UPDATE, DELETE, CALL, DO, HANDLER.

use super::Grammar;
use crate::ast::{
    Assignment, BinaryOp, CallProcedure, Delete, Handler, HandlerAction, HandlerPosition, Insert,
    InsertSource, ObjectName, Priority, StatementKind, TableFactor, TableRef, Update, With,
};
use crate::error::{Error, ErrorKind, Result};
use crate::lexer::T;

impl Grammar<'_> {
    /// INSERT and REPLACE.
    pub(super) fn insert(&mut self) -> Result<StatementKind> {
        let replace = self.bump().kind == T::REPLACE;
        let hints = self.hints()?;
        let priority = match self.kind() {
            T::LOW_PRIORITY => Some(Priority::Low),
            T::DELAYED => Some(Priority::Delayed),
            T::HIGH_PRIORITY if !replace => Some(Priority::High),
            _ => None,
        };
        if priority.is_some() {
            self.bump();
        }
        let ignore = !replace && self.eat(T::IGNORE);
        self.eat(T::INTO);
        let table = self.object_name()?;
        let partitions = if self.eat(T::PARTITION) { self.ident_list()? } else { Vec::new() };
        let mut columns = Vec::new();
        let source;
        if self.eat(T::SET) {
            source = InsertSource::Set(self.assignments()?);
        } else {
            if self.at(T::LParen) && !self.query_in_parens() {
                self.bump();
                if !self.at(T::RParen) {
                    columns = self.list(Self::insert_column)?;
                }
                self.expect(T::RParen)?;
            }
            source = self.insert_source()?;
        }
        let mut alias = None;
        if !replace && !matches!(source, InsertSource::Query(_)) && self.eat(T::AS) {
            alias = Some(Box::new((self.ident()?, self.maybe_ident_list()?)));
        }
        let mut on_duplicate = Vec::new();
        if !replace && self.eat(T::ON) {
            self.expect_all(&[T::DUPLICATE, T::KEY, T::UPDATE])?;
            on_duplicate = self.assignments()?;
        }
        Ok(StatementKind::Insert(Box::new(Insert {
            replace,
            hints,
            priority,
            ignore,
            table,
            partitions,
            columns,
            source,
            alias,
            on_duplicate,
        })))
    }

    /// Whether the parentheses that open here hold a query, not names.
    fn query_in_parens(&mut self) -> bool {
        let mut ahead = 0;
        while self.kind_far(ahead) == T::LParen {
            ahead += 1;
        }
        matches!(self.kind_far(ahead), T::SELECT | T::WITH | T::TABLE | T::VALUES)
    }

    fn insert_column(&mut self) -> Result<crate::ast::ColumnRef> {
        self.column_ref()
    }

    fn insert_source(&mut self) -> Result<InsertSource> {
        // VALUES ROW(…) is a query.
        if self.at(T::VALUE) || (self.at(T::VALUES) && self.kind_at(1) != T::ROW) {
            self.bump();
            return Ok(InsertSource::Values(self.list(Self::row_values)?));
        }
        let query = self.query()?;
        Ok(InsertSource::Query(query))
    }

    pub(super) fn assignments(&mut self) -> Result<Vec<Assignment>> {
        self.list(|g| {
            let column = g.column_ref()?;
            g.one_of(&[T::Eq, T::Assign])?;
            Ok(Assignment { column, value: g.expr_or_default()? })
        })
    }

    pub(super) fn update(&mut self, with: Option<With>) -> Result<StatementKind> {
        self.expect(T::UPDATE)?;
        self.blocks = 1;
        let hints = self.hints()?;
        let low_priority = self.eat(T::LOW_PRIORITY);
        let ignore = self.eat(T::IGNORE);
        let tables = self.table_refs()?;
        self.expect(T::SET)?;
        let assignments = self.assignments()?;
        let filter = self.maybe_where()?;
        let order_by = self.maybe_order_by()?;
        let limit = self.maybe_plain_limit()?;
        Ok(StatementKind::Update(Box::new(Update {
            with,
            hints,
            low_priority,
            ignore,
            tables,
            assignments,
            filter,
            order_by,
            limit,
        })))
    }

    pub(super) fn delete(&mut self, with: Option<With>) -> Result<StatementKind> {
        self.expect(T::DELETE)?;
        self.blocks = 1;
        let hints = self.hints()?;
        let (mut low_priority, mut quick, mut ignore) = (false, false, false);
        loop {
            match self.kind() {
                T::LOW_PRIORITY => low_priority = true,
                // It may be the name of a table as well.
                T::QUICK if !matches!(self.kind_at(1), T::Comma | T::Dot) => quick = true,
                T::IGNORE => ignore = true,
                _ => break,
            }
            self.bump();
        }
        let mut targets;
        let tables;
        let mut multiple = true;
        if self.eat(T::FROM) {
            let start = self.token();
            targets = self.list(Self::delete_target)?;
            if self.eat(T::USING) {
                tables = self.table_refs()?;
            } else {
                multiple = false;
                // The form with one table; it may have an alias and partitions.
                let one = targets.len() == 1 && self.sql[self.behind as usize - 1] != b'*';
                let Some(name) = targets.pop().filter(|_| one) else {
                    return Err(Error::at(ErrorKind::Syntax, self.sql, start.start as usize));
                };
                let alias = self.table_alias()?;
                let partitions =
                    if self.eat(T::PARTITION) { self.ident_list()? } else { Vec::new() };
                tables = vec![TableRef::Table(Box::new(TableFactor {
                    name,
                    partitions,
                    alias,
                    hints: Vec::new(),
                    sample: None,
                }))];
            }
        } else {
            targets = self.list(Self::delete_target)?;
            self.expect(T::FROM)?;
            tables = self.table_refs()?;
        }
        let filter = self.maybe_where()?;
        let (mut order_by, mut limit) = (Vec::new(), None);
        if !multiple {
            order_by = self.maybe_order_by()?;
            limit = self.maybe_plain_limit()?;
        }
        Ok(StatementKind::Delete(Box::new(Delete {
            with,
            hints,
            low_priority,
            quick,
            ignore,
            targets,
            tables,
            filter,
            order_by,
            limit,
        })))
    }

    /// `table` or `table.*`, which is the same.
    fn delete_target(&mut self) -> Result<ObjectName> {
        let first = self.ident()?;
        let mut name = ObjectName { schema: None, name: first };
        while self.eat(T::Dot) {
            if self.eat(T::Star) {
                break;
            }
            if name.schema.is_some() {
                return Err(self.unexpected());
            }
            let second = self.ident()?;
            name = ObjectName { schema: Some(name.name), name: second };
        }
        Ok(name)
    }

    pub(super) fn call(&mut self) -> Result<StatementKind> {
        self.expect(T::CALL)?;
        let name = self.object_name()?;
        let mut args = Vec::new();
        if self.eat(T::LParen) {
            if !self.at(T::RParen) {
                args = self.expr_list()?;
            }
            self.expect(T::RParen)?;
        }
        Ok(StatementKind::Call(Box::new(CallProcedure { name, args })))
    }

    pub(super) fn do_statement(&mut self) -> Result<StatementKind> {
        self.expect(T::DO)?;
        let exprs = self.list(|g| {
            let expr = g.expr()?;
            // A name is allowed and means nothing.
            g.select_alias()?;
            Ok(expr)
        })?;
        Ok(StatementKind::Do(exprs))
    }

    pub(super) fn handler(&mut self) -> Result<StatementKind> {
        self.expect(T::HANDLER)?;
        let table = self.object_name()?;
        if table.schema.is_some() && !self.at(T::OPEN) {
            // What is open goes by its alias.
            return Err(self.unexpected());
        }
        let action = match self.one_of(&[T::OPEN, T::CLOSE, T::READ])? {
            T::OPEN => HandlerAction::Open { alias: self.table_alias()? },
            T::CLOSE => HandlerAction::Close,
            _ => self.handler_read()?,
        };
        Ok(StatementKind::Handler(Box::new(Handler { table, action })))
    }

    fn handler_read(&mut self) -> Result<HandlerAction> {
        let scan = match self.kind() {
            T::FIRST => Some(HandlerPosition::First),
            T::NEXT => Some(HandlerPosition::Next),
            _ => None,
        };
        let (mut index, position);
        index = None;
        if let Some(scan) = scan {
            self.bump();
            position = scan;
        } else {
            index = Some(self.index_name()?);
            let comparison = match self.kind() {
                T::Eq => Some(BinaryOp::Eq),
                T::Lt => Some(BinaryOp::Lt),
                T::Le => Some(BinaryOp::Le),
                T::Gt => Some(BinaryOp::Gt),
                T::Ge => Some(BinaryOp::Ge),
                _ => None,
            };
            position = if let Some(op) = comparison {
                self.bump();
                HandlerPosition::Key(op, self.row_values()?)
            } else {
                match self.one_of(&[T::FIRST, T::NEXT, T::PREV, T::LAST])? {
                    T::FIRST => HandlerPosition::First,
                    T::NEXT => HandlerPosition::Next,
                    T::PREV => HandlerPosition::Prev,
                    _ => HandlerPosition::Last,
                }
            };
        }
        let filter = self.maybe_where()?;
        let limit = if self.at(T::LIMIT) { Some(self.limit()?) } else { None };
        Ok(HandlerAction::Read { index, position, filter, limit })
    }
}
