//! Values as keys: equal keys are equal values, by MySQL's rules.
//!
//! Integers, exact numbers of one scale and packed dates are keys themselves. Strings are
//! equal by their collations and floating point numbers have two zeros, so their keys are
//! the bytes by which the row executor sorts them.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow_array::builder::BinaryViewBuilder;
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, FieldRef, Schema};
use datafusion_common::Result;
use datafusion_expr::ColumnarValue;
use datafusion_physical_expr_common::physical_expr::PhysicalExpr;
use firn_mysql_semantics::vector::{ArrayReader, plan_error};
use firn_mysql_semantics::{SqlType, TypeKind};
use firn_table::Cell;

use crate::execute::push_cell;

/// Whether values of a type are keys themselves.
pub(super) fn is_own_key(ty: &SqlType) -> bool {
    use TypeKind as K;
    ty.kind.is_integer()
        || ty.kind.is_temporal()
        || matches!(ty.kind, K::Decimal | K::Year | K::Enum | K::Set | K::Bit)
}

/// The keys of values: bytes.
#[derive(Debug, Clone)]
pub(super) struct KeyExpr {
    of: Arc<dyn PhysicalExpr>,
    ty: SqlType,
}

impl KeyExpr {
    /// The keys of what `of` gives, which is of type `ty`.
    pub(super) fn of(of: Arc<dyn PhysicalExpr>, ty: &SqlType) -> Arc<dyn PhysicalExpr> {
        match is_own_key(ty) {
            true => of,
            false => Arc::new(Self { of, ty: *ty }),
        }
    }
}

/// The key of one cell.
pub(super) fn key_of(
    array: &ArrayRef,
    ty: &SqlType,
) -> Result<impl Fn(usize, &mut Vec<u8>) -> Result<bool>> {
    let views =
        (*array.data_type() == DataType::BinaryView).then(|| array.as_binary_view().clone());
    let reader = ArrayReader::new(array, ty).map_err(plan_error)?;
    let (array, ty) = (Arc::clone(array), *ty);
    Ok(move |at: usize, key: &mut Vec<u8>| {
        key.clear();
        if array.is_null(at) {
            return Ok(false);
        }
        match &views {
            Some(views) => push_cell(Cell::Bytes(views.value(at).into()), &ty, false, true, key),
            None => {
                let value = reader.get(at).map_err(plan_error)?;
                crate::execute::push_key(&value, &ty, false, key);
            }
        }
        Ok(true)
    })
}

impl PhysicalExpr for KeyExpr {
    fn data_type(&self, _: &Schema) -> Result<DataType> {
        Ok(DataType::BinaryView)
    }

    fn nullable(&self, _: &Schema) -> Result<bool> {
        Ok(true)
    }

    fn return_field(&self, _: &Schema) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(self.to_string(), DataType::BinaryView, true)))
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        let rows = batch.num_rows();
        let array = self.of.evaluate(batch)?.into_array(rows)?;
        let key_of = key_of(&array, &self.ty)?;
        let mut keys = BinaryViewBuilder::with_capacity(rows);
        let mut key = Vec::with_capacity(64);
        for at in 0..rows {
            match key_of(at, &mut key)? {
                true => keys.try_append_value(&key)?,
                false => keys.append_null(),
            }
        }
        Ok(ColumnarValue::Array(Arc::new(keys.finish())))
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.of]
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn PhysicalExpr>>,
    ) -> Result<Arc<dyn PhysicalExpr>> {
        let of = children.pop().unwrap_or_else(|| Arc::clone(&self.of));
        Ok(Arc::new(Self { of, ty: self.ty }))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for KeyExpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "key of {}", self.of)
    }
}

impl PartialEq for KeyExpr {
    fn eq(&self, other: &Self) -> bool {
        self.of.eq(&other.of) && self.ty == other.ty
    }
}

impl Eq for KeyExpr {}

impl Hash for KeyExpr {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.of.hash(state);
        self.ty.hash(state);
    }
}
