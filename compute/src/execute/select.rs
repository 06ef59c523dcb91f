//! The rows of a SELECT's result.

use firn_engine::Instant;
use firn_mysql_semantics::Value;
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::{Cx, Node, Op, Row};

use super::distinct::{Distinct, Offered};
use super::gathered::Gathered;
use super::measure::Part;
use super::rows::Rows;
use super::stream::{RowStream, holds};
use super::subquery::Subqueries;
use super::view::View;
use super::window::WindowRun;
use super::{Result, derived, sort_key};
use crate::bind::{Aggregate, BoundSelect, Item};
use crate::plan::{SelectPlan, StepRows};
use crate::spill::{put_row, take_row};
use crate::vector::VectorRun;

mod batches;
mod groups;
mod ordered;
mod windowed;

use self::ordered::{Ordered, Ordering};

/// Results of this many rows are cut while they are sorted, if a LIMIT allows it.
const CUT_ROWS_MAX: u64 = 100_000;

/// A SELECT that runs.
pub(crate) struct SelectRun<'p> {
    plan: &'p SelectPlan,
    params: &'p [Value],
    stream: RowStream<'p>,
    /// The same over batches, as long as that goes.
    vector: Option<VectorRun>,
    /// That was given up, and rows come from the beginning.
    begun_again: bool,
    /// Of equal rows one is enough.
    once: bool,
    /// Conditions that are looked at behind the batches.
    residual: Vec<Node>,
    subqueries: Subqueries<'p>,
    /// The flat row.
    row: Vec<Value>,
    /// Its window functions, until they are computed.
    windows: Option<WindowRun<'p>>,
    /// They are, and the items that need them come next.
    behind: bool,
    /// Items that are computed of the rows alone that are given.
    late: Vec<bool>,
    gathered: Option<Ordered>,
    /// Results given so far, by their values, of DISTINCT.
    distinct: Distinct,
    begun: bool,
    done: bool,
    skip: u64,
    left: u64,
    bytes: usize,
    memory: Gathered,
    /// Rows without the LIMIT, if they are counted.
    found: u64,
}

impl<'p> SelectRun<'p> {
    /// A run that has not begun.
    pub(crate) fn new(plan: &'p SelectPlan, params: &'p [Value]) -> Self {
        Self {
            plan,
            params,
            stream: RowStream::new(&plan.steps, params),
            vector: None,
            begun_again: false,
            once: false,
            residual: Vec::new(),
            subqueries: Subqueries::new(&plan.subqueries, params),
            row: vec![Value::Null; plan.select.row_len],
            windows: None,
            behind: false,
            late: Vec::new(),
            gathered: None,
            distinct: Distinct::default(),
            begun: false,
            done: false,
            skip: 0,
            left: u64::MAX,
            bytes: 0,
            memory: Gathered::default(),
            found: 0,
        }
    }

    /// The same, with no more rows than `sql_select_limit` unless LIMIT says otherwise.
    pub(crate) fn limited(mut self, rows_max: u64) -> Self {
        self.left = rows_max;
        self
    }

    /// The same for these values of the row around it, if it is a subquery.
    pub(crate) fn with_outer(mut self, values: Vec<Value>) -> Self {
        let places = self.row.iter_mut().skip(self.plan.select.outer_start);
        places.zip(values).for_each(|(place, value)| *place = value);
        self
    }

    /// The same where of equal rows one is enough; it may give more.
    pub(crate) fn once(mut self) -> Self {
        self.once = true;
        self
    }

    /// Rows that were found, without the LIMIT if they are counted.
    pub(crate) fn found_rows(&self) -> u64 {
        self.found
    }

