//! Reads of one row by the whole of its key: `SELECT a, b FROM t WHERE id = ?`.
//!
//! Most statements of most applications are this one. Where nothing is left to be
//! computed, the key is made from the parameters and the row's columns go to the client
//! as they lie in the row.

use std::sync::Arc;

use firn_mysql_semantics::expr::{CompareOp, Comparison, Node, Op};
use firn_mysql_semantics::{SqlType, TypeKind, Value};
use firn_table::descriptor::IndexId;

use super::condition::Term;
use super::fit::{Fit, fit};
use super::{SelectPlan, StepRows};
use crate::table::OpenTable;

/// A read of one row.
#[derive(Debug)]
pub(crate) struct PointPlan {
    pub(crate) table: Arc<OpenTable>,
    /// What the parts of the key are, and the types of their columns.
    parts: Vec<(SqlType, Given)>,
    /// The columns of the result, by their places in the table.
    pub(crate) columns: Vec<usize>,
}

#[derive(Debug)]
enum Given {
    Param(usize),
    Value(Value),
}

impl PointPlan {
    /// The read that a SELECT is, if it is one.
    pub(crate) fn of(plan: &SelectPlan) -> Option<Self> {
        let select = &plan.select;
        let plain = !select.grouped
            && select.windows.is_empty()
            && select.having.is_none()
            && select.limit.is_none()
            && select.locking.is_none()
            && select.into.is_client()
            && !select.calc_found_rows
            && plan.constant.is_empty();
        let [step] = &*plan.steps else { return None };
        let (StepRows::Stored(table), Some(access)) = (&step.rows, &step.access) else {
            return None;
        };
        let by_key = access.single && access.index == IndexId::ROWS;
        // Each condition has to be one on a part of the key: then the key says it all.
        if !plain || !by_key || step.filter.len() != access.parts.len() {
            return None;
        }
        let codec = table.codec.row_index();
        let mut parts = Vec::with_capacity(access.parts.len());
        for (part, terms) in access.parts.iter().enumerate() {
            let [Term::Compare { op: CompareOp::Eq, with, value, .. }] = &**terms else {
                return None;
            };
            if !matches!(with, Comparison::Int | Comparison::Text(_)) {
                return None;
            }
            let given = match &value.op {
                Op::Param(at) => Given::Param(*at),
                Op::Literal(value) => Given::Value(value.clone()),
                _ => return None,
            };
            parts.push((table.descriptor().columns[codec.column(part)?].ty, given));
        }
        let column = |node: &Node| match &node.op {
            Op::Column(column) if (step.start..step.end).contains(&column.index) => {
                let at = column.index - step.start;
                let described = &table.descriptor().columns[at];
                // Times of the session's zone are computed.
                let as_it_lies =
                    !described.is_virtual() && described.ty.kind != TypeKind::Timestamp;
                as_it_lies.then_some(at)
            }
            _ => None,
        };
        let columns: Option<Vec<usize>> =
            select.items.iter().map(|item| column(&item.node)).collect();
        Some(Self { table: Arc::clone(table), parts, columns: columns? })
    }

    /// The key of the row; `None` if the parameters are not of the columns' own kind.
    pub(crate) fn key(&self, params: &[Value]) -> Option<Vec<u8>> {
        let codec = self.table.codec.row_index();
        let mut key = Vec::with_capacity(32);
        key.extend_from_slice(&codec.id().0.to_be_bytes());
        for (part, (ty, given)) in self.parts.iter().enumerate() {
            let value = match given {
                Given::Param(at) => params.get(*at)?,
                Given::Value(value) => value,
            };
            let of_kind = match value {
                Value::Int(_) | Value::UInt(_) => ty.kind.is_integer(),
                Value::Bytes(_) => ty.kind.is_string(),
                _ => false,
            };
            if !of_kind {
                return None;
            }
            let Fit::Exact(value) = fit(value.clone(), ty) else { return None };
            codec.encode_part(part, &value, &mut key).then_some(())?;
        }
        Some(key)
    }
}
