//! Literals.

use super::Grammar;
use crate::ast::{Bytes, BytesLiteral, Expr, ExprKind, Literal, TemporalKind, Text, TextLiteral};
use crate::error::Result;
use crate::lexer::{T, Token, value};

impl Grammar<'_> {
    /// The literal that starts here.
    pub(crate) fn literal(&mut self) -> Result<Literal> {
        let token = self.token();
        Ok(match token.kind {
            T::Int => {
                self.bump();
                self.integer(token)
            }
            T::Decimal => {
                self.bump();
                Literal::Decimal(self.ascii(token))
            }
            T::Float => {
                self.bump();
                Literal::Float(self.ascii(token))
            }
            T::Text | T::NText => Literal::Text(self.text_literal(None)?),
            T::Hex | T::Bits => {
                self.bump();
                self.bytes_literal(token, None)
            }
            T::NULL => {
                self.bump();
                Literal::Null
            }
            T::TRUE | T::FALSE => {
                self.bump();
                Literal::Bool(token.kind == T::TRUE)
            }
            T::Introducer => {
                self.bump();
                let charset = Text::from(self.ascii(token)[1..].to_ascii_lowercase());
                let charset = Some(Box::new(charset));
                match self.kind() {
                    T::Text => Literal::Text(self.text_literal(charset)?),
                    T::Hex | T::Bits => {
                        let token = self.bump();
                        self.bytes_literal(token, charset)
                    }
                    _ => return Err(self.unexpected()),
                }
            }
            T::DATE | T::TIME | T::TIMESTAMP => {
                self.bump();
                let kind = match token.kind {
                    T::DATE => TemporalKind::Date,
                    T::TIME => TemporalKind::Time,
                    _ => TemporalKind::Timestamp,
                };
                let text = self.expect(T::Text)?;
                Literal::Temporal(kind, Box::new(self.text_value(text)))
            }
            _ => return Err(self.unexpected()),
        })
    }

    pub(super) fn literal_expr(&mut self) -> Result<Expr> {
        let start = self.here();
        let kind = ExprKind::Literal(self.literal()?);
        Ok(Expr { kind, span: self.span_from(start) })
    }

    /// A string, with a character set or without: all that a path can be.
    pub(super) fn text_expr(&mut self) -> Result<Expr> {
        let text = match self.kind() {
            T::Introducer => self.kind_at(1),
            kind => kind,
        };
        if !matches!(text, T::Text | T::NText) {
            if self.at(T::Introducer) {
                self.bump();
            }
            return Err(self.unexpected());
        }
        self.literal_expr()
    }

    /// A literal with an optional sign.
    pub(super) fn signed_literal(&mut self) -> Result<Expr> {
        let start = self.here();
        if self.eat(T::Minus) {
            if !self.at_any(&[T::Int, T::Decimal, T::Float]) {
                return Err(self.unexpected());
            }
            let operand = Box::new(self.literal_expr()?);
            let kind = ExprKind::Unary(crate::ast::UnaryOp::Minus, operand);
            return Ok(Expr { kind, span: self.span_from(start) });
        }
        if self.eat(T::Plus) && !self.at_any(&[T::Int, T::Decimal, T::Float]) {
            return Err(self.unexpected());
        }
        self.literal_expr()
    }

    fn integer(&self, token: Token) -> Literal {
        let digits = self.bytes(token);
        let mut value = 0u64;
        for &digit in digits {
            let next =
                value.checked_mul(10).and_then(|value| value.checked_add(u64::from(digit - b'0')));
            match next {
                Some(next) => value = next,
                None => return Literal::Decimal(self.ascii(token)),
            }
        }
        Literal::Int(value)
    }

    /// The text of a token of ASCII only.
    pub(super) fn ascii(&self, token: Token) -> Text {
        debug_assert!(self.bytes(token).is_ascii());
        Text::from(String::from_utf8_lossy(self.bytes(token)))
    }

    /// A string, with those that follow it.
    pub(super) fn text_literal(&mut self, charset: Option<Box<Text>>) -> Result<TextLiteral> {
        let token = self.token();
        let national = token.kind == T::NText;
        if !national && token.kind != T::Text {
            return Err(self.unexpected());
        }
        self.bump();
        let mut value = self.text_value(token);
        while self.at(T::Text) {
            let more = self.bump();
            let more = self.text_value(more);
            value.extend_from_slice(&more);
        }
        let charset = if national { Some(Box::new(Text::new_static("utf8mb3"))) } else { charset };
        Ok(TextLiteral { value, charset })
    }

    fn bytes_literal(&self, token: Token, charset: Option<Box<Text>>) -> Literal {
        let value: Bytes = value::digits(token.kind, self.bytes(token));
        let literal = BytesLiteral { value, charset };
        if token.kind == T::Hex { Literal::Hex(literal) } else { Literal::Bits(literal) }
    }
}
