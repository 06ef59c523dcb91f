//! HAVING over batches: of the groups that were gathered only those go on for which it holds.
//!
//! A group that does not pass is never made a row. Values are those that the row executor
//! would look at: columns of the group, results of its aggregates, and items that HAVING
//! names. It looks at HAVING again for the groups that go on.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Decimal256Type, Float64Type, Int64Type};
use arrow_array::{ArrayRef, Float64Array, PrimitiveArray, RecordBatch};
use arrow_schema::{DataType, Field, FieldRef, Schema};
use datafusion_common::{DataFusionError, Result, ScalarValue};
use datafusion_expr::ColumnarValue;
use datafusion_physical_expr::expressions::{Column, Literal};
use datafusion_physical_expr_common::physical_expr::PhysicalExpr;
use datafusion_physical_plan::filter::FilterExec;
use firn_mysql_semantics::decimal::Decimal;
use firn_mysql_semantics::error::SqlError;
use firn_mysql_semantics::vector::{ArrayBuilder, ArrayReader, Builder, arrow_type, plan_error};
use firn_mysql_semantics::{SqlType, Value};

use super::choose::fits;
use super::output::{Gathered, missing};
use super::plan::{Built, Planner, told};
use crate::bind::{Aggregate, AggregateFunction as F, columns_of};
use crate::execute::{overflow, shown_sum};

/// Digits before the point of numbers whose averages have room for all of theirs, however many
/// there are.
const AVERAGED_DIGITS_MAX: u32 = 30;

impl Planner<'_> {
    /// The same, of groups for which HAVING holds; of all where only the row executor can tell.
    pub(super) fn having(&self, built: Built) -> std::result::Result<Built, SqlError> {
        let select = &self.plan.select;
        // Without GROUP BY there is one group, also of no rows.
        let Some(having) = self.settled.having.as_ref().filter(|_| !select.group_by.is_empty())
        else {
            return Ok(built);
        };
        // Of a group that does not pass, the row executor would have said that it fails.
        if !fits(having) || !select.aggregates.iter().all(never_fails) {
            return Ok(built);
        }
        let nothing: Arc<dyn PhysicalExpr> = Arc::new(Literal::new(ScalarValue::Null));
        let mut columns = vec![nothing; select.row_len];
        let mut known = vec![false; select.row_len];
        let mut know = |place: usize, column: Arc<dyn PhysicalExpr>| {
            if let (Some(slot), Some(known)) = (columns.get_mut(place), known.get_mut(place)) {
                (*slot, *known) = (column, true);
            }
        };
        let schema = built.plan.schema();
        let column = |at: usize| -> std::result::Result<Arc<dyn PhysicalExpr>, SqlError> {
            let field = schema.fields().get(at).ok_or_else(missing)?;
            Ok(Arc::new(Column::new(field.name(), at)))
        };
        for (place, _, at) in &built.output.places {
            know(*place, column(*at)?);
        }
        let all = select.aggregates.iter().zip(&built.output.aggregates).enumerate();
        for (at, (aggregate, gathered)) in all {
            if let Some(result) = self.result(aggregate, gathered, &column)? {
                know(select.aggregates_start + at, result);
            }
        }
        let is_known = |node: &firn_mysql_semantics::expr::Node, known: &[bool]| {
            let mut all = true;
            columns_of(node, &mut |place| all &= known.get(place) == Some(&true));
            all
        };
        let mut named = Vec::new();
        columns_of(having, &mut |place| named.extend(place.checked_sub(select.items_start)));
        for at in named {
            let Some(item) = select.items.get(at) else { continue };
            if fits(&item.node) && is_known(&item.node, &known) {
                let builder = Builder::new(&columns, self.statement);
                let value = builder.value(item.node.clone(), Some(&item.name))?;
                (columns[select.items_start + at], known[select.items_start + at]) = (value, true);
            }
        }
        if !is_known(having, &known) {
            return Ok(built);
        }
        let predicate = Builder::new(&columns, self.statement).predicate(having.clone())?;
        let plan = FilterExec::try_new(predicate, built.plan).map_err(|error| told(&error))?;
        Ok(Built { plan: Arc::new(plan), output: built.output })
    }

    /// The result of an aggregate; `None` where that is of another type than what is gathered.
    fn result(
        &self,
        aggregate: &Aggregate,
        gathered: &Gathered,
        column: &dyn Fn(usize) -> std::result::Result<Arc<dyn PhysicalExpr>, SqlError>,
    ) -> std::result::Result<Option<Arc<dyn PhysicalExpr>>, SqlError> {
        let data_type = arrow_type(&aggregate.ty)?;
        let (how, of) = match (gathered, aggregate.function) {
            (Gathered::Count(at), _) => return column(*at).map(Some),
            (Gathered::Extreme(at, ty), _) => {
                let same = arrow_type(ty)? == data_type && ty.kind == aggregate.ty.kind;
                return same.then(|| column(*at)).transpose();
            }
            (Gathered::Sum(sum, ty, _), F::SumDecimal) if ty.decimals == aggregate.ty.decimals => {
                (How::Sum, vec![column(*sum)?])
            }
            (Gathered::Sum(sum, ty, count), F::AvgDecimal) => {
                let increment = self.settings.div_precision_increment;
                (How::Average { of: *ty, increment }, vec![column(*sum)?, column(*count)?])
            }
            (Gathered::SumDouble(sum, _), F::SumDouble) => (How::SumDouble, vec![column(*sum)?]),
            (Gathered::SumDouble(sum, count), F::AvgDouble) => {
                (How::AverageDouble, vec![column(*sum)?, column(*count)?])
            }
            _ => return Ok(None),
        };
        Ok(Some(Arc::new(ResultExpr { how, of, ty: aggregate.ty, data_type })))
    }
}

