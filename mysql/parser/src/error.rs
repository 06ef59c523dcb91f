//! Why a text was refused, as MySQL says it.

use std::fmt;

/// A refused text. One pointer wide, so that the happy path stays small.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(Box<Inner>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Inner {
    kind: ErrorKind,
    offset: usize,
    line: usize,
    near: String,
}

/// What was wrong. [`Error::code`] has MySQL's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The text is not in the language (1064).
    Syntax,
    /// There is no statement: nothing, blanks or comments only (1065).
    Empty,
    /// More nesting than [`crate::Options`] allows (1064, "memory exhausted").
    TooDeep,
    /// A name or a text that has to be UTF-8 is not (1300).
    Utf8,
    /// The text is 4 GiB or more (1153).
    TooLong,
    /// INTO in a place where no rows come out (3954).
    MisplacedInto,
    /// The label behind END is not the one before BEGIN (1310).
    EndLabel,
    /// INTO twice (3953).
    SecondInto,
    /// A derived table without a name (1248).
    DerivedAlias,
}

/// MySQL cuts the text it quotes at this many bytes.
const NEAR_BYTES: usize = 80;

impl Error {
    /// An error at byte `offset` of `sql`.
    #[cold]
    pub(crate) fn at(kind: ErrorKind, sql: &[u8], offset: usize) -> Error {
        let offset = offset.min(sql.len());
        let line = 1 + sql[..offset].iter().filter(|&&b| b == b'\n').count();
        // MySQL does not see what ends a text without meaning anything.
        let end = sql.iter().rposition(|&b| b != b';' && !b.is_ascii_whitespace());
        let end = end.map_or(0, |last| last + 1).max(offset);
        // Messages are of the utf8mb3 character set, and cut as such.
        let shown = sql.get(offset..end.min(offset + NEAR_BYTES * 4)).unwrap_or_default();
        let mut near = String::with_capacity(NEAR_BYTES);
        for c in String::from_utf8_lossy(shown).chars() {
            let c = if u32::from(c) > 0xffff { '?' } else { c };
            if near.len() + c.len_utf8() > NEAR_BYTES {
                break;
            }
            near.push(c);
        }
        Error(Box::new(Inner { kind, offset, line, near }))
    }

    /// What was wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// MySQL's error number.
    pub fn code(&self) -> u16 {
        match self.0.kind {
            ErrorKind::Syntax | ErrorKind::TooDeep => 1064,
            ErrorKind::Empty => 1065,
            ErrorKind::Utf8 => 1300,
            ErrorKind::TooLong => 1153,
            ErrorKind::MisplacedInto => 3954,
            ErrorKind::SecondInto => 3953,
            ErrorKind::EndLabel => 1310,
            ErrorKind::DerivedAlias => 1248,
        }
    }

    /// MySQL's SQLSTATE.
    pub fn sqlstate(&self) -> &'static str {
        match self.0.kind {
            ErrorKind::Syntax
            | ErrorKind::TooDeep
            | ErrorKind::Empty
            | ErrorKind::MisplacedInto
            | ErrorKind::SecondInto
            | ErrorKind::EndLabel
            | ErrorKind::DerivedAlias => "42000",
            ErrorKind::Utf8 => "HY000",
            ErrorKind::TooLong => "08S01",
        }
    }

    /// Where it was noticed, in bytes from the start of the text.
    pub fn offset(&self) -> usize {
        self.0.offset
    }

    /// The line it was noticed on, from 1.
    pub fn line(&self) -> usize {
        self.0.line
    }

    /// The text from there on, at most 80 bytes, without the semicolons and blanks at the end.
    pub fn near(&self) -> &str {
        &self.0.near
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, line, near, .. } = &*self.0;
        match kind {
            ErrorKind::Syntax => write!(
                f,
                "You have an error in your SQL syntax; check the manual that corresponds to your \
                 MySQL server version for the right syntax to use near '{near}' at line {line}"
            ),
            ErrorKind::TooDeep => write!(f, "memory exhausted near '{near}' at line {line}"),
            ErrorKind::Empty => f.write_str("Query was empty"),
            ErrorKind::Utf8 => {
                let shown: String = near.chars().take(64).collect();
                write!(f, "Invalid utf8mb4 character string: '{shown}'")
            }
            ErrorKind::TooLong => {
                f.write_str("Got a packet bigger than 'max_allowed_packet' bytes")
            }
            ErrorKind::MisplacedInto => f.write_str(
                "Misplaced INTO clause, INTO is not allowed inside subqueries, and must be placed \
                 at end of UNION clauses.",
            ),
            ErrorKind::EndLabel => {
                let label: String = near.chars().take_while(|c| !c.is_whitespace()).collect();
                write!(f, "End-label {label} without match")
            }
            ErrorKind::SecondInto => f.write_str("Multiple INTO clauses in one query block."),
            ErrorKind::DerivedAlias => f.write_str("Every derived table must have its own alias"),
        }
    }
}

impl std::error::Error for Error {}

/// What the parser's functions return.
pub type Result<T> = std::result::Result<T, Error>;
