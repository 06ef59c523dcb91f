//! A query block as a plan of DataFusion: what reads its tables, looks at its conditions
//! and gathers its groups.

use std::borrow::Cow;
use std::num::NonZero;
use std::sync::Arc;
use std::thread::available_parallelism;

use arrow_schema::{Field, Schema, SchemaRef};
use datafusion_common::{DataFusionError, ScalarValue};
use datafusion_expr::AggregateUDF;
use datafusion_physical_expr::aggregate::AggregateExprBuilder;
use datafusion_physical_expr::expressions::{Column, Literal};
use datafusion_physical_expr_common::physical_expr::PhysicalExpr;
use datafusion_physical_plan::aggregates::{AggregateExec, AggregateMode, PhysicalGroupBy};
use datafusion_physical_plan::filter::FilterExec;
use datafusion_physical_plan::streaming::{PartitionStream, StreamingTableExec};
use datafusion_physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use firn_engine::Env;
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::{Apart, Cx, Node, Op, Row, Settings};
use firn_mysql_semantics::vector::{Builder, Statement, field, sql_error};
use firn_mysql_semantics::{SqlType, Value};
use firn_table::descriptor::IndexId;

use super::aggregate::{Gather, What};
use super::asked::Settled;
use super::in_order::InOrder;
use super::join::{Input, is_over};
use super::keys::{KeyExpr, is_own_key};
use super::made::MadeBatches;
use super::output::{Gathered, Output, missing};
use super::parts::{PARTS_MAX, ROWS_MIN, range_of};
use super::scan::{Source, TableScan};
use crate::bind::{Aggregate, AggregateFunction as F, JoinKind, columns_of};
use crate::execute::{MadeRows, View};
use crate::plan::{
    Access, Condition, SelectPlan, Step, StepRows, Wanted, add_implied, choose, implied,
};
use crate::spill::Spill;
use crate::zone;

/// So many keys are looked up whatever there is,
const KEYS_FEW: usize = 1000;
/// and more of them up to this part of a table's rows.
const KEYS_PART_MIN: u64 = 16;

/// A plan, and what its batches mean.
pub(super) struct Built {
    pub(super) plan: Arc<dyn ExecutionPlan>,
    pub(super) output: Output,
}

/// MySQL's error in what a plan failed with.
pub(super) fn told(error: &DataFusionError) -> SqlError {
    match sql_error(error) {
        Some(error) => error.clone(),
        None => SqlError::with_message(code::ER_UNKNOWN_ERROR, error.to_string()),
    }
}

/// What plans are made with.
pub(super) struct Planner<'a> {
    pub(super) plan: &'a SelectPlan,
    pub(super) params: &'a [Value],
    pub(super) statement: &'a Arc<Statement>,
    pub(super) settings: &'a Arc<Settings>,
    pub(super) session: &'a Apart,
    /// Rows of steps that were made before.
    pub(super) made: &'a [Option<MadeRows>],
    /// The conditions of each step.
    pub(super) settled: &'a Settled,
    pub(super) env: &'a Env,
    /// Batches were chosen by what they are estimated to cost.
    pub(super) by_cost: bool,
    /// Groups are gathered over batches, too.
    pub(super) gathers: bool,
    /// What sides of joins that do not fit into memory go to.
    pub(super) spill: &'a Spill,
    /// Memory of the plan, in bytes.
    pub(super) bytes_max: usize,
}

/// Rows on their way: what makes them, and which place each column is.
pub(super) struct Rows {
    pub(super) plan: Arc<dyn ExecutionPlan>,
    pub(super) places: Vec<(usize, SqlType)>,
}

