//! What a server answers: columns, rows, OK, EOF, ERR.

mod column;
mod number;
mod response;
mod row;
mod state;
mod status;
mod temporal;

pub use column::{BINARY_COLLATION, Column, Columns, DECIMALS_NOT_FIXED};
pub(crate) use response::{Cursor, put_eof, put_error, put_ok};
pub use response::{LocalInfile, Response};
pub use row::Rows;
pub use state::{StateChange, TransactionState};
pub use status::Summary;
pub use temporal::{Date, DateTime, Time};
