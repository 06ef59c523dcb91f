//! Literals.

use firn_mysql_parser::ast::{Literal, TemporalKind, TextLiteral};

use super::Binder;
use crate::error::SqlError;
use crate::expr::CastTarget;
use crate::expr::node::{Node, Op};
use crate::expr::{Result, leaf};
use crate::types::{CollationId, Derivation, NOT_FIXED_DECIMALS, SqlType, TypeKind};
use crate::value::{Bytes, Value};

impl Binder<'_> {
    pub(super) fn literal(&self, literal: &Literal) -> Result<Node> {
        Ok(match literal {
            Literal::Null => Node::leaf(Op::Literal(Value::Null), SqlType::NULL).with_ascii(true),
            Literal::Bool(value) => {
                let ty = SqlType::bigint(1).not_null();
                Node::leaf(Op::Literal(Value::from(*value)), ty).with_ascii(true)
            }
            Literal::Int(value) => int(*value),
            Literal::Decimal(text) => decimal(text)?,
            Literal::Float(text) => double(text)?,
            Literal::Text(text) => self.text(text)?,
            written @ (Literal::Hex(literal) | Literal::Bits(literal)) => match &literal.charset {
                None => {
                    let mut node = hex(&literal.value);
                    node.ty.unsigned = matches!(written, Literal::Hex(_));
                    node
                }
                Some(_) => {
                    let (value, charset) = (literal.value.clone(), literal.charset.clone());
                    self.text_of(&TextLiteral { value, charset }, false)?
                }
            },
            Literal::Temporal(kind, text) => self.temporal(*kind, text)?,
        })
    }

    pub(super) fn text(&self, literal: &TextLiteral) -> Result<Node> {
        self.text_of(literal, true)
    }

    /// A text that was written in quotes, or else in digits.
    fn text_of(&self, literal: &TextLiteral, quoted: bool) -> Result<Node> {
        let collation = match &literal.charset {
            None => self.connection(),
            Some(name) => leaf::default_collation(name)
                .ok_or_else(|| SqlError::unknown_character_set(name))?,
        };
        let client = self.settings.client_charset;
        let sent = leaf::as_sent(&literal.value, client)?;
        let value = match &literal.charset {
            None if !leaf::same_charset(client, collation) => {
                let (value, warning) = leaf::literal_for_connection(&sent, client, collation)?;
                warning.into_iter().for_each(|warning| self.warn(warning));
                Bytes::from_vec(value)
            }
            _ => {
                let (value, warning) = leaf::checked_literal(&sent, collation)?;
                match warning {
                    // In quotes they stay what they are; in digits they were meant to be text.
                    Some(error) if !quoted => return Err(error),
                    warning => warning.into_iter().for_each(|warning| self.warn(warning)),
                }
                value
            }
        };
        let length = leaf::char_length(collation, &value) as u32;
        // What an introducer brings counts by its character set, not by its characters.
        let ascii = match &literal.charset {
            None => literal.value.is_ascii(),
            Some(_) => leaf::charset_name(collation) == "ascii",
        };
        let ty = SqlType::varchar(length, collation, Derivation::Coercible).not_null();
        let node = Node::leaf(Op::Literal(Value::Bytes(value)), ty).with_ascii(ascii);
        Ok(match &literal.charset {
            None => node,
            Some(_) => {
                let printed = crate::expr::printed_literal(&node, leaf::charset_name(collation));
                node.with_written(printed)
            }
        })
    }

    fn temporal(&self, kind: TemporalKind, text: &[u8]) -> Result<Node> {
        let literal = leaf::temporal_literal(kind, text, self.settings)?;
        if let Some(warning) = literal.warning {
            self.warn(warning);
        }
        let ty = literal.ty.not_null();
        if let Some(value) = literal.value {
            return Ok(Node::leaf(Op::Literal(value), ty).with_ascii(true));
        }
        // An offset is taken off in the session's zone, when it runs.
        let (length, coll) = (text.len() as u32, self.connection());
        let written = SqlType::varchar(length, coll, Derivation::Coercible).not_null();
        let written = Node::leaf(Op::Literal(Value::bytes(text)), written).with_ascii(true);
        Ok(Node::new(Op::Cast(CastTarget::DateTime), ty, vec![written]))
    }
}

/// An integer literal.
pub(crate) fn int(value: u64) -> Node {
    let digits = value.checked_ilog10().unwrap_or(0) + 1;
    let (value, unsigned) = match i64::try_from(value) {
        Ok(value) => (Value::Int(value), false),
        Err(_) => (Value::UInt(value), true),
    };
    let length = if unsigned { digits } else { digits + 1 };
    let ty = SqlType::bigint(length).not_null().with_unsigned(unsigned);
    Node::leaf(Op::Literal(value), ty).with_ascii(true)
}

fn decimal(text: &str) -> Result<Node> {
    let value = leaf::decimal_literal(text)?;
    let scale = value.scale();
    // A zero before the point counts.
    let precision = value.integer_digits().max(1).saturating_add(scale);
    let ty = SqlType::decimal(precision, scale, false).not_null();
    Ok(Node::leaf(Op::Literal(Value::Decimal(value)), ty).with_ascii(true))
}

fn double(text: &str) -> Result<Node> {
    let value = leaf::double_literal(text)?;
    let mut ty = SqlType::plain(TypeKind::Double, text.len() as u32, NOT_FIXED_DECIMALS).not_null();
    ty.length = text.len() as u32;
    Ok(Node::leaf(Op::Literal(Value::Double(value)), ty)
        .with_ascii(true)
        .with_written(text.to_owned()))
}

fn hex(bytes: &[u8]) -> Node {
    let length = bytes.len() as u32;
    let ty = SqlType::varchar(length, CollationId::BINARY, Derivation::Coercible)
        .not_null()
        .with_unsigned(true);
    let ty = SqlType { decimals: 0, ..ty };
    Node::leaf(Op::Hex(Bytes::from_slice(bytes)), ty).with_ascii(bytes.is_ascii())
}
