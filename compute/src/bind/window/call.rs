//! Window functions by themselves: their operands and the types of their results.

use firn_mysql_parser::ast::{self, AggregateKind};
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::{Binder, Node, Result};
use firn_mysql_semantics::{NOT_FIXED_DECIMALS, SqlType, TypeKind};

use super::super::{Aggregate, StatementScope, columns_of};

/// A call of a window function.
#[derive(Debug)]
pub(crate) struct WindowCall {
    /// What it computes.
    pub(crate) function: WindowFunction,
    /// Which of the windows it looks through.
    pub(crate) window: usize,
}

/// The window functions.
#[derive(Debug)]
pub(crate) enum WindowFunction {
    /// ROW_NUMBER
    RowNumber,
    /// RANK
    Rank,
    /// DENSE_RANK
    DenseRank,
    /// PERCENT_RANK
    PercentRank,
    /// CUME_DIST
    CumeDist,
    /// NTILE, of so many groups.
    Ntile(Node),
    /// LAG and LEAD.
    Shift {
        lead: bool,
        value: Node,
        /// One row if it is not said.
        distance: Option<Node>,
        /// Of rows that are not there.
        default: Option<Node>,
    },
    /// FIRST_VALUE
    First(Node),
    /// LAST_VALUE
    Last(Node),
    /// NTH_VALUE, and which one.
    Nth(Node, Node),
    /// An aggregate over the rows of the frame.
    Aggregate(Aggregate),
}

/// A rank or a number of rows.
fn count_type() -> SqlType {
    SqlType::bigint(21).with_unsigned(true).not_null()
}

/// The type of a value that has been kept for other rows, as clients are told of it.
fn kept(mut ty: SqlType) -> SqlType {
    if ty.is_null_column() {
        return SqlType::NULL_STRING;
    }
    ty.kind = match ty.kind {
        kind if kind.is_integer() => {
            if ty.length < 10 {
                TypeKind::Int
            } else {
                TypeKind::BigInt
            }
        }
        TypeKind::Year => TypeKind::Int,
        TypeKind::Char | TypeKind::Enum | TypeKind::Set => TypeKind::Varchar,
        kind => kind,
    };
    ty
}

/// A value as it is kept.
fn value(mut node: Node) -> Node {
    let ty = kept(node.ty).with_nullable(true);
    if ty.kind != node.ty.kind {
        return Node::as_type(node, ty);
    }
    node.ty = ty;
    node
}

impl WindowFunction {
    fn bind(call: &ast::Call, window: &ast::WindowCall, binder: &Binder<'_>) -> Result<Self> {
        if window.from_last {
            return Err(SqlError::not_supported_yet("FROM LAST"));
        }
        if window.ignore_nulls {
            return Err(SqlError::not_supported_yet("IGNORE NULLS"));
        }
        let name = call.name.as_str();
        // A name where a number is wanted is a stored program's variable.
        let number = match name {
            "ntile" => call.args.first(),
            "lag" | "lead" => call.args.get(1),
            _ => None,
        };
        if let Some(ast::Expr { kind: ast::ExprKind::Column(variable), .. }) = number {
            let variable = variable.name.as_str();
            return Err(SqlError::new(code::ER_SP_UNDECLARED_VAR, &[variable.into()]));
        }
        let bound = call.args.iter().map(|arg| binder.bind(arg)).collect::<Result<Vec<_>>>()?;
        let mut args = bound.into_iter();
        let wrong = || SqlError::new(code::ER_WRONG_ARGUMENTS, &[name.into()]);
        let mut next = || args.next().ok_or_else(wrong);
        Ok(match name {
            "row_number" => Self::RowNumber,
            "rank" => Self::Rank,
            "dense_rank" => Self::DenseRank,
            "percent_rank" => Self::PercentRank,
            "cume_dist" => Self::CumeDist,
            "ntile" => Self::Ntile(next()?),
            "first_value" => Self::First(value(next()?)),
            "last_value" => Self::Last(value(next()?)),
            "nth_value" => {
                let (of, at) = (next()?, next()?);
                let mut of_rows = false;
                columns_of(&at, &mut |_| of_rows = true);
                if at.is_null_literal() || of_rows {
                    return Err(wrong());
                }
                Self::Nth(value(of), at)
            }
            "lag" | "lead" => {
                let lead = name == "lead";
                let of = next()?;
                let distance = args.next();
                match args.next() {
                    None => {
                        let mut value = value(of);
                        let ty = &mut value.ty;
                        if matches!(ty.kind, TypeKind::Float | TypeKind::Double)
                            && ty.decimals == NOT_FIXED_DECIMALS
                        {
                            ty.length = SqlType::double().length;
                        }
                        Self::Shift { lead, value, distance, default: None }
                    }
                    Some(default) => {
                        let mut pair = [of, default];
                        let nullable = pair.iter().any(|node| node.ty.nullable);
                        let ty = kept(binder.merged(&mut pair, name)?).with_nullable(nullable);
                        let [of, default] = pair.map(|node| Node::as_type(node, ty));
                        Self::Shift { lead, value: of, distance, default: Some(default) }
                    }
                }
            }
            _ => return Err(SqlError::not_supported_yet(name)),
        })
    }

