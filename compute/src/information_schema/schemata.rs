//! SCHEMATA.

use firn_mysql_semantics::Value;
use firn_mysql_semantics::collation::Collation;

use super::cell::text;
use super::{Facts, database_collation};

/// Names of all databases, in order.
pub(crate) fn names(facts: &Facts) -> Vec<String> {
    let stored = facts.catalog.schemas.keys().map(|name| name.to_string());
    let others = super::SCHEMAS.into_iter();
    let others = others.filter(|name| super::is_open(name) || facts.access.sees_database(name));
    let mut names: Vec<String> = stored.chain(others.map(str::to_owned)).collect();
    names.sort_unstable();
    names
}

pub(super) fn rows(facts: &Facts) -> Vec<Vec<Value>> {
    let row = |name: String| {
        let collation = database_collation(&facts.catalog, &name).unwrap_or(Collation::binary());
        vec![
            text("def"),
            text(&name),
            text(collation.charset().name()),
            text(collation.name()),
            Value::Null,
            text("NO"),
        ]
    };
    names(facts).into_iter().map(row).collect()
}