impl Planner<'_> {
    /// The plan of the block; `None` if there is none after all: the transaction's own
    /// writes are in the way, or an outer join has no key.
    ///
    /// # Errors
    /// Those of evaluating what tables are searched for; 1105.
    pub(super) fn build(
        &self,
        view: &mut View<'_>,
        cx: &mut Cx<'_>,
    ) -> Result<Option<Built>, SqlError> {
        let rows = match &*self.plan.steps {
            [] => None,
            [step] => match self.rows_of(step, self.access_of(step)?.as_deref(), view, cx)? {
                Some(rows) => Some(self.filtered(rows, self.filter_of(0))?),
                None => None,
            },
            _ => self.joined_steps(view, cx)?.map(|(rows, _)| rows),
        };
        let Some(rows) = rows else { return Ok(None) };
        let Some(rows) = self.with_partners(rows, view, cx)? else { return Ok(None) };
        if self.gathers {
            return self.having(self.gathered(rows)?).map(Some);
        }
        self.given(self.different(rows)?).map(Some)
    }

    /// The plan that gives rows as they are.
    pub(super) fn given(&self, rows: Rows) -> Result<Built, SqlError> {
        let plan = self.in_order(rows.plan)?;
        let places = rows.places.iter().enumerate().map(|(at, (place, ty))| (*place, *ty, at));
        let output = Output { places: places.collect(), aggregates: Vec::new() };
        Ok(Built { plan, output })
    }

    /// The rows of all steps, joined, and about how many rows are read for that at most of one
    /// of them.
    pub(super) fn joined_steps(
        &self,
        view: &mut View<'_>,
        cx: &mut Cx<'_>,
    ) -> Result<Option<(Rows, u64)>, SqlError> {
        let steps = &self.plan.steps;
        let inner = steps.iter().all(|step| step.kind == JoinKind::Inner);
        // Conditions of one table are looked at before it is joined.
        let mut pool: Vec<Node> = match inner {
            true => (0..steps.len()).flat_map(|at| self.filter_of(at).to_vec()).collect(),
            false => Vec::new(),
        };
        let mut inputs = Vec::with_capacity(steps.len());
        let places: Vec<_> =
            steps.iter().map(|step| self.places_of(step)).collect::<Result<_, _>>()?;
        let own: Vec<_> =
            places.iter().map(|places| |node: &Node| self.is_over(node, places)).collect();
        let tables: Vec<&dyn Fn(&Node) -> bool> =
            own.iter().map(|one| one as &dyn Fn(&Node) -> bool).collect();
        // Also what may warn: the run is given up then.
        add_implied(&mut pool, &|node| implied(node, &tables, &|_| true));
        for (at, step) in steps.iter().enumerate() {
            match self.input(at, step, &mut pool, inner, view, cx)? {
                Some(input) => inputs.push(input),
                None => return Ok(None),
            }
        }
        if let Some(last) = inputs.last_mut().filter(|_| inner) {
            last.filter = pool;
        }
        let size = inputs.iter().map(|input| input.size).max().unwrap_or_default();
        Ok(self.joined(inputs)?.map(|rows| (rows, size)))
    }

    /// How the one table of the block is searched.
    fn access_of<'s>(&self, step: &'s Step) -> Result<Option<Cow<'s, Access>>, SqlError> {
        let Some(access) = &step.access else { return Ok(None) };
        match step.stored() {
            // Its rows have copies, which no index has. But they come in another order.
            Some(table)
                if self.plan.any_order && access.parts.is_empty() && access.union.is_none() =>
            {
                let reads = |column| step.columns.contains(&column);
                choose(&table.codec, &wanted(step, &[], &reads)).map(Cow::Owned).map(Some)
            }
            _ => Ok(Some(Cow::Borrowed(access))),
        }
    }

    /// A table that is to be joined, with the conditions that are of it alone.
    fn input(
        &self,
        at: usize,
        step: &Step,
        pool: &mut Vec<Node>,
        inner: bool,
        view: &mut View<'_>,
        cx: &mut Cx<'_>,
    ) -> Result<Option<Input>, SqlError> {
        let places = self.places_of(step)?;
        let is_own = |node: &Node| self.is_over(node, &places);
        let (own, mut filter, mut on);
        (filter, on) = (Vec::new(), step.on.clone());
        match step.kind {
            JoinKind::Inner if inner => {
                let (local, others): (Vec<Node>, Vec<Node>) = pool.drain(..).partition(is_own);
                (own, *pool) = (local, others);
            }
            JoinKind::Inner => {
                (own, filter) = self.filter_of(at).iter().cloned().partition(is_own);
            }
            JoinKind::Left => {
                // What WHERE says of it holds for the row of NULLs, too.
                filter = self.filter_of(at).to_vec();
                (own, on) = on.into_iter().partition(is_own);
            }
        }
        let (start, end) = (step.start, step.end);
        let access = match step.stored() {
            Some(table) => {
                let conditions = own.iter();
                let conditions =
                    conditions.filter_map(|node| Condition::of(node, start, end, &|_| false));
                let conditions: Vec<Condition> = conditions.collect();
                let reads = |column| step.columns.contains(&column);
                Some(choose(&table.codec, &wanted(step, &conditions, &reads))?)
            }
            None => None,
        };
        let Some(rows) = self.rows_of(step, access.as_ref(), view, cx)? else { return Ok(None) };
        let mut size = self.size_of(step, view);
        if !own.is_empty() {
            size /= 4;
        }
        let rows = self.filtered(rows, &own)?;
        let unique = self.unique_of(step);
        Ok(Some(Input { rows, size, unique, kind: step.kind, on, filter }))
    }

    /// Places of a step of which no two rows have the same values.
    fn unique_of(&self, step: &Step) -> Vec<Vec<usize>> {
        let Some(table) = step.stored() else { return Vec::new() };
        let table = table.descriptor();
        let place = |id| table.columns.iter().position(|column| column.id == id);
        let indexes = table.indexes.iter().filter(|index| index.is_unique());
        let places = indexes.map(|index| {
            let parts = index.parts.iter().map(|part| Some(step.start + place(part.column)?));
            parts.collect::<Option<Vec<usize>>>()
        });
        places.flatten().collect()
    }

    fn filter_of(&self, step: usize) -> &[Node] {
        self.settled.filters.get(step).map_or(&[], Vec::as_slice)
    }

    /// About how many rows a step has.
    fn size_of(&self, step: &Step, view: &View<'_>) -> u64 {
        match (&step.rows, self.made_of(step)) {
            (StepRows::Stored(table), _) => view.estimated_rows(table),
            (_, Some(made)) => made.len() as u64,
            _ => 0,
        }
    }

    fn made_of(&self, step: &Step) -> Option<&MadeRows> {
        let at = self.plan.step_at(step.start);
        self.made.get(at).and_then(Option::as_ref)
    }

    /// The places of a step's columns that are read.
    fn places_of(&self, step: &Step) -> Result<Vec<(usize, SqlType)>, SqlError> {
        // One that stands for several comes behind them.
        let mut tables = self.plan.select.tables.iter();
        let table = tables.rfind(|table| table.start == step.start).ok_or_else(missing)?;
        let place = |at: &usize| {
            let column = table.columns.get(*at).ok_or_else(missing)?;
            Ok((step.start + at, column.ty))
        };
        step.columns.iter().map(place).collect()
    }

    /// The rows of a step, all that an index finds.
    pub(super) fn rows_of(
        &self,
        step: &Step,
        access: Option<&Access>,
        view: &mut View<'_>,
        cx: &mut Cx<'_>,
    ) -> Result<Option<Rows>, SqlError> {
        let places = self.places_of(step)?;
        let schema = schema_of(&places)?;
        if let Some(made) = self.made_of(step) {
            let columns: Vec<(usize, SqlType)> =
                places.iter().map(|(place, ty)| (place - step.start, *ty)).collect();
            let plan = source(vec![Arc::new(MadeBatches::new(made, columns, &schema)?)])?;
            return Ok(Some(Rows { plan, places }));
        }
        let (StepRows::Stored(table), Some(access)) = (&step.rows, access) else {
            return Ok(None);
        };
        if access.index != IndexId::ROWS && view.has_overtaken() {
            return Ok(None);
        }
        let reads = |column| step.columns.contains(&column);
        let mark = cx.warnings.mark();
        let row = Row { columns: &[], params: self.params };
        let find =
            |access: &Access, cx: &mut Cx<'_>| access.lookup(&table.codec, &zone::to_utc, cx, row);
        let (mut access, mut lookup) = (access.clone(), find(access, cx));
        if let Ok(found) = &lookup
            && found.len() as u64 >= view.estimated_rows(table) / KEYS_PART_MIN
            && found.len() > KEYS_FEW
        {
            // It costs less to read all rows than to look up so many of them.
            access = match access.index == IndexId::ROWS {
                true => Access { parts: Vec::new(), single: false, ..access },
                false => choose(&table.codec, &wanted(step, &[], &reads))?,
            };
            lookup = find(&access, cx);
        }
        cx.warnings.rewind(mark);
        let scanned = Source {
            table: Arc::clone(table),
            columns: step.columns.clone(),
            access,
            lookup: lookup?,
            view: view.apart()?,
            interrupt: view.interrupt().clone(),
            settings: Arc::clone(self.settings),
            session: Arc::clone(self.session),
            env: view.env().clone(),
            read_rows: Arc::clone(&view.over_batches().read_rows),
            copied_rows: Arc::clone(&view.over_batches().copied_rows),
        };
        let large = view.estimated_rows(table) >= ROWS_MIN;
        let parts = match large && scanned.view.is_steady() && range_of(&scanned).is_some() {
            true => available_parallelism().map_or(1, NonZero::get).clamp(2, PARTS_MAX),
            false => 1,
        };
        let scans = TableScan::parts(scanned, &schema, parts);
        let scans = scans.into_iter().map(|scan| Arc::new(scan) as Arc<dyn PartitionStream>);
        Ok(Some(Rows { plan: source(scans.collect())?, places }))
    }

    /// The rows for which conditions hold.
    pub(super) fn filtered(&self, rows: Rows, conditions: &[Node]) -> Result<Rows, SqlError> {
        let Some(condition) = Node::all_of(conditions.to_vec()) else { return Ok(rows) };
        let columns = self.columns(&rows.places);
        let predicate = Builder::new(&columns, self.statement).predicate(condition)?;
        let plan = FilterExec::try_new(predicate, rows.plan).map_err(|error| told(&error))?;
        Ok(Rows { plan: Arc::new(plan), places: rows.places })
    }

    /// What gives the places of the flat row.
    pub(super) fn columns(&self, places: &[(usize, SqlType)]) -> Vec<Arc<dyn PhysicalExpr>> {
        let nothing: Arc<dyn PhysicalExpr> = Arc::new(Literal::new(ScalarValue::Null));
        let mut columns = vec![nothing; self.plan.select.row_len];
        for (at, (place, _)) in places.iter().enumerate() {
            if let Some(slot) = columns.get_mut(*place) {
                *slot = Arc::new(Column::new(&name_of(*place), at));
            }
        }
        for extra in &self.settled.extras {
            if extra.operands.iter().all(|node| is_over(node, places))
                && let Ok(column) = extra.column(self, &columns)
            {
                columns.push(column);
            } else {
                columns.push(Arc::new(Literal::new(ScalarValue::Null)));
            }
        }
        columns
    }

    /// Whether all that a condition reads is among places.
    pub(super) fn is_over(&self, node: &Node, places: &[(usize, SqlType)]) -> bool {
        let mut all = true;
        self.reads(node, &mut |place| all &= places.iter().any(|(one, _)| *one == place));
        all
    }

    /// Calls `each` with the place of every column that a condition reads, also to ask
    /// subqueries.
    pub(super) fn reads(&self, node: &Node, each: &mut impl FnMut(usize)) {
        columns_of(node, &mut |place| match self.settled.extra(self.plan, place) {
            Some(extra) => extra.operands.iter().for_each(|node| columns_of(node, each)),
            None => each(place),
        });
    }

    fn gathered(&self, rows: Rows) -> Result<Built, SqlError> {
        let select = &self.plan.select;
        let columns = self.columns(&rows.places);
        let builder = Builder::new(&columns, self.statement);
        let schema = rows.plan.schema();
        let mut keys: Vec<(Arc<dyn PhysicalExpr>, String)> = Vec::new();
        let mut output = Output { places: Vec::new(), aggregates: Vec::new() };
        for (at, node) in select.group_by.iter().enumerate() {
            if let Op::Column(column) = &node.op
                && is_own_key(&node.ty)
            {
                // Its key is all that there is to know of it.
                output.places.push((column.index, node.ty, at));
            }
            let value = builder.value(node.clone(), None)?;
            keys.push((KeyExpr::of(value, &node.ty), format!("k{at}")));
        }
        if keys.is_empty() {
            // All rows are one group; of no rows there is none, which the caller knows.
            keys.push((Arc::new(Literal::new(ScalarValue::Int8(Some(0)))), "k".to_owned()));
        }
        let mut gathers: Vec<(What, Arc<dyn PhysicalExpr>)> = Vec::new();
        let start = keys.len();
        let mut gather = |what: What, of: &Arc<dyn PhysicalExpr>| {
            gathers.push((what, Arc::clone(of)));
            start + gathers.len() - 1
        };
        for place in self.read_of_groups() {
            let known = output.places.iter().any(|(known, ..)| *known == place);
            if let Some((_, ty)) = rows.places.iter().find(|(one, _)| *one == place)
                && !known
            {
                let column = columns.get(place).ok_or_else(missing)?;
                output.places.push((place, *ty, gather(What::First, column)));
            }
        }
        for aggregate in &select.aggregates {
            let one = self.aggregate(aggregate, &builder, &mut gather)?;
            output.aggregates.push(one);
        }
        let fail = |error: DataFusionError| told(&error);
        let adds_up = gathers.iter().all(|(what, _)| what.adds_up());
        let mut functions = Vec::with_capacity(gathers.len());
        for (at, (what, of)) in gathers.into_iter().enumerate() {
            let function = AggregateUDF::new_from_impl(Gather::new(what));
            let built = AggregateExprBuilder::new(Arc::new(function), vec![of])
                .schema(Arc::clone(&schema))
                .alias(format!("g{at}"))
                .build();
            functions.push(Arc::new(built.map_err(fail)?));
        }
        let keys = PhysicalGroupBy::new_single(keys);
        let gather = |mode, keys, input| {
            let filters = vec![None; functions.len()];
            let schema = Arc::clone(&schema);
            AggregateExec::try_new(mode, keys, functions.clone(), filters, input, schema)
                .map(Arc::new)
                .map_err(fail)
        };
        let plan = match adds_up && parts_of(&rows.plan) > 1 {
            true => {
                let parts = gather(AggregateMode::Partial, keys.clone(), rows.plan)?;
                let parts = self.in_order(parts)?;
                gather(AggregateMode::Final, keys.as_final(), parts)?
            }
            false => gather(AggregateMode::Single, keys, self.in_order(rows.plan)?)?,
        };
        Ok(Built { plan, output })
    }

    /// Rows of which only those count that differ in what the block's items read of them.
    fn different(&self, rows: Rows) -> Result<Rows, SqlError> {
        let select = &self.plan.select;
        let alone = !select.grouped && select.windows.is_empty() && select.limit.is_none();
        if !self.settled.once || !alone || !self.settled.residual.is_empty() {
            return Ok(rows);
        }
        let columns = self.columns(&rows.places);
        let (mut keys, mut places) = (Vec::new(), Vec::new());
        for item in &select.items {
            let Op::Column(column) = &item.node.op else { return Ok(rows) };
            let place = rows.places.iter().find(|(place, _)| *place == column.index);
            let (Some(place), true) = (place, is_own_key(&item.node.ty)) else { return Ok(rows) };
            let value = columns.get(column.index).ok_or_else(missing)?;
            keys.push((Arc::clone(value), name_of(column.index)));
            places.push(*place);
        }
        let schema = rows.plan.schema();
        let gather = |mode, keys, input| {
            let schema = Arc::clone(&schema);
            AggregateExec::try_new(mode, keys, Vec::new(), Vec::new(), input, schema)
                .map(Arc::new)
                .map_err(|error| told(&error))
        };
        let keys = PhysicalGroupBy::new_single(keys);
        let parts = gather(AggregateMode::Partial, keys.clone(), rows.plan)?;
        let plan = gather(AggregateMode::Final, keys.as_final(), self.in_order(parts)?)?;
        Ok(Rows { plan, places })
    }

    /// What the parts of a plan give, one after the other.
    pub(super) fn in_order(
        &self,
        plan: Arc<dyn ExecutionPlan>,
    ) -> Result<Arc<dyn ExecutionPlan>, SqlError> {
        match parts_of(&plan) {
            1 => Ok(plan),
            _ => source(vec![Arc::new(InOrder::new(plan, self.env.clone()))]),
        }
    }

    /// Places of table columns that are read of groups.
    fn read_of_groups(&self) -> Vec<usize> {
        let select = &self.plan.select;
        let mut read = Vec::new();
        let mut each = |node: &Node| {
            columns_of(node, &mut |place| {
                if place < select.aggregates_start && !read.contains(&place) {
                    read.push(place);
                }
            });
        };
        select.items.iter().for_each(|item| each(&item.node));
        select.windows.operands().for_each(&mut each);
        select.having.iter().for_each(&mut each);
        select.order_by.iter().for_each(|key| each(&key.node));
        read
    }

    fn aggregate(
        &self,
        aggregate: &Aggregate,
        builder: &Builder<'_>,
        gather: &mut dyn FnMut(What, &Arc<dyn PhysicalExpr>) -> usize,
    ) -> Result<Gathered, SqlError> {
        let Some(arg) = aggregate.args.first() else {
            let every: Arc<dyn PhysicalExpr> = Arc::new(Literal::new(ScalarValue::Int8(Some(1))));
            return Ok(Gathered::Count(gather(What::Count, &every)));
        };
        let value: Arc<dyn PhysicalExpr> = builder.value(arg.clone(), None)?;
        Ok(match aggregate.function {
            F::Count if aggregate.distinct => {
                Gathered::Count(gather(What::CountDistinct(arg.ty), &value))
            }
            F::Count => Gathered::Count(gather(What::Count, &value)),
            F::SumDecimal | F::AvgDecimal => {
                let scale = if arg.ty.kind.is_integer() { 0 } else { arg.ty.decimals };
                let what = What::Sum(i8::try_from(scale).map_err(|_| missing())?);
                let ty = SqlType::decimal(65, scale, false);
                Gathered::Sum(gather(what, &value), ty, gather(What::Count, &value))
            }
            F::SumDouble | F::AvgDouble => {
                Gathered::SumDouble(gather(What::SumDouble, &value), gather(What::Count, &value))
            }
            F::Min | F::Max => {
                let least = aggregate.function == F::Min;
                let what = What::Extreme { least, ty: arg.ty };
                Gathered::Extreme(gather(what, &value), arg.ty)
            }
            _ => return Err(missing()),
        })
    }
}

