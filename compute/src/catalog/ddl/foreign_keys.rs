//! Foreign keys between tables.

use firn_mysql_semantics::error::{Arg, SqlError, code};
use firn_table::descriptor::TableDescriptor;

use super::Planner;
use crate::catalog::define::check_parent;

impl Planner<'_> {
    /// The foreign keys of a new or changed table against the tables they refer to.
    ///
    /// Errors: 1824, 3734, 3780, 6125.
    pub(in crate::catalog) fn check_parents(
        &self,
        child: &TableDescriptor,
    ) -> Result<(), SqlError> {
        for key in &child.foreign_keys {
            let itself = key.parent_schema == child.schema && key.parent_table == child.name;
            if itself {
                check_parent(child, key, child)?;
                continue;
            }
            match self.catalog.table(&key.parent_schema, &key.parent_table) {
                Some(parent) => check_parent(child, key, &parent.descriptor)?,
                // It may come later.
                None if !self.facts.foreign_key_checks => {}
                None => {
                    return Err(SqlError::new(
                        code::ER_FK_CANNOT_OPEN_PARENT,
                        &[(&key.parent_table).into()],
                    ));
                }
            }
        }
        Ok(())
    }

    /// Foreign keys that waited for a table of this name, against it.
    ///
    /// Errors: 1215.
    pub(super) fn check_children(&self, parent: &TableDescriptor) -> Result<(), SqlError> {
        for (child, key) in self.catalog.referring(&parent.schema, &parent.name) {
            if check_parent(&child.descriptor, key, parent).is_err() {
                return Err(SqlError::new(code::ER_CANNOT_ADD_FOREIGN, &[]));
            }
        }
        Ok(())
    }

    /// Tables that go away together may not be referred to from elsewhere.
    ///
    /// Errors: 3730.
    pub(super) fn check_not_referred_to(&self, going: &[&TableDescriptor]) -> Result<(), SqlError> {
        if !self.facts.foreign_key_checks {
            return Ok(());
        }
        for table in going {
            for (child, key) in self.catalog.referring(&table.schema, &table.name) {
                if going.iter().any(|other| other.id == child.descriptor.id) {
                    continue;
                }
                let args =
                    [Arg::Str(&table.name), Arg::Str(&key.name), Arg::Str(&child.descriptor.name)];
                return Err(SqlError::new(code::ER_FK_CANNOT_DROP_PARENT, &args));
            }
        }
        Ok(())
    }
}
