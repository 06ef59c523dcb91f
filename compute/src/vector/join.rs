//! Joins: in which order, by which keys.

use std::sync::Arc;

use arrow_schema::Schema;
use datafusion_common::{JoinSide, JoinType, NullEquality, ScalarValue};
use datafusion_physical_expr::expressions::{Column, Literal};
use datafusion_physical_expr_common::physical_expr::PhysicalExpr;
use datafusion_physical_plan::ExecutionPlan;
use datafusion_physical_plan::coop::CooperativeExec;
use datafusion_physical_plan::joins::utils::{ColumnIndex, JoinFilter};
use datafusion_physical_plan::joins::{CrossJoinExec, HashJoinExecBuilder, PartitionMode};
use firn_mysql_semantics::error::SqlError;
use firn_mysql_semantics::expr::{CompareOp, Comparison, Node, Op};
use firn_mysql_semantics::vector::Builder;
use firn_mysql_semantics::{CollationId, Derivation, SqlType, TypeKind};

use super::grace::GraceJoinExec;
use super::keys::{Form, KeyExpr};
use super::plan::{Planner, Rows, schema_of, told};
use crate::bind::{JoinKind, columns_of};

/// A condition that says that a value of one side equals a value of the other.
pub(super) struct Equal {
    /// Over the rows that are there.
    ours: Node,
    /// Over the rows that are joined to them.
    theirs: Node,
    form: Form,
}

fn has(places: &[(usize, SqlType)], place: usize) -> bool {
    places.iter().any(|(one, _)| *one == place)
}

/// Whether all columns of a condition are among places.
pub(super) fn is_over(node: &Node, places: &[(usize, SqlType)]) -> bool {
    let mut all = true;
    columns_of(node, &mut |place| all &= has(places, place));
    all
}

impl Equal {
    /// What a condition says of rows `ours` and rows `theirs`.
    pub(super) fn of(node: &Node, ours: &Rows, theirs: &Rows) -> Option<Self> {
        let (Op::Compare(CompareOp::Eq, with), [left, right]) = (&node.op, &*node.args) else {
            return None;
        };
        let form = form_of(*with, &left.ty, &right.ty)?;
        let is_of = |node: &Node, rows: &Rows| {
            let mut any = false;
            columns_of(node, &mut |_| any = true);
            any && is_over(node, &rows.places)
        };
        if is_of(left, ours) && is_of(right, theirs) {
            return Some(Self { ours: left.clone(), theirs: right.clone(), form });
        }
        if is_of(right, ours) && is_of(left, theirs) {
            return Some(Self { ours: right.clone(), theirs: left.clone(), form });
        }
        None
    }
}

/// Whether a condition is one by whose keys rows can be joined.
pub(super) fn has_key(node: &Node) -> bool {
    let (Op::Compare(CompareOp::Eq, with), [left, right]) = (&node.op, &*node.args) else {
        return false;
    };
    form_of(*with, &left.ty, &right.ty).is_some()
}

