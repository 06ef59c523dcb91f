//! Aggregates: what they take and give.

use firn_mysql_parser::ast::{self, AggregateKind};
use firn_mysql_semantics::collation::Collation;
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::{Binder, Node, Result, printed};
use firn_mysql_semantics::{CollationId, Derivation, NOT_FIXED_DECIMALS, SqlType, TypeKind};

use super::OrderBy;

/// An aggregate call.
#[derive(Debug, Clone)]
pub(crate) struct Aggregate {
    /// What it computes.
    pub(crate) function: AggregateFunction,
    /// Equal operands count once.
    pub(crate) distinct: bool,
    /// Its operands; none for `COUNT(*)`.
    pub(crate) args: Vec<Node>,
    /// Of GROUP_CONCAT: the order of the values.
    pub(crate) order_by: Vec<OrderBy>,
    /// Of GROUP_CONCAT: what stands between them.
    pub(crate) separator: Vec<u8>,
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
    /// STDDEV_POP, STDDEV_SAMP, VAR_POP and VAR_SAMP.
    Variance { sample: bool, root: bool },
    /// GROUP_CONCAT
    Concat,
    /// JSON_ARRAYAGG, over arrays of one element.
    JsonArray,
    /// JSON_OBJECTAGG, over objects of one member.
    JsonObject,
}

impl Aggregate {
    /// The typed form of a call.
    ///
    /// # Errors
    /// 1235 for aggregates that are not built.
    pub(crate) fn bind(call: &ast::Aggregate, binder: &Binder<'_>) -> Result<Self> {
        // COUNT(*) has no operand, or a literal one.
        let mut args = call.args.iter().map(|arg| binder.bind(arg)).collect::<Result<Vec<_>>>()?;
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
            AggregateKind::GroupConcat => F::Concat,
            AggregateKind::JsonArrayAgg => F::JsonArray,
            AggregateKind::JsonObjectAgg => F::JsonObject,
            AggregateKind::StCollect => return Err(SqlError::not_supported_yet("ST_COLLECT")),
            AggregateKind::StddevPop => F::Variance { sample: false, root: true },
            AggregateKind::StddevSamp => F::Variance { sample: true, root: true },
            AggregateKind::VarPop => F::Variance { sample: false, root: false },
            AggregateKind::VarSamp => F::Variance { sample: true, root: false },
        };
        let mut order_by = Vec::with_capacity(call.order_by.len());
        for key in &call.order_by {
            let node = match &key.expr.kind {
                ast::ExprKind::Literal(ast::Literal::Int(number)) => {
                    let at = usize::try_from(*number).ok().and_then(|number| number.checked_sub(1));
                    let arg = at.and_then(|at| args.get(at)).cloned();
                    let unknown = || SqlError::unknown_column(&number.to_string(), "order clause");
                    arg.ok_or_else(unknown)?
                }
                _ => binder.bind(&key.expr)?,
            };
            order_by.push(OrderBy { node, descending: key.descending });
        }
        let ty = match function {
            F::Concat => concatenated(&mut args, binder)?,
            F::JsonArray | F::JsonObject => {
                let document = document(function, call, binder)?;
                let ty = document.ty.with_nullable(true);
                args = vec![document];
                ty
            }
            F::BitAnd | F::BitOr | F::BitXor if args.first().is_some_and(Node::is_bit_string) => {
                bit_string(args.first().map_or(0, |arg| arg.ty.length))?
            }
            _ => {
                let first = args.first().map(|arg| arg.ty);
                result_type(function, first, binder)
            }
        };
        let separator = match (&call.separator, function) {
            (Some(text), F::Concat) => separator_in(text, &ty)?,
            (None, F::Concat) => separator_in(b",", &ty)?,
            _ => Vec::new(),
        };
        Ok(Self { function, distinct: call.distinct, args, order_by, separator, ty })
    }
}

impl Aggregate {
    /// All values of a group are kept for it: a server sorts the rows then.
    pub(crate) fn keeps_values(&self) -> bool {
        use AggregateFunction as F;
        self.distinct || matches!(self.function, F::Concat | F::JsonArray | F::JsonObject)
    }

    /// The call as errors print it.
    pub(super) fn name(&self, call: &ast::Aggregate) -> String {
        let function = match call.kind {
            AggregateKind::Count => "count",
            AggregateKind::Sum => "sum",
            AggregateKind::Avg => "avg",
            AggregateKind::Min => "min",
            AggregateKind::Max => "max",
            AggregateKind::BitAnd => "bit_and",
            AggregateKind::BitOr => "bit_or",
            AggregateKind::BitXor => "bit_xor",
            AggregateKind::GroupConcat => "group_concat",
            AggregateKind::JsonArrayAgg => "json_arrayagg",
            AggregateKind::JsonObjectAgg => "json_objectagg",
            AggregateKind::StCollect => "st_collect",
            AggregateKind::StddevPop => "std",
            AggregateKind::StddevSamp => "stddev_samp",
            AggregateKind::VarPop => "variance",
            AggregateKind::VarSamp => "var_samp",
        };
        let distinct = if self.distinct { "distinct " } else { "" };
        let args: Vec<String> = self.args.iter().map(printed).collect();
        let args = if call.args.is_empty() { "0".to_owned() } else { args.join(",") };
        format!("{function}({distinct}{args})")
    }
}

