//! Databases that are not stored: `information_schema`, `performance_schema`, and of
//! `mysql` the tables with the accounts.
//!
//! * [`definition`]: their columns, as a live server has them.
//! * [`facts`]: what rows are made of. [`cell`]: values of their columns.
//! * The others: rows, by what they are about.

mod accounts;
pub(crate) mod cell;
pub(crate) mod columns;
mod constraints;
pub(crate) mod definition;
mod facts;
pub(crate) mod indexes;
mod mysql;
pub(crate) mod schemata;
pub(crate) mod server;
pub(crate) mod tables;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use firn_mysql_semantics::Value;
use firn_mysql_semantics::collation::Collation;
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::Result;

pub(crate) use facts::{Facts, ViewColumn};

use crate::bind::{FoundTable, TableSource, Used, VirtualTable};
use crate::catalog::CatalogSnapshot;
use crate::session::Session;
use definition::TableDefinition;

/// Names of the databases that are not stored.
pub(crate) const SCHEMAS: [&str; 3] = ["information_schema", "mysql", "performance_schema"];

/// The database of this name, if it is not stored.
pub(crate) fn schema(name: &str) -> Option<&'static str> {
    SCHEMAS.into_iter().find(|schema| schema.eq_ignore_ascii_case(name))
}

/// Whether everybody may read a database that is not stored.
pub(crate) fn is_open(name: &str) -> bool {
    schema(name).is_some_and(|schema| schema != "mysql")
}

/// The collation of a database, stored or not; `None` if there is no such one.
pub(crate) fn database_collation(
    catalog: &CatalogSnapshot,
    name: &str,
) -> Option<&'static Collation> {
    match schema(name) {
        Some("information_schema") => return Collation::by_name("utf8mb3_general_ci"),
        Some(_) => return Some(Collation::default_unicode()),
        None => {}
    }
    let schema = catalog.schema(name)?;
    Collation::by_id(schema.descriptor.collation)
}

/// What makes the rows of a table.
type Provider = fn(&Facts) -> Vec<Vec<Value>>;

/// Tables that have rows here. All others of [`definition`] are empty, since Firn has
/// nothing of what they list.
const PROVIDERS: &[(&str, Provider)] = &[
    ("ADMINISTRABLE_ROLE_AUTHORIZATIONS", accounts::administrable),
    ("APPLICABLE_ROLES", accounts::applicable),
    ("CHARACTER_SETS", server::character_sets),
    ("CHECK_CONSTRAINTS", constraints::checks),
    ("COLLATIONS", server::collations),
    ("COLLATION_CHARACTER_SET_APPLICABILITY", server::applicability),
    ("COLUMNS", columns::rows),
    ("COLUMN_PRIVILEGES", accounts::of_columns),
    ("COLUMN_STATISTICS", indexes::histograms),
    ("ENABLED_ROLES", accounts::enabled),
    ("ENGINES", server::engines),
    ("KEYWORDS", server::keywords),
    ("KEY_COLUMN_USAGE", constraints::key_columns),
    ("PARTITIONS", tables::partitions),
    ("PLUGINS", server::plugins),
    ("PROCESSLIST", server::processes),
    ("REFERENTIAL_CONSTRAINTS", constraints::references),
    ("SCHEMATA", schemata::rows),
    ("SCHEMA_PRIVILEGES", accounts::of_schemas),
    ("STATISTICS", indexes::rows),
    ("TABLES", tables::rows),
    ("TABLE_CONSTRAINTS", constraints::rows),
    ("TABLE_PRIVILEGES", accounts::of_tables),
    ("USER_ATTRIBUTES", accounts::attributes),
    ("USER_PRIVILEGES", accounts::of_users),
    ("VIEWS", tables::views),
    ("columns_priv", mysql::columns),
    ("db", mysql::databases),
    ("default_roles", mysql::default_roles),
    ("global_grants", mysql::dynamic),
    ("procs_priv", mysql::routines),
    ("proxies_priv", mysql::proxies),
    ("role_edges", mysql::role_edges),
    ("tables_priv", mysql::tables),
    ("user", mysql::users),
    ("events_stages_current", server::stages),
    ("global_status", server::global_status),
    ("global_variables", server::global_variables),
    ("session_status", server::session_status),
    ("session_variables", server::session_variables),
];

/// Tables whose values come as their columns have them.
const FITTED: &[&str] = &["COLUMN_STATISTICS"];

/// Tables that would have rows in MySQL, and not here: asking for them is an error
/// rather than an empty answer.
const MISSING: &[&str] = &[
    "COLUMNS_EXTENSIONS",
    "OPTIMIZER_TRACE",
    "RESOURCE_GROUPS",
    "ROLE_COLUMN_GRANTS",
    "ROLE_TABLE_GRANTS",
    "SCHEMATA_EXTENSIONS",
    "ST_SPATIAL_REFERENCE_SYSTEMS",
    "ST_UNITS_OF_MEASURE",
    "TABLESPACES_EXTENSIONS",
    "TABLES_EXTENSIONS",
    "TABLE_CONSTRAINTS_EXTENSIONS",
    "VIEW_TABLE_USAGE",
];

/// Rows that are made when they are asked for.
struct Made {
    definition: &'static TableDefinition,
    facts: Facts,
    provider: Option<Provider>,
}

impl VirtualTable for Made {
    fn rows(&self) -> Result<Vec<Vec<Value>>> {
        let Some(provider) = self.provider else { return Ok(Vec::new()) };
        if FITTED.contains(&self.definition.name) {
            return Ok(provider(&self.facts));
        }
        let fit = |row: Vec<Value>| {
            let cells = row.into_iter().zip(&self.definition.columns);
            cells.map(|(value, column)| column.fit(value)).collect()
        };
        Ok(provider(&self.facts).into_iter().map(fit).collect())
    }
}

/// Name and SHOW CREATE TABLE of a table that is not stored, if it has one.
pub(crate) fn virtual_create(schema: &str, name: &str) -> Option<(&'static str, &'static str)> {
    let found = definition::table(schema, name)?;
    Some((found.name, found.create.as_deref()?))
}

/// A table of a database that is not stored; `None` if the database is.
///
/// # Errors
/// 1109 if there is no such table, 1146 in `performance_schema`.
pub(crate) fn table(session: &Session, schema: &str, name: &str) -> Result<Option<FoundTable>> {
    let Some(schema) = self::schema(schema) else { return Ok(None) };
    let Some(definition) = definition::table(schema, name) else {
        if schema == "information_schema" {
            let name = name.to_ascii_uppercase();
            let arguments = [name.as_str().into(), schema.into()];
            return Err(SqlError::new(code::ER_UNKNOWN_TABLE, &arguments));
        }
        return Err(SqlError::no_such_table(schema, name));
    };
    if MISSING.contains(&definition.name) {
        let what = format!("{schema}.{}", definition.name);
        return Err(SqlError::not_supported_yet(&what));
    }
    let known = PROVIDERS.iter().find(|(name, _)| *name == definition.name);
    let made = Made {
        definition,
        facts: match schema {
            "performance_schema" => Facts::with_variables(session),
            _ if definition.name == "COLUMNS" => Facts::with_views(session),
            _ => Facts::new(session),
        },
        provider: known.map(|(_, provider)| *provider),
    };
    Ok(Some(FoundTable {
        schema: Arc::from(schema),
        name: Arc::from(definition.name),
        columns: Arc::clone(&definition.scope),
        source: TableSource::Virtual(Arc::new(made)),
        used: Used::default(),
    }))
}
