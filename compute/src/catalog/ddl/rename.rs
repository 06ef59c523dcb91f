//! RENAME TABLE.

use std::collections::BTreeMap;
use std::sync::Arc;

use firn_mysql_parser::ast::ObjectName;
use firn_mysql_semantics::error::{SqlError, code};
use firn_table::descriptor::TableDescriptor;

use super::Planner;
use crate::catalog::define::TakenNames;
use crate::catalog::snapshot::{Relation, SchemaNames};
use crate::catalog::{CatalogSnapshot, TableName};

impl Planner<'_> {
    /// From left to right, each on what those before have made.
    pub(super) fn rename_tables(
        &mut self,
        pairs: &[(ObjectName, ObjectName)],
    ) -> Result<(), SqlError> {
        let mut after = self.catalog.clone();
        for (from, to) in pairs {
            let from = TableName::resolve(from, self.facts)?;
            let to = TableName::resolve(to, self.facts)?;
            self.check_changeable(&from.schema)?;
            self.check_changeable(&to.schema)?;
            rename(&mut after, &from, &to)?;
        }
        // Only the first and the last state of each table count.
        let mut was = BTreeMap::new();
        for table in self.catalog.tables() {
            was.insert(table.descriptor.id, &table.descriptor);
        }
        for table in after.tables() {
            let now = &table.descriptor;
            if let Some(was) = was.get(&now.id)
                && !Arc::ptr_eq(was, now)
            {
                self.change.change_table(was, (**now).clone());
            }
        }
        Ok(())
    }
}

/// Renames in a copy of the catalog: the table, its constraints with names made from
/// its own, and the references of others to it.
pub(in crate::catalog) fn rename(
    catalog: &mut CatalogSnapshot,
    from: &TableName,
    to: &TableName,
) -> Result<(), SqlError> {
    let table = match catalog.relation(&from.schema, &from.name) {
        Some(Relation::Table(table)) => Arc::clone(&table.descriptor),
        Some(Relation::View(_)) => {
            return Err(SqlError::not_supported_yet("RENAME TABLE of a view"));
        }
        None => {
            catalog.known_schema(&from.schema)?;
            return Err(SqlError::no_such_table(&from.schema, &from.name));
        }
    };
    catalog.known_schema(&to.schema)?;
    if catalog.relation(&to.schema, &to.name).is_some() {
        return Err(SqlError::table_exists(&to.name));
    }
    let mut renamed = (*table).clone();
    renamed.schema = to.schema.to_string();
    renamed.name = to.name.to_string();
    rename_constraints(&mut renamed, &from.name);
    for key in &mut renamed.foreign_keys {
        if *key.parent_schema == *from.schema && *key.parent_table == *from.name {
            key.parent_schema = to.schema.to_string();
            key.parent_table = to.name.to_string();
        }
    }
    let names =
        SchemaNames { schema: catalog.schema(&to.schema).map(|s| &**s), except: &from.name };
    for check in &renamed.checks {
        if names.has_check(&check.name) {
            return Err(SqlError::new(code::ER_CHECK_CONSTRAINT_DUP_NAME, &[(&check.name).into()]));
        }
    }
    for key in &renamed.foreign_keys {
        if names.has_foreign_key(&key.name) {
            return Err(SqlError::new(code::ER_FK_DUP_NAME, &[(&key.name).into()]));
        }
    }
    let children: Vec<_> = catalog
        .referring(&from.schema, &from.name)
        .filter(|(child, _)| child.descriptor.id != table.id)
        .map(|(child, _)| Arc::clone(&child.descriptor))
        .collect();
    catalog.remove(&from.schema, &from.name);
    catalog.put_table(Arc::new(renamed));
    for child in children {
        let mut child = (*child).clone();
        for key in &mut child.foreign_keys {
            if *key.parent_schema == *from.schema && *key.parent_table == *from.name {
                key.parent_schema = to.schema.to_string();
                key.parent_table = to.name.to_string();
            }
        }
        catalog.put_table(Arc::new(child));
    }
    Ok(())
}

/// `t_chk_1` and `t_ibfk_1` follow the table's name.
fn rename_constraints(table: &mut TableDescriptor, from: &str) {
    let to = table.name.clone();
    let follow = |name: &mut String, kind: &str| {
        let prefix = format!("{from}{kind}");
        let number = name.strip_prefix(&prefix).filter(|rest| rest.parse::<u64>().is_ok());
        if let Some(number) = number {
            *name = format!("{to}{kind}{number}");
        }
    };
    for check in &mut table.checks {
        follow(&mut check.name, "_chk_");
    }
    for key in &mut table.foreign_keys {
        follow(&mut key.name, "_ibfk_");
    }
}
