//! Rows of all tables of a statement, joined by nested loops.

use std::sync::Arc;

use firn_engine::Instant;
use firn_mysql_semantics::Value;
use firn_mysql_semantics::expr::{Cx, Node, Row};

use super::Result;
use super::derived::{self, Made};
use super::measure::Part;
use super::reader::Reader;
use super::rows::{Cursor, Rows};
use super::subquery::Subqueries;
use super::view::View;
use crate::bind::{JoinKind, Locked};
use crate::plan::{Access, Step, StepRows};
use crate::table::OpenTable;
use crate::vector::{Failed, Scanned, VectorRun};

/// Reads rows of the tables of `steps`, one combination after the other.
pub(crate) struct RowStream<'p> {
    steps: &'p [Step],
    params: &'p [Value],
    /// What is being read, one for each step so far.
    levels: Vec<Level>,
    /// Rows of virtual and derived tables, by step.
    made: Vec<Option<Made>>,
    /// Searches by the rows of queries, by step.
    searched: Vec<Option<Access>>,
    /// The table that comes over batches, until it is opened.
    scan: Option<Box<(Scanned, VectorRun)>>,
    state: State,
}

#[derive(PartialEq, Eq)]
enum State {
    Before,
    Reading,
    Done,
}

struct Level {
    source: From,
    /// A row of a LEFT join was found.
    matched: bool,
    /// The row of NULLs was given.
    made_up: bool,
}

enum From {
    Stored(Box<Reader>),
    /// The next row of those that were made.
    Made(Cursor),
    /// Over batches, for which some of the step's conditions were looked at.
    Scan(Box<(Scanned, VectorRun)>),
}

impl From {
    /// How many of the step's conditions hold for all rows that it gives.
    fn conditions(&self) -> usize {
        match self {
            Self::Scan(scan) => scan.0.conditions,
            Self::Stored(_) | Self::Made(_) => 0,
        }
    }
}

impl<'p> RowStream<'p> {
    /// A stream that has not begun.
    pub(crate) fn new(steps: &'p [Step], params: &'p [Value]) -> Self {
        let made = steps.iter().map(|_| None).collect();
        let searched = vec![None; steps.len()];
        let (levels, state) = (Vec::new(), State::Before);
        Self { steps, params, levels, made, searched, scan: None, state }
    }

    /// The key of the row that the table of step `at` gave.
    pub(crate) fn key(&self, at: usize) -> Option<&[u8]> {
        match self.levels.get(at) {
            Some(Level { source: From::Stored(reader), made_up: false, .. }) => Some(reader.key()),
            _ => None,
        }
    }

    /// Whether the row that the table of step `at` gave is locked, and was read as it is now.
    pub(crate) fn is_locked(&self, at: usize) -> bool {
        match self.levels.get(at) {
            Some(Level { source: From::Stored(reader), made_up: false, .. }) => reader.is_locked(),
            _ => false,
        }
    }

    /// Gives back the row of a step that turned out not to be wanted, if reading locked it.
    pub(crate) fn release(&self, view: &mut View<'_>, at: usize) {
        if self.is_locked(at)
            && let (Some(key), Some(table)) = (self.key(at), self.steps[at].stored())
        {
            view.unlock(table.descriptor().space(), key);
        }
    }

    /// Rows of a derived table, which have to be given before the stream begins.
    pub(crate) fn give(&mut self, step: usize, rows: Made) {
        self.made[step] = Some(rows);
    }

    /// A table comes so: to be said before the stream begins.
    pub(crate) fn scan(&mut self, scanned: Scanned, run: VectorRun) {
        self.scan = Some(Box::new((scanned, run)));
    }

    /// Rows of derived tables that were given, by step.
    pub(crate) fn made(&self) -> &[Option<Made>] {
        &self.made
    }

