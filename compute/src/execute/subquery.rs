//! Subqueries of expressions: run where an evaluation asks for their result.

use std::sync::Arc;

use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::{ColumnOp, CompareOp, Comparison, Cx, Node, Op, Row, Wanted};
use firn_mysql_semantics::{SqlType, TypeKind, Value};

use super::gathered::too_much;
use super::rows::{Cursor, Rows};
use super::view::View;
use super::{Result, SelectRun, sort_key};
use crate::bind::Asked;
use crate::plan::{Access, SelectPlan, SubqueryPlan};
use crate::vector::{Extra, Settled, partners_of, takes_of_rows};

/// The subqueries of one query block, while it runs.
pub(crate) struct Subqueries<'p> {
    plans: &'p [SubqueryPlan],
    params: &'p [Value],
    /// Rows of those that IN and such look through, if they are the same for all rows.
    members: Vec<Option<Arc<Members>>>,
    /// The same of those that are too many for memory.
    many: Vec<Option<Arc<Rows>>>,
}

/// Rows that are compared with.
pub(crate) struct Members {
    rows: Rows,
    /// The values of the one column as keys, where equal ones have equal keys, and
    /// whether NULL is among them.
    keys: Option<(Keys, bool)>,
    /// The values of the one column, if they are few enough to be searched for.
    values: Option<Vec<Value>>,
}

#[allow(clippy::disallowed_types, reason = "only membership is asked for")]
type Keys = std::collections::HashSet<Box<[u8]>, foldhash::fast::RandomState>;

/// Rows of a query that are searched for one by one.
const SEARCHED_MAX: usize = 10_000;

impl<'p> Subqueries<'p> {
    pub(crate) fn new(plans: &'p [SubqueryPlan], params: &'p [Value]) -> Self {
        Self {
            plans,
            params,
            members: plans.iter().map(|_| None).collect(),
            many: vec![None; plans.len()],
        }
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.plans.is_empty()
    }