/// In which form values that are compared so are equal when their keys are.
fn form_of(with: Comparison, left: &SqlType, right: &SqlType) -> Option<Form> {
    use TypeKind as K;
    let kinds = (left.kind, right.kind);
    match with {
        Comparison::Int if left.kind.is_integer() && right.kind.is_integer() => {
            let signed = |ty: &SqlType| !ty.unsigned || ty.kind != K::BigInt;
            match (left.unsigned, right.unsigned) {
                (true, true) => Some(Form::Unsigned),
                _ if signed(left) && signed(right) => Some(Form::Signed),
                // No integer holds both.
                _ => Some(Form::Decimal(0)),
            }
        }
        Comparison::Int if kinds == (K::Year, K::Year) => Some(Form::Own),
        Comparison::Decimal => {
            let digits = |ty: &SqlType| match ty.kind {
                K::Decimal => {
                    Some((ty.precision().saturating_sub(ty.decimals.into()), ty.decimals))
                }
                kind if kind.is_integer() => Some((20, 0)),
                _ => None,
            };
            let (left, right) = (digits(left)?, digits(right)?);
            let scale = left.1.max(right.1);
            let fits = left.0.max(right.0) + u32::from(scale) <= 38;
            i8::try_from(scale).ok().filter(|_| fits).map(Form::Decimal)
        }
        Comparison::Double => {
            let is_float = |kind| matches!(kind, K::Float | K::Double);
            (is_float(kinds.0) && is_float(kinds.1)).then(|| Form::Bytes(SqlType::double()))
        }
        Comparison::Text(collation) => {
            let is_text =
                |ty: &SqlType| ty.kind.is_string() && !matches!(ty.kind, K::Enum | K::Set);
            (is_text(left) && is_text(right)).then(|| Form::Bytes(text(collation)))
        }
        Comparison::DateTime
        | Comparison::NamedDateTime
        | Comparison::LenientDateTime
        | Comparison::Packed => {
            let moment = |kind| matches!(kind, K::DateTime | K::Timestamp);
            let same = kinds == (K::Date, K::Date) || (moment(kinds.0) && moment(kinds.1));
            same.then_some(Form::Own)
        }
        Comparison::Time => (kinds == (K::Time, K::Time)).then_some(Form::Own),
        _ => None,
    }
}

fn text(collation: CollationId) -> SqlType {
    SqlType::varchar(u32::MAX, collation, Derivation::Implicit)
}

/// The sides of a join by keys.
pub(super) struct Sides {
    pub(super) ours: Rows,
    pub(super) theirs: Rows,
    /// What is equal in both; not empty.
    pub(super) equal: Vec<Equal>,
    /// Further conditions on rows of both.
    pub(super) rest: Vec<Node>,
    /// The left side, of which all is in memory, is ours where rows of it are given by
    /// themselves, and else theirs.
    pub(super) join_type: JoinType,
    /// So many places come behind those of the block's flat row.
    pub(super) more: usize,
}

/// Rows that are to be joined.
pub(super) struct Input {
    pub(super) rows: Rows,
    /// About how many rows there are.
    pub(super) size: u64,
    /// Places of which no two rows have the same values.
    pub(super) unique: Vec<Vec<usize>>,
    pub(super) kind: JoinKind,
    /// Of a LEFT join: conditions that are not of its own rows alone.
    pub(super) on: Vec<Node>,
    /// Conditions that can be looked at once it is joined, where the order is fixed.
    pub(super) filter: Vec<Node>,
}

