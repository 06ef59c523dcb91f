//! Calls of functions, and the functions that have syntax of their own.

use firn_mysql_parser::ast::{self, CastType};

use super::merge::temporal_length;
use super::{Binder, Site};
use crate::error::{SqlError, code};
use crate::expr::arith::ArithOp;
use crate::expr::eval::internal;
use crate::expr::interval::{is_dated, is_timed, unit_decimals};
use crate::expr::node::{CallOp, Node, Op};
use crate::expr::{Result, leaf};
use crate::functions::{self, Function, MANY, Nulls};
use crate::types::{Derivation, SqlType, TypeKind};

/// Functions that are announced as possibly NULL for texts that grow too long, in strict mode
/// alone.
const IN_STRICT_MODE: &[&str] = &[
    "aes_encrypt",
    "char",
    "compress",
    "concat",
    "concat_ws",
    "format",
    "hex",
    "insert",
    "left",
    "lower",
    "lpad",
    "ltrim",
    "quote",
    "repeat",
    "replace",
    "reverse",
    "right",
    "rpad",
    "rtrim",
    "soundex",
    "substring",
    "to_base64",
    "trim",
    "upper",
];

impl Binder<'_> {
    pub(super) fn call(&self, call: &ast::Call, span: ast::Span) -> Result<Node> {
        if let Some(schema) = &call.schema {
            let whole = ast::Expr {
                kind: ast::ExprKind::Call(Box::new(call.clone())),
                span: ast::Span::default(),
            };
            if let Some(node) = self.scope.special(&whole) {
                return node;
            }
            let name = format!("{}.{}", schema.as_str(), call.name.as_str());
            return Err(SqlError::does_not_exist("FUNCTION", &name));
        }
        let mut args = call.args.iter().map(|arg| self.bind(arg)).collect::<Result<Vec<_>>>()?;
        let name = call.name.as_str().to_ascii_lowercase();
        // POSITION has another grammar than LOCATE.
        let position = || {
            let written = self.text.get(span.start as usize..).and_then(|text| text.get(..8));
            written.is_some_and(|written| written.eq_ignore_ascii_case(b"position"))
        };
        if !self.text.is_empty() && !functions::NAMELESS.contains(&name.as_str()) && !position() {
            for (node, arg) in args.iter_mut().zip(&call.args) {
                if !matches!(node.op, Op::Column(_) | Op::Literal(_) | Op::Hex(_)) {
                    node.name = argument_text(self.text, span, arg.span);
                }
            }
        }
        self.call_with(&name, call.name.as_str(), args)
    }

    pub(super) fn call_named(&self, name: &str, args: &[&ast::Expr]) -> Result<Node> {
        let args = args.iter().map(|arg| self.bind(arg)).collect::<Result<Vec<_>>>()?;
        self.call_with(name, name, args)
    }

    fn call_with(&self, name: &str, written: &str, args: Vec<Node>) -> Result<Node> {
        let arity = |least: usize, most: usize| {
            if (least..=most).contains(&args.len()) {
                Ok(())
            } else {
                Err(SqlError::wrong_parameter_count(written))
            }
        };
        match name {
            "if" => {
                arity(3, 3)?;
                return self.if_call(args);
            }
            "ifnull" => {
                arity(2, 2)?;
                return self.coalesce(args, "ifnull");
            }
            "coalesce" => return self.coalesce(args, "coalesce"),
            "nullif" => {
                arity(2, 2)?;
                return self.null_if(args);
            }
            "isnull" => {
                arity(1, 1)?;
                let mut args = args;
                let nullable = args.iter_mut().filter(|arg| arg.ty.nullable);
                nullable.for_each(|arg| self.compute_early(arg, true));
                let ty = SqlType::truth().not_null();
                return Ok(Node::new(Op::IsNull { negated: false }, ty, args));
            }
            "greatest" | "least" => {
                arity(2, usize::MAX)?;
                return self.extreme(name == "greatest", args);
            }
            "mod" => {
                arity(2, 2)?;
                let [left, right]: [Node; 2] = args.try_into().map_err(|_| internal())?;
                return Ok(self.arith(ArithOp::Modulo, left, right));
            }
            "name_const" => {
                arity(2, 2)?;
                let [name, value]: [Node; 2] = args.try_into().map_err(|_| internal())?;
                let inner = match &value.op {
                    Op::Negate(_) | Op::Collate => value.args.first(),
                    _ => Some(&value),
                };
                let temporal = value.ty.kind.is_temporal();
                if !name.is_literal() || !inner.is_some_and(Node::is_literal) || temporal {
                    return Err(SqlError::wrong_arguments("NAME_CONST"));
                }
                let mut value = value;
                value.ty.nullable = true;
                return Ok(value);
            }
            "from_unixtime" if args.len() == 2 => {
                let [seconds, format]: [Node; 2] = args.try_into().map_err(|_| internal())?;
                let date = self.own(name, vec![seconds], None)?;
                return self.own("date_format", vec![date, format], None);
            }
            "adddate" | "subdate" => {
                arity(2, 2)?;
                let subtract = name == "subdate";
                let [date, amount]: [Node; 2] = args.try_into().map_err(|_| internal())?;
                return self.date_arith_of(date, amount, subtract, ast::IntervalUnit::Day);
            }
            _ => {}
        }
        match functions::find(name) {
            Some(function) => self.call_of(function, written, args),
            None if functions::NOT_BUILT_YET.contains(&name)
                || functions::GEOMETRY.contains(&name) =>
            {
                Err(SqlError::not_supported_yet(&format!("function {written}")))
            }
            None => Err(match &self.settings.database {
                Some(database) => {
                    SqlError::does_not_exist("FUNCTION", &format!("{database}.{written}"))
                }
                None => SqlError::new(code::ER_NO_DB_ERROR, &[]),
            }),
        }
    }

    fn call_of(&self, function: &'static Function, written: &str, args: Vec<Node>) -> Result<Node> {
        let most = if function.max_args == MANY { usize::MAX } else { function.max_args.into() };
        if !(usize::from(function.min_args)..=most).contains(&args.len()) {
            return Err(SqlError::wrong_parameter_count(written));
        }
        self.build(function, args, None).map_err(|error| match error.number() {
            // By the name that was written.
            code::ER_WRONG_PARAMCOUNT_TO_NATIVE_FCT => SqlError::wrong_parameter_count(written),
            _ => error,
        })
    }

    fn build(
        &self,
        function: &'static Function,
        mut args: Vec<Node>,
        extra: Option<u64>,
    ) -> Result<Node> {
        let nullable = args.iter().any(|arg| arg.ty.nullable);
        let collation = self.connection();
        let mut site = Site {
            binder: self,
            name: function.name,
            args: &mut args,
            collation,
            extra: 0,
            binary: false,
        };
        let ty = (function.derive)(&mut site)?;
        let (collation, own) = (site.collation, site.extra);
        let ty = match function.nulls {
            Nulls::Arguments => ty.with_nullable(nullable),
            Nulls::Always if IN_STRICT_MODE.contains(&function.name) => {
                ty.with_nullable(nullable || self.settings().strict)
            }
            Nulls::Always => ty.with_nullable(true),
            Nulls::Never => ty.with_nullable(false),
            Nulls::Own => ty,
        };
        let ascii = !ty.kind.is_string() && ty.kind != TypeKind::Json
            || ty.derivation == Derivation::Coercible && args.iter().all(|arg| arg.ascii);
        let extra = extra.unwrap_or(own);
        let call = CallOp { function, collation, extra, pattern: Default::default() };
        Ok(Node::new(Op::Call(Box::new(call)), ty, args).with_ascii(ascii))
    }

    /// A function of the registry that the binder itself calls.
    pub(super) fn own(&self, name: &str, args: Vec<Node>, extra: Option<u64>) -> Result<Node> {
        let function = functions::find(name).ok_or_else(internal)?;
        self.build(function, args, extra)
    }

    pub(super) fn trim(&self, trim: &ast::Trim) -> Result<Node> {
        let mut args = vec![self.bind(&trim.expr)?];
        if let Some(remove) = &trim.remove {
            args.push(self.bind(remove)?);
        }
        let side = match trim.side {
            ast::TrimSide::Both => functions::BOTH,
            ast::TrimSide::Leading => functions::LEADING,
            ast::TrimSide::Trailing => functions::TRAILING,
        };
        self.own("trim", args, Some(side))
    }

    pub(super) fn char_call(&self, parts: &[ast::Expr], charset: Option<&str>) -> Result<Node> {
        let args = parts.iter().map(|arg| self.bind(arg)).collect::<Result<Vec<_>>>()?;
        let mut node = self.own("char", args, None)?;
        if let Some(charset) = charset {
            let collation = leaf::default_collation(charset)
                .ok_or_else(|| SqlError::unknown_character_set(charset))?;
            node.ty.collation = collation;
            node.ascii = false;
            if !collation.is_binary() {
                node.ty.derivation = Derivation::Coercible;
            }
        }
        Ok(node)
    }

    pub(super) fn get_format(&self, kind: ast::FormatKind, place: &ast::Expr) -> Result<Node> {
        let place = self.bind(place)?;
        let which = match kind {
            ast::FormatKind::Date => 0,
            ast::FormatKind::Time => 1,
            ast::FormatKind::DateTime => 2,
        };
        self.own("get_format", vec![place], Some(which))
    }

    pub(super) fn weight_string(&self, weight: &ast::WeightString) -> Result<Node> {
        let operand = self.bind(&weight.expr)?;
        let operand = match weight.form {
            ast::WeightForm::Plain => operand,
            ast::WeightForm::Char(length) => {
                let data =
                    ast::DataType::Char { length: Some(length), charset: Default::default() };
                self.cast_to(operand, &CastType::Data(Box::new(data)))?
            }
            ast::WeightForm::Binary(length) => self.to_binary(operand, Some(length))?,
            ast::WeightForm::Numbers(..) => {
                return Err(SqlError::not_supported_yet("WEIGHT_STRING with numbers"));
            }
        };
        self.own("weight_string", vec![operand], None)
    }

    pub(super) fn extract(&self, unit: ast::IntervalUnit, date: &ast::Expr) -> Result<Node> {
        use ast::IntervalUnit as U;
        let date = self.bind(date)?;
        let length = match unit {
            U::Year => 5,
            U::YearMonth => 7,
            U::Quarter => 2,
            U::Month | U::Week | U::Day => 3,
            U::Hour => 4,
            U::Minute | U::Second => 3,
            U::Microsecond => 7,
            U::DayHour => 9,
            U::DayMinute => 11,
            U::DaySecond => 13,
            U::DayMicrosecond => 20,
            U::HourMinute => 6,
            U::HourSecond => 8,
            U::HourMicrosecond => 14,
            U::MinuteSecond => 5,
            U::MinuteMicrosecond => 11,
            U::SecondMicrosecond => 9,
        };
        let ty = SqlType::bigint(length).with_nullable(true);
        Ok(Node::new(Op::Extract(unit), ty, vec![date]))
    }

    pub(super) fn date_arith(&self, arith: &ast::DateArith) -> Result<Node> {
        let (date, amount) = (self.bind(&arith.date)?, self.bind(&arith.amount)?);
        self.date_arith_of(date, amount, arith.subtract, arith.unit)
    }

    fn date_arith_of(
        &self,
        date: Node,
        amount: Node,
        subtract: bool,
        unit: ast::IntervalUnit,
    ) -> Result<Node> {
        let fraction = unit_decimals(unit, &amount);
        let decimals =
            if date.ty.kind.is_temporal() { date.ty.decimals.max(fraction) } else { fraction };
        let mut ty = match date.ty.kind {
            TypeKind::Date if !is_timed(unit) => SqlType::plain(TypeKind::Date, 10, 0),
            TypeKind::Time if !is_dated(unit) => {
                SqlType::plain(TypeKind::Time, temporal_length(10, decimals), decimals)
            }
            TypeKind::Date | TypeKind::Time | TypeKind::DateTime | TypeKind::Timestamp => {
                SqlType::plain(TypeKind::DateTime, temporal_length(19, decimals), decimals)
            }
            _ => {
                let mut ty = SqlType::varchar(29, self.connection(), Derivation::Coercible);
                ty.kind = TypeKind::Char;
                ty
            }
        };
        ty.nullable = true;
        Ok(Node::new(Op::DateArith { subtract, unit }, ty, vec![date, amount]).with_ascii(true))
    }

    pub(super) fn unit_call(&self, call: &ast::UnitCall) -> Result<Node> {
        let (first, second) = (self.bind(&call.first)?, self.bind(&call.second)?);
        if call.diff {
            let ty = SqlType::bigint(21).with_nullable(true);
            return Ok(Node::new(Op::TimestampDiff(call.unit), ty, vec![first, second]));
        }
        // TIMESTAMPADD(unit, amount, date) is date + INTERVAL amount unit.
        self.date_arith_of(second, first, false, call.unit)
    }
}

/// An argument as the call has it, with the parentheses around it.
fn argument_text(text: &[u8], call: ast::Span, argument: ast::Span) -> Option<Box<str>> {
    let call = call.start as usize..call.end as usize;
    let (mut start, mut end) = (argument.start as usize, argument.end as usize);
    loop {
        let before = text.get(call.start..start)?.trim_ascii_end();
        let after = text.get(end..call.end)?.trim_ascii_start();
        // The outermost pair is the call's own.
        if before.last() != Some(&b'(') || after.first() != Some(&b')') || after.len() == 1 {
            break;
        }
        start = call.start + before.len() - 1;
        end = call.end - after.len() + 1;
    }
    let written = text.get(start..end)?;
    Some(String::from_utf8_lossy(written).into())
}