    /// The next row of the result: the values of its items. `limit_max` is
    /// `sql_select_limit`.
    ///
    /// # Errors
    /// The engine's, those of evaluating expressions, 1038 if too much is gathered.
    pub(crate) async fn next(
        &mut self,
        view: &mut View<'_>,
        cx: &mut Cx<'p>,
    ) -> Result<Option<&[Value]>> {
        let began = view.clock();
        if let Some(measures) = view.measures().filter(|_| !self.begun) {
            measures.begin(self.plan, Part::Result);
        }
        let found = self.find(view, cx).await?;
        if let (Some(began), Some(measures)) = (began, view.measures()) {
            measures.spend(self.plan, Part::Result, measures.since(began));
            measures.rows(self.plan, Part::Result, u64::from(found));
        }
        let select = &self.plan.select;
        let items = select.items_start..select.items_start + select.items.len();
        Ok(found.then(|| &self.row[items]))
    }

    /// Brings the next row of the result into the flat row.
    async fn find(&mut self, view: &mut View<'_>, cx: &mut Cx<'p>) -> Result<bool> {
        if !self.begun {
            Box::pin(self.begin(view, cx)).await?;
        }
        let counts = self.plan.select.calc_found_rows;
        loop {
            if self.done || (self.left == 0 && !counts) {
                return Ok(false);
            }
            let found = match self.try_advance(view, cx) {
                Some(found) => found?,
                None => Box::pin(self.advance(view, cx)).await?,
            };
            if !found {
                if self.gathered.is_none()
                    && let Some(later) = self.distinct.later(view).await?
                {
                    self.gathered = Some(Ordered::Sorted(Box::new(later)));
                    continue;
                }
                self.done = true;
                return Ok(false);
            }
            if self.plan.select.distinct && self.gathered.is_none() && !self.is_new(view).await? {
                continue;
            }
            if self.skip > 0 {
                self.skip -= 1;
                self.found += u64::from(counts);
                continue;
            }
            self.found += 1;
            if self.left == 0 {
                continue;
            }
            self.left -= 1;
            if !self.late.is_empty() {
                Box::pin(self.compute_items(view, cx, |this, at| this.late[at])).await?;
            }
            return Ok(true);
        }
    }

