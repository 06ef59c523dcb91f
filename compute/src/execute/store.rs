//! Values into columns: what an INSERT or UPDATE gives, as the column holds it.

use firn_mysql_semantics::charset::{Charset, convert as convert_charset};
use firn_mysql_semantics::collation::Collation;
use firn_mysql_semantics::convert::{Column, StoreContext, store};
use firn_mysql_semantics::decimal::Rounding;
use firn_mysql_semantics::error::{Condition, Level, SqlError, code};
use firn_mysql_semantics::expr::{Cx, Node, Op, Row, stored_document};
use firn_mysql_semantics::json;
use firn_mysql_semantics::temporal::zone::TimeZone;
use firn_mysql_semantics::temporal::{Date, DateTime, Time};
use firn_mysql_semantics::{CollationId, Derivation, SqlType, TypeKind, Value};

use super::Result;
use crate::bind::Given;
use crate::table::{Default, Generated, OpenTable};

/// How a statement puts values into columns.
pub(crate) struct Storing<'a> {
    /// Strict mode, and no IGNORE.
    pub(crate) strict: bool,
    /// IGNORE.
    pub(crate) ignore: bool,
    /// One row is written: a NULL where none may be is an error even without strict mode.
    pub(crate) single_row: bool,
    /// Rows are changed, not made: a NULL where none may be is told of each.
    pub(crate) each_row: bool,
    /// Rows are copied by ALTER TABLE: a NULL where none may be counts as cut off.
    pub(crate) altering: bool,
    /// The session's zone.
    pub(crate) zone: &'a TimeZone,
    /// When the statement began, in the session's zone.
    pub(crate) now: DateTime,
    /// `auto_increment_increment` and `auto_increment_offset`.
    pub(crate) numbering: (u64, u64),
    /// NO_AUTO_VALUE_ON_ZERO
    pub(crate) zero_is_a_value: bool,
}

