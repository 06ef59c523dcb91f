//! Tables as columns: Arrow, and the Parquet copies of their rows.
//!
//! The columns are the table's own, by their names, in its order, virtual ones left
//! out; each carries the column's id as Parquet's `field_id`. Behind them:
//!
//! | column | type | |
//! |---|---|---|
//! | `_firn_key` | binary | the row's key ([`crate::key`]) |
//! | `_firn_row` | binary, NULL nearly always | the row as it is stored, if a column cannot show its value |
//! | `_firn_seq` | unsigned 64 bits | commit that wrote the version |
//! | `_firn_deleted` | boolean | the version is a deletion; all columns are NULL |
//!
//! The key is there since newer versions elsewhere hide rows by their keys, and a
//! deletion has nothing but its key. A column of the table whose name begins with
//! `_firn_` has a point and its id behind it.
//!
//! | MySQL | Arrow |
//! |---|---|
//! | TINYINT, SMALLINT, MEDIUMINT, INT, BIGINT | Int8, 16, 32, 32, 64; UInt if unsigned |
//! | DECIMAL(p, s) | Decimal128(p, s), from 39 digits on Decimal256 |
//! | FLOAT, DOUBLE | Float32, Float64 |
//! | BIT(n) | UInt64 |
//! | YEAR | UInt16 |
//! | DATE | Date32 |
//! | TIME(n) | Duration(µs), since it goes beyond a day and below zero; Parquet has it as INT64 |
//! | DATETIME(n) | Timestamp(µs) without a zone |
//! | TIMESTAMP(n) | Timestamp(µs) in UTC |
//! | CHAR, VARCHAR, TEXT | Utf8, whatever their character set; Binary if it cannot be converted |
//! | BINARY, VARBINARY, BLOB | Binary |
//! | ENUM, SET | Utf8 as MySQL shows them; their number, UInt16 or UInt64, if the names of the members are longer than 8 KiB together |
//! | JSON | Utf8, as MySQL prints it |
//!
//! What Arrow's type cannot hold is NULL, and then `_firn_row` has the row: dates
//! that are not of the calendar (`0000-00-00`, `2024-02-00`) or of year 0, an ENUM's
//! empty error value, and texts with bytes that are no characters. So for a row that
//! has `_firn_row` a reader takes all from there ([`crate::row`]).
//!
//! Copies keep the columns that the table had when they were written. Columns are
//! found by their ids: one that is missing has
//! [`instant_default`](crate::descriptor::ColumnDescriptor::instant_default), and one
//! of a narrower type is cast.

mod builder;
mod schema;
pub(crate) mod stored;
#[cfg(test)]
mod tests;
mod writer;

pub use builder::BatchBuilder;
pub(crate) use schema::FIELD_ID;
pub use schema::{arrow_schema, arrow_type};
pub(crate) use writer::TableWriter;

/// Column of the row's key.
pub const ROW_KEY_COLUMN: &str = "_firn_key";
/// Column of rows that columns cannot show.
pub const ROW_COLUMN: &str = "_firn_row";
