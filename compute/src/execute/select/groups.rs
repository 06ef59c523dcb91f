//! The groups of a SELECT: their rows, and what is made of them.

use firn_mysql_semantics::Value;
use firn_mysql_semantics::expr::{Cx, Row};

use super::{Ordering, SelectRun, reads};
use crate::bind::BoundSelect;
use crate::execute::aggregate::Accumulator;
use crate::execute::grouping::{Grouping, Groups};
use crate::execute::measure::Part;
use crate::execute::view::View;
use crate::execute::{Result, sort_key};
use crate::spill::take_row;
use crate::vector::VectorRun;

impl<'p> SelectRun<'p> {
    /// Reads all rows, gathers them, and puts the groups in order.
    pub(super) async fn group(
        &mut self,
        view: &mut View<'_>,
        cx: &mut Cx<'p>,
        possible: bool,
    ) -> Result<Ordering> {
        let select = &self.plan.select;
        let began = view.clock();
        let over_batches = match self.residual.is_empty() && self.vector.is_some() {
            true => Box::pin(self.groups_of_batches(view, cx)).await?,
            false => None,
        };
        let mut groups = match possible && over_batches.is_none() {
            true => self.gather(view, cx).await?,
            false => Grouping::new(select, view),
        };
        // Without GROUP BY there is one group, if of no rows.
        let gathered = over_batches.as_ref().map(VectorRun::gathered);
        let none = gathered.map_or(groups.is_empty(), |groups| groups == 0);
        if none && (select.group_by.is_empty() || select.rollup.is_some()) {
            self.row[..select.outer_start].fill(Value::Null);
            // With ROLLUP this is the sum of all, but where nothing was looked at MySQL says
            // that of its values, too.
            let level = if possible { 0 } else { select.group_by.len() };
            select.groupings.put(&mut self.row, level);
            groups.add(&[], || self.row.clone(), &mut [], view, cx)?;
        }
        let mut groups = groups.finish(view, cx).await?;
        self.gathered_rows(view, &[Part::Groups], began, gathered.unwrap_or(groups.len()));
        let asked = self.items_of_having();
        let mut over_batches = over_batches;
        let mut rows = Ordering::new(view, self.wanted());
        while self.next_group(&mut groups, &mut over_batches, view, cx).await? {
            if !self.compute_group(&asked, view, cx).await? {
                continue;
            }
            if self.windows.is_some() {
                Box::pin(self.keep_for_windows(view, cx)).await?;
                continue;
            }
            if select.distinct && !self.is_new(view).await? {
                continue;
            }
            self.keep(view, cx, &mut rows).await?;
        }
        drop(groups);
        if self.windows.is_some() {
            return Box::pin(self.behind_windows(view, cx)).await;
        }
        Box::pin(self.keep_later(view, cx, &mut rows)).await?;
        Ok(rows)
    }

    /// Which items HAVING reads.
    fn items_of_having(&self) -> Vec<bool> {
        let select = &self.plan.select;
        let places = select.items_start..select.items_start + select.items.len();
        let having = select.having.as_ref();
        places.map(|at| having.is_some_and(|node| reads(node, &(at..at + 1)))).collect()
    }

