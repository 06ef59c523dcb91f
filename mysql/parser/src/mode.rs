//! What changes how a text is read: `sql_mode`, the server's version, limits.

use std::ops::BitOr;

/// The modes of `sql_mode` that the lexer and the grammar look at.
///
/// The other modes (strictness, zero dates and so on) change what a statement
/// does, not what it says, and are not known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct SqlMode(u8);

impl SqlMode {
    /// None of the modes below: MySQL's default as far as reading goes.
    pub const DEFAULT: SqlMode = SqlMode(0);
    /// `"x"` is an identifier, not a string.
    pub const ANSI_QUOTES: SqlMode = SqlMode(1);
    /// A backslash in a string is a backslash.
    pub const NO_BACKSLASH_ESCAPES: SqlMode = SqlMode(2);
    /// `||` joins strings and binds tighter than `^`; otherwise it is OR.
    pub const PIPES_AS_CONCAT: SqlMode = SqlMode(4);
    /// `count (x)` is a call of the built-in function although there is a space.
    pub const IGNORE_SPACE: SqlMode = SqlMode(8);
    /// NOT binds as tightly as `!`.
    pub const HIGH_NOT_PRECEDENCE: SqlMode = SqlMode(16);
    /// REAL is FLOAT, not DOUBLE.
    pub const REAL_AS_FLOAT: SqlMode = SqlMode(32);

    /// The modes that reading depends on, of a value of `sql_mode`: names with
    /// commas between, `ANSI` for its four. Names that are not known here are
    /// passed over.
    pub fn from_names(names: &str) -> SqlMode {
        names.split(',').fold(SqlMode::DEFAULT, |mode, name| {
            let name = name.trim();
            let one = |known: &str| name.eq_ignore_ascii_case(known);
            mode | if one("ANSI_QUOTES") {
                SqlMode::ANSI_QUOTES
            } else if one("NO_BACKSLASH_ESCAPES") {
                SqlMode::NO_BACKSLASH_ESCAPES
            } else if one("PIPES_AS_CONCAT") {
                SqlMode::PIPES_AS_CONCAT
            } else if one("IGNORE_SPACE") {
                SqlMode::IGNORE_SPACE
            } else if one("HIGH_NOT_PRECEDENCE") {
                SqlMode::HIGH_NOT_PRECEDENCE
            } else if one("REAL_AS_FLOAT") {
                SqlMode::REAL_AS_FLOAT
            } else if one("ANSI") {
                SqlMode::ANSI_QUOTES
                    | SqlMode::PIPES_AS_CONCAT
                    | SqlMode::IGNORE_SPACE
                    | SqlMode::REAL_AS_FLOAT
            } else {
                SqlMode::DEFAULT
            }
        })
    }

    /// The modes as a number, for keys.
    pub(crate) const fn bits(self) -> u8 {
        self.0
    }

    /// Whether all of `modes` are on.
    #[inline]
    pub const fn has(self, modes: SqlMode) -> bool {
        self.0 & modes.0 == modes.0
    }
}

impl BitOr for SqlMode {
    type Output = SqlMode;

    fn bitor(self, other: SqlMode) -> SqlMode {
        SqlMode(self.0 | other.0)
    }
}

/// How to read a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The session's `sql_mode`.
    pub mode: SqlMode,
    /// `/*!NNNNN … */` is read as SQL if NNNNN is at most this, else it is a
    /// comment. As MySQL writes it: 80400 is 8.4.0.
    pub version: u32,
    /// How many levels of parentheses, subqueries and blocks may nest. 256
    /// levels take up to 1 MiB of stack in an optimised build, 6 MiB in one that
    /// is not.
    pub max_depth: u16,
    /// How tall the tree of one expression or join may be, subqueries included:
    /// what a consumer's recursion over the tree has to bear. `1+1+…` makes one
    /// level a sign; AND, OR, lists and UNION make none.
    pub max_height: u16,
}

/// The version that version comments are compared with: MySQL 8.4.
pub const SERVER_VERSION: u32 = 80_407;

impl Default for Options {
    fn default() -> Options {
        Options {
            mode: SqlMode::DEFAULT,
            version: SERVER_VERSION,
            max_depth: 256,
            max_height: 1024,
        }
    }
}

impl Options {
    /// The defaults, in this mode.
    pub fn in_mode(mode: SqlMode) -> Options {
        Options { mode, ..Options::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_make_modes() {
        let mode = SqlMode::from_names("STRICT_TRANS_TABLES, ansi_quotes,NO_BACKSLASH_ESCAPES");
        assert_eq!(mode, SqlMode::ANSI_QUOTES | SqlMode::NO_BACKSLASH_ESCAPES);
        assert!(SqlMode::from_names("ANSI").has(SqlMode::PIPES_AS_CONCAT | SqlMode::IGNORE_SPACE));
        assert_eq!(SqlMode::from_names(""), SqlMode::DEFAULT);
    }
}
