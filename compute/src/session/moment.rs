//! What a session answers during one statement, apart from it.

use std::sync::Arc;

use firn_mysql_semantics::expr::{Apart, Session};
use firn_mysql_semantics::temporal::zone::TimeZone;
use firn_mysql_semantics::types::SqlType;
use firn_mysql_semantics::value::Value;
use parking_lot::Mutex;

use super::values::SessionValues;

/// For plans that run on their own: only what stays the same while a statement runs.
/// Expressions that change the session, or ask for variables, are not among theirs.
pub(super) struct Moment {
    statement_time_micros: i64,
    zone: TimeZone,
    connection_id: u64,
    user: Box<str>,
    current_user: Box<str>,
    version: Box<str>,
    last_insert_id: u64,
    row_count: i64,
    found_rows: u64,
}

impl Moment {
    /// That of a session, now.
    pub(super) fn of(session: &SessionValues) -> Apart {
        Arc::new(Mutex::new(Self {
            statement_time_micros: session.statement_time_micros(),
            zone: session.variables.zone().clone(),
            connection_id: session.connection_id(),
            user: session.user(),
            current_user: session.current_user(),
            version: session.version(),
            last_insert_id: session.last_insert_id(),
            row_count: session.row_count(),
            found_rows: session.found_rows(),
        }))
    }
}

impl Session for Moment {
    fn user_variable(&self, name: &str) -> Option<(Value, SqlType)> {
        debug_assert!(false, "a plan on its own asks for @{name}");
        None
    }

    fn set_user_variable(&mut self, name: &str, _: Value, _: SqlType) {
        debug_assert!(false, "a plan on its own sets @{name}");
    }

    fn system_variable(&self, name: &str) -> Option<(Value, SqlType)> {
        debug_assert!(false, "a plan on its own asks for @@{name}");
        None
    }

    fn statement_time_micros(&self) -> i64 {
        self.statement_time_micros
    }

    fn clock_micros(&self) -> i64 {
        self.statement_time_micros
    }

    fn zone_offset_seconds(&self, at_micros: i64) -> i32 {
        self.zone.offset_at(at_micros.div_euclid(1_000_000))
    }

    fn random_seeds(&mut self) -> (u32, u32) {
        debug_assert!(false, "a plan on its own asks for chance");
        (0, 0)
    }

    fn connection_id(&self) -> u64 {
        self.connection_id
    }

    fn user(&self) -> Box<str> {
        self.user.clone()
    }

    fn current_user(&self) -> Box<str> {
        self.current_user.clone()
    }

    fn last_insert_id(&self) -> u64 {
        self.last_insert_id
    }

    fn set_last_insert_id(&mut self, _: u64) {
        debug_assert!(false, "a plan on its own sets LAST_INSERT_ID()");
    }

    fn row_count(&self) -> i64 {
        self.row_count
    }

    fn found_rows(&self) -> u64 {
        self.found_rows
    }

    fn version(&self) -> Box<str> {
        self.version.clone()
    }
}
