//! Calls: those by name, and the functions that have words of their own.

use super::Grammar;
use crate::ast::{
    Aggregate, AggregateKind, Call, Cast, CastType, DataType, DateArith, Expr, ExprKind,
    FormatKind, Ident, JsonOn, JsonValue, Trim, TrimSide, UnitCall, WeightForm, WeightString,
    WindowCall,
};
use crate::error::Result;
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
        self.finish_call(schema, name, args)
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

    fn finish_call(
        &mut self,
        schema: Option<Ident>,
        name: Ident,
        args: Vec<Expr>,
    ) -> Result<ExprKind> {
        self.taller()?;
        Ok(ExprKind::Call(Box::new(Call { schema, name, args, window: None })))
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
            return self.finish_call(None, name, Vec::new());
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
        self.finish_call(None, name, args)
    }

    /// NOW and its like: parentheses and a precision may follow.
    pub(super) fn time_function(&mut self, name: Ident) -> Result<ExprKind> {
        let mut args = Vec::new();
        if self.eat(T::LParen) {
            if self.at(T::Int) {
                args.push(self.literal_expr()?);
            }
            self.expect(T::RParen)?;
        }
        self.finish_call(None, name, args)
    }

    pub(super) fn interval_function(&mut self) -> Result<Expr> {
        let start = self.here();
        let token = self.expect(T::INTERVAL)?;
        let args = self.paren_list(Self::expr)?;
        let kind = self.finish_call(None, Self::word("interval", token), args)?;
        Ok(Expr { kind, span: self.span_from(start) })
    }

    /// A function with words between its arguments, or an aggregate or window
    /// function. Nothing is taken if it is none.
    fn special_call(&mut self, kind: T) -> Result<Option<ExprKind>> {
        if let Some(call) = self.aggregate(kind)? {
            return Ok(Some(call));
        }
        let token = self.token();
        if !is_special(kind) {
            return Ok(None);
        }
        self.bump();
        self.expect(T::LParen)?;
        let call = match kind {
            T::CAST => {
                let expr = self.expr()?;
                let time_zone = if self.eat(T::AT) {
                    self.expect_all(&[T::TIME, T::ZONE])?;
                    self.eat(T::INTERVAL);
                    Some(self.text()?)
                } else {
                    None
                };
                self.expect(T::AS)?;
                let to = self.cast_type()?;
                let array = self.eat(T::ARRAY);
                ExprKind::Cast(Box::new(Cast { expr, time_zone, to, array }))
            }
            T::CONVERT => {
                let expr = self.expr()?;
                if self.eat(T::USING) {
                    let charset = self.charset_name()?;
                    ExprKind::ConvertUsing(Box::new((expr, charset)))
                } else {
                    self.expect(T::Comma)?;
                    let to = self.cast_type()?;
                    ExprKind::Cast(Box::new(Cast { expr, time_zone: None, to, array: false }))
                }
            }
            T::CHAR => {
                let args = self.expr_list()?;
                let charset = if self.eat(T::USING) { Some(self.charset_name()?) } else { None };
                ExprKind::Char(Box::new((args, charset)))
            }
            T::ADDDATE | T::SUBDATE | T::DATE_ADD | T::DATE_SUB => {
                let date = self.expr()?;
                self.expect(T::Comma)?;
                let subtract = matches!(kind, T::SUBDATE | T::DATE_SUB);
                let plain = matches!(kind, T::ADDDATE | T::SUBDATE);
                if plain && (!self.at(T::INTERVAL) || self.is_interval_function()) {
                    let days = self.expr()?;
                    self.expect(T::RParen)?;
                    let name = if subtract { "subdate" } else { "adddate" };
                    let call = self.finish_call(None, Self::word(name, token), vec![date, days]);
                    return call.map(Some);
                }
                let (amount, unit) = self.interval()?;
                ExprKind::DateArith(Box::new(DateArith { date, subtract, amount, unit }))
            }
            T::EXTRACT => {
                let unit = self.interval_unit()?;
                self.expect(T::FROM)?;
                ExprKind::Extract(unit, Box::new(self.expr()?))
            }
            T::GET_FORMAT => {
                let format = match self.kind() {
                    T::DATE => FormatKind::Date,
                    T::TIME => FormatKind::Time,
                    T::DATETIME | T::TIMESTAMP => FormatKind::DateTime,
                    _ => return Err(self.unexpected()),
                };
                self.bump();
                self.expect(T::Comma)?;
                ExprKind::GetFormat(format, Box::new(self.expr()?))
            }
            T::JSON_VALUE => self.json_value()?,
            T::POSITION => {
                let needle = self.bit_expr()?;
                self.expect(T::IN)?;
                let args = vec![needle, self.expr()?];
                self.expect(T::RParen)?;
                return self.finish_call(None, Self::word("locate", token), args).map(Some);
            }
            T::SUBSTRING | T::SUBSTR | T::MID => {
                let mut args = vec![self.expr()?];
                if self.eat(T::FROM) {
                    args.push(self.expr()?);
                    if self.eat(T::FOR) {
                        args.push(self.expr()?);
                    }
                } else {
                    self.expect(T::Comma)?;
                    args.push(self.expr()?);
                    if self.eat(T::Comma) {
                        args.push(self.expr()?);
                    }
                }
                self.expect(T::RParen)?;
                return self.finish_call(None, Self::word("substring", token), args).map(Some);
            }
            T::TIMESTAMPADD | T::TIMESTAMPDIFF => {
                if !self.at_any(&SIMPLE_UNITS) {
                    return Err(self.unexpected());
                }
                let unit = self.interval_unit()?;
                self.expect(T::Comma)?;
                let first = self.expr()?;
                self.expect(T::Comma)?;
                let second = self.expr()?;
                let diff = kind == T::TIMESTAMPDIFF;
                ExprKind::UnitCall(Box::new(UnitCall { diff, unit, first, second }))
            }
            T::TRIM => self.trim()?,
            T::VALUES => ExprKind::Values(Box::new(self.column_ref()?)),
            T::WEIGHT_STRING => self.weight_string()?,
            T::ROW_NUMBER | T::RANK | T::DENSE_RANK | T::CUME_DIST | T::PERCENT_RANK => {
                self.expect(T::RParen)?;
                return self.window_function(kind, token, Vec::new()).map(Some);
            }
            T::NTILE | T::FIRST_VALUE | T::LAST_VALUE => {
                let plain = kind != T::NTILE;
                let args = vec![if plain { self.expr()? } else { self.stable_integer()? }];
                self.expect(T::RParen)?;
                return self.window_function(kind, token, args).map(Some);
            }
            T::NTH_VALUE => {
                let mut args = vec![self.expr()?];
                self.expect(T::Comma)?;
                args.push(self.simple_expr()?);
                self.expect(T::RParen)?;
                return self.window_function(kind, token, args).map(Some);
            }
            T::LAG | T::LEAD => {
                let mut args = vec![self.expr()?];
                if self.eat(T::Comma) {
                    args.push(self.stable_integer()?);
                    if self.eat(T::Comma) {
                        args.push(self.expr()?);
                    }
                }
                self.expect(T::RParen)?;
                return self.window_function(kind, token, args).map(Some);
            }
            _ => return Err(self.unexpected()),
        };
        self.expect(T::RParen)?;
        self.taller()?;
        Ok(Some(call))
    }

    fn window_function(
        &mut self,
        kind: T,
        token: crate::lexer::Token,
        args: Vec<Expr>,
    ) -> Result<ExprKind> {
        let mut from_last = false;
        if kind == T::NTH_VALUE && self.eat(T::FROM) {
            from_last = self.eat_any(&[T::FIRST, T::LAST]) == Some(T::LAST);
        }
        let mut ignore_nulls = false;
        if matches!(kind, T::LEAD | T::LAG | T::NTH_VALUE | T::FIRST_VALUE | T::LAST_VALUE)
            && self.at_any(&[T::RESPECT, T::IGNORE])
        {
            ignore_nulls = self.bump().kind == T::IGNORE;
            self.expect(T::NULLS)?;
        }
        let over = self.over()?;
        let name = match kind {
            T::ROW_NUMBER => "row_number",
            T::RANK => "rank",
            T::DENSE_RANK => "dense_rank",
            T::CUME_DIST => "cume_dist",
            T::PERCENT_RANK => "percent_rank",
            T::NTILE => "ntile",
            T::FIRST_VALUE => "first_value",
            T::LAST_VALUE => "last_value",
            T::NTH_VALUE => "nth_value",
            T::LAG => "lag",
            _ => "lead",
        };
        self.taller()?;
        let window = Some(Box::new(WindowCall { from_last, ignore_nulls, over }));
        let name = Self::word(name, token);
        Ok(ExprKind::Call(Box::new(Call { schema: None, name, args, window })))
    }

    fn trim(&mut self) -> Result<ExprKind> {
        let side = match self.eat_any(&[T::BOTH, T::LEADING, T::TRAILING]) {
            Some(T::LEADING) => Some(TrimSide::Leading),
            Some(T::TRAILING) => Some(TrimSide::Trailing),
            Some(_) => Some(TrimSide::Both),
            None => None,
        };
        let (remove, expr) = if side.is_some() && self.eat(T::FROM) {
            (None, self.expr()?)
        } else {
            let first = self.expr()?;
            if self.eat(T::FROM) {
                (Some(first), self.expr()?)
            } else if side.is_some() {
                return Err(self.unexpected());
            } else {
                (None, first)
            }
        };
        Ok(ExprKind::Trim(Box::new(Trim { side: side.unwrap_or(TrimSide::Both), remove, expr })))
    }

    fn weight_string(&mut self) -> Result<ExprKind> {
        let expr = self.expr()?;
        let form = if self.eat(T::AS) {
            match self.eat_any(&[T::CHAR, T::BINARY]) {
                Some(T::CHAR) => WeightForm::Char(self.parens(Self::number)?),
                Some(_) => WeightForm::Binary(self.parens(Self::number)?),
                None => return Err(self.unexpected()),
            }
        } else if self.eat(T::Comma) {
            let first = self.number()?;
            self.expect(T::Comma)?;
            let second = self.number()?;
            self.expect(T::Comma)?;
            WeightForm::Numbers(first, second, self.number()?)
        } else {
            WeightForm::Plain
        };
        Ok(ExprKind::WeightString(Box::new(WeightString { expr, form })))
    }

    fn json_value(&mut self) -> Result<ExprKind> {
        let expr = self.simple_expr()?;
        self.expect(T::Comma)?;
        let path = self.literal_expr()?;
        let returning = if self.eat(T::RETURNING) { Some(self.cast_type()?) } else { None };
        let (on_empty, on_error) = self.json_on()?;
        Ok(ExprKind::JsonValue(Box::new(JsonValue { expr, path, returning, on_empty, on_error })))
    }

    /// `… ON EMPTY … ON ERROR`, either or both, in this order.
    pub(super) fn json_on(&mut self) -> Result<(Option<JsonOn>, Option<JsonOn>)> {
        let (mut on_empty, mut on_error) = (None, None);
        while self.at_any(&[T::ERROR, T::NULL, T::DEFAULT]) {
            let on = match self.bump().kind {
                T::ERROR => JsonOn::Error,
                T::NULL => JsonOn::Null,
                _ if self.at_any(&[T::NULL]) => return Err(self.unexpected()),
                _ => JsonOn::Default(self.signed_literal()?),
            };
            self.expect(T::ON)?;
            if self.at(T::EMPTY) && on_empty.is_none() {
                on_empty = Some(on);
            } else if self.at(T::ERROR) && on_error.is_none() {
                on_error = Some(on);
            } else {
                return Err(self.unexpected());
            }
            self.bump();
        }
        Ok((on_empty, on_error))
    }

    /// What CAST and CONVERT take.
    pub(super) fn cast_type(&mut self) -> Result<CastType> {
        let kind = self.kind();
        match kind {
            T::SIGNED | T::UNSIGNED => {
                self.bump();
                self.eat_any(&[T::INT, T::INTEGER]);
                Ok(if kind == T::SIGNED { CastType::Signed } else { CastType::Unsigned })
            }
            T::BINARY
            | T::CHAR
            | T::CHARACTER
            | T::NCHAR
            | T::NATIONAL
            | T::DATE
            | T::YEAR
            | T::TIME
            | T::DATETIME
            | T::DECIMAL
            | T::DEC
            | T::JSON
            | T::REAL
            | T::DOUBLE
            | T::FLOAT => {
                let data_type = self.data_type()?;
                match data_type {
                    DataType::Double { precision: Some(_), .. }
                    | DataType::Float { scale: Some(_), .. }
                    | DataType::Varchar { .. }
                    | DataType::Varbinary(_) => Err(self.unexpected()),
                    _ => Ok(CastType::Data(Box::new(data_type))),
                }
            }
            T::POINT
            | T::LINESTRING
            | T::POLYGON
            | T::MULTIPOINT
            | T::MULTILINESTRING
            | T::MULTIPOLYGON
            | T::GEOMETRYCOLLECTION
            | T::GEOMCOLLECTION => Ok(CastType::Data(Box::new(self.data_type()?))),
            _ => Err(self.unexpected()),
        }
    }

    fn aggregate(&mut self, token: T) -> Result<Option<ExprKind>> {
        let kind = match token {
            T::AVG => AggregateKind::Avg,
            T::BIT_AND => AggregateKind::BitAnd,
            T::BIT_OR => AggregateKind::BitOr,
            T::BIT_XOR => AggregateKind::BitXor,
            T::COUNT => AggregateKind::Count,
            T::GROUP_CONCAT => AggregateKind::GroupConcat,
            T::JSON_ARRAYAGG => AggregateKind::JsonArrayAgg,
            T::JSON_OBJECTAGG => AggregateKind::JsonObjectAgg,
            T::MAX => AggregateKind::Max,
            T::MIN => AggregateKind::Min,
            T::ST_COLLECT => AggregateKind::StCollect,
            T::STD | T::STDDEV | T::STDDEV_POP => AggregateKind::StddevPop,
            T::STDDEV_SAMP => AggregateKind::StddevSamp,
            T::SUM => AggregateKind::Sum,
            T::VARIANCE | T::VAR_POP => AggregateKind::VarPop,
            T::VAR_SAMP => AggregateKind::VarSamp,
            _ => return Ok(None),
        };
        self.bump();
        self.expect(T::LParen)?;
        let may_be_distinct = matches!(
            kind,
            AggregateKind::Avg
                | AggregateKind::Count
                | AggregateKind::GroupConcat
                | AggregateKind::Max
                | AggregateKind::Min
                | AggregateKind::StCollect
                | AggregateKind::Sum
        );
        let distinct = may_be_distinct && self.eat_any(&[T::DISTINCT, T::DISTINCTROW]).is_some();
        // `DISTINCT ALL` is allowed, and ALL alone, but for GROUP_CONCAT.
        if kind != AggregateKind::GroupConcat && !(kind == AggregateKind::Count && distinct) {
            self.eat(T::ALL);
        }
        let mut args = Vec::new();
        match kind {
            AggregateKind::Count if !distinct && self.eat(T::Star) => {}
            AggregateKind::Count if distinct => args = self.expr_list()?,
            AggregateKind::GroupConcat => args = self.expr_list()?,
            AggregateKind::JsonObjectAgg => {
                args.push(self.expr()?);
                self.expect(T::Comma)?;
                self.eat(T::ALL);
                args.push(self.expr()?);
            }
            _ => args.push(self.expr()?),
        }
        let (mut order_by, mut separator) = (Vec::new(), None);
        if kind == AggregateKind::GroupConcat {
            order_by = self.maybe_order_by()?;
            if self.eat(T::SEPARATOR) {
                separator = Some(self.text_or_bytes()?);
            }
        }
        self.expect(T::RParen)?;
        let over = if self.at(T::OVER) { Some(Box::new(self.over()?)) } else { None };
        self.taller()?;
        let aggregate = Aggregate { kind, distinct, args, order_by, separator, over };
        Ok(Some(ExprKind::Aggregate(Box::new(aggregate))))
    }
}