    /// Reads all rows.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub(crate) async fn all(&mut self, view: &mut View<'_>, cx: &mut Cx<'p>) -> Result<Rows> {
        let mut rows = Rows::of(view);
        while let Some(row) = self.next(view, cx).await? {
            let row = row.to_vec();
            if std::mem::take(&mut self.begun_again) {
                rows.clear();
            }
            if !rows.push(row) {
                rows.make_room(view).await?;
            }
        }
        if self.begun_again {
            rows.clear();
        }
        rows.end(view).await
    }

    async fn begin(&mut self, view: &mut View<'_>, cx: &mut Cx<'p>) -> Result<()> {
        self.begun = true;
        self.memory = Gathered::of(view);
        let select = &self.plan.select;
        if select.distinct {
            self.distinct = Distinct::new(view);
        }
        if let Some(limit) = &select.limit {
            self.left = bound(&limit.rows, cx, self.params)?;
            if let Some(offset) = &limit.offset {
                self.skip = bound(offset, cx, self.params)?;
            }
            if self.left == 0 && !select.calc_found_rows {
                self.done = true;
                return Ok(());
            }
        }
        if self.having_is_impossible(cx) {
            self.done = true;
            return Ok(());
        }
        for (at, step) in self.plan.steps.iter().enumerate() {
            if let StepRows::Derived(plan) = &step.rows
                && !plan.is_lateral()
            {
                let rows = derived::rows(plan, &self.row, self.params, view, cx).await?;
                self.stream.give(at, rows);
            }
        }
        if self.skip > 0 || (self.left != u64::MAX && (!self.plan.ordered || select.grouped)) {
            self.late = late(self.plan);
        }
        let cut = self.plan.ordered && !select.grouped && self.left != u64::MAX;
        view.want_rows(cut.then(|| self.left.saturating_add(self.skip)));
        if !select.windows.is_empty() {
            Box::pin(self.begin_windows(view, cx)).await?;
        }
        let Self { plan, row, params, subqueries, .. } = self;
        let constant = |cx: &mut Cx<'p>| holds(&plan.constant, cx, row, params);
        let possible = subqueries.run(view, cx, constant).await?;
        if possible {
            self.begin_over_batches(view, cx).await?;
        }
        let began = view.clock();
        if select.grouped {
            let groups = self.group(view, cx, possible).await?;
            self.gathered_rows(view, &[Part::Having, Part::Sort], began, groups.len());
            self.gathered = Some(groups.finish(view).await?);
        } else if !possible {
            self.done = true;
        } else if !self.plan.ordered {
            let rows = match select.windows.is_empty() {
                true => self.sort(view, cx).await?,
                false => Box::pin(self.windowed(view, cx)).await?,
            };
            self.gathered_rows(view, &[Part::Sort], began, rows.len());
            self.gathered = Some(rows.finish(view).await?);
        }
        Ok(())
    }

    /// Whether HAVING is a constant that no row passes: then none is looked at.
    fn having_is_impossible(&self, cx: &mut Cx<'p>) -> bool {
        let having = self.plan.select.having.as_ref().filter(|having| having.is_constant());
        let Some(having) = having else { return false };
        let mark = cx.warnings.mark();
        let row = Row { columns: &self.row, params: self.params };
        let impossible = having.eval_truth(cx, row).is_ok_and(|truth| truth != Some(true));
        if !impossible {
            // What it says it says for rows.
            cx.warnings.rewind(mark);
        }
        impossible
    }

    /// Rows were gathered since `began`.
    fn gathered_rows(
        &self,
        view: &mut View<'_>,
        parts: &[Part],
        began: Option<Instant>,
        rows: usize,
    ) {
        let (Some(began), Some(measures)) = (began, view.measures()) else { return };
        let time = measures.since(began);
        for part in parts {
            measures.begin(self.plan, *part);
            measures.spend(self.plan, *part, time);
            measures.rows(self.plan, *part, rows as u64);
        }
    }

    /// Without subqueries and locks nothing but reading is waited for.
    fn is_plain(&self, view: &View<'_>) -> bool {
        self.plan.subqueries.is_empty() && view.locks().is_none() && !view.is_measured()
    }

    /// As [`Self::advance`] if that takes no waiting; `None` if that one has to be asked.
    /// A future for each row would cost more than the row.
    fn try_advance(&mut self, view: &View<'_>, cx: &mut Cx<'p>) -> Option<Result<bool>> {
        if let Some(rows) = &mut self.gathered {
            return rows.try_next(&mut self.row);
        }
        if !self.is_plain(view) {
            return None;
        }
        while let Some(vector) = &mut self.vector {
            if !vector.try_next(&mut self.row) {
                return None;
            }
            match self.computed(cx) {
                Ok(false) => {}
                passed => return Some(passed),
            }
        }
        loop {
            let found = self.stream.try_next(cx, &mut self.row)?;
            match found.and_then(|()| self.computed(cx)) {
                Ok(false) => {}
                passed => return Some(passed),
            }
        }
    }

    /// HAVING, if it reads no items.
    fn having_alone(&self) -> Option<&'p Node> {
        let select = &self.plan.select;
        let items = select.items_start..select.items_start + select.items.len();
        select.having.as_ref().filter(|having| !reads(having, &items))
    }

    /// Computes the items of the row; whether it passes HAVING.
    fn computed(&mut self, cx: &mut Cx<'p>) -> Result<bool> {
        let select = &self.plan.select;
        // Items of groups that do not pass are not looked at.
        if let Some(having) = self.having_alone() {
            let row = Row { columns: &self.row, params: self.params };
            if having.eval_truth(cx, row)? != Some(true) {
                return Ok(false);
            }
        }
        for (at, item) in select.items.iter().enumerate() {
            if select.windows.has_item(at) != self.behind || self.is_late(at) {
                continue;
            }
            cx.item_name = Some(&item.name);
            let row = Row { columns: &self.row, params: self.params };
            let value = item.node.run(cx, row)?.into_owned();
            self.row[select.items_start + at] = value;
        }
        cx.item_name = None;
        let row = Row { columns: &self.row, params: self.params };
        match &select.having {
            Some(having) => Ok(having.eval_truth(cx, row)? == Some(true)),
            None => Ok(true),
        }
    }

    /// Brings the next row, items computed, into the flat row.
    async fn advance(&mut self, view: &mut View<'_>, cx: &mut Cx<'p>) -> Result<bool> {
        if let Some(rows) = &mut self.gathered {
            return rows.next(&mut self.row).await;
        }
        loop {
            let found = match self.vector {
                None => {
                    let Self { stream, subqueries, row, .. } = self;
                    stream.next(view, cx, subqueries, row).await?
                }
                Some(_) => Box::pin(self.next_row(view, cx)).await?,
            };
            if !found {
                return Ok(false);
            }
            let Self { stream, subqueries, row, .. } = self;
            if view.locks().is_some() && !stream.settle(view, cx, subqueries, row).await? {
                continue;
            }
            let alone = match self.having_alone() {
                Some(_) => Some(self.passes(view, cx).await?),
                None => None,
            };
            if alone == Some(false) {
                continue;
            }
            self.compute(view, cx).await?;
            if alone == Some(true) || self.passes(view, cx).await? {
                return Ok(true);
            }
        }
    }

    fn is_late(&self, at: usize) -> bool {
        self.late.get(at) == Some(&true)
    }

    /// Computes the items of the row.
    async fn compute(&mut self, view: &mut View<'_>, cx: &mut Cx<'p>) -> Result<()> {
        let due = |this: &Self, at: usize| {
            this.plan.select.windows.has_item(at) == this.behind && !this.is_late(at)
        };
        self.compute_items(view, cx, due).await
    }

    /// Computes the items that are `due`.
    async fn compute_items(
        &mut self,
        view: &mut View<'_>,
        cx: &mut Cx<'p>,
        due: impl Fn(&Self, usize) -> bool,
    ) -> Result<()> {
        let select = &self.plan.select;
        for (at, item) in select.items.iter().enumerate() {
            if !due(self, at) {
                continue;
            }
            let Self { params, row, subqueries, .. } = self;
            let value = subqueries
                .run(view, cx, |cx| {
                    cx.item_name = Some(&item.name);
                    Ok(item.node.run(cx, Row { columns: row, params })?.into_owned())
                })
                .await?;
            row[select.items_start + at] = value;
        }
        cx.item_name = None;
        Ok(())
    }

    /// Computes the items of a group, if it passes HAVING: what that does not read, as `asked`
    /// says, is not looked at before.
    async fn compute_group(
        &mut self,
        asked: &[bool],
        view: &mut View<'_>,
        cx: &mut Cx<'p>,
    ) -> Result<bool> {
        let select = &self.plan.select;
        if select.having.is_none() {
            self.compute(view, cx).await?;
            return Ok(true);
        }
        let due = |this: &Self, at: usize| select.windows.has_item(at) == this.behind;
        self.compute_items(view, cx, |this, at| due(this, at) && asked[at]).await?;
        if !self.passes(view, cx).await? {
            return Ok(false);
        }
        self.compute_items(view, cx, |this, at| due(this, at) && !asked[at]).await?;
        Ok(true)
    }

    async fn passes(&mut self, view: &mut View<'_>, cx: &mut Cx<'p>) -> Result<bool> {
        let Self { plan, params, row, subqueries, .. } = self;
        let Some(having) = &plan.select.having else { return Ok(true) };
        let row = Row { columns: row, params };
        let truth = subqueries.run(view, cx, |cx| having.eval_truth(cx, row)).await?;
        Ok(truth == Some(true))
    }

    /// Whether no row before had the same items. What cannot be told yet is put off.
    async fn is_new(&mut self, view: &View<'_>) -> Result<bool> {
        let Self { plan, row, distinct, .. } = self;
        let select = &plan.select;
        let offered = distinct.offer(|key| {
            for (item, value) in select.items.iter().zip(&row[select.items_start..]) {
                sort_key::push(value, &item.node.ty, false, key);
            }
            Ok(())
        });
        match offered? {
            Offered::New => Ok(true),
            Offered::Seen => Ok(false),
            Offered::Later => {
                let put = |out: &mut Vec<u8>| {
                    put_row(row, out);
                    Ok::<_, SqlError>(())
                };
                if !distinct.put_off(put)? {
                    distinct.make_room(view).await?;
                }
                Ok(false)
            }
        }
    }

    /// Keeps the rows of DISTINCT that were put off.
    async fn keep_later(
        &mut self,
        view: &mut View<'_>,
        cx: &mut Cx<'p>,
        rows: &mut Ordering,
    ) -> Result<()> {
        let Some(mut later) = self.distinct.later(view).await? else { return Ok(()) };
        while later.advance().await? {
            self.row = take_row(&mut later.payload())?;
            self.keep(view, cx, rows).await?;
        }
        Ok(())
    }

    /// Rows that are wanted of the result in order.
    fn wanted(&self) -> u64 {
        match self.plan.select.calc_found_rows {
            true => u64::MAX,
            false => self.skip.saturating_add(self.left),
        }
    }

    /// Reads all rows and puts them in order.
    async fn sort(&mut self, view: &mut View<'_>, cx: &mut Cx<'p>) -> Result<Ordering> {
        let wanted = self.wanted();
        let mut rows = Ordering::new(view, wanted);
        let select = &self.plan.select;
        let cut = (wanted <= CUT_ROWS_MAX).then_some(usize::try_from(wanted).unwrap_or(usize::MAX));
        loop {
            let found = match self.try_advance(view, cx) {
                Some(found) => found?,
                None => Box::pin(self.advance(view, cx)).await?,
            };
            if std::mem::take(&mut self.begun_again) {
                rows.clear();
                self.distinct.clear(view);
            }
            if !found {
                break;
            }
            if select.distinct && !self.is_new(view).await? {
                continue;
            }
            if self.plan.subqueries.is_empty() {
                let key = order_key(self.plan, &self.row, self.params, cx)?;
                if !self.keep_by(key, &mut rows) {
                    rows.make_room(view).await?;
                }
            } else {
                Box::pin(self.keep(view, cx, &mut rows)).await?;
            }
            if let Some(wanted) = cut {
                rows.cut(wanted);
            }
        }
        self.keep_later(view, cx, &mut rows).await?;
        Ok(rows)
    }

    /// Keeps the flat row with its key.
    async fn keep(
        &mut self,
        view: &mut View<'_>,
        cx: &mut Cx<'p>,
        rows: &mut Ordering,
    ) -> Result<()> {
        let Self { plan, params, row, subqueries, .. } = self;
        let key = subqueries.run(view, cx, |cx| order_key(plan, row, params, cx)).await?;
        if !self.keep_by(key, rows) {
            rows.make_room(view).await?;
        }
        Ok(())
    }

    fn keep_by(&mut self, key: Vec<u8>, rows: &mut Ordering) -> bool {
        // Nothing of the row is needed for the next one, if that is not of a join and
        // nothing around it gave a part.
        let len = self.row.len();
        let is_own = self.plan.steps.len() == 1 && self.plan.select.outer_start >= len;
        rows.keep(key, &mut self.row, is_own)
    }
}

