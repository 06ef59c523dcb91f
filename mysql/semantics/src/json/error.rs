//! What can be wrong with a document, a path or an argument.

use std::fmt;

/// An error of a JSON function. [`JsonError::number`] and [`JsonError::message`]
/// give what MySQL says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum JsonError {
    /// A text is no JSON document.
    Text {
        /// What is wrong.
        reason: &'static str,
        /// Bytes before the place.
        position: usize,
    },
    /// A path expression is malformed.
    Path {
        /// The place, counted as MySQL counts it: in bytes of UTF-8.
        position: usize,
    },
    /// A path may match several values where that is not allowed.
    PathWildcard,
    /// A path does not end in an array cell where it has to.
    PathNoCell,
    /// The path `$` where it would mean the whole document.
    PathWholeDocument,
    /// Neither "one" nor "all".
    OneOrAll,
    /// The escape of a search is not one character.
    Escape,
    /// More levels than [`MAX_DEPTH`](super::MAX_DEPTH).
    TooDeep,
    /// A member's name is NULL.
    NullName,
    /// A document of more than 4 GiB.
    TooBig,
    /// A value of another JSON type is needed.
    Type {
        /// What is needed, with its article.
        needed: &'static str,
    },
    /// A schema refers to another document.
    RemoteSchema,
    /// A time, date or decimal is out of its range, or an argument is not what its
    /// own type says.
    Value(&'static str),
    /// The bytes are no document in the binary form.
    Corrupt(&'static str),
}

/// Which argument of which function an error is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argument<'a> {
    /// The function's name in lower case.
    pub function: &'a str,
    /// The argument's number, from 1.
    pub number: usize,
}

impl JsonError {
    /// MySQL's error number.
    pub fn number(&self) -> u16 {
        match self {
            Self::Text { .. } => 3141,
            Self::Path { .. } => 3143,
            Self::PathWildcard => 3149,
            Self::PathNoCell => 3165,
            Self::PathWholeDocument => 3153,
            Self::OneOrAll => 3154,
            Self::Escape => 1210,
            Self::TooDeep => 3157,
            Self::NullName => 3158,
            Self::TooBig => 3150,
            Self::Type { .. } => 3853,
            Self::RemoteSchema => 1235,
            Self::Value(_) => 3147,
            Self::Corrupt(_) => 3146,
        }
    }

    /// The SQLSTATE that goes with the number.
    pub fn sqlstate(&self) -> &'static str {
        match self {
            Self::Text { .. } | Self::Value(_) | Self::Corrupt(_) => "22032",
            Self::RemoteSchema => "42000",
            Self::TooDeep => "22032",
            Self::NullName => "22032",
            Self::Path { .. } | Self::PathWildcard | Self::PathWholeDocument => "42000",
            Self::OneOrAll => "42000",
            Self::PathNoCell => "42000",
            Self::TooBig => "22032",
            Self::Type { .. } => "22032",
            Self::Escape => "HY000",
        }
    }

    /// MySQL's wording.
    pub fn message(&self, argument: Argument<'_>) -> String {
        let Argument { function, number } = argument;
        match self {
            Self::Text { reason, position } => format!(
                "Invalid JSON text in argument {number} to function {function}: \"{reason}\" at \
                 position {position}."
            ),
            Self::OneOrAll => format!(
                "The oneOrAll argument to {function} may take these values: 'one' or 'all'."
            ),
            Self::Escape => "Incorrect arguments to ESCAPE".into(),
            Self::Type { needed } => format!(
                "Invalid JSON type in argument {number} to function {function}; {needed} is \
                 required."
            ),
            Self::Path { .. }
            | Self::PathWildcard
            | Self::PathNoCell
            | Self::PathWholeDocument
            | Self::TooDeep
            | Self::NullName
            | Self::TooBig
            | Self::RemoteSchema
            | Self::Value(_)
            | Self::Corrupt(_) => self.to_string(),
        }
    }

    /// MySQL's number and wording for a text that is stored in a column.
    ///
    /// Differs from [`Self::message`] for texts that are no document.
    pub fn message_for_column(&self, column: &str) -> (u16, String) {
        match self {
            Self::Text { reason, position } => (
                3140,
                format!(
                    "Invalid JSON text: \"{reason}\" at position {position} in value for column \
                     '{column}'."
                ),
            ),
            other => (other.number(), other.to_string()),
        }
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text { reason, position } => {
                write!(f, "Invalid JSON text: \"{reason}\" at position {position}.")
            }
            Self::Path { position } => write!(
                f,
                "Invalid JSON path expression. The error is around character position {position}."
            ),
            Self::PathWildcard => f.write_str(
                "In this situation, path expressions may not contain the * and ** tokens or an \
                 array range.",
            ),
            Self::PathNoCell => {
                f.write_str("A path expression is not a path to a cell in an array.")
            }
            Self::PathWholeDocument => {
                f.write_str("The path expression '$' is not allowed in this context.")
            }
            Self::OneOrAll => f.write_str("neither 'one' nor 'all'"),
            Self::Escape => f.write_str("Incorrect arguments to ESCAPE"),
            Self::TooDeep => f.write_str("The JSON document exceeds the maximum depth."),
            Self::NullName => f.write_str("JSON documents may not contain NULL member names."),
            Self::TooBig => f.write_str("The JSON value is too big to be stored in a JSON column."),
            Self::Type { needed } => write!(f, "{needed} is required"),
            Self::RemoteSchema => {
                f.write_str("This version of MySQL doesn't yet support 'references in JSON Schema'")
            }
            Self::Value(what) => write!(f, "Cannot CAST value to JSON: {what}."),
            Self::Corrupt(what) => {
                write!(f, "The binary form of a JSON document is corrupt: {what}.")
            }
        }
    }
}

impl std::error::Error for JsonError {}
