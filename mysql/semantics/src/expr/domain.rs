//! A node's value in the domain that its consumer wants: MySQL's implicit
//! conversions, with their warnings.

use std::borrow::Cow;

use super::arith::{self, Domain};
use super::compare::Comparison;
use super::context::{Cx, Row};
use super::kept::KEPT_ABOVE;
use super::node::{Node, Op};
use super::string_number::{Source, extreme_of_numbers};
use super::{Result, json, leaf};
use crate::collation::Collation;
use crate::decimal::{Decimal, ParseStatus, Rounding};
use crate::error::{SqlError, code};
use crate::json::JsonRef;
use crate::number;
use crate::temporal::DateTime;
use crate::types::TypeKind;
use crate::value::Value;

/// The longest text of a double within an expression.
const DOUBLE_TEXT_BYTES: usize = 22;
/// The same of a float.
const FLOAT_TEXT_BYTES: usize = 12;

/// 1292 for a string that is no number of this kind, as a warning.
#[cold]
fn truncated(kind: &str, text: &[u8], node: &Node, cx: &mut Cx<'_>) {
    let from = node.ty.collation;
    if node.is_varchar_column() && !from.is_binary() {
        let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
        let narrow = |text: &str| text.chars().all(|c| u32::from(c) <= 0xFFFF);
        cx.warn(match std::str::from_utf8(text) {
            Ok(text) if narrow(text) => SqlError::truncated_wrong_value(kind, text),
            // The server takes its bytes for utf8mb3, the quote behind them too.
            _ => {
                let text = text.get(..128).unwrap_or(text);
                let shown = leaf::bytes_as_message(&[text, b"'"].concat());
                let message = format!("Truncated incorrect {kind} value: '{shown}");
                SqlError::with_message(code::ER_TRUNCATED_WRONG_VALUE, message)
            }
        });
        return;
    }
    // Bytes are shown whole, but those of columns of VARBINARY.
    let whole = match &node.op {
        Op::Column(column) => node.ty.kind == TypeKind::Char || !column.name.starts_with('`'),
        _ => true,
    };
    let text = if from.is_binary() && whole {
        String::from_utf8_lossy(&leaf::shown_in_full(text, from)).into_owned()
    } else {
        leaf::shown_text(text, from)
    };
    cx.warn(SqlError::truncated_wrong_value(kind, &text));
}

/// The integer a string is. CAST shows the bytes of columns too.
pub(super) fn int_of_text(text: &[u8], node: &Node, cast: bool, cx: &mut Cx<'_>) -> i128 {
    let parsed = number::parse_integer_prefix(text);
    let rest = text.get(parsed.consumed..).unwrap_or_default();
    if parsed.status != number::NumberStatus::Read || !number::only_spaces(rest) {
        if cast && matches!(node.op, Op::Column(_)) {
            let shown = leaf::shown_in_full(text, node.ty.collation);
            let shown = String::from_utf8_lossy(&shown);
            cx.warn(SqlError::truncated_wrong_value("INTEGER", &shown));
        } else {
            truncated("INTEGER", text, node, cx);
        }
    }
    let magnitude = i128::from(parsed.value.magnitude);
    let value = if parsed.value.negative { -magnitude } else { magnitude };
    // Columns hold at the ends of 64 bits; other strings are taken for what their 64
    // bits are, which is said of those that functions make.
    let Ok(signed) = i64::try_from(value) else {
        if cast {
            return value;
        }
        if matches!(node.op, Op::Column(_)) {
            return i128::from(if value < 0 { i64::MIN } else { i64::MAX });
        }
        if value > 0 && made_by_function(node) && parsed.status == number::NumberStatus::Read {
            cx.warn(SqlError::cast_to_signed_wrapped());
        }
        return i128::from(value as i64);
    };
    i128::from(signed)
}