    /// Reads all rows and gathers them.
    async fn gather(&mut self, view: &mut View<'_>, cx: &mut Cx<'p>) -> Result<Grouping<'p>> {
        let select = &self.plan.select;
        let plain = self.is_plain(view);
        let mut groups = Grouping::new(select, view);
        let (mut key, mut values, mut operands) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            let one_by_one = plain && self.vector.is_none();
            let ready = if one_by_one { self.stream.try_next(cx, &mut self.row) } else { None };
            let found = match ready {
                Some(found) => found.map(|()| true)?,
                None if self.vector.is_none() => {
                    let Self { stream, subqueries, row, .. } = self;
                    Box::pin(stream.next(view, cx, subqueries, row)).await?
                }
                None => Box::pin(self.next_row(view, cx)).await?,
            };
            if std::mem::take(&mut self.begun_again) {
                groups = Grouping::new(select, view);
            }
            let Self { stream, subqueries, row, params, .. } = self;
            if !found {
                return Ok(groups);
            }
            if view.locks().is_some() && !Box::pin(stream.settle(view, cx, subqueries, row)).await?
            {
                continue;
            }
            let from = Row { columns: row, params };
            let mut read_key = |cx: &mut Cx<'p>| {
                key.clear();
                values.clear();
                for node in &select.group_by {
                    let value = node.eval(cx, from)?;
                    sort_key::push(&value, &node.ty, false, &mut key);
                    if select.rollup.is_some() {
                        values.push(value.into_owned());
                    }
                }
                Ok(())
            };
            match plain {
                true => read_key(cx)?,
                false => subqueries.run(view, cx, read_key).await?,
            }
            operands.clear();
            for aggregate in &select.aggregates {
                let operand = |cx: &mut Cx<'p>| aggregate.operands(cx, from);
                operands.push(match plain {
                    true => operand(cx)?,
                    false => subqueries.run(view, cx, operand).await?,
                });
            }
            // With ROLLUP a row counts in the sums above its group, too.
            if let Some(start) = select.rollup {
                for level in 0..values.len() {
                    let key = key_of_sum(select, &values, level);
                    let begun = || {
                        let mut group = row.clone();
                        let known = values.iter().take(level).cloned();
                        let all = known.chain(std::iter::repeat(Value::Null));
                        let places = group.iter_mut().skip(start).take(values.len());
                        places.zip(all).for_each(|(place, value)| *place = value);
                        select.groupings.put(&mut group, level);
                        group
                    };
                    if !groups.add(&key, begun, &mut operands.clone(), view, cx)? {
                        groups.make_room(view).await?;
                    }
                }
            }
            let begun = || {
                let mut group = row.clone();
                if let Some(start) = select.rollup {
                    let places = group.iter_mut().skip(start);
                    places.zip(&values).for_each(|(place, value)| *place = value.clone());
                }
                select.groupings.put(&mut group, select.group_by.len());
                group
            };
            if !groups.add(&key, begun, &mut operands, view, cx)? {
                groups.make_room(view).await?;
            }
        }
    }

    /// Brings the next group into the flat row, with the results of its aggregates.
    async fn next_group(
        &mut self,
        groups: &mut Groups,
        over_batches: &mut Option<VectorRun>,
        view: &mut View<'_>,
        cx: &mut Cx<'p>,
    ) -> Result<bool> {
        let select = &self.plan.select;
        let of_batches = match over_batches {
            Some(run) => run.next_group(view, &mut self.row).await?,
            None => None,
        };
        if let Some(gathered) = of_batches {
            let all = select.aggregates.iter().zip(gathered).enumerate();
            for (at, (aggregate, one)) in all {
                let accumulator = Accumulator::gathered(aggregate, one);
                self.row[select.aggregates_start + at] = accumulator.finish(aggregate, cx)?;
            }
            return Ok(true);
        }
        match groups {
            Groups::Memory { groups, .. } => {
                let Some(group) = groups.next() else { return Ok(false) };
                self.row = group.into_row(select, cx)?;
            }
            Groups::Sorted { groups, .. } => {
                if !groups.advance().await? {
                    return Ok(false);
                }
                self.row = take_row(&mut groups.payload())?;
            }
        }
        Ok(true)
    }
}

/// What rows of one sum of ROLLUP have in common: the first `level` values of GROUP BY.
fn key_of_sum(select: &BoundSelect, values: &[Value], level: usize) -> Vec<u8> {
    let mut key = Vec::with_capacity(32);
    for (at, (node, value)) in select.group_by.iter().zip(values).enumerate() {
        if at < level {
            sort_key::push(value, &node.ty, false, &mut key);
        } else {
            // Behind all values.
            key.push(0xff);
        }
    }
    key
}
