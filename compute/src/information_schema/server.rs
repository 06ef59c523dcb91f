//! What is said of the server itself: character sets, engines, connections, variables.

use firn_mysql_semantics::Value;
use firn_mysql_semantics::charset::Charset;
use firn_mysql_semantics::collation::{Collation, PadAttribute};

use super::Facts;
use super::cell::{maybe, number, text};
use crate::server::{Process, Server};
use crate::session::Session;
use crate::variables::{StatusFacts, show_status};

pub(crate) fn character_sets(_: &Facts) -> Vec<Vec<Value>> {
    let mut sets: Vec<_> = Charset::all().iter().collect();
    sets.sort_unstable_by_key(|set| set.name());
    let row = |set: &Charset| {
        vec![
            text(set.name()),
            text(set.default_collation().name()),
            text(set.description()),
            number(set.max_bytes() as u64),
        ]
    };
    sets.into_iter().map(row).collect()
}

fn in_order() -> Vec<&'static Collation> {
    let mut all: Vec<_> = Collation::all().iter().collect();
    all.sort_unstable_by_key(|collation| collation.name());
    all
}

pub(crate) fn collations(_: &Facts) -> Vec<Vec<Value>> {
    let row = |collation: &Collation| {
        vec![
            text(collation.name()),
            text(collation.charset().name()),
            number(collation.id().into()),
            text(if collation.is_default() { "Yes" } else { "" }),
            text(if collation.is_compiled() { "Yes" } else { "" }),
            number(collation.sort_len().into()),
            text(match collation.pad_attribute() {
                PadAttribute::PadSpace => "PAD SPACE",
                PadAttribute::NoPad => "NO PAD",
            }),
        ]
    };
    in_order().into_iter().map(row).collect()
}

pub(super) fn applicability(_: &Facts) -> Vec<Vec<Value>> {
    let row =
        |collation: &Collation| vec![text(collation.name()), text(collation.charset().name())];
    in_order().into_iter().map(row).collect()
}

/// The one engine. It has InnoDB's name, since that is what statements ask for.
pub(crate) fn engines(_: &Facts) -> Vec<Vec<Value>> {
    vec![vec![
        text("InnoDB"),
        text("DEFAULT"),
        text("Supports transactions, row-level locking, and foreign keys"),
        text("YES"),
        text("NO"),
        text("YES"),
    ]]
}

pub(super) fn keywords(_: &Facts) -> Vec<Vec<Value>> {
    let mut words: Vec<_> = firn_mysql_parser::keywords().collect();
    words.sort_unstable();
    words
        .into_iter()
        .map(|(word, reserved)| vec![text(word), number(u64::from(reserved))])
        .collect()
}

pub(crate) fn plugins(_: &Facts) -> Vec<Vec<Value>> {
    const PLUGINS: [(&str, &str, &str); 3] = [
        ("caching_sha2_password", "AUTHENTICATION", "Passwords by SHA-256, with a cache"),
        ("mysql_native_password", "AUTHENTICATION", "Passwords by SHA-1"),
        ("InnoDB", "STORAGE ENGINE", "Transactions, row locks and foreign keys"),
    ];
    PLUGINS
        .into_iter()
        .map(|(name, kind, description)| {
            vec![
                text(name),
                text("1.0"),
                text("ACTIVE"),
                text(kind),
                text("1.0"),
                Value::Null,
                Value::Null,
                text("Firn"),
                text(description),
                text(env!("CARGO_PKG_LICENSE")),
                text("FORCE"),
            ]
        })
        .collect()
}

/// A row of the process list; `info_max` characters of the statement are shown.
pub(crate) fn process_row(facts: &Facts, process: &Process, info_max: usize) -> Vec<Value> {
    let now = process.now.lock().clone();
    let seconds = facts.server.env.now().since(now.since).as_secs();
    let info = now.statement().map(|sql| sql.chars().take(info_max).collect::<String>());
    let state = match process.progress.at() {
        Some(at) => at.stage.state(),
        None if info.is_some() => "executing",
        None => "",
    };
    vec![
        number(process.id.into()),
        text(&process.user),
        text(&process.host),
        maybe(now.database),
        text(now.command),
        Value::Int(i64::try_from(seconds).unwrap_or(i64::MAX)),
        text(state),
        maybe(info),
    ]
}

