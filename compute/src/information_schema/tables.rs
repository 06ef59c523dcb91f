//! TABLES, VIEWS and PARTITIONS.
//!
//! How many rows a table has is an estimate, as MySQL's is; its bytes are those of its files,
//! indexes and column copies included.

use std::sync::atomic::Ordering;

use firn_mysql_semantics::Value;
use firn_mysql_semantics::collation::Collation;
use firn_table::descriptor::TableDescriptor;

use super::Facts;
use super::cell::{maybe, maybe_number, moment, number, text};
use super::definition;
use crate::accounts::Privileges;
use crate::catalog::{Relation, ViewDescriptor};
use crate::statistics::{bytes_of, rows_of};

/// A table, a view, or a table that is not stored.
pub(crate) enum Named<'a> {
    Table(&'a TableDescriptor),
    View(&'a ViewDescriptor),
    System(&'static definition::TableDefinition),
}

/// What SHOW TABLE STATUS and TABLES have in common.
pub(crate) struct Status {
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    pub(crate) engine: Option<&'static str>,
    pub(crate) version: Option<u64>,
    pub(crate) row_format: Option<&'static str>,
    pub(crate) auto_increment: Option<u64>,
    pub(crate) created_micros: Option<i64>,
    pub(crate) collation: Option<&'static str>,
    pub(crate) options: Option<String>,
    pub(crate) comment: String,
}

/// TABLE_ROWS, AVG_ROW_LENGTH, DATA_LENGTH, MAX_DATA_LENGTH, INDEX_LENGTH, DATA_FREE
fn sizes(facts: &Facts, named: &Named<'_>) -> [Value; 6] {
    let Named::Table(table) = named else { return [const { Value::Null }; 6] };
    let db = facts.server.transactions.db();
    let (rows, bytes) = (rows_of(db, table), bytes_of(db, table));
    [rows, bytes.checked_div(rows).unwrap_or_default(), bytes, 0, 0, 0].map(number)
}

impl Status {
    /// Of something with a name.
    pub(crate) fn of(facts: &Facts, named: &Named<'_>) -> Self {
        match named {
            Named::Table(table) => Self {
                name: table.name.clone(),
                kind: "BASE TABLE",
                engine: Some("InnoDB"),
                version: Some(10),
                row_format: Some(row_format(table)),
                auto_increment: next_auto_increment(facts, table),
                created_micros: Some(table.created_micros),
                collation: Collation::by_id(table.collation.0).map(Collation::name),
                options: Some(options(table)),
                comment: table.comment.clone(),
            },
            Named::View(view) => Self {
                name: view.name.clone(),
                kind: "VIEW",
                engine: None,
                version: None,
                row_format: None,
                auto_increment: None,
                created_micros: Some(view.created_micros),
                collation: None,
                options: None,
                comment: "VIEW".to_owned(),
            },
            Named::System(system) => Self {
                name: system.name.to_owned(),
                kind: match system.schema {
                    "information_schema" => "SYSTEM VIEW",
                    _ => "BASE TABLE",
                },
                engine: match system.schema {
                    "performance_schema" => Some("PERFORMANCE_SCHEMA"),
                    "mysql" => Some("InnoDB"),
                    _ => None,
                },
                version: Some(10),
                row_format: (system.schema == "mysql").then_some("Dynamic"),
                auto_increment: None,
                created_micros: None,
                collation: None,
                options: Some(String::new()),
                comment: String::new(),
            },
        }
    }
}

/// The next value of AUTO_INCREMENT, if the table has one and it is known already: a table
/// that nobody has written to since the start has to be read for it.
fn next_auto_increment(facts: &Facts, table: &TableDescriptor) -> Option<u64> {
    table.columns.iter().find(|column| column.auto_increment)?;
    let open = facts.catalog.table_by_id(table.id)?;
    let open = facts.server.opened.get(&open.descriptor).ok()?;
    let next = open.numbers.next_auto_increment.load(Ordering::Relaxed);
    (next != 0).then_some(next)
}

fn row_format(table: &TableDescriptor) -> &'static str {
    let written = table.options.iter().find(|(name, _)| name == "ROW_FORMAT");
    match written.map(|(_, value)| value.as_str()) {
        Some("COMPACT") => "Compact",
        Some("REDUNDANT") => "Redundant",
        Some("COMPRESSED") => "Compressed",
        _ => "Dynamic",
    }
}

fn options(table: &TableDescriptor) -> String {
    let shown =
        table.options.iter().filter(|(name, _)| name != "CONNECTION").map(|(name, value)| {
            format!("{}={}", name.to_ascii_lowercase(), value.trim_matches('\''))
        });
    shown.collect::<Vec<_>>().join(" ")
}

/// All that has a name in a database, in order; nothing for one that is not there.
pub(crate) fn named<'a>(facts: &'a Facts, schema: &str) -> Vec<Named<'a>> {
    if let Some(schema) = super::schema(schema) {
        let open = super::is_open(schema);
        let all = definition::tables().iter().filter(|table| table.schema == schema);
        let seen = all.filter(|table| open || facts.access.sees_table(schema, table.name));
        return seen.map(Named::System).collect();
    }
    let Some(schema) = facts.catalog.schema(schema) else { return Vec::new() };
    schema
        .relations
        .values()
        .map(|relation| match relation {
            Relation::Table(table) => Named::Table(&table.descriptor),
            Relation::View(view) => Named::View(view),
        })
        .collect()
}

