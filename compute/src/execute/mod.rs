//! Running statements, row by row.
//!
//! * [`view`]: the keys that a statement sees, through its transaction.
//! * [`reader`]: the rows of one table, by an index.
//! * [`stream`]: rows of all tables of a statement, joined.
//! * [`range`]: rows of one table, as they lie there; [`arrange`]: in order; [`totals`]:
//!   summed up.
//! * [`select`]: results: gathered, sorted, cut. [`window`]: window functions over them.
//!   [`derived`]: rows of queries in FROM.
//! * [`gathered`]: the memory for all that; what does not fit into it goes to files:
//!   [`sorter`]: rows in order; [`distinct`]: the first of the same; [`grouping`]: groups;
//!   [`rows`]: rows that are read again.
//! * [`subquery`]: subqueries of expressions.
//! * [`store`]: values into columns. [`write`]: one row into a table.
//! * [`insert`], [`update`]: the changing statements; [`insert_source`] and [`finder`] give
//!   them their rows. [`load`]: LOAD DATA.
//! * [`measure`]: what EXPLAIN ANALYZE counts; [`reads`]: what SHOW STATUS does.
//! * [`backfill`], [`online`]: what ALTER TABLE makes of rows, and that beside writers.
//! * AUTO_INCREMENT: [`number`].

mod aggregate;
mod arrange;
mod backfill;
mod concat;
mod derived;
mod distinct;
mod finder;
mod foreign_key;
mod found;
mod gathered;
mod grouping;
mod insert;
mod insert_source;
mod inserted;
mod json_table;
mod load;
mod measure;
mod number;
mod online;
mod range;
mod reader;
mod reads;
mod rows;
mod select;
mod shown;
mod sort_key;
mod sorter;
mod store;
mod stream;
mod subquery;
mod totals;
mod update;
mod view;
mod window;
mod write;

pub(crate) use aggregate::{Accumulated, overflow, shown_sum};
pub(crate) use backfill::{Backfill, Made, NewKeys};
pub(crate) use derived::Made as MadeRows;
pub(crate) use distinct::{Distinct, Offered};
pub(crate) use foreign_key::{Link, Relations};
pub(crate) use found::{Found, found, read_row};
pub(crate) use gathered::Gathered;
pub(crate) use insert::{InsertPlan, run as insert};
pub(crate) use inserted::Inserted;
pub(crate) use load::{Format, Load, LoadPlan, Step as LoadStep};
pub(crate) use measure::{Measures, Part, PartKey, Stage};
pub(crate) use number::prepare as prepare_auto_increment;
pub(crate) use online::Online;
pub(crate) use range::RangeRun;
pub(crate) use reader::index as index_of;
pub(crate) use reads::{Read, ReadCounts, Spilled};
pub(crate) use rows::Cursor;
pub(crate) use select::{SelectRun, bound};
pub(crate) use sort_key::{push as push_key, push_cell};
pub(crate) use sorter::{Sorter, Wanted as WantedRows};
pub(crate) use store::Storing;
pub(crate) use subquery::Members;
pub(crate) use totals::Totals;
pub(crate) use update::{DeletePlan, UpdatePlan, delete, update};
pub(crate) use view::{Reading, Relate, View, engine_error};

use firn_mysql_semantics::error::SqlError;

/// What running gives.
pub(crate) type Result<T, E = SqlError> = std::result::Result<T, E>;
