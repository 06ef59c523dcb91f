//! CASE, IF, COALESCE: every row takes one of several values.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef};
use arrow_buffer::BooleanBuffer;
use arrow_select::interleave::interleave;

use super::logic::Known;
use super::numbers::in_type;
use super::{ByRows, Kernel, Outcome, Run, Vector};
use crate::types::SqlType;
use crate::value::Value;
use crate::vector::array::ArrayBuilder;
use crate::vector::types::arrow_type;

/// The rows that wait for a value, and the values so far.
struct Choice {
    ty: SqlType,
    /// The first is a single NULL.
    sources: Vec<ArrayRef>,
    /// For every row, a source and a place in it.
    places: Vec<(usize, usize)>,
    open: BooleanBuffer,
}

impl Choice {
    fn new(ty: &SqlType, rows: usize, selection: Option<&BooleanBuffer>) -> Outcome<Choice> {
        Ok(Choice {
            ty: *ty,
            sources: vec![single(ty, &Value::Null)?],
            places: vec![(0, 0); rows],
            open: selection.cloned().unwrap_or_else(|| BooleanBuffer::new_set(rows)),
        })
    }

    /// The rows `taken` have this value, and wait no more.
    fn take(&mut self, taken: &BooleanBuffer, value: &Vector) -> Outcome<()> {
        let source = self.sources.len();
        match value {
            Vector::One(Value::Null) => {}
            Vector::One(value) => {
                self.sources.push(single(&self.ty, value)?);
                taken.set_indices().for_each(|at| self.places[at] = (source, 0));
            }
            Vector::Many(array) => {
                let wanted = arrow_type(&self.ty).map_err(|_| ByRows)?;
                self.sources.push(in_type(Arc::clone(array), &wanted)?);
                taken.set_indices().for_each(|at| self.places[at] = (source, at));
            }
        }
        self.open = &self.open & &!taken;
        Ok(())
    }

    fn into_vector(self) -> Outcome<Vector> {
        let sources: Vec<&dyn Array> = self.sources.iter().map(|source| &**source).collect();
        interleave(&sources, &self.places).map(Vector::Many).map_err(|_| ByRows)
    }
}

fn single(ty: &SqlType, value: &Value) -> Outcome<ArrayRef> {
    let mut builder = ArrayBuilder::new(ty, 1).map_err(|_| ByRows)?;
    builder.push(value).map_err(|_| ByRows)?;
    builder.finish().map_err(|_| ByRows)
}

/// The value of the first branch whose condition is true; one without a condition is
/// ELSE. Conditions run over the rows that wait, values over those that take them.
pub(super) fn case(
    ty: &SqlType,
    branches: &[(Option<Kernel>, Kernel)],
    run: &mut Run<'_>,
    selection: Option<&BooleanBuffer>,
) -> Outcome<Vector> {
    let mut choice = Choice::new(ty, run.rows, selection)?;
    for (condition, value) in branches {
        if !choice.open.has_true() {
            break;
        }
        let taken = match condition {
            None => choice.open.clone(),
            Some(condition) => {
                let known = Known::of(&condition.eval(run, Some(&choice.open))?, run.rows)?;
                &known.yes & &choice.open
            }
        };
        if taken.has_true() {
            let value = value.eval(run, Some(&taken))?;
            choice.take(&taken, &value)?;
        }
    }
    choice.into_vector()
}

/// The first value that is not NULL.
pub(super) fn coalesce(
    ty: &SqlType,
    args: &[Kernel],
    run: &mut Run<'_>,
    selection: Option<&BooleanBuffer>,
) -> Outcome<Vector> {
    let mut choice = Choice::new(ty, run.rows, selection)?;
    for arg in args {
        if !choice.open.has_true() {
            break;
        }
        let value = arg.eval(run, Some(&choice.open))?;
        let taken = value.valid_among(Some(&choice.open), run.rows);
        choice.take(&taken.unwrap_or_else(|| choice.open.clone()), &value)?;
    }
    choice.into_vector()
}
