//! SHOW DATABASES, TABLES and TABLE STATUS.

use firn_mysql_parser::ast::ShowFilter;

use super::Shown;
use crate::information_schema::cell::text;
use crate::information_schema::tables::{Status, named, status_row};
use crate::information_schema::{Facts, schema, schemata};

/// Names of columns tell the pattern.
fn with_pattern(name: &str, filter: &ShowFilter) -> String {
    match filter {
        ShowFilter::Like(pattern) => format!("{name} ({pattern})"),
        _ => name.to_owned(),
    }
}

pub(super) fn databases(facts: &Facts, filter: &ShowFilter) -> Shown {
    let rows = schemata::names(facts).iter().map(|name| vec![text(name)]).collect();
    Shown::new("databases", rows).named(0, &with_pattern("Database", filter)).cased()
}

pub(super) fn tables(facts: &Facts, full: bool, database: String, filter: &ShowFilter) -> Shown {
    let rows = named(facts, &database)
        .iter()
        .map(|one| {
            let status = Status::of(facts, one);
            let mut row = vec![text(&status.name)];
            if full {
                row.push(text(status.kind));
            }
            row
        })
        .collect();
    let name = with_pattern(&format!("Tables_in_{database}"), filter);
    let shown = Shown::new(if full { "full tables" } else { "tables" }, rows).named(0, &name);
    // Names of tables that are not stored have no case.
    if schema(&database).is_some() { shown } else { shown.cased() }
}

pub(super) fn table_status(facts: &Facts, database: String) -> Shown {
    let rows = named(facts, &database).iter().map(|one| status_row(facts, one)).collect();
    let shown = Shown::new("table status", rows);
    if schema(&database).is_some() { shown } else { shown.cased() }
}