/// A function of strings made it, CAST and COLLATE among them.
fn made_by_function(node: &Node) -> bool {
    matches!(node.op, Op::Call(_) | Op::Collate | Op::Cast(_) | Op::ToCharset { .. })
}

fn double_of_text(text: &[u8], node: &Node, cx: &mut Cx<'_>) -> f64 {
    // Nothing is zero, and no reason to warn.
    if number::only_spaces(text) {
        return 0.0;
    }
    let parsed = number::parse_double_prefix(text);
    let rest = text.get(parsed.consumed..).unwrap_or_default();
    if parsed.status != number::NumberStatus::Read || !number::only_spaces(rest) {
        truncated("DOUBLE", text, node, cx);
    }
    parsed.value
}

/// The decimal a string is. Where it is none at all, columns give two warnings,
/// literals one, and what functions make another one.
fn decimal_of_text(text: &[u8], node: &Node, cx: &mut Cx<'_>) -> Decimal {
    let parsed = Decimal::parse_prefix(text);
    let column = matches!(node.op, Op::Column(_));
    let made = matches!(
        node.op,
        Op::Call(_) | Op::Collate | Op::Cast(_) | Op::ToCharset { .. } | Op::Extreme { .. }
    );
    let quiet = node.is_quiet_text();
    if parsed.status == ParseStatus::NoNumber && (column || made) && (column || !quiet) {
        cx.warn(no_decimal());
    }
    if made || (column && quiet) {
        return parsed.value;
    }
    let rest = text.get(parsed.consumed..).unwrap_or_default();
    if matches!(parsed.status, ParseStatus::NoNumber | ParseStatus::Overflow)
        || !number::only_spaces(rest)
    {
        truncated("DECIMAL", text, node, cx);
    }
    parsed.value
}

/// A double as an integer: to even at a half, held at the ends of the range.
pub(super) fn int_of_double(value: f64) -> i128 {
    match number::double_to_i64(value) {
        Ok(value) => i128::from(value),
        Err(end) if end == i64::MAX => match number::double_to_u64(value) {
            Ok(_) | Err(_) => i128::from(i64::MAX),
        },
        Err(end) => i128::from(end),
    }
}

/// A decimal as an integer, held at the ends of 64 signed bits.
fn int_of_decimal(value: &Decimal, unsigned: bool, cx: &mut Cx<'_>) -> i128 {
    let fits = if unsigned {
        value.to_u64(Rounding::HalfUp).map(i128::from).map_err(i128::from)
    } else {
        value.to_i64(Rounding::HalfUp).map(i128::from).map_err(i128::from)
    };
    fits.unwrap_or_else(|end| {
        let mut shown = Vec::new();
        value.write_text(&mut shown);
        cx.warn(SqlError::truncated_wrong_value("DECIMAL", &String::from_utf8_lossy(&shown)));
        end
    })
}

/// A double as a decimal. What is too large for one is named in the warning by the
/// digits before its exponent.
fn decimal_of_double(value: f64, cx: &mut Cx<'_>) -> Decimal {
    let parsed = Decimal::from_f64(value);
    if parsed.status == ParseStatus::Overflow {
        let mut shown = Vec::new();
        number::write_double(value, &mut shown);
        let digits = shown.split(|byte| *byte == b'e').next().unwrap_or_default();
        cx.warn(SqlError::truncated_wrong_value("DECIMAL", &String::from_utf8_lossy(digits)));
    }
    parsed.value
}

/// The number that a literal in hexadecimal is; more than 8 bytes are none.
pub(super) fn number_of_hex(bytes: &[u8], cx: &mut Cx<'_>) -> u64 {
    if bytes.len() <= 8 {
        return number::number_of_bytes(bytes);
    }
    let mut shown = "x'".to_owned();
    for byte in bytes {
        shown.push_str(&format!("{byte:02x}"));
    }
    shown.push('\'');
    cx.warn(SqlError::truncated_wrong_value("BINARY", &shown));
    0
}

