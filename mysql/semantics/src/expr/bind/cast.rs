//! CAST, CONVERT and BINARY.

use firn_mysql_parser::ast::{self, CastType, DataType};

use super::Binder;
use super::merge::temporal_length;
use super::site::{announced_length, text_length};
use crate::error::{SqlError, code};
use crate::expr::cast::CastTarget;
use crate::expr::node::{Node, Op};
use crate::expr::printed;
use crate::expr::{Result, leaf};
use crate::types::{CollationId, Derivation, SqlType, TypeKind};

fn decimals(given: Option<u64>) -> Result<u8> {
    let given = given.unwrap_or(0);
    if given > 6 {
        let name = "CAST".to_owned();
        return Err(SqlError::new(
            code::ER_TOO_BIG_PRECISION,
            &[given.into(), name.as_str().into(), 6u64.into()],
        ));
    }
    Ok(given as u8)
}

impl Binder<'_> {
    pub(super) fn cast(&self, cast: &ast::Cast) -> Result<Node> {
        if cast.array {
            return Err(SqlError::not_supported_yet("CAST … AS ARRAY"));
        }
        let operand = self.bind(&cast.expr)?;
        match &cast.time_zone {
            Some(zone) => self.cast_to(self.at_time_zone(operand, zone)?, &cast.to),
            None => self.cast_to(operand, &cast.to),
        }
    }

    /// `timestamp AT TIME ZONE zone`, where the zone is UTC.
    fn at_time_zone(&self, operand: Node, zone: &str) -> Result<Node> {
        let literal = operand.is_literal() && operand.ty.kind == TypeKind::DateTime;
        let timestamp = operand.ty.kind == TypeKind::Timestamp || literal;
        if !timestamp && !operand.is_null_literal() {
            let what = "TIMESTAMP WITH TIME ZONE";
            return Err(SqlError::new(code::ER_INVALID_CAST, &[what.into()]));
        }
        if !matches!(zone, "+00:00" | "UTC") {
            return Err(SqlError::unknown_time_zone(zone));
        }
        self.own("at time zone", vec![operand], None)
    }

    pub(crate) fn cast_to(&self, operand: Node, to: &CastType) -> Result<Node> {
        let data = match to {
            CastType::Signed => return Ok(self.cast_int(operand, false)),
            CastType::Unsigned => return Ok(self.cast_int(operand, true)),
            CastType::Data(data) => &**data,
        };
        let nullable = operand.ty.nullable;
        let (target, ty) = match data {
            DataType::Decimal { precision, scale, .. } => {
                let precision = precision.unwrap_or(10);
                let scale = scale.unwrap_or(0);
                self.check_decimal(&operand, precision, scale)?;
                let precision = if precision == 0 { 10 } else { precision };
                let (precision, scale) = (precision as u8, scale as u8);
                (
                    CastTarget::Decimal,
                    SqlType::decimal(precision, scale, false).with_nullable(nullable),
                )
            }
            DataType::Float { precision, .. } => {
                let precision = precision.unwrap_or(0);
                if precision > 53 {
                    return Err(SqlError::new(
                        code::ER_TOO_BIG_PRECISION,
                        &[precision.into(), "CAST".into(), 53u64.into()],
                    ));
                }
                if precision > 24 {
                    (CastTarget::Double, SqlType::double().with_nullable(nullable))
                } else {
                    let ty = SqlType::plain(TypeKind::Float, 23, crate::types::NOT_FIXED_DECIMALS);
                    (CastTarget::Float, ty.with_nullable(nullable))
                }
            }
            DataType::Double { .. } => {
                (CastTarget::Double, SqlType::double().with_nullable(nullable))
            }
            DataType::Date => (CastTarget::Date, SqlType::plain(TypeKind::Date, 10, 0)),
            DataType::Time(fraction) => {
                let decimals = decimals(*fraction)?;
                let ty = SqlType::plain(TypeKind::Time, temporal_length(10, decimals), decimals);
                (CastTarget::Time, ty)
            }
            DataType::DateTime(fraction) | DataType::Timestamp(fraction) => {
                let decimals = decimals(*fraction)?;
                let ty =
                    SqlType::plain(TypeKind::DateTime, temporal_length(19, decimals), decimals);
                (CastTarget::DateTime, ty)
            }
            DataType::Year(_) => {
                (CastTarget::Year, SqlType::plain(TypeKind::Year, 4, 0).with_unsigned(true))
            }
            DataType::Json => (CastTarget::Json, crate::expr::json::json_type()),
            DataType::Binary(length) => return self.to_binary(operand, *length),
            DataType::Char { length, charset } => {
                if charset.binary && charset.charset.is_none() {
                    let bin = leaf::bin_of(self.connection());
                    return Ok(self.to_text(operand, bin, *length));
                }
                let collation = match &charset.charset {
                    None => self.connection(),
                    Some(name) => leaf::default_collation(name)
                        .ok_or_else(|| SqlError::unknown_character_set(name))?,
                };
                if collation.is_binary() {
                    return self.to_binary(operand, *length);
                }
                let collation = if charset.binary { leaf::bin_of(collation) } else { collation };
                return Ok(self.to_text(operand, collation, *length));
            }
            _ => return Err(SqlError::not_supported_yet("CAST to this type")),
        };
        Ok(Node::new(Op::Cast(target), ty, vec![operand]))
    }

    fn check_decimal(&self, operand: &Node, precision: u64, scale: u64) -> Result<()> {
        let name = printed(operand);
        let name = name.as_str();
        if scale > 30 && scale <= precision {
            return Err(SqlError::new(
                code::ER_TOO_BIG_SCALE,
                &[scale.into(), name.into(), 30u64.into()],
            ));
        }
        if precision > 65 {
            return Err(SqlError::new(
                code::ER_TOO_BIG_PRECISION,
                &[precision.into(), name.into(), 65u64.into()],
            ));
        }
        let shown = if precision == 0 { 10 } else { precision };
        if scale > shown {
            return Err(SqlError::new(code::ER_M_BIGGER_THAN_D, &["".into()]));
        }
        Ok(())
    }

    fn cast_int(&self, operand: Node, unsigned: bool) -> Node {
        let ty = SqlType::bigint(21).with_unsigned(unsigned).with_nullable(operand.ty.nullable);
        let target = if unsigned { CastTarget::Unsigned } else { CastTarget::Signed };
        Node::new(Op::Cast(target), ty, vec![operand])
    }

    /// BINARY: the bytes; `length` pads and cuts.
    pub(crate) fn to_binary(&self, operand: Node, length: Option<u64>) -> Result<Node> {
        let bytes = if operand.ty.kind.is_string() {
            let per = leaf::charset_facts(operand.ty.collation).max_bytes;
            text_length(&operand).saturating_mul(per.into())
        } else {
            cast_length(&operand, CollationId::BINARY)
        };
        let given = length.map(|length| u32::try_from(length).unwrap_or(u32::MAX));
        let mut ty =
            SqlType::varchar(given.unwrap_or(bytes), CollationId::BINARY, Derivation::Implicit);
        ty.kind = text_kind(ty.length);
        ty.nullable = true;
        let target = CastTarget::Binary { bytes: given };
        Ok(Node::new(Op::Cast(target), ty, vec![operand]))
    }

    fn to_text(&self, operand: Node, collation: CollationId, length: Option<u64>) -> Node {
        let given = length.map(|length| u32::try_from(length).unwrap_or(u32::MAX));
        let mut ty = SqlType::varchar(
            given.unwrap_or_else(|| cast_length(&operand, collation)),
            collation,
            Derivation::Implicit,
        );
        let per = u32::from(leaf::charset_facts(collation).max_bytes);
        ty.kind = text_kind(ty.length.saturating_mul(per));
        ty.length = announced_length(ty.length, ty.kind, collation);
        ty.nullable = true;
        let ascii = operand.ascii;
        let target = CastTarget::Text { characters: given };
        Node::new(Op::Cast(target), ty, vec![operand]).with_ascii(ascii)
    }

    /// `CONVERT(expr USING charset)`
    pub(super) fn convert_using(&self, operand: Node, charset: &str) -> Result<Node> {
        let collation = leaf::default_collation(charset)
            .ok_or_else(|| SqlError::unknown_character_set(charset))?;
        let mut ty =
            SqlType::varchar(cast_length(&operand, collation), collation, Derivation::Implicit);
        let per = u32::from(leaf::charset_facts(collation).max_bytes);
        ty.kind = text_kind(ty.length.saturating_mul(per));
        ty.length = announced_length(ty.length, ty.kind, collation);
        ty.nullable = true;
        let ascii = operand.ascii;
        let from = match operand.ty.kind {
            kind if kind.is_string() => operand.ty.collation,
            TypeKind::Bit => CollationId::BINARY,
            _ => self.connection(),
        };
        let op = Op::ToCharset { from, strict: false, written: true };
        Ok(Node::new(op, ty, vec![operand]).with_ascii(ascii))
    }
}

/// Characters of an operand as a string in this collation.
fn cast_length(operand: &Node, to: CollationId) -> u32 {
    let multibyte = leaf::charset_facts(to).max_bytes > 1 || to.is_binary();
    match operand.ty.kind {
        TypeKind::Json if multibyte => u32::MAX,
        TypeKind::Double if !to.is_binary() => text_length(operand),
        kind if kind.is_string() => text_length(operand),
        _ => operand.ty.length,
    }
}

/// The kind that a string of as many bytes at most has.
pub(crate) fn text_kind(bytes: u32) -> TypeKind {
    if bytes >= 16_777_216 {
        TypeKind::LongText
    } else if bytes > 65_535 {
        TypeKind::MediumText
    } else {
        TypeKind::Varchar
    }
}
