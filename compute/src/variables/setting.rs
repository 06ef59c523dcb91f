//! The stored value of a variable.

use std::sync::Arc;

use firn_mysql_semantics::number;
use firn_mysql_semantics::types::{CollationId, Derivation, SqlType, TypeKind};
use firn_mysql_semantics::value::Value;

use super::definition::{Definition, Shape};
use super::sql_mode::SqlMode;
use super::table::LOCALES;

/// Of numbers that are not whole, as they are shown.
const DECIMALS: u8 = 6;

/// A value of a variable.
#[derive(Debug, Clone, PartialEq)]
pub enum Setting {
    /// NULL, of text alone.
    Null,
    /// ON or OFF.
    Bool(bool),
    /// The bits of a whole number: with a sign if its variable takes negative ones.
    Int(u64),
    /// A number.
    Double(f64),
    /// The place of an ENUM's member or of a locale.
    Enum(u16),
    /// Bits of a SET, of flags, or of `sql_mode`.
    Set(u64),
    /// Text.
    Text(Arc<str>),
}

impl Setting {
    /// Text.
    pub fn text(text: &str) -> Setting {
        Setting::Text(Arc::from(text))
    }

    /// Of a boolean.
    pub fn as_bool(&self) -> bool {
        matches!(self, Setting::Bool(true))
    }

    /// Of a whole number; 0 for others.
    pub fn as_u64(&self) -> u64 {
        if let Setting::Int(value) = self { *value } else { 0 }
    }

    /// Of a number; 0 for others.
    pub fn as_f64(&self) -> f64 {
        if let Setting::Double(value) = self { *value } else { 0.0 }
    }

    /// The place of an ENUM's member; 0 for others.
    pub fn as_index(&self) -> u16 {
        if let Setting::Enum(value) = self { *value } else { 0 }
    }

    /// The bits of a SET; 0 for others.
    pub fn as_bits(&self) -> u64 {
        if let Setting::Set(value) = self { *value } else { 0 }
    }

    /// Of text; nothing for others.
    pub fn as_text(&self) -> &str {
        if let Setting::Text(value) = self { value } else { "" }
    }

    /// The value that a text of the generated list stands for.
    pub(super) fn of_default(definition: &Definition, text: Option<&str>) -> Setting {
        let Some(text) = text else { return Setting::Null };
        let place = |members: &[&str]| {
            let at = members.iter().position(|member| member.eq_ignore_ascii_case(text));
            Setting::Enum(at.unwrap_or(0) as u16)
        };
        match definition.shape {
            Shape::Bool => Setting::Bool(text == "ON"),
            Shape::Int(least, ..) => Setting::Int(text.parse().unwrap_or(least) as u64),
            Shape::Double(least, _) => Setting::Double(text.parse().unwrap_or(least)),
            Shape::Enum(members) => place(members),
            Shape::Locale => place(LOCALES),
            Shape::Set(members) => Setting::Set(
                text.split(',')
                    .filter_map(|one| members.iter().position(|member| *member == one))
                    .fold(0, |bits, at| bits | 1 << at),
            ),
            Shape::Flags(members) => Setting::Set(
                text.split(',')
                    .filter_map(|one| one.strip_suffix("=on"))
                    .filter_map(|one| members.iter().position(|member| *member == one))
                    .fold(0, |bits, at| bits | 1 << at),
            ),
            Shape::Mode => Setting::Set(SqlMode::parse(text).map_or(0, |mode| mode.0)),
            Shape::Text => Setting::text(text),
        }
    }

    /// As SHOW VARIABLES has it; NULL is empty.
    pub fn shown(&self, shape: &Shape) -> String {
        match self {
            Setting::Null => String::new(),
            Setting::Bool(on) => if *on { "ON" } else { "OFF" }.into(),
            Setting::Int(value) if is_signed(shape) => value.cast_signed().to_string(),
            Setting::Int(value) => value.to_string(),
            Setting::Double(value) => {
                let mut out = Vec::new();
                number::write_double_fixed(*value, DECIMALS, &mut out);
                String::from_utf8_lossy(&out).into_owned()
            }
            Setting::Text(text) => text.to_string(),
            Setting::Enum(at) => {
                let members = if let Shape::Enum(members) = shape { members } else { LOCALES };
                members.get(usize::from(*at)).copied().unwrap_or_default().into()
            }
            Setting::Set(bits) => match shape {
                Shape::Mode => SqlMode(*bits).to_string(),
                Shape::Flags(members) => {
                    let one = |(at, name): (usize, &&str)| {
                        format!("{name}={}", if bits >> at & 1 == 1 { "on" } else { "off" })
                    };
                    members.iter().enumerate().map(one).collect::<Vec<_>>().join(",")
                }
                Shape::Set(members) => {
                    let on = members.iter().enumerate().filter(|(at, _)| bits >> at & 1 == 1);
                    on.map(|(_, name)| *name).collect::<Vec<_>>().join(",")
                }
                _ => String::new(),
            },
        }
    }

    /// As `@@name` has it.
    pub fn value(&self, shape: &Shape) -> Value {
        match self {
            Setting::Null => Value::Null,
            Setting::Bool(on) => Value::from(*on),
            Setting::Double(value) => Value::Double(*value),
            Setting::Int(value) if is_signed(shape) => Value::Int(value.cast_signed()),
            Setting::Int(value) => Value::UInt(*value),
            _ => Value::from(self.shown(shape).as_str()),
        }
    }
}

fn is_signed(shape: &Shape) -> bool {
    matches!(shape, Shape::Int(least, ..) if *least < 0)
}

/// The type of `@@name`. Text is that of the server, utf8mb3, where a client sees it
/// in its own character set.
pub(super) fn sql_type(shape: &Shape) -> SqlType {
    match shape {
        Shape::Bool => SqlType::bigint(1),
        Shape::Int(..) => SqlType::bigint(21).with_unsigned(!is_signed(shape)),
        Shape::Double(..) => SqlType::plain(TypeKind::Double, 23, DECIMALS),
        _ => SqlType::varchar(21_845, CollationId::UTF8MB3_GENERAL_CI, Derivation::SystemConstant),
    }
}
