//! Tables by name, as the session sees them.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use firn_mysql_parser::ast;
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::Result;

use super::Session;
use crate::accounts::{Access, AccountName, Command};
use crate::bind::{FoundTable, TableSource, Tables, Used, Uses, ViewChain};
use crate::catalog::{CatalogSnapshot, Relation};

/// The catalog at one moment, through a session's eyes.
pub(crate) struct SessionTables<'a> {
    session: &'a Session,
    catalog: Arc<CatalogSnapshot>,
    private: Cell<bool>,
    /// Rows are locked as if to be changed, by any query of the statement.
    locking: Cell<bool>,
    /// Whether the session may do what it wants of them is asked here.
    checked: bool,
    used: RefCell<Vec<Used>>,
    /// Those of views, with the rights of their definers.
    of_views: RefCell<Vec<UsedByView>>,
    /// The accounts among which definers of views were looked up, by version.
    directory: Cell<Option<u64>>,
}

/// A table that a view names.
struct UsedByView {
    access: Access,
    used: Used,
    /// Database and name of the view.
    view: (String, String),
}

impl<'a> SessionTables<'a> {
    /// Tables of a statement, noting what is wanted of them.
    pub(crate) fn new(session: &'a Session) -> Self {
        Self { checked: true, ..Self::unchecked(session) }
    }

    /// Tables for who has asked already whether the session may do this.
    pub(crate) fn unchecked(session: &'a Session) -> Self {
        Self {
            session,
            catalog: session.server.catalog.snapshot(),
            private: Cell::new(false),
            locking: Cell::new(false),
            checked: false,
            used: RefCell::default(),
            of_views: RefCell::default(),
            directory: Cell::new(None),
        }
    }

    /// Whether a table was found that others see otherwise, or not at all.
    pub(crate) fn are_private(&self) -> bool {
        self.private.get()
    }

    /// What the statement wants of the tables that were found, all of it allowed.
    ///
    /// # Errors
    /// As [`Uses::check`]; 1356 for what a view's definer may not do.
    pub(crate) fn allowed(&self) -> Result<Uses> {
        let uses = Uses::new(self.used.borrow().clone(), self.locking.get());
        let uses = uses.with_definers(self.directory.get());
        uses.check(self.session.access())?;
        for one in &*self.of_views.borrow() {
            let wanted: Vec<_> = one.used.table_use(false).into_iter().collect();
            one.access.check_uses(&wanted).map_err(|_| {
                let (schema, name) = &one.view;
                SqlError::new(code::ER_VIEW_INVALID, &[schema.into(), name.into()])
            })?;
        }
        Ok(uses)
    }

    fn find(&self, schema: &str, name: &str) -> Result<FoundTable> {
        if let Some(found) = crate::information_schema::table(self.session, schema, name)? {
            self.private.set(true);
            return Ok(found);
        }
        if let Some(Relation::View(view)) = self.catalog.relation(schema, name) {
            return Ok(FoundTable {
                schema: Arc::from(view.schema.as_str()),
                name: Arc::from(view.name.as_str()),
                columns: Arc::new([]),
                source: TableSource::View(Arc::clone(view)),
                used: Used::default(),
            });
        }
        let Some(table) = self.catalog.table(schema, name) else {
            if self.catalog.schema(schema).is_none() {
                return Err(SqlError::unknown_database(schema));
            }
            return Err(SqlError::no_such_table(schema, name));
        };
        let descriptor = &table.descriptor;
        let open = self.session.server.opened.get(descriptor)?;
        Ok(FoundTable {
            schema: Arc::from(descriptor.schema.as_str()),
            name: Arc::from(descriptor.name.as_str()),
            columns: Arc::clone(&open.columns),
            source: TableSource::Stored(open),
            used: Used::default(),
        })
    }

    /// A table of the session's own, with which it may do everything.
    fn temporary(&self, schema: &str, name: &str) -> Option<FoundTable> {
        let open = self.session.temporary.named(schema, name)?;
        self.private.set(true);
        let descriptor = open.descriptor();
        Some(FoundTable {
            schema: Arc::from(descriptor.schema.as_str()),
            name: Arc::from(descriptor.name.as_str()),
            columns: Arc::clone(&open.columns),
            source: TableSource::Stored(Arc::clone(open)),
            used: Used::default(),
        })
    }

    /// What a view's definer may do.
    ///
    /// Errors: 1449 if there is no such account any more.
    fn of_definer(&self, (user, host): &(String, String)) -> Result<Access> {
        let directory = self.session.server.accounts.directory();
        let name = AccountName::new(user, host);
        let Some(record) = directory.get(&name) else {
            let arguments = [user.into(), host.into()];
            return Err(SqlError::new(code::ER_NO_SUCH_USER, &arguments));
        };
        let version = directory.version();
        let first = self.directory.get().unwrap_or(version);
        // Of two versions the older one counts: it is no longer that of anybody.
        self.directory.set(Some(first.min(version)));
        Ok(Access::with_roles(&directory, name, &record.default_roles))
    }
}

impl Tables for SessionTables<'_> {
    fn rows_are_locked(&self) {
        self.locking.set(true);
    }

    fn table(&self, name: &ast::ObjectName) -> Result<FoundTable> {
        self.table_for(name, Command::READ, None)
    }

    fn table_for(
        &self,
        name: &ast::ObjectName,
        command: Command,
        view: Option<&ViewChain<'_>>,
    ) -> Result<FoundTable> {
        let schema = match &name.schema {
            Some(schema) => schema.as_str(),
            None => match self.session.values.variables.database() {
                Some(schema) => schema,
                // DUAL is no table.
                None => return Err(SqlError::new(code::ER_NO_DB_ERROR, &[])),
            },
        };
        let name = name.name.as_str();
        // Views name no table of one session alone.
        if view.is_none()
            && let Some(found) = self.temporary(schema, name)
        {
            return Ok(found);
        }
        if !self.checked {
            return self.find(schema, name);
        }
        let definer = view.and_then(|view| Some((view, view.definer?)));
        let definer = definer.map(|(view, name)| Ok((view, self.of_definer(name)?))).transpose()?;
        let access = definer.as_ref().map_or(self.session.access(), |(_, access)| access);
        // What may not be seen is not told to be missing, either.
        access.check_command(command, schema, name)?;
        let mut found = self.find(schema, name)?;
        if matches!(found.source, TableSource::View(_)) {
            // Which of its columns are used is not known: all of it must be allowed.
            let own = access.on_table(schema, name);
            let missing = command.all.without(own);
            if !missing.is_empty() && !own.has_any(command.or) {
                return Err(access.table_denied(missing, name));
            }
            // Who runs the statement later may be somebody else.
            let columns = Arc::clone(&found.columns);
            let used =
                Used::new(Arc::clone(&found.schema), Arc::clone(&found.name), columns, command);
            if missing.is_empty() {
                used.whole(command.all);
            } else {
                used.whole(command.or.and(own));
            }
            if definer.is_none() {
                self.used.borrow_mut().push(used);
            }
            return Ok(found);
        }
        let (schema, name) = (Arc::clone(&found.schema), Arc::clone(&found.name));
        found.used = Used::new(schema, name, Arc::clone(&found.columns), command);
        let used = found.used.clone();
        match definer {
            Some((view, access)) => {
                let view = (view.schema.to_owned(), view.name.to_owned());
                self.of_views.borrow_mut().push(UsedByView { access, used, view });
            }
            None => self.used.borrow_mut().push(used),
        }
        Ok(found)
    }
}