    /// As [`Self::next`] of a statement without subqueries and locks, if there is a row
    /// that takes no waiting; `None` if that one has to be asked. Rows of the last table come
    /// this way, but for the first.
    #[inline]
    pub(crate) fn try_next(&mut self, cx: &mut Cx<'p>, row: &mut [Value]) -> Option<Result<()>> {
        if self.state != State::Reading || self.levels.len() != self.steps.len() {
            return None;
        }
        let (Some(step), Some(level)) = (self.steps.last(), self.levels.last_mut()) else {
            return None;
        };
        if let From::Scan(scan) = &mut level.source {
            let (Scanned { conditions, .. }, run) = &mut **scan;
            while run.try_next(row) {
                match holds(&step.filter[*conditions..], cx, row, self.params) {
                    Ok(true) => return Some(Ok(())),
                    Ok(false) => {}
                    Err(error) => return Some(Err(error)),
                }
            }
            return None;
        }
        let (From::Stored(reader), StepRows::Stored(table), Some(access), false) =
            (&mut level.source, &step.rows, &step.access, level.made_up)
        else {
            return None;
        };
        loop {
            let out = &mut row[step.start..step.end];
            if let Err(error) = reader.try_next(table, access, &step.columns, cx, out)? {
                return Some(Err(error));
            }
            if step.kind == JoinKind::Left {
                match holds(&step.on, cx, row, self.params) {
                    Ok(true) => level.matched = true,
                    Ok(false) => continue,
                    Err(error) => return Some(Err(error)),
                }
            }
            match holds(&step.filter, cx, row, self.params) {
                Ok(true) => return Some(Ok(())),
                Ok(false) => {}
                Err(error) => return Some(Err(error)),
            }
        }
    }

    /// Reads the next combination into the flat row.
    ///
    /// # Errors
    /// The engine's, and those of evaluating conditions.
    pub(crate) async fn next(
        &mut self,
        view: &mut View<'_>,
        cx: &mut Cx<'p>,
        subqueries: &mut Subqueries<'p>,
        row: &mut [Value],
    ) -> Result<bool> {
        let params = self.params;
        let Some(last) = self.steps.len().checked_sub(1) else {
            // Without a table there is one row.
            let first = self.state == State::Before;
            self.state = State::Done;
            return Ok(first);
        };
        match self.state {
            State::Before => {
                self.state = State::Reading;
                if let Some(measures) = view.measures() {
                    self.steps.iter().for_each(|step| measures.begin(step, Part::Join));
                }
                match self.open_now(view, cx, subqueries, row) {
                    Some(opened) => opened?,
                    None => Box::pin(self.open(view, cx, subqueries, row)).await?,
                }
            }
            State::Reading => {}
            State::Done => return Ok(false),
        }
        loop {
            let Some(at) = self.levels.len().checked_sub(1) else {
                self.state = State::Done;
                return Ok(false);
            };
            let step = &self.steps[at];
            let began = view.clock();
            let read = match self.advance_now(view, cx, row) {
                Some(read) => read?,
                None => self.advance(view, cx, row).await?,
            };
            self.measured(view, at, Part::Access, began, read);
            let began = view.clock();
            if !read {
                let level = &mut self.levels[at];
                if step.kind == JoinKind::Left && !level.matched && !level.made_up {
                    level.made_up = true;
                    row[step.start..step.end].fill(Value::Null);
                } else {
                    self.levels.pop();
                    continue;
                }
            } else if step.kind == JoinKind::Left {
                let on = |cx: &mut Cx<'p>| holds(&step.on, cx, row, params);
                if !subqueries.run(view, cx, on).await? {
                    self.measured(view, at, Part::Filter, began, false);
                    self.release(view, at);
                    continue;
                }
                self.levels[at].matched = true;
            }
            let conditions = &step.filter[self.levels[at].source.conditions()..];
            let filter = |cx: &mut Cx<'p>| holds(conditions, cx, row, params);
            let passes = conditions.is_empty() || subqueries.run(view, cx, filter).await?;
            self.measured(view, at, Part::Filter, began, passes);
            if !passes {
                self.release(view, at);
                continue;
            }
            if at == last {
                return Ok(true);
            }
            match self.open_now(view, cx, subqueries, row) {
                Some(opened) => opened?,
                None => Box::pin(self.open(view, cx, subqueries, row)).await?,
            }
        }
    }

    /// A part of a step took the time since `began`, and gave a row.
    #[inline]
    fn measured(
        &self,
        view: &mut View<'_>,
        at: usize,
        part: Part,
        began: Option<Instant>,
        row: bool,
    ) {
        let (Some(began), Some(measures)) = (began, view.measures()) else { return };
        let time = measures.since(began);
        let step = &self.steps[at];
        if part == Part::Access {
            measures.spend(step, Part::Access, time);
        }
        measures.spend(step, Part::Filter, time);
        for later in &self.steps[at..] {
            measures.spend(later, Part::Join, time);
        }
        if row {
            measures.rows(step, part, 1);
            if part == Part::Filter {
                measures.rows(step, Part::Join, 1);
            }
        }
    }