pub(super) fn rows(facts: &Facts) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for schema in super::schemata::names(facts) {
        for one in named(facts, &schema) {
            let status = Status::of(facts, &one);
            let mut row = vec![
                text("def"),
                text(&schema),
                text(&status.name),
                text(status.kind),
                maybe(status.engine),
                maybe_number(status.version),
                maybe(status.row_format),
            ];
            row.extend(sizes(facts, &one));
            row.extend([
                maybe_number(status.auto_increment),
                status.created_micros.map_or(Value::Null, |at| moment(at, &facts.zone)),
                Value::Null,
                Value::Null,
                maybe(status.collation),
                Value::Null,
                maybe(status.options.as_deref()),
                text(&status.comment),
            ]);
            rows.push(row);
        }
    }
    rows
}

pub(super) fn views(facts: &Facts) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for (schema, known) in &facts.catalog.schemas {
        for relation in known.relations.values() {
            let Relation::View(view) = relation else { continue };
            rows.push(vec![
                text("def"),
                text(&**schema),
                text(&view.name),
                text(if sees_definition(facts, view) { view.query.as_str() } else { "" }),
                text(view.check.as_deref().unwrap_or("NONE")),
                // Rows of views are read, not written.
                text("NO"),
                text(format!("{}@{}", view.definer.0, view.definer.1)),
                text(if view.invoker { "INVOKER" } else { "DEFINER" }),
                text(&view.charset_client),
                text(&view.collation_connection),
            ]);
        }
    }
    rows
}

fn sees_definition(facts: &Facts, view: &ViewDescriptor) -> bool {
    facts.access.on_table(&view.schema, &view.name).has(Privileges::SHOW_VIEW)
}

/// One row a table, as MySQL has it for tables without partitions.
pub(super) fn partitions(facts: &Facts) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for (schema, known) in &facts.catalog.schemas {
        for table in known.tables() {
            let table = &table.descriptor;
            let mut row = vec![text("def"), text(&**schema), text(&table.name)];
            row.resize(19, Value::Null);
            row.push(moment(table.created_micros, &facts.zone));
            row.resize(23, Value::Null);
            row.extend([text(""), text(""), Value::Null]);
            rows.push(row);
        }
    }
    rows
}

/// A row of SHOW TABLE STATUS.
pub(crate) fn status_row(facts: &Facts, one: &Named<'_>) -> Vec<Value> {
    let status = Status::of(facts, one);
    let mut row = vec![
        text(&status.name),
        maybe(status.engine),
        status.version.map_or(Value::Null, number),
        maybe(status.row_format),
    ];
    row.extend(sizes(facts, one));
    row.extend([
        maybe_number(status.auto_increment),
        status.created_micros.map_or(Value::Null, |at| moment(at, &facts.zone)),
        Value::Null,
        Value::Null,
        maybe(status.collation),
        Value::Null,
        maybe(status.options.as_deref()),
        text(&status.comment),
    ]);
    row
}
