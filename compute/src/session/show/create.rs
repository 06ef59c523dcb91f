//! SHOW CREATE.

use std::sync::atomic::Ordering;

use firn_mysql_parser::ast::{self, ShowCreate};
use firn_mysql_semantics::error::{SqlError, code};

use super::Shown;
use crate::bind::Tables as _;
use crate::catalog::{OpenTable, Relation, SchemaDescriptor, ViewDescriptor, show};
use crate::execute::{Reading, View, prepare_auto_increment};
use crate::information_schema::cell::text;
use crate::information_schema::{database_collation, schema, virtual_create};
use crate::session::Session;
use crate::session::create_view::{names_one_schema, without_schema};
use crate::session::tables::SessionTables;
use crate::txn::{IsolationLevel, LockWait, OwnerId};

impl Session {
    pub(super) async fn show_create(
        &mut self,
        what: ShowCreate,
        name: &ast::ObjectName,
    ) -> Result<Shown, SqlError> {
        let missing = |kind: &str| Err(SqlError::does_not_exist(kind, name.name.as_str()));
        match what {
            ShowCreate::Table => self.show_create_table(name, false).await,
            ShowCreate::View => self.show_create_table(name, true).await,
            ShowCreate::Procedure => missing("PROCEDURE"),
            ShowCreate::Function => missing("FUNCTION"),
            ShowCreate::Trigger => Err(SqlError::new(code::ER_TRG_DOES_NOT_EXIST, &[])),
            ShowCreate::Event => {
                let name = name.name.as_str().into();
                Err(SqlError::new(code::ER_EVENT_DOES_NOT_EXIST, &[name]))
            }
        }
    }

    async fn show_create_table(
        &mut self,
        name: &ast::ObjectName,
        only_view: bool,
    ) -> Result<Shown, SqlError> {
        let (database, table) = self.full_name(name)?;
        if schema(&database).is_some() {
            SessionTables::unchecked(self).table(name)?;
            if let Some((name, made)) = virtual_create(&database, &table) {
                return Ok(Shown::new("create table", vec![vec![text(name), text(made)]]));
            }
            return Err(SqlError::not_supported_yet("SHOW CREATE of tables that are not stored"));
        }
        let catalog = self.seen_catalog();
        match catalog.relation(&database, &table) {
            Some(Relation::View(view)) => Ok(self.create_view(view)),
            Some(Relation::Table(_)) if only_view => {
                let arguments = [database.as_str().into(), table.as_str().into(), "VIEW".into()];
                Err(SqlError::new(code::ER_WRONG_OBJECT, &arguments))
            }
            Some(Relation::Table(found)) => {
                let next = self.next_auto_increment(found).await?;
                let made = match self.temporary.open(found.descriptor.id) {
                    Some(_) => show::create_temporary_table(&found.descriptor, next),
                    None => show::create_table(&found.descriptor, next),
                };
                let row = vec![text(&found.descriptor.name), text(made)];
                Ok(Shown::new("create table", vec![row]))
            }
            None => {
                catalog.known_schema(&database)?;
                Err(SqlError::no_such_table(&database, &table))
            }
        }
    }

    /// The next value of AUTO_INCREMENT, read if nobody knows it yet.
    async fn next_auto_increment(&self, table: &OpenTable) -> Result<Option<u64>, SqlError> {
        let open = self.open_table(&table.descriptor)?;
        if open.auto_increment.is_none() {
            return Ok(None);
        }
        let owner = OwnerId(u64::from(self.id));
        let interrupt = self.process.interrupt.clone();
        let isolation = IsolationLevel::ReadCommitted;
        let mut transaction = self.server.transactions.begin(owner, isolation, interrupt);
        let mut view = View::new(&mut transaction, Reading::Snapshot, LockWait::NoWait);
        prepare_auto_increment(&mut view, &open).await?;
        Ok(Some(open.numbers.next_auto_increment.load(Ordering::Relaxed)))
    }

    fn create_view(&self, view: &ViewDescriptor) -> Shown {
        // Names of the current database are left out, if there are no others.
        let mut shown = view.clone();
        let current = self.values.variables.database() == Some(&*view.schema);
        let short = current && names_one_schema(&view.query, &view.schema);
        if short {
            shown.query = without_schema(&view.query, &view.schema);
        }
        let row = vec![
            text(&view.name),
            text(show::create_view(&shown)),
            text(&view.charset_client),
            text(&view.collation_connection),
        ];
        Shown::new("create view", vec![row])
    }

    pub(super) fn show_create_database(
        &self,
        if_not_exists: bool,
        name: &str,
    ) -> Result<Shown, SqlError> {
        let catalog = self.server.catalog.snapshot();
        let made = match (schema(name), database_collation(&catalog, name)) {
            (Some(name), Some(collation)) => SchemaDescriptor {
                name: name.to_owned(),
                collation: collation.id(),
                read_only: false,
            },
            _ => (*catalog.known_schema(name)?.descriptor).clone(),
        };
        let row = vec![text(&made.name), text(show::create_database(&made, if_not_exists))];
        Ok(Shown::new("create database", vec![row]))
    }
}
