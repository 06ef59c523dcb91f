//! From typed values to the protocol's columns and rows, and to lines of files.

mod column;
mod outfile;
mod value;

pub(crate) use column::{ResultCharset, column_of, definition};
pub(crate) use outfile::FileWriter;
pub(crate) use value::{ValueWriter, put, put_cell};