impl Storing<'_> {
    /// The present as a column of these decimals holds it.
    fn now(&self, ty: &SqlType) -> Value {
        let at = self.now.round(ty.decimals.min(6), true).unwrap_or(self.now);
        match ty.kind {
            TypeKind::Date => Value::Date(at.date()),
            TypeKind::Time => Value::Time(at.time()),
            _ => Value::DateTime(at),
        }
    }

    /// What is given to a column, as it holds it.
    ///
    /// # Errors
    /// As [`Self::value`], and those of evaluating it.
    pub(crate) fn given(
        &self,
        table: &OpenTable,
        column: usize,
        given: &Given,
        cx: &mut Cx<'_>,
        row: Row<'_>,
    ) -> Result<Value> {
        match given {
            Given::Default => self.default(table, column, cx, row),
            Given::Value(node) => {
                let value = node.eval(cx, row)?.into_owned();
                self.value(table, column, node, value, cx)
            }
        }
    }

    /// The same for a row that is there: AUTO_INCREMENT makes no value for it.
    ///
    /// # Errors
    /// As [`Self::given`].
    pub(crate) fn changed(
        &self,
        table: &OpenTable,
        column: usize,
        given: &Given,
        cx: &mut Cx<'_>,
        row: Row<'_>,
    ) -> Result<Value> {
        let value = self.given(table, column, given, cx, row)?;
        if !value.is_null() || table.auto_increment != Some(column) {
            return Ok(value);
        }
        let column = &table.columns[column];
        if matches!(given, Given::Value(_)) {
            let error = SqlError::bad_null(&column.name);
            if !self.ignore && (self.strict || self.single_row) {
                return Err(error);
            }
            self.warn_of_null(cx, error);
        }
        Ok(zero_of(&column.ty))
    }

    /// The value of a column that nothing is said of.
    ///
    /// # Errors
    /// 1364 in strict mode for a column without a default.
    pub(crate) fn default(
        &self,
        table: &OpenTable,
        column: usize,
        cx: &mut Cx<'_>,
        row: Row<'_>,
    ) -> Result<Value> {
        let ty = &table.columns[column].ty;
        match &table.defaults[column] {
            Default::Value(value) => Ok(value.clone()),
            Default::Now => Ok(self.now(ty)),
            Default::Expr(node) => {
                let value = node.eval(cx, row)?.into_owned();
                self.value(table, column, node, value, cx)
            }
            Default::None if table.auto_increment == Some(column) => {
                // Zero is no wish for a value then.
                Ok(if self.zero_is_a_value { zero_of(ty) } else { Value::Null })
            }
            // An ENUM without a default has its first member.
            Default::None if ty.kind == TypeKind::Enum => {
                Ok(if ty.nullable { Value::Null } else { Value::UInt(1) })
            }
            // A column that may be NULL has none after ALTER … DROP DEFAULT.
            Default::None => {
                let error = SqlError::no_default(&table.columns[column].name);
                if self.strict {
                    return Err(error);
                }
                cx.warnings.push(Level::Warning, error);
                Ok(if ty.nullable { Value::Null } else { zero_of(ty) })
            }
        }
    }

    /// The same before it is known whether the statement gives a value: a column without a
    /// default has what it has without strict mode. Not for defaults that are computed.
    pub(crate) fn quiet_default(&self, table: &OpenTable, column: usize) -> Value {
        let ty = &table.columns[column].ty;
        match &table.defaults[column] {
            Default::Value(value) => value.clone(),
            Default::Now => self.now(ty),
            Default::None if table.auto_increment == Some(column) || ty.nullable => Value::Null,
            Default::None if ty.kind == TypeKind::Enum => Value::UInt(1),
            Default::None | Default::Expr(_) => zero_of(ty),
        }
    }

    /// ON UPDATE CURRENT_TIMESTAMP.
    pub(crate) fn present(&self, table: &OpenTable, column: usize) -> Value {
        self.now(&table.columns[column].ty)
    }

    /// A value as a column holds it. `node` is what it was computed by.
    ///
    /// # Errors
    /// 1048, and what [`store`] refuses.
    pub(crate) fn value(
        &self,
        table: &OpenTable,
        column: usize,
        node: &Node,
        value: Value,
        cx: &mut Cx<'_>,
    ) -> Result<Value> {
        let definition = &table.columns[column];
        let ty = &definition.ty;
        if value.is_null() {
            if ty.nullable || table.auto_increment == Some(column) {
                return Ok(Value::Null);
            }
            if self.altering && node.ty.kind != ty.kind {
                let error = SqlError::data_truncated(&definition.name, cx.row_number);
                if self.strict {
                    return Err(error);
                }
                cx.warnings.push(Level::Warning, error);
                return Ok(zero_of(ty));
            }
            let error = SqlError::bad_null(&definition.name);
            if !self.ignore && (self.strict || self.single_row) {
                return Err(error);
            }
            self.warn_of_null(cx, error);
            return Ok(zero_of(ty));
        }
        if ty.kind == TypeKind::Json {
            return self.document(table, column, node, value, cx);
        }
        // What a row has already is not looked at again.
        if self.each_row && matches!(&node.op, Op::Column(same) if same.index == column) {
            return Ok(value);
        }
        // An ENUM's value that is none of its members stays that.
        if (node.ty.kind, ty.kind) == (TypeKind::Enum, TypeKind::Enum)
            && matches!((&node.op, &value), (Op::Column(_), Value::UInt(0)))
        {
            return Ok(value);
        }
        let mark = cx.warnings.mark();
        let document = match &value {
            Value::Bytes(bytes) if node.ty.kind == TypeKind::Json => {
                stored_document(node, bytes, ty, self.strict, cx)?
            }
            _ => None,
        };
        let (value, from) = match document {
            Some((Value::Null, _)) if ty.nullable => return Ok(Value::Null),
            Some((Value::Null, _)) => return Ok(zero_of(ty)),
            Some(made) => made,
            None => as_source(node, value, ty)?,
        };
        let settings = cx.settings;
        let mut store_cx = StoreContext {
            strict: self.strict,
            dates: settings.date_mode(),
            truncate_fractions: settings.truncate_fractions,
            zone: self.zone,
            today: self.now.date(),
            row: cx.row_number,
            warnings: cx.warnings,
        };
        let target = Column { name: &definition.name, ty, members: &table.members[column] };
        let stored = store(&value, &from, &target, &mut store_cx)?;
        // IGNORE warns of BIT what strict mode would refuse.
        let told = cx.warnings.kept().last().map(|last| last.error.number());
        let beyond = matches!(&value, Value::Decimal(number)
            if number.to_u64(Rounding::HalfUp).is_err());
        let bit = ty.kind == TypeKind::Bit && self.ignore && settings.strict && !beyond;
        if bit && told == Some(code::ER_WARN_DATA_OUT_OF_RANGE) && cx.warnings.mark() != mark {
            cx.warnings.rewind(mark);
            let error = SqlError::data_too_long(&definition.name, cx.row_number);
            cx.warnings.push(Level::Warning, error);
        }
        Ok(stored)
    }

    fn warn_of_null(&self, cx: &mut Cx<'_>, error: SqlError) {
        if self.each_row {
            cx.warnings.push(Level::Warning, error);
        } else {
            warn_once(cx, error);
        }
    }

    /// A JSON document, from its text or another document.
    fn document(
        &self,
        table: &OpenTable,
        column: usize,
        node: &Node,
        value: Value,
        cx: &mut Cx<'_>,
    ) -> Result<Value> {
        let Value::Bytes(bytes) = &value else {
            return Err(self.no_document(table, column, "not a JSON text, may need CAST", 0));
        };
        if node.ty.kind == TypeKind::Json {
            return Ok(value);
        }
        let _ = cx;
        if node.ty.collation.is_binary() {
            return Err(SqlError::new(code::ER_INVALID_JSON_CHARSET, &["binary".into()]));
        }
        let from =
            Collation::by_id(node.ty.collation.0).map_or(Charset::utf8mb4(), Collation::charset);
        let mut text = Vec::with_capacity(bytes.len());
        let converted = convert_charset(bytes, from, Charset::utf8mb4(), &mut text);
        let text = match converted {
            Ok(_) => String::from_utf8_lossy(&text).into_owned(),
            Err(why) => return Err(SqlError::not_supported_yet(&why.to_string())),
        };
        match json::parse(&text) {
            Ok(document) => Ok(Value::from(document.into_bytes())),
            Err(json::JsonError::Text { reason, position }) => {
                Err(self.no_document(table, column, reason, position))
            }
            Err(error) => {
                Err(SqlError::with_message(code::ER_INVALID_JSON_TEXT, error.to_string()))
            }
        }
    }

    fn no_document(&self, table: &OpenTable, column: usize, why: &str, at: usize) -> SqlError {
        let name = format!("{}.{}", table.descriptor().name, table.columns[column].name);
        let at = at as u64;
        SqlError::new(code::ER_INVALID_JSON_TEXT, &[why.into(), at.into(), name.as_str().into()])
    }
}

