//! SHOW.

use super::Grammar;
use crate::ast::{
    EngineInfo, Ident, ObjectName, ProfileKind, RoutineKind, Scope, Show, ShowCreate, ShowFilter,
    StatementKind, Text,
};
use crate::error::Result;
use crate::lexer::T;

impl Grammar<'_> {
    pub(super) fn show(&mut self) -> Result<StatementKind> {
        self.expect(T::SHOW)?;
        let show = self.show_kind()?;
        Ok(StatementKind::Show(Box::new(show)))
    }

    fn show_kind(&mut self) -> Result<Show> {
        let kind = self.kind();
        match kind {
            T::DATABASES | T::SCHEMAS => {
                self.bump();
                Ok(Show::Databases(self.show_filter()?))
            }
            T::TABLES
            | T::COLUMNS
            | T::FIELDS
            | T::FULL
            | T::EXTENDED
            | T::TRIGGERS
            | T::PROCESSLIST
            | T::INDEX
            | T::INDEXES
            | T::KEYS => self.show_tables(),
            T::TABLE => {
                self.expect_all(&[T::TABLE, T::STATUS])?;
                let schema = self.show_schema()?;
                Ok(Show::TableStatus { schema, filter: self.show_filter()? })
            }
            T::OPEN => {
                self.expect_all(&[T::OPEN, T::TABLES])?;
                let schema = self.show_schema()?;
                Ok(Show::OpenTables { schema, filter: self.show_filter()? })
            }
            T::EVENTS => {
                self.bump();
                let schema = self.show_schema()?;
                Ok(Show::Events { schema, filter: self.show_filter()? })
            }
            T::GLOBAL | T::SESSION | T::LOCAL | T::VARIABLES | T::STATUS => {
                let scope = match self.eat_any(&[T::GLOBAL, T::SESSION, T::LOCAL]) {
                    Some(T::GLOBAL) => Some(Scope::Global),
                    Some(_) => Some(Scope::Session),
                    None => None,
                };
                let variables = self.one_of(&[T::VARIABLES, T::STATUS])? == T::VARIABLES;
                let filter = self.show_filter()?;
                Ok(if variables {
                    Show::Variables { scope, filter }
                } else {
                    Show::Status { scope, filter }
                })
            }
            T::CHARSET | T::CHARACTER | T::CHAR => {
                if !self.eat_charset() {
                    return Err(self.unexpected());
                }
                Ok(Show::CharacterSet(self.show_filter()?))
            }
            T::COLLATION => {
                self.bump();
                Ok(Show::Collation(self.show_filter()?))
            }
            T::PROCEDURE | T::FUNCTION => {
                self.bump();
                let routine = if kind == T::PROCEDURE {
                    RoutineKind::Procedure
                } else {
                    RoutineKind::Function
                };
                if self.one_of(&[T::STATUS, T::CODE])? == T::STATUS {
                    return Ok(Show::RoutineStatus(routine, self.show_filter()?));
                }
                Ok(Show::RoutineCode(routine, self.object_name()?))
            }
            T::CREATE => self.show_create(),
            T::GRANTS => {
                self.bump();
                let (mut user, mut using) = (None, Vec::new());
                if self.eat(T::FOR) {
                    user = Some(self.user()?);
                    if self.eat(T::USING) {
                        using = self.list(Self::user)?;
                    }
                }
                Ok(Show::Grants { user, using })
            }
            T::PRIVILEGES => {
                self.bump();
                Ok(Show::Privileges)
            }
            T::ENGINES => {
                self.bump();
                Ok(Show::Engines)
            }
            T::STORAGE => {
                self.expect_all(&[T::STORAGE, T::ENGINES])?;
                Ok(Show::Engines)
            }
            T::ENGINE => self.show_engine(),
            T::PLUGINS => {
                self.bump();
                Ok(Show::Plugins)
            }
            T::WARNINGS | T::ERRORS => {
                self.bump();
                let limit = if self.at(T::LIMIT) { Some(self.limit()?) } else { None };
                Ok(if kind == T::WARNINGS { Show::Warnings(limit) } else { Show::Errors(limit) })
            }
            T::COUNT => {
                self.expect_all(&[T::COUNT, T::LParen, T::Star, T::RParen])?;
                Ok(match self.one_of(&[T::WARNINGS, T::ERRORS])? {
                    T::WARNINGS => Show::CountWarnings,
                    _ => Show::CountErrors,
                })
            }
            T::PROFILES => {
                self.bump();
                Ok(Show::Profiles)
            }
            T::PROFILE => self.show_profile(),
            T::BINARY => {
                self.bump();
                if self.eat(T::LOGS) {
                    return Ok(Show::BinaryLogs);
                }
                self.expect_all(&[T::LOG, T::STATUS])?;
                Ok(Show::BinaryLogStatus)
            }
            T::BINLOG => {
                self.expect_all(&[T::BINLOG, T::EVENTS])?;
                let (file, position) = self.log_position()?;
                let limit = if self.at(T::LIMIT) { Some(self.limit()?) } else { None };
                Ok(Show::BinlogEvents { file, position, limit })
            }
            T::RELAYLOG => {
                self.expect_all(&[T::RELAYLOG, T::EVENTS])?;
                let (file, position) = self.log_position()?;
                let limit = if self.at(T::LIMIT) { Some(self.limit()?) } else { None };
                let channel = self.for_channel()?;
                Ok(Show::RelaylogEvents { file, position, limit, channel })
            }
            T::REPLICAS => {
                self.bump();
                Ok(Show::Replicas)
            }
            T::REPLICA => {
                self.expect_all(&[T::REPLICA, T::STATUS])?;
                Ok(Show::ReplicaStatus(self.for_channel()?))
            }
            _ => Err(self.unexpected()),
        }
    }

    /// What EXTENDED and FULL may stand before.
    fn show_tables(&mut self) -> Result<Show> {
        let extended = self.eat(T::EXTENDED);
        let full = self.eat(T::FULL);
        match self.kind() {
            T::TABLES => {
                self.bump();
                let schema = self.show_schema()?;
                Ok(Show::Tables { extended, full, schema, filter: self.show_filter()? })
            }
            T::TRIGGERS if !extended => {
                self.bump();
                let schema = self.show_schema()?;
                Ok(Show::Triggers { full, schema, filter: self.show_filter()? })
            }
            T::PROCESSLIST if !extended => {
                self.bump();
                Ok(Show::ProcessList { full })
            }
            T::COLUMNS | T::FIELDS => {
                self.bump();
                let table = self.show_table()?;
                Ok(Show::Columns { extended, full, table, filter: self.show_filter()? })
            }
            T::INDEX | T::INDEXES | T::KEYS if !full => {
                self.bump();
                let table = self.show_table()?;
                Ok(Show::Index { extended, table, filter: self.maybe_where()? })
            }
            _ => Err(self.unexpected()),
        }
    }

    /// `FROM table [FROM schema]`
    fn show_table(&mut self) -> Result<ObjectName> {
        self.one_of(&[T::FROM, T::IN])?;
        let mut table = self.object_name()?;
        if let Some(schema) = self.show_schema()? {
            table.schema = Some(schema);
        }
        Ok(table)
    }

    /// `[FROM schema]`
    fn show_schema(&mut self) -> Result<Option<Ident>> {
        if self.eat_any(&[T::FROM, T::IN]).is_some() {
            return self.ident().map(Some);
        }
        Ok(None)
    }

    fn show_filter(&mut self) -> Result<ShowFilter> {
        if self.eat(T::LIKE) {
            return self.text().map(ShowFilter::Like);
        }
        Ok(match self.maybe_where()? {
            Some(filter) => ShowFilter::Where(filter),
            None => ShowFilter::None,
        })
    }

    fn show_create(&mut self) -> Result<Show> {
        self.expect(T::CREATE)?;
        let kind = match self.kind() {
            T::DATABASE | T::SCHEMA => {
                self.bump();
                let if_not_exists = self.if_not_exists()?;
                return Ok(Show::CreateDatabase { if_not_exists, name: self.ident()? });
            }
            T::USER => {
                self.bump();
                return Ok(Show::CreateUser(self.user()?));
            }
            T::TABLE => ShowCreate::Table,
            T::VIEW => ShowCreate::View,
            T::PROCEDURE => ShowCreate::Procedure,
            T::FUNCTION => ShowCreate::Function,
            T::TRIGGER => ShowCreate::Trigger,
            T::EVENT => ShowCreate::Event,
            _ => return Err(self.unexpected()),
        };
        self.bump();
        Ok(Show::Create(kind, self.object_name()?))
    }

    fn show_engine(&mut self) -> Result<Show> {
        self.expect(T::ENGINE)?;
        let name = if self.eat(T::ALL) { None } else { Some(self.ident_or_text()?) };
        let what = match self.one_of(&[T::STATUS, T::MUTEX, T::LOGS])? {
            T::STATUS => EngineInfo::Status,
            T::MUTEX => EngineInfo::Mutex,
            _ => EngineInfo::Logs,
        };
        Ok(Show::Engine { name, what })
    }

    fn show_profile(&mut self) -> Result<Show> {
        self.expect(T::PROFILE)?;
        let mut kinds = Vec::new();
        loop {
            let kind = match self.kind() {
                T::CPU => ProfileKind::Cpu,
                T::MEMORY => ProfileKind::Memory,
                T::BLOCK => ProfileKind::BlockIo,
                T::CONTEXT => ProfileKind::ContextSwitches,
                T::PAGE => ProfileKind::PageFaults,
                T::IPC => ProfileKind::Ipc,
                T::SWAPS => ProfileKind::Swaps,
                T::SOURCE => ProfileKind::Source,
                T::ALL => ProfileKind::All,
                _ if kinds.is_empty() => break,
                _ => return Err(self.unexpected()),
            };
            self.bump();
            match kind {
                ProfileKind::BlockIo => {
                    self.expect(T::IO)?;
                }
                ProfileKind::ContextSwitches => {
                    self.expect(T::SWITCHES)?;
                }
                ProfileKind::PageFaults => {
                    self.expect(T::FAULTS)?;
                }
                _ => {}
            }
            kinds.push(kind);
            if !self.eat(T::Comma) {
                break;
            }
        }
        let mut query = None;
        if self.eat(T::FOR) {
            self.expect(T::QUERY)?;
            query = Some(self.number()?);
        }
        let limit = if self.at(T::LIMIT) { Some(self.limit()?) } else { None };
        Ok(Show::Profile { kinds, query, limit })
    }

    /// `[IN 'file'] [FROM position]`
    fn log_position(&mut self) -> Result<(Option<Text>, Option<u64>)> {
        let file = if self.eat(T::IN) { Some(self.text()?) } else { None };
        let position = if self.eat(T::FROM) { Some(self.number()?) } else { None };
        Ok((file, position))
    }

    /// `[FOR CHANNEL 'name']`
    pub(super) fn for_channel(&mut self) -> Result<Option<Text>> {
        if !self.eat(T::FOR) {
            return Ok(None);
        }
        self.expect(T::CHANNEL)?;
        self.ident_or_text().map(|name| Some(name.text))
    }
}
