//! The one table from what goes wrong inside to what a client reads.

use firn_engine::ErrorKind;
use firn_mysql_protocol as protocol;
use firn_mysql_semantics::error::{SqlError, code};

use crate::txn;

/// A refusal of the parser.
pub(crate) fn from_parser(error: &firn_mysql_parser::Error) -> SqlError {
    let mut state = [0; 5];
    state.copy_from_slice(error.sqlstate().as_bytes());
    SqlError::signal(error.code(), state, error.to_string())
}

/// The engine's errors. What a client can do about one is in its text.
pub(crate) fn from_engine(error: &firn_engine::Error) -> SqlError {
    let text = error.to_string();
    match error.kind() {
        ErrorKind::OutcomeUnknown => SqlError::with_message(
            code::ER_ERROR_DURING_COMMIT,
            format!("Got error during COMMIT: it may have taken effect or not: {text}"),
        ),
        ErrorKind::Fenced => SqlError::with_message(
            code::ER_OPTION_PREVENTS_STATEMENT,
            format!("This server is no longer the one that may write: {text}"),
        ),
        ErrorKind::Corrupt => {
            SqlError::with_message(code::ER_NOT_KEYFILE, format!("Damaged data: {text}"))
        }
        ErrorKind::BadRequest => SqlError::with_message(code::ER_WRONG_ARGUMENTS, text),
        _ => SqlError::with_message(code::ER_GET_ERRNO, format!("Storage: {text}")),
    }
}

/// A transaction's errors.
pub(crate) fn from_transaction(error: &txn::Error) -> SqlError {
    match error {
        txn::Error::Engine(error) => from_engine(error),
        other => match other.mysql_number() {
            Some(1305) => SqlError::does_not_exist("SAVEPOINT", "?"),
            Some(number) => SqlError::new(number, &[]),
            None => SqlError::with_message(code::ER_UNKNOWN_ERROR, other.to_string()),
        },
    }
}

/// As the protocol carries it.
pub(crate) fn to_protocol(error: &SqlError) -> protocol::SqlError {
    let mut state = *b"HY000";
    let given = error.sqlstate().as_bytes();
    if given.len() == state.len() {
        state.copy_from_slice(given);
    }
    protocol::SqlError::new(error.number(), &state, error.message().to_owned())
}
