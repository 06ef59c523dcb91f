//! What a connection has, and how it answers commands.
//!
//! * [`command`]: the protocol's commands.
//! * [`statement`]: which statement does what.
//! * [`compiled`]: binding and planning what reads and changes rows. [`run`]: running it.
//!   [`known`]: what was compiled before. [`point`], [`range`]: reads of one table without
//!   all that other statements need.
//! * [`define`]: what changes the catalog.
//! * [`transaction`]: where transactions begin and end.
//! * [`tables`]: tables by name, as the session sees them. [`temporary`]: its own.
//! * [`show`]: SHOW and DESCRIBE. [`admin`]: statements that look after the server.
//! * [`explain`]: EXPLAIN. [`prepared`], [`preparable`]: PREPARE. [`replication`]: none. [`locks`]: LOCK TABLES. [`load`]: LOAD DATA.
//! * [`accounts`]: users and roles. [`rights`], [`authorize`]: what the session may
//!   do.
//! * [`values`]: variables and all else that expressions ask of a session.

mod accounts;
mod admin;
mod assign;
mod authorize;
mod command;
mod compiled;
mod create_as;
mod create_view;
mod define;
mod error;
mod explain;
mod hinted;
mod histogram;
mod into_file;
mod known;
mod load;
mod locks;
mod moment;
mod parameters;
mod point;
mod preparable;
mod prepared;
mod range;
mod relations;
mod replication;
mod rights;
mod run;
mod safe_updates;
mod scalar;
mod services;
pub mod set;
mod show;
mod statement;
mod statistics;
mod tables;
mod temporary;
mod transaction;
mod trigger;
mod user_variables;
pub mod values;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use firn_engine::SpaceId;
use firn_engine::key::KeyRange;
use firn_mysql_parser::ast::{self, StatementKind};
use firn_mysql_parser::{Parser, Shape};
use firn_mysql_protocol::StatusFlags;
use firn_mysql_protocol::server::Login;
use firn_mysql_semantics::CollationId;
use firn_mysql_semantics::charset::{Charset, convert};
use firn_mysql_semantics::error::{Level, SqlError, Warnings};
use firn_mysql_semantics::expr::Settings;

pub(crate) use compiled::Compiled;
pub(crate) use error::{from_engine, from_parser, from_transaction, to_protocol};
pub(crate) use rights::Rights;
pub(crate) use services::Services;
use statement::{Done, Ended, Outcome};
pub use user_variables::{USER_VARIABLES_MAX_BYTES, UserVariables};
pub(crate) use values::SessionValues;

use crate::output::ResultCharset;
use crate::plan::Lacking;
use crate::server::{Process, Server};
use crate::txn::{LockSet, Transaction};
use crate::variables::{Counter, SessionCounters, counter_of};

/// A session.
pub struct Session {
    pub(crate) server: Arc<Server>,
    /// Number of the connection.
    id: u32,
    login: Login,
    rights: Rights,
    parser: Parser,
    pub(crate) values: SessionValues,
    /// What statements are bound and run by: `values`' settings as the statement found them.
    settings: Arc<Settings>,
    /// The open transaction.
    /// By itself, so that a statement takes it and gives it back as a pointer.
    transaction: Option<Box<Transaction>>,
    /// It was begun by a statement, not by autocommit=0.
    explicit: bool,
    read_only: bool,
    warnings: Warnings,
    pub(crate) process: Arc<Process>,
    /// Locks beyond transactions: GET_LOCK, LOCK TABLES.
    locks: LockSet,
    table_locks: locks::TableLocks,
    pub(crate) temporary: temporary::Temporary,
    /// While tables are locked for writing, others cannot read them unasked.
    reading_guard: Option<crate::catalog::Guard>,
    /// The text that is being looked up in the plan cache.
    shape: Shape,
    /// Statements by name, in lower case: PREPARE.
    prepared: BTreeMap<String, Arc<prepared::NamedStatement>>,
    pub(crate) counters: SessionCounters,
    /// The columns of views are being listed.
    listing_views: AtomicBool,
    /// What was too little known when a statement was planned.
    lacking: Lacking,
    /// About how many entries ranges have that the statement reads, as far as that took reading.
    counted: Vec<(SpaceId, KeyRange, u64)>,
}

impl Session {
    /// A session for a client that has logged in.
    pub(crate) fn new(
        server: Arc<Server>,
        login: Login,
        values: SessionValues,
        process: Arc<Process>,
        rights: Rights,
    ) -> Self {
        let id = login.connection_id;
        let settings = Arc::new(values.variables.expressions().clone());
        let mut values = values;
        values.set_access(&rights.access);
        Self {
            rights,
            parser: Parser::new(values.variables.parser_options()),
            locks: server.lock_set(id),
            server,
            id,
            login,
            values,
            settings,
            transaction: None,
            explicit: false,
            read_only: false,
            warnings: Warnings::default(),
            process,
            table_locks: locks::TableLocks::None,
            temporary: temporary::Temporary::default(),
            reading_guard: None,
            shape: Shape::default(),
            prepared: BTreeMap::new(),
            lacking: Lacking::default(),
            counted: Vec::new(),
            counters: SessionCounters::default(),
            listing_views: AtomicBool::new(false),
        }
    }

