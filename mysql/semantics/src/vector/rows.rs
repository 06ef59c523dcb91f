//! The row form over a batch: row by row, in the order of the rows.

use std::sync::Arc;

use arrow_array::builder::BinaryViewBuilder;
use arrow_array::types::{Float64Type, Int64Type, UInt64Type};
use arrow_array::{ArrayRef, ArrowPrimitiveType, BooleanArray, PrimitiveArray};
use arrow_buffer::BooleanBuffer;

use super::array::{ArrayBuilder, ArrayReader, broken};
use crate::expr::{Cx, Node, Op, Result, Row, arith};
use crate::types::{SqlType, TypeKind};
use crate::value::Value;

/// As what the values are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As a client gets them, in the node's Arrow type.
    Value,
    /// Booleans.
    Truth,
    /// Int64, or UInt64 of unsigned nodes.
    Int,
    /// Float64.
    Double,
    /// BinaryView, in the character set of the node's collation.
    Text,
}

/// A column that a tree uses: its place in rows, and its type.
#[derive(Debug, Clone, Copy)]
pub(super) struct Used {
    pub(super) index: usize,
    pub(super) ty: SqlType,
}

/// The columns that a tree uses, each once, by place.
pub(super) fn used_columns(node: &Node) -> Vec<Used> {
    fn visit(node: &Node, out: &mut Vec<Used>) {
        if let Op::Column(column) = &node.op {
            out.push(Used { index: column.index, ty: node.ty });
        }
        node.args.iter().for_each(|arg| visit(arg, out));
    }
    let mut out = Vec::new();
    visit(node, &mut out);
    out.sort_by_key(|used| used.index);
    out.dedup_by_key(|used| used.index);
    out
}

/// The columns of a batch as rows.
pub(super) struct RowSource<'a> {
    readers: Vec<(usize, ArrayReader)>,
    row: Vec<Value>,
    params: &'a [Value],
}

impl<'a> RowSource<'a> {
    /// Over the arrays of the columns that are used, in their order.
    pub(super) fn new(used: &[Used], arrays: &[ArrayRef], params: &'a [Value]) -> Result<Self> {
        let mut readers = Vec::with_capacity(used.len());
        for (used, array) in used.iter().zip(arrays) {
            readers.push((used.index, ArrayReader::new(array, &used.ty)?));
        }
        let width = used.iter().map(|used| used.index.saturating_add(1)).max().unwrap_or(0);
        Ok(RowSource { readers, row: vec![Value::Null; width], params })
    }

    fn load(&mut self, at: usize) -> Result<Row<'_>> {
        for (index, reader) in &self.readers {
            if let Some(slot) = self.row.get_mut(*index) {
                *slot = reader.get(at)?;
            }
        }
        Ok(Row { columns: &self.row, params: self.params })
    }
}

/// Evaluates `node` for the rows that are selected; the others are NULL.
pub(super) fn evaluate(
    node: &Node,
    form: Form,
    source: &mut RowSource<'_>,
    rows: usize,
    selection: Option<&BooleanBuffer>,
    cx: &mut Cx<'_>,
) -> Result<ArrayRef> {
    match form {
        Form::Value => values(node, source, rows, selection, cx),
        Form::Truth => {
            let mut out: Vec<Option<bool>> = Vec::with_capacity(rows);
            each(source, rows, selection, |row| {
                out.push(match row {
                    Some(row) => node.eval_truth(cx, row)?,
                    None => None,
                });
                Ok(())
            })?;
            Ok(Arc::new(BooleanArray::from(out)))
        }
        Form::Int if node.ty.unsigned => ints::<UInt64Type>(node, source, rows, selection, cx),
        Form::Int => ints::<Int64Type>(node, source, rows, selection, cx),
        Form::Double => {
            let mut out: Vec<Option<f64>> = Vec::with_capacity(rows);
            each(source, rows, selection, |row| {
                out.push(match row {
                    Some(row) => node.eval_double(cx, row)?,
                    None => None,
                });
                Ok(())
            })?;
            Ok(Arc::new(PrimitiveArray::<Float64Type>::from(out)))
        }
        Form::Text => {
            let mut out = BinaryViewBuilder::with_capacity(rows);
            each(source, rows, selection, |row| {
                let text = match row {
                    Some(row) => node.eval_text(cx, row)?,
                    None => None,
                };
                out.append_option(text);
                Ok(())
            })?;
            Ok(Arc::new(out.finish()))
        }
    }
}

fn ints<T: ArrowPrimitiveType>(
    node: &Node,
    source: &mut RowSource<'_>,
    rows: usize,
    selection: Option<&BooleanBuffer>,
    cx: &mut Cx<'_>,
) -> Result<ArrayRef>
where
    T::Native: TryFrom<i128>,
    PrimitiveArray<T>: From<Vec<Option<T::Native>>>,
{
    let mut out: Vec<Option<T::Native>> = Vec::with_capacity(rows);
    each(source, rows, selection, |row| {
        let number = match row {
            Some(row) => node.eval_int(cx, row)?,
            None => None,
        };
        let number = number.map(T::Native::try_from).transpose();
        out.push(number.map_err(|_| broken("an integer is out of the range of its type"))?);
        Ok(())
    })?;
    Ok(Arc::new(PrimitiveArray::<T>::from(out)))
}

fn values(
    node: &Node,
    source: &mut RowSource<'_>,
    rows: usize,
    selection: Option<&BooleanBuffer>,
    cx: &mut Cx<'_>,
) -> Result<ArrayRef> {
    let mut builder = ArrayBuilder::new(&node.ty, rows)?;
    let is_text =
        node.ty.kind.is_string() && !matches!(node.ty.kind, TypeKind::Enum | TypeKind::Set);
    each(source, rows, selection, |row| {
        let Some(row) = row else { return builder.push(&Value::Null) };
        let value = node.run(cx, row)?;
        match &*value {
            // A number of a type of strings: the text that a client would get.
            Value::Null | Value::Bytes(_) => builder.push(&value),
            // Between operators decimals have more digits than an array.
            Value::Decimal(_) => {
                builder.push(&value).map_err(|_| arith::out_of_range("DECIMAL", node))
            }
            other if is_text => builder.push(&Value::from(node.text(other)?)),
            other => builder.push(other),
        }
    })?;
    builder.finish()
}

/// Calls `run` for every row, with `None` for those that are not selected.
fn each(
    source: &mut RowSource<'_>,
    rows: usize,
    selection: Option<&BooleanBuffer>,
    mut run: impl FnMut(Option<Row<'_>>) -> Result<()>,
) -> Result<()> {
    for at in 0..rows {
        if selection.is_some_and(|selection| !selection.value(at)) {
            run(None)?;
        } else {
            run(Some(source.load(at)?))?;
        }
    }
    Ok(())
}
