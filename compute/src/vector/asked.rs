//! What conditions ask of subqueries, as columns.
//!
//! A subquery whose rows are the same for all rows around it runs before the plan begins:
//! of one that gives a value the value stands in the condition, and IN looks into the rows
//! that there are.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow_array::builder::Int64Builder;
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, FieldRef, Schema};
use datafusion_common::{DataFusionError, Result};
use datafusion_expr::ColumnarValue;
use datafusion_physical_expr_common::physical_expr::PhysicalExpr;
use firn_mysql_semantics::error::{SqlError, Warnings};
use firn_mysql_semantics::expr::{Apart, Cx, Node, Settings};
use firn_mysql_semantics::vector::{ArrayReader, Builder, plan_error};
use firn_mysql_semantics::{SqlType, Value};

use super::plan::Planner;
use crate::execute::Members;
use crate::plan::SelectPlan;

/// The conditions of a block's steps, with all that they ask of subqueries known.
#[derive(Default)]
pub(crate) struct Settled {
    /// By step.
    pub(crate) filters: Vec<Vec<Node>>,
    /// Columns that conditions read beside those of the flat row: the first stands behind
    /// its last place.
    pub(crate) extras: Vec<Extra>,
    /// Conditions whose subqueries take values of the rows: they are looked at row by row,
    /// once all else is.
    pub(crate) residual: Vec<Node>,
    /// Conditions that say of rows that they have partners, or have none: joins.
    pub(crate) partners: Vec<Node>,
    /// HAVING, where that asks nothing of groups.
    pub(crate) having: Option<Node>,
    /// Of equal rows one is enough.
    pub(crate) once: bool,
}

impl Settled {
    /// What stands at a place, if it is none of the flat row.
    pub(super) fn extra(&self, plan: &SelectPlan, place: usize) -> Option<&Extra> {
        self.extras.get(place.checked_sub(plan.select.row_len)?)
    }
}

/// Whether values are among rows, by a condition: a truth.
pub(crate) struct Extra {
    /// The values.
    pub(crate) operands: Vec<Node>,
    /// The rows.
    pub(crate) members: Arc<Members>,
    /// Over the values and a row behind them.
    pub(crate) condition: Node,
}

impl Extra {
    /// The column, over those of the flat row.
    pub(super) fn column(
        &self,
        planner: &Planner<'_>,
        columns: &[Arc<dyn PhysicalExpr>],
    ) -> Result<Arc<dyn PhysicalExpr>, SqlError> {
        let builder = Builder::new(columns, planner.statement);
        let mut operands: Vec<Arc<dyn PhysicalExpr>> = Vec::with_capacity(self.operands.len());
        for node in &self.operands {
            operands.push(builder.value(node.clone(), None)?);
        }
        Ok(Arc::new(MemberExpr {
            operands,
            looked_up: Arc::new(LookedUp {
                types: self.operands.iter().map(|node| node.ty).collect(),
                members: Arc::clone(&self.members),
                condition: self.condition.clone(),
                settings: Arc::clone(planner.settings),
                session: Arc::clone(planner.session),
            }),
        }))
    }
}

struct LookedUp {
    types: Vec<SqlType>,
    members: Arc<Members>,
    condition: Node,
    settings: Arc<Settings>,
    session: Apart,
}

impl fmt::Debug for LookedUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("rows of a subquery")
    }
}

/// IN, over batches.
#[derive(Debug)]
struct MemberExpr {
    operands: Vec<Arc<dyn PhysicalExpr>>,
    looked_up: Arc<LookedUp>,
}

impl PhysicalExpr for MemberExpr {
    fn data_type(&self, _: &Schema) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn nullable(&self, _: &Schema) -> Result<bool> {
        Ok(true)
    }

    fn return_field(&self, _: &Schema) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(self.to_string(), DataType::Int64, true)))
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        let rows = batch.num_rows();
        let LookedUp { types, members, condition, settings, session } = &*self.looked_up;
        let mut readers = Vec::with_capacity(types.len());
        for (operand, ty) in self.operands.iter().zip(types) {
            let array: ArrayRef = operand.evaluate(batch)?.into_array(rows)?;
            readers.push(ArrayReader::new(&array, ty).map_err(plan_error)?);
        }
        let (mut session, mut warnings) = (session.lock(), Warnings::default());
        let mut cx = Cx::new(settings, &mut *session, &mut warnings);
        let mut truths = Int64Builder::with_capacity(rows);
        let mut values = Vec::with_capacity(readers.len());
        for row in 0..rows {
            values.clear();
            for reader in &readers {
                values.push(reader.get(row).map_err(plan_error)?);
            }
            match members.any(condition, &values, &mut cx).map_err(plan_error)? {
                Value::Int(truth) => truths.append_value(truth),
                _ => truths.append_null(),
            }
        }
        drop(cx);
        if !warnings.is_empty() {
            // Row by row they come where they belong.
            return Err(DataFusionError::Execution("a comparison warns".to_owned()));
        }
        Ok(ColumnarValue::Array(Arc::new(truths.finish())))
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        self.operands.iter().collect()
    }

    fn with_new_children(
        self: Arc<Self>,
        operands: Vec<Arc<dyn PhysicalExpr>>,
    ) -> Result<Arc<dyn PhysicalExpr>> {
        Ok(Arc::new(Self { operands, looked_up: Arc::clone(&self.looked_up) }))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for MemberExpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("is among the rows of a subquery")
    }
}

impl PartialEq for MemberExpr {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.looked_up, &other.looked_up) && self.operands == other.operands
    }
}

impl Eq for MemberExpr {}

impl Hash for MemberExpr {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.looked_up).hash(state);
        self.operands.hash(state);
    }
}
