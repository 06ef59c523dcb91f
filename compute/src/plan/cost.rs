//! What plans are weighed by.
//!
//! Costs are in rows that a scan reads one after the other and looks at row by row: one of
//! them takes some 0.4 µs. All else is measured against that.

/// Finding a place in an index: a read of one key, or the beginning of a range.
pub(crate) const SEARCH: f64 = 8.0;
/// The row behind an entry of an index; some are read together.
pub(crate) const BEHIND: f64 = 3.0;
/// An entry of an index that has all that is read: it is shorter than a row.
pub(crate) const ENTRY: f64 = 0.8;
/// A row of what is in memory already.
pub(crate) const MADE: f64 = 0.3;
/// A row that is put in order.
pub(crate) const SORTED: f64 = 0.5;

/// A comparison of a row's values, row by row.
pub(crate) const COMPARED: f64 = 0.2;

/// A row that is gathered into a group.
pub(crate) const GATHERED: f64 = 1.0;

/// Over batches: making the plan, and what runs it.
pub(crate) const BATCHES_BEGIN: f64 = 3000.0;
/// A row that is read over batches, from copies and on two cores.
pub(crate) const BATCHES_ROW: f64 = 0.03;
/// A row that is taken out of a batch to go on by itself.
pub(crate) const HANDED: f64 = 0.5;
/// A row that has no copy yet, over batches.
pub(crate) const BATCHES_UNCOPIED: f64 = 0.5;
/// A row that is joined over batches, or put into a table of hashes.
pub(crate) const BATCHES_JOINED: f64 = 0.03;
/// Running a query for one row of the query around it, beside what it reads.
pub(crate) const ASKED: f64 = 10.0;

/// Rows of a table of which nothing is known.
pub(crate) const ROWS: f64 = 1000.0;
/// Rows of what is no table on the engine: it is in memory.
pub(crate) const MADE_ROWS: f64 = 100.0;

/// The share of rows that a condition leaves of which nothing is known, as MySQL has it:
/// equality with a value,
pub(crate) const EQUAL: f64 = 0.1;
/// equality of columns of two tables,
pub(crate) const JOINED: f64 = 0.01;
/// `<` and its like,
pub(crate) const BEYOND: f64 = 0.3333;
/// BETWEEN,
pub(crate) const WITHIN: f64 = 0.1111;
/// and any other.
pub(crate) const OTHER: f64 = 0.5;

/// How many rows a LIMIT of which nothing is known leaves.
pub(crate) const LIMITED: f64 = 20.0;
/// A row that is gathered over batches.
pub(crate) const BATCHES_GATHERED: f64 = 0.25;
