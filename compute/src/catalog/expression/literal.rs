//! Literals.

use firn_mysql_parser::ast::{BytesLiteral, Literal, TemporalKind, TextLiteral};
use firn_mysql_semantics::charset::Charset;

use super::print::{Names, Printer};
use super::types::temporal_text;

impl Printer<'_> {
    pub(super) fn literal(&mut self, literal: &Literal) {
        match literal {
            Literal::Null => self.put("NULL"),
            Literal::Bool(value) => self.put(if *value { "true" } else { "false" }),
            Literal::Int(value) => self.put(&value.to_string()),
            Literal::Decimal(text) => self.put(&plain_decimal(text)),
            Literal::Float(text) => self.put(text),
            Literal::Text(TextLiteral { value, charset }) => {
                self.text(value, charset.as_deref().map(|name| name.as_str()));
            }
            Literal::Hex(bytes) | Literal::Bits(bytes) => self.bytes(bytes),
            Literal::Temporal(kind, text) => {
                self.put(match kind {
                    TemporalKind::Date => "DATE'",
                    TemporalKind::Time => "TIME'",
                    TemporalKind::Timestamp => "TIMESTAMP'",
                });
                self.put(&temporal_text(*kind, text));
                self.put("'");
            }
        }
    }

    pub(super) fn bytes(&mut self, literal: &BytesLiteral) {
        match &literal.charset {
            Some(name) => self.text(&literal.value, Some(name)),
            None if literal.value.is_empty() => self.put("X''"),
            None => {
                self.put("0x");
                for byte in &literal.value {
                    self.put(&format!("{byte:02x}"));
                }
            }
        }
    }

    /// A string with its character set.
    pub(super) fn text(&mut self, value: &[u8], charset: Option<&str>) {
        let set = charset.and_then(Charset::by_name).unwrap_or(self.charset);
        // Texts of views are the connection's, which the view keeps.
        if charset.is_some() || matches!(self.names, Names::Table(_)) {
            self.put("_");
            self.put(set.name());
        }
        let utf8 = matches!(set.name(), "utf8mb4" | "utf8mb3");
        match std::str::from_utf8(value) {
            Ok(text) if utf8 || (value.is_ascii() && set.is_ascii_superset()) => {
                self.put("'");
                for c in text.chars() {
                    match c {
                        '\'' => self.put("\\'"),
                        '\\' => self.put("\\\\"),
                        '\0' => self.put("\\0"),
                        '\n' => self.put("\\n"),
                        '\r' => self.put("\\r"),
                        '\u{1a}' => self.put("\\Z"),
                        c => self.out.push(c),
                    }
                }
                self.put("'");
            }
            // Bytes that would mean something else in the catalog's own text.
            _ => {
                self.put(" 0x");
                for byte in value {
                    self.put(&format!("{byte:02x}"));
                }
            }
        }
    }
}

/// An exact number as MySQL prints it: with a digit before the point, and no point
/// without digits behind it.
fn plain_decimal(text: &str) -> String {
    let text = text.trim_start_matches('+');
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        digits => digits,
    };
    if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") }
}