/// Warns of a NULL, or of a default that nothing is given for: once for each column.
pub(super) fn warn_once(cx: &mut Cx<'_>, error: SqlError) {
    let same = |one: &Condition| {
        one.error.number() == error.number() && one.error.message() == error.message()
    };
    if !cx.warnings.kept().iter().any(same) {
        cx.warnings.push(Level::Warning, error);
    }
}

/// A virtual column's value, as the column holds it. What storing it would warn of was said
/// when its row was written.
///
/// # Errors
/// Those of evaluating it.
pub(crate) fn computed(
    table: &OpenTable,
    generated: &Generated,
    cx: &mut Cx<'_>,
    row: &[Value],
) -> Result<Value> {
    let value = generated.node.run(cx, Row::new(row))?.into_owned();
    let (ty, from) = (&table.columns[generated.column].ty, &generated.node.ty);
    let same = ty.kind == from.kind
        && ty.unsigned == from.unsigned
        && ty.decimals == from.decimals
        && ty.length >= from.length
        && ty.collation == from.collation;
    if value.is_null() || same {
        return Ok(value);
    }
    let storing = Storing {
        strict: false,
        ignore: true,
        single_row: false,
        each_row: false,
        altering: false,
        zone: &TimeZone::Offset(0),
        now: DateTime::ZERO,
        numbering: (1, 1),
        zero_is_a_value: true,
    };
    let mark = cx.warnings.mark();
    let value = storing.value(table, generated.column, &generated.node, value, cx);
    cx.warnings.rewind(mark);
    value
}

/// A value as [`store`] takes it: members by their texts, `0x…` as a number where a
/// number is wanted.
fn as_source(node: &Node, value: Value, to: &SqlType) -> Result<(Value, SqlType)> {
    let number = !to.kind.is_string() && !to.kind.is_temporal();
    if let (Op::Hex(bytes), true) = (&node.op, number) {
        let tail = &bytes[bytes.len().saturating_sub(8)..];
        let number = tail.iter().fold(0u64, |number, byte| number << 8 | u64::from(*byte));
        return Ok((Value::UInt(number), SqlType::bigint(21).with_unsigned(true)));
    }
    let is_member = matches!(node.ty.kind, TypeKind::Enum | TypeKind::Set);
    let is_document = node.ty.kind == TypeKind::Json;
    let by_text = (is_member && to.kind != TypeKind::Bit && !number) || is_document;
    if by_text && let Some(text) = node.text(&value)? {
        let collation = if is_document { CollationId::UTF8MB4_BIN } else { node.ty.collation };
        let from = SqlType::varchar(node.ty.length, collation, Derivation::Implicit);
        return Ok((Value::from(text), from));
    }
    if is_member {
        return Ok((value, SqlType::bigint(21).with_unsigned(true)));
    }
    Ok((value, node.ty))
}

/// What a column that takes no NULL has instead, without strict mode.
pub(crate) fn zero_of(ty: &SqlType) -> Value {
    match ty.kind {
        kind if kind.is_integer() && !ty.unsigned => Value::Int(0),
        kind if kind.is_integer() => Value::UInt(0),
        TypeKind::Bit | TypeKind::Year | TypeKind::Enum | TypeKind::Set => Value::UInt(0),
        TypeKind::Decimal => Value::Decimal(
            firn_mysql_semantics::decimal::Decimal::new(0, ty.decimals)
                .unwrap_or_else(|| firn_mysql_semantics::decimal::Decimal::from(0i64)),
        ),
        TypeKind::Float => Value::Float(0.0),
        TypeKind::Double => Value::Double(0.0),
        TypeKind::Date => Value::Date(Date::ZERO),
        TypeKind::Time => Value::Time(Time::ZERO),
        TypeKind::DateTime | TypeKind::Timestamp => Value::DateTime(DateTime::ZERO),
        TypeKind::Json => match json::parse("null") {
            Ok(document) => Value::from(document.into_bytes()),
            Err(_) => Value::Null,
        },
        TypeKind::Char if ty.collation.is_binary() => Value::from(vec![0; ty.length as usize]),
        _ => Value::bytes(b""),
    }
}