    /// Evaluates something, and computes what it asks for. It may be evaluated more than
    /// once; its warnings come once.
    ///
    /// # Errors
    /// Those of evaluating, and of running the subqueries: 1242 for more than one row.
    pub(crate) async fn run<T>(
        &mut self,
        view: &mut View<'_>,
        cx: &mut Cx<'p>,
        mut evaluate: impl FnMut(&mut Cx<'p>) -> Result<T>,
    ) -> Result<T> {
        if self.plans.is_empty() {
            return evaluate(cx);
        }
        for plan in self.plans.iter().filter(|plan| plan.volatile) {
            cx.forget(plan.slot);
        }
        let mark = cx.warnings.mark();
        loop {
            let outcome = evaluate(cx);
            let Some(wanted) = cx.take_wanted() else { return outcome };
            cx.warnings.rewind(mark);
            let columns = Box::pin(self.compute(&wanted, view, cx)).await?;
            cx.answer(wanted, columns);
        }
    }

    /// The conditions of a block's steps, with what they ask of its subqueries computed:
    /// those whose rows are the same for all rows of the block.
    ///
    /// # Errors
    /// Those of running the subqueries.
    pub(crate) async fn settled(
        &mut self,
        plan: &'p SelectPlan,
        view: &mut View<'_>,
        cx: &mut Cx<'p>,
    ) -> Result<Settled> {
        let mut settled = Settled::default();
        for step in &plan.steps {
            let joins = |node: &Node| partners_of(node, plan).is_some();
            let waits = |node: &Node| takes_of_rows(node, plan);
            let (partners, others): (Vec<Node>, Vec<Node>) =
                step.filter.iter().cloned().partition(joins);
            settled.partners.extend(partners);
            let (residual, known): (Vec<Node>, Vec<Node>) = others.into_iter().partition(waits);
            settled.filters.push(known);
            settled.residual.extend(residual);
        }
        for at in 0..settled.filters.len() {
            for which in 0..settled.filters[at].len() {
                while let Some(asked) = first_asked(&settled.filters[at][which]).cloned() {
                    let known = self.known(&asked, plan, &mut settled.extras, view, cx).await?;
                    if let Some(place) = first_asked_mut(&mut settled.filters[at][which]) {
                        *place = known;
                    }
                }
            }
        }
        Ok(settled)
    }

    /// HAVING with the values of its subqueries; `None` if these take values of groups, or are
    /// compared with them row by row.
    ///
    /// # Errors
    /// Those of running the subqueries.
    pub(crate) async fn settled_having(
        &mut self,
        plan: &'p SelectPlan,
        view: &mut View<'_>,
        cx: &mut Cx<'p>,
    ) -> Result<Option<Node>> {
        let Some(mut having) = plan.select.having.clone() else { return Ok(None) };
        let gives_value = |slot: &usize| {
            let asked = self.plans.iter().find(|plan| plan.slot == *slot);
            asked.is_some_and(|one| {
                let any = matches!(one.asked, Asked::Any(_));
                !any && !one.volatile && one.plan.select.outer.is_empty()
            })
        };
        if !slots_of(&having).iter().all(gives_value) {
            return Ok(None);
        }
        while let Some(asked) = first_asked(&having).cloned() {
            let known = self.known(&asked, plan, &mut Vec::new(), view, cx).await?;
            if let Some(place) = first_asked_mut(&mut having) {
                *place = known;
            }
        }
        Ok(Some(having))
    }

    /// What stands for a subquery in a condition: its value, or a column.
    async fn known(
        &mut self,
        asked: &Node,
        plan: &'p SelectPlan,
        extras: &mut Vec<Extra>,
        view: &mut View<'_>,
        cx: &mut Cx<'p>,
    ) -> Result<Node> {
        let (plans, params) = (self.plans, self.params);
        let at = match &asked.op {
            Op::Subquery { slot, .. } => plans.iter().position(|plan| plan.slot == *slot),
            _ => None,
        };
        let at = at.ok_or_else(|| {
            let why = "a subquery of another query was asked for";
            SqlError::with_message(code::ER_UNKNOWN_ERROR, why)
        })?;
        if let Asked::Any(condition) = &plans[at].asked {
            let members = Box::pin(self.members(at, condition, view, cx)).await?;
            let members = members.ok_or_else(too_much)?;
            let mut column = asked.clone();
            let index = plan.select.row_len + extras.len();
            let name = Box::from("subquery");
            column.op = Op::Column(Box::new(ColumnOp { index, name, members: None }));
            column.args = Box::default();
            let (operands, condition) = (asked.args.to_vec(), condition.clone());
            extras.push(Extra { operands, members, condition });
            return Ok(column);
        }
        let row = Row { columns: &[], params };
        let value = self.run(view, cx, |cx| Ok(asked.eval(cx, row)?.into_owned())).await?;
        Ok(Node::value(value, asked.ty))
    }

    /// An access with the rows of the queries that it searches for.
    ///
    /// # Errors
    /// Those of running them.
    pub(crate) async fn searched(
        &mut self,
        access: &Access,
        view: &mut View<'_>,
        cx: &mut Cx<'p>,
    ) -> Result<Access> {
        let mut searched = access.clone();
        for slot in access.asks() {
            let at = self.plans.iter().position(|plan| plan.slot == slot);
            let members = match at.map(|at| (at, &self.plans[at].asked)) {
                Some((at, Asked::Any(condition))) => {
                    Box::pin(self.members(at, condition, view, cx)).await?
                }
                _ => None,
            };
            let values = members.as_ref().and_then(|members| members.values.as_deref());
            searched = searched.with_members(slot, values);
        }
        Ok(searched)
    }

    /// The rows that IN looks through, the same for all rows around; `None` if they are too
    /// many for memory.
    async fn members(
        &mut self,
        at: usize,
        condition: &Node,
        view: &mut View<'_>,
        cx: &mut Cx<'p>,
    ) -> Result<Option<Arc<Members>>> {
        if self.members[at].is_none() && self.many[at].is_none() {
            let reading = view.enter_subquery(Some(&self.plans[at].plan.select));
            let mut run = SelectRun::new(&self.plans[at].plan, self.params).once();
            let rows = Box::pin(run.all(view, cx)).await;
            view.leave(reading);
            self.know(at, rows?, condition);
        }
        Ok(self.members[at].clone())
    }

    /// Keeps the rows of a subquery.
    fn know(&mut self, at: usize, rows: Rows, condition: &Node) {
        match rows.in_memory() {
            Some(_) => self.members[at] = Some(Arc::new(Members::new(rows, condition))),
            None => self.many[at] = Some(Arc::new(rows)),
        }
    }

    /// The result of a subquery: the values of its columns.
    async fn compute(
        &mut self,
        wanted: &Wanted,
        view: &mut View<'_>,
        cx: &mut Cx<'p>,
    ) -> Result<Vec<Value>> {
        let Some(at) = self.plans.iter().position(|plan| plan.slot == wanted.slot) else {
            let why = "a subquery of another query was asked for";
            return Err(SqlError::with_message(code::ER_UNKNOWN_ERROR, why));
        };
        let plan = &self.plans[at];
        let takes = plan.plan.select.outer.len().min(wanted.operands.len());
        let (outer, compared) = wanted.operands.split_at(takes);
        let item = cx.item_name.take();
        let reading = view.enter_subquery(Some(&plan.plan.select));
        let result = self.answer(at, outer, compared, view, cx).await;
        view.leave(reading);
        cx.item_name = item;
        result
    }

    async fn answer(
        &mut self,
        at: usize,
        outer: &[Value],
        compared: &[Value],
        view: &mut View<'_>,
        cx: &mut Cx<'p>,
    ) -> Result<Vec<Value>> {
        let plan = &self.plans[at];
        let run = SelectRun::new(&plan.plan, self.params).with_outer(outer.to_vec());
        // The run holds others of its kind.
        let mut run = Box::new(run);
        match &plan.asked {
            Asked::Exists => {
                let found = Box::pin(run.next(view, cx)).await?.is_some();
                Ok(vec![Value::from(Some(found))])
            }
            Asked::Row => {
                let items = &plan.plan.select.items;
                let Some(row) = Box::pin(run.next(view, cx)).await? else {
                    return Ok(vec![Value::Null; items.len()]);
                };
                let row = items.iter().zip(row).map(|(item, value)| as_value(&item.node, value));
                let row = row.collect::<Result<Vec<_>>>()?;
                if Box::pin(run.next(view, cx)).await?.is_some() {
                    return Err(SqlError::subquery_more_than_one_row());
                }
                Ok(row)
            }
            Asked::Any(condition) if outer.is_empty() && !plan.volatile => {
                if self.members[at].is_none() && self.many[at].is_none() {
                    let rows = Box::pin(run.all(view, cx)).await?;
                    self.know(at, rows, condition);
                }
                if let Some(members) = &self.members[at] {
                    return Ok(vec![members.any(condition, compared, cx)?]);
                }
                let Some(rows) = &self.many[at] else { return Ok(vec![Value::Null]) };
                let (mut known, mut cursor) = (true, Cursor::default());
                while let Some(row) = cursor.next(rows).await? {
                    match holds_for(condition, compared, row, cx)? {
                        Some(true) => return Ok(vec![Value::from(Some(true))]),
                        Some(false) => {}
                        None => known = false,
                    }
                }
                Ok(vec![Value::from(known.then_some(false))])
            }
            Asked::Any(condition) => {
                let mut known = true;
                while let Some(row) = Box::pin(run.next(view, cx)).await? {
                    match holds_for(condition, compared, row, cx)? {
                        Some(true) => return Ok(vec![Value::from(Some(true))]),
                        Some(false) => {}
                        None => known = false,
                    }
                }
                Ok(vec![Value::from(known.then_some(false))])
            }
        }
    }
}

/// Members are their texts.
fn as_value(node: &Node, value: &Value) -> Result<Value> {
    if matches!(node.ty.kind, TypeKind::Enum | TypeKind::Set)
        && let Some(text) = node.text(value)?
    {
        return Ok(Value::from(text));
    }
    Ok(value.clone())
}

/// The first subquery within an expression.
fn first_asked(node: &Node) -> Option<&Node> {
    match node.op {
        Op::Subquery { .. } => Some(node),
        _ => node.args.iter().find_map(first_asked),
    }
}

/// The subqueries within an expression.
fn slots_of(node: &Node) -> Vec<usize> {
    let own = match node.op {
        Op::Subquery { slot, .. } => Some(slot),
        _ => None,
    };
    own.into_iter().chain(node.args.iter().flat_map(slots_of)).collect()
}

fn first_asked_mut(node: &mut Node) -> Option<&mut Node> {
    match node.op {
        Op::Subquery { .. } => Some(node),
        _ => node.args.iter_mut().find_map(first_asked_mut),
    }
}

fn holds_for(
    condition: &Node,
    compared: &[Value],
    row: &[Value],
    cx: &mut Cx<'_>,
) -> Result<Option<bool>> {
    let both: Vec<Value> = compared.iter().chain(row).cloned().collect();
    condition.eval_truth(cx, Row::new(&both))
}

/// How keys are made for a condition that equal keys answer: the type whose order counts.
fn key_type(condition: &Node) -> Option<SqlType> {
    let (Op::Compare(CompareOp::Eq, with), [left, right]) = (&condition.op, &*condition.args)
    else {
        return None;
    };
    let plain = |node: &Node| {
        matches!(node.op, Op::Column(_)) && !matches!(node.ty.kind, TypeKind::Enum | TypeKind::Set)
    };
    if !plain(left) || !plain(right) {
        return None;
    }
    match with {
        Comparison::Int => Some(SqlType::bigint(20)),
        Comparison::Text(collation) if left.ty.kind.is_string() && right.ty.kind.is_string() => {
            let mut ty = left.ty;
            (ty.kind, ty.collation) = (TypeKind::Varchar, *collation);
            Some(ty)
        }
        _ => None,
    }
}

/// Puts the key of a value into a buffer; `false` if it has none.
fn key(value: &Value, ty: &SqlType, key: &mut Vec<u8>) -> bool {
    key.clear();
    match (value, ty.kind) {
        (Value::Bytes(_), TypeKind::Varchar) => sort_key::push(value, ty, false, key),
        (Value::Int(number), TypeKind::BigInt) => {
            key.extend_from_slice(&i128::from(*number).to_le_bytes());
        }
        (Value::UInt(number), TypeKind::BigInt) => {
            key.extend_from_slice(&i128::from(*number).to_le_bytes());
        }
        _ => return false,
    }
    true
}

impl Members {
    /// Of rows in memory.
    fn new(mut rows: Rows, condition: &Node) -> Self {
        let keys = key_type(condition).and_then(|ty| {
            let (mut keys, mut null) = (Keys::default(), false);
            let mut buffer = Vec::with_capacity(24);
            for row in rows.in_memory().unwrap_or_default() {
                match row.first() {
                    Some(Value::Null) | None => null = true,
                    Some(value) => {
                        if !key(value, &ty, &mut buffer) {
                            return None;
                        }
                        if !keys.contains(&*buffer) {
                            keys.insert(buffer.as_slice().into());
                        }
                    }
                }
            }
            Some((keys, null))
        });
        let few = rows.len() <= SEARCHED_MAX;
        let first = |rows: &Rows| {
            let rows = rows.in_memory().unwrap_or_default();
            rows.iter().filter_map(|row| row.first().cloned()).collect()
        };
        let values = few.then(|| first(&rows));
        if keys.is_some() {
            rows.leave_first();
        }
        Self { rows, keys, values }
    }

    /// Whether a condition holds for values and one of the rows.
    ///
    /// # Errors
    /// Those of comparing them.
    pub(crate) fn any(
        &self,
        condition: &Node,
        compared: &[Value],
        cx: &mut Cx<'_>,
    ) -> Result<Value> {
        if self.rows.is_empty() {
            return Ok(Value::from(Some(false)));
        }
        if let (Some((keys, null)), Some(ty), [value]) = (&self.keys, key_type(condition), compared)
        {
            if value.is_null() {
                return Ok(Value::Null);
            }
            let mut buffer = Vec::with_capacity(24);
            if key(value, &ty, &mut buffer) {
                let found = keys.contains(&*buffer);
                return Ok(Value::from((found || !null).then_some(found)));
            }
        }
        let mut known = true;
        for row in self.rows.in_memory().unwrap_or_default() {
            match holds_for(condition, compared, row, cx)? {
                Some(true) => return Ok(Value::from(Some(true))),
                Some(false) => {}
                None => known = false,
            }
        }
        Ok(Value::from(known.then_some(false)))
    }
}
