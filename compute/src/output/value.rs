//! One value into a row of a result.

use firn_mysql_protocol::result::{Date, DateTime, Rows, Time};
use firn_mysql_protocol::{Error, Result};
use firn_mysql_semantics::charset::{Charset, convert};
use firn_mysql_semantics::collation::Collation;
use firn_mysql_semantics::error::SqlError;
use firn_mysql_semantics::expr::Node;
use firn_mysql_semantics::{CollationId, SqlType, TypeKind, Value};
use firn_table::Cell;

use super::ResultCharset;
use crate::session::to_protocol;

/// How the values of one column are written.
#[derive(Debug, Clone)]
pub(crate) struct ValueWriter {
    kind: TypeKind,
    /// Digits that numbers are filled up to.
    zerofill: Option<u8>,
    /// Sets that strings are converted between; `None` if they stay as they are.
    convert: Option<(&'static Charset, &'static Charset)>,
}

/// The character set of a collation.
pub(super) fn charset_of(collation: CollationId) -> &'static Charset {
    Collation::by_id(collation.0).unwrap_or_else(Collation::binary).charset()
}

impl ValueWriter {
    /// For values of a type.
    pub(crate) fn new(ty: &SqlType, zerofill: Option<u8>, results: ResultCharset) -> Self {
        let is_text =
            (ty.kind.is_string() && !ty.collation.is_binary()) || ty.kind == TypeKind::Json;
        let from =
            if ty.kind == TypeKind::Json { Charset::utf8mb4() } else { charset_of(ty.collation) };
        let convert = results
            .filter(|to| is_text && !to.is_binary())
            .map(|to| (from, charset_of(to)))
            .filter(|(from, to)| from != to && !is_subset(from, to));
        Self { kind: ty.kind, zerofill, convert }
    }
}

impl ValueWriter {
    /// The text of a value, as clients and files have it; `None` for NULL.
    ///
    /// # Errors
    /// Those of [`Node::text`].
    pub(super) fn text(
        &self,
        node: &Node,
        value: &Value,
    ) -> std::result::Result<Option<Vec<u8>>, SqlError> {
        let Some(text) = node.text(value)? else { return Ok(None) };
        let mut text = text.to_vec();
        if let Some(width) = self.zerofill {
            let missing = usize::from(width).saturating_sub(text.len());
            text.splice(0..0, std::iter::repeat_n(b'0', missing));
        }
        let Some((from, to)) = self.convert else { return Ok(Some(text)) };
        let mut out = Vec::with_capacity(text.len());
        // A set that cannot be converted was refused when it was set.
        Ok(Some(match convert(&text, from, to, &mut out) {
            Ok(_) => out,
            Err(_) => text,
        }))
    }

    /// Whether a number goes as one: texts of ZEROFILL are filled up.
    fn sends(&self, rows: &Rows<'_, '_, '_>) -> bool {
        self.zerofill.is_none() || rows.is_binary()
    }
}

/// Every text of the first set is the same text of the second.
fn is_subset(from: &Charset, to: &Charset) -> bool {
    matches!(
        (from.name(), to.name()),
        ("ascii", "utf8mb4" | "utf8mb3" | "latin1") | ("utf8mb3", "utf8mb4")
    )
}

/// Writes one value. `node` is what it was computed by.
///
/// # Errors
/// The connection's.
pub(crate) fn put(
    rows: &mut Rows<'_, '_, '_>,
    writer: &ValueWriter,
    node: &Node,
    value: &Value,
) -> Result<()> {
    match value {
        Value::Null => rows.null(),
        Value::Int(number) => match (writer.kind, writer.zerofill) {
            (_, Some(width)) => zerofilled(rows, &number.to_string(), width, *number),
            (kind, None) if kind.is_integer() || kind == TypeKind::Year => rows.i64(*number),
            _ => text(rows, writer, node, value),
        },
        Value::UInt(number) => match (writer.kind, writer.zerofill) {
            (kind, Some(width)) if kind.is_integer() =>
            {
                #[allow(clippy::cast_possible_wrap, reason = "the bits are what counts")]
                zerofilled(rows, &number.to_string(), width, *number as i64)
            }
            // The year 0 has four digits in columns alone.
            (TypeKind::Year, _) if *number == 0 && !rows.is_binary() => {
                text(rows, writer, node, value)
            }
            (kind, _) if kind.is_integer() || kind == TypeKind::Year => rows.u64(*number),
            _ => text(rows, writer, node, value),
        },
        Value::Double(number) if writer.kind == TypeKind::Double && writer.sends(rows) => {
            rows.f64(*number)
        }
        Value::Float(number) if writer.kind == TypeKind::Float && writer.sends(rows) => {
            rows.f32(*number)
        }
        Value::Date(date) if writer.kind == TypeKind::Date => rows.date(of_date(*date)),
        Value::DateTime(at) if matches!(writer.kind, TypeKind::DateTime | TypeKind::Timestamp) => {
            rows.date_time(DateTime {
                date: of_date(at.date()),
                hour: at.hour(),
                minute: at.minute(),
                second: at.second(),
                micros: at.microsecond(),
            })
        }
        Value::Time(time) if writer.kind == TypeKind::Time => rows.time(Time {
            negative: time.is_negative(),
            hours: time.hour().into(),
            minutes: time.minute(),
            seconds: time.second(),
            micros: time.microsecond(),
        }),
        Value::Bytes(bytes) if writer.convert.is_none() && writer.kind != TypeKind::Json => {
            rows.bytes(bytes)
        }
        _ => text(rows, writer, node, value),
    }
}

/// Writes a column as it lies in a row. `node` is the column.
///
/// # Errors
/// The connection's.
pub(crate) fn put_cell(
    rows: &mut Rows<'_, '_, '_>,
    writer: &ValueWriter,
    node: &Node,
    cell: Cell<'_>,
) -> Result<()> {
    match cell {
        Cell::Bytes(bytes)
            if writer.convert.is_none()
                && writer.kind.is_string()
                && !matches!(writer.kind, TypeKind::Enum | TypeKind::Set) =>
        {
            rows.bytes(&bytes)
        }
        cell => put(rows, writer, node, &Value::from(cell)),
    }
}

fn of_date(date: firn_mysql_semantics::temporal::Date) -> Date {
    Date { year: date.year(), month: date.month(), day: date.day() }
}

/// A number with zeros in front. Binary rows have it as it is: the client fills.
fn zerofilled(rows: &mut Rows<'_, '_, '_>, text: &str, width: u8, number: i64) -> Result<()> {
    if rows.is_binary() {
        return rows.i64(number);
    }
    let text = format!("{text:0>width$}", width = usize::from(width));
    rows.bytes(text.as_bytes())
}

/// Anything by its text.
fn text(
    rows: &mut Rows<'_, '_, '_>,
    writer: &ValueWriter,
    node: &Node,
    value: &Value,
) -> Result<()> {
    match writer.text(node, value).map_err(|error| Error::Sql(to_protocol(&error)))? {
        Some(text) => rows.bytes(&text),
        None => rows.null(),
    }
}
