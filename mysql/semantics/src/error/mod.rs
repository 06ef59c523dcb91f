//! MySQL's errors and warnings: numbers, SQLSTATEs and texts as a server of
//! MySQL gives them.
//!
//! [`SqlError`] is what a statement ends with, [`Condition`] one line of SHOW
//! WARNINGS, [`Warnings`] the bounded list that a statement collects. The table
//! of known errors is generated from a live server (`tools/errors.py`);
//! [`code`] has their numbers by name.

/// What the generated table is written in: numbers by name, and the table.
macro_rules! errors {
    ($($number:literal $name:ident $state:literal $format:literal;)*) => {
        use super::ServerError;

        /// The numbers of MySQL's server errors by MySQL's names.
        #[allow(missing_docs, reason = "the names say it")]
        pub mod code {
            $(pub const $name: u16 = $number;)*
        }

        pub(super) static ERRORS: &[ServerError] = &[$(ServerError {
            number: $number,
            name: stringify!($name),
            sqlstate: $state,
            format: $format,
        },)*];
    };
}

mod conditions;
mod format;
mod raise;
mod table;
#[cfg(test)]
mod tests;

pub use conditions::{Condition, Level, MAX_ERROR_COUNT, Mark, Warnings};
pub use format::{Arg, MESSAGE_LIMIT_BYTES};
pub use table::code;

/// One error that MySQL's server knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerError {
    /// MySQL's number, e.g. 1064.
    pub number: u16,
    /// MySQL's symbol, e.g. `ER_PARSE_ERROR`.
    pub name: &'static str,
    /// Five characters, e.g. `42000`.
    pub sqlstate: &'static str,
    /// The text with printf conversions, e.g. `%s near '%-.80s' at line %d`.
    pub format: &'static str,
}

/// The entry of an error number; `None` if MySQL has no such server error.
#[must_use]
pub fn server_error(number: u16) -> Option<&'static ServerError> {
    table::ERRORS
        .binary_search_by_key(&number, |error| error.number)
        .ok()
        .and_then(|at| table::ERRORS.get(at))
}

/// All known server errors, by ascending number.
#[must_use]
pub fn server_errors() -> &'static [ServerError] {
    table::ERRORS
}

/// An error as a client sees it: number, SQLSTATE, text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlError {
    number: u16,
    sqlstate: [u8; 5],
    message: Box<str>,
}

impl SqlError {
    /// The error `number`, its text made from the table's format and `args`,
    /// which must come in the format's order. Missing arguments print as
    /// nothing, surplus ones are not printed, an unknown number becomes a
    /// HY000 with a text that names it: an error path never fails itself.
    #[must_use]
    pub fn new(number: u16, args: &[Arg<'_>]) -> Self {
        match server_error(number) {
            Some(known) => Self {
                number,
                sqlstate: state_bytes(known.sqlstate),
                message: format::message(known.format, args).into_boxed_str(),
            },
            None => Self {
                number,
                sqlstate: *b"HY000",
                message: format!("Unknown error {number}").into_boxed_str(),
            },
        }
    }

    /// The error `number` with the table's SQLSTATE and a text of the caller's,
    /// cut to [`MESSAGE_LIMIT_BYTES`].
    #[must_use]
    pub fn with_message(number: u16, message: impl Into<String>) -> Self {
        let sqlstate = server_error(number).map_or("HY000", |known| known.sqlstate);
        Self::signal(number, state_bytes(sqlstate), message)
    }

    /// An error of the caller's number, SQLSTATE and text, as SIGNAL raises it.
    #[must_use]
    pub fn signal(number: u16, sqlstate: [u8; 5], message: impl Into<String>) -> Self {
        let mut message = message.into();
        format::cut(&mut message, MESSAGE_LIMIT_BYTES);
        Self { number, sqlstate, message: message.into_boxed_str() }
    }

    /// MySQL's error number.
    #[must_use]
    pub fn number(&self) -> u16 {
        self.number
    }

    /// The five characters of the SQLSTATE.
    #[must_use]
    pub fn sqlstate(&self) -> &str {
        // Every way in takes ASCII; bytes of a caller's that are not are not shown.
        std::str::from_utf8(&self.sqlstate).unwrap_or("HY000")
    }

    /// The text, at most [`MESSAGE_LIMIT_BYTES`] long.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

fn state_bytes(state: &str) -> [u8; 5] {
    state.as_bytes().try_into().unwrap_or(*b"HY000")
}

impl std::fmt::Display for SqlError {
    /// As the mysql client prints it: `ERROR 1064 (42000): …`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ERROR {} ({}): {}", self.number, self.sqlstate(), self.message)
    }
}

impl std::error::Error for SqlError {}