pub(super) fn processes(facts: &Facts) -> Vec<Vec<Value>> {
    let all = facts.server.processes.all();
    let seen = all.iter().filter(|process| facts.sees_process(&process.user));
    seen.map(|process| process_row(facts, process, usize::MAX)).collect()
}

/// Stages of statements that take long. Work is counted in rows, where MySQL counts pages.
pub(super) fn stages(facts: &Facts) -> Vec<Vec<Value>> {
    let now = facts.server.env.now();
    let all = facts.server.processes.all();
    let seen = all.iter().filter(|process| facts.sees_process(&process.user));
    let picoseconds = |nanos: u64| number(nanos.saturating_mul(1000));
    let row = |process: &std::sync::Arc<Process>| {
        let at = process.progress.at()?;
        let waited = u64::try_from(now.since(at.since).as_nanos()).unwrap_or(u64::MAX);
        let work = |rows: u64| if at.stage.counts() { number(rows) } else { Value::Null };
        Some(vec![
            number(process.id.into()),
            number(at.number),
            Value::Null,
            text(at.stage.event()),
            Value::Null,
            picoseconds(at.since.0),
            picoseconds(now.0),
            picoseconds(waited),
            work(at.completed),
            work(at.estimated),
            Value::Null,
            Value::Null,
        ])
    };
    seen.filter_map(row).collect()
}

fn pairs(list: &[(&'static str, String)]) -> Vec<Vec<Value>> {
    list.iter().map(|(name, value)| vec![text(name), text(value)]).collect()
}

pub(super) fn session_variables(facts: &Facts) -> Vec<Vec<Value>> {
    pairs(&facts.session_variables)
}

pub(super) fn global_variables(facts: &Facts) -> Vec<Vec<Value>> {
    pairs(&facts.global_variables)
}

/// Beginnings of names that nobody counts yet.
const UNCOUNTED: &[&str] = &[
    "Aborted_",
    "Com_admin_commands",
    "Com_stmt_close",
    "Com_stmt_fetch",
    "Com_stmt_reset",
    "Com_stmt_send",
    "Compression",
    "Handler_commit",
    "Handler_rollback",
    "Innodb_",
    "Max_execution_time_",
    "Prepared_stmt_count",
    "Slow_queries",
    "Ssl_",
];

/// What is counted: of a session, or of the server.
pub(crate) fn status(server: &Server, session: Option<&Session>) -> Vec<(&'static str, String)> {
    let all = server.processes.all();
    let running = all.iter().filter(|process| process.now.lock().statement().is_some()).count();
    let facts = StatusFacts {
        max_used_connections: server.connections.most(),
        threads_connected: server.connections.now(),
        threads_running: running as u64,
        uptime_seconds: server.uptime_seconds(),
        ..StatusFacts::default()
    };
    let counters = session.map(|session| &session.counters);
    let mut rows = show_status(&server.counters, counters, &facts, None);
    if let Some(session) = session {
        let traffic = &session.process.traffic;
        for (name, value) in &mut rows {
            match *name {
                "Bytes_received" => *value = traffic.received_bytes().to_string(),
                "Bytes_sent" => *value = traffic.sent_bytes().to_string(),
                _ => {}
            }
        }
    }
    rows.retain(|(name, _)| !UNCOUNTED.iter().any(|start| name.starts_with(start)));
    rows
}

pub(super) fn global_status(facts: &Facts) -> Vec<Vec<Value>> {
    pairs(&facts.global_status)
}

pub(super) fn session_status(facts: &Facts) -> Vec<Vec<Value>> {
    pairs(&facts.session_status)
}
