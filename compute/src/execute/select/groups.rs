//! The groups of a SELECT: their rows, and what the aggregates come to.

use std::collections::BTreeMap;

use firn_mysql_semantics::Value;
use firn_mysql_semantics::expr::{Cx, Row};

use super::{SelectRun, bytes_of};
use crate::bind::BoundSelect;
use crate::execute::aggregate::Accumulator;
use crate::execute::measure::Part;
use crate::execute::view::View;
use crate::execute::{Result, sort_key};
use crate::vector::VectorRun;

/// Rows of groups, each with its aggregates.
pub(super) type Groups = Vec<(Vec<Value>, Vec<Accumulator>)>;

impl<'p> SelectRun<'p> {
    /// Reads all rows, gathers them, and puts the groups in order.
    pub(super) async fn group(
        &mut self,
        view: &mut View<'_>,
        cx: &mut Cx<'p>,
        possible: bool,
    ) -> Result<Vec<Vec<Value>>> {
        let select = &self.plan.select;
        let fresh =
            || -> Vec<Accumulator> { select.aggregates.iter().map(Accumulator::new).collect() };
        let began = view.clock();
        let mut places: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
        let mut groups = Groups::new();
        let plain = self.is_plain(view);
        let mut over_batches = match self.residual.is_empty() {
            true => self.groups_of_batches(view).await?,
            false => None,
        };
        loop {
            if !possible || over_batches.is_some() {
                break;
            }
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
                groups.clear();
                places.clear();
                self.bytes = 0;
            }
            let Self { stream, subqueries, row, params, .. } = self;
            if !found {
                break;
            }
            if view.locks().is_some() && !stream.settle(view, cx, subqueries, row).await? {
                continue;
            }
            let from = Row { columns: row, params };
            let values = |cx: &mut Cx<'p>| {
                let values = select.group_by.iter();
                let values = values.map(|node| Ok(node.eval(cx, from)?.into_owned()));
                values.collect::<Result<Vec<Value>>>()
            };
            let values = if plain { values(cx)? } else { subqueries.run(view, cx, values).await? };
            let mut operands = Vec::with_capacity(select.aggregates.len());
            for aggregate in &select.aggregates {
                let operand = |cx: &mut Cx<'p>| aggregate.operands(cx, from);
                operands.push(match plain {
                    true => operand(cx)?,
                    false => subqueries.run(view, cx, operand).await?,
                });
            }
            // With ROLLUP a row counts in the sums above its group, too.
            let first = if select.rollup.is_some() { 0 } else { values.len() };
            for level in first..=values.len() {
                let key = group_key(select, &values, level);
                let at = match places.get(&key) {
                    Some(at) => *at,
                    None => {
                        self.bytes += key.len() + 64 + bytes_of(row);
                        self.memory.set(self.bytes)?;
                        let mut group = row.clone();
                        if let Some(start) = select.rollup {
                            let known = values.iter().take(level).cloned();
                            let all = known.chain(std::iter::repeat(Value::Null));
                            let places = group.iter_mut().skip(start).take(values.len());
                            places.zip(all).for_each(|(place, value)| *place = value);
                        }
                        select.groupings.put(&mut group, level);
                        groups.push((group, fresh()));
                        places.insert(key, groups.len() - 1);
                        groups.len() - 1
                    }
                };
                let accumulators = groups[at].1.iter_mut().zip(&select.aggregates);
                for ((accumulator, aggregate), operand) in accumulators.zip(&operands) {
                    self.bytes += accumulator.add(aggregate, operand.clone(), cx)?;
                }
            }
            self.memory.set(self.bytes)?;
        }
        // Without GROUP BY there is one group, if of no rows.
        let gathered = over_batches.as_ref().map_or(groups.len(), VectorRun::gathered);
        if gathered == 0 && (select.group_by.is_empty() || select.rollup.is_some()) {
            self.row[..select.outer_start].fill(Value::Null);
            // With ROLLUP this is the sum of all.
            select.groupings.put(&mut self.row, 0);
            groups.push((self.row.clone(), fresh()));
        }
        if select.rollup.is_some() && !places.is_empty() {
            // Sums come behind what they are of.
            let mut order: Vec<usize> = vec![0; groups.len()];
            places.into_values().enumerate().for_each(|(to, from)| order[from] = to);
            let mut ordered: Vec<_> = order.into_iter().zip(groups).collect();
            ordered.sort_by_key(|(to, _)| *to);
            groups = ordered.into_iter().map(|(_, group)| group).collect();
        }
        self.gathered_rows(view, &[Part::Groups], began, gathered.max(groups.len()));
        let mut rows = Vec::new();
        let mut groups = groups.into_iter();
        loop {
            let of_batches = match &mut over_batches {
                Some(run) => run.next_group(view, &mut self.row).await?,
                None => None,
            };
            let accumulators = if let Some(gathered) = of_batches {
                let all = select.aggregates.iter().zip(gathered);
                all.map(|(aggregate, one)| Accumulator::gathered(aggregate, one)).collect()
            } else if let Some((row, accumulators)) = groups.next() {
                self.row = row;
                accumulators
            } else {
                break;
            };
            for (at, accumulator) in accumulators.into_iter().enumerate() {
                let value = accumulator.finish(&select.aggregates[at], cx)?;
                self.row[select.aggregates_start + at] = value;
            }
            self.compute(view, cx).await?;
            if !self.passes(view, cx).await? {
                continue;
            }
            if self.windows.is_some() {
                self.keep_for_windows(view, cx).await?;
                continue;
            }
            if select.distinct && !self.is_new()? {
                continue;
            }
            self.keep(view, cx, &mut rows).await?;
        }
        if self.windows.is_some() {
            return self.behind_windows(view, cx).await;
        }
        rows.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(rows.into_iter().map(|(_, row)| row).collect())
    }
}

/// What rows of one group have in common: the first `level` values of GROUP BY.
fn group_key(select: &BoundSelect, values: &[Value], level: usize) -> Vec<u8> {
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
