//! Aggregates over rows of one table, as they lie there.

use firn_mysql_semantics::Value;
use firn_mysql_semantics::decimal::Decimal;
use firn_mysql_semantics::error::SqlError;
use firn_mysql_semantics::expr::Cx;
use firn_table::Cell;

use super::aggregate::{Accumulator, State, overflow};
use super::found::Found;
use super::{Result, sort_key};
use crate::bind::Aggregate;
use crate::plan::Total;

/// What the rows so far come to.
pub(crate) struct Totals<'p> {
    totals: &'p [Total],
    sums: Vec<Sum>,
    /// A key that is being compared.
    key: Vec<u8>,
}

/// What one aggregate has come to.
enum Sum {
    Count(u64),
    Exact {
        /// Of integers.
        whole: i128,
        /// Of the others.
        sum: Decimal,
        count: u64,
    },
    Double {
        sum: f64,
        count: u64,
    },
    Extreme(Option<(Vec<u8>, Value)>),
}

impl<'p> Totals<'p> {
    /// Of no rows.
    pub(crate) fn new(totals: &'p [Total]) -> Self {
        let sum = |total: &Total| match total {
            Total::Rows | Total::Count(_) => Sum::Count(0),
            Total::Exact(_) => Sum::Exact { whole: 0, sum: Decimal::from(0i64), count: 0 },
            Total::Double(_) => Sum::Double { sum: 0.0, count: 0 },
            Total::Extreme { .. } => Sum::Extreme(None),
        };
        Self { totals, sums: totals.iter().map(sum).collect(), key: Vec::new() }
    }

    /// Takes in a row.
    ///
    /// # Errors
    /// 1690 for a sum of too many digits; the engine's.
    pub(crate) fn add(&mut self, found: &Found<'_>) -> Result<()> {
        for (total, sum) in self.totals.iter().zip(&mut self.sums) {
            match (total, sum) {
                (Total::Rows, Sum::Count(count)) => *count += 1,
                (Total::Count(column), Sum::Count(count)) => {
                    *count += u64::from(!found.cell(*column)?.is_null());
                }
                (Total::Exact(column), Sum::Exact { whole, sum, count }) => {
                    match found.cell(*column)? {
                        Cell::Int(number) => *whole += i128::from(number),
                        Cell::UInt(number) => *whole += i128::from(number),
                        Cell::Decimal(number) => {
                            *sum = sum.add(&number).map_err(|_| overflow())?;
                        }
                        _ => continue,
                    }
                    *count += 1;
                }
                (Total::Double(column), Sum::Double { sum, count }) => {
                    if let Cell::Double(number) = found.cell(*column)? {
                        *sum += number;
                        *count += 1;
                    }
                }
                (Total::Extreme { column, ty, least }, Sum::Extreme(best)) => {
                    let cell = found.cell(*column)?;
                    if cell.is_null() {
                        continue;
                    }
                    self.key.clear();
                    sort_key::push_cell(cell.clone(), ty, false, true, &mut self.key);
                    let better = best.as_ref().is_none_or(|(old, _)| {
                        if *least { self.key < *old } else { self.key > *old }
                    });
                    if better {
                        *best = Some((self.key.clone(), Value::from(cell)));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The results of `aggregates`, of which these are the totals.
    ///
    /// # Errors
    /// 1690 if one has too many digits.
    pub(crate) fn finish(self, aggregates: &[Aggregate], cx: &mut Cx<'_>) -> Result<Vec<Value>> {
        let mut results = Vec::with_capacity(self.sums.len());
        for (sum, aggregate) in self.sums.into_iter().zip(aggregates) {
            let state = match sum {
                Sum::Count(count) => State::Count(count),
                Sum::Exact { whole, sum, count } => {
                    let whole = Decimal::new(whole, 0).ok_or_else(overflow)?;
                    let sum = sum.add(&whole).map_err(|_| overflow());
                    State::Decimal { sum: sum?, count }
                }
                Sum::Double { sum, count } => State::Double { sum, count },
                Sum::Extreme(best) => State::Extreme(best),
            };
            results.push(Accumulator::of(state).finish(aggregate, cx)?);
        }
        Ok::<_, SqlError>(results)
    }
}