    /// The type of its result.
    pub(super) fn result_type(&self) -> SqlType {
        match self {
            Self::RowNumber | Self::Rank | Self::DenseRank | Self::Ntile(_) => count_type(),
            Self::PercentRank | Self::CumeDist => SqlType::double().not_null(),
            Self::Shift { value, .. } => value.ty,
            Self::First(value) | Self::Last(value) | Self::Nth(value, _) => value.ty,
            Self::Aggregate(aggregate) => kept(aggregate.ty),
        }
    }
}

impl WindowCall {
    /// Its expressions over the flat row; those that are the same for all rows left out.
    pub(crate) fn operands(&self) -> Vec<&Node> {
        use WindowFunction as F;
        match &self.function {
            F::RowNumber | F::Rank | F::DenseRank | F::PercentRank | F::CumeDist | F::Ntile(_) => {
                Vec::new()
            }
            F::First(value) | F::Last(value) | F::Nth(value, _) => vec![value],
            F::Shift { value, default, .. } => std::iter::once(value).chain(default).collect(),
            F::Aggregate(aggregate) => aggregate.args.iter().collect(),
        }
    }

    /// Calls `each` with all its expressions.
    pub(super) fn nodes(&mut self, each: &mut dyn FnMut(&mut Node)) {
        use WindowFunction as F;
        match &mut self.function {
            F::RowNumber | F::Rank | F::DenseRank | F::PercentRank | F::CumeDist => {}
            F::Ntile(value) | F::First(value) | F::Last(value) => each(value),
            F::Nth(value, at) => {
                each(value);
                each(at);
            }
            F::Shift { value, distance, default, .. } => {
                each(value);
                distance.iter_mut().for_each(&mut *each);
                default.iter_mut().for_each(&mut *each);
            }
            F::Aggregate(aggregate) => aggregate.args.iter_mut().for_each(&mut *each),
        }
    }
}

/// The aggregates that cannot look through windows.
fn refuse(call: &ast::Aggregate) -> Result<()> {
    use AggregateKind as K;
    if call.kind == K::GroupConcat {
        return Err(SqlError::not_supported_yet("group_concat as window function"));
    }
    if call.distinct && !matches!(call.kind, K::Min | K::Max) {
        return Err(SqlError::not_supported_yet("<window function>(DISTINCT ..)"));
    }
    Ok(())
}

impl StatementScope<'_> {
    /// A function that is one by its name.
    pub(in super::super) fn window_call(
        &self,
        call: &ast::Call,
        window: &ast::WindowCall,
    ) -> Result<Node> {
        self.windowed(call.name.as_str(), &window.over, |binder| {
            WindowFunction::bind(call, window, binder)
        })
    }

    /// An aggregate with OVER.
    pub(in super::super) fn window_aggregate(
        &self,
        call: &ast::Aggregate,
        over: &ast::Over,
    ) -> Result<Node> {
        self.windowed(call.kind.name(), over, |binder| {
            refuse(call)?;
            Ok(WindowFunction::Aggregate(Aggregate::bind(call, binder)?))
        })
    }
}