/// Whether a call with this name is written without quotes: a function of the
/// grammar, not one that is looked up by name.
pub(crate) fn is_function_word(name: &str) -> bool {
    let words = [
        "now",
        "sysdate",
        "curtime",
        "utc_time",
        "utc_timestamp",
        "curdate",
        "utc_date",
        "current_user",
        "interval",
        "adddate",
        "subdate",
        "substring",
        "row_number",
        "rank",
        "dense_rank",
        "cume_dist",
        "percent_rank",
        "ntile",
        "first_value",
        "last_value",
        "nth_value",
        "lag",
        "lead",
    ];
    words.contains(&name)
        || crate::lexer::keyword(name.as_bytes())
            .and_then(Grammar::plain_function)
            .is_some_and(|(known, ..)| known == name)
}

/// The units of TIMESTAMPADD and TIMESTAMPDIFF.
const SIMPLE_UNITS: [T; 17] = [
    T::MICROSECOND,
    T::SECOND,
    T::MINUTE,
    T::HOUR,
    T::DAY,
    T::WEEK,
    T::MONTH,
    T::QUARTER,
    T::YEAR,
    T::SQL_TSI_SECOND,
    T::SQL_TSI_MINUTE,
    T::SQL_TSI_HOUR,
    T::SQL_TSI_DAY,
    T::SQL_TSI_WEEK,
    T::SQL_TSI_MONTH,
    T::SQL_TSI_QUARTER,
    T::SQL_TSI_YEAR,
];

fn is_special(kind: T) -> bool {
    matches!(
        kind,
        T::CAST
            | T::CONVERT
            | T::CHAR
            | T::ADDDATE
            | T::SUBDATE
            | T::DATE_ADD
            | T::DATE_SUB
            | T::EXTRACT
            | T::GET_FORMAT
            | T::JSON_VALUE
            | T::POSITION
            | T::SUBSTRING
            | T::SUBSTR
            | T::MID
            | T::TIMESTAMPADD
            | T::TIMESTAMPDIFF
            | T::TRIM
            | T::VALUES
            | T::WEIGHT_STRING
            | T::ROW_NUMBER
            | T::RANK
            | T::DENSE_RANK
            | T::CUME_DIST
            | T::PERCENT_RANK
            | T::NTILE
            | T::FIRST_VALUE
            | T::LAST_VALUE
            | T::NTH_VALUE
            | T::LAG
            | T::LEAD
    )
}
