//! Tables by name, as the session sees them.

use std::cell::Cell;
use std::sync::Arc;

use firn_mysql_parser::ast;
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::Result;

use super::Session;
use crate::bind::{FoundTable, TableSource, Tables};
use crate::catalog::{CatalogSnapshot, Relation};

/// The catalog at one moment, through a session's eyes.
pub(crate) struct SessionTables<'a> {
    session: &'a Session,
    catalog: Arc<CatalogSnapshot>,
    private: Cell<bool>,
}

impl<'a> SessionTables<'a> {
    pub(crate) fn new(session: &'a Session) -> Self {
        let catalog = session.server.catalog.snapshot();
        Self { session, catalog, private: Cell::new(false) }
    }

    /// Whether a table was found that others see otherwise, or not at all.
    pub(crate) fn are_private(&self) -> bool {
        self.private.get()
    }
}

impl Tables for SessionTables<'_> {
    fn table(&self, name: &ast::ObjectName) -> Result<FoundTable> {
        let schema = match &name.schema {
            Some(schema) => schema.as_str(),
            None => match self.session.values.variables.database() {
                Some(schema) => schema,
                // DUAL is no table.
                None => return Err(SqlError::new(code::ER_NO_DB_ERROR, &[])),
            },
        };
        if let Some(found) =
            crate::information_schema::table(self.session, schema, name.name.as_str())?
        {
            self.private.set(true);
            return Ok(found);
        }
        if let Some(open) = self.session.temporary.named(schema, name.name.as_str()) {
            self.private.set(true);
            let descriptor = open.descriptor();
            return Ok(FoundTable {
                schema: Arc::from(descriptor.schema.as_str()),
                name: Arc::from(descriptor.name.as_str()),
                columns: Arc::clone(&open.columns),
                source: TableSource::Stored(Arc::clone(open)),
            });
        }
        if let Some(Relation::View(view)) = self.catalog.relation(schema, name.name.as_str()) {
            return Ok(FoundTable {
                schema: Arc::from(view.schema.as_str()),
                name: Arc::from(view.name.as_str()),
                columns: Arc::new([]),
                source: TableSource::View(Arc::clone(view)),
            });
        }
        let Some(table) = self.catalog.table(schema, name.name.as_str()) else {
            if self.catalog.schema(schema).is_none() {
                return Err(SqlError::unknown_database(schema));
            }
            return Err(SqlError::no_such_table(schema, name.name.as_str()));
        };
        let descriptor = &table.descriptor;
        let open = self.session.server.opened.get(descriptor)?;
        Ok(FoundTable {
            schema: Arc::from(descriptor.schema.as_str()),
            name: Arc::from(descriptor.name.as_str()),
            columns: Arc::clone(&open.columns),
            source: TableSource::Stored(open),
        })
    }
}