/// The whole number before what is none.
fn quiet_int(text: &[u8]) -> i128 {
    let read = number::parse_integer_prefix(text).value;
    let magnitude = i128::from(read.magnitude);
    i128::from((if read.negative { -magnitude } else { magnitude }) as i64)
}

/// The decimal before what is none; only where there is none at all it is warned of.
fn quiet_decimal(text: &[u8], cx: &mut Cx<'_>) -> Decimal {
    let parsed = Decimal::parse_prefix(text);
    if parsed.status == ParseStatus::NoNumber {
        cx.warn(no_decimal());
    }
    parsed.value
}

fn no_decimal() -> SqlError {
    SqlError::with_message(
        code::ER_TRUNCATED_WRONG_VALUE_FOR_FIELD,
        "Incorrect DECIMAL value: '0' for column '' at row -1",
    )
}

/// A time as a number, rounded as that.
fn rounded(value: &Value) -> i128 {
    let whole = leaf::temporal_decimal(value).to_i64(Rounding::HalfUp);
    i128::from(whole.unwrap_or_else(|end| end))
}

impl Node {
    fn int_of_source(
        &self,
        source: Source<'_>,
        cx: &mut Cx<'_>,
        row: Row<'_>,
    ) -> Result<Option<i128>> {
        Ok(Some(match source {
            Source::Null => return Ok(None),
            Source::Operand(operand) => return operand.eval_int(cx, row),
            Source::Text(text) => quiet_int(&text),
            Source::Temporal(Value::DateTime(value)) if !self.computes_time() => {
                i128::from(value.to_number())
            }
            Source::Temporal(value) => rounded(&value),
            Source::Whole(number) => number.into(),
            Source::ExtremeOfNumbers { greatest } => {
                return match extreme_of_numbers(self, greatest, Comparison::Int, cx, row)? {
                    Some(operand) => operand.eval_int(cx, row),
                    None => Ok(None),
                };
            }
        }))
    }

    fn double_of_source(
        &self,
        source: Source<'_>,
        cx: &mut Cx<'_>,
        row: Row<'_>,
    ) -> Result<Option<f64>> {
        Ok(Some(match source {
            Source::Null => return Ok(None),
            Source::Operand(operand) => return operand.eval_double(cx, row),
            Source::Text(text) => number::parse_double_prefix(&text).value,
            Source::Temporal(value) => leaf::temporal_double(&value),
            Source::Whole(number) => number as f64,
            Source::ExtremeOfNumbers { greatest } => {
                return match extreme_of_numbers(self, greatest, Comparison::Double, cx, row)? {
                    Some(operand) => operand.eval_double(cx, row),
                    None => Ok(None),
                };
            }
        }))
    }

    fn decimal_of_source(
        &self,
        source: Source<'_>,
        cx: &mut Cx<'_>,
        row: Row<'_>,
    ) -> Result<Option<Decimal>> {
        Ok(Some(match source {
            Source::Null => return Ok(None),
            Source::Operand(operand) => return operand.eval_decimal(cx, row),
            Source::Text(text) => quiet_decimal(&text, cx),
            Source::Temporal(value) => leaf::temporal_decimal(&value),
            Source::Whole(number) => Decimal::from(number),
            Source::ExtremeOfNumbers { greatest } => {
                return match extreme_of_numbers(self, greatest, Comparison::Decimal, cx, row)? {
                    Some(operand) => operand.eval_decimal(cx, row),
                    None => Ok(None),
                };
            }
        }))
    }

    /// Columns of TEXT and what regular expressions give are numbers without a
    /// warning, whatever they say.
    fn is_quiet_text(&self) -> bool {
        match &self.op {
            // GROUP_CONCAT is no such column, by the name it has as one.
            Op::Column(column) => {
                let computed = ["group_concat(", "rollup_sum_switcher(group_concat("];
                let computed = computed.iter().any(|name| column.name.starts_with(name));
                self.ty.kind.is_text() && !computed
            }
            Op::Call(call) => matches!(call.function.name, "regexp_replace" | "regexp_substr"),
            _ => false,
        }
    }