    /// Locks the rows that were read, and reads them again as they are now. `false` if
    /// one of them is gone, is skipped, or is no longer what was looked for.
    ///
    /// # Errors
    /// The engine's and the locks'.
    pub(crate) async fn settle(
        &mut self,
        view: &mut View<'_>,
        cx: &mut Cx<'p>,
        subqueries: &mut Subqueries<'p>,
        row: &mut [Value],
    ) -> Result<bool> {
        let params = self.params;
        for (at, step) in self.steps.iter().enumerate() {
            let (Some(key), Some(table)) = (self.key(at), step.stored()) else { continue };
            if self.is_locked(at) {
                continue;
            }
            let before = view.enter_table(step.locked);
            let current = match view.locks() {
                Some(_) => Some(locked_row(view, table, key, cx).await),
                None => None,
            };
            if let Some(before) = before {
                view.leave(before);
            }
            match current.transpose()? {
                Some(Some(values)) => row[step.start..step.end].clone_from_slice(&values),
                Some(None) => return Ok(false),
                // It is of a table that is not locked.
                None => {}
            }
        }
        for step in self.steps {
            let filter = |cx: &mut Cx<'p>| holds(&step.filter, cx, row, params);
            if !subqueries.run(view, cx, filter).await? {
                for (at, step) in self.steps.iter().enumerate() {
                    if let (Some(key), Some(table)) = (self.key(at), step.stored())
                        && step.locked != Locked::Not
                    {
                        view.unlock(table.descriptor().space(), key);
                    }
                }
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// As [`Self::open`] where nothing is waited for: without subqueries, of a table that is
    /// stored.
    #[inline]
    fn open_now(
        &mut self,
        view: &View<'_>,
        cx: &mut Cx<'p>,
        subqueries: &Subqueries<'p>,
        row: &[Value],
    ) -> Option<Result<()>> {
        let step = self.steps.get(self.levels.len())?;
        let (StepRows::Stored(table), Some(access)) = (&step.rows, &step.access) else {
            return None;
        };
        if self.scan.is_some() || !subqueries.is_empty() || view.is_measured() {
            return None;
        }
        let values = Row { columns: row, params: self.params };
        let source = match Reader::new(table, access, cx, values) {
            Ok(reader) => From::Stored(Box::new(reader)),
            Err(error) => return Some(Err(error)),
        };
        self.levels.push(Level { source, matched: false, made_up: false });
        Some(Ok(()))
    }

    /// Begins to read the next step's table.
    async fn open(
        &mut self,
        view: &mut View<'_>,
        cx: &mut Cx<'p>,
        subqueries: &mut Subqueries<'p>,
        row: &[Value],
    ) -> Result<()> {
        let at = self.levels.len();
        let step = &self.steps[at];
        if let Some(measures) = view.measures() {
            measures.begin(step, Part::Access);
            measures.begin(step, Part::Filter);
        }
        let began = view.clock();
        let source = match (&step.rows, &step.access) {
            _ if let Some(scan) = self.scan.take_if(|scan| scan.0.step == at) => From::Scan(scan),
            (StepRows::Stored(table), Some(access)) => {
                if self.searched[at].is_none() && access.asks().next().is_some() {
                    self.searched[at] = Some(subqueries.searched(access, view, cx).await?);
                }
                let access = self.searched[at].as_ref().unwrap_or(access);
                let values = Row { columns: row, params: self.params };
                let reader = |cx: &mut Cx<'p>| Reader::new(table, access, cx, values);
                From::Stored(Box::new(subqueries.run(view, cx, reader).await?))
            }
            (StepRows::Virtual(table), _) => {
                if self.made[at].is_none() {
                    self.made[at] = Some(Arc::new(Rows::uncounted(table.rows()?)));
                }
                From::Made(Cursor::default())
            }
            (StepRows::Derived(plan), _) if plan.is_lateral() => {
                let rows = derived::rows(plan, row, self.params, view, cx).await?;
                self.made[at] = Some(rows);
                From::Made(Cursor::default())
            }
            _ => From::Made(Cursor::default()),
        };
        self.measured(view, at, Part::Access, began, false);
        self.levels.push(Level { source, matched: false, made_up: false });
        Ok(())
    }

    /// As [`Self::advance`] if that takes no waiting; `None` if that one has to be asked. What
    /// its future would cost is more than a row.
    #[inline]
    fn advance_now(
        &mut self,
        view: &mut View<'_>,
        cx: &mut Cx<'_>,
        row: &mut [Value],
    ) -> Option<Result<bool>> {
        let at = self.levels.len().checked_sub(1)?;
        let step = &self.steps[at];
        let level = &mut self.levels[at];
        if level.made_up || !view.try_step() {
            return None;
        }
        let out = &mut row[step.start..step.end];
        let (From::Stored(reader), StepRows::Stored(table), Some(access)) =
            (&mut level.source, &step.rows, &step.access)
        else {
            return None;
        };
        if let Some(read) = reader.try_next(table, access, &step.columns, cx, out) {
            return Some(read.map(|()| true));
        }
        if reader.is_at_end() {
            return Some(Ok(false));
        }
        if step.locked != Locked::AsAll {
            return None;
        }
        reader.try_by_key(view, table, access, &step.columns, cx, out)
    }

    /// Reads the next row of the last level's table.
    async fn advance(
        &mut self,
        view: &mut View<'_>,
        cx: &mut Cx<'_>,
        row: &mut [Value],
    ) -> Result<bool> {
        view.step().await?;
        let at = self.levels.len() - 1;
        let step = &self.steps[at];
        let level = &mut self.levels[at];
        if level.made_up {
            return Ok(false);
        }
        if let From::Scan(scan) = &mut level.source {
            return match scan.1.try_next(row) {
                true => Ok(true),
                false => Box::pin(self.advance_scan(view, cx, row)).await,
            };
        }
        let out = &mut row[step.start..step.end];
        match (&mut level.source, &step.rows, &step.access) {
            (From::Stored(reader), StepRows::Stored(table), Some(access)) => {
                let before = view.enter_table(step.locked);
                let read = reader.next(view, table, access, &step.columns, cx, out).await;
                if let Some(before) = before {
                    view.leave(before);
                }
                read
            }
            (From::Made(cursor), _, _) => {
                let Some(rows) = &self.made[at] else { return Ok(false) };
                let Some(values) = cursor.next(rows).await? else { return Ok(false) };
                out.clone_from_slice(values);
                Ok(true)
            }
            _ => Ok(false),
        }
    }
}

/// Locks a row, and gives it as it is now; `None` if it is gone, or is skipped.
async fn locked_row(
    view: &mut View<'_>,
    table: &OpenTable,
    key: &[u8],
    cx: &mut Cx<'_>,
) -> Result<Option<Vec<Value>>> {
    match view.lock(table.descriptor().space(), key).await? {
        true => super::write::current(view, table, key, cx).await,
        false => Ok(None),
    }
}

impl RowStream<'_> {
    /// As [`Self::advance`], over batches as long as that goes. If it does not, the rows come
    /// one by one from there on: in the same order.
    async fn advance_scan(
        &mut self,
        view: &mut View<'_>,
        cx: &mut Cx<'_>,
        row: &mut [Value],
    ) -> Result<bool> {
        let at = self.levels.len() - 1;
        let From::Scan(scan) = &mut self.levels[at].source else { return Ok(false) };
        let (Scanned { conditions, .. }, run) = &mut **scan;
        let conditions = &self.steps[at].filter[..*conditions];
        match run.next(view, row).await {
            Ok(found) => return Ok(found),
            Err(Failed::Over(error)) => return Err(error),
            Err(Failed::GivenUp | Failed::OutOfMemory) => view.gave_up(),
        }
        let (step, mut given) = (&self.steps[at], run.given());
        let (Some(table), Some(access)) = (step.stored(), &step.access) else { return Ok(false) };
        let values = Row { columns: row, params: self.params };
        let mut reader = Box::new(Reader::new(table, access, cx, values)?);
        loop {
            view.step().await?;
            let out = &mut row[step.start..step.end];
            let found = reader.next(view, table, access, &step.columns, cx, out).await?;
            if !found || given == 0 {
                self.levels[at].source = From::Stored(reader);
                return Ok(found);
            }
            given -= u64::from(holds(conditions, cx, row, self.params)?);
        }
    }
}

/// Whether all conditions hold for the row.
#[inline]
pub(crate) fn holds(
    conditions: &[Node],
    cx: &mut Cx<'_>,
    row: &[Value],
    params: &[Value],
) -> Result<bool> {
    for condition in conditions {
        if condition.eval_truth(cx, Row { columns: row, params })? != Some(true) {
            return Ok(false);
        }
    }
    Ok(true)
}
