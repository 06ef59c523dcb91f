//! The common type of the branches of CASE, IF, COALESCE, GREATEST and such.

use super::Binder;
use super::operator::{decimal_precision, double_type};
use super::site::{announced_length, text_length};
use crate::expr::Result;
use crate::expr::coercion::{Purpose, unify};
use crate::expr::node::Node;
use crate::types::{Derivation, NOT_FIXED_DECIMALS, SqlType, TypeKind as K};

fn rank(kind: K) -> u8 {
    match kind {
        K::TinyInt => 1,
        K::SmallInt => 2,
        K::MediumInt => 3,
        K::Int => 4,
        _ => 5,
    }
}

fn text_rank(kind: K) -> u8 {
    match kind {
        K::TinyText => 1,
        K::Text => 2,
        K::MediumText => 3,
        K::LongText => 4,
        _ => 0,
    }
}

/// The kind two kinds have in common.
fn merged_kind(a: K, b: K) -> K {
    match (a, b) {
        (K::Null, other) | (other, K::Null) => other,
        // Members of one and the other have no length in common, and are not filled up.
        (K::Enum, K::Set) | (K::Set, K::Enum) => K::Varchar,
        (K::Enum | K::Set, K::Enum | K::Set) => K::Char,
        (a, b) if a == b => a,
        (a, b) if a.is_integer() && b.is_integer() => {
            if rank(a) > rank(b) {
                a
            } else {
                b
            }
        }
        (K::Year, other) | (other, K::Year) if other.is_integer() => {
            if other == K::TinyInt {
                K::SmallInt
            } else {
                other
            }
        }
        (K::Bit, other) | (other, K::Bit) if other.is_integer() || other == K::Year => K::BigInt,
        (K::Decimal, other) | (other, K::Decimal)
            if other.is_integer() || matches!(other, K::Year | K::Bit) =>
        {
            K::Decimal
        }
        // A server finds room for a BIGINT in a FLOAT that comes before it, and for an INT in none.
        (K::Float, K::BigInt) => K::Float,
        (K::Float, other) | (other, K::Float)
            if matches!(other, K::TinyInt | K::SmallInt | K::MediumInt | K::Year) =>
        {
            K::Float
        }
        (K::Float | K::Double, other) | (other, K::Float | K::Double)
            if other.is_integer()
                || matches!(other, K::Decimal | K::Float | K::Double | K::Year | K::Bit) =>
        {
            K::Double
        }
        (a, b) if a.is_temporal() && b.is_temporal() => K::DateTime,
        (K::Json, _) | (_, K::Json) => K::LongText,
        (K::Geometry, _) | (_, K::Geometry) => K::LongText,
        (a, b) if text_rank(a) > 0 || text_rank(b) > 0 => {
            if text_rank(a) > text_rank(b) {
                a
            } else {
                b
            }
        }
        (K::Char, other) | (other, K::Char) if other != K::Varchar => K::Char,
        _ => K::Varchar,
    }
}

