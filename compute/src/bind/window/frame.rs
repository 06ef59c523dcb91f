//! Frames: which rows of a partition count for a row.

use firn_mysql_parser::ast::{self, ExprKind, FrameBound, FrameUnit};
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::{
    Binder, Column, CompareOp, NoColumns, Node, Op, Result, Scope, printed,
};
use firn_mysql_semantics::{SqlType, TypeKind};

use super::super::{OrderBy, Statement};

/// From where to where the rows are that count.
#[derive(Debug)]
pub(crate) struct Frame {
    /// Distances are counted in rows; else rows that are equal in order come together.
    pub(crate) rows: bool,
    /// Where it begins.
    pub(crate) start: Edge,
    /// Where it ends.
    pub(crate) end: Edge,
}

/// One end of a frame.
#[derive(Debug)]
pub(crate) enum Edge {
    /// That of the partition.
    Unbounded,
    /// The row itself; of RANGE all that are equal to it.
    CurrentRow,
    /// So far before the row or behind it.
    Distance(Box<Distance>),
}

/// How far an edge is away.
#[derive(Debug)]
pub(crate) struct Distance {
    /// It lies behind the row.
    pub(crate) following: bool,
    /// How far: a constant. Of INTERVAL what stands before the unit.
    pub(crate) amount: Node,
    /// The unit of INTERVAL.
    pub(crate) unit: Option<ast::IntervalUnit>,
    /// Of RANGE with n and INTERVAL: where that is.
    pub(crate) value: Option<ValueEdge>,
}

/// An edge by value. Its expressions are over rows of two: the value of ORDER BY, and
/// where the edge is for a row.
#[derive(Debug)]
pub(crate) struct ValueEdge {
    /// Where the edge is for a row: over the row's own value.
    pub(crate) bound: Node,
    /// Whether a value lies outside of the edge.
    pub(crate) outside: Node,
}

fn illegal(number: u16, name: &str) -> SqlError {
    SqlError::new(number, &[name.into()])
}

/// Refuses what no frame can be, whatever it is of.
///
/// # Errors
/// 3584, 3585, 3586 and 3596; 1235 for GROUPS and EXCLUDE.
pub(super) fn check(name: &str, spec: &ast::WindowSpec) -> Result<()> {
    use FrameBound::{CurrentRow, Following, Preceding, UnboundedFollowing, UnboundedPreceding};
    let Some(frame) = &spec.frame else { return Ok(()) };
    if frame.unit == FrameUnit::Groups {
        return Err(SqlError::not_supported_yet("GROUPS"));
    }
    if frame.exclude.is_some() {
        return Err(SqlError::not_supported_yet("EXCLUDE"));
    }
    let end = frame.end.as_ref().unwrap_or(&CurrentRow);
    if matches!(frame.start, UnboundedFollowing) {
        return Err(illegal(code::ER_WINDOW_FRAME_START_ILLEGAL, name));
    }
    if matches!(end, UnboundedPreceding) {
        return Err(illegal(code::ER_WINDOW_FRAME_END_ILLEGAL, name));
    }
    let backwards = matches!(
        (&frame.start, end),
        (Following(..), Preceding(..) | CurrentRow) | (CurrentRow, Preceding(..))
    );
    if backwards {
        return Err(illegal(code::ER_WINDOW_FRAME_ILLEGAL, name));
    }
    for bound in [&frame.start, end] {
        let (Preceding(amount, unit) | Following(amount, unit)) = bound else { continue };
        if frame.unit != FrameUnit::Rows {
            continue;
        }
        if unit.is_some() {
            return Err(illegal(code::ER_WINDOW_ROWS_INTERVAL_USE, name));
        }
        let whole = ast::Literal::Int(0);
        if let ExprKind::Literal(literal) = &amount.kind
            && std::mem::discriminant(literal) != std::mem::discriminant(&whole)
        {
            return Err(illegal(code::ER_WINDOW_FRAME_ILLEGAL, name));
        }
    }
    Ok(())
}

