//! From the value of a SET to what the variable will hold.

use firn_mysql_semantics::charset::{self, Charset};
use firn_mysql_semantics::collation::Collation;
use firn_mysql_semantics::error::{SqlError, Warnings, code};
use firn_mysql_semantics::number;
use firn_mysql_semantics::temporal::zone::TimeZone;
use firn_mysql_semantics::types::{SqlType, TypeKind};
use firn_mysql_semantics::value::Value;

use super::definition::{Age, Definition, Shape, VarId};
use super::setting::Setting;
use super::sql_mode::SqlMode;
use super::table::LOCALES;
use super::{charsets, flags, gtid, id};

type Result<T> = std::result::Result<T, SqlError>;

/// Storage engines that `default_storage_engine` may name.
const ENGINES: &[&str] = &["InnoDB"];
/// The last second that `timestamp` may be.
const TIMESTAMP_MAX: f64 = 2_147_483_647.0;

/// What a SET gives a variable.
#[derive(Debug, Clone, PartialEq)]
pub enum NewValue {
    /// DEFAULT
    Default,
    /// A value and its type. Words are texts: `SET autocommit = ON`.
    Value(Value, SqlType),
}

impl NewValue {
    /// A word or name, as a text of the same letters.
    pub fn word(word: &str) -> NewValue {
        let ty = SqlType::varchar(
            word.len() as u32,
            firn_mysql_semantics::CollationId::UTF8MB4_0900_AI_CI,
            firn_mysql_semantics::Derivation::Coercible,
        );
        NewValue::Value(Value::from(word), ty)
    }
}

/// A value as SET looks at it.
pub(super) enum Given {
    Int(i128),
    Real(f64),
    Text(String),
    Null,
    /// A DECIMAL, which only a DOUBLE takes.
    Decimal(f64),
}

impl Given {
    pub(super) fn of(value: &Value, ty: &SqlType) -> Given {
        let kind = ty.kind;
        let is_int = kind.is_integer() || matches!(kind, TypeKind::Bit | TypeKind::Year);
        match value {
            Value::Null if is_int => Given::Int(0),
            Value::Null if matches!(kind, TypeKind::Float | TypeKind::Double) => Given::Real(0.0),
            Value::Null if kind == TypeKind::Decimal => Given::Decimal(0.0),
            Value::Null => Given::Null,
            Value::Int(value) => Given::Int((*value).into()),
            Value::UInt(value) => Given::Int((*value).into()),
            Value::Float(value) => Given::Real((*value).into()),
            Value::Double(value) => Given::Real(*value),
            Value::Decimal(value) => {
                Given::Decimal(number::parse_double_prefix(value.to_string().as_bytes()).value)
            }
            Value::Date(value) => Given::Text(value.to_string()),
            Value::Time(value) => Given::Text(value.to_string()),
            Value::DateTime(value) => Given::Text(value.to_string()),
            Value::Bytes(bytes) => Given::Text(as_utf8(bytes, ty)),
        }
    }

    /// As 1231 shows it.
    pub(super) fn shown(&self) -> String {
        match self {
            Given::Int(value) => value.to_string(),
            Given::Real(value) | Given::Decimal(value) => {
                let mut out = Vec::new();
                number::write_double(*value, &mut out);
                String::from_utf8_lossy(&out).into_owned()
            }
            Given::Text(text) => text.clone(),
            Given::Null => "NULL".into(),
        }
    }
}

/// A text in UTF-8; of bytes that are no text, what is not printed in hexadecimal.
fn as_utf8(bytes: &[u8], ty: &SqlType) -> String {
    let from = Collation::by_id(ty.collation.0).unwrap_or_else(Collation::binary).charset();
    let mut out = Vec::new();
    if from.is_binary() {
        for byte in bytes {
            match byte {
                b' '..=b'~' => out.push(*byte),
                _ => out.extend_from_slice(format!("\\x{byte:02X}").as_bytes()),
            }
        }
    } else if charset::convert(bytes, from, Charset::utf8mb4(), &mut out).is_err() {
        out = bytes.to_vec();
    }
    String::from_utf8_lossy(&out).into_owned()
}

pub(super) fn wrong_value(id: VarId, given: &Given) -> SqlError {
    SqlError::wrong_value_for_variable(id.name(), &given.shown())
}

pub(super) fn wrong_type(id: VarId) -> SqlError {
    SqlError::new(code::ER_WRONG_TYPE_FOR_VAR, &[id.name().into()])
}

