//! Tables of the database `mysql` that have the accounts: to be read, not to be written.

use firn_mysql_semantics::Value;

use super::Facts;
use super::cell::{maybe, moment, number, text};
use crate::accounts::{Lifetime, Privileges as P, Record, Require, RequireCurrent};

type Rows = Vec<Vec<Value>>;

/// Privileges in the order of `mysql.db`.
const OF_DATABASES: [P; 19] = [
    P::SELECT,
    P::INSERT,
    P::UPDATE,
    P::DELETE,
    P::CREATE,
    P::DROP,
    P::GRANT_OPTION,
    P::REFERENCES,
    P::INDEX,
    P::ALTER,
    P::CREATE_TEMPORARY_TABLES,
    P::LOCK_TABLES,
    P::CREATE_VIEW,
    P::SHOW_VIEW,
    P::CREATE_ROUTINE,
    P::ALTER_ROUTINE,
    P::EXECUTE,
    P::EVENT,
    P::TRIGGER,
];

/// Words of privileges that are others in SETs than in statements.
const SET_WORDS: [(&str, &str); 3] =
    [("GRANT OPTION", "Grant"), ("CREATE VIEW", "Create View"), ("SHOW VIEW", "Show view")];

fn flag(is: bool) -> Value {
    text(if is { "Y" } else { "N" })
}

/// Privileges as a SET has them: `Select,Insert`.
fn set(privileges: P) -> Value {
    let word = |name: &str| {
        let known = SET_WORDS.iter().find(|(from, _)| *from == name);
        known.map_or_else(|| capitals(name), |(_, to)| (*to).to_owned())
    };
    text(privileges.names().map(word).collect::<Vec<_>>().join(","))
}

/// `ALTER ROUTINE` as `Alter Routine`.
fn capitals(name: &str) -> String {
    let one = |word: &str| {
        let (first, rest) = word.split_at(1.min(word.len()));
        format!("{first}{}", rest.to_lowercase())
    };
    name.split(' ').map(one).collect::<Vec<_>>().join(" ")
}

fn changed(facts: &Facts, record: &Record) -> Value {
    let micros = i64::try_from(record.changed_ms).unwrap_or(i64::MAX / 1000).saturating_mul(1000);
    moment(micros, &facts.zone)
}

pub(super) fn users(facts: &Facts) -> Rows {
    let row = |(name, record): (&crate::accounts::AccountName, &std::sync::Arc<Record>)| {
        let global = record.grants.global;
        let mut row = vec![text(&name.host), text(&name.user)];
        let late = P::CREATE_ROLE.with(P::DROP_ROLE);
        row.extend(P::GLOBAL.without(late).each().map(|(one, _)| flag(global.has(one))));
        let (kind, cipher, issuer, subject) = match &record.require {
            Require::None => ("", None, None, None),
            Require::Ssl => ("ANY", None, None, None),
            Require::X509 => ("X509", None, None, None),
            Require::Items { subject, issuer, cipher } => {
                ("SPECIFIED", cipher.as_deref(), issuer.as_deref(), subject.as_deref())
            }
        };
        row.push(text(kind));
        row.extend([cipher, issuer, subject].map(|one| text(one.unwrap_or_default())));
        row.extend(record.limits.map(number));
        row.push(text(&record.plugin));
        row.push(text(&record.auth_string));
        row.push(flag(record.expired));
        row.push(changed(facts, record));
        row.push(match record.lifetime {
            Lifetime::Default => Value::Null,
            Lifetime::Never => number(0),
            Lifetime::Days(days) => number(days),
        });
        row.push(flag(record.locked));
        row.extend([P::CREATE_ROLE, P::DROP_ROLE].map(|one| flag(global.has(one))));
        row.extend([record.history, record.reuse_days].map(|one| one.map_or(Value::Null, number)));
        row.push(match record.require_current {
            RequireCurrent::Default => Value::Null,
            RequireCurrent::Yes => text("Y"),
            RequireCurrent::Optional => text("N"),
        });
        row.push(maybe(record.attributes_json()));
        row
    };
    facts.directory.iter().map(row).collect()
}

