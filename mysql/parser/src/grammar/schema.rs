//! Databases, views, tablespaces, servers, reference systems, resource groups.

use super::Grammar;
use crate::ast::{
    AlterDatabase, AlterTablespace, CreateDatabase, CreateSrs, DatabaseOption, DropView, Ident,
    Literal, LogfileGroup, ResourceGroup, Security, ServerOption, SrsAttribute, StatementKind,
    Tablespace, TablespaceAction, TablespaceOption, User, View, ViewAlgorithm, ViewCheck,
};
use crate::error::Result;
use crate::lexer::T;

/// What may stand between CREATE or ALTER and VIEW.
#[derive(Default)]
pub(super) struct ViewPrefix {
    pub(super) or_replace: bool,
    pub(super) algorithm: Option<ViewAlgorithm>,
    pub(super) definer: Option<User>,
    pub(super) security: Option<Security>,
}

impl Grammar<'_> {
    pub(super) fn create_database(&mut self) -> Result<StatementKind> {
        self.bump();
        let if_not_exists = self.if_not_exists()?;
        let name = self.ident()?;
        let options = self.database_options(false)?;
        Ok(StatementKind::CreateDatabase(CreateDatabase { if_not_exists, name, options }))
    }

    pub(super) fn alter_database(&mut self) -> Result<StatementKind> {
        self.bump();
        let option = matches!(
            (self.kind(), self.kind_at(1)),
            (T::CHARSET | T::ENCRYPTION, T::Eq | T::Ident | T::Text | T::BINARY | T::Quoted)
        );
        let name = if self.at_name() && !option { Some(self.ident()?) } else { None };
        let options = self.database_options(true)?;
        if options.is_empty() {
            return Err(self.unexpected());
        }
        Ok(StatementKind::AlterDatabase(AlterDatabase { name, options }))
    }

    fn database_options(&mut self, alter: bool) -> Result<Vec<DatabaseOption>> {
        let mut options = Vec::new();
        loop {
            if alter && self.eat_all(&[T::READ, T::ONLY]) {
                self.eat_eq();
                options.push(DatabaseOption::ReadOnly(self.switch_or_default()?));
                continue;
            }
            let default = self.eat(T::DEFAULT);
            if self.eat_charset() {
                self.eat_eq();
                options.push(DatabaseOption::Charset(self.charset_name()?));
            } else if self.eat(T::COLLATE) {
                self.eat_eq();
                options.push(DatabaseOption::Collate(self.collation_name()?));
            } else if self.eat(T::ENCRYPTION) {
                self.eat_eq();
                options.push(DatabaseOption::Encryption(self.text()?));
            } else if default {
                return Err(self.unexpected());
            } else {
                return Ok(options);
            }
        }
    }

    pub(super) fn view_algorithm(&mut self) -> Result<ViewAlgorithm> {
        self.expect_all(&[T::ALGORITHM, T::Eq])?;
        Ok(match self.one_of(&[T::UNDEFINED, T::MERGE, T::TEMPTABLE])? {
            T::UNDEFINED => ViewAlgorithm::Undefined,
            T::MERGE => ViewAlgorithm::Merge,
            _ => ViewAlgorithm::Temptable,
        })
    }

    /// SQL SECURITY …
    pub(super) fn security(&mut self) -> Result<Security> {
        self.expect_all(&[T::SQL, T::SECURITY])?;
        Ok(match self.one_of(&[T::DEFINER, T::INVOKER])? {
            T::DEFINER => Security::Definer,
            _ => Security::Invoker,
        })
    }

    /// From VIEW on.
    pub(super) fn view(&mut self, prefix: ViewPrefix, create: bool) -> Result<StatementKind> {
        self.expect(T::VIEW)?;
        let if_not_exists = create && !prefix.or_replace && self.if_not_exists()?;
        let name = self.object_name()?;
        let columns = self.maybe_ident_list()?;
        self.expect(T::AS)?;
        let query = self.query()?;
        let mut check = None;
        if self.eat(T::WITH) {
            check = Some(match self.eat_any(&[T::CASCADED, T::LOCAL]) {
                Some(T::LOCAL) => ViewCheck::Local,
                _ => ViewCheck::Cascaded,
            });
            self.expect_all(&[T::CHECK, T::OPTION])?;
        }
        let ViewPrefix { or_replace, algorithm, definer, security } = prefix;
        let view = Box::new(View {
            or_replace,
            if_not_exists,
            algorithm,
            definer,
            security,
            name,
            columns,
            query,
            check,
        });
        Ok(if create { StatementKind::CreateView(view) } else { StatementKind::AlterView(view) })
    }

    pub(super) fn drop_view(&mut self) -> Result<StatementKind> {
        self.expect(T::VIEW)?;
        let if_exists = self.if_exists()?;
        let views = self.list(Self::object_name)?;
        Ok(StatementKind::DropView(DropView { if_exists, views, cascade: self.cascade() }))
    }

    /// RESTRICT (false) or CASCADE (true).
    pub(super) fn cascade(&mut self) -> Option<bool> {
        self.eat_any(&[T::RESTRICT, T::CASCADE]).map(|kind| kind == T::CASCADE)
    }

    /// `[UNDO] TABLESPACE …` behind CREATE.
    pub(super) fn create_tablespace(&mut self) -> Result<StatementKind> {
        let undo = self.eat(T::UNDO);
        self.expect(T::TABLESPACE)?;
        let name = self.ident()?;
        let mut datafile = None;
        if undo || self.at(T::ADD) {
            self.expect_all(&[T::ADD, T::DATAFILE])?;
            datafile = Some(self.text()?);
        }
        let mut logfile_group = None;
        if !undo && self.eat(T::USE) {
            self.expect_all(&[T::LOGFILE, T::GROUP])?;
            logfile_group = Some(self.ident()?);
        }
        let options = self.tablespace_options()?;
        Ok(StatementKind::CreateTablespace(Box::new(Tablespace {
            undo,
            name,
            datafile,
            logfile_group,
            options,
        })))
    }

    pub(super) fn alter_tablespace(&mut self) -> Result<StatementKind> {
        let undo = self.eat(T::UNDO);
        self.expect(T::TABLESPACE)?;
        let name = self.ident()?;
        let action = match self.kind() {
            T::SET if undo => {
                self.bump();
                match self.one_of(&[T::ACTIVE, T::INACTIVE])? {
                    T::ACTIVE => TablespaceAction::Active,
                    _ => TablespaceAction::Inactive,
                }
            }
            T::ADD | T::DROP if !undo => {
                let add = self.bump().kind == T::ADD;
                self.expect(T::DATAFILE)?;
                let file = self.text()?;
                if add {
                    TablespaceAction::AddDatafile(file)
                } else {
                    TablespaceAction::DropDatafile(file)
                }
            }
            T::RENAME if !undo => {
                self.expect_all(&[T::RENAME, T::TO])?;
                TablespaceAction::Rename(self.ident()?)
            }
            _ => TablespaceAction::Options,
        };
        let options = self.tablespace_options()?;
        if action == TablespaceAction::Options && options.is_empty() {
            return Err(self.unexpected());
        }
        let alter = AlterTablespace { undo, name, action, options };
        Ok(StatementKind::AlterTablespace(Box::new(alter)))
    }

    pub(super) fn drop_tablespace(&mut self) -> Result<StatementKind> {
        let undo = self.eat(T::UNDO);
        self.expect(T::TABLESPACE)?;
        let name = self.ident()?;
        Ok(StatementKind::DropTablespace { undo, name, options: self.tablespace_options()? })
    }

    fn tablespace_options(&mut self) -> Result<Vec<TablespaceOption>> {
        let mut options = Vec::new();
        loop {
            let storage = self.at(T::STORAGE) && self.kind_at(1) == T::ENGINE;
            if storage {
                self.bump();
            }
            let kind = self.kind();
            if let Some(wait) = self.eat_any(&[T::WAIT, T::NO_WAIT]) {
                options.push(TablespaceOption::Wait(wait == T::WAIT));
                self.eat(T::Comma);
                continue;
            }
            let known = [
                T::INITIAL_SIZE,
                T::AUTOEXTEND_SIZE,
                T::MAX_SIZE,
                T::EXTENT_SIZE,
                T::UNDO_BUFFER_SIZE,
                T::REDO_BUFFER_SIZE,
                T::FILE_BLOCK_SIZE,
                T::NODEGROUP,
                T::ENGINE,
                T::COMMENT,
                T::ENCRYPTION,
                T::ENGINE_ATTRIBUTE,
            ];
            if !known.contains(&kind) {
                return Ok(options);
            }
            self.bump();
            self.eat_eq();
            options.push(match kind {
                T::INITIAL_SIZE => TablespaceOption::InitialSize(self.size()?),
                T::AUTOEXTEND_SIZE => TablespaceOption::AutoextendSize(self.size()?),
                T::MAX_SIZE => TablespaceOption::MaxSize(self.size()?),
                T::EXTENT_SIZE => TablespaceOption::ExtentSize(self.size()?),
                T::UNDO_BUFFER_SIZE => TablespaceOption::UndoBufferSize(self.size()?),
                T::REDO_BUFFER_SIZE => TablespaceOption::RedoBufferSize(self.size()?),
                T::FILE_BLOCK_SIZE => TablespaceOption::FileBlockSize(self.size()?),
                T::NODEGROUP => TablespaceOption::NodeGroup(self.number()?),
                T::ENGINE => TablespaceOption::Engine(self.ident_or_text()?),
                T::COMMENT => TablespaceOption::Comment(self.text()?),
                T::ENCRYPTION => TablespaceOption::Encryption(self.text()?),
                _ => TablespaceOption::EngineAttribute(self.text()?),
            });
            self.eat(T::Comma);
        }
    }

    /// `LOGFILE GROUP name ADD UNDOFILE …`
    pub(super) fn logfile_group(&mut self) -> Result<Box<LogfileGroup>> {
        self.expect_all(&[T::LOGFILE, T::GROUP])?;
        let name = self.ident()?;
        self.expect_all(&[T::ADD, T::UNDOFILE])?;
        let undofile = self.text()?;
        let options = self.tablespace_options()?;
        Ok(Box::new(LogfileGroup { name, undofile, options }))
    }

    pub(super) fn drop_logfile_group(&mut self) -> Result<StatementKind> {
        self.expect_all(&[T::LOGFILE, T::GROUP])?;
        let name = self.ident()?;
        Ok(StatementKind::DropLogfileGroup { name, options: self.tablespace_options()? })
    }

    pub(super) fn create_server(&mut self) -> Result<StatementKind> {
        self.expect(T::SERVER)?;
        let name = self.ident_or_text()?;
        self.expect_all(&[T::FOREIGN, T::DATA, T::WRAPPER])?;
        let wrapper = self.ident_or_text()?;
        Ok(StatementKind::CreateServer { name, wrapper, options: self.server_options()? })
    }

    pub(super) fn alter_server(&mut self) -> Result<StatementKind> {
        self.expect(T::SERVER)?;
        let name = self.ident_or_text()?;
        Ok(StatementKind::AlterServer { name, options: self.server_options()? })
    }

    fn server_options(&mut self) -> Result<Vec<(ServerOption, Literal)>> {
        self.expect(T::OPTIONS)?;
        self.paren_list(|g| {
            let option = match g.kind() {
                T::HOST => ServerOption::Host,
                T::DATABASE | T::SCHEMA => ServerOption::Database,
                T::USER => ServerOption::User,
                T::PASSWORD => ServerOption::Password,
                T::SOCKET => ServerOption::Socket,
                T::OWNER => ServerOption::Owner,
                T::PORT => ServerOption::Port,
                _ => return Err(g.unexpected()),
            };
            g.bump();
            let wanted = if option == ServerOption::Port { T::Int } else { T::Text };
            if !g.at(wanted) {
                return Err(g.unexpected());
            }
            Ok((option, g.literal()?))
        })
    }

    /// Behind CREATE `[OR REPLACE]`.
    pub(super) fn create_srs(&mut self, or_replace: bool) -> Result<StatementKind> {
        self.spatial_reference_system()?;
        let if_not_exists = !or_replace && self.if_not_exists()?;
        let id = self.number()?;
        let mut attributes = Vec::new();
        loop {
            attributes.push(match self.kind() {
                T::NAME => {
                    self.bump();
                    SrsAttribute::Name(self.text()?)
                }
                T::DEFINITION => {
                    self.bump();
                    SrsAttribute::Definition(self.text()?)
                }
                T::ORGANIZATION => {
                    self.bump();
                    let name = self.text()?;
                    self.expect_all(&[T::IDENTIFIED, T::BY])?;
                    SrsAttribute::Organization { name, id: self.number()? }
                }
                T::DESCRIPTION => {
                    self.bump();
                    SrsAttribute::Description(self.text()?)
                }
                _ => break,
            });
        }
        let srs = CreateSrs { or_replace, if_not_exists, id, attributes };
        Ok(StatementKind::CreateSrs(Box::new(srs)))
    }

    fn spatial_reference_system(&mut self) -> Result<()> {
        self.expect_all(&[T::SPATIAL, T::REFERENCE, T::SYSTEM])
    }

    pub(super) fn drop_srs(&mut self) -> Result<StatementKind> {
        self.spatial_reference_system()?;
        let if_exists = self.if_exists()?;
        Ok(StatementKind::DropSrs { if_exists, id: self.number()? })
    }

    /// From RESOURCE on.
    pub(super) fn resource_group(&mut self, create: bool) -> Result<Box<ResourceGroup>> {
        self.expect_all(&[T::RESOURCE, T::GROUP])?;
        let name: Ident = self.ident()?;
        let mut system = false;
        if create {
            self.expect(T::TYPE)?;
            self.eat_eq();
            system = self.one_of(&[T::SYSTEM, T::USER])? == T::SYSTEM;
        }
        let mut cpus = Vec::new();
        if self.eat(T::VCPU) {
            self.eat_eq();
            loop {
                let first = self.number()?;
                let last = if self.eat(T::Minus) { self.number()? } else { first };
                cpus.push((first, last));
                if !self.eat(T::Comma) && !self.at(T::Int) {
                    break;
                }
            }
        }
        let mut priority = None;
        if self.eat(T::THREAD_PRIORITY) {
            self.eat_eq();
            let negative = self.eat(T::Minus);
            let value = i64::try_from(self.number()?).unwrap_or(i64::MAX);
            priority = Some(if negative { -value } else { value });
        }
        let enable = self.eat_any(&[T::ENABLE, T::DISABLE]).map(|kind| kind == T::ENABLE);
        let force = !create && self.eat(T::FORCE);
        Ok(Box::new(ResourceGroup { name, system, cpus, priority, enable, force }))
    }
}
