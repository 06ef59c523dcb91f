//! TABLE_CONSTRAINTS, KEY_COLUMN_USAGE, REFERENTIAL_CONSTRAINTS and CHECK_CONSTRAINTS.

use firn_mysql_semantics::Value;
use firn_table::descriptor::{
    ColumnId, ForeignKey, IndexKind, ReferentialAction, TableDescriptor, same_name,
};

use super::Facts;
use super::cell::{maybe, number, text, yes};

fn tables(facts: &Facts) -> impl Iterator<Item = (&str, &TableDescriptor)> {
    facts.catalog.schemas.iter().flat_map(|(schema, known)| {
        known.tables().map(move |table| (&**schema, &*table.descriptor))
    })
}

fn column_name(table: &TableDescriptor, id: ColumnId) -> &str {
    table.column(id).map_or("", |column| column.name.as_str())
}

pub(super) fn rows(facts: &Facts) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for (schema, table) in tables(facts) {
        let mut add = |name: &str, kind: &str, enforced: bool| {
            rows.push(vec![
                text("def"),
                text(schema),
                text(name),
                text(schema),
                text(&table.name),
                text(kind),
                yes(enforced),
            ]);
        };
        for index in &table.indexes {
            match index.kind {
                IndexKind::Primary => add(&index.name, "PRIMARY KEY", true),
                IndexKind::Unique => add(&index.name, "UNIQUE", true),
                IndexKind::Plain => {}
            }
        }
        table.foreign_keys.iter().for_each(|key| add(&key.name, "FOREIGN KEY", true));
        table.checks.iter().for_each(|check| add(&check.name, "CHECK", check.enforced));
    }
    rows
}

pub(super) fn key_columns(facts: &Facts) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for (schema, table) in tables(facts) {
        let mut add = |name: &str, at: usize, column: &str, parent: Option<(&ForeignKey, &str)>| {
            rows.push(vec![
                text("def"),
                text(schema),
                text(name),
                text("def"),
                text(schema),
                text(&table.name),
                text(column),
                number(at as u64 + 1),
                parent.map_or(Value::Null, |_| number(at as u64 + 1)),
                maybe(parent.map(|(key, _)| key.parent_schema.as_str())),
                maybe(parent.map(|(key, _)| key.parent_table.as_str())),
                maybe(parent.map(|(_, column)| column)),
            ]);
        };
        for index in table.indexes.iter().filter(|index| index.is_unique()) {
            for (at, part) in index.parts.iter().enumerate() {
                // Expressions of an index are no columns.
                if let Some(column) = table.column(part.column).filter(|column| !column.hidden) {
                    add(&index.name, at, &column.name, None);
                }
            }
        }
        for key in &table.foreign_keys {
            for (at, (column, parent)) in key.columns.iter().zip(&key.parent_columns).enumerate() {
                add(&key.name, at, column_name(table, *column), Some((key, parent)));
            }
        }
    }
    rows
}

fn rule(action: ReferentialAction) -> &'static str {
    match action {
        ReferentialAction::NoAction => "NO ACTION",
        ReferentialAction::Restrict => "RESTRICT",
        ReferentialAction::Cascade => "CASCADE",
        ReferentialAction::SetNull => "SET NULL",
        ReferentialAction::SetDefault => "SET DEFAULT",
    }
}

/// The unique key of the parent that a foreign key refers to.
fn parent_key<'a>(facts: &'a Facts, key: &ForeignKey) -> Option<&'a str> {
    let parent = facts.catalog.table(&key.parent_schema, &key.parent_table)?;
    let parent = &parent.descriptor;
    let same = |index: &&firn_table::descriptor::IndexDescriptor| {
        index.is_unique()
            && index.parts.len() == key.parent_columns.len()
            && index
                .parts
                .iter()
                .zip(&key.parent_columns)
                .all(|(part, name)| same_name(column_name(parent, part.column), name))
    };
    parent.indexes.iter().find(same).map(|index| index.name.as_str())
}

pub(super) fn references(facts: &Facts) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for (schema, table) in tables(facts) {
        for key in &table.foreign_keys {
            rows.push(vec![
                text("def"),
                text(schema),
                text(&key.name),
                text("def"),
                text(&key.parent_schema),
                maybe(parent_key(facts, key)),
                text("NONE"),
                text(rule(key.on_update)),
                text(rule(key.on_delete)),
                text(&table.name),
                text(&key.parent_table),
            ]);
        }
    }
    rows
}

pub(super) fn checks(facts: &Facts) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for (schema, table) in tables(facts) {
        for check in &table.checks {
            let clause = crate::catalog::show::escaped(&check.expr);
            rows.push(vec![text("def"), text(schema), text(&check.name), text(clause)]);
        }
    }
    rows
}
