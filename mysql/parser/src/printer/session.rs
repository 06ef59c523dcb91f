//! SET, transactions, locks, XA, SIGNAL, diagnostics.

use super::Printer;
use crate::ast::{
    Begin, Completion, Diagnostics, DiagnosticsItem, DiagnosticsTarget, GetDiagnostics, Isolation,
    LockTable, SetItem, SetNames, SetPassword, SetValue, Signal, StatementItem, TableLock,
    TransactionCharacteristics, Xa, Xid,
};

impl Printer {
    pub(super) fn set_items(&mut self, items: &[SetItem]) {
        self.list(items, |p, item| match item {
            SetItem::User { name, value } => {
                p.user_variable(&name.text);
                p.word("=");
                p.expr(value);
            }
            SetItem::Variable { name, at_signs, value } => {
                if *at_signs {
                    p.word("@@");
                    p.system_variable(name);
                } else {
                    if let Some(scope) = name.scope {
                        p.word(scope.as_str());
                    }
                    p.blank();
                    if let Some(prefix) = &name.prefix {
                        p.schema(prefix);
                    }
                    p.name(&name.name.text);
                }
                p.word("=");
                match value {
                    SetValue::Default => p.word("DEFAULT"),
                    SetValue::Expr(expr) => p.expr(expr),
                    SetValue::Word(word) => p.word(word),
                }
            }
            SetItem::Names(names) => p.set_names("NAMES", names),
            SetItem::CharacterSet(names) => p.set_names("CHARACTER SET", names),
            SetItem::Password(password) => p.set_password(password),
        });
    }

    pub(super) fn set_names(&mut self, words: &str, names: &SetNames) {
        self.word(words);
        match &names.charset {
            Some(charset) => self.ident(charset),
            None => self.word("DEFAULT"),
        }
        self.collate(names.collation.as_ref());
    }

    pub(super) fn set_password(&mut self, set: &SetPassword) {
        self.word("PASSWORD");
        if let Some(user) = &set.user {
            self.word("FOR");
            self.user(user);
        }
        match &set.password {
            Some(password) => self.word_string("=", Some(password)),
            None => self.word("TO RANDOM"),
        }
        self.word_string("REPLACE", set.replace.as_ref());
        self.word_if(set.retain, "RETAIN CURRENT PASSWORD");
    }

    pub(super) fn characteristics_of(&mut self, all: TransactionCharacteristics) {
        self.word(match all.isolation {
            None => "",
            Some(Isolation::ReadUncommitted) => "ISOLATION LEVEL READ UNCOMMITTED",
            Some(Isolation::ReadCommitted) => "ISOLATION LEVEL READ COMMITTED",
            Some(Isolation::RepeatableRead) => "ISOLATION LEVEL REPEATABLE READ",
            Some(Isolation::Serializable) => "ISOLATION LEVEL SERIALIZABLE",
        });
        if all.isolation.is_some() && all.read_only.is_some() {
            self.put(",");
        }
        self.access_mode(all.read_only);
    }

    fn access_mode(&mut self, read_only: Option<bool>) {
        match read_only {
            None => {}
            Some(true) => self.word("READ ONLY"),
            Some(false) => self.word("READ WRITE"),
        }
    }

    pub(super) fn begin(&mut self, begin: Begin) {
        self.word("START TRANSACTION");
        self.word_if(begin.consistent_snapshot, "WITH CONSISTENT SNAPSHOT");
        if begin.consistent_snapshot && begin.read_only.is_some() {
            self.put(",");
        }
        self.access_mode(begin.read_only);
    }

    pub(super) fn completion(&mut self, verb: &str, completion: Completion) {
        self.word(verb);
        match completion.chain {
            None => {}
            Some(true) => self.word("AND CHAIN"),
            Some(false) => self.word("AND NO CHAIN"),
        }
        match completion.release {
            None => {}
            Some(true) => self.word("RELEASE"),
            Some(false) => self.word("NO RELEASE"),
        }
    }

