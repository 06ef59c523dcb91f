//! DATE, DATETIME, TIMESTAMP and TIME.

use super::{Column, Number, StoreContext, ascii, number, printable, text};
use crate::decimal::{Decimal, Rounding};
use crate::error::{Level, SqlError, code};
use crate::temporal::zone::{TIMESTAMP_SECONDS_MAX, TimeZone, UNIX_SECONDS_MAX};
use crate::temporal::{
    Date, DateMode, DateTime, DelimiterFault, OddDelimiter, OffsetError, ParsedDateTime,
    ParsedTime, TemporalWarnings, Time, TimeOrDateTime, datetime_from_number, parse_datetime,
    parse_time, take_offset, time_from_number,
};
use crate::types::{SqlType, TypeKind};
use crate::value::Value;

/// The largest number that is a date and time.
const NUMBER_MAX: i64 = 99_991_231_235_959;

/// The whole part and nanoseconds of a number; `None` beyond 64 bits.
fn parts(number: &Number) -> Option<(i64, u32)> {
    let split = |number: &Decimal| {
        let whole = number.to_i64(Rounding::Truncate).ok()?;
        let rest = number.sub(&Decimal::from(whole)).ok()?.abs();
        let nanos = rest.mul(&Decimal::from(1_000_000_000_i64)).ok()?;
        Some((whole, u32::try_from(nanos.to_i64(Rounding::Truncate).ok()?).ok()?))
    };
    match number {
        Number::Int(number) => Some((*number, 0)),
        Number::UInt(number) => Some((i64::try_from(*number).ok()?, 0)),
        Number::Decimal(number) => split(number),
        Number::Double(number) => {
            let nanos = (number.abs().fract() * 1e9).round_ties_even().min(999_999_999.0);
            (number.abs() < 9e18).then_some((number.trunc() as i64, nanos as u32))
        }
    }
}

/// A value as messages show it.
struct Shown<'a> {
    text: Vec<u8>,
    from: &'a SqlType,
}

impl Shown<'_> {
    fn printable(&self) -> String {
        printable(&self.text, self.from)
    }
}

/// Warns of a value: its whole text in strict mode, of the column otherwise.
fn warn(
    code: u16,
    kind: &str,
    shown: &Shown<'_>,
    column: &Column<'_>,
    cx: &mut StoreContext<'_>,
) -> Result<(), SqlError> {
    if cx.strict {
        let shown = shown.printable();
        return Err(SqlError::incorrect_temporal_for_column(kind, &shown, column.name, cx.row));
    }
    let error = SqlError::new(code, &[column.name.into(), cx.row.into()]);
    cx.warnings.push(Level::Warning, error);
    Ok(())
}

/// A note of what was left out: with the value in strict mode, of the column
/// otherwise.
fn note(kind: &str, shown: &Shown<'_>, column: &Column<'_>, cx: &mut StoreContext<'_>) {
    if cx.strict && !shown.text.is_empty() {
        let shown = shown.printable();
        cx.note(SqlError::incorrect_temporal_for_column(kind, &shown, column.name, cx.row));
    } else {
        cx.note_truncated(column);
    }
}

/// A time of another offset in the session's zone, `None` beyond the years that
/// there are. Columns take moments of 1970 to 3001 only: others clear `is_taken`.
fn shift(
    value: DateTime,
    offset_seconds: i32,
    zone: &TimeZone,
    is_taken: &mut bool,
) -> Option<DateTime> {
    let utc = TimeZone::Offset(offset_seconds).to_utc(value)?;
    *is_taken = (1..=UNIX_SECONDS_MAX).contains(&utc.seconds);
    zone.from_utc(utc.seconds, value.microsecond())
}

/// 1292 for a date that its offset cannot be taken off.
fn unfit(error: OffsetError) -> SqlError {
    SqlError::truncated_wrong_value("temporal", &error.0)
}

/// 1265 where something was left out, else 1264.
fn code_of(warnings: TemporalWarnings) -> u16 {
    if warnings.contains(TemporalWarnings::TRUNCATED) {
        code::WARN_DATA_TRUNCATED
    } else {
        code::ER_WARN_DATA_OUT_OF_RANGE
    }
}

/// 4095 or 4096 for a delimiter in a text of the row.
pub(crate) fn delimiter_warning(odd: &OddDelimiter, shown: &str, row: u64) -> SqlError {
    let byte = odd.byte.to_string();
    let byte = char::from_u32(u32::from(odd.byte)).map_or(byte, |c| c.to_string());
    let position = odd.position as u64;
    let args = [byte.as_str().into(), position.into(), shown.into(), row.into()];
    match odd.fault {
        DelimiterFault::Superfluous => {
            SqlError::new(code::ER_WARN_DEPRECATED_SUPERFLUOUS_DELIMITER, &args)
        }
        DelimiterFault::Unusual { instead } => {
            let [a, b, c, d] = args;
            SqlError::new(
                code::ER_WARN_DEPRECATED_DATETIME_DELIMITER,
                &[a, b, c, d, u64::from(instead).into()],
            )
        }
    }
}

