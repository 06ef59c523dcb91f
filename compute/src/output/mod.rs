//! From typed values to the protocol's columns and rows, and to lines of files.

mod column;
mod gathered;
mod kept;
mod outfile;
mod value;

pub(crate) use column::{ResultCharset, column_of, definition};
pub(crate) use gathered::tell_of_gathered;
pub(crate) use kept::tell_of_kept;
pub(crate) use outfile::FileWriter;
pub(crate) use value::{ValueWriter, put, put_cell};
