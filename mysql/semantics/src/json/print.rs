//! Documents as text.

use std::fmt::Write as _;

use super::error::JsonError;
use super::number::print_double;
use super::view::{JsonRef, Kind};

impl JsonRef<'_> {
    /// The text that MySQL prints: `", "` and `": "` between things, members in the
    /// order of their names' lengths.
    ///
    /// # Errors
    /// If the bytes are corrupt.
    pub fn print(&self) -> Result<String, JsonError> {
        let mut text = String::new();
        self.print_to(&mut text)?;
        Ok(text)
    }

    /// [`JsonRef::print`], appending.
    ///
    /// # Errors
    /// If the bytes are corrupt.
    pub fn print_to(&self, to: &mut String) -> Result<(), JsonError> {
        match self.kind()? {
            Kind::Array(array) => {
                to.push('[');
                for (i, value) in array.iter().enumerate() {
                    if i > 0 {
                        to.push_str(", ");
                    }
                    value?.print_to(to)?;
                }
                to.push(']');
            }
            Kind::Object(object) => {
                to.push('{');
                for (i, member) in object.iter().enumerate() {
                    let (name, value) = member?;
                    if i > 0 {
                        to.push_str(", ");
                    }
                    quote_to(name, to);
                    to.push_str(": ");
                    value.print_to(to)?;
                }
                to.push('}');
            }
            scalar => print_scalar(&scalar, true, to),
        }
        Ok(())
    }

    /// What JSON_PRETTY prints: one thing a line, two spaces a level.
    ///
    /// # Errors
    /// If the bytes are corrupt.
    pub fn print_pretty(&self) -> Result<String, JsonError> {
        let mut text = String::new();
        self.pretty_to(0, &mut text)?;
        Ok(text)
    }

    fn pretty_to(&self, level: usize, to: &mut String) -> Result<(), JsonError> {
        let new_line = |level: usize, to: &mut String| {
            to.push('\n');
            to.extend(std::iter::repeat_n("  ", level));
        };
        match self.kind()? {
            Kind::Array(array) if !array.is_empty() => {
                to.push('[');
                for (i, value) in array.iter().enumerate() {
                    if i > 0 {
                        to.push(',');
                    }
                    new_line(level + 1, to);
                    value?.pretty_to(level + 1, to)?;
                }
                new_line(level, to);
                to.push(']');
            }
            Kind::Object(object) if !object.is_empty() => {
                to.push('{');
                for (i, member) in object.iter().enumerate() {
                    let (name, value) = member?;
                    if i > 0 {
                        to.push(',');
                    }
                    new_line(level + 1, to);
                    quote_to(name, to);
                    to.push_str(": ");
                    value.pretty_to(level + 1, to)?;
                }
                new_line(level, to);
                to.push('}');
            }
            _ => self.print_to(to)?,
        }
        Ok(())
    }

    /// What JSON_UNQUOTE and `->>` make of a document: a string's content, other
    /// values as they print, dates and times without quotes.
    ///
    /// # Errors
    /// If the bytes are corrupt.
    pub fn unquoted(&self) -> Result<String, JsonError> {
        let mut text = String::new();
        match self.kind()? {
            Kind::Array(_) | Kind::Object(_) => self.print_to(&mut text)?,
            scalar => print_scalar(&scalar, false, &mut text),
        }
        Ok(text)
    }
}

/// Appends a scalar, with the quotes that it needs within a document or without.
pub(super) fn print_scalar(kind: &Kind<'_>, quotes: bool, to: &mut String) {
    let quoted = |to: &mut String, print: &mut dyn FnMut(&mut String)| {
        if quotes {
            to.push('"');
        }
        print(to);
        if quotes {
            to.push('"');
        }
    };
    match *kind {
        Kind::Null => to.push_str("null"),
        Kind::Bool(value) => to.push_str(if value { "true" } else { "false" }),
        Kind::Int(value) => {
            let _ = write!(to, "{value}");
        }
        Kind::UInt(value) => {
            let _ = write!(to, "{value}");
        }
        Kind::Double(value) => print_double(value, to),
        Kind::Decimal(value) => {
            let _ = write!(to, "{value}");
        }
        Kind::String(text) if quotes => quote_to(text, to),
        Kind::String(text) => to.push_str(text),
        Kind::Date(value) => quoted(to, &mut |to| value.print_date(to)),
        Kind::Time(value) => quoted(to, &mut |to| value.print_time(to)),
        Kind::DateTime(value) | Kind::Timestamp(value) => {
            quoted(to, &mut |to| value.print_date_time(to));
        }
        Kind::Opaque { field_type, bytes } => quoted(to, &mut |to| {
            let _ = write!(to, "base64:type{field_type}:");
            base64_to(bytes, if quotes { "\\n" } else { "\n" }, to);
        }),
        // Containers are not scalars.
        Kind::Array(_) | Kind::Object(_) => {}
    }
}

/// Appends a string with its quotes and escapes, as JSON_QUOTE gives it.
pub fn quote_to(text: &str, to: &mut String) {
    to.reserve(text.len() + 2);
    to.push('"');
    let mut plain = 0;
    for (i, &byte) in text.as_bytes().iter().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        to.push_str(&text[plain..i]);
        plain = i + 1;
        match byte {
            b'"' => to.push_str("\\\""),
            b'\\' => to.push_str("\\\\"),
            0x08 => to.push_str("\\b"),
            b'\t' => to.push_str("\\t"),
            b'\n' => to.push_str("\\n"),
            0x0c => to.push_str("\\f"),
            b'\r' => to.push_str("\\r"),
            _ => {
                let _ = write!(to, "\\u{byte:04x}");
            }
        }
    }
    to.push_str(&text[plain..]);
    to.push('"');
}

/// Lines of 76 characters with `line_end` between them.
fn base64_to(bytes: &[u8], line_end: &str, to: &mut String) {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digit = |value: u32| DIGITS[(value & 63) as usize] as char;
    for (i, three) in bytes.chunks(3).enumerate() {
        if i > 0 && i % 19 == 0 {
            to.push_str(line_end);
        }
        let value = three.iter().fold(0u32, |all, &b| all << 8 | u32::from(b));
        match three.len() {
            3 => to.extend([18, 12, 6, 0].map(|shift| digit(value >> shift))),
            2 => to.extend([digit(value >> 10), digit(value >> 4), digit(value << 2), '=']),
            _ => to.extend([digit(value >> 2), digit(value << 4), '=', '=']),
        }
    }
}
