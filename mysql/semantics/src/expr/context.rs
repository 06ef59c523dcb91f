//! What an evaluation knows beside the row: settings, session, warnings.

use crate::error::{Level, SqlError, Warnings};
use crate::temporal::DateMode;
use crate::types::{CollationId, SqlType};
use crate::value::Value;

/// The settings of a session that change what expressions mean. They may differ
/// between binding and running only as MySQL's may between PREPARE and EXECUTE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// STRICT_TRANS_TABLES or STRICT_ALL_TABLES.
    pub strict: bool,
    /// ERROR_FOR_DIVISION_BY_ZERO: x/0 warns in SELECT.
    pub error_for_division_by_zero: bool,
    /// NO_UNSIGNED_SUBTRACTION: the difference of unsigned numbers is signed.
    pub no_unsigned_subtraction: bool,
    /// NO_ZERO_DATE.
    pub no_zero_date: bool,
    /// NO_ZERO_IN_DATE.
    pub no_zero_in_date: bool,
    /// ALLOW_INVALID_DATES.
    pub allow_invalid_dates: bool,
    /// TIME_TRUNCATE_FRACTIONAL.
    pub truncate_fractions: bool,
    /// `div_precision_increment`: decimals that `/` adds.
    pub div_precision_increment: u8,
    /// `max_allowed_packet`: no string may become longer, in bytes.
    pub max_allowed_packet_bytes: u64,
    /// `collation_connection`, that of literals.
    pub connection_collation: CollationId,
    /// A collation of `character_set_client`, the set that statements came in. They
    /// are parsed in UTF-8 where it is not
    /// [read directly](crate::charset::Charset::is_read_directly).
    pub client_charset: CollationId,
    /// `default_week_format`
    pub week_format: u8,
    /// `group_concat_max_len` and such are not of expressions.
    /// The database that names without one belong to, if any.
    pub database: Option<Box<str>>,
}

impl Settings {
    /// Which dates are taken that are none of the calendar.
    #[must_use]
    pub fn date_mode(&self) -> DateMode {
        DateMode {
            no_zero_in_date: self.no_zero_in_date,
            no_zero_date: self.no_zero_date,
            allow_invalid: self.allow_invalid_dates,
            datetime_only: false,
        }
    }
}

impl Default for Settings {
    /// MySQL's own defaults.
    fn default() -> Settings {
        Settings {
            strict: true,
            error_for_division_by_zero: true,
            no_unsigned_subtraction: false,
            no_zero_date: true,
            no_zero_in_date: true,
            allow_invalid_dates: false,
            truncate_fractions: false,
            div_precision_increment: 4,
            max_allowed_packet_bytes: 64 << 20,
            connection_collation: CollationId::UTF8MB4_0900_AI_CI,
            client_charset: CollationId::UTF8MB4_0900_AI_CI,
            week_format: 0,
            database: None,
        }
    }
}

/// A session that several share. It is locked for single questions.
pub type Apart = std::sync::Arc<parking_lot::Mutex<dyn Session + Send>>;

/// What the session answers while an expression runs.
pub trait Session: Send {
    /// `@name`, in lower case; `None` if it was never set.
    fn user_variable(&self, name: &str) -> Option<(Value, SqlType)>;
    /// `@name := value`
    fn set_user_variable(&mut self, name: &str, value: Value, ty: SqlType);
    /// `@@name` (`global.name`, `session.name` where the scope was written);
    /// `None` if there is no such variable.
    fn system_variable(&self, name: &str) -> Option<(Value, SqlType)>;
    /// When the statement began: microseconds since 1970 in UTC.
    fn statement_time_micros(&self) -> i64;
    /// The present: microseconds since 1970 in UTC, for SYSDATE().
    fn clock_micros(&self) -> i64;
    /// The session's zone: seconds east of UTC at a time given in microseconds
    /// since 1970 in UTC.
    fn zone_offset_seconds(&self, at_micros: i64) -> i32;
    /// A new random number generator's two seeds, for RAND().
    fn random_seeds(&mut self) -> (u32, u32);
    /// CONNECTION_ID()
    fn connection_id(&self) -> u64;
    /// USER(): `name@host` as the client logged in.
    fn user(&self) -> Box<str>;
    /// CURRENT_USER(): the account that counts.
    fn current_user(&self) -> Box<str>;
    /// LAST_INSERT_ID()
    fn last_insert_id(&self) -> u64;
    /// LAST_INSERT_ID(n)
    fn set_last_insert_id(&mut self, id: u64);
    /// ROW_COUNT()
    fn row_count(&self) -> i64;
    /// FOUND_ROWS()
    fn found_rows(&self) -> u64;
    /// VERSION()
    fn version(&self) -> Box<str>;
    /// Whether the statement is to end: BENCHMARK asks now and then.
    fn is_interrupted(&self) -> bool {
        false
    }
    /// What it answers during this statement, apart from it: for plans that run on
    /// their own. `None` if it is needed itself.
    fn apart(&self) -> Option<Apart> {
        None
    }
    /// What only the server around can do. Waiting blocks the calling thread.
    ///
    /// # Errors
    ///
    /// 1235 where the session has nothing of the kind; 1317 where a wait is
    /// interrupted, and what else MySQL gives.
    fn request(&mut self, request: Request<'_>) -> Result<Value, SqlError> {
        Err(SqlError::not_supported_yet(request.function()))
    }
}