/// Whether an expression reads any of these places of the row; those with subqueries may.
fn reads(node: &Node, places: &std::ops::Range<usize>) -> bool {
    match &node.op {
        Op::Column(column) if places.contains(&column.index) => true,
        Op::Subquery { .. } => true,
        _ => node.args.iter().any(|arg| reads(arg, places)),
    }
}

fn asks_query(node: &Node) -> bool {
    matches!(node.op, Op::Subquery { .. }) || node.args.iter().any(asks_query)
}

/// Items that a server computes of the rows alone that it gives, not of those that OFFSET and
/// LIMIT leave out. Of tables that are joined and sorted it keeps all but constants, of groups
/// in a temporary table all but those and what is computed of aggregates.
fn late(plan: &SelectPlan) -> Vec<bool> {
    let select = &plan.select;
    let plain = !select.distinct && select.windows.is_empty() && select.rollup.is_none();
    if !plain || select.having.is_some() {
        return Vec::new();
    }
    // What EXISTS and IN look through is joined, too.
    let asks = |node: &Node| match (&node.op, &*node.args) {
        (Op::Not, [node]) => matches!(node.op, Op::Subquery { .. }),
        (op, _) => matches!(op, Op::Subquery { .. }),
    };
    let joined = plan.steps.len() > 1 || plan.steps.iter().any(|step| step.filter.iter().any(asks));
    let kept = match select.grouped {
        true => !gives_groups_in_order(select),
        false => joined && !select.order_by.is_empty(),
    };
    // Of a group it keeps the aggregates, not what is computed of them.
    let of_aggregates = |node: &Node| {
        let from = select.aggregates_start;
        let places = from..from + select.aggregates.len();
        select.grouped && !asks_query(node) && reads(node, &places)
    };
    let late = |(at, item): (usize, &Item)| {
        let place = select.items_start + at;
        let sorted = select.order_by.iter().any(|key| reads(&key.node, &(place..place + 1)));
        !sorted && (!kept || is_settled(&item.node) || of_aggregates(&item.node))
    };
    select.items.iter().enumerate().map(late).collect()
}