    /// A double as an integer; columns say that it is out of range.
    pub(super) fn int_of_double_column(&self, value: f64, cx: &mut Cx<'_>) -> i128 {
        let is_column = matches!(&self.op, Op::Column(column) if column.name.starts_with('`'));
        if is_column && number::double_to_i64(value).is_err() {
            let mut shown = Vec::new();
            number::write_double(value, &mut shown);
            let shown = String::from_utf8_lossy(&shown);
            cx.warn(SqlError::truncated_wrong_value("INTEGER", &shown));
        }
        int_of_double(value)
    }

    /// A column of VARCHAR, of a table or of a query in FROM.
    fn is_varchar_column(&self) -> bool {
        let named = |name: &str| name.starts_with('`');
        self.ty.kind == TypeKind::Varchar
            && matches!(&self.op, Op::Column(column) if named(&column.name))
    }

    /// Whole seconds are those that have passed.
    fn cuts_fraction(&self) -> bool {
        matches!(&self.op, Op::Call(call) if call.function.name == "unix_timestamp")
    }

    /// 1690 for what arithmetic made and no integer of 64 bits can hold.
    pub(crate) fn check_bigint(&self, value: f64) -> Result<()> {
        let computed = match &self.op {
            Op::Negate(_) | Op::Arith(..) | Op::Call(_) | Op::Coalesce | Op::Extreme { .. } => true,
            Op::Cast(target) => {
                matches!(target, super::CastTarget::Double | super::CastTarget::Float)
            }
            _ => false,
        };
        if computed && number::double_to_i64(value).is_err() {
            let kind = if self.ty.unsigned { "BIGINT UNSIGNED" } else { "BIGINT" };
            return Err(arith::out_of_range(kind, self));
        }
        Ok(())
    }

    /// As an integer.
    #[inline]
    pub(crate) fn eval_int(&self, cx: &mut Cx<'_>, row: Row<'_>) -> Result<Option<i128>> {
        match &self.op {
            Op::Literal(Value::Int(value)) => return Ok(Some(i128::from(*value))),
            Op::Arith(op, Domain::Int) => return arith::int(self, *op, cx, row),
            Op::Hex(bytes) => return Ok(Some(i128::from(number_of_hex(bytes, cx)))),
            _ => {}
        }
        if let Some(source) = self.number_source(cx, row)? {
            return self.int_of_source(source, cx, row);
        }
        if let Op::NullIf(with) = &self.op
            && self.height <= KEPT_ABOVE
        {
            return match self.null_if(*with, cx, row)? {
                Some(operand) => operand.eval_int(cx, row),
                None => Ok(None),
            };
        }
        let value = self.eval(cx, row)?;
        Ok(Some(match &*value {
            Value::Null => return Ok(None),
            Value::Int(value) => i128::from(*value),
            Value::UInt(value) => i128::from(*value),
            Value::Double(value) => {
                self.check_bigint(*value)?;
                self.int_of_double_column(*value, cx)
            }
            Value::Float(value) => {
                self.check_bigint(f64::from(*value))?;
                int_of_double(f64::from(*value))
            }
            Value::Decimal(value) if self.cuts_fraction() => {
                i128::from(value.to_i64(Rounding::Truncate).unwrap_or_else(|end| end))
            }
            Value::Decimal(value) => int_of_decimal(value, self.ty.unsigned, cx),
            Value::Bytes(text) if self.ty.kind == TypeKind::Json => {
                json::coerced(self, text, cx, json::int)?
            }
            Value::Bytes(text) if self.is_quiet_text() => quiet_int(text),
            Value::Bytes(text) => int_of_text(text, self, false, cx),
            Value::Date(date) => i128::from(date.to_number()),
            Value::Time(_) | Value::DateTime(_) if self.computes_time() => rounded(&value),
            Value::Time(time) => {
                let time = time.round(0, cx.settings.truncate_fractions);
                let (Ok(time) | Err(time)) = time;
                i128::from(time.to_number())
            }
            Value::DateTime(datetime) => {
                let rounded = datetime.round(0, cx.settings.truncate_fractions);
                i128::from(match rounded {
                    Some(rounded) => rounded.to_number(),
                    // Behind the last second only the day is left.
                    None => {
                        cx.warn(SqlError::datetime_overflow("datetime"));
                        DateTime::from(datetime.date()).to_number()
                    }
                })
            }
        }))
    }

