//! Dates and times in the words one asks for.

use super::{Function, arg};
use crate::expr::{Call, Cx, Node, Op, Result, Site, leaf};
use crate::temporal::format::{DAYS, MONTHS};
use crate::temporal::{DateTime, TimeOrDateTime, WeekMode};
use crate::types::SqlType;
use crate::value::Value;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("date_format", (2, 2), format_type, date_format, "A date in a format").nullable(),
    Function::new("time_format", (2, 2), format_type, time_format, "A time in a format").nullable(),
    Function::new("dayname", (1, 1), |site| name_type(site, 9), dayname, "The day's English name")
        .nullable(),
    Function::new(
        "monthname",
        (1, 1),
        |site| name_type(site, 9),
        monthname,
        "The month's English name",
    )
    .nullable(),
    Function::new(
        "get_format",
        (1, 1),
        |site| name_type(site, 17),
        get_format,
        "A format for DATE_FORMAT",
    )
    .nullable(),
];

fn name_type(site: &mut Site<'_, '_>, length: u64) -> Result<SqlType> {
    let coll = site.connection_text();
    Ok(site.text(length, coll))
}

fn format_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    let coll = site.connection_text();
    let length = match site.args.get(1).and_then(constant_format) {
        Some(format) => longest(format),
        None => (site.length(1) * 10).min(16_777_216),
    };
    Ok(site.text(length, coll))
}

/// Characters that a format can make.
fn longest(format: &[u8]) -> u64 {
    let mut length = 0;
    let mut bytes = format.iter();
    while let Some(byte) = bytes.next() {
        if *byte != b'%' {
            length += 1;
            continue;
        }
        length += match bytes.next() {
            Some(b'M' | b'W') => 64,
            Some(b'D' | b'Y' | b'x' | b'X') => 4,
            Some(b'a' | b'b') => 32,
            Some(b'j') => 3,
            Some(
                b'u' | b'U' | b'v' | b'V' | b'y' | b'm' | b'd' | b'h' | b'i' | b'I' | b'l' | b'p'
                | b'S' | b's' | b'c' | b'e',
            ) => 2,
            Some(b'k' | b'H') => 7,
            Some(b'r') => 11,
            Some(b'T') => 8,
            Some(b'f') => 6,
            Some(b'w' | b'%') => 1,
            Some(_) => 1,
            None => 1,
        };
    }
    length
}

fn dayname(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let Some(operand) = call.arg(0) else { return Ok(Value::Null) };
    let (value, _) = arg!(leaf::calendar_date(operand, cx, call.row));
    let name = DAYS.get(usize::from(value.date().weekday())).copied().unwrap_or_default();
    Ok(Value::from(name))
}

fn monthname(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let Some(operand) = call.arg(0) else { return Ok(Value::Null) };
    let value = arg!(leaf::fuzzy_date(operand, cx, call.row));
    let month = usize::from(value.date().month());
    Ok(month
        .checked_sub(1)
        .and_then(|at| MONTHS.get(at))
        .map_or(Value::Null, |name| Value::from(*name)))
}

fn date_format(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let Some(operand) = call.arg(0) else { return Ok(Value::Null) };
    let value = arg!(leaf::fuzzy_datetime(operand, cx, call.row));
    let format = arg!(call.text(1, cx));
    if format.is_empty() {
        return Ok(Value::Null);
    }
    Ok(formatted(&format, &Parts::of(value)).map_or(Value::Null, Value::from))
}

fn time_format(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let Some(operand) = call.arg(0) else { return Ok(Value::Null) };
    let time = match arg!(leaf::time_or_datetime(operand, cx, call.row)) {
        TimeOrDateTime::Time(time) => time,
        TimeOrDateTime::DateTime(value) => value.time(),
    };
    let format = arg!(call.text(1, cx));
    if format.is_empty() {
        return Ok(Value::Null);
    }
    let parts = Parts {
        date: None,
        negative: time.is_negative(),
        hour: u32::from(time.hour()),
        minute: u32::from(time.minute()),
        second: u32::from(time.second()),
        micro: time.microsecond(),
    };
    Ok(formatted(&format, &parts).map_or(Value::Null, Value::from))
}

/// What a format shows.
struct Parts {
    /// A time alone has no date.
    date: Option<crate::temporal::Date>,
    negative: bool,
    hour: u32,
    minute: u32,
    second: u32,
    micro: u32,
}

impl Parts {
    fn of(value: DateTime) -> Parts {
        Parts {
            date: Some(value.date()),
            negative: false,
            hour: value.hour().into(),
            minute: value.minute().into(),
            second: value.second().into(),
            micro: value.microsecond(),
        }
    }
}