/// A warning that the variable will go or freeze.
pub(super) fn warn_of_age(definition: &Definition, warnings: &mut Warnings) {
    let name = definition.name;
    let going = "is deprecated and will be removed in a future release.";
    let (number, text) = match definition.age {
        Age::Current => return,
        Age::Old => (code::ER_WARN_DEPRECATED_SYNTAX, format!("'@@{name}' {going}")),
        Age::For(newer) => (
            code::ER_WARN_DEPRECATED_SYNTAX,
            format!("'@@{name}' {going} Please use {newer} instead."),
        ),
        Age::Going => (code::ER_WARN_DEPRECATED_SYNTAX_NO_REPLACEMENT, format!("'{name}' {going}")),
        Age::Frozen => (
            code::ER_WARN_DEPRECATED_SYNTAX_NO_REPLACEMENT,
            format!(
                "Updating '{name}' is deprecated. It will be made read-only in a future release."
            ),
        ),
    };
    warnings.warn(SqlError::with_message(number, text));
}

/// OFF is what goes away, not the variable.
fn warn_of_off(id: VarId, warnings: &mut Warnings) {
    if id == id::explicit_defaults_for_timestamp {
        let text =
            format!("'{}' is deprecated and will be removed in a future release.", id.name());
        warnings.warn(SqlError::with_message(code::ER_WARN_DEPRECATED_SYNTAX, text));
    }
}

/// What `id` holds after a SET to `value`; `before` is what it holds now, `default`
/// what DEFAULT would give.
///
/// # Errors
///
/// 1231, 1232 and those of variables with texts of their own.
pub(super) fn assigned(
    id: VarId,
    value: &Value,
    ty: &SqlType,
    before: &Setting,
    default: &Setting,
    strict: bool,
    warnings: &mut Warnings,
) -> Result<Setting> {
    let definition = id.definition();
    let mut given = Given::of(value, ty);
    if value.is_null() && matches!(definition.shape, Shape::Locale | Shape::Text) {
        given = Given::Null;
    }
    let wrong = || Err(wrong_value(id, &given));
    match (&definition.shape, &given) {
        (Shape::Bool, Given::Int(0)) => {
            warn_of_off(id, warnings);
            Ok(Setting::Bool(false))
        }
        (Shape::Bool, Given::Int(1)) => Ok(Setting::Bool(true)),
        (Shape::Bool, Given::Text(text)) => match place(&["OFF", "ON"], text) {
            Some(1) => Ok(Setting::Bool(true)),
            Some(_) => {
                warn_of_off(id, warnings);
                Ok(Setting::Bool(false))
            }
            None => wrong(),
        },
        (Shape::Int(least, greatest, block), Given::Int(number)) => {
            let kept = bounded(*number, *least, *greatest, *block);
            if kept != *number {
                truncated(id, &given, strict, warnings)?;
            }
            Ok(Setting::Int(kept as u64))
        }
        (Shape::Double(..), Given::Int(_) | Given::Real(_) | Given::Decimal(_)) => {
            double(id, &given, strict, warnings)
        }
        (Shape::Enum(members), Given::Int(at)) => match usize::try_from(*at) {
            Ok(at) if at < members.len() => Ok(Setting::Enum(at as u16)),
            _ => wrong(),
        },
        (Shape::Enum(members), Given::Text(text)) => match place(members, text) {
            Some(at) => Ok(Setting::Enum(at)),
            None => wrong(),
        },
        (Shape::Locale, Given::Int(_) | Given::Text(_)) => {
            // MySQL has no more of a number.
            let (at, shown) = match &given {
                Given::Int(at) => {
                    let at = *at as i32;
                    let known = u16::try_from(at).ok();
                    (known.filter(|at| usize::from(*at) < LOCALES.len()), at.to_string())
                }
                given => (place(LOCALES, &given.shown()), given.shown()),
            };
            let unknown = || SqlError::new(code::ER_UNKNOWN_LOCALE, &[(&shown).into()]);
            at.map(Setting::Enum).ok_or_else(unknown)
        }
        (Shape::Mode, Given::Int(number)) => mode(SqlMode::of_number(*number)?, warnings),
        (Shape::Mode, Given::Text(text)) => match SqlMode::parse(text) {
            Ok(parsed) => mode(parsed, warnings),
            Err(name) => Err(SqlError::wrong_value_for_variable("sql_mode", name)),
        },
        (Shape::Set(members) | Shape::Flags(members), Given::Int(bits)) => {
            match u64::try_from(*bits) {
                Ok(bits) if bits < 1 << members.len() => Ok(Setting::Set(bits)),
                _ => wrong(),
            }
        }
        (Shape::Set(members), Given::Text(text)) => match flags::members(members, text) {
            Ok(bits) => Ok(Setting::Set(bits)),
            Err(bad) => Err(SqlError::wrong_value_for_variable(id.name(), bad)),
        },
        (Shape::Flags(members), Given::Text(text)) => {
            match flags::switches(members, text, before.as_bits(), default.as_bits()) {
                Ok(bits) => Ok(Setting::Set(bits)),
                Err(bad) => Err(SqlError::wrong_value_for_variable(id.name(), bad)),
            }
        }
        (Shape::Text, given) => text(id, given, warnings),
        (Shape::Int(..) | Shape::Double(..), _) | (_, Given::Real(_) | Given::Decimal(_)) => {
            Err(wrong_type(id))
        }
        _ => wrong(),
    }
}

