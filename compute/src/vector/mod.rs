//! Running the heavy part of a SELECT over batches of columns, with DataFusion.
//!
//! A query block is planned as ever (`plan`). Where that is asked for and can be ([`choose`]),
//! what reads, joins, filters and gathers its rows becomes a plan of DataFusion ([`plan`]);
//! what it gives goes back into flat rows, from which `execute::select` goes on: items, HAVING,
//! ORDER BY, LIMIT and everything behind them are the same for both. Groups that HAVING leaves
//! out do not come so far where that can be told over batches ([`having`]). EXISTS and IN are
//! joins there where they can be ([`semi`]).
//!
//! ```text
//! SelectPlan ─▶ choose ─▶ plan ─▶ TableScan ─▶ FilterExec ─▶ HashJoinExec ─▶ AggregateExec
//!                                  [scan]                     [keys]          [aggregate]
//!                                                                                  │ batches
//!                   SelectRun ◀── flat rows, groups with their accumulators ◀──  [run]
//! ```
//!
//! A block that looks up what it joins by indexes, or cannot run so as a whole, may have the
//! rows of one table from a scan over batches ([`Way::Scan`]): those that its conditions leave,
//! in their order. All else goes on row by row (`execute::stream`).
//!
//! Expressions over batches meet errors and warnings in another order than over rows, and
//! for rows that a LIMIT never reaches. So whatever a batch meets of either, the run is
//! given up ([`Failed::GivenUp`]) and the rows are read one by one, which says the same as ever.
//!
//! A side of a join that does not fit into memory goes to files ([`grace`]). Groups that do not
//! are gathered by the row executor, of the rows that come over batches.

mod aggregate;
mod alone;
mod asked;
mod choose;
mod columns;
mod copied;
mod copies;
mod grace;
mod having;
mod in_order;
mod join;
mod keys;
mod made;
mod output;
mod parts;
mod plan;
mod pool;
mod run;
mod scan;
mod semi;

pub(crate) use alone::{Scanned, scan_of};
pub(crate) use asked::{Extra, Settled};
pub(crate) use choose::{Executor, Way, partners_of, takes_of_rows, told, way};
pub(crate) use run::{Failed, VectorRun};
