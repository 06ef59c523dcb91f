//! Runs a script on a server, and writes down what it answers.
//!
//! A statement that waits for a lock is told from a slow one: on a MySQL server by asking
//! it, here by what that server said.

use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use firn_mysql_protocol::client::{Client, ClientConfig, ResultSet};
use firn_mysql_protocol::command::ParameterValue;
use firn_mysql_protocol::result::Column;
use firn_mysql_protocol::{Capabilities, Error};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::script::Script;
use crate::support::config;

/// What steps showed: for each its lines.
pub(crate) type Shown = Vec<Vec<String>>;

/// What is expected to wait, waits at least this long.
const MOMENT: Duration = Duration::from_millis(100);
/// Between two questions whether a statement waits.
const PAUSE: Duration = Duration::from_millis(15);

/// How to tell that a statement waits for a lock.
#[derive(Clone, Copy)]
pub(crate) enum Waiting<'a> {
    /// The server knows.
    Ask,
    /// As this says; whatever should end is given so long.
    As(&'a Shown, Duration),
}

type Running = Pin<Box<dyn Future<Output = (Client, Vec<String>)>>>;

struct Session {
    id: u32,
    client: Option<Client>,
    running: Option<Running>,
}

pub(super) async fn connect(address: SocketAddr, found_rows: bool) -> Client {
    let stream = TcpStream::connect(address).await.expect("the server is there");
    let mut config = ClientConfig { answer_timeout: Duration::from_secs(120), ..config() };
    config.capabilities = ClientConfig::default().capabilities;
    if found_rows {
        config.capabilities = config.capabilities | Capabilities::FOUND_ROWS;
    }
    Client::connect(stream, &config).await.expect("root gets in")
}

/// Bytes as one line.
pub(super) fn escaped(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\n' => out.push_str("\\n"),
                '\\' => out.push_str("\\\\"),
                '|' => out.push_str("\\|"),
                c if c.is_control() => out.push_str(&format!("\\u{:x}.", u32::from(c))),
                c => out.push(c),
            }
        }
        for byte in chunk.invalid() {
            out.push_str(&format!("\\x{byte:02x}"));
        }
    }
    out
}

fn column(column: &Column) -> String {
    let text = |bytes: &[u8]| escaped(bytes);
    let mut out = text(&column.name);
    if !column.table.is_empty() || !column.org_table.is_empty() {
        out.push_str(&format!("@{}", text(&column.table)));
    }
    if column.org_table != column.table {
        out.push_str(&format!("/{}", text(&column.org_table)));
    }
    if column.org_name != column.name && !column.org_name.is_empty() {
        out.push_str(&format!(".{}", text(&column.org_name)));
    }
    let (kind, collation, length) = (column.kind as u8, column.collation, column.length);
    format!("{out}:{kind}:{collation}:{length}:{:x}:{}", column.flags.0, column.decimals)
}

pub(super) fn rows(result: &ResultSet) -> Vec<String> {
    let text = |value: ParameterValue<'_>| match value {
        ParameterValue::Bytes(bytes) => escaped(bytes),
        ParameterValue::Null => "NULL".to_owned(),
        other => format!("{other:?}"),
    };
    let row = |row: &firn_mysql_protocol::client::Row| {
        let values = row.values(&result.columns).expect("a row of these columns");
        values.into_iter().map(text).collect::<Vec<_>>().join(" | ")
    };
    result.rows.iter().map(row).collect()
}

async fn answer(client: &mut Client, sql: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let warnings = match client.query_all(sql.as_bytes()).await {
        Ok(mut results) => {
            let result = results.pop().unwrap_or_default();
            let end = &result.summary;
            if result.columns.is_empty() {
                let (rows, id) = (end.affected_rows, end.last_insert_id);
                lines.push(format!("ok {rows} {id} {}", end.info).trim_end().to_owned());
            } else {
                lines.push(result.columns.iter().map(column).collect::<Vec<_>>().join(", "));
                let mut rows = rows(&result);
                if !is_ordered(sql) {
                    rows.sort();
                }
                lines.extend(rows);
            }
            end.warnings > 0
        }
        Err(Error::Sql(error)) => {
            let state = String::from_utf8_lossy(&error.sqlstate).into_owned();
            lines.push(format!(
                "error {} {state} {}",
                error.number,
                escaped(error.message.as_bytes())
            ));
            true
        }
        Err(error) => {
            lines.push(format!("lost: {error}"));
            false
        }
    };
    if warnings {
        match client.query_all(b"SHOW WARNINGS").await {
            Ok(results) => {
                let all = results.last().map(rows).unwrap_or_default();
                // The error itself is there already.
                let told = |line: &String| !line.starts_with("Error") || lines.len() > 1;
                let kept: Vec<String> = all.into_iter().filter(told).collect();
                lines.extend(kept.into_iter().map(|line| format!("! {line}")));
            }
            Err(error) => lines.push(format!("lost: {error}")),
        }
    }
    lines
}

