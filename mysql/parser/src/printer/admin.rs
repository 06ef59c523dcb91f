//! Statements of administration and of replication.

use super::Printer;
use crate::ast::{
    AlterInstance, AnalyzeTable, ChangeFilter, ChangeSource, ChecksumOption, CloneStatement,
    FilterRule, Flush, FlushLock, FlushOption, Histogram, KeyCacheTable, ObjectName,
    ReplicaCredential, ReplicaThread, Reset, SourceValue, StartReplica, Text, UntilValue,
};

impl Printer {
    pub(super) fn tables_of(&mut self, verb: &str, no_log: bool, tables: &[ObjectName]) {
        self.word(verb);
        self.word_if(no_log, "NO_WRITE_TO_BINLOG");
        self.word("TABLE");
        self.list(tables, Self::object);
    }

    pub(super) fn analyze(&mut self, analyze: &AnalyzeTable) {
        self.tables_of("ANALYZE", analyze.no_write_to_binlog, &analyze.tables);
        match &analyze.histogram {
            None => {}
            Some(Histogram::Drop(columns)) => {
                self.word("DROP HISTOGRAM ON");
                self.list(columns, Self::ident);
            }
            Some(Histogram::Update { columns, buckets, auto, using }) => {
                self.word("UPDATE HISTOGRAM ON");
                self.list(columns, Self::ident);
                if let Some(buckets) = buckets {
                    self.word(&format!("WITH {buckets} BUCKETS"));
                }
                match auto {
                    None => {}
                    Some(true) => self.word("AUTO UPDATE"),
                    Some(false) => self.word("MANUAL UPDATE"),
                }
                self.word_string("USING DATA", using.as_ref());
            }
        }
    }

    pub(super) fn checksum(&mut self, tables: &[ObjectName], option: Option<ChecksumOption>) {
        self.tables_of("CHECKSUM", false, tables);
        self.word(match option {
            None => "",
            Some(ChecksumOption::Quick) => "QUICK",
            Some(ChecksumOption::Extended) => "EXTENDED",
        });
    }

    pub(super) fn key_cache_tables(&mut self, tables: &[KeyCacheTable]) {
        self.list(tables, |p, table| {
            p.object(&table.table);
            if let Some(partitions) = &table.partitions {
                p.word("PARTITION");
                if partitions.is_empty() {
                    p.word("(ALL)");
                } else {
                    p.idents(partitions);
                }
            }
            if let Some(indexes) = &table.indexes {
                p.word("INDEX");
                p.idents(indexes);
            }
            p.word_if(table.ignore_leaves, "IGNORE LEAVES");
        });
    }

    pub(super) fn flush(&mut self, no_log: bool, flush: &Flush) {
        self.word("FLUSH");
        self.word_if(no_log, "NO_WRITE_TO_BINLOG");
        match flush {
            Flush::Tables { tables, lock } => {
                self.word("TABLES");
                self.list(tables, Self::object);
                self.word(match lock {
                    FlushLock::None => "",
                    FlushLock::WithReadLock => "WITH READ LOCK",
                    FlushLock::ForExport => "FOR EXPORT",
                });
            }
            Flush::Options(options) => self.list(options, |p, option| match option {
                FlushOption::BinaryLogs => p.word("BINARY LOGS"),
                FlushOption::EngineLogs => p.word("ENGINE LOGS"),
                FlushOption::ErrorLogs => p.word("ERROR LOGS"),
                FlushOption::GeneralLogs => p.word("GENERAL LOGS"),
                FlushOption::Logs => p.word("LOGS"),
                FlushOption::SlowLogs => p.word("SLOW LOGS"),
                FlushOption::RelayLogs(channel) => {
                    p.word("RELAY LOGS");
                    p.channel(channel.as_ref());
                }
                FlushOption::Privileges => p.word("PRIVILEGES"),
                FlushOption::Status => p.word("STATUS"),
                FlushOption::UserResources => p.word("USER_RESOURCES"),
                FlushOption::OptimizerCosts => p.word("OPTIMIZER_COSTS"),
            }),
        }
    }

    pub(super) fn reset(&mut self, resets: &[Reset]) {
        self.word("RESET");
        self.list(resets, |p, reset| match reset {
            Reset::Replica { all, channel } => {
                p.word("REPLICA");
                p.word_if(*all, "ALL");
                p.channel(channel.as_ref());
            }
            Reset::BinaryLogs { to } => {
                p.word("BINARY LOGS AND GTIDS");
                if let Some(to) = to {
                    p.word("TO");
                    p.number(*to);
                }
            }
        });
    }