/// `None` where the format asks for what the date does not have.
fn formatted(format: &[u8], parts: &Parts) -> Option<Vec<u8>> {
    use std::io::Write as _;
    let mut out = Vec::with_capacity(format.len() * 2);
    if parts.negative {
        out.push(b'-');
    }
    let zero = crate::temporal::Date::ZERO;
    let date = parts.date.unwrap_or(zero);
    let only_time = parts.date.is_none();
    let real = || (date.month() != 0 || date.year() != 0).then_some(());
    let hour12 = (parts.hour % 24 + 11) % 12 + 1;
    let half = if parts.hour % 24 < 12 { "AM" } else { "PM" };
    let (minute, second) = (parts.minute, parts.second);
    let week = |mode: i64, year: bool| {
        let mode = WeekMode { week_year: year || mode & 2 != 0, ..WeekMode::new(mode) };
        date.week(mode)
    };
    let mut bytes = format.iter();
    while let Some(byte) = bytes.next() {
        if *byte != b'%' {
            out.push(*byte);
            continue;
        }
        let Some(letter) = bytes.next() else {
            out.push(b'%');
            break;
        };
        if only_time && b"MbWaDxXjuUvVw".contains(letter) {
            return None;
        }
        // Writing to memory does not fail.
        let _ = match letter {
            b'M' => write!(out, "{}", MONTHS.get(usize::from(date.month()).checked_sub(1)?)?),
            b'b' => {
                write!(out, "{}", MONTHS.get(usize::from(date.month()).checked_sub(1)?)?.get(..3)?)
            }
            b'W' => {
                real()?;
                write!(out, "{}", DAYS.get(usize::from(date.weekday()))?)
            }
            b'a' => {
                real()?;
                write!(out, "{}", DAYS.get(usize::from(date.weekday()))?.get(..3)?)
            }
            b'D' => {
                let day = date.day();
                let suffix = match day {
                    10..=19 => "th",
                    _ => match day % 10 {
                        1 => "st",
                        2 => "nd",
                        3 => "rd",
                        _ => "th",
                    },
                };
                write!(out, "{day}{suffix}")
            }
            b'Y' => write!(out, "{:04}", date.year()),
            b'y' => write!(out, "{:02}", date.year() % 100),
            b'm' => write!(out, "{:02}", date.month()),
            b'c' => write!(out, "{}", date.month()),
            b'd' => write!(out, "{:02}", date.day()),
            b'e' => write!(out, "{}", date.day()),
            b'f' => write!(out, "{:06}", parts.micro),
            b'H' => write!(out, "{:02}", parts.hour),
            b'h' | b'I' => write!(out, "{hour12:02}"),
            b'i' => write!(out, "{minute:02}"),
            b'j' => {
                real()?;
                write!(out, "{:03}", date.day_of_year())
            }
            b'k' => write!(out, "{}", parts.hour),
            b'l' => write!(out, "{hour12}"),
            b'p' => write!(out, "{half}"),
            b'r' => write!(out, "{hour12:02}:{minute:02}:{second:02} {half}"),
            b'S' | b's' => write!(out, "{second:02}"),
            b'T' => write!(out, "{:02}:{minute:02}:{second:02}", parts.hour),
            b'U' => write!(out, "{:02}", week(0, false).1),
            b'u' => write!(out, "{:02}", week(1, false).1),
            b'V' => write!(out, "{:02}", week(2, true).1),
            b'v' => write!(out, "{:02}", week(3, true).1),
            b'X' => write!(out, "{:04}", week(2, true).0),
            b'x' => write!(out, "{:04}", week(3, true).0),
            b'w' => {
                real()?;
                write!(out, "{}", (date.weekday() + 1) % 7)
            }
            other => {
                out.push(*other);
                Ok(())
            }
        };
    }
    Some(out)
}

/// The format that an argument is, where that is known before any row.
pub(super) fn constant_format(node: &Node) -> Option<&[u8]> {
    match &node.op {
        Op::Literal(Value::Bytes(format)) => Some(format),
        Op::Call(call) if call.function.name == "get_format" => match &node.args.first()?.op {
            Op::Literal(Value::Bytes(place)) => format_of(place, call.extra).map(str::as_bytes),
            _ => None,
        },
        _ => None,
    }
}

/// Of a place's formats the one for dates, times or both.
fn format_of(place: &[u8], which: u64) -> Option<&'static str> {
    let formats = match &place.to_ascii_uppercase()[..] {
        b"USA" => ["%m.%d.%Y", "%h:%i:%s %p", "%Y-%m-%d %H.%i.%s"],
        b"JIS" | b"ISO" => ["%Y-%m-%d", "%H:%i:%s", "%Y-%m-%d %H:%i:%s"],
        b"EUR" => ["%d.%m.%Y", "%H.%i.%s", "%Y-%m-%d %H.%i.%s"],
        b"INTERNAL" => ["%Y%m%d", "%H%i%s", "%Y%m%d%H%i%s"],
        _ => return None,
    };
    formats.get(usize::try_from(which).ok()?).copied()
}

fn get_format(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let place = arg!(call.text(0, cx));
    Ok(format_of(&place, call.extra()).map_or(Value::Null, Value::from))
}
