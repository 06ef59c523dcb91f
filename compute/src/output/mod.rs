//! From typed values to the protocol's columns and rows.

mod column;
mod gathered;
mod value;

pub(crate) use column::{ResultCharset, column_of, definition};
pub(crate) use gathered::tell_of_gathered;
pub(crate) use value::{ValueWriter, put, put_cell};
