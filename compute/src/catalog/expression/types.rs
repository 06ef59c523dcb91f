//! Types of casts and literals of times, as MySQL prints them.

use firn_mysql_parser::ast::{CastType, DataType, TemporalKind};
use firn_mysql_semantics::charset::Charset;
use firn_mysql_semantics::temporal::{DateMode, TimeOrDateTime, parse_datetime, parse_time};

/// The target of a CAST; with the character set if one is wanted.
pub(super) fn cast_type(to: &CastType, charset: Option<&Charset>) -> String {
    let data = match to {
        CastType::Signed => return "signed".to_owned(),
        CastType::Unsigned => return "unsigned".to_owned(),
        CastType::Data(data) => &**data,
    };
    let char = |length: Option<u64>, set: Option<&str>| {
        let mut out = "char".to_owned();
        if let Some(length) = length {
            out.push_str(&format!("({length})"));
        }
        if let Some(set) = set {
            out.push_str(" charset ");
            out.push_str(set);
        }
        out
    };
    let digits = |name: &str, digits: Option<u64>| match digits {
        None | Some(0) => name.to_owned(),
        Some(digits) => format!("{name}({digits})"),
    };
    match data {
        DataType::Char { length, charset: spec } => {
            let written = spec.charset.as_deref().and_then(Charset::by_name).map(Charset::name);
            char(*length, charset.map(|default| written.unwrap_or(default.name())))
        }
        DataType::Binary(length) => char(*length, Some("binary")),
        DataType::Date => "date".to_owned(),
        DataType::Year(_) => "year".to_owned(),
        DataType::Time(n) => digits("time", *n),
        DataType::DateTime(n) => digits("datetime", *n),
        DataType::Json => "json".to_owned(),
        DataType::Decimal { precision, scale, .. } => {
            format!("decimal({},{})", precision.unwrap_or(10), scale.unwrap_or(0))
        }
        DataType::Float { precision: Some(25..), .. } | DataType::Double { .. } => {
            "double".to_owned()
        }
        DataType::Float { .. } => "float".to_owned(),
        // The grammar lets no others come here.
        _ => "char".to_owned(),
    }
}

/// The text between the quotes of DATE, TIME or TIMESTAMP. The value has been bound
/// before, so it is one.
pub(super) fn temporal_text(kind: TemporalKind, text: &[u8]) -> String {
    let mut out = Vec::new();
    match kind {
        TemporalKind::Time => {
            let parsed = parse_time(text);
            if let Some(TimeOrDateTime::Time(time)) = parsed.value {
                time.write_text(parsed.decimals, &mut out);
            }
        }
        TemporalKind::Date | TemporalKind::Timestamp => {
            let parsed = parse_datetime(text, DateMode::default());
            if let Some(value) = parsed.value {
                if kind == TemporalKind::Date {
                    value.date().write_text(&mut out);
                } else {
                    value.write_text(parsed.decimals, &mut out);
                }
            }
        }
    }
    if out.is_empty() {
        out.extend_from_slice(text);
    }
    String::from_utf8_lossy(&out).into_owned()
}
