//! What a statement wants of its tables and their columns, checked in one place.

use std::sync::Arc;

use firn_mysql_semantics::error::{SqlError, code};

use super::access::Access;
use super::account::TableGrant;
use super::privilege::Privileges;

type Result<T> = std::result::Result<T, SqlError>;

/// What is wanted of a table before anything is known of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Command {
    /// All of these, each on the table or on one of its columns.
    pub all: Privileges,
    /// Or one of these.
    pub or: Privileges,
}

impl Command {
    /// To read it.
    pub const READ: Command = Command::of(Privileges::SELECT);

    /// All of these.
    pub const fn of(all: Privileges) -> Command {
        Command { all, or: Privileges::NONE }
    }
}

/// What a statement does with one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableUse {
    /// Its database.
    pub schema: Arc<str>,
    /// Its name.
    pub table: Arc<str>,
    /// What is wanted of it.
    pub command: Command,
    /// What is wanted of the table itself.
    pub whole: Privileges,
    /// Those that are wanted of all of its columns, as `*` does.
    pub every_column: Privileges,
    /// What is wanted of columns, names in lower case.
    pub columns: Vec<(Box<str>, Privileges)>,
    /// Its rows are locked as if they were to be changed.
    pub locking: bool,
}

impl Access {
    /// Whether a bound statement may do what it does. What is allowed stays so as long as
    /// [`Access::version`] is the same.
    ///
    /// # Errors
    ///
    /// 1044, 1142, 1143.
    pub fn check_uses(&self, uses: &[TableUse]) -> Result<()> {
        if self.may_all() {
            return Ok(());
        }
        uses.iter().try_for_each(|one| self.check_use_of(one))
    }

    /// Whether a statement may begin with a table, which need not be there.
    ///
    /// # Errors
    ///
    /// 1142; 1044 for tables of `information_schema`.
    pub fn check_command(&self, command: Command, schema: &str, table: &str) -> Result<()> {
        if self.may_all() {
            return Ok(());
        }
        if let Some(always) = always(schema) {
            let allowed = always.has(command.all) || always.has_any(command.or);
            return if allowed { Ok(()) } else { Err(self.database_denied(schema)) };
        }
        let columns = self.table(schema, table).map_or(Privileges::NONE, TableGrant::anywhere);
        let own = self.on_table(schema, table).with(columns);
        let missing = command.all.without(own);
        if missing.is_empty() || own.has_any(command.or) {
            return Ok(());
        }
        Err(self.table_denied(missing, table))
    }

    fn check_use_of(&self, one: &TableUse) -> Result<()> {
        self.check_command(one.command, &one.schema, &one.table)?;
        if always(&one.schema).is_some() {
            return Ok(());
        }
        let own = self.on_table(&one.schema, &one.table);
        let grant = self.table(&one.schema, &one.table);
        let of_columns = grant.map_or(Privileges::NONE, TableGrant::anywhere);
        let locking = Privileges::UPDATE.with(Privileges::DELETE).with(Privileges::LOCK_TABLES);
        if one.locking && !own.with(of_columns).has_any(locking) {
            return Err(self.table_denied_to("SELECT with locking clause", &one.table));
        }
        let missing = one.whole.without(own);
        if !missing.is_empty() {
            return Err(self.table_denied(missing, &one.table));
        }
        for (column, need) in &one.columns {
            let granted = grant.and_then(|grant| grant.columns.get(&**column));
            let missing = need.without(own).without(granted.copied().unwrap_or_default());
            let Some((first, _)) = missing.each().next() else { continue };
            // Of all columns it is the table that is denied.
            return Err(if one.every_column.has(first) {
                self.table_denied(first, &one.table)
            } else {
                self.column_denied(first, column, &one.table)
            });
        }
        Ok(())
    }

    fn column_denied(&self, missing: Privileges, column: &str, table: &str) -> SqlError {
        let missing = missing.names().collect::<Vec<_>>().join(", ");
        let args = [
            (&missing).into(),
            self.account().user.as_str().into(),
            self.host().into(),
            column.into(),
            table.into(),
        ];
        SqlError::new(code::ER_COLUMNACCESS_DENIED_ERROR, &args)
    }
}

/// What everybody may do with a database that is not stored.
fn always(schema: &str) -> Option<Privileges> {
    let open = ["information_schema", "performance_schema"];
    open.iter().any(|name| name.eq_ignore_ascii_case(schema)).then_some(Privileges::SELECT)
}
