//! SELECT, VALUES, TABLE and what joins them.

use super::Grammar;
use super::primary::Group;
use crate::ast::{
    CommonTable, Expr, GroupBy, Ident, IntoClause, Limit, LockWait, Locking, OrderItem, Query,
    QueryBody, Select, SelectItem, SelectOptions, SetOp, SetOperand, With,
};
use crate::error::{Error, ErrorKind, Result};
use crate::lexer::T;

impl Grammar<'_> {
    /// Whether a query starts here, its own parentheses left aside.
    pub(super) fn query_starts(&self) -> bool {
        match self.kind() {
            T::SELECT | T::WITH | T::TABLE => true,
            // VALUES(column) is a function.
            T::VALUES => self.kind_at(1) == T::ROW,
            _ => false,
        }
    }

    /// Whether what follows a query in parentheses belongs to a query around it.
    pub(super) fn query_goes_on(&self) -> bool {
        self.at_any(&[
            T::RParen,
            T::UNION,
            T::EXCEPT,
            T::INTERSECT,
            T::ORDER,
            T::LIMIT,
            T::FOR,
            T::LOCK,
            T::INTO,
        ])
    }

    /// A query expression.
    pub(super) fn query(&mut self) -> Result<Box<Query>> {
        self.enter()?;
        let start = self.here();
        let with = if self.at(T::WITH) { Some(self.with()?) } else { None };
        let query = self.query_after(with, start)?;
        self.leave();
        Ok(query)
    }

    /// A query expression whose WITH is parsed already.
    pub(super) fn query_after(&mut self, with: Option<With>, start: u32) -> Result<Box<Query>> {
        let (first, into) = self.query_term()?;
        self.query_rest(with, first, into, start)
    }

    /// A query expression whose first operand is parsed already.
    pub(super) fn query_from(
        &mut self,
        with: Option<With>,
        first: QueryBody,
        start: u32,
    ) -> Result<Box<Query>> {
        self.query_rest(with, first, None, start)
    }

    fn query_rest(
        &mut self,
        with: Option<With>,
        first: QueryBody,
        mut into: Option<Box<IntoClause>>,
        start: u32,
    ) -> Result<Box<Query>> {
        if self.at_any(&[T::UNION, T::EXCEPT, T::INTERSECT])
            && matches!(&first, QueryBody::Nested(query) if query.into.is_some())
        {
            return Err(self.unexpected());
        }
        let allow_into = std::mem::replace(&mut self.allow_into, false);
        let first = self.set_operands(first, &mut into, &[T::INTERSECT])?;
        let body = self.set_operands(first, &mut into, &[T::UNION, T::EXCEPT])?;
        let order_by = self.maybe_order_by()?;
        let limit = if self.at(T::LIMIT) { Some(self.limit()?) } else { None };
        let mut locking = Vec::new();
        loop {
            if self.at_any(&[T::FOR, T::LOCK]) {
                locking.push(self.locking()?);
            } else if self.at(T::INTO) && allow_into {
                if into.is_some() {
                    return Err(self.error(ErrorKind::SecondInto));
                }
                into = Some(Box::new(self.select_into()?));
            } else {
                break;
            }
        }
        self.allow_into = allow_into;
        let plain = with.is_none()
            && order_by.is_empty()
            && limit.is_none()
            && locking.is_empty()
            && into.is_none();
        match body {
            QueryBody::Nested(query) if plain => Ok(query),
            body => {
                let span = self.span_from(start);
                Ok(Box::new(Query { with, body, order_by, limit, locking, into, span }))
            }
        }
    }

    /// Operands joined by operators of one precedence.
    fn set_operands(
        &mut self,
        first: QueryBody,
        into: &mut Option<Box<IntoClause>>,
        ops: &[T],
    ) -> Result<QueryBody> {
        let mut rest = Vec::new();
        while ops.contains(&self.kind()) {
            if into.is_some() {
                return Err(self.error(ErrorKind::MisplacedInto));
            }
            let op = match self.bump().kind {
                T::UNION => SetOp::Union,
                T::EXCEPT => SetOp::Except,
                _ => SetOp::Intersect,
            };
            let all = self.eat_any(&[T::ALL, T::DISTINCT, T::DISTINCTROW]) == Some(T::ALL);
            let (mut body, term_into) = self.query_term()?;
            *into = term_into;
            if op != SetOp::Intersect {
                body = self.set_operands(body, into, &[T::INTERSECT])?;
            }
            rest.push(SetOperand { op, all, body });
        }
        if rest.is_empty() {
            return Ok(first);
        }
        self.taller()?;
        Ok(QueryBody::Set { first: Box::new(first), rest })
    }

    /// One operand, and the INTO that stood in it.
    fn query_term(&mut self) -> Result<(QueryBody, Option<Box<IntoClause>>)> {
        match self.kind() {
            T::SELECT => self.select(),
            T::VALUES => {
                self.bump();
                let rows = self.list(|g| {
                    g.expect(T::ROW)?;
                    g.row_values()
                })?;
                Ok((QueryBody::Values(rows), None))
            }
            T::TABLE => {
                self.bump();
                Ok((QueryBody::Table(self.object_name()?), None))
            }
            T::LParen => {
                let start = self.here() as usize;
                if self.kind_at(1) == T::VALUES && self.kind_at(2) != T::ROW {
                    // Not the function, here.
                    self.bump();
                    self.bump();
                    return Err(self.unexpected());
                }
                let Group::Query(query) = self.group()? else {
                    return Err(Error::at(ErrorKind::Syntax, self.sql, start + 1));
                };
                Ok((Self::operand(query), None))
            }
            _ => Err(self.unexpected()),
        }
    }

    /// A query in parentheses as an operand. Around one block they say nothing.
    pub(super) fn operand(query: Box<Query>) -> QueryBody {
        let plain = query.with.is_none()
            && query.order_by.is_empty()
            && query.limit.is_none()
            && query.locking.is_empty()
            && query.into.is_none()
            && !matches!(query.body, QueryBody::Set { .. });
        if plain { query.body } else { QueryBody::Nested(query) }
    }

    /// `(…)` of a row: values or DEFAULT, perhaps none.
    pub(super) fn row_values(&mut self) -> Result<Vec<Expr>> {
        self.expect(T::LParen)?;
        if self.eat(T::RParen) {
            return Ok(Vec::new());
        }
        let mut values = Vec::with_capacity(4);
        values.push(self.expr_or_default()?);
        while self.eat(T::Comma) {
            values.push(self.expr_or_default()?);
        }
        self.expect(T::RParen)?;
        Ok(values)
    }

    pub(super) fn expr_or_default(&mut self) -> Result<Expr> {
        if self.at(T::DEFAULT) && self.kind_at(1) != T::LParen {
            let start = self.here();
            self.bump();
            let kind = crate::ast::ExprKind::Default;
            return Ok(Expr { kind, span: self.span_from(start) });
        }
        self.expr()
    }

    pub(super) fn with(&mut self) -> Result<With> {
        self.expect(T::WITH)?;
        let allow_into = std::mem::replace(&mut self.allow_into, false);
        let recursive = self.eat(T::RECURSIVE);
        let tables = self.list(|g| {
            let name = g.ident()?;
            let columns = g.maybe_ident_list()?;
            g.expect(T::AS)?;
            Ok(CommonTable { name, columns, query: g.subquery()? })
        })?;
        self.allow_into = allow_into;
        Ok(With { recursive, tables })
    }

    fn select(&mut self) -> Result<(QueryBody, Option<Box<IntoClause>>)> {
        self.expect(T::SELECT)?;
        let allow_into = std::mem::replace(&mut self.allow_into, false);
        self.blocks += 1;
        let hints = self.hints()?;
        let options = self.select_options()?;
        let mut items = Vec::with_capacity(1);
        loop {
            items.push(self.select_item(items.is_empty())?);
            if !self.eat(T::Comma) {
                break;
            }
        }
        let into = if self.at(T::INTO) { Some(Box::new(self.select_into()?)) } else { None };
        let mut from = Vec::new();
        if self.eat(T::FROM) && !self.eat(T::DUAL) {
            from = self.table_refs()?;
        }
        let filter = self.maybe_where()?;
        let mut group_by = None;
        if self.eat(T::GROUP) {
            self.expect(T::BY)?;
            group_by = Some(Box::new(self.group_by()?));
        }
        let having = if self.eat(T::HAVING) { Some(self.expr()?) } else { None };
        let mut windows = Vec::new();
        if self.eat(T::WINDOW) {
            windows = self.list(|g| {
                let name = g.ident()?;
                g.expect(T::AS)?;
                Ok((name, g.window_spec()?))
            })?;
        }
        let qualify = if self.eat(T::QUALIFY) { Some(self.expr()?) } else { None };
        self.allow_into = allow_into;
        let select =
            Select { hints, options, items, from, filter, group_by, having, windows, qualify };
        Ok((QueryBody::Select(Box::new(select)), into))
    }

    fn select_options(&mut self) -> Result<SelectOptions> {
        let mut options = SelectOptions::default();
        loop {
            let flag = match self.kind() {
                T::ALL => &mut options.all,
                T::DISTINCT | T::DISTINCTROW => &mut options.distinct,
                T::STRAIGHT_JOIN => &mut options.straight_join,
                T::HIGH_PRIORITY => &mut options.high_priority,
                T::SQL_SMALL_RESULT => &mut options.small_result,
                T::SQL_BIG_RESULT => &mut options.big_result,
                T::SQL_BUFFER_RESULT => &mut options.buffer_result,
                T::SQL_NO_CACHE => &mut options.no_cache,
                T::SQL_CALC_FOUND_ROWS => &mut options.calc_found_rows,
                _ => return Ok(options),
            };
            *flag = true;
            self.bump();
        }
    }

    fn select_item(&mut self, first: bool) -> Result<SelectItem> {
        if first && self.eat(T::Star) {
            return Ok(SelectItem::All);
        }
        if self.at_name() && self.kind_at(1) == T::Dot {
            let short = self.kind_at(2) == T::Star;
            if short || (self.kind_at(3) == T::Dot && self.kind_at(4) == T::Star) {
                let first = self.ident()?;
                self.bump();
                let name = if short {
                    crate::ast::ObjectName { schema: None, name: first }
                } else {
                    let name = self.ident()?;
                    self.bump();
                    crate::ast::ObjectName { schema: Some(first), name }
                };
                self.bump();
                return Ok(SelectItem::AllOf(name));
            }
        }
        let expr = self.expr()?;
        let alias = self.select_alias()?;
        Ok(SelectItem::Expr { expr, alias })
    }

    /// `[AS] name` or a string.
    pub(super) fn select_alias(&mut self) -> Result<Option<Ident>> {
        if self.eat(T::AS) || self.at_name() || self.at(T::Text) {
            return self.ident_or_text().map(Some);
        }
        Ok(None)
    }

    pub(super) fn maybe_where(&mut self) -> Result<Option<Expr>> {
        if self.eat(T::WHERE) { self.expr().map(Some) } else { Ok(None) }
    }

    fn group_by(&mut self) -> Result<GroupBy> {
        if self.at(T::ROLLUP) && self.kind_at(1) == T::LParen {
            self.bump();
            return Ok(GroupBy { items: self.paren_list(Self::expr)?, rollup: true });
        }
        let items = self.expr_list()?;
        let rollup = self.eat(T::WITH);
        if rollup {
            self.expect(T::ROLLUP)?;
        }
        Ok(GroupBy { items, rollup })
    }

    pub(super) fn maybe_order_by(&mut self) -> Result<Vec<OrderItem>> {
        if !self.eat(T::ORDER) {
            return Ok(Vec::new());
        }
        self.expect(T::BY)?;
        self.list(|g| {
            let expr = g.expr()?;
            let descending = g.eat_any(&[T::ASC, T::DESC]) == Some(T::DESC);
            Ok(OrderItem { expr, descending })
        })
    }

    pub(super) fn limit(&mut self) -> Result<Limit> {
        self.expect(T::LIMIT)?;
        let first = self.limit_value()?;
        if self.eat(T::Comma) {
            return Ok(Limit { rows: self.limit_value()?, offset: Some(first) });
        }
        let offset = if self.eat(T::OFFSET) { Some(self.limit_value()?) } else { None };
        Ok(Limit { rows: first, offset })
    }

    /// LIMIT of UPDATE and DELETE, without an offset.
    pub(super) fn maybe_plain_limit(&mut self) -> Result<Option<Limit>> {
        if !self.eat(T::LIMIT) {
            return Ok(None);
        }
        Ok(Some(Limit { rows: self.limit_value()?, offset: None }))
    }

    fn limit_value(&mut self) -> Result<Expr> {
        match self.kind() {
            T::Int => self.literal_expr(),
            T::Param => self.primary(),
            _ => {
                let start = self.here();
                let name = self.ident()?;
                let column = crate::ast::ColumnRef { qualifier: None, name };
                let kind = crate::ast::ExprKind::Column(column);
                Ok(Expr { kind, span: self.span_from(start) })
            }
        }
    }

    fn locking(&mut self) -> Result<Locking> {
        if self.eat(T::LOCK) {
            self.expect_all(&[T::IN, T::SHARE, T::MODE])?;
            return Ok(Locking { update: false, of: Vec::new(), wait: LockWait::Wait });
        }
        self.expect(T::FOR)?;
        let update = self.one_of(&[T::UPDATE, T::SHARE])? == T::UPDATE;
        let of = if self.eat(T::OF) { self.list(Self::object_name)? } else { Vec::new() };
        let wait = if self.eat(T::NOWAIT) {
            LockWait::NoWait
        } else if self.eat(T::SKIP) {
            self.expect(T::LOCKED)?;
            LockWait::SkipLocked
        } else {
            LockWait::Wait
        };
        Ok(Locking { update, of, wait })
    }
}
