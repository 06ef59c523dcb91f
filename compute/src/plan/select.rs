//! A SELECT as steps: the order in which its tables are read, by which indexes, and
//! where each condition is looked at.

use std::collections::VecDeque;
use std::sync::Arc;

use firn_mysql_semantics::TypeKind;
use firn_mysql_semantics::error::SqlError;
use firn_mysql_semantics::expr::{Node, Op, Result};

use super::order::{self, InOrder, Joined, Reached};
use super::over_batches::Costs;
use super::{
    Access, Alternatives, Condition, DerivedPlan, Known, SubqueryPlan, Wanted, WindowPlan, access,
    choose, cost, merge, pushed, semi,
};
use crate::bind::{
    Aggregate, AggregateFunction, BoundSelect, Derived, JoinKind, LimitBound, Locked, Source,
    TableSource, VirtualTable, columns_of,
};
use crate::table::OpenTable;

/// One table that is read.
pub(crate) struct Step {
    /// Where rows come from.
    pub(crate) rows: StepRows,
    /// By which index; of tables on the engine.
    pub(crate) access: Option<Access>,
    /// Place of its first column in the flat row, and behind its last.
    pub(crate) start: usize,
    /// Behind its last column.
    pub(crate) end: usize,
    /// Columns that are read, by their places in the table.
    pub(crate) columns: Vec<usize>,
    /// How it is joined.
    pub(crate) kind: JoinKind,
    /// Conditions of a LEFT join.
    pub(crate) on: Vec<Node>,
    /// Conditions that can be looked at once this table is there.
    pub(crate) filter: Vec<Node>,
    /// How its rows are locked.
    pub(crate) locked: Locked,
    /// What was known of the table when it was planned.
    pub(crate) known: Option<Known>,
    /// What reading it once is taken to be.
    pub(crate) estimate: Estimate,
}

/// What is estimated of one read of a step's rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Estimate {
    /// Rows that are looked at.
    pub(crate) read: f64,
    /// Rows that its conditions leave of them.
    pub(crate) left: f64,
    /// What it costs.
    pub(crate) cost: f64,
}

/// Where the rows of a step come from.
pub(crate) enum StepRows {
    /// A table on the engine.
    Stored(Arc<OpenTable>),
    /// Rows that the server makes up.
    Virtual(Arc<dyn VirtualTable>),
    /// A query in FROM.
    Derived(Box<DerivedPlan>),
}

impl StepRows {
    fn new(rows: TableSource) -> Result<Self> {
        Ok(match rows {
            TableSource::Stored(table) => Self::Stored(table),
            TableSource::Virtual(table) => Self::Virtual(table),
            TableSource::Derived(rows) => Self::Derived(Box::new(DerivedPlan::new(*rows)?)),
            // It was a query's rows since it was bound.
            TableSource::View(view) => {
                return Err(SqlError::no_such_table(&view.schema, &view.name));
            }
        })
    }
}

/// How a SELECT runs.
pub(crate) struct SelectPlan {
    /// What it says.
    pub(crate) select: BoundSelect,
    /// Tables in the order in which they are read.
    pub(crate) steps: Vec<Step>,
    /// Conditions without columns: looked at before anything is read.
    pub(crate) constant: Vec<Node>,
    /// Rows come in the order of ORDER BY.
    pub(crate) ordered: bool,
    /// Whoever takes the rows makes the same of them in any order.
    pub(crate) any_order: bool,
    /// Subqueries in its expressions.
    pub(crate) subqueries: Vec<SubqueryPlan>,
    /// How its window functions run.
    pub(crate) windows: WindowPlan,
    /// What it is taken to cost, by how it runs.
    pub(crate) costs: Costs,
}

impl Step {
    /// What gives the rows may give them in any order, if it is a plain query.
    fn in_any_order(&mut self) {
        if let StepRows::Derived(rows) = &mut self.rows
            && let DerivedPlan::Query { plan, .. } = &mut **rows
            && plan.select.limit.is_none()
            && !plan.select.distinct
            && plan.select.windows.is_empty()
        {
            plan.any_order = true;
        }
    }
}

impl SelectPlan {
    /// Plans a SELECT.
    ///
    /// # Errors
    /// 1176 for hints that name no index.
    pub(crate) fn new(mut select: BoundSelect) -> Result<Self> {
        let reads = columns_read(&mut select);
        Self::reading(select, reads)
    }