/// The type of what chooses among `args` at `which`; strings there are brought
/// into one character set.
pub(crate) fn merged_type(
    binder: &Binder<'_>,
    args: &mut [Node],
    which: &[usize],
    operation: &str,
) -> Result<SqlType> {
    let chosen: Vec<&Node> = which.iter().filter_map(|at| args.get(*at)).collect();
    let mut kind = K::Null;
    let mut unsigned: Option<bool> = None;
    let mut mixed = false;
    for node in &chosen {
        kind = merged_kind(kind, node.ty.kind);
        if node.ty.kind != K::Null {
            mixed |= unsigned.is_some_and(|unsigned| unsigned != node.ty.unsigned);
            unsigned.get_or_insert(node.ty.unsigned);
        }
    }
    // A column of NULLs is signed.
    if kind.is_integer() && chosen.iter().any(|node| node.ty.is_null_column()) {
        mixed |= unsigned == Some(true);
    }
    // What is chosen is a member's text, wherever it comes from.
    if matches!(kind, K::Enum | K::Set) {
        kind = K::Char;
    }
    if mixed && kind.is_integer() {
        let same =
            |node: &&&Node| node.ty.unsigned && (node.ty.kind == kind || node.ty.kind == K::Bit);
        if chosen.iter().any(|node| same(&node)) {
            kind = match kind {
                K::TinyInt => K::SmallInt,
                K::SmallInt => K::MediumInt,
                K::MediumInt => K::Int,
                K::Int => K::BigInt,
                _ => K::Decimal,
            };
        }
    }
    let all_unsigned = !mixed && unsigned.unwrap_or(false);
    let decimals = |node: &&Node| match node.ty.kind == K::Null && !node.ty.is_null_column() {
        true => 0,
        false => node.ty.decimals,
    };
    let scale = chosen.iter().map(decimals).max().unwrap_or(0);
    let mut ty = match kind {
        K::Null => SqlType::NULL,
        K::Decimal => {
            // Beside a column of NULLs there are more decimals than can be, which then count as
            // digits before the point.
            let digits = |node: &&Node| match node.ty.decimals {
                NOT_FIXED_DECIMALS => decimal_precision(node),
                decimals => decimal_precision(node).saturating_sub(u32::from(decimals)),
            };
            let int = chosen.iter().map(digits).max().unwrap_or(0);
            let precision = (int + u32::from(scale)).min(65) as u8;
            SqlType::decimal(precision.max(scale), scale.min(NOT_FIXED_DECIMALS), all_unsigned)
        }
        K::Float | K::Double => {
            let mut ty = double_type(scale.min(NOT_FIXED_DECIMALS));
            ty.kind = kind;
            if ty.decimals < NOT_FIXED_DECIMALS {
                let whole = |node: &&Node| {
                    let decimals = if node.ty.kind == K::Null { 0 } else { node.ty.decimals };
                    node.ty.length.saturating_sub(decimals.into())
                };
                let whole = chosen.iter().map(whole).max().unwrap_or(0);
                ty.length = whole + u32::from(ty.decimals);
            }
            ty
        }
        kind if kind.is_integer() || matches!(kind, K::Year | K::Bit) => {
            let needs_sign = mixed && matches!(kind, K::Year | K::Bit);
            let longest = chosen
                .iter()
                .map(|node| node.ty.length + u32::from(needs_sign && node.ty.unsigned))
                .max()
                .unwrap_or(0);
            SqlType::plain(kind, longest, 0).with_unsigned(all_unsigned)
        }
        K::Date => SqlType::plain(K::Date, 10, 0),
        // Those of NULLs are of no time.
        K::Time | K::DateTime | K::Timestamp if scale == NOT_FIXED_DECIMALS => {
            let others = chosen.iter().filter(|node| node.ty.kind != K::Null);
            let scale = others.map(|node| node.ty.decimals).max().unwrap_or(0).min(6);
            let whole = if kind == K::Time { 10 } else { 19 };
            SqlType::plain(kind, temporal_length(whole, scale), scale)
        }
        K::Time => SqlType::plain(K::Time, temporal_length(10, scale), scale),
        K::DateTime | K::Timestamp => {
            let scale = scale.min(6);
            SqlType::plain(kind, temporal_length(19, scale), scale)
        }
        K::Json => return Ok(crate::expr::json::json_type()),
        kind => {
            let lengths: Vec<u32> = chosen.iter().map(|node| text_length(node)).collect();
            let coll = unify(args, which, Purpose::Result, operation, binder)?;
            // What has turned out to be NULL has no length.
            let known = which.iter().zip(lengths).map(|(at, length)| match args.get(*at) {
                Some(arg) if arg.is_null_literal() => 0,
                _ => length,
            });
            let mut length = known.max().unwrap_or(0);
            if coll.id.is_binary() {
                let bytes = |arg: &Node| match arg.ty.kind.is_string() {
                    true => {
                        let per = crate::expr::leaf::charset_facts(arg.ty.collation).max_bytes;
                        text_length(arg).saturating_mul(per.into())
                    }
                    false if arg.ty.kind == K::Json => u32::MAX,
                    false => arg.ty.length,
                };
                length = which.iter().filter_map(|at| args.get(*at)).map(bytes).max().unwrap_or(0);
            }
            let length = announced_length(length, kind, coll.id);
            let mut ty = SqlType::varchar(length, coll.id, coll.derivation);
            ty.kind = kind;
            ty
        }
    };
    if !ty.kind.is_string() {
        ty.derivation = Derivation::Numeric;
    }
    Ok(ty)
}

/// Characters of a temporal type with this many decimals.
pub(crate) fn temporal_length(whole: u32, decimals: u8) -> u32 {
    if decimals == 0 { whole } else { whole + 1 + u32::from(decimals.min(6)) }
}
