//! STR_TO_DATE.

use super::temporal_format::constant_format;
use super::{Function, arg};
use crate::error::SqlError;
use crate::expr::{Call, Cx, Result, Site, leaf};
use crate::temporal::{FormatParts, Time, parse_by_format};
use crate::types::{CollationId, SqlType, TypeKind};
use crate::value::Value;

/// `latin1_swedish_ci`
const LATIN1: CollationId = CollationId(8);

pub(super) static FUNCTIONS: &[Function] = &[Function::new(
    "str_to_date",
    (2, 2),
    derive,
    str_to_date,
    "The date, the time or both that a text has in a format",
)
.nullable()];

/// A format that is known now says which type comes out.
fn derive(site: &mut Site<'_, '_>) -> Result<SqlType> {
    if let Some(format) = site.args.get(1) {
        site.binder.warn_of_constant(format);
    }
    let computed = site.constant_text(1);
    let parts = match site.args.get(1).and_then(constant_format).or(computed.as_deref()) {
        Some(format) => FormatParts::of(format),
        None => FormatParts { date: true, time: true, fraction: true },
    };
    let fraction = if parts.fraction { 7 } else { 0 };
    let decimals = if parts.fraction { 6 } else { 0 };
    Ok(match parts {
        FormatParts { time: false, .. } => SqlType::plain(TypeKind::Date, 10, 0),
        FormatParts { date: false, .. } => SqlType::plain(TypeKind::Time, 10 + fraction, decimals),
        _ => SqlType::plain(TypeKind::DateTime, 19 + fraction, decimals),
    })
}

fn str_to_date(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let text = arg!(call.text(0, cx));
    let format = arg!(call.text(1, cx));
    let shown = |from: usize| leaf::bytes_as_utf8mb3(text.get(from..).unwrap_or_default());
    let name = call.call.function.name;
    let read = match parse_by_format(&text, &format) {
        Ok(read) => read,
        Err(mismatch) => {
            let kind = if mismatch.time_at.is_some() { "time" } else { "datetime" };
            let shown = shown(mismatch.time_at.unwrap_or(0));
            cx.warn(SqlError::wrong_value_for_function(kind, &shown, name));
            return Ok(Value::Null);
        }
    };
    let kind = call.ty().kind;
    let date = read.value.date();
    let refuse = |cx: &mut Cx<'_>| {
        cx.warn(SqlError::wrong_value_for_function("datetime", &shown(0), name));
        Ok(Value::Null)
    };
    // A time without days has no date that could be wrong.
    let dated = kind != TypeKind::Time || !date.is_zero();
    if dated && !leaf::is_taken(date, cx.settings) {
        return refuse(cx);
    }
    if read.has_more {
        let kind = match kind {
            TypeKind::Date => "date",
            TypeKind::Time => "time",
            _ => "datetime",
        };
        // The server takes the bytes for latin1.
        let full = leaf::shown_text(&text, LATIN1);
        cx.warn(SqlError::truncated_wrong_value(kind, &full));
    }
    let has_zero = date.year() == 0 || date.has_zero();
    if kind != TypeKind::Time && has_zero && cx.settings.no_zero_date {
        return refuse(cx);
    }
    Ok(match kind {
        TypeKind::Date => Value::Date(date),
        TypeKind::Time => {
            let days = i64::from(date.day()) * 86_400_000_000;
            let (Ok(time) | Err(time)) = Time::from_micros(days + read.value.day_micros());
            Value::Time(time)
        }
        _ => Value::DateTime(read.value),
    })
}