fn name_of(place: usize) -> String {
    format!("c{place}")
}

/// What a step's rows are searched by.
fn wanted<'a>(
    step: &'a Step,
    conditions: &'a [Condition],
    reads: &'a dyn Fn(usize) -> bool,
) -> Wanted<'a> {
    Wanted {
        conditions,
        reads,
        alternatives: &[],
        order: &[],
        limited: None,
        in_order: false,
        over_batches: true,
        hints: &[],
        known: step.known.as_ref(),
    }
}

/// How many parts a plan has that can run at the same time.
fn parts_of(plan: &Arc<dyn ExecutionPlan>) -> usize {
    plan.output_partitioning().partition_count()
}

/// What begins a plan, in parts.
fn source(parts: Vec<Arc<dyn PartitionStream>>) -> Result<Arc<dyn ExecutionPlan>, SqlError> {
    let first = parts.first().ok_or_else(missing)?;
    let schema = Arc::clone(first.schema());
    let plan = StreamingTableExec::try_new(schema, parts, None, [], false, None);
    Ok(Arc::new(plan.map_err(|error| told(&error))?))
}

/// The fields of places.
pub(super) fn schema_of(places: &[(usize, SqlType)]) -> Result<SchemaRef, SqlError> {
    let fields =
        places.iter().map(|(place, ty)| Ok(field(&name_of(*place), ty)?.with_nullable(true)));
    Ok(Arc::new(Schema::new(fields.collect::<Result<Vec<Field>, SqlError>>()?)))
}