    /// As a double.
    #[inline]
    pub(crate) fn eval_double(&self, cx: &mut Cx<'_>, row: Row<'_>) -> Result<Option<f64>> {
        if let Op::Arith(op, Domain::Double) = &self.op {
            return arith::double(self, *op, cx, row);
        }
        if let Op::Hex(bytes) = &self.op {
            return Ok(Some(number_of_hex(bytes, cx) as f64));
        }
        if let Some(source) = self.number_source(cx, row)? {
            return self.double_of_source(source, cx, row);
        }
        if let Op::NullIf(with) = &self.op
            && self.height <= KEPT_ABOVE
        {
            return match self.null_if(*with, cx, row)? {
                Some(operand) => operand.eval_double(cx, row),
                None => Ok(None),
            };
        }
        let value = self.eval(cx, row)?;
        Ok(Some(match &*value {
            Value::Null => return Ok(None),
            Value::Int(value) => *value as f64,
            Value::UInt(value) => *value as f64,
            Value::Double(value) => *value,
            Value::Float(value) => f64::from(*value),
            Value::Decimal(value) => value.to_f64(),
            Value::Bytes(text) if self.ty.kind == TypeKind::Json => {
                json::coerced(self, text, cx, json::double)?
            }
            Value::Bytes(text) => match &self.members_text(&value) {
                Some(_) => 0.0,
                None if self.is_quiet_text() => number::parse_double_prefix(text).value,
                None => double_of_text(text, self, cx),
            },
            Value::Date(_) | Value::Time(_) | Value::DateTime(_) => leaf::temporal_double(&value),
        }))
    }

    /// As a decimal.
    pub(crate) fn eval_decimal(&self, cx: &mut Cx<'_>, row: Row<'_>) -> Result<Option<Decimal>> {
        if let Op::Arith(op, Domain::Decimal) = &self.op {
            return arith::decimal(self, *op, cx, row);
        }
        if let Op::Hex(bytes) = &self.op {
            return Ok(Some(Decimal::from(number_of_hex(bytes, cx))));
        }
        if let Some(source) = self.number_source(cx, row)? {
            // ELT hands on other numbers, but the text of decimals.
            if let (Source::Operand(operand), Op::Call(_)) = (&source, &self.op) {
                let text = operand.eval_text(cx, row)?;
                return Ok(text.map(|text| quiet_decimal(&text, cx)));
            }
            return self.decimal_of_source(source, cx, row);
        }
        if let Op::NullIf(with) = &self.op
            && self.height <= KEPT_ABOVE
        {
            return match self.null_if(*with, cx, row)? {
                Some(operand) => operand.eval_decimal(cx, row),
                None => Ok(None),
            };
        }
        let value = self.eval(cx, row)?;
        Ok(Some(match &*value {
            Value::Null => return Ok(None),
            Value::Int(value) => Decimal::from(*value),
            Value::UInt(value) => Decimal::from(*value),
            Value::Double(value) => decimal_of_double(*value, cx),
            Value::Float(value) => Decimal::from_f64(f64::from(*value)).value,
            Value::Decimal(value) => value.clone(),
            Value::Bytes(text) if self.ty.kind == TypeKind::Json => {
                let beyond = JsonRef::open(text).and_then(json::beyond_decimals);
                if let Ok(Some(value)) = beyond {
                    decimal_of_double(value, cx);
                }
                json::coerced(self, text, cx, json::decimal)?
            }
            Value::Bytes(text) => decimal_of_text(text, self, cx),
            Value::Date(_) | Value::Time(_) | Value::DateTime(_) => leaf::temporal_decimal(&value),
        }))
    }

