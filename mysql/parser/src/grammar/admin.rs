//! Statements of administration.

use super::Grammar;
use crate::ast::{
    AlterInstance, AnalyzeTable, CacheIndex, CheckTable, ChecksumOption, CloneStatement, Flush,
    FlushLock, FlushOption, Histogram, KeyCacheTable, RepairTable, Reset, SetItem, StatementKind,
    Text, User,
};
use crate::error::Result;
use crate::lexer::T;

impl Grammar<'_> {
    fn table_word(&mut self) -> Result<()> {
        self.one_of(&[T::TABLE, T::TABLES]).map(|_| ())
    }

    pub(super) fn analyze(&mut self) -> Result<StatementKind> {
        self.expect(T::ANALYZE)?;
        let no_write_to_binlog = self.no_write_to_binlog();
        self.table_word()?;
        let tables = self.list(Self::object_name)?;
        let mut histogram = None;
        if let Some(kind) = self.eat_any(&[T::UPDATE, T::DROP]) {
            self.expect_all(&[T::HISTOGRAM, T::ON])?;
            let columns = self.list(Self::ident)?;
            histogram = Some(if kind == T::DROP {
                Histogram::Drop(columns)
            } else {
                self.histogram_update(columns)?
            });
        }
        let analyze = AnalyzeTable { no_write_to_binlog, tables, histogram };
        Ok(StatementKind::AnalyzeTable(Box::new(analyze)))
    }

    fn histogram_update(&mut self, columns: Vec<crate::ast::Ident>) -> Result<Histogram> {
        let (mut buckets, mut auto, mut using) = (None, None, None);
        if self.eat(T::USING) {
            self.expect(T::DATA)?;
            using = Some(self.text()?);
        } else {
            if self.at(T::WITH) && self.kind_at(1) == T::Int {
                self.bump();
                buckets = Some(self.number()?);
                self.expect(T::BUCKETS)?;
            }
            if let Some(kind) = self.eat_any(&[T::AUTO, T::MANUAL]) {
                self.expect(T::UPDATE)?;
                auto = Some(kind == T::AUTO);
            }
        }
        Ok(Histogram::Update { columns, buckets, auto, using })
    }

    pub(super) fn check_table(&mut self) -> Result<StatementKind> {
        self.expect(T::CHECK)?;
        self.table_word()?;
        let tables = self.list(Self::object_name)?;
        let options = self.check_options()?;
        Ok(StatementKind::CheckTable(Box::new(CheckTable { tables, options })))
    }

    pub(super) fn checksum(&mut self) -> Result<StatementKind> {
        self.expect(T::CHECKSUM)?;
        self.table_word()?;
        let tables = self.list(Self::object_name)?;
        let option = self.eat_any(&[T::QUICK, T::EXTENDED]).map(|kind| match kind {
            T::QUICK => ChecksumOption::Quick,
            _ => ChecksumOption::Extended,
        });
        Ok(StatementKind::ChecksumTable { tables, option })
    }

    pub(super) fn optimize(&mut self) -> Result<StatementKind> {
        self.expect(T::OPTIMIZE)?;
        let no_write_to_binlog = self.no_write_to_binlog();
        self.table_word()?;
        let tables = self.list(Self::object_name)?;
        Ok(StatementKind::OptimizeTable { no_write_to_binlog, tables })
    }

    pub(super) fn repair(&mut self) -> Result<StatementKind> {
        self.expect(T::REPAIR)?;
        let no_write_to_binlog = self.no_write_to_binlog();
        self.table_word()?;
        let tables = self.list(Self::object_name)?;
        let options = self.repair_options();
        let repair = RepairTable { no_write_to_binlog, tables, options };
        Ok(StatementKind::RepairTable(Box::new(repair)))
    }

    pub(super) fn cache_index(&mut self) -> Result<StatementKind> {
        self.expect_all(&[T::CACHE, T::INDEX])?;
        let tables = self.key_cache_tables(false)?;
        self.expect(T::IN)?;
        let cache = if self.eat(T::DEFAULT) { None } else { Some(self.ident()?) };
        Ok(StatementKind::CacheIndex(Box::new(CacheIndex { tables, cache })))
    }

    /// Behind LOAD: INDEX INTO CACHE.
    pub(super) fn load_index(&mut self) -> Result<StatementKind> {
        self.expect_all(&[T::INDEX, T::INTO, T::CACHE])?;
        Ok(StatementKind::LoadIndex(self.key_cache_tables(true)?))
    }

    /// One table with partitions, or several without.
    fn key_cache_tables(&mut self, preload: bool) -> Result<Vec<KeyCacheTable>> {
        let first = self.key_cache_table(preload)?;
        let mut tables = vec![first];
        while tables[0].partitions.is_none() && self.eat(T::Comma) {
            tables.push(self.key_cache_table(preload)?);
            if tables.last().is_some_and(|table| table.partitions.is_some()) {
                return Err(self.unexpected());
            }
        }
        Ok(tables)
    }

    fn key_cache_table(&mut self, preload: bool) -> Result<KeyCacheTable> {
        let table = self.object_name()?;
        let mut partitions = None;
        if self.eat(T::PARTITION) {
            partitions = Some(self.parens(Self::partition_names)?);
        }
        let mut indexes = None;
        if self.eat_any(&[T::INDEX, T::KEY]).is_some() {
            self.expect(T::LParen)?;
            let mut names = Vec::new();
            if !self.at(T::RParen) {
                names = self.list(Self::index_name)?;
            }
            self.expect(T::RParen)?;
            indexes = Some(names);
        }
        let ignore_leaves = preload && self.eat_all(&[T::IGNORE, T::LEAVES]);
        Ok(KeyCacheTable { table, partitions, indexes, ignore_leaves })
    }

    pub(super) fn flush(&mut self) -> Result<StatementKind> {
        self.expect(T::FLUSH)?;
        let no_write_to_binlog = self.no_write_to_binlog();
        if self.eat_any(&[T::TABLE, T::TABLES]).is_some() {
            let mut tables = Vec::new();
            if self.at_name() {
                tables = self.list(Self::object_name)?;
            }
            let lock = if self.eat(T::WITH) {
                self.expect_all(&[T::READ, T::LOCK])?;
                FlushLock::WithReadLock
            } else if !tables.is_empty() && self.eat(T::FOR) {
                self.expect(T::EXPORT)?;
                FlushLock::ForExport
            } else {
                FlushLock::None
            };
            let what = Flush::Tables { tables, lock };
            return Ok(StatementKind::Flush { no_write_to_binlog, what });
        }
        let options = self.list(Self::flush_option)?;
        Ok(StatementKind::Flush { no_write_to_binlog, what: Flush::Options(options) })
    }

    fn flush_option(&mut self) -> Result<FlushOption> {
        let kinds = [
            T::BINARY,
            T::ENGINE,
            T::ERROR,
            T::GENERAL,
            T::SLOW,
            T::RELAY,
            T::LOGS,
            T::PRIVILEGES,
            T::STATUS,
            T::USER_RESOURCES,
            T::OPTIMIZER_COSTS,
        ];
        let kind = self.one_of(&kinds)?;
        Ok(match kind {
            T::LOGS => FlushOption::Logs,
            T::PRIVILEGES => FlushOption::Privileges,
            T::STATUS => FlushOption::Status,
            T::USER_RESOURCES => FlushOption::UserResources,
            T::OPTIMIZER_COSTS => FlushOption::OptimizerCosts,
            _ => {
                self.expect(T::LOGS)?;
                match kind {
                    T::BINARY => FlushOption::BinaryLogs,
                    T::ENGINE => FlushOption::EngineLogs,
                    T::ERROR => FlushOption::ErrorLogs,
                    T::GENERAL => FlushOption::GeneralLogs,
                    T::SLOW => FlushOption::SlowLogs,
                    _ => FlushOption::RelayLogs(self.for_channel()?),
                }
            }
        })
    }

    pub(super) fn reset(&mut self) -> Result<StatementKind> {
        self.expect(T::RESET)?;
        if self.eat(T::PERSIST) {
            let if_exists = self.if_exists()?;
            let name = if if_exists || self.at_name() { Some(self.object_name()?) } else { None };
            return Ok(StatementKind::ResetPersist { if_exists, name });
        }
        Ok(StatementKind::Reset(self.list(|g| {
            if g.eat(T::REPLICA) {
                let all = g.eat(T::ALL);
                return Ok(Reset::Replica { all, channel: g.for_channel()? });
            }
            g.expect_all(&[T::BINARY, T::LOGS, T::AND, T::GTIDS])?;
            let to = if g.eat(T::TO) { Some(g.number()?) } else { None };
            Ok(Reset::BinaryLogs { to })
        })?))
    }

    pub(super) fn kill(&mut self) -> Result<StatementKind> {
        self.expect(T::KILL)?;
        let query = self.eat_any(&[T::CONNECTION, T::QUERY]) == Some(T::QUERY);
        Ok(StatementKind::Kill { query, id: Box::new(self.expr()?) })
    }

    /// Behind ALTER.
    pub(super) fn alter_instance(&mut self) -> Result<StatementKind> {
        self.expect(T::INSTANCE)?;
        let action = match self.one_of(&[T::ROTATE, T::RELOAD, T::ENABLE, T::DISABLE])? {
            T::ROTATE => {
                let binlog = self.at(T::BINLOG);
                if !binlog && !self.at_word("innodb") {
                    return Err(self.unexpected());
                }
                self.bump();
                self.expect_all(&[T::MASTER, T::KEY])?;
                if binlog {
                    AlterInstance::RotateBinlogMasterKey
                } else {
                    AlterInstance::RotateInnodbMasterKey
                }
            }
            T::RELOAD => {
                if self.eat(T::KEYRING) {
                    AlterInstance::ReloadKeyring
                } else {
                    self.expect(T::TLS)?;
                    let mut channel = None;
                    if self.eat(T::FOR) {
                        self.expect(T::CHANNEL)?;
                        channel = Some(self.ident()?);
                    }
                    let no_rollback = self.eat(T::NO);
                    if no_rollback {
                        self.expect_all(&[T::ROLLBACK, T::ON, T::ERROR])?;
                    }
                    AlterInstance::ReloadTls { channel, no_rollback }
                }
            }
            kind => {
                // INNODB REDO_LOG, neither of which is a keyword.
                for word in ["innodb", "redo_log"] {
                    if !self.eat_word(word) {
                        return Err(self.unexpected());
                    }
                }
                AlterInstance::RedoLog { enable: kind == T::ENABLE }
            }
        };
        Ok(StatementKind::AlterInstance(action))
    }

    pub(super) fn clone_statement(&mut self) -> Result<StatementKind> {
        self.expect(T::CLONE)?;
        if self.eat(T::LOCAL) {
            let directory = self.data_directory()?;
            return Ok(StatementKind::Clone(Box::new(CloneStatement::Local { directory })));
        }
        self.expect_all(&[T::INSTANCE, T::FROM])?;
        let user: User = self.user()?;
        self.expect(T::Colon)?;
        let port = self.number()?;
        self.expect_all(&[T::IDENTIFIED, T::BY])?;
        let password = self.text()?;
        let directory = if self.at(T::DATA) { Some(self.data_directory()?) } else { None };
        let mut ssl = None;
        if self.eat(T::REQUIRE) {
            let no = self.eat(T::NO);
            self.expect(T::SSL)?;
            ssl = Some(!no);
        }
        let remote = CloneStatement::Remote { user, port, password, directory, ssl };
        Ok(StatementKind::Clone(Box::new(remote)))
    }

    fn data_directory(&mut self) -> Result<Text> {
        self.expect_all(&[T::DATA, T::DIRECTORY])?;
        self.eat_eq();
        self.text()
    }

    pub(super) fn install(&mut self) -> Result<StatementKind> {
        self.expect(T::INSTALL)?;
        if self.one_of(&[T::PLUGIN, T::COMPONENT])? == T::PLUGIN {
            let name = self.ident()?;
            self.expect(T::SONAME)?;
            return Ok(StatementKind::InstallPlugin { name, library: self.text()? });
        }
        let names = self.list(Self::text)?;
        let set = if self.eat(T::SET) { self.list(Self::component_setting)? } else { Vec::new() };
        Ok(StatementKind::InstallComponent { names, set })
    }

    /// `[GLOBAL | PERSIST] name = value`
    fn component_setting(&mut self) -> Result<SetItem> {
        if self.at_any(&[T::AtAt, T::At, T::SESSION, T::LOCAL, T::PERSIST_ONLY]) {
            return Err(self.unexpected());
        }
        self.set_item()
    }

    pub(super) fn uninstall(&mut self) -> Result<StatementKind> {
        self.expect(T::UNINSTALL)?;
        if self.one_of(&[T::PLUGIN, T::COMPONENT])? == T::PLUGIN {
            return Ok(StatementKind::UninstallPlugin(self.ident()?));
        }
        Ok(StatementKind::UninstallComponent(self.list(Self::text)?))
    }
}