    /// Plans the search of an UPDATE or DELETE: all columns of the tables `targets`,
    /// and the places `more`, are read beside what the conditions read.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub(crate) fn for_change(
        mut select: BoundSelect,
        targets: &[usize],
        more: &[usize],
    ) -> Result<Self> {
        let mut reads = columns_read(&mut select);
        for &target in targets {
            let table = &select.tables[target];
            reads[table.start..table.start + table.columns.len()].fill(true);
        }
        more.iter().for_each(|place| reads[*place] = true);
        Self::reading(select, reads)
    }

    /// The step whose table's columns begin at `start`.
    pub(crate) fn step_at(&self, start: usize) -> usize {
        self.steps.iter().position(|step| step.start == start).unwrap_or_default()
    }

    /// What the block costs row by row, and how many rows it gives before they are gathered,
    /// by what is estimated of its steps.
    pub(crate) fn cost(&self) -> (f64, f64) {
        let (mut cost, mut rows) = (0.0, 1.0);
        for step in &self.steps {
            cost += rows * step.estimate.cost;
            rows *= step.estimate.left;
        }
        (cost, rows)
    }

    fn reading(mut select: BoundSelect, mut reads: Vec<bool>) -> Result<Self> {
        select.subqueries.iter_mut().for_each(|one| merge(&mut one.query));
        select.imply();
        semi::turn(&mut select);
        pushed::push(&mut select);
        let sources = std::mem::take(&mut select.sources);
        for source in &sources {
            read_for_virtual(source, select.tables[source.table].start, &mut reads);
        }
        let mut filter: Vec<Option<Node>> =
            std::mem::take(&mut select.filter).into_iter().map(Some).collect();
        let subqueries = SubqueryPlan::all(std::mem::take(&mut select.subqueries))?;
        let outer_start = select.outer_start;
        let constant = take_known(&mut filter, &|place| place >= outer_start);
        let order = plain_order(&select);
        let mut known = vec![false; select.row_len];
        known[outer_start..].fill(true);
        let mut steps: Vec<Step> = Vec::with_capacity(sources.len());
        let mut ordered = select.order_by.is_empty() && select.windows.is_empty();
        let mut waiting = VecDeque::from(sources);
        // Tables of inner joins, from one that keeps its place to the next one that does.
        let mut next: VecDeque<(Source, Reached)> = VecDeque::new();
        let mut enough = None;
        loop {
            if next.is_empty() {
                let free = waiting.iter().take_while(|source| is_free(source)).count();
                let some: Vec<Source> = waiting.drain(..free.max(1).min(waiting.len())).collect();
                let block = Block { select: &select, filter: &filter, known: &known };
                let order = if stays_one(&steps) { &*order } else { &[] };
                (next, enough) = in_order(&block, some, &reads, &subqueries, order);
            }
            let Some((source, reached)) = next.pop_front() else { break };
            let conditions = conditions_of(&select, &source, &filter, &known, &subqueries);
            let block = Block { select: &select, filter: &filter, known: &known };
            // Behind tables of one row each, rows come in the order of the next one.
            let one = stays_one(&steps);
            let wanted_order = if one { &*order } else { &[] };
            let last = one && !steps.is_empty() && next.is_empty() && waiting.is_empty();
            let enough = match (enough.take(), &select.limit) {
                (None, Some(limit)) if last => {
                    Some(Enough { rows: limit_of(limit), in_order: false })
                }
                (enough, _) => enough,
            };
            let access = access_of(&block, &source, &conditions, &reads, wanted_order, enough)?;
            let table = &select.tables[source.table];
            let (start, end) = (table.start, table.start + table.columns.len());
            if one && access.as_ref().is_some_and(|access| access.ordered) {
                ordered = true;
            }
            known[start..end].fill(true);
            let filter = take_known(&mut filter, &|place| known.get(place) == Some(&true));
            let estimate = estimate_of(&source, access.as_ref(), reached);
            steps.push(Step {
                estimate,
                known: source.known,
                rows: StepRows::new(source.rows)?,
                access,
                start,
                end,
                columns: (start..end).filter(|at| reads[*at]).map(|at| at - start).collect(),
                kind: source.kind,
                on: source.on,
                filter,
                locked: source.locked,
            });
        }
        if takes_any_order(&select) {
            steps.iter_mut().for_each(Step::in_any_order);
        }
        let windows = WindowPlan::new(&select.windows);
        let mut this = Self {
            select,
            steps,
            constant,
            ordered,
            any_order: false,
            subqueries,
            windows,
            costs: Costs::default(),
        };
        this.costs = Costs::of(&this);
        Ok(this)
    }
}

/// Whether groups come to the same, and in the same order, in whatever order their rows come:
/// sums in floating point do not, nor does which of several equal strings is the least.
fn takes_any_order(select: &BoundSelect) -> bool {
    use AggregateFunction as F;
    let is_free = |one: &Aggregate| match one.function {
        F::Count | F::SumDecimal | F::AvgDecimal => true,
        F::Min | F::Max => one.args.iter().all(|arg| {
            arg.ty.kind.is_integer()
                || arg.ty.kind.is_temporal()
                || arg.ty.kind == TypeKind::Decimal
        }),
        _ => false,
    };
    let ordered = !select.order_by.is_empty() || select.group_by.is_empty();
    select.grouped && ordered && select.limit.is_none() && select.aggregates.iter().all(is_free)
}

