//! Functions with words between their arguments, and window functions.

use super::Grammar;
use crate::ast::{
    Call, Cast, CastType, DataType, DateArith, Expr, ExprKind, FormatKind, JsonOn, JsonValue, Trim,
    TrimSide, UnitCall, WeightForm, WeightString, WindowCall,
};
use crate::error::Result;
use crate::lexer::T;
use crate::mode::SqlMode;

impl Grammar<'_> {
    /// A function with words between its arguments, or an aggregate or window
    /// function. Nothing is taken if it is none.
    pub(super) fn special_call(&mut self, kind: T) -> Result<Option<ExprKind>> {
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
                    let call = self.finish_call(Self::word(name, token), vec![date, days]);
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
                // As if LOCATE had been written, which is no keyword.
                self.taller()?;
                let name = Self::word("locate", token);
                let call = Call { schema: None, name, keyword: false, args, window: None };
                return Ok(Some(ExprKind::Call(Box::new(call))));
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
                return self.finish_call(Self::word("substring", token), args).map(Some);
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
        Ok(ExprKind::Call(Box::new(Call { schema: None, name, keyword: true, args, window })))
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
        let path = self.text_expr()?;
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
            T::REAL | T::DOUBLE | T::FLOAT => {
                // Of the forms that columns have only FLOAT(p).
                let real_is_float = self.mode.has(SqlMode::REAL_AS_FLOAT);
                let float = kind == T::FLOAT || (kind == T::REAL && real_is_float);
                self.bump();
                if kind == T::DOUBLE {
                    self.eat(T::PRECISION);
                }
                let precision = if float { self.maybe_length()? } else { None };
                let (scale, unsigned, zerofill) = (None, false, false);
                Ok(CastType::Data(Box::new(if float {
                    DataType::Float { precision, scale, unsigned, zerofill }
                } else {
                    DataType::Double { precision, scale, unsigned, zerofill }
                })))
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
            | T::JSON => {
                let data_type = self.data_type()?;
                match data_type {
                    DataType::Varchar { .. } | DataType::Varbinary(_) => Err(self.unexpected()),
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
