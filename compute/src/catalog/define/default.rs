//! DEFAULT and ON UPDATE.

use firn_mysql_parser::ast::{Expr, ExprKind, Literal, UnaryOp};
use firn_mysql_semantics::convert::{Column, StoreContext, store};
use firn_mysql_semantics::decimal::Decimal;
use firn_mysql_semantics::error::{Level, SqlError, Warnings, code};
use firn_mysql_semantics::expr::{Binder, NoColumns, Node, Op};
use firn_mysql_semantics::temporal::Date;
use firn_mysql_semantics::{Bytes, SqlType, TypeKind, Value};
use firn_table::descriptor::{ColumnDefault, ColumnDescriptor};

use super::data_type::charset_of;
use super::members;
use crate::catalog::Facts;

fn invalid(column: &ColumnDescriptor) -> SqlError {
    SqlError::new(code::ER_INVALID_DEFAULT, &[(&column.name).into()])
}

/// The digits of `NOW(n)`; `None` if it is something else.
pub(super) fn now_digits(expr: &Expr) -> Option<u64> {
    let ExprKind::Call(call) = &expr.kind else { return None };
    if call.schema.is_some() || !call.name.as_str().eq_ignore_ascii_case("now") {
        return None;
    }
    match call.args.first().map(|arg| &arg.kind) {
        None => Some(0),
        Some(ExprKind::Literal(Literal::Int(digits))) => Some(*digits),
        Some(_) => None,
    }
}

/// Whether a column can have the present as its value, with these digits.
pub(super) fn takes_now(ty: &SqlType, digits: u64) -> bool {
    matches!(ty.kind, TypeKind::DateTime | TypeKind::Timestamp) && u64::from(ty.decimals) == digits
}

/// The default of a literal or of NOW; `None` for a constant that [`constant_of`] makes
/// fit the column later.
///
/// Errors: 1067, 1101.
pub(crate) fn written(
    column: &ColumnDescriptor,
    expr: &Expr,
    facts: &Facts<'_>,
    warnings: &mut Warnings,
) -> Result<Option<ColumnDefault>, SqlError> {
    if let Some(digits) = now_digits(expr) {
        if column.auto_increment || !takes_now(&column.ty, digits) {
            return Err(invalid(column));
        }
        return Ok(Some(ColumnDefault::Now));
    }
    if matches!(expr.kind, ExprKind::Literal(Literal::Null)) {
        return Ok(Some(ColumnDefault::Null));
    }
    if column.ty.kind.is_text() || column.ty.kind == TypeKind::Json {
        let error = SqlError::new(code::ER_BLOB_CANT_HAVE_DEFAULT, &[(&column.name).into()]);
        let (value, _) = literal(expr, facts, &column.ty)?;
        let empty = value.as_bytes().is_some_and(<[u8]>::is_empty);
        if facts.settings.strict || !empty {
            return Err(error);
        }
        warnings.warn(error);
        return Ok(Some(ColumnDefault::None));
    }
    if matches!(column.ty.kind, TypeKind::Enum | TypeKind::Set) {
        return constant_of(column, expr, facts, warnings).map(Some);
    }
    Ok(None)
}

/// The default of a literal, checked against the column.
///
/// Errors: 1067.
pub(crate) fn constant_of(
    column: &ColumnDescriptor,
    expr: &Expr,
    facts: &Facts<'_>,
    warnings: &mut Warnings,
) -> Result<ColumnDefault, SqlError> {
    let (value, from) = literal(expr, facts, &column.ty)?;
    constant(column, &value, &from, facts, warnings).map(ColumnDefault::Constant)
}

/// The value of a literal, as a column of this type takes it.
fn literal(expr: &Expr, facts: &Facts<'_>, ty: &SqlType) -> Result<(Value, SqlType), SqlError> {
    let (expr, negative) = match &expr.kind {
        ExprKind::Unary(UnaryOp::Minus, operand) => (&**operand, true),
        _ => (expr, false),
    };
    let node = Binder::new(facts.settings, &NoColumns, &[]).bind(expr)?;
    let value = match &node.op {
        Op::Literal(value) => value.clone(),
        // A number where a number is wanted, else bytes.
        Op::Hex(bytes) if ty.kind.is_string() => Value::Bytes(bytes.clone()),
        Op::Hex(bytes) => {
            let number = bytes.iter().try_fold(0u64, |number, byte| {
                number.checked_mul(256).map(|number| number + u64::from(*byte))
            });
            let number = number.unwrap_or(u64::MAX);
            return Ok((Value::UInt(number), SqlType::bigint(20).with_unsigned(true)));
        }
        _ => return Err(SqlError::not_supported_yet("a default that is no literal")),
    };
    let value = if negative { negated(value) } else { value };
    if matches!(ty.kind, TypeKind::Enum | TypeKind::Set) && value.as_bytes().is_none() {
        // Members are named, not numbered.
        let text = node.text(&value)?.unwrap_or_default();
        let from = SqlType { kind: TypeKind::Varchar, ..facts_text(facts) };
        return Ok((Value::Bytes(Bytes::from_vec(text)), from));
    }
    Ok((value, node.ty.with_unsigned(node.ty.unsigned && !negative)))
}