    /// The settings that a statement runs by are those that it finds.
    fn begin_settings(&mut self) {
        self.refresh_settings();
        self.values.begin_statement();
        self.counted.clear();
    }

    fn refresh_settings(&mut self) {
        if *self.settings != *self.values.variables.expressions() {
            self.settings = Arc::new(self.values.variables.expressions().clone());
        }
    }

    /// Counts one more, for SHOW STATUS.
    fn count(&mut self, counter: Counter) {
        self.counters.add(&self.server.counters, counter, 1);
    }

    /// Before a statement.
    fn begin_statement(&mut self, statement: &ast::Statement) {
        // What asks for the conditions of the statement before leaves them.
        let keeps = matches!(&statement.kind, StatementKind::Show(show) if matches!(
            **show,
            ast::Show::Warnings(_)
                | ast::Show::Errors(_)
                | ast::Show::CountWarnings
                | ast::Show::CountErrors
        ));
        self.begin_counted(counter_of(&statement.kind), keeps);
    }

    /// Before a statement that counts so, and may leave the conditions of the one before.
    fn begin_counted(&mut self, counter: Option<Counter>, keeps_conditions: bool) {
        self.count(Counter::Queries);
        self.count(Counter::Questions);
        if let Some(counter) = counter {
            self.count(counter);
        }
        self.begin_settings();
        self.values.variables.facts.warning_count = self.warnings.total();
        self.values.variables.facts.error_count = self.warnings.errors();
        if !keeps_conditions {
            self.warnings.clear();
        }
    }

    /// Behind a statement: an error becomes a condition, too.
    async fn end_statement(&mut self, outcome: Result<Outcome, Ended>) -> Result<Outcome, Ended> {
        match outcome {
            Err(Ended::Sql(error)) => {
                self.values.row_count = -1;
                self.warnings.push(Level::Error, error.clone());
                Err(Ended::Sql(error))
            }
            Ok(Outcome::Done(done)) => {
                self.values.row_count = done.affected.cast_signed();
                Ok(Outcome::Done(done))
            }
            other => other,
        }
    }

    /// The state of the session, as every answer tells it.
    fn status_flags(&self) -> StatusFlags {
        let mut flags = self.values.variables.status_flags();
        flags.set(StatusFlags::IN_TRANSACTION, self.in_transaction());
        flags.set(StatusFlags::IN_TRANSACTION_READONLY, self.in_transaction() && self.read_only);
        flags
    }

    /// The same while a statement has the transaction.
    fn status_flags_in(&self, unit: &transaction::Unit) -> StatusFlags {
        let mut flags = self.status_flags();
        flags.set(StatusFlags::IN_TRANSACTION, !unit.single);
        flags.set(StatusFlags::IN_TRANSACTION_READONLY, !unit.single && self.read_only);
        flags
    }

    /// What the process list shows.
    fn working(&self, command: &'static str, sql: Option<&[u8]>) {
        // Before anybody can see what there is to kill: planning may take a while, too.
        if sql.is_some() {
            self.process.interrupt.clear();
        }
        let mut now = self.process.now.lock();
        now.command = command;
        now.since = self.server.env.now();
        now.set_statement(sql.unwrap_or_default());
    }

    /// A text of the client in UTF-8, as the parser takes it.
    fn in_utf8<'t>(&self, text: &'t [u8]) -> Result<Cow<'t, [u8]>, SqlError> {
        let client = self.values.variables.hot().character_set_client;
        if client.is_read_directly() {
            return Ok(Cow::Borrowed(text));
        }
        let mut out = Vec::with_capacity(text.len());
        convert(text, client, Charset::utf8mb4(), &mut out)
            .map_err(|why| SqlError::not_supported_yet(&why.to_string()))?;
        Ok(Cow::Owned(out))
    }

    /// What strings of results are sent in.
    fn result_charset(&self) -> ResultCharset {
        let hot = self.values.variables.hot();
        let set = hot.character_set_results?;
        // The connection's collation stands for its own set, as clients know it.
        let connection = hot.collation_connection;
        let collation =
            if connection.charset() == set { connection } else { set.default_collation() };
        Some(CollationId(collation.id()))
    }

    fn connection_collation(&self) -> CollationId {
        CollationId(self.values.variables.hot().collation_connection.id())
    }

    /// The database that a client named when it logged in.
    pub(crate) async fn open_schema(&mut self, name: &str) -> Result<(), SqlError> {
        match self.use_schema(name).await {
            Ok(_) => Ok(()),
            Err(Ended::Sql(error)) => Err(error),
            Err(Ended::Connection(_)) => Err(SqlError::unknown_database(name)),
        }
    }

    /// USE
    pub(crate) async fn use_schema(&mut self, name: &str) -> Result<Outcome, Ended> {
        let catalog = self.server.catalog.snapshot();
        if crate::information_schema::schema(name) != Some("information_schema") {
            self.rights.access.check_use(name)?;
        }
        let Some(collation) = crate::information_schema::database_collation(&catalog, name) else {
            return Err(SqlError::unknown_database(name).into());
        };
        self.values.variables.set_database(Some((name, collation)));
        self.process.now.lock().database = Some(name.to_owned());
        let changes = vec![firn_mysql_protocol::result::StateChange::Schema(name.to_owned())];
        Ok(Done { changes, ..Done::default() }.into())
    }
}