/// What functions ask of the server around them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request<'a> {
    /// CURRENT_ROLE(): the roles as text, `NONE` if there are none.
    CurrentRole,
    /// GET_LOCK: 1 if the lock was had, 0 if not in time.
    GetLock {
        /// Not empty, at most 64 characters.
        name: &'a str,
        /// Microseconds; without end if `None`.
        wait_micros: Option<u64>,
    },
    /// IS_FREE_LOCK: 1 or 0.
    IsFreeLock {
        /// As of [`Request::GetLock`].
        name: &'a str,
    },
    /// IS_USED_LOCK: the connection's number, NULL if nobody has it.
    IsUsedLock {
        /// As of [`Request::GetLock`].
        name: &'a str,
    },
    /// RELEASE_LOCK: 1, 0 if it is another's, NULL if nobody has it.
    ReleaseLock {
        /// As of [`Request::GetLock`].
        name: &'a str,
    },
    /// RELEASE_ALL_LOCKS(): how many they were.
    ReleaseAllLocks,
    /// LOAD_FILE: the bytes, or NULL.
    LoadFile {
        /// As it was given, in its own character set.
        path: &'a [u8],
    },
    /// RANDOM_BYTES: as many bytes from a source for secrets.
    RandomBytes {
        /// 1 to 1024.
        count: u16,
    },
    /// SLEEP: 0, or 1 if the wait was cut short.
    Sleep {
        /// Microseconds.
        micros: u64,
    },
    /// UUID(): version 1, 36 characters in lower case.
    Uuid,
    /// UUID_SHORT(): 64 bits, unsigned.
    UuidShort,
}

impl Request<'_> {
    /// The function that asks, in upper case.
    pub fn function(&self) -> &'static str {
        match self {
            Request::CurrentRole => "CURRENT_ROLE",
            Request::GetLock { .. } => "GET_LOCK",
            Request::IsFreeLock { .. } => "IS_FREE_LOCK",
            Request::IsUsedLock { .. } => "IS_USED_LOCK",
            Request::ReleaseLock { .. } => "RELEASE_LOCK",
            Request::ReleaseAllLocks => "RELEASE_ALL_LOCKS",
            Request::LoadFile { .. } => "LOAD_FILE",
            Request::RandomBytes { .. } => "RANDOM_BYTES",
            Request::Sleep { .. } => "SLEEP",
            Request::Uuid => "UUID",
            Request::UuidShort => "UUID_SHORT",
        }
    }
}

/// The state of one evaluation: of a statement, kept from row to row.
pub struct Cx<'a> {
    /// The session's settings.
    pub settings: &'a Settings,
    /// The session.
    pub session: &'a mut dyn Session,
    /// Where warnings go.
    pub warnings: &'a mut Warnings,
    /// Generators of RAND(), by slot; made at first use.
    pub(crate) random: Vec<Option<crate::functions::random::Generator>>,
    /// What high expressions within the one that is evaluated have come to.
    pub(crate) kept: super::kept::Kept,
    /// The row's number among warnings that name one.
    pub row_number: u64,
    /// The name of the column that [`Node::run`](super::Node::run) gives the values
    /// of, as warnings of CAST have it.
    pub item_name: Option<&'a str>,
    /// Results of subqueries.
    pub(crate) subqueries: super::subquery::Results,
}

impl<'a> Cx<'a> {
    /// A new evaluation.
    pub fn new(
        settings: &'a Settings,
        session: &'a mut dyn Session,
        warnings: &'a mut Warnings,
    ) -> Cx<'a> {
        Cx {
            settings,
            session,
            warnings,
            random: Vec::new(),
            kept: super::kept::Kept::default(),
            row_number: 1,
            item_name: None,
            subqueries: super::subquery::Results::default(),
        }
    }

    pub(crate) fn warn(&mut self, error: SqlError) {
        self.warnings.push(Level::Warning, error);
    }
}

/// A row and the statement's parameters.
#[derive(Debug, Clone, Copy, Default)]
pub struct Row<'a> {
    /// The columns, as the scope that bound the expression numbered them.
    pub columns: &'a [Value],
    /// The parameters.
    pub params: &'a [Value],
}

impl<'a> Row<'a> {
    /// A row without parameters.
    pub fn new(columns: &'a [Value]) -> Row<'a> {
        Row { columns, params: &[] }
    }
}

/// No session at all: for expressions that ask it for nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nobody;

impl Session for Nobody {
    fn user_variable(&self, _: &str) -> Option<(Value, SqlType)> {
        None
    }
    fn set_user_variable(&mut self, _: &str, _: Value, _: SqlType) {}
    fn system_variable(&self, _: &str) -> Option<(Value, SqlType)> {
        None
    }
    fn statement_time_micros(&self) -> i64 {
        0
    }
    fn clock_micros(&self) -> i64 {
        0
    }
    fn zone_offset_seconds(&self, _: i64) -> i32 {
        0
    }
    fn random_seeds(&mut self) -> (u32, u32) {
        (0, 0)
    }
    fn connection_id(&self) -> u64 {
        0
    }
    fn user(&self) -> Box<str> {
        "".into()
    }
    fn current_user(&self) -> Box<str> {
        "".into()
    }
    fn last_insert_id(&self) -> u64 {
        0
    }
    fn set_last_insert_id(&mut self, _: u64) {}
    fn row_count(&self) -> i64 {
        0
    }
    fn found_rows(&self) -> u64 {
        0
    }
    fn version(&self) -> Box<str> {
        "".into()
    }
}
