//! SHOW and DESCRIBE.
//!
//! Every SHOW is rows of columns that [`definition::show`] knows. WHERE is bound against
//! those columns like that of any SELECT; LIKE looks at the first of them.
//!
//! * [`run`]: sends such rows. [`create`]: SHOW CREATE. [`schema`]: databases and tables.
//! * [`columns`]: columns and indexes of one table. [`server`]: the server itself.
//! * [`session`]: what a session knows of itself.

mod columns;
mod create;
mod run;
mod schema;
mod server;
mod session;

use firn_mysql_parser::ast::{self, Show, ShowFilter};
use firn_mysql_protocol::result::Response;
use firn_mysql_semantics::error::{SqlError, code};

pub(crate) use run::Shown;

use super::Session;
use super::run::Arguments;
use super::statement::{Ended, Outcome};
use crate::information_schema::{Facts, database_collation};

impl Session {
    /// SHOW
    pub(crate) async fn show(
        &mut self,
        sql: &[u8],
        show: &Show,
        arguments: &Arguments,
        response: &mut Response<'_>,
    ) -> Result<Outcome, Ended> {
        let (shown, filter) = self.shown(show).await?;
        self.send_shown(sql, shown, filter, arguments, response).await
    }

    /// The rows of a SHOW, and what chooses among them.
    async fn shown<'s>(&mut self, show: &'s Show) -> Result<(Shown, Filter<'s>), SqlError> {
        let facts = Facts::new(self);
        let (shown, filter) = match show {
            Show::Databases(filter) => (schema::databases(&facts, filter), filter),
            Show::Tables { extended: _, full, schema, filter } => {
                (schema::tables(&facts, *full, self.schema_of(schema.as_ref())?, filter), filter)
            }
            Show::TableStatus { schema, filter } => {
                (schema::table_status(&facts, self.schema_of(schema.as_ref())?), filter)
            }
            // Tables are not opened one by one, so that none is ever listed.
            Show::OpenTables { schema, filter } => {
                if let Some(schema) = schema {
                    self.known_schema(schema.as_str())?;
                }
                (Shown::empty("open tables"), filter)
            }
            Show::Triggers { full: _, schema, filter } => {
                self.schema_of(schema.as_ref())?;
                (Shown::empty("triggers"), filter)
            }
            Show::Events { schema, filter } => {
                if schema.is_none() {
                    self.schema_of(None)?;
                }
                (Shown::empty("events"), filter)
            }
            Show::Columns { extended: _, full, table, filter } => {
                (self.table_columns(&facts, table, *full)?, filter)
            }
            Show::Index { extended: _, table, filter } => {
                let shown = self.table_indexes(table)?;
                return Ok((shown, filter.as_ref().map_or(Filter::None, Filter::Where)));
            }
            Show::Variables { scope, filter } => (self.show_variables(*scope), filter),
            Show::Status { scope, filter } => (self.show_status(*scope), filter),
            Show::CharacterSet(filter) => (server::character_sets(&facts), filter),
            Show::Collation(filter) => (server::collations(&facts), filter),
            Show::RoutineStatus(_, filter) => (Shown::empty("procedure status"), filter),
            other => return Ok((self.shown_whole(&facts, other).await?, Filter::None)),
        };
        let filter = match filter {
            ShowFilter::None => Filter::None,
            ShowFilter::Like(pattern) => Filter::Like(pattern),
            ShowFilter::Where(expr) => Filter::Where(expr),
        };
        Ok((shown, filter))
    }

    /// Those that nothing chooses among.
    async fn shown_whole(&mut self, facts: &Facts, show: &Show) -> Result<Shown, SqlError> {
        match show {
            Show::Create(what, name) => self.show_create(*what, name).await,
            Show::CreateDatabase { if_not_exists, name } => {
                self.show_create_database(*if_not_exists, name.as_str())
            }
            Show::Grants { user, using } => self.show_grants(user.as_ref(), using),
            Show::CreateUser(user) => self.show_create_user(user),
            Show::Privileges => Ok(server::privileges()),
            Show::ProcessList { full } => Ok(server::process_list(facts, *full)),
            Show::Engines => Ok(server::engines(facts)),
            Show::Engine { name, what } => server::engine(facts, name.as_ref(), *what),
            Show::Plugins => Ok(server::plugins(facts)),
            Show::Warnings(limit) => self.conditions(limit.as_ref(), true),
            Show::Errors(limit) => self.conditions(limit.as_ref(), false),
            Show::CountWarnings => Ok(self.count_conditions(true)),
            Show::CountErrors => Ok(self.count_conditions(false)),
            Show::Profiles => {
                let arguments = ["SHOW PROFILES".into(), "Performance Schema".into()];
                self.warnings.warn(SqlError::new(code::ER_WARN_DEPRECATED_SYNTAX, &arguments));
                Ok(Shown::empty("profiles"))
            }
            Show::BinaryLogs => Err(SqlError::new(code::ER_NO_BINARY_LOGGING, &[])),
            // There is no binary log: its status has no row, as MySQL has it without one.
            Show::BinaryLogStatus => Ok(Shown::empty("binary log status")),
            Show::Replicas => Ok(Shown::empty("replicas")),
            Show::ReplicaStatus(_) => Ok(Shown::empty("replica status")),
            Show::RoutineCode(..) => {
                let arguments = ["SHOW PROCEDURE|FUNCTION CODE".into(), "--with-debug".into()];
                Err(SqlError::new(code::ER_FEATURE_DISABLED, &arguments))
            }
            Show::Profile { .. } => Err(SqlError::not_supported_yet("SHOW PROFILE")),
            _ => Err(SqlError::not_supported_yet("this SHOW")),
        }
    }

    /// The database that a SHOW is about: the one it names, else the current one.
    fn schema_of(&self, name: Option<&ast::Ident>) -> Result<String, SqlError> {
        let name = match name {
            Some(name) => name.as_str(),
            None => match self.values.variables.database() {
                Some(name) => name,
                None => return Err(SqlError::new(code::ER_NO_DB_ERROR, &[])),
            },
        };
        self.known_schema(name)?;
        Ok(name.to_owned())
    }

    pub(super) fn known_schema(&self, name: &str) -> Result<(), SqlError> {
        let catalog = self.server.catalog.snapshot();
        match database_collation(&catalog, name) {
            Some(_) if crate::information_schema::schema(name) == Some("information_schema") => {
                Ok(())
            }
            Some(_) => self.access().check_use(name),
            None => Err(SqlError::unknown_database(name)),
        }
    }

    /// The database and the name of a table.
    pub(super) fn full_name(&self, name: &ast::ObjectName) -> Result<(String, String), SqlError> {
        let schema = match (&name.schema, self.values.variables.database()) {
            (Some(schema), _) => schema.as_str().to_owned(),
            (None, Some(schema)) => schema.to_owned(),
            (None, None) => return Err(SqlError::new(code::ER_NO_DB_ERROR, &[])),
        };
        Ok((schema, name.name.as_str().to_owned()))
    }

    /// DESCRIBE
    pub(crate) async fn describe(
        &mut self,
        sql: &[u8],
        describe: &ast::Describe,
        response: &mut Response<'_>,
    ) -> Result<Outcome, Ended> {
        self.may_describe(&describe.table)?;
        let facts = Facts::new(self);
        let shown = self.table_columns(&facts, &describe.table, false)?;
        let filter = describe.columns.as_ref().map_or(Filter::None, Filter::Like);
        self.send_shown(sql, shown, filter, &Arguments::default(), response).await
    }
}

/// What chooses among the rows of a SHOW.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Filter<'a> {
    None,
    Like(&'a ast::Text),
    Where(&'a ast::Expr),
}
