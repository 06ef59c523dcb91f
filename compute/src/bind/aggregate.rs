//! Aggregates: what they take and give.

use firn_mysql_parser::ast::{self, AggregateKind};
use firn_mysql_semantics::error::SqlError;
use firn_mysql_semantics::expr::{Binder, Node, Result};
use firn_mysql_semantics::{CollationId, SqlType, TypeKind};

/// An aggregate call.
#[derive(Debug, Clone)]
pub(crate) struct Aggregate {
    /// What it computes.
    pub(crate) function: AggregateFunction,
    /// Equal operands count once.
    pub(crate) distinct: bool,
    /// Its operands; none for `COUNT(*)`.
    pub(crate) args: Vec<Node>,
    /// The type of its result.
    pub(crate) ty: SqlType,
}

/// The aggregates that are run row by row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AggregateFunction {
    /// COUNT
    Count,
    /// SUM of exact numbers.
    SumDecimal,
    /// SUM of others.
    SumDouble,
    /// AVG of exact numbers.
    AvgDecimal,
    /// AVG of others.
    AvgDouble,
    /// MIN
    Min,
    /// MAX
    Max,
    /// BIT_AND
    BitAnd,
    /// BIT_OR
    BitOr,
    /// BIT_XOR
    BitXor,
}

impl Aggregate {
    /// The typed form of a call.
    ///
    /// # Errors
    /// 1235 for aggregates that are not built.
    pub(crate) fn bind(call: &ast::Aggregate, binder: &Binder<'_>) -> Result<Self> {
        if call.over.is_some() {
            return Err(SqlError::not_supported_yet("window functions"));
        }
        // COUNT(*) has no operand, or a literal one.
        let args = call.args.iter().map(|arg| binder.bind(arg)).collect::<Result<Vec<_>>>()?;
        let exact = args.first().is_some_and(|arg| is_exact(&arg.ty));
        use AggregateFunction as F;
        let function = match call.kind {
            AggregateKind::Count => F::Count,
            AggregateKind::Sum if exact => F::SumDecimal,
            AggregateKind::Sum => F::SumDouble,
            AggregateKind::Avg if exact => F::AvgDecimal,
            AggregateKind::Avg => F::AvgDouble,
            AggregateKind::Min => F::Min,
            AggregateKind::Max => F::Max,
            AggregateKind::BitAnd => F::BitAnd,
            AggregateKind::BitOr => F::BitOr,
            AggregateKind::BitXor => F::BitXor,
            AggregateKind::GroupConcat => return Err(SqlError::not_supported_yet("GROUP_CONCAT")),
            AggregateKind::JsonArrayAgg | AggregateKind::JsonObjectAgg => {
                return Err(SqlError::not_supported_yet("aggregates of JSON"));
            }
            AggregateKind::StCollect => return Err(SqlError::not_supported_yet("ST_COLLECT")),
            AggregateKind::StddevPop
            | AggregateKind::StddevSamp
            | AggregateKind::VarPop
            | AggregateKind::VarSamp => return Err(SqlError::not_supported_yet("variances")),
        };
        let first = args.first().map(|arg| arg.ty);
        let ty = result_type(function, first, binder);
        Ok(Self { function, distinct: call.distinct, args, ty })
    }
}

/// Integers and DECIMALs are summed exactly; times, strings and floats as doubles.
fn is_exact(ty: &SqlType) -> bool {
    ty.kind.is_integer()
        || matches!(ty.kind, TypeKind::Decimal | TypeKind::Bit | TypeKind::Year | TypeKind::Null)
        || ty.kind.is_temporal()
}

/// Digits before and after the point that a type has as a DECIMAL.
fn digits(ty: &SqlType) -> (u32, u8) {
    match ty.kind {
        TypeKind::Decimal => (ty.precision(), ty.decimals),
        TypeKind::TinyInt => (3, 0),
        TypeKind::SmallInt => (5, 0),
        TypeKind::MediumInt => (8, 0),
        TypeKind::Int => (10, 0),
        TypeKind::Year => (4, 0),
        TypeKind::BigInt => (ty.length.clamp(1, 21), 0),
        _ if ty.kind.is_temporal() => (ty.length.max(14) + u32::from(ty.decimals), ty.decimals),
        _ => (21, 0),
    }
}

fn result_type(
    function: AggregateFunction,
    first: Option<SqlType>,
    binder: &Binder<'_>,
) -> SqlType {
    use AggregateFunction as F;
    let first = first.unwrap_or(SqlType::NULL);
    match function {
        F::Count => SqlType::bigint(21).not_null(),
        F::SumDecimal => {
            let (precision, scale) = digits(&first);
            let precision = (precision + 22).min(65);
            SqlType::decimal(precision as u8, scale, false)
        }
        F::AvgDecimal => {
            let (precision, scale) = digits(&first);
            let more = binder_increment(binder);
            let scale = scale.saturating_add(more).min(30);
            let precision = (precision + u32::from(more)).clamp(u32::from(scale), 65);
            SqlType::decimal(precision as u8, scale, false)
        }
        F::SumDouble | F::AvgDouble => SqlType::double(),
        F::Min | F::Max => {
            let mut ty = first.with_nullable(true);
            // The value is the member's text, not its number.
            if matches!(ty.kind, TypeKind::Enum | TypeKind::Set) {
                ty.kind = TypeKind::Char;
            }
            ty
        }
        F::BitAnd | F::BitOr | F::BitXor => {
            let mut ty = SqlType::bigint(21).with_unsigned(true).not_null();
            ty.collation = CollationId::BINARY;
            ty
        }
    }
}

fn binder_increment(binder: &Binder<'_>) -> u8 {
    binder.settings().div_precision_increment
}
