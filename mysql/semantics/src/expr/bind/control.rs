//! CASE, IF and their like.

use firn_mysql_parser::ast;

use super::merge::temporal_length;
use super::{Binder, merged_type};
use crate::expr::compare::Comparison;
use crate::expr::eval::internal;
use crate::expr::node::{ExtremeDates, Node, Op};
use crate::expr::{Result, leaf};
use crate::types::{CollationId, SqlType, TypeKind};
use crate::value::Bytes;

/// What the server announces for a constant that has become a year, or a date with a time.
const YEAR_LENGTH: u32 = 22;

impl Binder<'_> {
    pub(super) fn case(&self, case: &ast::Case) -> Result<Node> {
        let mut args = Vec::with_capacity(2 * case.branches.len() + 2);
        for (when, then) in &case.branches {
            args.push(self.bind(when)?);
            args.push(self.bind(then)?);
        }
        let otherwise = case.otherwise.is_some();
        if let Some(value) = &case.otherwise {
            args.push(self.bind(value)?);
        }
        let mut values: Vec<usize> = (0..case.branches.len()).map(|at| 2 * at + 1).collect();
        if otherwise {
            values.push(args.len() - 1);
        }
        let mut ty = merged_type(self, &mut args, &values, "case")?;
        ty.nullable =
            !otherwise || values.iter().any(|at| args.get(*at).is_some_and(|arg| arg.ty.nullable));
        let Some(operand) = &case.operand else {
            return Ok(Node::new(Op::Case { otherwise }, ty, args));
        };
        let operand = self.bind(operand)?;
        let mut compared = vec![operand];
        compared.extend(args.iter().step_by(2).take(case.branches.len()).cloned());
        let with = self.each_comparison(&mut compared, "case")?;
        let mut compared = compared.into_iter();
        let operand = compared.next().ok_or_else(internal)?;
        for (slot, when) in args.iter_mut().step_by(2).zip(compared) {
            *slot = when;
        }
        args.insert(0, operand);
        Ok(Node::new(Op::CaseOf { otherwise, with }, ty, args))
    }

    /// IF(c, a, b)
    pub(super) fn if_call(&self, mut args: Vec<Node>) -> Result<Node> {
        let mut ty = merged_type(self, &mut args, &[1, 2], "if")?;
        ty.nullable = args.iter().skip(1).any(|arg| arg.ty.nullable);
        Ok(Node::new(Op::If, ty, args))
    }

    /// IFNULL(a, b) and COALESCE(…)
    pub(super) fn coalesce(&self, mut args: Vec<Node>, name: &str) -> Result<Node> {
        let all: Vec<usize> = (0..args.len()).collect();
        let mut ty = merged_type(self, &mut args, &all, name)?;
        ty.nullable = args.iter().all(|arg| arg.ty.nullable);
        let mut node = Node::new(Op::Coalesce, ty, args);
        node.is_ifnull = name == "ifnull";
        Ok(node)
    }

    /// NULLIF(a, b)
    pub(super) fn null_if(&self, args: Vec<Node>) -> Result<Node> {
        let mut pair: [Node; 2] = args.try_into().map_err(|_| internal())?;
        let original = pair[0].ty;
        let with = match self.time_beside_text(&mut pair, "nullif")? {
            Some(with) => with,
            None => {
                let [a, b] = &mut pair;
                if let Some(stored) = self.stored_number(a, b) {
                    *b = stored;
                } else if let Some(stored) = self.stored_bigint(a, b) {
                    *b = stored;
                } else if let Some(stored) = self.stored_bigint(b, a) {
                    // The result is that integer too.
                    *a = stored;
                } else if let Some(stored) = Self::stored_year(a, b) {
                    *b = stored;
                } else if let Some(stored) = Self::stored_year(b, a) {
                    // Of the column's type.
                    let ty = SqlType::plain(TypeKind::Year, YEAR_LENGTH, 0).with_unsigned(true);
                    *a = Node { ty, ..stored };
                } else if let Some(stored) = self.stored_number(b, a) {
                    // Of the column's type, too.
                    let ty = match stored.ty.kind {
                        kind @ (TypeKind::DateTime | TypeKind::Timestamp) => {
                            SqlType::plain(kind, YEAR_LENGTH, 0).with_unsigned(true)
                        }
                        _ => stored.ty,
                    };
                    *a = Node { ty, ..stored };
                }
                match self.checked_comparison(&mut pair, "nullif")? {
                    Comparison::DateTime | Comparison::LenientDateTime => Comparison::NamedDateTime,
                    with => with,
                }
            }
        };
        // A literal may have become bytes, or an integer; bytes stay what they are.
        let stays = original.is_binary_string() && pair[0].ty.kind.is_string();
        let ty = if stays { original } else { pair[0].ty };
        let mut ty = ty.with_nullable(true);
        // What is left of a member is its text.
        if matches!(ty.kind, TypeKind::Enum | TypeKind::Set) {
            ty.kind = TypeKind::Char;
        }
        Ok(Node::new(Op::NullIf(with), ty, pair.into()))
    }

    /// GREATEST and LEAST
    pub(super) fn extreme(&self, greatest: bool, mut args: Vec<Node>) -> Result<Node> {
        let name = if greatest { "greatest" } else { "least" };
        let nullable = args.iter().any(|arg| arg.ty.nullable);
        let all: Vec<usize> = (0..args.len()).collect();
        let bytes = args.iter().filter_map(|arg| match &arg.op {
            Op::Hex(bytes) => Some(bytes.clone()),
            _ => None,
        });
        let bytes = bytes.collect();
        let mut ty = merged_type(self, &mut args, &all, name)?;
        if args.iter().any(|arg| arg.ty.kind == TypeKind::Json) {
            let what = "comparison of JSON in the LEAST and GREATEST operators";
            self.warn(crate::error::SqlError::not_supported_yet(what));
            if ty.kind == TypeKind::Json {
                ty.kind = TypeKind::Varchar;
            }
        }
        ty.nullable = nullable;
        let dates = extreme_dates(&args, &mut ty, bytes);
        let by = if dates.is_some() {
            Comparison::Text(ty.collation)
        } else if args.iter().any(Node::is_null_literal) {
            Comparison::Text(CollationId::BINARY)
        } else {
            self.extreme_comparison(&mut args, &ty, name)?
        };
        Ok(Node::new(Op::Extreme { greatest, by, dates }, ty, args))
    }

    fn extreme_comparison(
        &self,
        args: &mut [Node],
        ty: &SqlType,
        name: &str,
    ) -> Result<Comparison> {
        Ok(match ty.kind {
            kind if kind.is_integer() || matches!(kind, TypeKind::Year | TypeKind::Bit) => {
                Comparison::Int
            }
            TypeKind::Decimal => Comparison::Decimal,
            TypeKind::Float | TypeKind::Double => Comparison::Double,
            TypeKind::Time => Comparison::Time,
            kind if kind.is_temporal() => Comparison::DateTime,
            _ => {
                let all: Vec<usize> = (0..args.len()).collect();
                let purpose = crate::expr::coercion::Purpose::Result;
                let coll = crate::expr::coercion::unify(args, &all, purpose, name, self)?;
                Comparison::Text(coll.id)
            }
        })
    }
}

