//! What rows of tables that are not stored are made of.

use std::sync::Arc;

use firn_mysql_semantics::temporal::zone::TimeZone;

use crate::catalog::CatalogSnapshot;
use crate::server::Server;
use crate::session::Session;

/// The server at one moment, through a session's eyes.
pub(crate) struct Facts {
    /// The catalog.
    pub(crate) catalog: Arc<CatalogSnapshot>,
    /// The server.
    pub(crate) server: Arc<Server>,
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
            catalog: session.server.catalog.snapshot(),
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
            session_status: super::server::status(&session.server, Some(&session.counters)),
            global_status: super::server::status(&session.server, None),
            ..Self::new(session)
        }
    }
}