impl Planner<'_> {
    /// Joins rows; `None` if it has no way to. Of inner joins the largest input is read
    /// through, and the others are looked up in memory, the smallest first.
    pub(super) fn joined(&self, inputs: Vec<Input>) -> Result<Option<Rows>, SqlError> {
        let inner = inputs.iter().all(|input| input.kind == JoinKind::Inner);
        let mut waiting = inputs;
        let mut pool: Vec<Node> = Vec::new();
        let mut first = 0;
        if inner {
            for input in &mut waiting {
                pool.append(&mut input.filter);
            }
            for (at, input) in waiting.iter().enumerate() {
                if input.size > waiting[first].size {
                    first = at;
                }
            }
        }
        if waiting.is_empty() {
            return Ok(None);
        }
        let Input { mut rows, filter, size, .. } = waiting.remove(first);
        pool.extend(filter);
        rows = self.settle(rows, &mut pool)?;
        while !waiting.is_empty() {
            let at = if inner { next(&rows, &waiting, &pool) } else { 0 };
            let Input { rows: theirs, kind, on, filter, size: theirs_size, .. } =
                waiting.remove(at);
            // WHERE is looked at behind an outer join, ON within it.
            let from = match kind {
                JoinKind::Left => on,
                JoinKind::Inner => pool.drain(..).chain(filter.iter().cloned()).collect(),
            };
            if kind == JoinKind::Left {
                pool.extend(filter);
            }
            let (mut equal, mut rest) = (Vec::new(), Vec::new());
            for node in from {
                match Equal::of(&node, &rows, &theirs) {
                    Some(one) => equal.push(one),
                    None => rest.push(node),
                }
            }
            match kind {
                JoinKind::Left if equal.is_empty() => return Ok(None),
                // Nobody asked for it, and row by row it can be ended at any row.
                JoinKind::Inner if equal.is_empty() && self.by_cost => return Ok(None),
                JoinKind::Inner => pool.append(&mut rest),
                JoinKind::Left => {}
            }
            let later = waiting.iter().flat_map(|one| one.on.iter().chain(&one.filter));
            let needed = self.needed(pool.iter().chain(later));
            let join_type = match kind {
                JoinKind::Inner => JoinType::Inner,
                // The smaller side is in memory.
                JoinKind::Left if size < theirs_size => JoinType::Left,
                JoinKind::Left => JoinType::Right,
            };
            rows = self.join(rows, theirs, equal, join_type, rest, &needed)?;
            rows = self.settle(rows, &mut pool)?;
        }
        Ok(Some(rows))
    }

    /// Looks at the conditions of `pool` whose columns are all there.
    fn settle(&self, rows: Rows, pool: &mut Vec<Node>) -> Result<Rows, SqlError> {
        let (ready, waiting): (Vec<Node>, Vec<Node>) =
            pool.drain(..).partition(|node| self.is_over(node, &rows.places));
        *pool = waiting;
        self.filtered(rows, &ready)
    }

    /// Places that are read of joined rows.
    fn needed<'n>(&self, conditions: impl Iterator<Item = &'n Node>) -> Vec<bool> {
        let select = &self.plan.select;
        let mut needed = vec![false; select.row_len];
        let mut each = |node: &Node| {
            self.reads(node, &mut |place| {
                if let Some(slot) = needed.get_mut(place) {
                    *slot = true;
                }
            });
        };
        conditions.for_each(&mut each);
        self.settled.residual.iter().for_each(&mut each);
        self.settled.partners.iter().for_each(&mut each);
        select.group_by.iter().for_each(&mut each);
        select.aggregates.iter().flat_map(|one| &one.args).for_each(&mut each);
        select.items.iter().for_each(|item| each(&item.node));
        select.having.iter().for_each(&mut each);
        select.order_by.iter().for_each(|key| each(&key.node));
        needed
    }

    /// Rows `ours`, each with the rows of `theirs` that fit.
    fn join(
        &self,
        ours: Rows,
        theirs: Rows,
        equal: Vec<Equal>,
        join_type: JoinType,
        rest: Vec<Node>,
        needed: &[bool],
    ) -> Result<Rows, SqlError> {
        if !equal.is_empty() {
            let sides = Sides { ours, theirs, equal, rest, join_type, more: 0 };
            return self.hashed(sides, &|place| needed.get(place) == Some(&true));
        }
        let theirs = Rows { plan: self.in_order(theirs.plan)?, places: theirs.places };
        let mut places = theirs.places;
        places.extend(ours.places);
        let plan = Arc::new(CrossJoinExec::new(theirs.plan, ours.plan));
        Ok(Rows { plan: giving_way(plan), places })
    }

    /// The join of two sides by their keys, with the places that are `needed` of it.
    pub(super) fn hashed(
        &self,
        sides: Sides,
        needed: &dyn Fn(usize) -> bool,
    ) -> Result<Rows, SqlError> {
        use JoinType as T;
        let Sides { ours, theirs, equal, rest, join_type, more } = sides;
        let columns = |rows: &Rows| self.columns_beyond(&rows.places, &rows.plan.schema(), more);
        let ours_first = matches!(join_type, T::Left | T::LeftSemi | T::LeftAnti);
        let (our_columns, their_columns) = (columns(&ours), columns(&theirs));
        let mut on = Vec::with_capacity(equal.len());
        for one in equal {
            let key = |columns: &[Arc<dyn PhysicalExpr>], node: &Node| {
                let value = Builder::new(columns, self.statement).value(node.clone(), None)?;
                Ok::<_, SqlError>(KeyExpr::in_form(value, &node.ty, &one.form))
            };
            let keys = (key(&our_columns, &one.ours)?, key(&their_columns, &one.theirs)?);
            on.push(if ours_first { keys } else { (keys.1, keys.0) });
        }
        let (left, right) = if ours_first { (ours, theirs) } else { (theirs, ours) };
        // Every part of the right side looks into all of the left one.
        let left = Rows { plan: self.in_order(left.plan)?, places: left.places };
        let mut places = left.places.clone();
        places.extend(right.places.iter().copied());
        let filter = match Node::all_of(rest) {
            None => None,
            Some(condition) => {
                let all = schema_of(&places)?;
                let columns = self.columns_beyond(&places, &all, more);
                let condition = Builder::new(&columns, self.statement).predicate(condition)?;
                let split = left.places.len();
                let side = |at: usize| match at.checked_sub(split) {
                    None => ColumnIndex { index: at, side: JoinSide::Left },
                    Some(index) => ColumnIndex { index, side: JoinSide::Right },
                };
                let sides = (0..places.len()).map(side).collect();
                Some(JoinFilter::new(condition, sides, all))
            }
        };
        let given = match join_type {
            T::LeftSemi | T::LeftAnti => left.places,
            T::RightSemi | T::RightAnti => right.places,
            _ => places,
        };
        let kept: Vec<usize> = (0..given.len()).filter(|at| needed(given[*at].0)).collect();
        let places = kept.iter().map(|at| given[*at]).collect();
        let plan = HashJoinExecBuilder::new(left.plan, right.plan, on, join_type)
            .with_filter(filter)
            .with_projection(Some(kept))
            .with_partition_mode(PartitionMode::CollectLeft)
            .with_null_equality(NullEquality::NullEqualsNothing)
            .build()
            .map_err(|error| told(&error))?;
        // A quarter of the memory is for all joins of the plan, whatever happens.
        let joins = self.plan.steps.len() + self.settled.partners.len();
        let plan = GraceJoinExec::new(plan, self.spill, self.bytes_max / 4 / joins.max(1));
        Ok(Rows { plan: giving_way(Arc::new(plan)), places })
    }

    /// What gives the places of the flat row, and `more` behind them.
    fn columns_beyond(
        &self,
        places: &[(usize, SqlType)],
        schema: &Schema,
        more: usize,
    ) -> Vec<Arc<dyn PhysicalExpr>> {
        let mut columns = self.columns(places);
        let nothing: Arc<dyn PhysicalExpr> = Arc::new(Literal::new(ScalarValue::Null));
        let end = columns.len() + more;
        columns.resize(end, nothing);
        let beyond = self.plan.select.row_len + self.settled.extras.len();
        for (at, (place, _)) in places.iter().enumerate().filter(|(_, (place, _))| *place >= beyond)
        {
            if let Some(column) = columns.get_mut(*place) {
                *column = Arc::new(Column::new(schema.field(at).name(), at));
            }
        }
        columns
    }
}

/// A join that lets others run now and then, and its statement be ended, also where it makes
/// very many rows of few.
fn giving_way(plan: Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
    Arc::new(CooperativeExec::new(plan))
}

/// Which input is joined next: one that conditions bind to what is there, of these one that
/// has no more than one row for each that is there, of these the smallest. Two tables that
/// both belong to a third are not joined with each other before that has come between them.
fn next(rows: &Rows, waiting: &[Input], pool: &[Node]) -> usize {
    let rank = |input: &Input| {
        let equal = pool.iter().filter_map(|node| Equal::of(node, rows, &input.rows));
        let theirs: Vec<Node> = equal.map(|one| one.theirs).collect();
        let is_key = |unique: &Vec<usize>| {
            let has = |place: &usize| {
                theirs.iter().any(|node| matches!(&node.op, Op::Column(one) if one.index == *place))
            };
            unique.iter().all(has)
        };
        (theirs.is_empty(), !input.unique.iter().any(is_key), input.size)
    };
    (0..waiting.len()).min_by_key(|at| rank(&waiting[*at])).unwrap_or_default()
}
