//! CREATE, ALTER and DROP DATABASE.

use firn_mysql_parser::ast::{AlterDatabase, CreateDatabase, DatabaseOption};
use firn_mysql_semantics::error::{SqlError, code};

use super::Planner;
use crate::catalog::define::Defaults;
use crate::catalog::name::check_schema_name;
use crate::catalog::snapshot::{Relation, SchemaDescriptor};

impl Planner<'_> {
    pub(super) fn create_database(&mut self, create: &CreateDatabase) -> Result<(), SqlError> {
        let name = create.name.as_str();
        check_schema_name(name)?;
        let mut schema = SchemaDescriptor {
            name: name.to_owned(),
            collation: self.facts.server_collation.0,
            read_only: false,
        };
        self.database_options(&mut schema, &create.options)?;
        self.check_changeable(name)?;
        if self.catalog.schema(name).is_some() {
            let error = SqlError::new(code::ER_DB_CREATE_EXISTS, &[name.into()]);
            if !create.if_not_exists {
                return Err(error);
            }
            self.warnings.note(error);
        } else {
            self.change.put_schema(schema, true);
        }
        self.change.affected_rows = 1;
        Ok(())
    }

    pub(super) fn alter_database(&mut self, alter: &AlterDatabase) -> Result<(), SqlError> {
        let name = match (&alter.name, self.facts.database) {
            (Some(name), _) => name.as_str(),
            (None, Some(current)) => current,
            (None, None) => return Err(SqlError::new(code::ER_NO_DB_ERROR, &[])),
        };
        let Some(schema) = self.catalog.schema(name) else {
            return Err(SqlError::new(code::ER_NO_SUCH_DB, &[name.into()]));
        };
        let mut schema = (*schema.descriptor).clone();
        let says_read_only =
            alter.options.iter().any(|option| matches!(option, DatabaseOption::ReadOnly(_)));
        if !says_read_only {
            self.check_changeable(name)?;
        }
        self.database_options(&mut schema, &alter.options)?;
        self.change.put_schema(schema, false);
        self.change.affected_rows = 1;
        Ok(())
    }

    fn database_options(
        &mut self,
        schema: &mut SchemaDescriptor,
        options: &[DatabaseOption],
    ) -> Result<(), SqlError> {
        let mut defaults = Defaults::default();
        for option in options {
            match option {
                DatabaseOption::Charset(name) => defaults.charset(name, self.warnings)?,
                DatabaseOption::Collate(name) => defaults.collate(name, self.warnings)?,
                DatabaseOption::Encryption(text) => match text.as_str() {
                    "n" | "N" => {}
                    "y" | "Y" => return Err(SqlError::not_supported_yet("ENCRYPTION")),
                    _ => {
                        return Err(SqlError::new(
                            code::ER_WRONG_VALUE,
                            &["argument (should be Y or N)".into(), text.as_str().into()],
                        ));
                    }
                },
                DatabaseOption::ReadOnly(value) => schema.read_only = value.unwrap_or(0) != 0,
            }
        }
        if let Some(collation) = defaults.resolve() {
            schema.collation = collation.0;
        }
        Ok(())
    }

    pub(super) fn drop_database(&mut self, if_exists: bool, name: &str) -> Result<(), SqlError> {
        check_schema_name(name)?;
        self.check_changeable(name)?;
        let Some(schema) = self.catalog.schema(name) else {
            let error = SqlError::new(code::ER_DB_DROP_EXISTS, &[name.into()]);
            if !if_exists {
                return Err(error);
            }
            self.warnings.note(error);
            return Ok(());
        };
        let tables: Vec<_> = schema.tables().map(|table| &*table.descriptor).collect();
        self.check_not_referred_to(&tables)?;
        for relation in schema.relations.values() {
            match relation {
                Relation::Table(table) => self.change.drop_table(&table.descriptor),
                Relation::View(view) => self.change.drop_view(view),
            }
        }
        self.change.drop_schema(name);
        self.change.affected_rows = schema.relations.len() as u64;
        Ok(())
    }
}