/// Whether a server gives each group as soon as it is complete: its rows are sorted, for an
/// aggregate that keeps values, and the groups are wanted in that order.
fn gives_groups_in_order(select: &BoundSelect) -> bool {
    // An item may be named for what it is.
    let place = |node: &Node| match &node.op {
        Op::Column(column) => {
            let at = column.index.checked_sub(select.items_start);
            match at.and_then(|at| select.items.get(at)).map(|item| &item.node.op) {
                Some(Op::Column(item)) => Some(item.index),
                Some(_) => None,
                None => Some(column.index),
            }
        }
        _ => None,
    };
    let in_order = select.order_by.len() <= select.group_by.len()
        && select
            .order_by
            .iter()
            .zip(&select.group_by)
            .all(|(key, group)| place(&key.node).is_some_and(|at| Some(at) == place(group)));
    !select.group_by.is_empty() && in_order && select.aggregates.iter().any(Aggregate::keeps_values)
}

/// Whether nothing in it depends on the row, subqueries included.
fn is_settled(node: &Node) -> bool {
    let own = match &node.op {
        Op::Column(_) | Op::UserVariable(_) | Op::Assign(_) => false,
        Op::Call(call) => call.function.deterministic,
        _ => true,
    };
    own && node.args.iter().all(is_settled)
}

