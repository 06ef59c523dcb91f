//! Calls: those by name, and the functions that have words of their own.

use super::Grammar;
use crate::ast::{Call, Expr, ExprKind, Ident, Literal};
use crate::error::{Error, ErrorKind, Result};
use crate::lexer::T;

impl Grammar<'_> {
    /// `name(…)`, where the name is no keyword.
    pub(super) fn named_call(&mut self) -> Result<ExprKind> {
        let name = self.ident()?;
        self.call_of(None, name)
    }

    pub(super) fn call_of(&mut self, schema: Option<Ident>, name: Ident) -> Result<ExprKind> {
        self.expect(T::LParen)?;
        let mut args = Vec::new();
        if !self.at(T::RParen) {
            args = self.list(if schema.is_some() { Self::expr } else { Self::named_argument })?;
        }
        self.expect(T::RParen)?;
        self.taller()?;
        let keyword = false;
        Ok(ExprKind::Call(Box::new(Call { schema, name, keyword, args, window: None })))
    }

    /// An argument of a loadable function, which may have a name.
    fn named_argument(&mut self) -> Result<Expr> {
        let start = self.here();
        let expr = self.expr()?;
        let Some(alias) = self.select_alias()? else {
            return Ok(expr);
        };
        self.taller()?;
        let kind = ExprKind::Named(Box::new((expr, alias)));
        Ok(Expr { kind, span: self.span_from(start) })
    }

    /// A call of a built-in function that a keyword names.
    pub(super) fn finish_call(&mut self, name: Ident, args: Vec<Expr>) -> Result<ExprKind> {
        self.taller()?;
        let keyword = true;
        Ok(ExprKind::Call(Box::new(Call { schema: None, name, keyword, args, window: None })))
    }

    /// The name of the built-in function a keyword calls, if its arguments are
    /// nothing but a list; how many there may be at least and at most.
    fn plain_function(kind: T) -> Option<(&'static str, usize, usize)> {
        const MANY: usize = usize::MAX;
        Some(match kind {
            T::ASCII => ("ascii", 1, 1),
            T::CHARSET => ("charset", 1, 1),
            T::COALESCE => ("coalesce", 1, MANY),
            T::COLLATION => ("collation", 1, 1),
            T::DATABASE | T::SCHEMA => ("database", 0, 0),
            T::DATE => ("date", 1, 1),
            T::DAY | T::SQL_TSI_DAY => ("day", 1, 1),
            T::FORMAT => ("format", 2, 3),
            T::GEOMCOLLECTION | T::GEOMETRYCOLLECTION => ("geometrycollection", 0, MANY),
            T::GROUPING => ("grouping", 1, MANY),
            T::HOUR | T::SQL_TSI_HOUR => ("hour", 1, 1),
            T::IF => ("if", 3, 3),
            T::INSERT => ("insert", 4, 4),
            T::LEFT => ("left", 2, 2),
            T::LINESTRING => ("linestring", 1, MANY),
            T::LOG => ("log", 1, 2),
            T::MICROSECOND => ("microsecond", 1, 1),
            T::MINUTE | T::SQL_TSI_MINUTE => ("minute", 1, 1),
            T::MOD => ("mod", 2, 2),
            T::MONTH | T::SQL_TSI_MONTH => ("month", 1, 1),
            T::MULTILINESTRING => ("multilinestring", 1, MANY),
            T::MULTIPOINT => ("multipoint", 1, MANY),
            T::MULTIPOLYGON => ("multipolygon", 1, MANY),
            T::POINT => ("point", 2, 2),
            T::POLYGON => ("polygon", 1, MANY),
            T::QUARTER | T::SQL_TSI_QUARTER => ("quarter", 1, 1),
            T::REPEAT => ("repeat", 2, 2),
            T::REPLACE => ("replace", 3, 3),
            T::REVERSE => ("reverse", 1, 1),
            T::RIGHT => ("right", 2, 2),
            T::ROW_COUNT => ("row_count", 0, 0),
            T::SECOND | T::SQL_TSI_SECOND => ("second", 1, 1),
            T::SESSION_USER | T::SYSTEM_USER | T::USER => ("user", 0, 0),
            T::TIME => ("time", 1, 1),
            T::TIMESTAMP => ("timestamp", 1, 2),
            T::TRUNCATE => ("truncate", 2, 2),
            T::WEEK | T::SQL_TSI_WEEK => ("week", 1, 2),
            T::YEAR | T::SQL_TSI_YEAR => ("year", 1, 1),
            _ => return None,
        })
    }

    /// What a keyword starts in an expression: a function, or a column if the
    /// keyword may be a name.
    pub(super) fn keyword_call(&mut self, kind: T) -> Result<ExprKind> {
        // Functions that need no parentheses.
        let timed = match kind {
            T::CURRENT_TIMESTAMP | T::LOCALTIME | T::LOCALTIMESTAMP | T::NOW => Some("now"),
            T::SYSDATE => Some("sysdate"),
            T::CURRENT_TIME | T::CURTIME => Some("curtime"),
            T::UTC_TIME => Some("utc_time"),
            T::UTC_TIMESTAMP => Some("utc_timestamp"),
            _ => None,
        };
        if let Some(name) = timed {
            let name = Self::word(name, self.token());
            self.bump();
            return self.time_function(name);
        }
        let bare = match kind {
            T::CURRENT_DATE | T::CURDATE => Some("curdate"),
            T::UTC_DATE => Some("utc_date"),
            T::CURRENT_USER => Some("current_user"),
            _ => None,
        };
        if let Some(name) = bare {
            let name = Self::word(name, self.token());
            self.bump();
            if self.eat(T::LParen) {
                self.expect(T::RParen)?;
            }
            return self.finish_call(name, Vec::new());
        }
        if self.kind_at(1) == T::LParen {
            if let Some((name, least, most)) = Self::plain_function(kind) {
                let name = Self::word(name, self.token());
                self.bump();
                return self.plain_call(name, least, most);
            }
            if let Some(call) = self.special_call(kind)? {
                return Ok(call);
            }
        }
        // An ordinary keyword: it is a name only where no call starts.
        if kind.is_free() && (self.kind_at(1) != T::LParen) {
            return self.column_or_call();
        }
        if kind.is_free() {
            // It is a name, and what follows it is wrong.
            self.bump();
        }
        Err(self.unexpected())
    }

    fn plain_call(&mut self, name: Ident, least: usize, most: usize) -> Result<ExprKind> {
        self.expect(T::LParen)?;
        let mut args = Vec::new();
        while args.len() < most && !(args.is_empty() && least == 0 && self.at(T::RParen)) {
            if !args.is_empty() && args.len() >= least && !self.at(T::Comma) {
                break;
            }
            if !args.is_empty() {
                self.expect(T::Comma)?;
            }
            args.push(self.expr()?);
        }
        self.expect(T::RParen)?;
        self.finish_call(name, args)
    }

    /// NOW and its like: parentheses and a precision may follow.
    pub(super) fn time_function(&mut self, name: Ident) -> Result<ExprKind> {
        let mut args = Vec::new();
        if self.eat(T::LParen) {
            if self.at(T::Int) {
                let start = self.here() as usize;
                let precision = self.literal_expr()?;
                // Longer numbers are other tokens, which are none of this place.
                let is_short = matches!(precision.kind, ExprKind::Literal(Literal::Int(number))
                    if number <= i32::MAX as u64);
                if !is_short {
                    return Err(Error::at(ErrorKind::Syntax, self.sql, start));
                }
                args.push(precision);
            }
            self.expect(T::RParen)?;
        }
        self.finish_call(name, args)
    }

    pub(super) fn interval_function(&mut self) -> Result<Expr> {
        let start = self.here();
        let token = self.expect(T::INTERVAL)?;
        let args = self.paren_list(Self::expr)?;
        let kind = self.finish_call(Self::word("interval", token), args)?;
        Ok(Expr { kind, span: self.span_from(start) })
    }
}
