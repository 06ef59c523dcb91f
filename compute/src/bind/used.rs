//! What a statement wants of a table, noted while its names are bound.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use firn_mysql_semantics::expr::Result;
use parking_lot::Mutex;

use super::ScopeColumn;
use crate::accounts::{Access, Command, Privileges, TableUse};

/// Notes on one table of a statement. Copies are the same notes; those of a default take
/// none.
#[derive(Debug, Clone, Default)]
pub(crate) struct Used(Option<Arc<Notes>>);

#[derive(Debug)]
struct Notes {
    schema: Arc<str>,
    table: Arc<str>,
    command: Command,
    columns: Arc<[ScopeColumn]>,
    needs: Mutex<Needs>,
}

#[derive(Debug, Default)]
struct Needs {
    whole: Privileges,
    every_column: Privileges,
    columns: BTreeMap<usize, Privileges>,
}

impl Used {
    /// Notes on a table.
    pub(crate) fn new(
        schema: Arc<str>,
        table: Arc<str>,
        columns: Arc<[ScopeColumn]>,
        command: Command,
    ) -> Self {
        let needs = Mutex::default();
        Self(Some(Arc::new(Notes { schema, table, command, columns, needs })))
    }

    /// A column, by its place, is wanted for this.
    pub(crate) fn column(&self, at: usize, need: Privileges) {
        if let Some(notes) = &self.0 {
            let mut needs = notes.needs.lock();
            let one = needs.columns.entry(at).or_default();
            *one = one.with(need);
        }
    }

    /// The table itself is wanted for this.
    pub(crate) fn whole(&self, need: Privileges) {
        if let Some(notes) = &self.0 {
            let mut needs = notes.needs.lock();
            needs.whole = needs.whole.with(need);
        }
    }

    /// All columns are wanted for this.
    pub(crate) fn every_column(&self, need: Privileges) {
        if let Some(notes) = &self.0 {
            let mut needs = notes.needs.lock();
            needs.every_column = needs.every_column.with(need);
        }
    }

    /// All that was noted.
    pub(crate) fn table_use(&self, locking: bool) -> Option<TableUse> {
        let notes = self.0.as_ref()?;
        let needs = notes.needs.lock();
        let mut columns = needs.columns.clone();
        if !needs.every_column.is_empty() {
            let all = notes.columns.iter().enumerate();
            for (at, _) in all.filter(|(_, column)| column.named && column.starred) {
                let one = columns.entry(at).or_default();
                *one = one.with(needs.every_column);
            }
        }
        let columns = columns.into_iter().filter_map(|(at, need)| {
            let column = notes.columns.get(at)?;
            Some((column.name.to_lowercase().into_boxed_str(), need))
        });
        Some(TableUse {
            schema: Arc::clone(&notes.schema),
            table: Arc::clone(&notes.table),
            command: notes.command,
            whole: needs.whole,
            every_column: needs.every_column,
            columns: columns.collect(),
            locking,
        })
    }
}

/// What a statement wants of all of its tables.
#[derive(Debug, Default)]
pub(crate) struct Uses {
    tables: Vec<Used>,
    locking: bool,
    /// The [`Access::version`] that was allowed last.
    allowed: AtomicU64,
    /// The accounts by which definers of views were looked at, if there are such.
    definers: Option<u64>,
}

impl Uses {
    /// Those of some tables; `locking` if their rows are locked as if to be changed.
    pub(crate) fn new(tables: Vec<Used>, locking: bool) -> Self {
        Self { tables, locking, allowed: AtomicU64::new(0), definers: None }
    }

    /// The same over views whose definers have these rights: those of a
    /// [`Directory::version`](crate::accounts::Directory::version).
    pub(crate) fn with_definers(mut self, directory: Option<u64>) -> Self {
        self.definers = directory;
        self
    }

    /// Whether definers of views can still do what they could when the statement was
    /// bound: no account has changed since.
    pub(crate) fn is_current(&self, access: &Access) -> bool {
        self.definers.is_none_or(|version| version == access.directory_version())
    }

    /// Whether somebody may do all of it. Who may stays known until somebody else asks, or
    /// privileges change.
    ///
    /// # Errors
    /// As [`Access::check_uses`].
    pub(crate) fn check(&self, access: &Access) -> Result<()> {
        if access.may_all() {
            return Ok(());
        }
        if self.allowed.load(Ordering::Relaxed) == access.version() {
            return Ok(());
        }
        let uses = self.tables.iter().filter_map(|one| one.table_use(self.locking));
        access.check_uses(&uses.collect::<Vec<_>>())?;
        self.allowed.store(access.version(), Ordering::Relaxed);
        Ok(())
    }
}
