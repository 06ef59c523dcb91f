//! Values as keys: equal keys are equal values, by MySQL's rules.
//!
//! Integers, exact numbers of one scale and packed dates are keys themselves. Strings are
//! equal by their collations and floating point numbers have two zeros, so their keys are
//! the bytes by which the row executor sorts them.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow_array::builder::{BinaryViewBuilder, UInt32Builder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Int64Type, UInt64Type};
use arrow_array::{
    Array, ArrayRef, ArrowPrimitiveType, BinaryViewArray, RecordBatch, downcast_integer,
};
use arrow_schema::{DataType, Field, FieldRef, Schema};
use arrow_select::take::take;
use datafusion_common::{DataFusionError, Result};
use datafusion_expr::ColumnarValue;
use datafusion_physical_expr_common::physical_expr::PhysicalExpr;
use firn_mysql_semantics::vector::{ArrayReader, ByView, plan_error};
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

/// What keys are.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Form {
    /// The values themselves.
    Own,
    /// Int64.
    Signed,
    /// UInt64.
    Unsigned,
    /// Decimal128 with so many decimals.
    Decimal(i8),
    /// The bytes by which values of a type are sorted.
    Bytes(SqlType),
}

/// The keys of values.
#[derive(Debug, Clone)]
pub(super) struct KeyExpr {
    of: Arc<dyn PhysicalExpr>,
    /// The type of the values.
    ty: SqlType,
    form: Form,
}

impl KeyExpr {
    /// The keys of what `of` gives, which is of type `ty`, by which it is gathered.
    pub(super) fn of(of: Arc<dyn PhysicalExpr>, ty: &SqlType) -> Arc<dyn PhysicalExpr> {
        let form = if is_own_key(ty) { Form::Own } else { Form::Bytes(*ty) };
        Self::in_form(of, ty, &form)
    }

    /// The keys of what `of` gives, which is of type `ty`, in a form.
    pub(super) fn in_form(
        of: Arc<dyn PhysicalExpr>,
        ty: &SqlType,
        form: &Form,
    ) -> Arc<dyn PhysicalExpr> {
        match form {
            Form::Own => of,
            form => Arc::new(Self { of, ty: *ty, form: form.clone() }),
        }
    }

    fn key_type(&self) -> DataType {
        match self.form {
            Form::Signed => DataType::Int64,
            Form::Unsigned => DataType::UInt64,
            Form::Decimal(scale) => DataType::Decimal128(38, scale),
            Form::Own | Form::Bytes(_) => DataType::BinaryView,
        }
    }
}

#[cold]
fn unfit() -> DataFusionError {
    DataFusionError::Execution("a key is no number of its type".to_owned())
}

/// Integers of any width in a wider one.
fn widened<T: ArrowPrimitiveType>(array: &ArrayRef) -> Result<ArrayRef>
where
    T::Native: TryFrom<i128>,
{
    if *array.data_type() == T::DATA_TYPE {
        return Ok(Arc::clone(array));
    }
    macro_rules! each {
        ($ty:ty) => {{
            let wide = |value| T::Native::try_from(i128::from(value)).map_err(|_| unfit());
            Arc::new(array.as_primitive::<$ty>().try_unary::<_, T, _>(wide)?) as ArrayRef
        }};
    }
    let array = downcast_integer! {
        array.data_type() => (each),
        _ => return Err(unfit()),
    };
    Ok(array)
}

/// Exact numbers with so many decimals.
fn scaled(array: &ArrayRef, scale: i8) -> Result<ArrayRef> {
    let (numbers, decimals) = match array.data_type() {
        DataType::Decimal128(_, decimals) => (Arc::clone(array), *decimals),
        data_type if data_type.is_integer() => (widened::<Decimal128Type>(array)?, 0),
        _ => return Err(unfit()),
    };
    let more = u32::try_from(scale - decimals).map_err(|_| unfit())?;
    let power = 10i128.checked_pow(more).ok_or_else(unfit)?;
    let raise = |value: i128| value.checked_mul(power).ok_or_else(unfit);
    let numbers = numbers.as_primitive::<Decimal128Type>();
    let raised = numbers.try_unary::<_, Decimal128Type, _>(raise)?;
    Ok(Arc::new(raised.with_data_type(DataType::Decimal128(38, scale))))
}

