//! Privileges and roles: USER_PRIVILEGES, APPLICABLE_ROLES and their like.

use std::collections::BTreeSet;
use std::sync::Arc;

use firn_mysql_semantics::Value;

use super::Facts;
use super::cell::{maybe, text, yes};
use crate::accounts::{AccountName, Directory, Privileges, Record};

/// The accounts that the session may look at: its own, or all.
fn seen(facts: &Facts) -> impl Iterator<Item = (&AccountName, &Arc<Record>)> {
    let all = facts.access.on_table("mysql", "user").has(Privileges::SELECT);
    let own = facts.access.account();
    facts.directory.iter().filter(move |(name, _)| all || *name == own)
}

/// The names of privileges, each a row; USAGE if there are none.
fn rows_of(rows: &mut Vec<Vec<Value>>, start: &[Value], privileges: Privileges) {
    let option = yes(privileges.has(Privileges::GRANT_OPTION));
    let others = privileges.without(Privileges::GRANT_OPTION);
    let names = others.names().chain(others.is_empty().then_some("USAGE"));
    for name in names {
        let mut row = start.to_vec();
        row.extend([text(name), option.clone()]);
        rows.push(row);
    }
}

pub(super) fn of_users(facts: &Facts) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for (name, record) in seen(facts) {
        let start = [text(name.quoted()), text("def")];
        rows_of(&mut rows, &start, record.grants.global);
        for (dynamic, option) in &record.grants.dynamic {
            let mut row = start.to_vec();
            row.extend([text(dynamic), yes(*option)]);
            rows.push(row);
        }
    }
    rows
}

pub(super) fn of_schemas(facts: &Facts) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for (name, record) in seen(facts) {
        for (database, privileges) in &record.grants.databases {
            let start = [text(name.quoted()), text("def"), text(database)];
            rows_of(&mut rows, &start, *privileges);
        }
    }
    rows
}

pub(super) fn of_tables(facts: &Facts) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for (name, record) in seen(facts) {
        for (database, tables) in &record.grants.tables {
            for (table, grant) in tables {
                if grant.privileges.is_empty() {
                    continue;
                }
                let start = [text(name.quoted()), text("def"), text(database), text(table)];
                rows_of(&mut rows, &start, grant.privileges);
            }
        }
    }
    rows
}

pub(super) fn of_columns(facts: &Facts) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for (name, record) in seen(facts) {
        for (database, tables) in &record.grants.tables {
            for (table, grant) in tables {
                let option = grant.privileges.and(Privileges::GRANT_OPTION);
                for (column, privileges) in &grant.columns {
                    let start = [
                        text(name.quoted()),
                        text("def"),
                        text(database),
                        text(table),
                        text(column),
                    ];
                    rows_of(&mut rows, &start, privileges.with(option));
                }
            }
        }
    }
    rows
}

pub(super) fn attributes(facts: &Facts) -> Vec<Vec<Value>> {
    let row = |(name, record): (&AccountName, &Arc<Record>)| {
        let attribute = record.attribute_text();
        vec![text(&name.user), text(&name.host), maybe(attribute)]
    };
    seen(facts).map(row).collect()
}

/// Roles that somebody has been granted, and those that these have been.
fn granted<'a>(
    directory: &'a Directory,
    to: &AccountName,
) -> Vec<(AccountName, &'a AccountName, bool)> {
    let (mut edges, mut seen, mut next) = (Vec::new(), BTreeSet::new(), vec![to.clone()]);
    while let Some(name) = next.pop() {
        let Some(record) = directory.get(&name) else { continue };
        for (role, admin) in &record.roles {
            edges.push((name.clone(), role, *admin));
            if seen.insert(role) {
                next.push(role.clone());
            }
        }
    }
    edges
}

pub(super) fn applicable(facts: &Facts) -> Vec<Vec<Value>> {
    roles(facts, false)
}

pub(super) fn administrable(facts: &Facts) -> Vec<Vec<Value>> {
    roles(facts, true)
}

fn roles(facts: &Facts, with_admin: bool) -> Vec<Vec<Value>> {
    let own = facts.access.account();
    let defaults = facts.directory.get(own).map(|record| &record.default_roles);
    let row = |(to, role, admin): (AccountName, &AccountName, bool)| {
        vec![
            text(&own.user),
            text(&own.host),
            text(&to.user),
            text(&to.host),
            text(&role.user),
            text(&role.host),
            yes(admin),
            yes(defaults.is_some_and(|roles| roles.contains(role))),
            text("NO"),
        ]
    };
    let edges = granted(&facts.directory, own).into_iter();
    edges.filter(|(.., admin)| *admin || !with_admin).map(row).collect()
}

pub(super) fn enabled(facts: &Facts) -> Vec<Vec<Value>> {
    let own = facts.directory.get(facts.access.account());
    let row = |role: &AccountName| {
        let default = own.is_some_and(|record| record.default_roles.contains(role));
        vec![text(&role.user), text(&role.host), yes(default), text("NO")]
    };
    facts.access.roles().map(row).collect()
}