    pub(super) fn alter_instance(&mut self, alter: &AlterInstance) {
        self.word("ALTER INSTANCE");
        match alter {
            AlterInstance::RotateInnodbMasterKey => self.word("ROTATE INNODB MASTER KEY"),
            AlterInstance::RotateBinlogMasterKey => self.word("ROTATE BINLOG MASTER KEY"),
            AlterInstance::ReloadTls { channel, no_rollback } => {
                self.word("RELOAD TLS");
                if let Some(channel) = channel {
                    self.word("FOR CHANNEL");
                    self.ident(channel);
                }
                self.word_if(*no_rollback, "NO ROLLBACK ON ERROR");
            }
            AlterInstance::ReloadKeyring => self.word("RELOAD KEYRING"),
            AlterInstance::RedoLog { enable: true } => self.word("ENABLE INNODB REDO_LOG"),
            AlterInstance::RedoLog { enable: false } => self.word("DISABLE INNODB REDO_LOG"),
        }
    }

    pub(super) fn clone_statement(&mut self, clone: &CloneStatement) {
        match clone {
            CloneStatement::Local { directory } => {
                self.word_string("CLONE LOCAL DATA DIRECTORY =", Some(directory));
            }
            CloneStatement::Remote { user, port, password, directory, ssl } => {
                self.word("CLONE INSTANCE FROM");
                self.user(user);
                self.put(":");
                self.number(*port);
                self.word_string("IDENTIFIED BY", Some(password));
                self.word_string("DATA DIRECTORY =", directory.as_ref());
                match ssl {
                    None => {}
                    Some(true) => self.word("REQUIRE SSL"),
                    Some(false) => self.word("REQUIRE NO SSL"),
                }
            }
        }
    }

    pub(super) fn change_source(&mut self, change: &ChangeSource) {
        self.word("CHANGE REPLICATION SOURCE TO");
        self.list(&change.options, |p, (name, value)| {
            p.word(name);
            p.word("=");
            match value {
                SourceValue::Text(text) => p.string(text.as_bytes()),
                SourceValue::Number(text) | SourceValue::Word(text) => p.word(text),
                SourceValue::Null => p.word("NULL"),
                SourceValue::List(ids) => p.paren_list(ids, |p, id| p.number(*id)),
                SourceValue::User(user) => p.user(user),
            }
        });
        self.channel(change.channel.as_ref());
    }

    pub(super) fn change_filter(&mut self, change: &ChangeFilter) {
        self.word("CHANGE REPLICATION FILTER");
        self.list(&change.rules, |p, rule| match rule {
            FilterRule::DoDb(names) => p.filter_rule("DO_DB", names, Self::ident),
            FilterRule::IgnoreDb(names) => p.filter_rule("IGNORE_DB", names, Self::ident),
            FilterRule::DoTable(names) => p.filter_rule("DO_TABLE", names, Self::object),
            FilterRule::IgnoreTable(names) => p.filter_rule("IGNORE_TABLE", names, Self::object),
            FilterRule::WildDoTable(texts) => {
                p.filter_rule("WILD_DO_TABLE", texts, |p, text| p.string(text.as_bytes()));
            }
            FilterRule::WildIgnoreTable(texts) => {
                p.filter_rule("WILD_IGNORE_TABLE", texts, |p, text| p.string(text.as_bytes()));
            }
            FilterRule::RewriteDb(pairs) => {
                p.filter_rule("REWRITE_DB", pairs, |p, (from, to)| {
                    p.parens(|p| {
                        p.ident(from);
                        p.put(",");
                        p.ident(to);
                    });
                });
            }
        });
        self.channel(change.channel.as_ref());
    }

    fn filter_rule<R>(&mut self, name: &str, items: &[R], item: impl FnMut(&mut Self, &R)) {
        self.word("REPLICATE_");
        self.put(name);
        self.word("=");
        self.paren_list(items, item);
    }

    pub(super) fn threads(&mut self, threads: &[ReplicaThread]) {
        self.list(threads, |p, thread| {
            p.word(match thread {
                ReplicaThread::Io => "IO_THREAD",
                ReplicaThread::Sql => "SQL_THREAD",
            });
        });
    }

    pub(super) fn start_replica(&mut self, start: &StartReplica) {
        self.word("START REPLICA");
        self.threads(&start.threads);
        if !start.until.is_empty() {
            self.word("UNTIL");
            self.list(&start.until, |p, (name, value)| {
                p.word(name);
                match value {
                    UntilValue::Text(text) => p.word_string("=", Some(text)),
                    UntilValue::Number(n) => {
                        p.word("=");
                        p.number(*n);
                    }
                    UntilValue::None => {}
                }
            });
        }
        for credential in &start.credentials {
            self.credential(credential);
        }
        self.channel(start.channel.as_ref());
    }

    pub(super) fn credential(&mut self, (name, text): &(ReplicaCredential, Text)) {
        let word = match name {
            ReplicaCredential::User => "USER =",
            ReplicaCredential::Password => "PASSWORD =",
            ReplicaCredential::DefaultAuth => "DEFAULT_AUTH =",
            ReplicaCredential::PluginDir => "PLUGIN_DIR =",
        };
        self.word_string(word, Some(text));
    }
}
