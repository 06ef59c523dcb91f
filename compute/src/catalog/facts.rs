//! What a definition depends on beside its text.

use firn_mysql_semantics::CollationId;
use firn_mysql_semantics::expr::Settings;
use firn_mysql_semantics::temporal::zone::TimeZone;

/// What data definition asks of the session.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The current database.
    pub database: Option<&'a str>,
    /// CURRENT_USER(): user and host of the account.
    pub account: (&'a str, &'a str),
    /// sql_mode and the connection's collation.
    pub settings: &'a Settings,
    /// The session's zone: that of TIMESTAMP defaults.
    pub zone: &'a TimeZone,
    /// When the statement began: microseconds since 1970 in UTC.
    pub now_micros: i64,
    /// `collation_server`: that of databases that name none.
    pub server_collation: CollationId,
    /// `foreign_key_checks`
    pub foreign_key_checks: bool,
    /// `sql_require_primary_key`
    pub require_primary_key: bool,
    /// NO_ENGINE_SUBSTITUTION: an unknown engine is an error.
    pub no_engine_substitution: bool,
}
