//! Names, and texts and numbers that are not expressions.

use super::Grammar;
use crate::ast::{Bytes, ColumnRef, Expr, ExprKind, Ident, ObjectName, Qualifier, Span, Text};
use crate::error::{Error, ErrorKind, Result};
use crate::lexer::{T, Token, value};
use crate::mode::SqlMode;

impl Grammar<'_> {
    /// Whether a token of this kind is a name.
    #[inline]
    pub(super) fn is_name(kind: T) -> bool {
        matches!(kind, T::Ident | T::Quoted)
            || kind.is_free()
            || matches!(kind, T::ADDDATE | T::SUBDATE | T::SESSION_USER | T::SYSTEM_USER)
    }

    #[inline]
    pub(super) fn at_name(&self) -> bool {
        Self::is_name(self.kind())
    }

    #[inline]
    pub(super) fn ident(&mut self) -> Result<Ident> {
        if !self.at_name() {
            return Err(self.unexpected());
        }
        let token = self.bump();
        self.ident_of(token)
    }

    /// A list of names in parentheses.
    pub(super) fn ident_list(&mut self) -> Result<Vec<Ident>> {
        self.paren_list(Self::ident)
    }

    /// A list of names in parentheses, if there is one.
    pub(super) fn maybe_ident_list(&mut self) -> Result<Vec<Ident>> {
        if self.at(T::LParen) { self.ident_list() } else { Ok(Vec::new()) }
    }

    /// A name or a string.
    pub(super) fn ident_or_text(&mut self) -> Result<Ident> {
        match self.kind() {
            T::Text => {
                let start = self.here();
                let text = self.text()?;
                Ok(Ident { text, span: self.span_from(start) })
            }
            T::Host => {
                let token = self.bump();
                self.ident_of(token)
            }
            _ => self.ident(),
        }
    }

    /// What follows `@`: the variable's name, which may be empty.
    pub(super) fn user_variable(&mut self) -> Result<Ident> {
        self.expect(T::At)?;
        self.ident_or_text()
    }

    /// The name a token spells.
    #[inline]
    pub(super) fn ident_of(&self, token: Token) -> Result<Ident> {
        let span = Span { start: token.start, end: token.end };
        let bytes = self.bytes(token);
        let text = if token.kind == T::Quoted {
            let quote = bytes[0];
            let inside = &bytes[1..bytes.len() - 1];
            if token.escaped {
                self.utf8(&value::unescape(inside, quote, false), token)?
            } else {
                self.utf8(inside, token)?
            }
        } else {
            self.utf8(bytes, token)?
        };
        Ok(Ident { text, span })
    }

    /// A name that the grammar itself gives.
    pub(super) fn word(text: &'static str, token: Token) -> Ident {
        let span = Span { start: token.start, end: token.end };
        Ident { text: Text::new_static(text), span }
    }

    #[inline]
    fn utf8(&self, bytes: &[u8], token: Token) -> Result<Text> {
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Text::new(text)),
            Err(e) => {
                let at = token.start as usize + e.valid_up_to();
                Err(Error::at(ErrorKind::Utf8, self.sql, at))
            }
        }
    }

    /// `name`, `schema.name` or `.name`, which is `name`.
    pub(super) fn object_name(&mut self) -> Result<ObjectName> {
        if self.at(T::Dot) {
            self.bump();
            return Ok(ObjectName { schema: None, name: self.ident()? });
        }
        let first = self.ident()?;
        if self.eat(T::Dot) {
            return Ok(ObjectName { schema: Some(first), name: self.ident()? });
        }
        Ok(ObjectName { schema: None, name: first })
    }

    /// `column`, `table.column`, `schema.table.column`, `.table.column` (as `table.column`).
    pub(super) fn column_ref(&mut self) -> Result<ColumnRef> {
        if self.at(T::Dot) {
            self.bump();
            let table = self.ident()?;
            self.expect(T::Dot)?;
            let qualifier = Qualifier { schema: None, table };
            return Ok(ColumnRef { qualifier: Some(Box::new(qualifier)), name: self.ident()? });
        }
        let first = self.ident()?;
        self.column_ref_from(first)
    }

    pub(super) fn column_ref_from(&mut self, first: Ident) -> Result<ColumnRef> {
        if !self.eat(T::Dot) {
            return Ok(ColumnRef { qualifier: None, name: first });
        }
        let second = self.ident()?;
        if !self.eat(T::Dot) {
            let qualifier = Box::new(Qualifier { schema: None, table: first });
            return Ok(ColumnRef { qualifier: Some(qualifier), name: second });
        }
        let qualifier = Box::new(Qualifier { schema: Some(first), table: second });
        Ok(ColumnRef { qualifier: Some(qualifier), name: self.ident()? })
    }

    /// A parameter, a variable or a number that does not change from row to row.
    pub(super) fn stable_integer(&mut self) -> Result<Expr> {
        match self.kind() {
            T::Int => self.literal_expr(),
            T::Param | T::At => self.primary(),
            _ => {
                let name = self.ident()?;
                let span = name.span;
                let kind = ExprKind::Column(ColumnRef { qualifier: None, name });
                Ok(Expr { kind, span })
            }
        }
    }

    /// The value of a string token.
    pub(super) fn text_value(&self, token: Token) -> Bytes {
        let bytes = self.bytes(token);
        let quote = bytes[bytes.len() - 1];
        let open = if token.kind == T::NText { 2 } else { 1 };
        let inside = &bytes[open..bytes.len() - 1];
        if token.escaped {
            value::unescape(inside, quote, !self.mode.has(SqlMode::NO_BACKSLASH_ESCAPES))
        } else {
            Bytes::from_slice(inside)
        }
    }

    /// A string, as UTF-8.
    pub(super) fn text(&mut self) -> Result<Text> {
        let token = self.expect(T::Text)?;
        if token.escaped {
            let value = self.text_value(token);
            return self.utf8(&value, token);
        }
        let bytes = self.bytes(token);
        self.utf8(&bytes[1..bytes.len() - 1], token)
    }

    /// A string or a hexadecimal or bit literal, as bytes: what options take.
    pub(super) fn text_or_bytes(&mut self) -> Result<Bytes> {
        let token = self.token();
        let value = match token.kind {
            T::Text => self.text_value(token),
            T::Hex | T::Bits => value::digits(token.kind, self.bytes(token)),
            _ => return Err(self.unexpected()),
        };
        self.bump();
        Ok(value)
    }

    /// An unsigned integer; as large as it gets if it is larger.
    pub(super) fn number(&mut self) -> Result<u64> {
        let token = self.token();
        let bytes = self.bytes(token);
        let value = match token.kind {
            T::Int => std::str::from_utf8(bytes).ok().and_then(|s| s.parse().ok()),
            T::Hex => value::digits(T::Hex, bytes).iter().try_fold(0u64, |v, &b| {
                v.checked_mul(256).and_then(|v| v.checked_add(u64::from(b)))
            }),
            _ => return Err(self.unexpected()),
        };
        self.bump();
        Ok(value.unwrap_or(u64::MAX))
    }

    /// A number in parentheses, if there is one.
    pub(super) fn maybe_length(&mut self) -> Result<Option<u64>> {
        if !self.at(T::LParen) {
            return Ok(None);
        }
        self.parens(|g| {
            if !g.at(T::Decimal) {
                return g.number();
            }
            // MySQL takes `FLOAT(10.3)` for `FLOAT(10)`.
            let token = g.bump();
            let digits = g.bytes(token).split(|&b| b == b'.').next().unwrap_or_default();
            Ok(std::str::from_utf8(digits).ok().and_then(|s| s.parse().ok()).unwrap_or(0))
        })
        .map(Some)
    }

    /// The name of a character set: a name, a string, BINARY or ASCII.
    pub(super) fn charset_name(&mut self) -> Result<Ident> {
        if self.at(T::BINARY) {
            let token = self.bump();
            return Ok(Self::word("binary", token));
        }
        self.ident_or_text()
    }

    /// The name of a collation.
    pub(super) fn collation_name(&mut self) -> Result<Ident> {
        self.charset_name()
    }

    /// CHARACTER SET, CHAR SET or CHARSET.
    pub(super) fn eat_charset(&mut self) -> bool {
        self.eat(T::CHARSET)
            || self.eat_all(&[T::CHARACTER, T::SET])
            || self.eat_all(&[T::CHAR, T::SET])
    }

    /// `=` or nothing.
    pub(super) fn eat_eq(&mut self) -> bool {
        self.eat(T::Eq)
    }

    /// IF NOT EXISTS
    pub(super) fn if_not_exists(&mut self) -> Result<bool> {
        if !self.at(T::IF) {
            return Ok(false);
        }
        self.expect_all(&[T::IF, T::NOT, T::EXISTS]).map(|()| true)
    }

    /// IF EXISTS
    pub(super) fn if_exists(&mut self) -> Result<bool> {
        if !self.at(T::IF) {
            return Ok(false);
        }
        self.expect_all(&[T::IF, T::EXISTS]).map(|()| true)
    }
}
