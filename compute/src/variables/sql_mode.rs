//! `sql_mode`: names, numbers, combinations.

use std::fmt;

use firn_mysql_parser as parser;
use firn_mysql_semantics::error::{SqlError, code};

/// The bits of `sql_mode`, as its numbers have them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct SqlMode(pub u64);

macro_rules! modes {
    ($($bit:literal $name:ident;)*) => {
        #[allow(missing_docs, reason = "the names are MySQL's")]
        impl SqlMode {
            $(pub const $name: SqlMode = SqlMode(1 << $bit);)*
        }

        /// Modes that can be set, by bit.
        const NAMES: &[(u32, &str)] = &[$(($bit, stringify!($name)),)*];
    };
}

modes! {
    0 REAL_AS_FLOAT;
    1 PIPES_AS_CONCAT;
    2 ANSI_QUOTES;
    3 IGNORE_SPACE;
    4 NOT_USED;
    5 ONLY_FULL_GROUP_BY;
    6 NO_UNSIGNED_SUBTRACTION;
    7 NO_DIR_IN_CREATE;
    18 ANSI;
    19 NO_AUTO_VALUE_ON_ZERO;
    20 NO_BACKSLASH_ESCAPES;
    21 STRICT_TRANS_TABLES;
    22 STRICT_ALL_TABLES;
    23 NO_ZERO_IN_DATE;
    24 NO_ZERO_DATE;
    25 ALLOW_INVALID_DATES;
    26 ERROR_FOR_DIVISION_BY_ZERO;
    27 TRADITIONAL;
    29 HIGH_NOT_PRECEDENCE;
    30 NO_ENGINE_SUBSTITUTION;
    31 PAD_CHAR_TO_FULL_LENGTH;
    32 TIME_TRUNCATE_FRACTIONAL;
}

/// One more than the greatest number that is looked at; beyond it is 1231.
const BITS: u32 = 33;

impl SqlMode {
    const STRICT: SqlMode = SqlMode(Self::STRICT_TRANS_TABLES.0 | Self::STRICT_ALL_TABLES.0);

    /// Whether all bits of `other` are set.
    pub const fn has(self, other: SqlMode) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether values that do not fit are errors: one of the two strict modes.
    pub const fn is_strict(self) -> bool {
        self.0 & Self::STRICT.0 != 0
    }

    const fn with(self, other: SqlMode) -> SqlMode {
        SqlMode(self.0 | other.0)
    }

    /// With what the combinations stand for.
    fn expanded(self) -> SqlMode {
        let mut mode = self;
        if mode.has(Self::ANSI) {
            mode = mode
                .with(Self::REAL_AS_FLOAT)
                .with(Self::PIPES_AS_CONCAT)
                .with(Self::ANSI_QUOTES)
                .with(Self::IGNORE_SPACE)
                .with(Self::ONLY_FULL_GROUP_BY);
        }
        if mode.has(Self::TRADITIONAL) {
            mode = mode
                .with(Self::STRICT)
                .with(Self::NO_ZERO_IN_DATE)
                .with(Self::NO_ZERO_DATE)
                .with(Self::ERROR_FOR_DIVISION_BY_ZERO)
                .with(Self::NO_ENGINE_SUBSTITUTION);
        }
        mode
    }

    /// Names with commas between, in any case; empty ones are passed over.
    ///
    /// # Errors
    ///
    /// The name that is none.
    pub fn parse(names: &str) -> Result<SqlMode, &str> {
        let mut mode = SqlMode::default();
        for name in names.split(',').filter(|name| !name.is_empty()) {
            let known = NAMES.iter().find(|(_, known)| known.eq_ignore_ascii_case(name));
            mode.0 |= 1 << known.ok_or(name)?.0;
        }
        Ok(mode.expanded())
    }

    /// A number's bits.
    ///
    /// # Errors
    ///
    /// 3899 for a bit that has no meaning any more; 1231 for a number beyond all.
    pub(super) fn of_number(number: i128) -> Result<SqlMode, SqlError> {
        let bits = u64::try_from(number).ok().filter(|bits| *bits < 1 << BITS);
        let Some(bits) = bits else {
            return Err(SqlError::wrong_value_for_variable("sql_mode", &number.to_string()));
        };
        let known = NAMES.iter().fold(0, |known, (bit, _)| known | 1_u64 << bit);
        let unknown = bits & !known;
        if unknown != 0 {
            return Err(SqlError::new(code::ER_UNSUPPORTED_SQL_MODE, &[unknown.into()]));
        }
        Ok(SqlMode(bits).expanded())
    }

    /// What setting it warns of.
    pub(super) fn warnings(self) -> Vec<SqlError> {
        let mut warnings = Vec::new();
        let zero = [Self::NO_ZERO_DATE, Self::NO_ZERO_IN_DATE, Self::ERROR_FOR_DIVISION_BY_ZERO];
        let count = zero.iter().filter(|mode| self.has(**mode)).count();
        if count != if self.is_strict() { zero.len() } else { 0 } {
            warnings.push(SqlError::new(code::ER_SQL_MODE_MERGED, &[]));
        }
        if self.has(Self::PAD_CHAR_TO_FULL_LENGTH) {
            let name = "PAD_CHAR_TO_FULL_LENGTH".into();
            warnings.push(SqlError::new(code::ER_WARN_DEPRECATED_SQLMODE, &[name]));
        }
        warnings
    }

    /// The modes that reading a statement depends on.
    pub fn parser_mode(self) -> parser::SqlMode {
        [
            (Self::ANSI_QUOTES, parser::SqlMode::ANSI_QUOTES),
            (Self::NO_BACKSLASH_ESCAPES, parser::SqlMode::NO_BACKSLASH_ESCAPES),
            (Self::PIPES_AS_CONCAT, parser::SqlMode::PIPES_AS_CONCAT),
            (Self::IGNORE_SPACE, parser::SqlMode::IGNORE_SPACE),
            (Self::HIGH_NOT_PRECEDENCE, parser::SqlMode::HIGH_NOT_PRECEDENCE),
            (Self::REAL_AS_FLOAT, parser::SqlMode::REAL_AS_FLOAT),
        ]
        .into_iter()
        .filter(|(mode, _)| self.has(*mode))
        .fold(parser::SqlMode::DEFAULT, |all, (_, one)| all | one)
    }
}

impl fmt::Display for SqlMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        for (bit, name) in NAMES {
            if self.0 >> bit & 1 == 1 {
                if !first {
                    f.write_str(",")?;
                }
                first = false;
                f.write_str(name)?;
            }
        }
        Ok(())
    }
}
