//! DROP TABLE and TRUNCATE.

use firn_mysql_parser::ast::{DropTable, ObjectName};
use firn_mysql_semantics::error::{SqlError, code};

use super::Planner;
use crate::catalog::TableName;
use crate::catalog::snapshot::Relation;

impl Planner<'_> {
    pub(super) fn drop_tables(&mut self, drop: &DropTable) -> Result<(), SqlError> {
        let mut unknown = Vec::new();
        let mut going = Vec::new();
        let mut names = Vec::new();
        for name in &drop.tables {
            let name = TableName::resolve(name, self.facts)?;
            if names.contains(&name) {
                return Err(SqlError::new(code::ER_NONUNIQ_TABLE, &[(&*name.name).into()]));
            }
            self.check_changeable(&name.schema)?;
            match self.catalog.relation(&name.schema, &name.name) {
                Some(Relation::Table(table)) if !drop.temporary => {
                    going.push(std::sync::Arc::clone(&table.descriptor));
                }
                _ => unknown.push(name.to_string()),
            }
            names.push(name);
        }
        if !unknown.is_empty() && !drop.if_exists {
            return Err(SqlError::bad_table(&unknown.join(",")));
        }
        for name in unknown {
            self.warnings.note(SqlError::bad_table(&name));
        }
        let tables: Vec<_> = going.iter().map(|table| &**table).collect();
        self.check_not_referred_to(&tables)?;
        for table in &going {
            self.change.drop_table(table);
        }
        Ok(())
    }

    pub(super) fn truncate(&mut self, name: &ObjectName) -> Result<(), SqlError> {
        let name = TableName::resolve(name, self.facts)?;
        self.check_changeable(&name.schema)?;
        let table = match self.catalog.known_table(&name) {
            Ok(table) => std::sync::Arc::clone(&table.descriptor),
            // As of any table that is none.
            Err(error) if error.number() == code::ER_WRONG_OBJECT => {
                return Err(SqlError::no_such_table(&name.schema, &name.name));
            }
            Err(error) => return Err(error),
        };
        if self.facts.foreign_key_checks {
            for (child, key) in self.catalog.referring(&table.schema, &table.name) {
                if child.descriptor.id == table.id {
                    continue;
                }
                let text = format!(
                    "`{}`.`{}`, CONSTRAINT `{}`",
                    child.descriptor.schema, child.descriptor.name, key.name
                );
                return Err(SqlError::new(code::ER_TRUNCATE_ILLEGAL_FK, &[(&text).into()]));
            }
        }
        let mut empty = (*table).clone();
        empty.id = self.ids.next_table_id()?;
        empty.auto_increment_min = 0;
        // No row has an older layout.
        empty.layouts = vec![empty.wanted_layout()];
        for column in &mut empty.columns {
            column.instant_default = None;
        }
        self.change.change_table(&table, empty);
        Ok(())
    }
}
