//! The rows of a SELECT's result.

use firn_engine::Instant;
use firn_mysql_semantics::Value;
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::{Cx, Node, Row};

use super::distinct::Distinct;
use super::gathered::Gathered;
use super::measure::Part;
use super::rows::Rows;
use super::stream::{RowStream, holds};
use super::subquery::Subqueries;
use super::view::View;
use super::window::WindowRun;
use super::{Result, derived};
use crate::plan::{SelectPlan, StepRows};
use crate::vector::VectorRun;

mod batches;
mod groups;
mod kept;
mod late;
mod ordered;
mod windowed;

use self::late::{late, reads};
use self::ordered::{Ordered, Ordering};

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
            if view.locks().is_some() && !Box::pin(stream.settle(view, cx, subqueries, row)).await?
            {
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
