//! The shape of a statement: its text with the literals taken out.
//!
//! For a plan cache. Two statements with equal [`Shape::key`] are the same but for the
//! [`Shape::literals`], whose types are part of the key, and for what is in front of them and
//! behind: space and comments. So they parse to the same tree, with literals in the same
//! places. Everything else is in the key as it is written, since columns of a result are named
//! by the text of their expressions. Making a shape costs the lexer only: on a hit nothing is
//! parsed.
//!
//! How a cache uses it. On a miss, parse the text, and make a parameter of every
//! literal that may be one: [`Shape::slot`] finds its place from the span of its
//! expression. What is not made a parameter (ORDER BY 1, the COMMENT of a column, a
//! length) has not been looked at in vain: keep its text with the plan, and take a
//! later statement with the same key for a hit only if it has the same text there.
//!
//! NULL, TRUE and FALSE are words, not literals, and stay in the key.

use crate::ast::{Literal, Span};
use crate::error::{ErrorKind, Result};
use crate::grammar::{Grammar, Parser};
use crate::lexer::T;

/// A statement's text without its literals, and its literals. Its buffers are used
/// again by [`Parser::shape`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Shape {
    /// Equal for statements that differ in the values of literals only. Opaque; good
    /// within one version of this crate.
    pub key: Vec<u8>,
    /// The literals in the order of the text, each where it stood.
    pub literals: Vec<(Span, Literal)>,
    /// Where the statement ends: behind its semicolon, or the end of the text.
    pub end: usize,
}

impl Shape {
    /// Which of the literals lies in `span`, the span of a literal's expression.
    pub fn slot(&self, span: Span) -> Option<usize> {
        let at = self.literals.partition_point(|(one, _)| one.start < span.start);
        let (found, _) = self.literals.get(at)?;
        (found.end <= span.end).then_some(at)
    }
}

impl Parser {
    /// The shape of the statement of `sql` that starts at byte `from`. Errors are
    /// those of the lexer; a text that has a shape may still be refused by the parser.
    pub fn shape(&mut self, sql: &[u8], from: usize, shape: &mut Shape) -> Result<()> {
        shape.key.clear();
        shape.literals.clear();
        shape.key.push(self.options().mode.bits());
        self.read(sql, from, |g| g.shape(shape))
    }
}

impl Grammar<'_> {
    fn shape(&mut self, shape: &mut Shape) -> Result<()> {
        // Where the text begins that is not in the key yet, and where the last token ended.
        let (mut from, mut to) = (self.token().start, self.token().start);
        loop {
            let token = self.token();
            let literal = match token.kind {
                T::Int | T::Decimal | T::Float | T::Text | T::NText | T::Hex | T::Bits => true,
                T::Introducer => matches!(self.kind_at(1), T::Text | T::Hex | T::Bits),
                T::DATE | T::TIME | T::TIMESTAMP => self.kind_at(1) == T::Text,
                T::End => {
                    shape.end = self.sql.len();
                    shape.key_of_text(&self.sql[from as usize..to as usize]);
                    return Ok(());
                }
                T::Semicolon => {
                    shape.end = token.end as usize;
                    shape.key_of_text(&self.sql[from as usize..to as usize]);
                    return Ok(());
                }
                T::Bad => return Err(self.error(ErrorKind::Syntax)),
                _ => false,
            };
            if literal {
                let value = self.literal()?;
                shape.key_of_text(&self.sql[from as usize..token.start as usize]);
                shape.key_of(&value);
                let span = self.span_from(token.start);
                (from, to) = (span.end, span.end);
                shape.literals.push((span, value));
                continue;
            }
            to = self.bump().end;
        }
    }
}

impl Shape {
    /// The text up to a literal, or to the end.
    fn key_of_text(&mut self, text: &[u8]) {
        self.key.extend_from_slice(&(text.len() as u32).to_le_bytes());
        self.key.extend_from_slice(text);
    }

    /// The type of a literal.
    fn key_of(&mut self, literal: &Literal) {
        let charset = match literal {
            Literal::Null | Literal::Bool(_) => {
                self.key.push(0);
                return;
            }
            Literal::Int(value) => {
                // Over the signed range it is another type; LIMIT 0 is another query.
                self.key.push(match *value {
                    0 => 9,
                    value if value > i64::MAX as u64 => 2,
                    _ => 1,
                });
                return;
            }
            Literal::Decimal(text) => {
                let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
                self.key.extend_from_slice(&[3, whole.len().min(255) as u8]);
                self.key.push(fraction.len().min(255) as u8);
                return;
            }
            Literal::Float(_) => {
                self.key.push(4);
                return;
            }
            Literal::Temporal(kind, _) => {
                self.key.extend_from_slice(&[5, *kind as u8]);
                return;
            }
            Literal::Text(text) => {
                self.key.push(6);
                &text.charset
            }
            Literal::Hex(bytes) => {
                self.key.push(7);
                &bytes.charset
            }
            Literal::Bits(bytes) => {
                self.key.push(8);
                &bytes.charset
            }
        };
        let charset = charset.as_deref().map_or("", |charset| charset.as_str());
        self.key.push(charset.len().min(255) as u8);
        self.key.extend_from_slice(charset.as_bytes());
    }
}