fn warn_of_delimiter(odd: &OddDelimiter, shown: &Shown<'_>, cx: &mut StoreContext<'_>) {
    // Deprecation never ends a statement.
    cx.warnings.push(Level::Warning, delimiter_warning(odd, &shown.printable(), cx.row));
}

pub(super) fn date_and_time(
    value: &Value,
    from: &SqlType,
    column: &Column<'_>,
    cx: &mut StoreContext<'_>,
) -> Result<Value, SqlError> {
    let ty = column.ty.kind;
    let kind = if ty == TypeKind::Date { "date" } else { "datetime" };
    let timestamp = ty == TypeKind::Timestamp;
    let mode = DateMode {
        no_zero_in_date: cx.dates.no_zero_in_date || timestamp,
        allow_invalid: cx.dates.allow_invalid && !timestamp,
        ..cx.dates
    };
    let mut wide = Vec::new();
    let mut shown = Shown { text: Vec::new(), from };
    let zero = || finished(DateTime::ZERO, ty);
    let decimals = column.ty.decimals.min(6);
    // A date that the mode does not take is none, wherever it comes from.
    let taken = |value: DateTime, parsed: ParsedDateTime| match mode.takes(value.date()) {
        true => parsed,
        false => ParsedDateTime { value: None, ..parsed },
    };
    let parsed = match value {
        Value::Date(date) => {
            date.write_text(&mut shown.text);
            taken(DateTime::from(*date), read(DateTime::from(*date)))
        }
        Value::DateTime(value) => {
            let rounded = value.round(decimals, cx.truncate_fractions).unwrap_or(*value);
            rounded.write_text(decimals, &mut shown.text);
            taken(*value, read(*value))
        }
        Value::Time(time) => {
            time.write_text(decimals, &mut shown.text);
            let micros = DateTime::from(cx.today).linear_micros() + time.micros();
            read(DateTime::from_linear_micros(micros).unwrap_or(DateTime::ZERO))
        }
        Value::Bytes(bytes) => {
            let text = ascii(bytes, from, &mut wide)?;
            shown.text = text.to_vec();
            parse_datetime(text, mode)
        }
        _ => {
            shown.text = text(value, from);
            match parts(&number(value, from)) {
                Some((whole @ 0..=NUMBER_MAX, nanos)) => {
                    let parsed = datetime_from_number(whole, nanos, mode);
                    match parsed.value {
                        // A date has no fraction.
                        Some(value) if nanos != 0 && !parsed.has_time => ParsedDateTime {
                            value: Some(DateTime::from(value.date())),
                            nanoseconds: 0,
                            warnings: TemporalWarnings::TRUNCATED,
                            ..parsed
                        },
                        _ => parsed,
                    }
                }
                _ => {
                    warn(code::ER_WARN_DATA_OUT_OF_RANGE, kind, &shown, column, cx)?;
                    return Ok(zero());
                }
            }
        }
    };
    let Some(value) = parsed.value else {
        warn(code_of(parsed.warnings), kind, &shown, column, cx)?;
        return Ok(zero());
    };
    if let Some(odd) = &parsed.odd_delimiter {
        warn_of_delimiter(odd, &shown, cx);
    }
    if !parsed.warnings.is_empty() {
        warn(code_of(parsed.warnings), kind, &shown, column, cx)?;
    }
    let value = match parsed.offset_seconds {
        None => Some(value),
        Some(_) => {
            let mut is_taken = true;
            let shifted = parsed.without_offset(cx.truncate_fractions, |value, offset| {
                shift(value, offset, cx.zone, &mut is_taken)
            });
            shifted.map_err(unfit)?.value.filter(|_| is_taken)
        }
    };
    let in_zone = value.is_some();
    let rounded = value
        .and_then(|value| value.with_nanoseconds(parsed.nanoseconds, cx.truncate_fractions))
        .and_then(|value| value.round(decimals, cx.truncate_fractions));
    let Some(value) = rounded else {
        if in_zone && value.is_some_and(|value| !value.date().has_zero()) {
            cx.warn(SqlError::datetime_overflow("datetime"))?;
        }
        warn(code::ER_WARN_DATA_OUT_OF_RANGE, kind, &shown, column, cx)?;
        return Ok(zero());
    };
    if ty == TypeKind::Date {
        if value.day_micros() != 0 {
            note("date", &shown, column, cx);
        }
        return Ok(Value::Date(value.date()));
    }
    if timestamp { moment(value, &shown, column, cx) } else { Ok(Value::DateTime(value)) }
}

