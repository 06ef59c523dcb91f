//! Rows and columns on Firn's engine.
//!
//! The engine knows keys and values as bytes. This crate knows what the bytes
//! of a space mean, and writes the files of the bottom level a second time as
//! Parquet, so that analytical scans read columns.
//!
//! - [`descriptor`]: tables as the catalog keeps them.
//! - [`TableCodec`]: keys ([`key`]) and rows ([`row`]) of a table.
//! - [`columns`]: a table's rows as Arrow and Parquet.
//! - [`RowDescription`]: what a space says of its rows when it is declared.
//! - [`Schemas`]: the engine's seam ([`firn_engine::column`]) implemented.
//! - [`ColumnFile`]: reads a column copy; [`verify`] checks one as a whole.
//!
//! # A column copy
//!
//! A Parquet file like any other: what it is made of beyond that, its readers
//! may ignore. Rows are in the order of the file of rows: key ascending,
//! `_firn_seq` descending. The columns of a table are its own ([`columns`]); for plain
//! key-value data they are:
//!
//! | column | type | |
//! |---|---|---|
//! | `key` | binary | without the space in front |
//! | `value` | binary | empty if deleted |
//! | `_firn_seq` | unsigned 64 bits | commit that wrote the version |
//! | `_firn_deleted` | boolean | the version is a deletion |
//!
//! Range deletions are not rows; the file of rows keeps them.

mod cell;
mod codec;
pub mod columns;
mod description;
pub mod descriptor;
#[cfg(test)]
mod fixtures;
pub mod key;
mod key_value;
mod parquet;
pub mod row;
mod scalar;
mod schemas;
#[cfg(test)]
mod testing;
mod timestamp;

pub use cell::Cell;
pub use codec::{TableCodec, row_number, row_number_key};
pub use description::{RowDescription, TableRows};
pub use parquet::{ColumnFile, RowGroup, Verified, verify};
pub use schemas::{Schemas, SmallGroups};
pub use timestamp::{timestamp_from_utc, timestamp_to_utc};

/// Column of the caller's key.
pub const KEY_COLUMN: &str = "key";
/// Column of the value.
pub const VALUE_COLUMN: &str = "value";
/// Column of the commit that wrote a version.
pub const SEQ_COLUMN: &str = "_firn_seq";
/// Column that says whether a version is a deletion.
pub const DELETED_COLUMN: &str = "_firn_deleted";
