//! What rows of tables that are not stored are made of.

use std::sync::Arc;

use firn_mysql_semantics::temporal::zone::TimeZone;

use crate::accounts::{Access, Directory, Privileges};
use crate::catalog::CatalogSnapshot;
use crate::server::Server;
use crate::session::Session;

/// The server at one moment, through a session's eyes.
pub(crate) struct Facts {
    /// The catalog.
    pub(crate) catalog: Arc<CatalogSnapshot>,
    /// The server.
    pub(crate) server: Arc<Server>,
    /// What the session may do: the catalog has no more than it may see.
    pub(crate) access: Access,
    /// All accounts.
    pub(crate) directory: Arc<Directory>,
    /// Who it is, as the process list has it.
    pub(crate) user: Box<str>,
    /// The session's time zone.
    pub(crate) zone: TimeZone,
    /// System variables with their values, the session's and the global ones.
    pub(crate) session_variables: Vec<(&'static str, String)>,
    /// The same of the server.
    pub(crate) global_variables: Vec<(&'static str, String)>,
    /// What is counted, of the session.
    pub(crate) session_status: Vec<(&'static str, String)>,
    /// The same of the server.
    pub(crate) global_status: Vec<(&'static str, String)>,
}

impl Facts {
    /// What a session sees now.
    pub(crate) fn new(session: &Session) -> Self {
        let variables = &session.values.variables;
        Self {
            catalog: visible(session.server.catalog.snapshot(), session.access()),
            access: session.access().clone(),
            directory: session.server.accounts.directory(),
            user: session.user().into(),
            server: Arc::clone(&session.server),
            zone: variables.zone().clone(),
            session_variables: Vec::new(),
            global_variables: Vec::new(),
            session_status: Vec::new(),
            global_status: Vec::new(),
        }
    }

    /// The same, with the variables.
    pub(crate) fn with_variables(session: &Session) -> Self {
        let variables = &session.values.variables;
        Self {
            session_variables: variables.show(false, None),
            global_variables: variables.show(true, None),
            session_status: super::server::status(&session.server, Some(session)),
            global_status: super::server::status(&session.server, None),
            ..Self::new(session)
        }
    }
}

/// What somebody may see of the catalog.
fn visible(catalog: Arc<CatalogSnapshot>, access: &Access) -> Arc<CatalogSnapshot> {
    if access.may_all() {
        return catalog;
    }
    let mut seen = (*catalog).clone();
    seen.schemas.retain(|schema, _| access.sees_database(schema));
    for (schema, known) in &mut seen.schemas {
        Arc::make_mut(known).relations.retain(|table, _| access.sees_table(schema, table));
    }
    Arc::new(seen)
}

impl Facts {
    /// What the session has on a column.
    pub(crate) fn on_column(&self, schema: &str, table: &str, column: &str) -> Privileges {
        if schema == "information_schema" {
            return Privileges::SELECT;
        }
        if self.access.may_all() {
            return Privileges::COLUMN;
        }
        self.access.on_column(schema, table, &column.to_lowercase())
    }

    /// Whether the session may see what others do.
    pub(crate) fn sees_process(&self, user: &str) -> bool {
        *self.user == *user || self.access.has(Privileges::PROCESS)
    }
}
