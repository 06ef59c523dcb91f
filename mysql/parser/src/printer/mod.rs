//! Trees back to text.
//!
//! The text parses to the same tree in the mode it was printed for. It is a
//! canonical form: keywords in upper case, names in backquotes, one spelling for
//! every synonym, parentheses only where the tree needs them. NOT always stands in
//! parentheses, and `||` is never printed, so neither depends on the mode; of the
//! modes only NO_BACKSLASH_ESCAPES changes what is printed.

mod account;
mod admin;
mod alter_table;
mod compound;
mod dml;
mod expr;
mod literal;
mod partition;
mod query;
mod routine;
mod schema;
mod session;
mod show;
mod statement;
mod table;
mod types;

use crate::ast::{Expr, Ident, ObjectName, Statement};
use crate::mode::SqlMode;

/// The statement as SQL. Bytes, for strings need not be UTF-8.
pub fn print(statement: &Statement, mode: SqlMode) -> Vec<u8> {
    let mut printer = Printer::new(mode);
    printer.statement(statement);
    printer.out
}

/// The expression as SQL.
pub fn print_expr(expr: &Expr, mode: SqlMode) -> Vec<u8> {
    let mut printer = Printer::new(mode);
    printer.expr(expr);
    printer.out
}

/// The expression with parentheses around every operand that has operators of its
/// own: what it means without knowing how tightly anything binds.
pub fn print_explicit(expr: &Expr, mode: SqlMode) -> Vec<u8> {
    let mut printer = Printer { explicit: true, ..Printer::new(mode) };
    printer.expr(expr);
    printer.out
}

/// A name in backquotes.
pub fn quote_name(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A string in single quotes, for the SQL mode it will be read in.
pub fn quote_text(text: &[u8], mode: SqlMode) -> Vec<u8> {
    let mut printer = Printer::new(mode);
    printer.text(text);
    printer.out
}

struct Printer {
    out: Vec<u8>,
    mode: SqlMode,
    /// Parentheses although precedence would do.
    explicit: bool,
}

impl Printer {
    fn new(mode: SqlMode) -> Printer {
        Printer { out: Vec::with_capacity(128), mode, explicit: false }
    }

    /// Appends as it is.
    fn put(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    /// Appends a word, with a blank before it where one is needed.
    fn word(&mut self, word: &str) {
        if word.is_empty() {
            return;
        }
        self.blank();
        self.put(word);
    }

    /// A blank, unless there is one or nothing to part from.
    fn blank(&mut self) {
        if !matches!(self.out.last(), None | Some(b' ' | b'(' | b'.' | b'@')) {
            self.out.push(b' ');
        }
    }

    fn word_if(&mut self, condition: bool, word: &str) {
        if condition {
            self.word(word);
        }
    }

    fn number(&mut self, value: u64) {
        self.word(&value.to_string());
    }

    fn name(&mut self, name: &str) {
        self.put(&quote_name(name));
    }

    /// A name behind a blank.
    fn ident(&mut self, ident: &Ident) {
        self.blank();
        self.name(&ident.text);
    }

    fn object(&mut self, name: &ObjectName) {
        self.blank();
        if let Some(schema) = &name.schema {
            self.schema(schema);
        }
        self.name(&name.name.text);
    }

    /// A qualifier and its dot.
    fn schema(&mut self, schema: &Ident) {
        self.name(&schema.text);
        self.put(".");
    }

    /// A string, without a blank before it.
    fn text(&mut self, text: &[u8]) {
        let backslash = !self.mode.has(SqlMode::NO_BACKSLASH_ESCAPES);
        self.out.push(b'\'');
        for (i, &b) in text.iter().enumerate() {
            match b {
                b'\'' => self.put("''"),
                // `\%` and `\_` are read as they stand.
                b'\\' if backslash && matches!(text.get(i + 1), Some(b'%' | b'_')) => {
                    self.put("\\");
                }
                b'\\' if backslash => self.put("\\\\"),
                0 if backslash => self.put("\\0"),
                b'\n' if backslash => self.put("\\n"),
                b'\r' if backslash => self.put("\\r"),
                26 if backslash => self.put("\\Z"),
                b => self.out.push(b),
            }
        }
        self.out.push(b'\'');
    }

    /// A string behind a blank.
    fn string(&mut self, text: &[u8]) {
        self.blank();
        self.text(text);
    }

    /// `word 'text'`, if there is a text.
    fn word_string(&mut self, word: &str, text: Option<impl AsRef<[u8]>>) {
        if let Some(text) = text {
            self.word(word);
            self.string(text.as_ref());
        }
    }

    fn list<R>(&mut self, items: &[R], mut item: impl FnMut(&mut Self, &R)) {
        for (i, one) in items.iter().enumerate() {
            if i > 0 {
                self.put(", ");
            }
            item(self, one);
        }
    }

    fn paren_list<R>(&mut self, items: &[R], item: impl FnMut(&mut Self, &R)) {
        self.parens(|p| p.list(items, item));
    }

    /// Behind a blank.
    fn parens(&mut self, inside: impl FnOnce(&mut Self)) {
        self.word("(");
        inside(self);
        self.put(")");
    }

    fn idents(&mut self, idents: &[Ident]) {
        self.paren_list(idents, Self::ident);
    }
}