impl Session {
    async fn open(address: SocketAddr, database: &str, found_rows: bool) -> Self {
        let mut client = connect(address, found_rows).await;
        let id = client.greeting().connection_id;
        client
            .query_all(format!("USE {database}").as_bytes())
            .await
            .expect("the database is there");
        Self { id, client: Some(client), running: None }
    }

    fn start(&mut self, sql: &str) {
        let Some(mut client) = self.client.take() else { return };
        let sql = sql.to_owned();
        self.running = Some(Box::pin(async move {
            let lines = answer(&mut client, &sql).await;
            (client, lines)
        }));
    }

    /// What the statement gave, if it has ended by then.
    async fn look(&mut self, limit: Duration) -> Option<Vec<String>> {
        let running = self.running.as_mut()?;
        let (client, lines) = timeout(limit, running).await.ok()?;
        self.running = None;
        self.client = Some(client);
        Some(lines)
    }

    /// The same; who has not ended waits for a lock, as the server says.
    async fn look_asking(&mut self, monitor: &mut Client) -> Option<Vec<String>> {
        // For a row, or for a table.
        let sql = format!(
            "SELECT EXISTS (SELECT 1 FROM performance_schema.data_lock_waits w JOIN \
             performance_schema.threads t ON t.THREAD_ID = w.REQUESTING_THREAD_ID WHERE \
             t.PROCESSLIST_ID = {0}) OR EXISTS (SELECT 1 FROM performance_schema.metadata_locks m \
             JOIN performance_schema.threads t ON t.THREAD_ID = m.OWNER_THREAD_ID WHERE \
             m.LOCK_STATUS = 'PENDING' AND t.PROCESSLIST_ID = {0})",
            self.id
        );
        loop {
            if let Some(lines) = self.look(PAUSE).await {
                return Some(lines);
            }
            let results = monitor.query_all(sql.as_bytes()).await.expect("the server says");
            let waits = results.last().map(rows).is_some_and(|rows| rows == ["1"]);
            if waits {
                // A deadlock may just be about to end it.
                return self.look(PAUSE).await;
            }
        }
    }
}

/// Runs a script in a database of its own.
pub(crate) async fn run(
    address: SocketAddr,
    script: &Script,
    database: &str,
    waiting: Waiting<'_>,
) -> Shown {
    let mut setup = connect(address, false).await;
    for sql in
        [format!("DROP DATABASE IF EXISTS {database}"), format!("CREATE DATABASE {database}")]
    {
        setup.query_all(sql.as_bytes()).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
    let mut sessions: Vec<Session> = Vec::new();
    let many = script.steps.iter().any(|step| step.session > 0) && !script.is_patient();
    let mut all: Shown = Vec::new();
    for (at, step) in script.steps.iter().enumerate() {
        while sessions.len() <= step.session {
            sessions.push(Session::open(address, database, script.found_rows).await);
        }
        let hints = match waiting {
            Waiting::As(shown, _) => shown.get(at),
            Waiting::Ask => None,
        };
        let mut lines = Vec::new();
        for turn in 0..=sessions.len() {
            // First who runs the step, then who may go on.
            let (who, mark) = match turn.checked_sub(1) {
                None => (step.session, String::new()),
                Some(other) => (other, format!("{} goes on: ", letter(other))),
            };
            let session = &mut sessions[who];
            if turn == 0 {
                if session.running.is_some() {
                    lines.push("cannot: it is blocked".to_owned());
                    continue;
                }
                session.start(&step.sql);
            } else if session.running.is_none() || (who == step.session && lines[0] == "blocked") {
                continue;
            }
            let blocked = match hints {
                Some(hints) if turn == 0 => hints.first().is_some_and(|line| line == "blocked"),
                Some(hints) => !hints.iter().any(|line| line.starts_with(&mark)),
                None => false,
            };
            let shown = match waiting {
                Waiting::As(_, long) => session.look(if blocked { MOMENT } else { long }).await,
                Waiting::Ask if many => session.look_asking(&mut setup).await,
                Waiting::Ask => session.look(Duration::from_secs(120)).await,
            };
            match shown {
                Some(shown) => lines.extend(shown.into_iter().map(|line| format!("{mark}{line}"))),
                None if turn == 0 => lines.push("blocked".to_owned()),
                None => {}
            }
        }
        all.push(lines);
    }
    drop(sessions);
    let sql = format!("DROP DATABASE {database}");
    setup.query_all(sql.as_bytes()).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    all
}

/// How a session is called.
pub(crate) fn letter(session: usize) -> char {
    ['a', 'b', 'c', 'd'][session]
}

/// Whether the rows come in an order that was asked for. That of windows is none.
fn is_ordered(sql: &str) -> bool {
    match sql.rsplit_once(" OVER (") {
        Some((_, behind)) => {
            behind.split_once(") FROM ").is_some_and(|(_, behind)| behind.contains("ORDER BY"))
        }
        None => sql.contains("ORDER BY"),
    }
}