    /// As text, in the character set of its type's collation; numbers and times
    /// in ASCII.
    #[inline]
    pub(crate) fn eval_text<'a>(
        &'a self,
        cx: &mut Cx<'_>,
        row: Row<'a>,
    ) -> Result<Option<Cow<'a, [u8]>>> {
        let value = self.eval(cx, row)?;
        if self.ty.kind == TypeKind::Json {
            return match &*value {
                Value::Bytes(bytes) => json::text(bytes).map(|text| Some(Cow::Owned(text))),
                _ => Ok(None),
            };
        }
        Ok(match value {
            Cow::Borrowed(Value::Bytes(bytes)) => Some(Cow::Borrowed(bytes)),
            Cow::Owned(Value::Bytes(bytes)) => Some(Cow::Owned(bytes.into_vec())),
            other => {
                if let Some(text) = self.members_text(&other) {
                    return Ok(Some(Cow::Owned(text)));
                }
                // What adds to a TIME prints all of a second's fraction, if there is one.
                if let Value::Time(time) = &*other
                    && self.computes_time()
                {
                    let mut out = Vec::with_capacity(18);
                    time.write_text(if time.microsecond() > 0 { 6 } else { 0 }, &mut out);
                    return Ok(Some(Cow::Owned(out)));
                }
                // Functions see floats in few characters, and doubles in fewer than
                // clients.
                if let Value::Float(value) = &*other
                    && self.ty.decimals >= crate::types::NOT_FIXED_DECIMALS
                {
                    let mut out = Vec::with_capacity(16);
                    number::write_float_short(*value, FLOAT_TEXT_BYTES, &mut out);
                    return Ok(Some(Cow::Owned(out)));
                }
                if let Value::Double(value) = &*other
                    && self.ty.kind == TypeKind::Double
                    && self.ty.decimals >= crate::types::NOT_FIXED_DECIMALS
                {
                    let mut out = Vec::with_capacity(24);
                    number::write_double_short(*value, DOUBLE_TEXT_BYTES, &mut out);
                    return Ok(Some(Cow::Owned(out)));
                }
                leaf::text_of(&other, self).map(Cow::Owned)
            }
        })
    }

    /// The text of an ENUM's or SET's number.
    pub(crate) fn members_text(&self, value: &Value) -> Option<Vec<u8>> {
        if !matches!(self.ty.kind, TypeKind::Enum | TypeKind::Set) {
            return None;
        }
        let Op::Column(column) = &self.op else { return None };
        let (Some(members), Value::UInt(number)) = (&column.members, value) else { return None };
        let mut out = Vec::new();
        if self.ty.kind == TypeKind::Set {
            let members = members.iter().map(|member| &member[..]);
            let rule = Collation::by_id(self.ty.collation.0).unwrap_or_else(Collation::binary);
            number::write_set_with(*number, members, rule.charset().comma(), &mut out);
        } else if let Some(at) = usize::try_from(*number).ok().and_then(|at| at.checked_sub(1)) {
            out.extend_from_slice(members.get(at)?);
        }
        Some(out)
    }
}

impl Node {
    /// A value of this node as a client gets it in a text result: in the character
    /// set of the node's collation. `None` for NULL.
    ///
    /// # Errors
    ///
    /// 3162 and its like for bytes of type JSON that are no document.
    pub fn text(&self, value: &Value) -> Result<Option<Vec<u8>>> {
        if let (TypeKind::Json, Value::Bytes(bytes)) = (self.ty.kind, value) {
            return json::text(bytes).map(Some);
        }
        Ok(self.members_text(value).or_else(|| leaf::text_of(value, self)))
    }
}