fn facts_text(facts: &Facts<'_>) -> SqlType {
    use firn_mysql_semantics::Derivation;
    SqlType::varchar(64, facts.settings.connection_collation, Derivation::Coercible)
}

fn negated(value: Value) -> Value {
    match value {
        Value::Int(number) => Value::Int(number.wrapping_neg()),
        Value::UInt(number) if number == 1 << 63 => Value::Int(i64::MIN),
        Value::UInt(number) => Value::Decimal(Decimal::from(number).neg()),
        Value::Double(number) => Value::Double(-number),
        Value::Decimal(number) => Value::Decimal(number.neg()),
        other => other,
    }
}

/// A text in the column's character set.
fn in_column_set(
    value: &Value,
    from: &SqlType,
    column: &ColumnDescriptor,
) -> Result<Vec<u8>, SqlError> {
    let bytes = value.as_bytes().unwrap_or_default();
    let (from, to) = (charset_of(from.collation), charset_of(column.ty.collation));
    if from == to || from.is_binary() || to.is_binary() {
        return Ok(bytes.to_vec());
    }
    let mut out = Vec::with_capacity(bytes.len());
    firn_mysql_semantics::charset::convert(bytes, from, to, &mut out)
        .map_err(|error| SqlError::not_supported_yet(&error.to_string()))?;
    Ok(out)
}

/// A value as the column would hold it, in its text form.
///
/// Errors: 1067.
fn constant(
    column: &ColumnDescriptor,
    value: &Value,
    from: &SqlType,
    facts: &Facts<'_>,
    warnings: &mut Warnings,
) -> Result<Vec<u8>, SqlError> {
    let members = members::stored(&column.members, column.ty.collation);
    if matches!(column.ty.kind, TypeKind::Enum | TypeKind::Set) {
        let text = in_column_set(value, from, column)?;
        if !members::are_members(column.ty.kind, &text, &members, &column.ty) {
            return Err(invalid(column));
        }
    }
    let target =
        Column { name: &column.name, ty: &column.ty.with_nullable(true), members: &members };
    let settings = facts.settings;
    let mut notes = Warnings::default();
    let mut cx = StoreContext {
        strict: settings.strict,
        dates: settings.date_mode(),
        truncate_fractions: settings.truncate_fractions,
        zone: facts.zone,
        today: Date::from_day_number(719_528 + facts.now_micros.div_euclid(86_400_000_000))
            .unwrap_or_default(),
        row: 1,
        warnings: &mut notes,
    };
    let stored = match store(value, from, &target, &mut cx) {
        Ok(stored) => stored,
        Err(reason) => {
            warnings.push(Level::Error, reason);
            return Err(invalid(column));
        }
    };
    for note in notes.kept() {
        warnings.push(note.level, note.error.clone());
    }
    // One that does not fit is wrong in any mode.
    if notes.kept().iter().any(|note| note.level != Level::Note) {
        return Err(invalid(column));
    }
    text_of(&stored, column)
}

/// A stored value as SHOW CREATE TABLE has it between the quotes: in the column's
/// character set; BIT as its bytes.
///
/// Errors: 3140 and such for what is no value of the column.
fn text_of(value: &Value, column: &ColumnDescriptor) -> Result<Vec<u8>, SqlError> {
    if let (TypeKind::Bit, Value::UInt(bits)) = (column.ty.kind, value) {
        let bytes = (column.ty.length as usize).div_ceil(8).clamp(1, 8);
        return Ok(bits.to_be_bytes()[8 - bytes..].to_vec());
    }
    let members: Vec<Bytes> = members::stored(&column.members, column.ty.collation)
        .into_iter()
        .map(|member| Bytes::from_slice(&member))
        .collect();
    let node = Node::column(firn_mysql_semantics::expr::Column {
        index: 0,
        ty: column.ty,
        name: "".into(),
        members: Some(members.into()),
    });
    let mut text = node.text(value)?.unwrap_or_default();
    // Binary strings of a fixed length are filled up when they are shown.
    if column.ty.kind == TypeKind::Char && charset_of(column.ty.collation).is_binary() {
        text.resize(text.len().max(column.ty.length as usize), 0);
    }
    if column.zerofill {
        let width = column.display_width.map_or(column.ty.length as usize, usize::from);
        let missing = width.saturating_sub(text.len());
        text.splice(0..0, std::iter::repeat_n(b'0', missing));
    }
    Ok(text)
}
