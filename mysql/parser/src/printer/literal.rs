//! Literals, columns, variables.

use super::Printer;
use crate::ast::{BytesLiteral, ColumnRef, Literal, Scope, SystemVariable, TemporalKind, Text};

impl Printer {
    pub(super) fn column(&mut self, column: &ColumnRef) {
        self.blank();
        if let Some(qualifier) = &column.qualifier {
            if let Some(schema) = &qualifier.schema {
                self.schema(schema);
            }
            self.schema(&qualifier.table);
        }
        self.name(&column.name.text);
    }

    pub(super) fn user_variable(&mut self, name: &str) {
        self.word("@");
        self.name(name);
    }

    /// Without `@@`.
    pub(super) fn system_variable(&mut self, variable: &SystemVariable) {
        match variable.scope {
            None => {}
            Some(Scope::Global) => self.put("GLOBAL."),
            Some(Scope::Session) => self.put("SESSION."),
            Some(Scope::Persist) => self.put("PERSIST."),
            Some(Scope::PersistOnly) => self.put("PERSIST_ONLY."),
        }
        if let Some(prefix) = &variable.prefix {
            self.name(&prefix.text);
            self.put(".");
        }
        self.name(&variable.name.text);
    }

    pub(super) fn literal(&mut self, literal: &Literal) {
        self.blank();
        match literal {
            Literal::Null => self.put("NULL"),
            Literal::Bool(value) => self.put(if *value { "TRUE" } else { "FALSE" }),
            Literal::Int(value) => self.put(&value.to_string()),
            Literal::Decimal(text) | Literal::Float(text) => {
                self.put(text);
                // `1.END` would be a number with an exponent, and no blank follows a point.
                if text.ends_with('.') {
                    self.put(" ");
                }
            }
            Literal::Text(text) => {
                self.charset(text.charset.as_deref());
                self.text(&text.value);
            }
            Literal::Hex(bytes) => self.digits(bytes, "x'", |b| format!("{b:02X}")),
            Literal::Bits(bytes) => self.digits(bytes, "b'", |b| format!("{b:08b}")),
            Literal::Temporal(kind, text) => {
                self.put(match kind {
                    TemporalKind::Date => "DATE",
                    TemporalKind::Time => "TIME",
                    TemporalKind::Timestamp => "TIMESTAMP",
                });
                self.text(text);
            }
        }
    }

    fn charset(&mut self, charset: Option<&Text>) {
        if let Some(charset) = charset {
            self.put("_");
            self.put(charset);
        }
    }

    fn digits(&mut self, literal: &BytesLiteral, open: &str, digits: impl Fn(u8) -> String) {
        self.charset(literal.charset.as_deref());
        self.blank();
        self.put(open);
        for &b in &literal.value {
            self.put(&digits(b));
        }
        self.put("'");
    }
}