impl Frame {
    /// The frame of a window whose rows are in this order.
    ///
    /// # Errors
    /// 3587 to 3589 for a RANGE that does not go with the order.
    pub(super) fn bind(
        statement: &Statement<'_>,
        name: &str,
        frame: Option<&ast::Frame>,
        order_by: &[OrderBy],
    ) -> Result<Self> {
        let Some(frame) = frame else {
            let end = if order_by.is_empty() { Edge::Unbounded } else { Edge::CurrentRow };
            return Ok(Self { rows: false, start: Edge::Unbounded, end });
        };
        let rows = frame.unit == FrameUnit::Rows;
        let of = |bound: &FrameBound, is_start: bool| {
            let (amount, unit, following) = match bound {
                FrameBound::UnboundedPreceding | FrameBound::UnboundedFollowing => {
                    return Ok(Edge::Unbounded);
                }
                FrameBound::CurrentRow => return Ok(Edge::CurrentRow),
                FrameBound::Preceding(amount, unit) => (amount, *unit, false),
                FrameBound::Following(amount, unit) => (amount, *unit, true),
            };
            let binder = Binder::new(statement.settings, &NoColumns, statement.params);
            let node = binder.bind(amount)?;
            let value = match rows {
                true => None,
                false => {
                    let key = ordered_by(name, order_by, unit.is_some())?;
                    let written = Written { amount, unit, following };
                    Some(ValueEdge::bind(statement, key, &written, is_start)?)
                }
            };
            Ok(Edge::Distance(Box::new(Distance { following, amount: node, unit, value })))
        };
        let start = of(&frame.start, true)?;
        let end = frame.end.as_ref().map_or(Ok(Edge::CurrentRow), |end| of(end, false))?;
        Ok(Self { rows, start, end })
    }
}

/// The one value that the rows are in the order of.
fn ordered_by<'o>(name: &str, order_by: &'o [OrderBy], interval: bool) -> Result<&'o OrderBy> {
    let wrong = || illegal(code::ER_WINDOW_RANGE_FRAME_ORDER_TYPE, name);
    let [key] = order_by else { return Err(wrong()) };
    let kind = key.node.ty.kind;
    let numeric = kind.is_integer()
        || matches!(
            kind,
            TypeKind::Decimal | TypeKind::Float | TypeKind::Double | TypeKind::Bit | TypeKind::Year
        );
    if !(numeric || kind.is_temporal()) || !is_certain(&key.node) {
        return Err(wrong());
    }
    match (numeric, interval) {
        (true, true) => Err(illegal(code::ER_WINDOW_RANGE_FRAME_NUMERIC_TYPE, name)),
        (false, false) => Err(illegal(code::ER_WINDOW_RANGE_FRAME_TEMPORAL_TYPE, name)),
        _ => Ok(key),
    }
}

/// Whether an expression gives the same whenever it is asked.
fn is_certain(node: &Node) -> bool {
    let own = match &node.op {
        Op::Call(call) => call.function.deterministic,
        Op::UserVariable(_) | Op::Assign(_) => false,
        _ => true,
    };
    own && node.args.iter().all(is_certain)
}

/// An edge as it was written.
struct Written<'a> {
    amount: &'a ast::Expr,
    unit: Option<ast::IntervalUnit>,
    following: bool,
}

/// The only column that the expressions of an edge name.
struct OwnValue(Column);

impl Scope for OwnValue {
    fn column(&self, _: &ast::ColumnRef) -> Result<Column> {
        Ok(self.0.clone())
    }
}

impl ValueEdge {
    fn bind(
        statement: &Statement<'_>,
        key: &OrderBy,
        written: &Written<'_>,
        is_start: bool,
    ) -> Result<Self> {
        let column = |index: usize, ty: SqlType, name: String| Column {
            index,
            ty,
            name: name.into_boxed_str(),
            members: None,
        };
        let own = column(0, key.node.ty, format!("<cache>({})", printed(&key.node)));
        let scope = OwnValue(own.clone());
        let binder = Binder::new(statement.settings, &scope, statement.params);
        let span = ast::Span::default();
        let name = ast::Ident { text: "value".into(), span };
        let value = ast::ColumnRef { qualifier: None, name };
        let value = ast::Expr { kind: ExprKind::Column(value), span };
        // What precedes in a descending order is more.
        let more = written.following != key.descending;
        let amount = written.amount.clone();
        let kind = match written.unit {
            Some(unit) => ExprKind::DateArith(Box::new(ast::DateArith {
                date: value,
                amount,
                unit,
                subtract: !more,
            })),
            None => {
                let op = if more { ast::BinaryOp::Add } else { ast::BinaryOp::Subtract };
                ExprKind::Binary(Box::new(ast::Binary { op, left: value, right: amount }))
            }
        };
        let bound = binder.bind(&ast::Expr { kind, span })?;
        let edge = column(1, bound.ty.with_nullable(true), "edge".to_owned());
        let op = if is_start != key.descending { CompareOp::Lt } else { CompareOp::Gt };
        let outside = binder.compared(op, Node::column(own), Node::column(edge))?;
        Ok(Self { bound, outside })
    }
}
