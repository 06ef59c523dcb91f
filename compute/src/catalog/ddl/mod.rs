//! Data definition: what a statement changes in the catalog.

mod database;
mod drop;
mod foreign_keys;
mod rename;
mod table;
mod view;

pub(super) use rename::rename;
pub(super) use table::like_table;
pub use table::plan_create_table_as;
pub use view::plan_create_view;

use firn_mysql_parser::ast::StatementKind;
use firn_mysql_semantics::error::{SqlError, Warnings, code};

use super::{CatalogChange, CatalogSnapshot, Facts};

/// Gives the ids of new tables. An id that was given is not given again, whether it
/// came to be used or not.
pub trait TableIds {
    /// A new id.
    ///
    /// # Errors
    /// When there are none left.
    fn next_table_id(&self) -> Result<u32, SqlError>;
}

/// What planning needs.
pub(super) struct Planner<'a> {
    pub(super) catalog: &'a CatalogSnapshot,
    pub(super) ids: &'a dyn TableIds,
    pub(super) facts: &'a Facts<'a>,
    pub(super) warnings: &'a mut Warnings,
    pub(super) change: CatalogChange,
}

/// The change that a statement of data definition asks for, against the catalog as it
/// is in `catalog`; `None` if the statement is of another kind. Nothing is changed yet,
/// and nothing is locked: the caller locks [`CatalogChange::names`], and plans again if
/// the catalog has another version by then.
///
/// CREATE TABLE … SELECT is planned without its query: see
/// [`plan_create_table_as`](super::plan_create_table_as).
///
/// # Errors
/// MySQL's.
pub fn plan_ddl(
    catalog: &CatalogSnapshot,
    ids: &dyn TableIds,
    statement: &StatementKind,
    facts: &Facts<'_>,
    warnings: &mut Warnings,
) -> Result<Option<CatalogChange>, SqlError> {
    let mut planner = Planner { catalog, ids, facts, warnings, change: CatalogChange::default() };
    match statement {
        StatementKind::CreateDatabase(create) => planner.create_database(create)?,
        StatementKind::AlterDatabase(alter) => planner.alter_database(alter)?,
        StatementKind::DropDatabase { if_exists, name } => {
            planner.drop_database(*if_exists, name.as_str())?;
        }
        StatementKind::CreateTable(create) if !create.temporary => planner.create_table(create)?,
        StatementKind::DropTable(drop) => planner.drop_tables(drop)?,
        StatementKind::DropView(drop) => planner.drop_views(drop)?,
        StatementKind::TruncateTable(name) => planner.truncate(name)?,
        StatementKind::RenameTable(pairs) => planner.rename_tables(pairs)?,
        _ => return Ok(None),
    }
    Ok(Some(planner.change))
}

impl Planner<'_> {
    /// Databases that no statement changes.
    ///
    /// Errors: 1044, 3552.
    pub(in crate::catalog) fn check_changeable(&self, schema: &str) -> Result<(), SqlError> {
        if ["information_schema", "performance_schema"]
            .iter()
            .any(|system| system.eq_ignore_ascii_case(schema))
        {
            let (user, host) = self.facts.account;
            return Err(SqlError::database_access_denied(user, host, schema));
        }
        if schema == "mysql" {
            return Err(SqlError::new(code::ER_NO_SYSTEM_SCHEMA_ACCESS, &[schema.into()]));
        }
        if self.catalog.schema(schema).is_some_and(|schema| schema.descriptor.read_only) {
            return Err(SqlError::new(code::ER_SCHEMA_READ_ONLY, &[schema.into()]));
        }
        Ok(())
    }
}