fn place(members: &[&str], text: &str) -> Option<u16> {
    members.iter().position(|member| member.eq_ignore_ascii_case(text)).map(|at| at as u16)
}

fn bounded(number: i128, least: i128, greatest: i128, block: u64) -> i128 {
    let clamped = number.clamp(least, greatest);
    let block = i128::from(block.max(1));
    if clamped < 0 { clamped } else { (clamped / block * block).max(least) }
}

/// Warning 1292, or 1231 under STRICT_ALL_TABLES.
fn truncated(id: VarId, given: &Given, strict: bool, warnings: &mut Warnings) -> Result<()> {
    if strict {
        return Err(wrong_value(id, given));
    }
    warnings.warn(SqlError::truncated_wrong_value(id.name(), &given.shown()));
    Ok(())
}

fn double(id: VarId, given: &Given, strict: bool, warnings: &mut Warnings) -> Result<Setting> {
    let number = match given {
        Given::Int(number) => *number as f64,
        Given::Real(number) | Given::Decimal(number) => *number,
        Given::Text(_) | Given::Null => return Err(wrong_type(id)),
    };
    let Shape::Double(least, greatest) = id.definition().shape else { return Err(wrong_type(id)) };
    let greatest = if id == id::timestamp {
        if number > TIMESTAMP_MAX {
            return Err(wrong_value(id, given));
        }
        TIMESTAMP_MAX
    } else {
        greatest
    };
    let kept = number.clamp(least, greatest);
    if kept != number {
        truncated(id, &Given::Real(number), strict, warnings)?;
    }
    Ok(Setting::Double(kept))
}

fn mode(mode: SqlMode, warnings: &mut Warnings) -> Result<Setting> {
    for warning in mode.warnings() {
        warnings.warn(warning);
    }
    Ok(Setting::Set(mode.0))
}

/// Variables that hold text: each checks it in its own way.
fn text(id: VarId, given: &Given, warnings: &mut Warnings) -> Result<Setting> {
    if let Some(setting) = charsets::assigned(id, given, warnings)? {
        return Ok(setting);
    }
    let text = match given {
        Given::Text(text) => text,
        Given::Null => {
            return match id {
                id::time_zone
                | id::default_storage_engine
                | id::default_tmp_storage_engine
                | id::gtid_next
                | id::gtid_purged => Err(wrong_value(id, given)),
                _ => Ok(Setting::Null),
            };
        }
        _ => return Err(wrong_type(id)),
    };
    match id {
        id::time_zone if text.eq_ignore_ascii_case("SYSTEM") => Ok(Setting::text("SYSTEM")),
        id::time_zone => match TimeZone::parse(text) {
            Some(zone) => Ok(Setting::text(&zone.name())),
            None => Err(SqlError::unknown_time_zone(text)),
        },
        id::default_storage_engine | id::default_tmp_storage_engine => {
            match ENGINES.iter().find(|engine| engine.eq_ignore_ascii_case(text)) {
                Some(engine) => Ok(Setting::text(engine)),
                None => {
                    Err(SqlError::new(code::ER_UNKNOWN_STORAGE_ENGINE, &[text.as_str().into()]))
                }
            }
        }
        id::session_track_system_variables => {
            for name in text.split(',').map(str::trim).filter(|name| !matches!(*name, "" | "*")) {
                if VarId::by_name(name).is_none() {
                    let text =
                        format!("{name} is not a valid system variable and will be ignored.");
                    warnings.warn(SqlError::with_message(code::ER_WRONG_VALUE_FOR_VAR, text));
                }
            }
            Ok(Setting::text(text))
        }
        id::gtid_next => gtid::next(text).map(Setting::text),
        id::gtid_purged => {
            if gtid::is_set(text) {
                Ok(Setting::text(text))
            } else {
                Err(wrong_value(id, given))
            }
        }
        _ => Ok(Setting::text(text)),
    }
}
