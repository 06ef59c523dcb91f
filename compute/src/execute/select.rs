//! The rows of a SELECT's result.

use std::collections::{BTreeMap, BTreeSet};

use firn_mysql_semantics::Value;
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::{Cx, Node, Row};

use super::aggregate::Accumulator;
use super::stream::{RowStream, holds};
use super::view::View;
use super::{Result, sort_key};
use crate::plan::{SelectPlan, StepRows};

/// Memory for rows that are gathered or sorted, of one statement.
const GATHERED_BYTES_MAX: usize = 256 << 20;

/// Results of this many rows are cut while they are sorted, if a LIMIT allows it.
const CUT_ROWS_MAX: u64 = 100_000;

/// A SELECT that runs.
pub(crate) struct SelectRun<'p> {
    plan: &'p SelectPlan,
    params: &'p [Value],
    stream: RowStream<'p>,
    /// The flat row.
    row: Vec<Value>,
    gathered: Option<std::vec::IntoIter<Vec<Value>>>,
    /// Results given so far, by their values, of DISTINCT.
    distinct: BTreeSet<Vec<u8>>,
    begun: bool,
    done: bool,
    skip: u64,
    left: u64,
    bytes: usize,
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
            row: vec![Value::Null; plan.select.row_len],
            gathered: None,
            distinct: BTreeSet::new(),
            begun: false,
            done: false,
            skip: 0,
            left: u64::MAX,
            bytes: 0,
            found: 0,
        }
    }

    /// The same, with no more rows than `sql_select_limit` unless LIMIT says otherwise.
    pub(crate) fn limited(mut self, rows_max: u64) -> Self {
        self.left = rows_max;
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
        if !self.begun {
            self.begin(view, cx).await?;
        }
        let counts = self.plan.select.calc_found_rows;
        loop {
            if self.done || (self.left == 0 && !counts) {
                return Ok(None);
            }
            if !self.advance(view, cx).await? {
                self.done = true;
                return Ok(None);
            }
            if self.plan.select.distinct && self.gathered.is_none() && !self.is_new()? {
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
            return Ok(Some(&self.row[self.plan.select.items_start..]));
        }
    }

    /// Reads all rows.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub(crate) async fn all(
        mut self,
        view: &mut View<'_>,
        cx: &mut Cx<'p>,
    ) -> Result<Vec<Vec<Value>>> {
        let mut rows = Vec::new();
        let mut bytes = 0;
        while let Some(row) = self.next(view, cx).await? {
            bytes += bytes_of(row);
            check_memory(bytes)?;
            rows.push(row.to_vec());
        }
        Ok(rows)
    }

    async fn begin(&mut self, view: &mut View<'_>, cx: &mut Cx<'p>) -> Result<()> {
        self.begun = true;
        let select = &self.plan.select;
        if let Some(limit) = &select.limit {
            self.left = bound(&limit.rows, cx, self.params)?;
            if let Some(offset) = &limit.offset {
                self.skip = bound(offset, cx, self.params)?;
            }
        }
        if self.plan.ordered && !select.grouped && self.left != u64::MAX {
            view.want_rows(self.left.saturating_add(self.skip));
        }
        for (at, step) in self.plan.steps.iter().enumerate() {
            if let StepRows::Derived(plan) = &step.rows {
                let run = Box::pin(SelectRun::new(plan, self.params).all(view, cx));
                let rows = run.await?;
                self.stream.give(at, rows);
            }
        }
        let possible = holds(&self.plan.constant, cx, &self.row, self.params)?;
        if select.grouped {
            let groups = self.group(view, cx, possible).await?;
            self.gathered = Some(groups.into_iter());
        } else if !possible {
            self.done = true;
        } else if !self.plan.ordered {
            let rows = self.sort(view, cx).await?;
            self.gathered = Some(rows.into_iter());
        }
        Ok(())
    }

    /// Brings the next row, items computed, into the flat row.
    async fn advance(&mut self, view: &mut View<'_>, cx: &mut Cx<'p>) -> Result<bool> {
        if let Some(rows) = &mut self.gathered {
            let Some(row) = rows.next() else { return Ok(false) };
            self.row = row;
            return Ok(true);
        }
        loop {
            if !self.stream.next(view, cx, &mut self.row).await? {
                return Ok(false);
            }
            if view.locks().is_some() && !self.stream.settle(view, cx, &mut self.row).await? {
                continue;
            }
            self.compute(cx)?;
            if self.passes(cx)? {
                return Ok(true);
            }
        }
    }

    /// Computes the items of the row.
    fn compute(&mut self, cx: &mut Cx<'p>) -> Result<()> {
        let select = &self.plan.select;
        for (at, item) in select.items.iter().enumerate() {
            cx.item_name = Some(&item.name);
            let row = Row { columns: &self.row, params: self.params };
            let value = item.node.run(cx, row)?.into_owned();
            self.row[select.items_start + at] = value;
        }
        cx.item_name = None;
        Ok(())
    }

    fn passes(&self, cx: &mut Cx<'p>) -> Result<bool> {
        let row = Row { columns: &self.row, params: self.params };
        match &self.plan.select.having {
            Some(having) => Ok(having.eval_truth(cx, row)? == Some(true)),
            None => Ok(true),
        }
    }

    /// Whether no row before had the same items.
    fn is_new(&mut self) -> Result<bool> {
        let select = &self.plan.select;
        let mut key = Vec::with_capacity(32);
        for (item, value) in select.items.iter().zip(&self.row[select.items_start..]) {
            sort_key::push(value, &item.node.ty, false, &mut key);
        }
        if self.distinct.contains(&key) {
            return Ok(false);
        }
        self.bytes += key.len() + 48;
        check_memory(self.bytes)?;
        self.distinct.insert(key);
        Ok(true)
    }

    /// Reads all rows and puts them in order.
    async fn sort(&mut self, view: &mut View<'_>, cx: &mut Cx<'p>) -> Result<Vec<Vec<Value>>> {
        let mut rows: Vec<(Vec<u8>, Vec<Value>)> = Vec::new();
        let select = &self.plan.select;
        let wanted = self.skip.saturating_add(self.left);
        let cut = (wanted <= CUT_ROWS_MAX && !select.calc_found_rows)
            .then_some(usize::try_from(wanted).unwrap_or(usize::MAX));
        while self.advance(view, cx).await? {
            if select.distinct && !self.is_new()? {
                continue;
            }
            self.keep(cx, &mut rows)?;
            if let Some(wanted) = cut
                && rows.len() >= wanted.saturating_mul(2) + 1024
            {
                rows.sort_by(|a, b| a.0.cmp(&b.0));
                rows.truncate(wanted);
                self.bytes = rows.iter().map(|(key, row)| key.len() + bytes_of(row)).sum();
            }
        }
        rows.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(rows.into_iter().map(|(_, row)| row).collect())
    }

    /// Keeps the flat row with its key.
    fn keep(&mut self, cx: &mut Cx<'p>, rows: &mut Vec<(Vec<u8>, Vec<Value>)>) -> Result<()> {
        let mut key = Vec::with_capacity(32);
        let row = Row { columns: &self.row, params: self.params };
        for order in &self.plan.select.order_by {
            let value = order.node.eval(cx, row)?;
            sort_key::push(&value, &order.node.ty, order.descending, &mut key);
        }
        self.bytes += key.len() + bytes_of(&self.row);
        check_memory(self.bytes)?;
        rows.push((key, self.row.clone()));
        Ok(())
    }

    /// Reads all rows, gathers them, and puts the groups in order.
    async fn group(
        &mut self,
        view: &mut View<'_>,
        cx: &mut Cx<'p>,
        possible: bool,
    ) -> Result<Vec<Vec<Value>>> {
        let select = &self.plan.select;
        let fresh =
            || -> Vec<Accumulator> { select.aggregates.iter().map(Accumulator::new).collect() };
        let mut places: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
        let mut groups: Vec<(Vec<Value>, Vec<Accumulator>)> = Vec::new();
        while possible && self.stream.next(view, cx, &mut self.row).await? {
            let mut key = Vec::with_capacity(32);
            let row = Row { columns: &self.row, params: self.params };
            for node in &select.group_by {
                let value = node.eval(cx, row)?;
                sort_key::push(&value, &node.ty, false, &mut key);
            }
            let at = match places.get(&key) {
                Some(at) => *at,
                None => {
                    self.bytes += key.len() + 64 + bytes_of(&self.row);
                    check_memory(self.bytes)?;
                    groups.push((self.row.clone(), fresh()));
                    places.insert(key, groups.len() - 1);
                    groups.len() - 1
                }
            };
            for (accumulator, aggregate) in groups[at].1.iter_mut().zip(&select.aggregates) {
                self.bytes += accumulator.add(aggregate, cx, row)?;
            }
            check_memory(self.bytes)?;
        }
        // Without GROUP BY there is one group, if of no rows.
        if groups.is_empty() && select.group_by.is_empty() {
            self.row.fill(Value::Null);
            groups.push((self.row.clone(), fresh()));
        }
        let mut rows = Vec::with_capacity(groups.len());
        let increment = cx.settings.div_precision_increment;
        for (row, accumulators) in groups {
            self.row = row;
            for (at, accumulator) in accumulators.into_iter().enumerate() {
                let value = accumulator.finish(&select.aggregates[at], increment)?;
                self.row[select.aggregates_start + at] = value;
            }
            self.compute(cx)?;
            if !self.passes(cx)? || (select.distinct && !self.is_new()?) {
                continue;
            }
            self.keep(cx, &mut rows)?;
        }
        rows.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(rows.into_iter().map(|(_, row)| row).collect())
    }
}

/// A number of LIMIT.
fn bound(node: &Node, cx: &mut Cx<'_>, params: &[Value]) -> Result<u64> {
    match node.eval(cx, Row { columns: &[], params })?.as_ref() {
        Value::UInt(number) => Ok(*number),
        Value::Int(number) if *number >= 0 => Ok(number.unsigned_abs()),
        _ => Err(SqlError::new(code::ER_WRONG_ARGUMENTS, &["LIMIT".into()])),
    }
}

fn bytes_of(row: &[Value]) -> usize {
    let heap = |value: &Value| match value {
        Value::Bytes(bytes) if bytes.len() > 16 => bytes.len(),
        _ => 0,
    };
    24 + row.iter().map(|value| std::mem::size_of::<Value>() + heap(value)).sum::<usize>()
}

fn check_memory(bytes: usize) -> Result<()> {
    if bytes > GATHERED_BYTES_MAX {
        return Err(SqlError::new(code::ER_OUT_OF_SORTMEMORY, &[]));
    }
    Ok(())
}