/// It may be read before or behind its neighbours.
fn is_free(source: &Source) -> bool {
    source.kind == JoinKind::Inner && !source.straight && !is_lateral(source)
}

/// What reading a table once is, by the index that was chosen.
fn estimate_of(source: &Source, access: Option<&Access>, reached: Reached) -> Estimate {
    let Reached { cost, mut read, rows } = reached;
    if let (Some(access), TableSource::Stored(open), Some(known)) =
        (access, &source.rows, &source.known)
    {
        let codec = open.codec.index(access.index).unwrap_or(open.codec.row_index());
        read = match (&access.union, access.parts.is_empty()) {
            (Some(union), _) => union.found.min(known.rows),
            (None, true) => known.rows,
            (None, false) if access.single => 1.0,
            (None, false) => known.found(codec, &access.parts).min(known.rows),
        };
    }
    Estimate { read, left: rows.min(read.max(1.0)), cost }
}

/// What is there of a block when its next tables are looked at.
struct Block<'a> {
    select: &'a BoundSelect,
    /// Conditions that nobody has looked at yet.
    filter: &'a [Option<Node>],
    /// Places of the flat row that are there.
    known: &'a [bool],
}

/// How the first table of a block is read so that its rows come in order.
struct Enough {
    rows: f64,
    /// Only in order are they so few.
    in_order: bool,
}

/// How many rows a LIMIT lets through, with those that it skips.
fn limit_of(limit: &LimitBound) -> f64 {
    limit.about.unwrap_or(cost::LIMITED)
}

/// Whether there is at most one row of all tables so far.
fn stays_one(steps: &[Step]) -> bool {
    let is_one = |step: &Step| step.access.as_ref().is_some_and(|access| access.single);
    steps.iter().all(is_one)
}

/// Tables of inner joins in the order in which they are read, and how many rows of the first
/// are enough in the order that is asked for.
fn in_order(
    block: &Block<'_>,
    sources: Vec<Source>,
    reads: &[bool],
    subqueries: &[SubqueryPlan],
    order: &[(usize, bool)],
) -> (VecDeque<(Source, Reached)>, Option<Enough>) {
    let Block { select, filter, known } = block;
    let places = |source: &Source| {
        let table = &select.tables[source.table];
        table.start..table.start + table.columns.len()
    };
    let places: Vec<_> = sources.iter().map(places).collect();
    let conditions: Vec<&Node> = match &sources[..] {
        [source] if source.kind == JoinKind::Left => source.on.iter().collect(),
        _ => filter.iter().flatten().collect(),
    };
    let is_known = |place: usize| known.get(place) == Some(&true);
    let limit = select.limit.as_ref().map(limit_of);
    let by_index = match (limit, order.first()) {
        (Some(wanted), Some((first, _))) if sources.len() > 1 => {
            let table = places.iter().position(|own| own.contains(first));
            let own = table.filter(|at| order.iter().all(|(at_, _)| places[*at].contains(at_)));
            own.and_then(|table| {
                let source = &sources[table];
                let TableSource::Stored(open) = &source.rows else { return None };
                let conditions = conditions_of(select, source, filter, known, subqueries);
                let order = of_table(order, &places[table]);
                let wanted_of_it = Wanted {
                    conditions: &conditions,
                    alternatives: &[],
                    reads: &|column| reads[places[table].start + column],
                    order: &order,
                    limited: Some(1.0),
                    in_order: true,
                    over_batches: false,
                    hints: &source.hints,
                    known: source.known.as_ref(),
                };
                let (entries, each) = access::in_order(&open.codec, &wanted_of_it)?;
                Some(InOrder { table, wanted, entries, each })
            })
        }
        _ => None,
    };
    let joined = Joined::new(&sources, &places, &conditions, &is_known, reads, subqueries);
    let order::Order { tables, enough } = joined.order(by_index);
    let enough = match (enough, limit) {
        (Some(rows), _) => Some(Enough { rows, in_order: true }),
        (None, Some(rows)) if tables.len() == 1 || !joined.are_known() => {
            Some(Enough { rows, in_order: false })
        }
        _ => None,
    };
    let mut sources: Vec<Option<Source>> = sources.into_iter().map(Some).collect();
    let taken = |(at, reached): (usize, Reached)| Some((sources[at].take()?, reached));
    (tables.into_iter().filter_map(taken).collect(), enough)
}