/// A TIMESTAMP's range and the local times that its zone skips.
fn moment(
    value: DateTime,
    shown: &Shown<'_>,
    column: &Column<'_>,
    cx: &mut StoreContext<'_>,
) -> Result<Value, SqlError> {
    if value == DateTime::ZERO {
        return Ok(Value::DateTime(value));
    }
    let utc =
        cx.zone.to_utc(value).filter(|utc| (1..=TIMESTAMP_SECONDS_MAX).contains(&utc.seconds));
    let Some(utc) = utc else {
        let code = if value.date().has_zero() {
            code::WARN_DATA_TRUNCATED
        } else {
            code::ER_WARN_DATA_OUT_OF_RANGE
        };
        warn(code, "datetime", shown, column, cx)?;
        return Ok(Value::DateTime(DateTime::ZERO));
    };
    if !utc.in_gap {
        return Ok(Value::DateTime(value));
    }
    warn(code::ER_WARN_INVALID_TIMESTAMP, "datetime", shown, column, cx)?;
    let local = cx.zone.from_utc(utc.seconds, 0).unwrap_or(DateTime::ZERO);
    Ok(Value::DateTime(local))
}

fn finished(value: DateTime, ty: TypeKind) -> Value {
    if ty == TypeKind::Date { Value::Date(value.date()) } else { Value::DateTime(value) }
}

/// What was a date before needs no reading.
fn read(value: DateTime) -> ParsedDateTime {
    ParsedDateTime {
        value: Some(value),
        has_time: true,
        offset_seconds: None,
        decimals: 6,
        nanoseconds: 0,
        warnings: TemporalWarnings::default(),
        odd_delimiter: None,
        is_other: false,
    }
}

pub(super) fn time(
    value: &Value,
    from: &SqlType,
    column: &Column<'_>,
    cx: &mut StoreContext<'_>,
) -> Result<Value, SqlError> {
    let mut wide = Vec::new();
    let mut shown = Shown { text: Vec::new(), from };
    let parsed: ParsedTime = match value {
        Value::Time(time) => return Ok(Value::Time(rounded(*time, 0, column, cx))),
        Value::DateTime(value) => return Ok(Value::Time(rounded(value.time(), 0, column, cx))),
        Value::Date(_) => return Ok(Value::Time(Time::ZERO)),
        Value::Bytes(bytes) => {
            let text = ascii(bytes, from, &mut wide)?;
            shown.text = text.to_vec();
            parse_time(text)
        }
        _ => {
            shown.text = text(value, from);
            match parts(&number(value, from)) {
                Some((whole, nanos)) => {
                    let parsed = time_from_number(whole, nanos);
                    if whole == 0 && shown.text.first() == Some(&b'-') {
                        negated(parsed)
                    } else {
                        parsed
                    }
                }
                None => {
                    warn(code::ER_WARN_DATA_OUT_OF_RANGE, "time", &shown, column, cx)?;
                    let negative = shown.text.first() == Some(&b'-');
                    return Ok(Value::Time(if negative { Time::MIN } else { Time::MAX }));
                }
            }
        }
    };
    if let (Some(odd), Some(_)) = (&parsed.odd_delimiter, parsed.value) {
        warn_of_delimiter(odd, &shown, cx);
    }
    if !parsed.warnings.is_empty() {
        warn(code_of(parsed.warnings), "time", &shown, column, cx)?;
    }
    let time = match parsed.value {
        None => Time::ZERO,
        Some(TimeOrDateTime::Time(time)) => time,
        Some(TimeOrDateTime::DateTime(value)) => {
            let mut is_taken = true;
            let zoned = parsed.offset_seconds.map(|offset| {
                take_offset(value, offset, |value, offset| {
                    shift(value, offset, cx.zone, &mut is_taken)
                })
            });
            let zoned = zoned.transpose().map_err(unfit)?;
            if !is_taken {
                warn(code::ER_WARN_DATA_OUT_OF_RANGE, "time", &shown, column, cx)?;
                return Ok(Value::Time(Time::ZERO));
            }
            if value.date() != Date::ZERO {
                note("time", &shown, column, cx);
            }
            zoned.unwrap_or(value).time()
        }
    };
    Ok(Value::Time(rounded(time, parsed.nanoseconds, column, cx)))
}

/// The sign of a number between -1 and 0.
fn negated(mut parsed: ParsedTime) -> ParsedTime {
    if let Some(TimeOrDateTime::Time(time)) = &mut parsed.value {
        *time = -*time;
    }
    parsed
}

fn rounded(time: Time, nanoseconds: u16, column: &Column<'_>, cx: &StoreContext<'_>) -> Time {
    time.with_nanoseconds(nanoseconds, cx.truncate_fractions)
        .round(column.ty.decimals.min(6), cx.truncate_fractions)
        .unwrap_or_else(|limit| limit)
}