/// What ORDER BY compares of a row.
fn order_key<'p>(
    plan: &'p SelectPlan,
    row: &[Value],
    params: &'p [Value],
    cx: &mut Cx<'p>,
) -> Result<Vec<u8>> {
    let mut key = Vec::with_capacity(32);
    for one in &plan.select.order_by {
        let value = one.node.eval(cx, Row { columns: row, params })?;
        sort_key::push_order(&value, &one.node.ty, one.descending, &mut key);
    }
    Ok(key)
}

/// A number of LIMIT.
pub(crate) fn bound(node: &Node, cx: &mut Cx<'_>, params: &[Value]) -> Result<u64> {
    match node.eval(cx, Row { columns: &[], params })?.as_ref() {
        Value::UInt(number) => Ok(*number),
        Value::Int(number) if *number >= 0 => Ok(number.unsigned_abs()),
        _ => Err(SqlError::new(code::ER_WRONG_ARGUMENTS, &["LIMIT".into()])),
    }
}

/// Memory that a row needs, roughly.
pub(super) fn bytes_of(row: &[Value]) -> usize {
    let heap = |value: &Value| match value {
        Value::Bytes(bytes) if bytes.len() > 16 => bytes.len(),
        _ => 0,
    };
    24 + row.iter().map(|value| std::mem::size_of::<Value>() + heap(value)).sum::<usize>()
}
