//! Subqueries of expressions: run where an evaluation asks for their result.

use std::collections::BTreeSet;

use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::{CompareOp, Comparison, Cx, Node, Op, Row, Wanted};
use firn_mysql_semantics::{SqlType, TypeKind, Value};

use super::gathered::Rows;
use super::view::View;
use super::{Result, SelectRun, sort_key};
use crate::bind::Asked;
use crate::plan::SubqueryPlan;

/// The subqueries of one query block, while it runs.
pub(crate) struct Subqueries<'p> {
    plans: &'p [SubqueryPlan],
    params: &'p [Value],
    /// Rows of those that IN and such look through, if they are the same for all rows.
    members: Vec<Option<Members>>,
}

/// Rows that are compared with.
struct Members {
    rows: Rows,
    /// The values of the one column as keys, where equal ones have equal keys, and
    /// whether NULL is among them.
    keys: Option<(BTreeSet<Vec<u8>>, bool)>,
}

impl<'p> Subqueries<'p> {
    pub(crate) fn new(plans: &'p [SubqueryPlan], params: &'p [Value]) -> Self {
        Self { plans, params, members: plans.iter().map(|_| None).collect() }
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
            let columns = self.compute(&wanted, view, cx).await?;
            cx.answer(wanted, columns);
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
        let reading = view.enter_subquery();
        let result = self.answer(at, outer, compared, view, cx).await;
        view.leave_subquery(reading);
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
                if self.members[at].is_none() {
                    let rows = Box::pin(run.all(view, cx)).await?;
                    self.members[at] = Some(Members::new(rows, condition));
                }
                match &self.members[at] {
                    Some(members) => Ok(vec![members.any(condition, compared, cx)?]),
                    None => Ok(vec![Value::Null]),
                }
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

fn key(value: &Value, ty: &SqlType) -> Option<Vec<u8>> {
    let fits = match value {
        Value::Bytes(_) => ty.kind == TypeKind::Varchar,
        Value::Int(_) | Value::UInt(_) => ty.kind == TypeKind::BigInt,
        _ => false,
    };
    let mut key = Vec::with_capacity(24);
    fits.then(|| sort_key::push(value, ty, false, &mut key))?;
    Some(key)
}

impl Members {
    fn new(mut rows: Rows, condition: &Node) -> Self {
        let keys = key_type(condition).and_then(|ty| {
            let (mut keys, mut null) = (BTreeSet::new(), false);
            for row in rows.iter() {
                match row.first() {
                    Some(Value::Null) | None => null = true,
                    Some(value) => {
                        keys.insert(key(value, &ty)?);
                    }
                }
            }
            Some((keys, null))
        });
        if keys.is_some() {
            rows.leave_first();
        }
        Self { rows, keys }
    }

    fn any(&self, condition: &Node, compared: &[Value], cx: &mut Cx<'_>) -> Result<Value> {
        if self.rows.is_empty() {
            return Ok(Value::from(Some(false)));
        }
        if let (Some((keys, null)), Some(ty), [value]) = (&self.keys, key_type(condition), compared)
        {
            if value.is_null() {
                return Ok(Value::Null);
            }
            if let Some(key) = key(value, &ty) {
                let found = keys.contains(&key);
                return Ok(Value::from((found || !null).then_some(found)));
            }
        }
        let mut known = true;
        for row in self.rows.iter() {
            match holds_for(condition, compared, row, cx)? {
                Some(true) => return Ok(Value::from(Some(true))),
                Some(false) => {}
                None => known = false,
            }
        }
        Ok(Value::from(known.then_some(false)))
    }
}
