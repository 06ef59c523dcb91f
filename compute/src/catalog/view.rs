//! What the catalog keeps of a view.

use serde::{Deserialize, Serialize};

/// A view: its query, and what was said about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ViewDescriptor {
    /// The database that it belongs to.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// Grows with every change.
    pub version: u64,
    /// ALGORITHM: `UNDEFINED`, `MERGE` or `TEMPTABLE`.
    pub algorithm: String,
    /// DEFINER: user and host.
    pub definer: (String, String),
    /// SQL SECURITY INVOKER, else DEFINER.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub invoker: bool,
    /// Names of its columns, if they were written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// The query, as the parser prints it.
    pub query: String,
    /// WITH … CHECK OPTION: `CASCADED` or `LOCAL`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// `character_set_client` of the session that made it.
    pub charset_client: String,
    /// `collation_connection` of that session.
    pub collation_connection: String,
    /// When it was made: microseconds since 1970 in UTC.
    pub created_micros: i64,
}

/// What a binder makes of a view's query.
#[derive(Debug, Clone, Copy)]
pub struct ViewBody<'a> {
    /// The query with all names resolved, as SHOW CREATE VIEW prints it.
    pub query: &'a str,
    /// Names of its columns.
    pub columns: &'a [&'a str],
    /// `character_set_client` of the session.
    pub charset_client: &'a str,
    /// `collation_connection` of the session.
    pub collation_connection: &'a str,
}
