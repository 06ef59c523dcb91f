//! `->`, `->>` and JSON_VALUE.

use firn_mysql_parser::ast::{self, ExprKind, JsonOn, TextLiteral};

use super::Binder;
use crate::error::{SqlError, code};
use crate::expr::compare::CompareOp;
use crate::expr::json::json_type;
use crate::expr::node::{Node, Op};
use crate::expr::{Result, leaf};
use crate::functions::{Fallback, ON_EMPTY_SHIFT, ON_ERROR_SHIFT};
use crate::number;
use crate::temporal::{DateMode, datetime_from_number, parse_datetime};
use crate::types::{CollationId, Derivation, SqlType, TypeKind};
use crate::value::Value;

/// Characters of what JSON_VALUE gives unless RETURNING says otherwise.
const PLAIN_LENGTH: u32 = 512;

impl Binder<'_> {
    /// `column -> 'path'`: JSON_EXTRACT, and `->>` JSON_UNQUOTE of that.
    pub(super) fn json_path(&self, path: &ast::JsonPath) -> Result<Node> {
        let column =
            ast::Expr { kind: ExprKind::Column(path.column.clone()), span: ast::Span::default() };
        let text = TextLiteral { value: path.path.clone(), charset: None };
        let args = vec![self.bind(&column)?, self.text(&text)?];
        let found = self.own("json_extract", args, None)?;
        if path.unquote { self.own("json_unquote", vec![found], None) } else { Ok(found) }
    }

    /// A document where a truth is wanted: whether it differs from the number 0,
    /// with a warning.
    pub(super) fn json_truth(&self, node: Node) -> Result<Node> {
        if node.ty.kind != TypeKind::Json {
            return Ok(node);
        }
        self.warn(SqlError::new(code::ER_IMPLICIT_COMPARISON_FOR_JSON, &[]));
        self.compare(CompareOp::Ne, node, super::literal::int(0))
    }

    pub(super) fn json_value(&self, call: &ast::JsonValue) -> Result<Node> {
        let mut args = vec![self.bind(&call.expr)?, self.bind(&call.path)?];
        let null = || Node::leaf(Op::Literal(Value::Null), SqlType::NULL);
        let ty = match &call.returning {
            None => SqlType::varchar(
                PLAIN_LENGTH,
                CollationId::UTF8MB4_0900_AI_CI,
                Derivation::Implicit,
            ),
            Some(to) => {
                let mut ty = self.cast_to(null(), to)?.ty;
                if ty.kind == TypeKind::Json {
                    ty = json_type();
                }
                if ty.kind.is_string() && ty.length == 0 {
                    ty.length = u32::MAX;
                    ty.kind = TypeKind::LongText;
                }
                ty
            }
        };
        let mut extra = 0;
        for (clause, shift) in [(&call.on_empty, ON_EMPTY_SHIFT), (&call.on_error, ON_ERROR_SHIFT)]
        {
            let fallback = match clause {
                None | Some(JsonOn::Null) => Fallback::Null,
                Some(JsonOn::Error) => Fallback::Error,
                Some(JsonOn::Default(value)) => {
                    let value = self.bind(value)?;
                    check_default(&value, &ty)?;
                    args.push(match &call.returning {
                        // A default is not filled with zeros.
                        Some(_) if ty.is_binary_string() => self.to_binary(value, None)?,
                        Some(to) => self.cast_to(value, to)?,
                        None if value.ty.kind.is_string() => value,
                        None => self.as_text(value),
                    });
                    Fallback::Default
                }
            };
            extra |= (fallback as u64) << shift;
        }
        let mut node = self.own("json_value", args, Some(extra))?;
        node.ty = ty.with_nullable(true);
        node.ascii = !ty.kind.is_string();
        Ok(node)
    }
}

/// The errors of a default that is no value of the type, where it is a literal.
fn check_default(value: &Node, ty: &SqlType) -> Result<()> {
    let Op::Literal(literal) = &value.op else { return Ok(()) };
    match (literal, ty.kind) {
        (Value::Bytes(text), TypeKind::BigInt) => {
            let parsed = number::parse_integer_prefix(text);
            if parsed.status != number::NumberStatus::Read || parsed.consumed < text.len() {
                let sign = if ty.unsigned { "UNSIGNED" } else { "SIGNED" };
                let text = String::from_utf8_lossy(text);
                return Err(SqlError::truncated_wrong_value(&format!("INTEGER {sign}"), &text));
            }
        }
        (_, TypeKind::Date | TypeKind::DateTime) => {
            let shown = leaf::text_of(literal, value).unwrap_or_default();
            let parsed = match literal {
                Value::Bytes(text) => parse_datetime(text, DateMode::REAL),
                Value::Int(number) => datetime_from_number(*number, 0, DateMode::REAL),
                _ => return Ok(()),
            };
            if parsed.value.is_none() || !parsed.warnings.is_empty() {
                let shown = String::from_utf8_lossy(&shown);
                let message = format!("Incorrect datetime value: '{shown}'");
                return Err(SqlError::with_message(code::ER_TRUNCATED_WRONG_VALUE, message));
            }
        }
        (Value::Int(year), TypeKind::Year) if !matches!(year, 0 | 1901..=2155) => {
            return Err(SqlError::out_of_range("YEAR", "json_value"));
        }
        (Value::Bytes(text), kind)
            if kind.is_string()
                && !ty.collation.is_binary()
                && leaf::char_length(value.ty.collation, text) > ty.length as usize =>
        {
            return Err(SqlError::out_of_range("CHAR DEFAULT", "json_value"));
        }
        (Value::Int(_) | Value::UInt(_) | Value::Decimal(_), TypeKind::Decimal) => {
            let number = match literal {
                Value::Int(value) => crate::decimal::Decimal::from(*value),
                Value::UInt(value) => crate::decimal::Decimal::from(*value),
                Value::Decimal(value) => value.clone(),
                _ => return Ok(()),
            };
            let (_, fit) = number.fit(ty.precision().min(65) as u8, ty.decimals);
            if fit == crate::decimal::Fit::OutOfRange {
                return Err(SqlError::out_of_range("DECIMAL DEFAULT", "json_value"));
            }
        }
        _ => {}
    }
    Ok(())
}
