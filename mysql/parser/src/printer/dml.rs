//! INSERT, UPDATE, DELETE and the statements around them.

use super::Printer;
use super::expr::binary;
use crate::ast::{
    Assignment, Delete, Describe, Duplicates, Explain, ExplainTarget, Handler, HandlerAction,
    HandlerPosition, Insert, InsertSource, Load, LoadColumn, LoadPriority, LoadSource, Priority,
    Update,
};

impl Printer {
    pub(super) fn insert(&mut self, insert: &Insert) {
        self.word(if insert.replace { "REPLACE" } else { "INSERT" });
        self.hints(&insert.hints);
        self.word(match insert.priority {
            None => "",
            Some(Priority::Low) => "LOW_PRIORITY",
            Some(Priority::High) => "HIGH_PRIORITY",
            Some(Priority::Delayed) => "DELAYED",
        });
        self.word_if(insert.ignore, "IGNORE");
        self.word("INTO");
        self.object(&insert.table);
        self.partition(&insert.partitions);
        if !insert.columns.is_empty() {
            self.paren_list(&insert.columns, Self::column);
        }
        match &insert.source {
            InsertSource::Values(rows) => {
                self.word("VALUES");
                self.list(rows, |p, row| p.paren_list(row, Self::expr));
            }
            InsertSource::Set(assignments) => {
                self.word("SET");
                self.assignments(assignments);
            }
            InsertSource::Query(query) => self.query(query),
        }
        if let Some(alias) = &insert.alias {
            self.alias(Some(&alias.0));
            if !alias.1.is_empty() {
                self.idents(&alias.1);
            }
        }
        if !insert.on_duplicate.is_empty() {
            self.word("ON DUPLICATE KEY UPDATE");
            self.assignments(&insert.on_duplicate);
        }
    }

    pub(super) fn partition(&mut self, names: &[crate::ast::Ident]) {
        if !names.is_empty() {
            self.word("PARTITION");
            self.idents(names);
        }
    }

    pub(super) fn assignments(&mut self, assignments: &[Assignment]) {
        self.list(assignments, |p, assignment| {
            p.column(&assignment.column);
            p.word("=");
            p.expr(&assignment.value);
        });
    }

    pub(super) fn update(&mut self, update: &Update) {
        self.with(update.with.as_ref());
        self.word("UPDATE");
        self.hints(&update.hints);
        self.word_if(update.low_priority, "LOW_PRIORITY");
        self.word_if(update.ignore, "IGNORE");
        self.tables(&update.tables);
        self.word("SET");
        self.assignments(&update.assignments);
        self.filter(update.filter.as_ref());
        self.order_by(&update.order_by);
        self.limit(update.limit.as_ref());
    }

    pub(super) fn delete(&mut self, delete: &Delete) {
        self.with(delete.with.as_ref());
        self.word("DELETE");
        self.hints(&delete.hints);
        self.word_if(delete.low_priority, "LOW_PRIORITY");
        self.word_if(delete.quick, "QUICK");
        self.word_if(delete.ignore, "IGNORE");
        if !delete.targets.is_empty() {
            self.list(&delete.targets, Self::object);
        }
        self.word("FROM");
        match delete.tables.as_slice() {
            // With one table, partitions stand behind the alias.
            [crate::ast::TableRef::Table(table)] if delete.targets.is_empty() => {
                self.object(&table.name);
                self.alias(table.alias.as_ref());
                self.partition(&table.partitions);
            }
            tables => self.tables(tables),
        }
        self.filter(delete.filter.as_ref());
        self.order_by(&delete.order_by);
        self.limit(delete.limit.as_ref());
    }

    pub(super) fn handler(&mut self, handler: &Handler) {
        self.word("HANDLER");
        self.object(&handler.table);
        match &handler.action {
            HandlerAction::Open { alias } => {
                self.word("OPEN");
                self.alias(alias.as_ref());
            }
            HandlerAction::Close => self.word("CLOSE"),
            HandlerAction::Read { index, position, filter, limit } => {
                self.word("READ");
                if let Some(index) = index {
                    self.ident(index);
                }
                match position {
                    HandlerPosition::First => self.word("FIRST"),
                    HandlerPosition::Next => self.word("NEXT"),
                    HandlerPosition::Prev => self.word("PREV"),
                    HandlerPosition::Last => self.word("LAST"),
                    HandlerPosition::Key(op, values) => {
                        self.word(binary(*op).0);
                        self.paren_list(values, Self::expr);
                    }
                }
                self.filter(filter.as_ref());
                self.limit(limit.as_ref());
            }
        }
    }

    pub(super) fn duplicates(&mut self, duplicates: Option<Duplicates>) {
        self.word(match duplicates {
            None => "",
            Some(Duplicates::Ignore) => "IGNORE",
            Some(Duplicates::Replace) => "REPLACE",
        });
    }

    pub(super) fn load(&mut self, load: &Load) {
        self.word(if load.xml { "LOAD XML" } else { "LOAD DATA" });
        self.word(match load.priority {
            None => "",
            Some(LoadPriority::Low) => "LOW_PRIORITY",
            Some(LoadPriority::Concurrent) => "CONCURRENT",
        });
        self.word_if(load.local, "LOCAL");
        self.word(match load.source {
            LoadSource::Infile => "INFILE",
            LoadSource::Url => "URL",
            LoadSource::S3 => "S3",
        });
        self.string(load.file.as_bytes());
        if let Some(count) = load.count {
            self.word("COUNT");
            self.number(count);
        }
        self.word_if(load.in_primary_key_order, "IN PRIMARY KEY ORDER");
        self.duplicates(load.duplicates);
        self.word("INTO TABLE");
        self.object(&load.table);
        self.partition(&load.partitions);
        if let Some(charset) = &load.charset {
            self.word("CHARACTER SET");
            self.ident(charset);
        }
        self.word_string("COMPRESSION =", load.compression.as_ref());
        self.word_string("ROWS IDENTIFIED BY", load.rows_identified_by.as_ref());
        self.file_format(&load.format);
        if load.skip > 0 {
            self.word("IGNORE");
            self.number(load.skip);
            self.word("LINES");
        }
        if !load.columns.is_empty() {
            self.paren_list(&load.columns, |p, column| match column {
                LoadColumn::Column(column) => p.column(column),
                LoadColumn::Variable(name) => p.user_variable(&name.text),
            });
        }
        if !load.set.is_empty() {
            self.word("SET");
            self.assignments(&load.set);
        }
        if let Some(parallel) = load.parallel {
            self.word("PARALLEL =");
            self.number(parallel);
        }
        if let Some(memory) = &load.memory {
            self.word("MEMORY =");
            self.word(memory);
        }
        self.word_if(load.algorithm_bulk, "ALGORITHM = BULK");
    }

    pub(super) fn explain(&mut self, explain: &Explain) {
        self.word("EXPLAIN");
        self.word_if(explain.analyze, "ANALYZE");
        if let Some(format) = &explain.format {
            self.word("FORMAT =");
            self.ident(format);
        }
        if let Some(into) = &explain.into {
            self.word("INTO");
            self.user_variable(&into.text);
        }
        if let Some(schema) = &explain.schema {
            self.word("FOR SCHEMA");
            self.ident(schema);
        }
        match &explain.target {
            ExplainTarget::Statement(statement) => self.statement(statement),
            ExplainTarget::Connection(id) => {
                self.word("FOR CONNECTION");
                self.number(*id);
            }
        }
    }

    pub(super) fn describe(&mut self, describe: &Describe) {
        self.word("DESCRIBE");
        self.object(&describe.table);
        self.word_string("", describe.columns.as_ref());
    }
}
