//! What operators stand between: literals, columns, variables, calls, and
//! everything in parentheses.

use super::Grammar;
use super::expr::level;
use crate::ast::{
    Assign, Case, ColumnRef, Expr, ExprKind, IntervalUnit, JsonPath, Match, MatchMode, Query,
    Scope, SystemVariable,
};
use crate::error::{Error, ErrorKind, Result};
use crate::lexer::T;

/// What was in a pair of parentheses.
pub(super) enum Group {
    Query(Box<Query>),
    Expr(Expr),
    /// Two or more.
    List(Vec<Expr>),
}

impl Grammar<'_> {
    #[inline]
    pub(super) fn primary(&mut self) -> Result<Expr> {
        let start = self.here();
        let kind = self.primary_kind()?;
        Ok(Expr { kind, span: self.span_from(start) })
    }

    fn primary_kind(&mut self) -> Result<ExprKind> {
        let kind = self.kind();
        match kind {
            T::Ident | T::Quoted => {
                if self.kind_at(1) == T::LParen {
                    return self.named_call();
                }
                self.column_or_call()
            }
            T::Int | T::Decimal | T::Float | T::Text | T::NText | T::Hex | T::Bits => {
                Ok(ExprKind::Literal(self.literal()?))
            }
            T::NULL | T::TRUE | T::FALSE | T::Introducer => Ok(ExprKind::Literal(self.literal()?)),
            T::Param => {
                self.bump();
                self.params += 1;
                Ok(ExprKind::Param(self.params - 1))
            }
            T::LParen => {
                let kind = match self.group()? {
                    Group::Query(query) => ExprKind::Subquery(self.without_into(query)?),
                    // The parentheses belong to the expression's text.
                    Group::Expr(expr) => return Ok(expr.kind),
                    Group::List(list) => ExprKind::Row(list),
                };
                self.taller()?;
                Ok(kind)
            }
            T::At => {
                let variable = self.user_variable()?;
                if !self.eat(T::Assign) {
                    return Ok(ExprKind::UserVariable(variable));
                }
                let value = self.expr()?;
                self.taller()?;
                Ok(ExprKind::Assign(Box::new(Assign { variable, value })))
            }
            T::AtAt => Ok(ExprKind::SystemVariable(Box::new(self.system_variable()?))),
            T::DATE | T::TIME | T::TIMESTAMP if self.kind_at(1) == T::Text => {
                Ok(ExprKind::Literal(self.literal()?))
            }
            T::ROW => {
                self.bump();
                let row = self.paren_list(Self::expr)?;
                if row.len() < 2 {
                    return Err(self.unexpected());
                }
                self.taller()?;
                Ok(ExprKind::Row(row))
            }
            T::EXISTS => {
                self.bump();
                let query = self.subquery()?;
                self.taller()?;
                Ok(ExprKind::Exists(query))
            }
            T::CASE => self.case(),
            T::MATCH => self.match_against(),
            T::DEFAULT => {
                self.bump();
                let column = self.parens(Self::column_ref)?;
                Ok(ExprKind::DefaultOf(Box::new(column)))
            }
            T::LBrace => {
                // ODBC's escapes: `{d '…'}` is a literal, others are what is inside.
                self.bump();
                let name = self.ident()?;
                let inside = self.expr()?;
                self.expect(T::RBrace)?;
                Ok(Self::odbc_literal(name.as_str(), inside))
            }
            T::Dot => Ok(ExprKind::Column(self.column_ref()?)),
            _ => self.keyword_call(kind),
        }
    }

    /// A column, or a call with the name of a schema before it.
    pub(super) fn column_or_call(&mut self) -> Result<ExprKind> {
        let first = self.ident()?;
        if !self.at(T::Dot) {
            // Not `column -> path`: the arrow follows the whole name.
            return self.column_kind(ColumnRef { qualifier: None, name: first });
        }
        if self.kind_at(2) == T::LParen && Self::is_name(self.kind_at(1)) {
            self.bump();
            let name = self.ident()?;
            return self.call_of(Some(first), name);
        }
        let column = self.column_ref_from(first)?;
        self.column_kind(column)
    }

    #[inline]
    fn column_kind(&mut self, column: ColumnRef) -> Result<ExprKind> {
        let unquote = match self.kind() {
            T::Arrow => false,
            T::LongArrow => true,
            _ => return Ok(ExprKind::Column(column)),
        };
        self.bump();
        let path = self.expect(T::Text)?;
        let path = self.text_value(path);
        Ok(ExprKind::JsonPath(Box::new(JsonPath { column, path, unquote })))
    }

    fn odbc_literal(name: &str, inside: Expr) -> ExprKind {
        use crate::ast::{Literal, TemporalKind};
        let kind = match name {
            name if name.eq_ignore_ascii_case("d") => TemporalKind::Date,
            name if name.eq_ignore_ascii_case("t") => TemporalKind::Time,
            name if name.eq_ignore_ascii_case("ts") => TemporalKind::Timestamp,
            _ => return inside.kind,
        };
        match inside.kind {
            ExprKind::Literal(Literal::Text(text)) => {
                ExprKind::Literal(Literal::Temporal(kind, Box::new(text.value)))
            }
            other => other,
        }
    }

    /// What is in parentheses: a query, an expression or several.
    ///
    /// `((` may begin any of them, and which one shows only behind the inner
    /// parentheses: so the inner ones are parsed first, and what they were decides
    /// how to go on.
    pub(super) fn group(&mut self) -> Result<Group> {
        self.enter()?;
        let start = self.here() + 1;
        self.expect(T::LParen)?;
        let first = if self.query_starts() {
            let query = self.query()?;
            self.expect(T::RParen)?;
            self.leave();
            return Ok(Group::Query(query));
        } else if self.at(T::LParen) {
            let start = self.here();
            match self.group()? {
                Group::Query(query) if self.query_goes_on() => {
                    let query = if self.at(T::RParen) {
                        query
                    } else {
                        self.query_from(None, Self::operand(query), start)?
                    };
                    self.expect(T::RParen)?;
                    self.leave();
                    return Ok(Group::Query(query));
                }
                Group::Query(query) => {
                    let kind = ExprKind::Subquery(self.without_into(query)?);
                    self.infix_behind(kind, start)?
                }
                Group::Expr(expr) => self.infix_behind(expr.kind, start)?,
                Group::List(list) => self.infix_behind(ExprKind::Row(list), start)?,
            }
        } else {
            self.expr()?
        };
        let group = if self.at(T::Comma) {
            let mut list = vec![first];
            while self.eat(T::Comma) {
                list.push(self.expr()?);
            }
            Group::List(list)
        } else {
            Group::Expr(Expr { kind: first.kind, span: self.span_from(start) })
        };
        self.expect(T::RParen)?;
        self.leave();
        Ok(group)
    }

    fn infix_behind(&mut self, kind: ExprKind, start: u32) -> Result<Expr> {
        self.taller()?;
        let left = Expr { kind, span: self.span_from(start) };
        self.infix(left, level::PRIMARY, level::ANY)
    }

    /// A query in parentheses, of which there may be several pairs.
    pub(super) fn subquery(&mut self) -> Result<Box<Query>> {
        if !self.at(T::LParen) {
            return Err(self.unexpected());
        }
        let token = self.token();
        match self.group()? {
            Group::Query(query) => self.without_into(query),
            _ => Err(Error::at(ErrorKind::Syntax, self.sql, token.start as usize + 1)),
        }
    }

    fn case(&mut self) -> Result<ExprKind> {
        self.expect(T::CASE)?;
        let operand = if self.at(T::WHEN) { None } else { Some(self.expr()?) };
        let mut branches = Vec::new();
        while self.eat(T::WHEN) {
            let when = self.expr()?;
            self.expect(T::THEN)?;
            branches.push((when, self.expr()?));
        }
        if branches.is_empty() {
            return Err(self.unexpected());
        }
        let otherwise = if self.eat(T::ELSE) { Some(self.expr()?) } else { None };
        self.expect(T::END)?;
        self.taller()?;
        Ok(ExprKind::Case(Box::new(Case { operand, branches, otherwise })))
    }

    fn match_against(&mut self) -> Result<ExprKind> {
        self.expect(T::MATCH)?;
        let columns = if self.at(T::LParen) {
            self.paren_list(Self::column_ref)?
        } else {
            self.list(Self::column_ref)?
        };
        self.expect_all(&[T::AGAINST, T::LParen])?;
        let against = self.bit_expr()?;
        let mut mode = MatchMode::Natural;
        if self.eat_all(&[T::IN, T::BOOLEAN, T::MODE]) {
            mode = MatchMode::Boolean;
        } else {
            if self.at(T::IN) {
                self.expect_all(&[T::IN, T::NATURAL, T::LANGUAGE, T::MODE])?;
            }
            if self.eat(T::WITH) {
                self.expect_all(&[T::QUERY, T::EXPANSION])?;
                mode = MatchMode::NaturalWithExpansion;
            }
        }
        self.expect(T::RParen)?;
        self.taller()?;
        Ok(ExprKind::Match(Box::new(Match { columns, against, mode })))
    }

    /// `@@[scope.][prefix.]name`
    pub(super) fn system_variable(&mut self) -> Result<SystemVariable> {
        self.expect(T::AtAt)?;
        let scope = match self.kind() {
            T::GLOBAL => Some(Scope::Global),
            T::SESSION | T::LOCAL => Some(Scope::Session),
            T::PERSIST if self.kind_at(1) == T::Dot => Some(Scope::Persist),
            T::PERSIST_ONLY if self.kind_at(1) == T::Dot => Some(Scope::PersistOnly),
            _ => None,
        };
        if scope.is_some() {
            self.bump();
            self.expect(T::Dot)?;
        }
        self.system_variable_name(scope)
    }

    pub(super) fn system_variable_name(&mut self, scope: Option<Scope>) -> Result<SystemVariable> {
        // DEFAULT names the default key cache.
        let first = if self.at(T::DEFAULT) && self.kind_at(1) == T::Dot {
            let token = self.bump();
            Self::word("default", token)
        } else {
            if scope.is_none() && self.at_any(&[T::GLOBAL, T::LOCAL, T::SESSION]) {
                return Err(self.unexpected());
            }
            self.ident()?
        };
        if self.eat(T::Dot) {
            let is_scope = |word: &&str| first.text.eq_ignore_ascii_case(word);
            if ["global", "local", "session"].iter().any(is_scope) {
                return Err(Error::at(ErrorKind::Syntax, self.sql, first.span.start as usize));
            }
            let name = self.ident()?;
            return Ok(SystemVariable { scope, prefix: Some(first), name });
        }
        Ok(SystemVariable { scope, prefix: None, name: first })
    }

    /// Whether INTERVAL is a function here, not the amount of time: there is a
    /// comma directly inside of its parentheses.
    pub(super) fn is_interval_function(&mut self) -> bool {
        if self.kind_at(1) != T::LParen {
            return false;
        }
        let (mut depth, mut ahead) = (0u32, 1);
        loop {
            match self.kind_far(ahead) {
                T::LParen => depth += 1,
                T::RParen if depth <= 1 => return false,
                T::RParen => depth -= 1,
                T::Comma if depth == 1 => return true,
                T::End | T::Bad | T::Semicolon => return false,
                _ => {}
            }
            ahead += 1;
        }
    }

    /// `INTERVAL amount unit`
    pub(super) fn interval(&mut self) -> Result<(Expr, IntervalUnit)> {
        self.expect(T::INTERVAL)?;
        let amount = self.expr()?;
        Ok((amount, self.interval_unit()?))
    }

    pub(super) fn interval_unit(&mut self) -> Result<IntervalUnit> {
        let unit = match self.kind() {
            T::MICROSECOND => IntervalUnit::Microsecond,
            T::SECOND | T::SQL_TSI_SECOND => IntervalUnit::Second,
            T::MINUTE | T::SQL_TSI_MINUTE => IntervalUnit::Minute,
            T::HOUR | T::SQL_TSI_HOUR => IntervalUnit::Hour,
            T::DAY | T::SQL_TSI_DAY => IntervalUnit::Day,
            T::WEEK | T::SQL_TSI_WEEK => IntervalUnit::Week,
            T::MONTH | T::SQL_TSI_MONTH => IntervalUnit::Month,
            T::QUARTER | T::SQL_TSI_QUARTER => IntervalUnit::Quarter,
            T::YEAR | T::SQL_TSI_YEAR => IntervalUnit::Year,
            T::SECOND_MICROSECOND => IntervalUnit::SecondMicrosecond,
            T::MINUTE_MICROSECOND => IntervalUnit::MinuteMicrosecond,
            T::MINUTE_SECOND => IntervalUnit::MinuteSecond,
            T::HOUR_MICROSECOND => IntervalUnit::HourMicrosecond,
            T::HOUR_SECOND => IntervalUnit::HourSecond,
            T::HOUR_MINUTE => IntervalUnit::HourMinute,
            T::DAY_MICROSECOND => IntervalUnit::DayMicrosecond,
            T::DAY_SECOND => IntervalUnit::DaySecond,
            T::DAY_MINUTE => IntervalUnit::DayMinute,
            T::DAY_HOUR => IntervalUnit::DayHour,
            T::YEAR_MONTH => IntervalUnit::YearMonth,
            _ => return Err(self.unexpected()),
        };
        self.bump();
        Ok(unit)
    }
}