    pub(super) fn lock_tables(&mut self, tables: &[LockTable]) {
        self.word("LOCK TABLES");
        self.list(tables, |p, lock| {
            p.object(&lock.table);
            p.alias(lock.alias.as_ref());
            p.word(match lock.kind {
                TableLock::Read => "READ",
                TableLock::ReadLocal => "READ LOCAL",
                TableLock::Write => "WRITE",
                TableLock::LowPriorityWrite => "LOW_PRIORITY WRITE",
            });
        });
    }

    pub(super) fn xa(&mut self, xa: &Xa) {
        match xa {
            Xa::Start { id, join, resume } => {
                self.xid("XA START", id);
                self.word_if(*join, "JOIN");
                self.word_if(*resume, "RESUME");
            }
            Xa::End { id, suspend, for_migrate } => {
                self.xid("XA END", id);
                self.word_if(*suspend, "SUSPEND");
                self.word_if(*for_migrate, "FOR MIGRATE");
            }
            Xa::Prepare(id) => self.xid("XA PREPARE", id),
            Xa::Commit { id, one_phase } => {
                self.xid("XA COMMIT", id);
                self.word_if(*one_phase, "ONE PHASE");
            }
            Xa::Rollback(id) => self.xid("XA ROLLBACK", id),
            Xa::Recover { convert_xid } => {
                self.word("XA RECOVER");
                self.word_if(*convert_xid, "CONVERT XID");
            }
        }
    }

    fn xid(&mut self, verb: &str, id: &Xid) {
        self.word_string(verb, Some(&id.global));
        if let Some(branch) = &id.branch {
            self.word_string(",", Some(branch));
        }
        if let Some(format) = id.format {
            self.put(",");
            self.number(format);
        }
    }

    pub(super) fn signal(&mut self, verb: &str, signal: &Signal) {
        self.word(verb);
        if let Some(condition) = &signal.condition {
            self.signal_condition(condition);
        }
        if !signal.set.is_empty() {
            self.word("SET");
            self.list(&signal.set, |p, (item, value)| {
                p.word(diagnostics_item(*item));
                p.word("=");
                p.expr(value);
            });
        }
    }

    pub(super) fn get_diagnostics(&mut self, get: &GetDiagnostics) {
        self.word(if get.stacked { "GET STACKED DIAGNOSTICS" } else { "GET DIAGNOSTICS" });
        match &get.what {
            Diagnostics::Statement(items) => self.list(items, |p, (target, item)| {
                p.diagnostics_target(target);
                p.word(match item {
                    StatementItem::Number => "= NUMBER",
                    StatementItem::RowCount => "= ROW_COUNT",
                });
            }),
            Diagnostics::Condition(number, items) => {
                self.word("CONDITION");
                self.expr(number);
                self.list(items, |p, (target, item)| {
                    p.diagnostics_target(target);
                    p.word("=");
                    p.word(diagnostics_item(*item));
                });
            }
        }
    }

    fn diagnostics_target(&mut self, target: &DiagnosticsTarget) {
        match target {
            DiagnosticsTarget::User(name) => self.user_variable(&name.text),
            DiagnosticsTarget::Local(name) => self.ident(name),
        }
    }
}

fn diagnostics_item(item: DiagnosticsItem) -> &'static str {
    match item {
        DiagnosticsItem::ClassOrigin => "CLASS_ORIGIN",
        DiagnosticsItem::SubclassOrigin => "SUBCLASS_ORIGIN",
        DiagnosticsItem::ReturnedSqlstate => "RETURNED_SQLSTATE",
        DiagnosticsItem::MessageText => "MESSAGE_TEXT",
        DiagnosticsItem::MysqlErrno => "MYSQL_ERRNO",
        DiagnosticsItem::ConstraintCatalog => "CONSTRAINT_CATALOG",
        DiagnosticsItem::ConstraintSchema => "CONSTRAINT_SCHEMA",
        DiagnosticsItem::ConstraintName => "CONSTRAINT_NAME",
        DiagnosticsItem::CatalogName => "CATALOG_NAME",
        DiagnosticsItem::SchemaName => "SCHEMA_NAME",
        DiagnosticsItem::TableName => "TABLE_NAME",
        DiagnosticsItem::ColumnName => "COLUMN_NAME",
        DiagnosticsItem::CursorName => "CURSOR_NAME",
    }
}