/// How the strings that GREATEST and LEAST give print dates, if any operand is one;
/// times and dates make the strings as long as they print.
fn extreme_dates(args: &[Node], ty: &mut SqlType, bytes: Box<[Bytes]>) -> Option<ExtremeDates> {
    if !ty.kind.is_string() {
        return None;
    }
    let dated = args.iter().find(|arg| arg.ty.kind.has_date());
    if dated.is_none() && !args.iter().any(|arg| arg.ty.kind == TypeKind::Time) {
        return None;
    }
    let with_time =
        args.iter().find(|arg| matches!(arg.ty.kind, TypeKind::DateTime | TypeKind::Timestamp));
    let decimals =
        args.iter().map(|arg| leaf::decimals_as_time(arg, dated.is_some())).max().unwrap_or(0);
    let printed = match (dated, with_time) {
        (None, _) => {
            let times = args.iter().filter(|arg| arg.ty.kind == TypeKind::Time);
            let longest = times.map(|arg| arg.ty.length).max().unwrap_or(0);
            temporal_length(if decimals == 0 { longest.min(10) } else { 10 }, decimals)
        }
        (_, Some(_)) => temporal_length(19, decimals),
        _ => 10,
    };
    if printed > ty.length {
        ty.length = printed;
        if ty.kind == TypeKind::Char {
            ty.kind = TypeKind::Varchar;
        }
    }
    let name = leaf::operand_name(with_time.or(dated)?).into_boxed_str();
    let binary = ty.collation.is_binary();
    Some(ExtremeDates { date_only: with_time.is_none(), decimals, name, binary, bytes })
}
