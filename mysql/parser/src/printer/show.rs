//! SHOW.

use super::Printer;
use crate::ast::{
    EngineInfo, Ident, Limit, ProfileKind, Scope, Show, ShowCreate, ShowFilter, Text,
};

impl Printer {
    pub(super) fn show(&mut self, show: &Show) {
        self.word("SHOW");
        match show {
            Show::Databases(filter) => self.filtered("DATABASES", filter),
            Show::Tables { extended, full, schema, filter } => {
                self.word_if(*extended, "EXTENDED");
                self.word_if(*full, "FULL");
                self.in_schema("TABLES", schema.as_ref(), filter);
            }
            Show::TableStatus { schema, filter } => {
                self.in_schema("TABLE STATUS", schema.as_ref(), filter);
            }
            Show::OpenTables { schema, filter } => {
                self.in_schema("OPEN TABLES", schema.as_ref(), filter);
            }
            Show::Triggers { full, schema, filter } => {
                self.word_if(*full, "FULL");
                self.in_schema("TRIGGERS", schema.as_ref(), filter);
            }
            Show::Events { schema, filter } => self.in_schema("EVENTS", schema.as_ref(), filter),
            Show::Columns { extended, full, table, filter } => {
                self.word_if(*extended, "EXTENDED");
                self.word_if(*full, "FULL");
                self.word("COLUMNS FROM");
                self.object(table);
                self.filtered("", filter);
            }
            Show::Index { extended, table, filter } => {
                self.word_if(*extended, "EXTENDED");
                self.word("INDEX FROM");
                self.object(table);
                self.filter(filter.as_ref());
            }
            Show::Variables { scope, filter } => self.scoped(*scope, "VARIABLES", filter),
            Show::Status { scope, filter } => self.scoped(*scope, "STATUS", filter),
            Show::CharacterSet(filter) => self.filtered("CHARACTER SET", filter),
            Show::Collation(filter) => self.filtered("COLLATION", filter),
            Show::RoutineStatus(kind, filter) => {
                self.routine_kind(*kind);
                self.filtered("STATUS", filter);
            }
            Show::RoutineCode(kind, name) => {
                self.routine_kind(*kind);
                self.word("CODE");
                self.object(name);
            }
            Show::Create(kind, name) => {
                self.word(match kind {
                    ShowCreate::Table => "CREATE TABLE",
                    ShowCreate::View => "CREATE VIEW",
                    ShowCreate::Procedure => "CREATE PROCEDURE",
                    ShowCreate::Function => "CREATE FUNCTION",
                    ShowCreate::Trigger => "CREATE TRIGGER",
                    ShowCreate::Event => "CREATE EVENT",
                });
                self.object(name);
            }
            Show::CreateDatabase { if_not_exists, name } => {
                self.word("CREATE DATABASE");
                self.word_if(*if_not_exists, "IF NOT EXISTS");
                self.ident(name);
            }
            Show::CreateUser(user) => {
                self.word("CREATE USER");
                self.user(user);
            }
            Show::Grants { user, using } => {
                self.word("GRANTS");
                if let Some(user) = user {
                    self.word("FOR");
                    self.user(user);
                }
                if !using.is_empty() {
                    self.word("USING");
                    self.users(using);
                }
            }
            Show::Privileges => self.word("PRIVILEGES"),
            Show::ProcessList { full } => {
                self.word_if(*full, "FULL");
                self.word("PROCESSLIST");
            }
            Show::Engines => self.word("ENGINES"),
            Show::Engine { name, what } => {
                self.word("ENGINE");
                match name {
                    Some(name) => self.ident(name),
                    None => self.word("ALL"),
                }
                self.word(match what {
                    EngineInfo::Status => "STATUS",
                    EngineInfo::Mutex => "MUTEX",
                    EngineInfo::Logs => "LOGS",
                });
            }
            Show::Plugins => self.word("PLUGINS"),
            Show::Warnings(limit) => self.limited("WARNINGS", limit.as_ref()),
            Show::Errors(limit) => self.limited("ERRORS", limit.as_ref()),
            Show::CountWarnings => self.word("COUNT(*) WARNINGS"),
            Show::CountErrors => self.word("COUNT(*) ERRORS"),
            Show::Profiles => self.word("PROFILES"),
            Show::Profile { kinds, query, limit } => {
                self.word("PROFILE");
                self.list(kinds, |p, kind| p.word(profile(*kind)));
                if let Some(query) = query {
                    self.word("FOR QUERY");
                    self.number(*query);
                }
                self.limit(limit.as_ref());
            }
            Show::BinaryLogs => self.word("BINARY LOGS"),
            Show::BinaryLogStatus => self.word("BINARY LOG STATUS"),
            Show::BinlogEvents { file, position, limit } => {
                self.word("BINLOG EVENTS");
                self.log_position(file.as_ref(), *position);
                self.limit(limit.as_ref());
            }
            Show::RelaylogEvents { file, position, limit, channel } => {
                self.word("RELAYLOG EVENTS");
                self.log_position(file.as_ref(), *position);
                self.limit(limit.as_ref());
                self.channel(channel.as_ref());
            }
            Show::Replicas => self.word("REPLICAS"),
            Show::ReplicaStatus(channel) => {
                self.word("REPLICA STATUS");
                self.channel(channel.as_ref());
            }
        }
    }

    fn filtered(&mut self, words: &str, filter: &ShowFilter) {
        self.word(words);
        match filter {
            ShowFilter::None => {}
            ShowFilter::Like(pattern) => self.word_string("LIKE", Some(pattern)),
            ShowFilter::Where(expr) => self.filter(Some(expr)),
        }
    }

    fn in_schema(&mut self, words: &str, schema: Option<&Ident>, filter: &ShowFilter) {
        self.word(words);
        if let Some(schema) = schema {
            self.word("FROM");
            self.ident(schema);
        }
        self.filtered("", filter);
    }

    fn scoped(&mut self, scope: Option<Scope>, words: &str, filter: &ShowFilter) {
        if let Some(scope) = scope {
            self.word(scope.as_str());
        }
        self.filtered(words, filter);
    }

    fn limited(&mut self, words: &str, limit: Option<&Limit>) {
        self.word(words);
        self.limit(limit);
    }

    fn log_position(&mut self, file: Option<&Text>, position: Option<u64>) {
        self.word_string("IN", file);
        if let Some(position) = position {
            self.word("FROM");
            self.number(position);
        }
    }

    pub(super) fn channel(&mut self, channel: Option<&Text>) {
        self.word_string("FOR CHANNEL", channel);
    }
}

fn profile(kind: ProfileKind) -> &'static str {
    match kind {
        ProfileKind::Cpu => "CPU",
        ProfileKind::Memory => "MEMORY",
        ProfileKind::BlockIo => "BLOCK IO",
        ProfileKind::ContextSwitches => "CONTEXT SWITCHES",
        ProfileKind::PageFaults => "PAGE FAULTS",
        ProfileKind::Ipc => "IPC",
        ProfileKind::Swaps => "SWAPS",
        ProfileKind::Source => "SOURCE",
        ProfileKind::All => "ALL",
    }
}
