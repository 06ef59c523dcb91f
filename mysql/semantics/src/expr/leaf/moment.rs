//! Dates and times in a session: its modes, its zone, its clock, its warnings.

use crate::convert::delimiter_warning;
use crate::error::{SqlError, code};
use crate::expr::Result;
use crate::expr::context::{Cx, Settings};
use crate::temporal::{Date, DateTime, OddDelimiter, OffsetError, ParsedDateTime};

/// Do the session's modes take a date, whatever its time of day?
pub(crate) fn is_taken(date: Date, settings: &Settings) -> bool {
    settings.date_mode().takes(date)
}

/// The statement's time in the session's zone.
pub(crate) fn now(cx: &Cx<'_>) -> DateTime {
    local(cx.session.statement_time_micros(), cx)
}

/// Days from year 0 to 1970-01-01.
const EPOCH_DAYS: i64 = 719_528;

const DAY_MICROS: i64 = 86_400_000_000;

/// A moment in the session's zone.
pub(crate) fn local(at_micros: i64, cx: &Cx<'_>) -> DateTime {
    utc(at_micros + i64::from(cx.session.zone_offset_seconds(at_micros)) * 1_000_000)
}

/// A moment in UTC.
pub(crate) fn utc(at_micros: i64) -> DateTime {
    DateTime::from_linear_micros(at_micros + EPOCH_DAYS * DAY_MICROS).unwrap_or(DateTime::ZERO)
}

/// Microseconds since 1970 of a time in the session's zone; `None` out of range.
pub(crate) fn to_epoch(local: DateTime, cx: &Cx<'_>) -> i64 {
    let as_utc = local.linear_micros() - EPOCH_DAYS * DAY_MICROS;
    let offset = |at: i64| i64::from(cx.session.zone_offset_seconds(at)) * 1_000_000;
    // The offset at the moment sought is that at a first guess, or at the second.
    let first = as_utc - offset(as_utc);
    as_utc - offset(first)
}

/// A time of another offset in the session's zone; `None` out of range.
pub(super) fn shift(value: DateTime, offset_seconds: i32, cx: &Cx<'_>) -> Option<DateTime> {
    let utc = value.linear_micros() - i64::from(offset_seconds) * 1_000_000;
    let zone = cx.session.zone_offset_seconds(utc - EPOCH_DAYS * DAY_MICROS);
    DateTime::from_linear_micros(utc + i64::from(zone) * 1_000_000)
}

/// 1292 for a date that its offset cannot be taken off.
pub(super) fn unfit(error: OffsetError) -> SqlError {
    SqlError::truncated_wrong_value("temporal", &error.0)
}

/// A date in the session's zone where it has an offset.
pub(super) fn zoned(parsed: ParsedDateTime, cx: &Cx<'_>) -> Result<ParsedDateTime> {
    let truncate = cx.settings.truncate_fractions;
    parsed.without_offset(truncate, |value, offset| shift(value, offset, cx)).map_err(unfit)
}

/// A value as messages show it: its first 128 bytes.
pub(super) fn clipped(shown: &str) -> &str {
    const LIMIT_BYTES: usize = 128;
    shown.get(..shown.floor_char_boundary(LIMIT_BYTES)).unwrap_or(shown)
}

/// 1292 for what is no date or time at all.
pub(super) fn no_datetime(value: &[u8], cx: &mut Cx<'_>) {
    let shown = String::from_utf8_lossy(value);
    let message = format!("Incorrect datetime value: '{}'", clipped(&shown));
    cx.warn(SqlError::with_message(code::ER_TRUNCATED_WRONG_VALUE, message));
}

pub(super) fn refuse(kind: &str, value: &[u8], cx: &mut Cx<'_>) {
    cx.warn(SqlError::truncated_wrong_value(kind, &String::from_utf8_lossy(value)));
}

/// 4095 or 4096 for a delimiter that dates and times should not have.
pub(super) fn warn_of_delimiter(odd: Option<&OddDelimiter>, shown: &[u8], cx: &mut Cx<'_>) {
    if let Some(odd) = odd {
        cx.warn(delimiter_warning(odd, &String::from_utf8_lossy(shown), cx.row_number));
    }
}
