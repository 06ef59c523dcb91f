//! What kernels ask of the batch and the statement.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_buffer::BooleanBuffer;
use arrow_schema::DataType;

use super::{ByRows, Lane, Outcome, Vector};
use crate::error::{SqlError, Warnings, code};
use crate::expr::{Comparison, Cx, Node, Op, Row, leaf};
use crate::value::Value;
use crate::vector::array::is_bytes;
use crate::vector::rows::{self, Form, RowSource, Used};
use crate::vector::statement::{Execution, Locked};

/// One evaluation of a tree over a batch.
pub(in crate::vector) struct Run<'a> {
    pub(super) execution: &'a Execution,
    arrays: &'a [ArrayRef],
    used: &'a [Used],
    pub(super) rows: usize,
    /// What parts that ran row by row warned of.
    warnings: Warnings,
    /// How many such parts did.
    warned: usize,
    /// How often something was divided by zero.
    pub(super) zero_divisions: u64,
}

impl<'a> Run<'a> {
    pub(in crate::vector) fn new(
        execution: &'a Execution,
        used: &'a [Used],
        arrays: &'a [ArrayRef],
        rows: usize,
    ) -> Run<'a> {
        let warnings = Warnings::new(execution.warning_limit);
        Run { execution, arrays, used, rows, warnings, warned: 0, zero_divisions: 0 }
    }

    /// The warnings, if their order is that of the row form.
    pub(in crate::vector) fn finish(mut self) -> Outcome<Warnings> {
        let zero = self.zero_divisions > 0 && self.execution.settings.error_for_division_by_zero;
        if self.warned + usize::from(zero) > 1 {
            return Err(ByRows);
        }
        if zero {
            let division = || SqlError::new(code::ER_DIVISION_BY_ZERO, &[]);
            self.warnings.warn_times(self.zero_divisions, division);
        }
        Ok(self.warnings)
    }

    /// Runs `with` in a context whose warnings are an outcome of their own.
    pub(super) fn quietly<T>(
        &self,
        with: impl FnOnce(&mut Cx<'_>, Row<'_>) -> crate::expr::Result<T>,
    ) -> Outcome<T> {
        let mut warnings = Warnings::new(0);
        let mut session = Locked(&self.execution.session);
        let mut cx = Cx::new(&self.execution.settings, &mut session, &mut warnings);
        let row = Row { columns: &[], params: &self.execution.params };
        let value = with(&mut cx, row).map_err(|_| ByRows)?;
        if warnings.is_empty() { Ok(value) } else { Err(ByRows) }
    }

    pub(super) fn constant(
        &self,
        node: &Node,
        lane: Lane,
        beside: Option<&(Node, Comparison)>,
    ) -> Outcome<Value> {
        // Most are what they are wanted as.
        let own = match &node.op {
            Op::Literal(value) => Some(value),
            Op::Param(at) => self.execution.params.get(*at),
            _ => None,
        };
        match (lane, own) {
            (Lane::Int, Some(value @ Value::Int(_)))
            | (Lane::Double, Some(value @ Value::Double(_)))
            | (Lane::Decimal, Some(value @ Value::Decimal(_))) => return Ok(value.clone()),
            _ => {}
        }
        let value = self.quietly(|cx, row| {
            Ok(Some(match lane {
                Lane::Int => match node.eval_int(cx, row)? {
                    None => Value::Null,
                    Some(value) => match (i64::try_from(value), u64::try_from(value)) {
                        (Ok(value), _) => Value::Int(value),
                        (_, Ok(value)) => Value::UInt(value),
                        _ => return Ok(None),
                    },
                },
                Lane::Double => Value::from(node.eval_double(cx, row)?),
                Lane::Decimal => node.eval_decimal(cx, row)?.map_or(Value::Null, Value::Decimal),
                Lane::Text => {
                    node.eval_text(cx, row)?.map_or(Value::Null, |text| Value::bytes(&text))
                }
                Lane::DateTime => {
                    let (other, with) = match beside {
                        Some((other, with)) => (other, *with),
                        None => (node, Comparison::LenientDateTime),
                    };
                    leaf::compared_datetime(node, other, with, cx, row)?
                        .map_or(Value::Null, Value::DateTime)
                }
                Lane::Time => match leaf::compared_time(node, cx, row)? {
                    None => Value::Null,
                    Some(Some(time)) => Value::Time(time),
                    // No time: like no other.
                    Some(None) => return Ok(None),
                },
                Lane::Truth => Value::from(node.eval_truth(cx, row)?),
                Lane::Any => node.run(cx, row)?.into_owned(),
            }))
        })?;
        value.ok_or(ByRows)
    }

    pub(super) fn by_rows(
        &mut self,
        node: &Node,
        form: Form,
        used: &[Used],
        places: &[usize],
        selection: Option<&BooleanBuffer>,
    ) -> Outcome<ArrayRef> {
        let mut arrays = Vec::with_capacity(places.len());
        for place in places {
            arrays.push(Arc::clone(self.arrays.get(*place).ok_or(ByRows)?));
        }
        let before = self.warnings.total();
        let mut source =
            RowSource::new(used, &arrays, &self.execution.params).map_err(|_| ByRows)?;
        let mut session = Locked(&self.execution.session);
        let mut cx = Cx::new(&self.execution.settings, &mut session, &mut self.warnings);
        let array = rows::evaluate(node, form, &mut source, self.rows, selection, &mut cx)
            .map_err(|_| ByRows)?;
        self.warned += usize::from(self.warnings.total() > before);
        Ok(array)
    }

    /// A column as its lane wants it.
    pub(super) fn column(&self, place: usize, lane: Lane) -> Outcome<Vector> {
        let array = self.arrays.get(place).ok_or(ByRows)?;
        let found = array.data_type();
        let fits = match lane {
            _ if found.is_null() => return Ok(Vector::One(Value::Null)),
            Lane::Int => found.is_integer(),
            Lane::Double => *found == DataType::Float64,
            Lane::Decimal => match (found, self.used.get(place)) {
                (DataType::Decimal128(_, scale), Some(used)) => *scale == used.ty.decimals as i8,
                _ => false,
            },
            Lane::Text => is_bytes(found),
            Lane::DateTime => matches!(found, DataType::UInt32 | DataType::UInt64),
            Lane::Time => *found == DataType::Int64,
            Lane::Any => true,
            Lane::Truth => false,
        };
        if fits { Ok(Vector::Many(Arc::clone(array))) } else { Err(ByRows) }
    }
}