/// Integers and DECIMALs are summed exactly; times, strings and floats as doubles.
fn is_exact(ty: &SqlType) -> bool {
    ty.kind.is_integer()
        || matches!(ty.kind, TypeKind::Decimal | TypeKind::Bit | TypeKind::Year)
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
        // One of the places is the sign's.
        TypeKind::BigInt => (ty.length.saturating_sub(u32::from(!ty.unsigned)).clamp(1, 21), 0),
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
        F::SumDouble => double(first.decimals),
        F::AvgDouble => double(first.decimals.saturating_add(binder_increment(binder))),
        F::Variance { .. } => SqlType::double(),
        // These have types of their own.
        F::Concat | F::JsonArray | F::JsonObject => first,
        F::Min | F::Max => {
            let mut ty = match first.is_null_column() {
                true => SqlType::NULL_STRING,
                false => first.with_nullable(true),
            };
            // The value is the member's text, not its number.
            if matches!(ty.kind, TypeKind::Enum | TypeKind::Set) {
                ty.kind = TypeKind::Char;
            }
            ty
        }
        F::BitAnd | F::BitOr | F::BitXor => {
            let mut ty = SqlType::bigint(21).with_unsigned(true).not_null();
            // As a string it is bytes.
            ty.collation = CollationId::BINARY;
            ty.derivation = Derivation::Coercible;
            ty
        }
    }
}

/// Bytes of which BIT_AND, BIT_OR and BIT_XOR take no more.
const BIT_STRING_BYTES_MAX: u32 = 511;

/// The type of BIT_AND, BIT_OR and BIT_XOR of strings of so many bytes.
fn bit_string(bytes: u32) -> Result<SqlType> {
    if bytes > BIT_STRING_BYTES_MAX {
        return Err(SqlError::new(code::ER_INVALID_BITWISE_AGGREGATE_OPERANDS_SIZE, &[]));
    }
    // A server keeps one byte more for whether there was any.
    let ty = SqlType::varchar(bytes + 1, CollationId::BINARY, Derivation::Coercible);
    Ok(ty.with_unsigned(true).not_null())
}

/// A DOUBLE of so many decimals, if it has room for them.
fn double(decimals: u8) -> SqlType {
    match decimals < NOT_FIXED_DECIMALS {
        true => SqlType::plain(TypeKind::Double, 17 + u32::from(decimals), decimals),
        false => SqlType::double(),
    }
}

fn binder_increment(binder: &Binder<'_>) -> u8 {
    binder.settings().div_precision_increment
}

/// The default of `group_concat_max_len`, which decides what clients are told.
const CONCAT_BYTES: u32 = 1024;

/// The type of GROUP_CONCAT; strings among its operands are brought into one set.
fn concatenated(args: &mut [Node], binder: &Binder<'_>) -> Result<SqlType> {
    let is_text = |arg: &Node| arg.ty.kind.is_string() || arg.ty.kind == TypeKind::Json;
    let at: Vec<usize> = (0..args.len()).filter(|at| is_text(&args[*at])).collect();
    let mut texts: Vec<Node> = at.iter().map(|at| args[*at].clone()).collect();
    let bits = args.iter().any(|arg| arg.ty.kind == TypeKind::Bit)
        || args.iter().all(|arg| arg.ty.derivation == Derivation::Ignorable);
    let (collation, merged) = match texts.is_empty() {
        _ if bits => (CollationId::BINARY, Derivation::Coercible),
        true => (binder.settings().connection_collation, Derivation::Coercible),
        false => {
            let merged = binder.merged(&mut texts, "group_concat")?;
            (merged.collation, merged.derivation)
        }
    };
    for (at, text) in at.into_iter().zip(texts) {
        args[at] = text;
    }
    // As many characters as a server tells of: each as long as the longest of its set.
    let bytes = Collation::by_id(collation.0).map_or(1, |one| one.charset().max_bytes() as u32);
    let characters = CONCAT_BYTES * bytes;
    // Nothing but NULLs has no character set of its own.
    let none = args.iter().all(|arg| arg.ty.derivation == Derivation::Ignorable);
    let derivation = if none { Derivation::Ignorable } else { merged };
    let mut ty = SqlType::varchar(characters, collation, derivation);
    ty.kind = TypeKind::Text;
    Ok(ty)
}

/// A text of the connection in the character set of a type.
fn separator_in(text: &[u8], ty: &SqlType) -> Result<Vec<u8>> {
    use firn_mysql_semantics::charset::{Charset, convert};
    let to = Collation::by_id(ty.collation.0).map_or(Charset::utf8mb4(), Collation::charset);
    if to.name() == "binary" {
        return Ok(text.to_vec());
    }
    let mut out = Vec::with_capacity(text.len());
    convert(text, Charset::utf8mb4(), to, &mut out)
        .map_err(|why| SqlError::not_supported_yet(&why.to_string()))?;
    Ok(out)
}

/// `JSON_ARRAY(value)` and `JSON_OBJECT(name, value)`: what one row adds.
fn document(
    function: AggregateFunction,
    call: &ast::Aggregate,
    binder: &Binder<'_>,
) -> Result<Node> {
    let name = match function {
        AggregateFunction::JsonObject => "json_object",
        _ => "json_array",
    };
    let span = ast::Span::default();
    let call = ast::Call {
        schema: None,
        name: ast::Ident { text: name.into(), span },
        keyword: true,
        args: call.args.clone(),
        window: None,
    };
    binder.bind(&ast::Expr { kind: ast::ExprKind::Call(Box::new(call)), span })
}