/// Whether an aggregate that was gathered has a result of every group.
fn never_fails(aggregate: &Aggregate) -> bool {
    let digits = |ty: &SqlType| ty.precision().saturating_sub(ty.decimals.into());
    match (aggregate.function, aggregate.args.first()) {
        (F::AvgDecimal, Some(arg)) => {
            arg.ty.kind.is_integer() || digits(&arg.ty) <= AVERAGED_DIGITS_MAX
        }
        _ => true,
    }
}

/// How a result is made of what was gathered.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum How {
    /// In the type of the result.
    Sum,
    /// Of an exact sum of a type, with so many more decimals.
    Average {
        of: SqlType,
        increment: u8,
    },
    SumDouble,
    AverageDouble,
}

/// The results of an aggregate, as the row executor makes them.
#[derive(Debug, Clone)]
struct ResultExpr {
    how: How,
    /// The sums, and how many were added where that counts.
    of: Vec<Arc<dyn PhysicalExpr>>,
    ty: SqlType,
    data_type: DataType,
}

#[cold]
fn broken() -> DataFusionError {
    plan_error(missing())
}

impl ResultExpr {
    fn sums(&self, sums: &ArrayRef) -> Result<ArrayRef> {
        let wide = sums.as_primitive_opt::<Decimal256Type>().ok_or_else(broken)?;
        match self.data_type {
            DataType::Decimal128(..) => {
                let narrow: PrimitiveArray<Decimal128Type> =
                    wide.try_unary(|sum| sum.to_i128().ok_or_else(|| plan_error(overflow())))?;
                Ok(Arc::new(narrow.with_data_type(self.data_type.clone())))
            }
            _ => Ok(Arc::new(wide.clone().with_data_type(self.data_type.clone()))),
        }
    }

    fn averages(
        &self,
        sums: &ArrayRef,
        counts: &ArrayRef,
        of: &SqlType,
        increment: u8,
    ) -> Result<ArrayRef> {
        let counts = counts.as_primitive_opt::<Int64Type>().ok_or_else(broken)?;
        let sums = ArrayReader::new(sums, of).map_err(plan_error)?;
        let mut averages = ArrayBuilder::new(&self.ty, sums.len()).map_err(plan_error)?;
        for (at, count) in counts.values().iter().enumerate() {
            let average = match sums.get(at).map_err(plan_error)? {
                Value::Decimal(sum) => {
                    let average = sum.div(&Decimal::from(*count), increment, self.ty.decimals);
                    Value::Decimal(average.map_err(|_| plan_error(overflow()))?)
                }
                _ => Value::Null,
            };
            averages.push(&average).map_err(plan_error)?;
        }
        averages.finish().map_err(plan_error)
    }
}

#[allow(clippy::cast_precision_loss, reason = "as MySQL divides")]
fn averages_of_doubles(sums: &ArrayRef, counts: &ArrayRef) -> Result<ArrayRef> {
    let sums = sums.as_primitive_opt::<Float64Type>().ok_or_else(broken)?;
    let counts = counts.as_primitive_opt::<Int64Type>().ok_or_else(broken)?;
    let averages = sums.iter().zip(counts.values());
    let average = |sum: f64, count: i64| shown_sum(sum) / count as f64;
    let averages = averages.map(|(sum, count)| sum.map(|sum| average(sum, *count)));
    Ok(Arc::new(averages.collect::<Float64Array>()))
}

fn sums_of_doubles(sums: &ArrayRef) -> Result<ArrayRef> {
    let sums = sums.as_primitive_opt::<Float64Type>().ok_or_else(broken)?;
    Ok(Arc::new(sums.unary::<_, Float64Type>(shown_sum)))
}

impl PhysicalExpr for ResultExpr {
    fn data_type(&self, _: &Schema) -> Result<DataType> {
        Ok(self.data_type.clone())
    }

    fn nullable(&self, _: &Schema) -> Result<bool> {
        Ok(true)
    }

    fn return_field(&self, _: &Schema) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(self.to_string(), self.data_type.clone(), true)))
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        let rows = batch.num_rows();
        let arrays = self.of.iter().map(|one| one.evaluate(batch)?.into_array(rows));
        let arrays = arrays.collect::<Result<Vec<ArrayRef>>>()?;
        let results = match (&self.how, &*arrays) {
            (How::Sum, [sums]) => self.sums(sums)?,
            (How::Average { of, increment }, [sums, counts]) => {
                self.averages(sums, counts, of, *increment)?
            }
            (How::SumDouble, [sums]) => sums_of_doubles(sums)?,
            (How::AverageDouble, [sums, counts]) => averages_of_doubles(sums, counts)?,
            _ => return Err(broken()),
        };
        Ok(ColumnarValue::Array(results))
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        self.of.iter().collect()
    }

    fn with_new_children(
        self: Arc<Self>,
        of: Vec<Arc<dyn PhysicalExpr>>,
    ) -> Result<Arc<dyn PhysicalExpr>> {
        let Self { how, ty, data_type, .. } = &*self;
        Ok(Arc::new(Self { how: how.clone(), of, ty: *ty, data_type: data_type.clone() }))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for ResultExpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = match self.how {
            How::Sum | How::SumDouble => "sum",
            How::Average { .. } | How::AverageDouble => "average",
        };
        f.write_str(how)?;
        self.of.iter().try_for_each(|one| write!(f, " of {one}"))
    }
}

impl PartialEq for ResultExpr {
    fn eq(&self, other: &Self) -> bool {
        self.how == other.how && self.of == other.of && self.ty == other.ty
    }
}

impl Eq for ResultExpr {}

impl Hash for ResultExpr {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.how.hash(state);
        self.of.hash(state);
    }
}