pub(super) fn databases(facts: &Facts) -> Rows {
    let mut rows = Vec::new();
    for (name, record) in facts.directory.iter() {
        for (database, privileges) in &record.grants.databases {
            let mut row = vec![text(&name.host), text(database), text(&name.user)];
            row.extend(OF_DATABASES.map(|one| flag(privileges.has(one))));
            rows.push(row);
        }
    }
    rows
}

/// Who granted something is not kept.
pub(super) fn tables(facts: &Facts) -> Rows {
    let mut rows = Vec::new();
    for (name, record) in facts.directory.iter() {
        for (database, tables) in &record.grants.tables {
            for (table, grant) in tables {
                let of_columns = grant.columns.values().fold(P::NONE, |all, one| all.with(*one));
                rows.push(vec![
                    text(&name.host),
                    text(database),
                    text(&name.user),
                    text(table),
                    text(""),
                    changed(facts, record),
                    set(grant.privileges),
                    set(of_columns),
                ]);
            }
        }
    }
    rows
}

pub(super) fn columns(facts: &Facts) -> Rows {
    let mut rows = Vec::new();
    for (name, record) in facts.directory.iter() {
        for (database, tables) in &record.grants.tables {
            for (table, grant) in tables {
                for (column, privileges) in &grant.columns {
                    rows.push(vec![
                        text(&name.host),
                        text(database),
                        text(&name.user),
                        text(table),
                        text(column),
                        changed(facts, record),
                        set(*privileges),
                    ]);
                }
            }
        }
    }
    rows
}

pub(super) fn routines(facts: &Facts) -> Rows {
    let mut rows = Vec::new();
    for (name, record) in facts.directory.iter() {
        let kinds =
            [("FUNCTION", &record.grants.functions), ("PROCEDURE", &record.grants.procedures)];
        for (kind, all) in kinds {
            for (database, routines) in all {
                for (routine, privileges) in routines {
                    rows.push(vec![
                        text(&name.host),
                        text(database),
                        text(&name.user),
                        text(routine),
                        text(kind),
                        text(""),
                        set(*privileges),
                        changed(facts, record),
                    ]);
                }
            }
        }
    }
    rows
}

pub(super) fn proxies(facts: &Facts) -> Rows {
    let mut rows = Vec::new();
    for (name, record) in facts.directory.iter() {
        for (of, option) in &record.proxies {
            rows.push(vec![
                text(&name.host),
                text(&name.user),
                text(&of.host),
                text(&of.user),
                Value::Int(i64::from(*option)),
                text(""),
                changed(facts, record),
            ]);
        }
    }
    rows
}

pub(super) fn role_edges(facts: &Facts) -> Rows {
    let mut rows = Vec::new();
    for (name, record) in facts.directory.iter() {
        for (role, admin) in &record.roles {
            rows.push(vec![
                text(&role.host),
                text(&role.user),
                text(&name.host),
                text(&name.user),
                flag(*admin),
            ]);
        }
    }
    rows
}

pub(super) fn default_roles(facts: &Facts) -> Rows {
    let mut rows = Vec::new();
    for (name, record) in facts.directory.iter() {
        for role in &record.default_roles {
            let names = [&name.host, &name.user, &role.host, &role.user];
            rows.push(names.map(text).to_vec());
        }
    }
    rows
}

pub(super) fn dynamic(facts: &Facts) -> Rows {
    let mut rows = Vec::new();
    for (name, record) in facts.directory.iter() {
        for (privilege, option) in &record.grants.dynamic {
            rows.push(vec![text(&name.user), text(&name.host), text(privilege), flag(*option)]);
        }
    }
    rows
}