/// The same order by the columns of a table; empty if it is also by others.
fn of_table(order: &[(usize, bool)], places: &std::ops::Range<usize>) -> Vec<(usize, bool)> {
    let own = |(place, descending): &(usize, bool)| {
        places.contains(place).then(|| (place - places.start, *descending))
    };
    order.iter().map(own).collect::<Option<_>>().unwrap_or_default()
}

/// Its rows depend on those of the tables before it.
fn is_lateral(source: &Source) -> bool {
    let TableSource::Derived(rows) = &source.rows else { return false };
    match &**rows {
        Derived::Query { lateral, .. } => *lateral,
        Derived::JsonTable(table) => table.lateral,
        _ => false,
    }
}

/// The conditions all of whose columns are known, taken out.
fn take_known(filter: &mut [Option<Node>], known: &dyn Fn(usize) -> bool) -> Vec<Node> {
    let mut taken = Vec::new();
    for slot in filter.iter_mut() {
        let ready = slot.as_ref().is_some_and(|node| {
            let mut all = true;
            columns_of(node, &mut |place| all &= known(place));
            all
        });
        if ready {
            taken.extend(slot.take());
        }
    }
    taken
}

/// Adds the columns that virtual ones are computed from, which may be virtual themselves.
fn read_for_virtual(source: &Source, start: usize, reads: &mut [bool]) {
    let TableSource::Stored(table) = &source.rows else { return };
    for generated in table.virtual_columns().iter().rev() {
        if reads[start + generated.column] {
            columns_of(&generated.node, &mut |column| reads[start + column] = true);
        }
    }
}

/// Which places of the flat row the statement reads.
fn columns_read(select: &mut BoundSelect) -> Vec<bool> {
    let mut reads = vec![false; select.row_len];
    select.nodes(&mut |node| columns_of(node, &mut |place| reads[place] = true));
    reads
}

/// ORDER BY as columns of the flat row, if it is of nothing else.
fn plain_order(select: &BoundSelect) -> Vec<(usize, bool)> {
    if select.grouped || select.distinct || !select.windows.is_empty() {
        return Vec::new();
    }
    let mut order = Vec::with_capacity(select.order_by.len());
    for key in &select.order_by {
        let Op::Column(column) = &key.node.op else { return Vec::new() };
        let place = if column.index >= select.items_start {
            match &select.items[column.index - select.items_start].node.op {
                Op::Column(column) => column.index,
                _ => return Vec::new(),
            }
        } else {
            column.index
        };
        order.push((place, key.descending));
    }
    order
}

/// What conditions say of the columns of one table, once those before it are `known`.
fn conditions_of(
    select: &BoundSelect,
    source: &Source,
    filter: &[Option<Node>],
    known: &[bool],
    subqueries: &[SubqueryPlan],
) -> Vec<Condition> {
    let table = &select.tables[source.table];
    let (start, end) = (table.start, table.start + table.columns.len());
    let is_known = |place: usize| known.get(place) == Some(&true);
    let of = |node: &Node| {
        let members = || semi::members_of(node, subqueries, start, end);
        Condition::of(node, start, end, &is_known).or_else(members)
    };
    // Conditions of the statement hold for rows that a LEFT join makes up, too: they say
    // nothing of what its table has to be searched for.
    match source.kind {
        JoinKind::Inner => filter.iter().flatten().filter_map(of).collect(),
        JoinKind::Left => source.on.iter().filter_map(of).collect(),
    }
}

fn access_of(
    block: &Block<'_>,
    source: &Source,
    conditions: &[Condition],
    reads: &[bool],
    order: &[(usize, bool)],
    enough: Option<Enough>,
) -> Result<Option<Access>> {
    let TableSource::Stored(open) = &source.rows else { return Ok(None) };
    let table = &block.select.tables[source.table];
    let (start, end) = (table.start, table.start + table.columns.len());
    let alternatives: Vec<Alternatives> = {
        let is_known = |place: usize| block.known.get(place) == Some(&true);
        let of = |node: &Node| Alternatives::of(node, start, end, &is_known);
        match source.kind {
            JoinKind::Inner => block.filter.iter().flatten().filter_map(of).collect(),
            JoinKind::Left => source.on.iter().filter_map(of).collect(),
        }
    };
    let wanted = Wanted {
        conditions,
        alternatives: &alternatives,
        reads: &|column| reads[start + column],
        order: &of_table(order, &(start..end)),
        limited: enough.as_ref().map(|enough| enough.rows),
        in_order: enough.is_some_and(|enough| enough.in_order),
        over_batches: false,
        hints: &source.hints,
        known: source.known.as_ref(),
    };
    Ok(Some(choose(&open.codec, &wanted)?))
}

impl Step {
    /// The table on the engine that it reads.
    pub(crate) fn stored(&self) -> Option<&Arc<OpenTable>> {
        match &self.rows {
            StepRows::Stored(open) => Some(open),
            _ => None,
        }
    }
}
