//! CREATE, ALTER, DROP: which kind of thing it is about.

use super::Grammar;
use super::schema::ViewPrefix;
use crate::ast::{DropTable, StatementKind};
use crate::error::Result;
use crate::lexer::T;

impl Grammar<'_> {
    pub(super) fn create(&mut self) -> Result<StatementKind> {
        self.expect(T::CREATE)?;
        match self.kind() {
            T::TABLE => {
                self.bump();
                self.create_table(false)
            }
            T::TEMPORARY => {
                self.expect_all(&[T::TEMPORARY, T::TABLE])?;
                self.create_table(true)
            }
            T::DATABASE | T::SCHEMA => self.create_database(),
            T::SPATIAL if self.kind_at(1) == T::REFERENCE => self.create_srs(false),
            T::UNIQUE | T::FULLTEXT | T::SPATIAL | T::INDEX => self.create_index(),
            T::UNDO | T::TABLESPACE => self.create_tablespace(),
            T::LOGFILE => self.logfile_group().map(StatementKind::CreateLogfileGroup),
            T::SERVER => self.create_server(),
            T::RESOURCE => self.resource_group(true).map(StatementKind::CreateResourceGroup),
            T::USER => self.create_user(),
            T::ROLE => self.create_role(),
            T::AGGREGATE => self.create_loadable(),
            T::OR => {
                self.expect_all(&[T::OR, T::REPLACE])?;
                if self.at(T::SPATIAL) {
                    return self.create_srs(true);
                }
                let mut prefix = ViewPrefix { or_replace: true, ..ViewPrefix::default() };
                self.view_prefix(&mut prefix)?;
                self.view(prefix, true)
            }
            _ => {
                let mut prefix = ViewPrefix::default();
                self.view_prefix(&mut prefix)?;
                let plain = prefix.algorithm.is_none() && prefix.security.is_none();
                match self.kind() {
                    T::VIEW => self.view(prefix, true),
                    T::PROCEDURE if plain => self.create_procedure(prefix.definer),
                    T::FUNCTION if plain => self.create_function(prefix.definer),
                    T::TRIGGER if plain => self.create_trigger(prefix.definer),
                    T::EVENT if plain => self.create_event(prefix.definer),
                    _ => Err(self.unexpected()),
                }
            }
        }
    }

    /// ALGORITHM, DEFINER, SQL SECURITY: each at most once, in this order.
    fn view_prefix(&mut self, prefix: &mut ViewPrefix) -> Result<()> {
        if self.at(T::ALGORITHM) {
            prefix.algorithm = Some(self.view_algorithm()?);
        }
        if self.at(T::DEFINER) {
            self.expect_all(&[T::DEFINER, T::Eq])?;
            prefix.definer = Some(self.user()?);
        }
        if self.at(T::SQL) {
            prefix.security = Some(self.security()?);
        }
        Ok(())
    }

    pub(super) fn alter(&mut self) -> Result<StatementKind> {
        self.expect(T::ALTER)?;
        match self.kind() {
            T::TABLE => self.alter_table(),
            T::DATABASE | T::SCHEMA => self.alter_database(),
            T::UNDO | T::TABLESPACE => self.alter_tablespace(),
            T::LOGFILE => self.logfile_group().map(StatementKind::AlterLogfileGroup),
            T::SERVER => self.alter_server(),
            T::RESOURCE => self.resource_group(false).map(StatementKind::AlterResourceGroup),
            T::USER => self.alter_user(),
            T::INSTANCE => self.alter_instance(),
            T::PROCEDURE | T::FUNCTION => self.alter_routine(),
            _ => {
                let mut prefix = ViewPrefix::default();
                self.view_prefix(&mut prefix)?;
                let plain = prefix.algorithm.is_none() && prefix.security.is_none();
                match self.kind() {
                    T::VIEW => self.view(prefix, false),
                    T::EVENT if plain => self.alter_event(prefix.definer),
                    _ => Err(self.unexpected()),
                }
            }
        }
    }

    pub(super) fn drop_statement(&mut self) -> Result<StatementKind> {
        self.expect(T::DROP)?;
        match self.kind() {
            T::TEMPORARY => {
                self.bump();
                self.drop_table(true)
            }
            T::TABLE | T::TABLES => self.drop_table(false),
            T::DATABASE | T::SCHEMA => {
                self.bump();
                let if_exists = self.if_exists()?;
                Ok(StatementKind::DropDatabase { if_exists, name: self.ident()? })
            }
            T::INDEX => self.drop_index(),
            T::VIEW => self.drop_view(),
            T::UNDO | T::TABLESPACE => self.drop_tablespace(),
            T::LOGFILE => self.drop_logfile_group(),
            T::SERVER => {
                self.bump();
                let if_exists = self.if_exists()?;
                Ok(StatementKind::DropServer { if_exists, name: self.ident_or_text()? })
            }
            T::SPATIAL => self.drop_srs(),
            T::RESOURCE => {
                self.expect_all(&[T::RESOURCE, T::GROUP])?;
                let name = self.ident()?;
                Ok(StatementKind::DropResourceGroup { name, force: self.eat(T::FORCE) })
            }
            T::PROCEDURE | T::FUNCTION => self.drop_routine(),
            T::TRIGGER => {
                self.bump();
                let if_exists = self.if_exists()?;
                Ok(StatementKind::DropTrigger { if_exists, name: self.object_name()? })
            }
            T::EVENT => {
                self.bump();
                let if_exists = self.if_exists()?;
                Ok(StatementKind::DropEvent { if_exists, name: self.object_name()? })
            }
            T::USER => {
                self.bump();
                let if_exists = self.if_exists()?;
                Ok(StatementKind::DropUser { if_exists, users: self.list(Self::user)? })
            }
            T::ROLE => {
                self.bump();
                let if_exists = self.if_exists()?;
                Ok(StatementKind::DropRole { if_exists, roles: self.list(Self::role)? })
            }
            T::PREPARE => self.deallocate_name(),
            _ => Err(self.unexpected()),
        }
    }

    fn drop_table(&mut self, temporary: bool) -> Result<StatementKind> {
        self.one_of(&[T::TABLE, T::TABLES])?;
        let if_exists = self.if_exists()?;
        let tables = self.list(Self::object_name)?;
        let cascade = self.cascade();
        Ok(StatementKind::DropTable(DropTable { temporary, if_exists, tables, cascade }))
    }

    /// RENAME TABLE and RENAME USER.
    pub(super) fn rename(&mut self) -> Result<StatementKind> {
        self.expect(T::RENAME)?;
        if self.eat(T::USER) {
            return Ok(StatementKind::RenameUser(self.list(|g| {
                let from = g.user()?;
                g.expect(T::TO)?;
                Ok((from, g.user()?))
            })?));
        }
        self.one_of(&[T::TABLE, T::TABLES])?;
        Ok(StatementKind::RenameTable(self.list(|g| {
            let from = g.object_name()?;
            g.expect(T::TO)?;
            Ok((from, g.object_name()?))
        })?))
    }
}