/// The keys of an array's values of type `ty`, as values of type `by` are sorted. The
/// function puts one into a buffer; `false` for NULL.
pub(super) fn key_of(
    array: &ArrayRef,
    ty: &SqlType,
    by: &SqlType,
) -> Result<impl Fn(usize, &mut Vec<u8>) -> Result<bool> + use<>> {
    let is_bytes = *array.data_type() == DataType::BinaryView;
    let views = is_bytes.then(|| array.as_binary_view().clone());
    let reader = ArrayReader::new(array, ty).map_err(plan_error)?;
    let (array, by) = (Arc::clone(array), *by);
    Ok(move |at: usize, key: &mut Vec<u8>| {
        key.clear();
        if array.is_null(at) {
            return Ok(false);
        }
        match &views {
            Some(views) => push_cell(Cell::Bytes(views.value(at).into()), &by, false, true, key),
            None => {
                let value = reader.get(at).map_err(plan_error)?;
                crate::execute::push_key(&value, &by, false, key);
            }
        }
        Ok(true)
    })
}

/// The keys of strings: of one that comes again and again the key is made once.
fn by_views(
    strings: &BinaryViewArray,
    key_of: impl Fn(usize, &mut Vec<u8>) -> Result<bool>,
) -> Result<ArrayRef> {
    let mut keys = BinaryViewBuilder::new();
    let (mut known, mut key) = (ByView::default(), Vec::with_capacity(64));
    let mut places = UInt32Builder::with_capacity(strings.len());
    let mut made = 0;
    for (at, view) in strings.views().iter().enumerate() {
        if strings.is_null(at) {
            places.append_null();
            continue;
        }
        let place = known.get_or(*view, || {
            key_of(at, &mut key)?;
            keys.try_append_value(&key)?;
            made += 1;
            Ok::<u32, DataFusionError>(made - 1)
        });
        places.append_value(place?);
    }
    Ok(take(&keys.finish(), &places.finish(), None)?)
}

impl PhysicalExpr for KeyExpr {
    fn data_type(&self, _: &Schema) -> Result<DataType> {
        Ok(self.key_type())
    }

    fn nullable(&self, _: &Schema) -> Result<bool> {
        Ok(true)
    }

    fn return_field(&self, _: &Schema) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(self.to_string(), self.key_type(), true)))
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        let rows = batch.num_rows();
        let array = self.of.evaluate(batch)?.into_array(rows)?;
        let by = match &self.form {
            Form::Own => return Ok(ColumnarValue::Array(array)),
            Form::Signed => return widened::<Int64Type>(&array).map(ColumnarValue::Array),
            Form::Unsigned => return widened::<UInt64Type>(&array).map(ColumnarValue::Array),
            Form::Decimal(scale) => return scaled(&array, *scale).map(ColumnarValue::Array),
            Form::Bytes(ty) => ty,
        };
        let key_of = key_of(&array, &self.ty, by)?;
        let mut key = Vec::with_capacity(64);
        if let Some(views) = array.as_binary_view_opt() {
            return by_views(views, |at, key| key_of(at, key)).map(ColumnarValue::Array);
        }
        let mut keys = BinaryViewBuilder::with_capacity(rows);
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
        Ok(Arc::new(Self { of, ty: self.ty, form: self.form.clone() }))
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
        self.of.eq(&other.of) && self.ty == other.ty && self.form == other.form
    }
}

impl Eq for KeyExpr {}

impl Hash for KeyExpr {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.of.hash(state);
        self.ty.hash(state);
    }
}
