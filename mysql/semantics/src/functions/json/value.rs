//! JSON_VALUE.

use super::super::{Function, arg};
use super::{document, fail, path, root, values};
use crate::decimal::Fit;
use crate::error::{SqlError, code};
use crate::expr::json::Coerced;
use crate::expr::{Call, Cx, Result, leaf};
use crate::json::{self, JsonError, JsonRef};
use crate::temporal::DateMode;
use crate::types::{CollationId, SqlType, TypeKind};
use crate::value::Value;

/// Called by its syntax only, which tells the type.
pub(super) static FUNCTIONS: &[Function] = &[Function::new(
    "json_value",
    (2, 4),
    |site| {
        super::check_document(site, 0)?;
        Ok(SqlType::NULL)
    },
    value,
    "The scalar that a path leads to, as a value of SQL",
)
.nullable()];

/// What ON EMPTY and ON ERROR give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fallback {
    Null = 0,
    Error = 1,
    /// The next argument.
    Default = 2,
}

/// Where the two [`Fallback`]s are in the call's extra number.
pub(crate) const ON_EMPTY_SHIFT: u32 = 0;
pub(crate) const ON_ERROR_SHIFT: u32 = 2;

fn fallback(call: &Call<'_>, shift: u32) -> Fallback {
    match call.extra() >> shift & 3 {
        1 => Fallback::Error,
        2 => Fallback::Default,
        _ => Fallback::Null,
    }
}

/// What a clause gives in place of a value.
fn instead(
    call: &Call<'_>,
    shift: u32,
    error: impl FnOnce() -> SqlError,
    cx: &mut Cx<'_>,
) -> Result<Value> {
    match fallback(call, shift) {
        Fallback::Null => Ok(Value::Null),
        Fallback::Error => Err(error()),
        Fallback::Default => {
            let empty_has_one = fallback(call, ON_EMPTY_SHIFT) == Fallback::Default;
            let at = if shift == ON_ERROR_SHIFT && empty_has_one { 3 } else { 2 };
            match call.arg(at) {
                Some(default) => Ok(default.eval(cx, call.row)?.into_owned()),
                None => Ok(Value::Null),
            }
        }
    }
}

fn value(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let path = arg!(path(call, 1, cx));
    let document = match document(call, 0, cx) {
        Err(error) if error.number() == code::ER_INVALID_JSON_TEXT_IN_PARAM => {
            if fallback(call, ON_ERROR_SHIFT) != Fallback::Error {
                cx.warn(error.clone());
            }
            return instead(call, ON_ERROR_SHIFT, || error, cx);
        }
        document => arg!(document),
    };
    let hits = json::seek(root(call, &document)?, &path, false).map_err(fail(call, 0))?;
    let one = match hits[..] {
        [] => {
            let error = || SqlError::new(code::ER_MISSING_JSON_VALUE, &["json_value".into()]);
            return instead(call, ON_EMPTY_SHIFT, error, cx);
        }
        [one] => one,
        _ => {
            let error = || SqlError::new(code::ER_MULTIPLE_JSON_VALUES, &["json_value".into()]);
            return instead(call, ON_ERROR_SHIFT, error, cx);
        }
    };
    if one.is_null() {
        return Ok(Value::Null);
    }
    match converted(call.ty(), one).map_err(fail(call, 0))? {
        Ok(value) => Ok(value),
        Err(kind) => {
            let error = || SqlError::out_of_range(kind, "json_value");
            instead(call, ON_ERROR_SHIFT, error, cx)
        }
    }
}

/// The value, or the name of the type that it does not fit.
type Converted = std::result::Result<Value, &'static str>;

fn whole<T>(read: Coerced<T>, kind: &'static str) -> std::result::Result<T, &'static str> {
    if read.fault.is_some() { Err(kind) } else { Ok(read.value) }
}

fn converted(ty: &SqlType, one: JsonRef<'_>) -> std::result::Result<Converted, JsonError> {
    Ok(match ty.kind {
        TypeKind::BigInt if ty.unsigned => whole(values::int(one)?, "UNSIGNED")
            .and_then(|value| u64::try_from(value).map(Value::UInt).map_err(|_| "UNSIGNED")),
        TypeKind::BigInt => whole(values::int(one)?, "SIGNED")
            .and_then(|value| i64::try_from(value).map(Value::Int).map_err(|_| "SIGNED")),
        TypeKind::Year => whole(values::int(one)?, "YEAR").and_then(|value| match value {
            0 | 1901..=2155 => Ok(Value::UInt(value as u64)),
            _ => Err("YEAR"),
        }),
        TypeKind::Decimal => whole(values::decimal(one)?, "DECIMAL").and_then(|value| {
            let (value, fit) = value.fit(ty.precision().min(65) as u8, ty.decimals);
            if fit == Fit::OutOfRange { Err("DECIMAL") } else { Ok(Value::Decimal(value)) }
        }),
        TypeKind::Double => whole(values::double(one)?, "DOUBLE").map(Value::Double),
        TypeKind::Float => whole(values::double(one)?, "FLOAT").and_then(|value| {
            let narrow = value as f32;
            if narrow.is_finite() { Ok(Value::Float(narrow)) } else { Err("FLOAT") }
        }),
        TypeKind::Date => datetime(one, true)?.map(|(at, _)| Value::Date(at.date())),
        TypeKind::DateTime => match datetime(one, false)? {
            // The text of a date alone is no date and time here; a DATE is.
            Ok((_, false)) if one.as_str()?.is_some() => Err("DATETIME"),
            Ok((at, _)) => Ok(at.round(ty.decimals, true).map_or(Value::Null, Value::DateTime)),
            Err(_) => Err("DATETIME"),
        },
        TypeKind::Time => whole(values::time(one)?, "TIME").and_then(|time| {
            let (Ok(time) | Err(time)) = time.ok_or("TIME")?.round(ty.decimals, true);
            Ok(Value::Time(time))
        }),
        TypeKind::Json => Ok(values::value_of(json::copy(one)?)),
        _ => text(ty, one.unquoted()?),
    })
}

type At = (crate::temporal::DateTime, bool);

fn datetime(
    one: JsonRef<'_>,
    for_date: bool,
) -> std::result::Result<std::result::Result<At, &'static str>, JsonError> {
    let kind = if for_date { "DATE" } else { "DATETIME" };
    let read = values::datetime(one, for_date, DateMode::REAL)?;
    Ok(whole(read, kind).and_then(|at| at.ok_or(kind)))
}

/// A text within its length, in its type's character set.
fn text(ty: &SqlType, text: String) -> Converted {
    if ty.collation.is_binary() {
        let fits = text.len() <= ty.length as usize;
        return if fits { Ok(Value::from(text.into_bytes())) } else { Err("STRING") };
    }
    if text.chars().count() > ty.length as usize {
        return Err("STRING");
    }
    let utf8 = CollationId::UTF8MB4_BIN;
    if leaf::same_charset(utf8, ty.collation) {
        return Ok(Value::from(text.into_bytes()));
    }
    leaf::convert_exactly(text.as_bytes(), utf8, ty.collation).map(Value::from).ok_or("STRING")
}
