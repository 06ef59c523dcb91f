//! What a query shows: columns, rows, warnings or its error, as lines.

use std::net::SocketAddr;
use std::time::Duration;

use firn_mysql_protocol::Error;
use firn_mysql_protocol::client::Client;
use firn_mysql_protocol::result::Column;
use tokio::time::timeout;

use super::blocks::UNORDERED;
use crate::differential::compare;
use crate::differential::run::{connect, escaped, rows};

/// A query that has not ended by then is said to be lost.
const LONG: Duration = Duration::from_secs(30);

/// Flags that say something of the values: NOT_NULL, BLOB, UNSIGNED, ZEROFILL, ENUM,
/// TIMESTAMP, SET. Those of keys are lost wherever a server makes a temporary table.
const FLAGS: u16 = NOT_NULL | 0x0020 | ZEROFILL | 0x0100 | 0x0400 | 0x0800;
const NOT_NULL: u16 = 0x0001;
const ZEROFILL: u16 = 0x0040;

/// A connection; another one takes its place when an answer does not come.
pub(super) struct Session {
    address: SocketAddr,
    database: String,
    executor: Option<&'static str>,
    client: Client,
}

impl Session {
    pub(super) async fn open(
        address: SocketAddr,
        database: &str,
        executor: Option<&'static str>,
    ) -> Session {
        let mut client = connect(address, false).await;
        let mut setup = vec![format!("USE {database}"), "SET max_error_count = 1000".to_owned()];
        if let Some(executor) = executor {
            setup.push(format!("SET firn_executor = '{executor}'"));
        }
        for sql in setup {
            client.query_all(sql.as_bytes()).await.expect("the session can be set up");
        }
        Session { address, database: database.to_owned(), executor, client }
    }
}

fn column(column: &Column, known: u16) -> String {
    let mut out = escaped(&column.name);
    if !column.table.is_empty() || !column.org_table.is_empty() {
        out.push_str(&format!("@{}", escaped(&column.table)));
    }
    if column.org_name != column.name && !column.org_name.is_empty() {
        out.push_str(&format!(".{}", escaped(&column.org_name)));
    }
    let (mut kind, mut collation, mut length) =
        (column.kind as u8, column.collation, column.length);
    let (mut flags, mut decimals) = (column.flags.0 & FLAGS & known, column.decimals);
    let is_computed = column.org_table.is_empty();
    match kind {
        // Whole numbers that are computed become INT or BIGINT, of other widths, by whether a
        // server puts them into a temporary table.
        1..=3 | 8 | 9 | 13 if is_computed => {
            (kind, length) = (8, 0);
            flags &= !ZEROFILL;
        }
        // So it is with the lengths of TEXT and BLOB.
        249..=252 => (kind, length, decimals) = (252, 0, 0),
        // And with all that is told of documents.
        245 => (collation, length, decimals) = (63, 0, 0),
        // Texts have decimals where they are computed and in no temporary table.
        253 | 254 if is_computed => {
            (kind, decimals) = (253, 0);
            flags &= !(0x0100 | 0x0800);
            if length >= 1020 {
                (kind, length) = (252, 0);
            }
        }
        253 | 254 => decimals = 0,
        _ => {}
    }
    format!("{out}:{kind}:{collation}:{length}:{flags:x}:{decimals}")
}

pub(super) async fn answer(session: &mut Session, sql: &str) -> Vec<String> {
    match timeout(LONG, asked(&mut session.client, sql)).await {
        Ok(Ok(lines)) => lines,
        Ok(Err(error)) => {
            let (address, database) = (session.address, session.database.clone());
            *session = Session::open(address, &database, session.executor).await;
            vec![format!("lost: {error}")]
        }
        Err(_) => {
            let (address, database) = (session.address, session.database.clone());
            *session = Session::open(address, &database, session.executor).await;
            vec!["lost: no answer in time".to_owned()]
        }
    }
}

async fn asked(client: &mut Client, sql: &str) -> Result<Vec<String>, Error> {
    let mut lines = Vec::new();
    let warned = match client.query_all(sql.as_bytes()).await {
        Ok(mut results) => {
            let result = results.pop().unwrap_or_default();
            if result.columns.is_empty() {
                lines.push("ok".to_owned());
            } else {
                let mut rows = rows(&result);
                // What a server says of NULL hangs on whether it has found out that there are no
                // rows while it planned.
                let known = if rows.is_empty() { u16::MAX - NOT_NULL } else { u16::MAX };
                let columns: Vec<String> =
                    result.columns.iter().map(|one| column(one, known)).collect();
                lines.push(columns.join(", "));
                if sql.starts_with(UNORDERED) {
                    rows.sort();
                }
                lines.extend(rows);
            }
            result.summary.warnings > 0
        }
        Err(Error::Sql(error)) => {
            let state = String::from_utf8_lossy(&error.sqlstate).into_owned();
            let message = escaped(error.message.as_bytes());
            lines.push(format!("error {} {state} {message}", error.number));
            false
        }
        Err(error) => return Err(error),
    };
    if warned {
        let results = client.query_all(b"SHOW WARNINGS").await?;
        let mut all = results.last().map(rows).unwrap_or_default();
        // A server converts values to search an index by them, and warns then.
        let searching = |line: &String| {
            line.contains(" for column '")
                && ["| 1264 |", "| 1265 |", "| 1292 |", "| 1366 |"]
                    .iter()
                    .any(|number| line.contains(number))
        };
        // It also says so of documents that it sorts.
        let sorting = |line: &String| line.contains("'sorting of non-scalar JSON values'");
        all.retain(|line| !searching(line) && !sorting(line));
        // Row numbers count what a server reads, whatever comes of it.
        for line in &mut all {
            if let Some(at) = line.rfind(" at row ") {
                line.truncate(at);
            }
        }
        // How often each comes hangs on the order in which tables are read.
        all.sort();
        all.dedup();
        lines.extend(all.into_iter().map(|line| format!("! {line}")));
    }
    Ok(lines)
}

/// What kind of difference it is.
pub(super) fn class(theirs: &[String], ours: &[String]) -> String {
    if let Some(at) = ours.iter().position(|line| line == "over batches:") {
        let (row, batch) = (&ours[..at], &ours[at + 1..]);
        return format!("over batches: {}", class(row, batch));
    }
    let none = "nothing".to_owned();
    let at = theirs.iter().zip(ours).take_while(|(one, other)| one == other).count();
    let (left, right) = (theirs.get(at).unwrap_or(&none), ours.get(at).unwrap_or(&none));
    let (one, other) = (compare::kind(left), compare::kind(right));
    match (one.as_str(), other.as_str()) {
        ("row", "row") if at == 0 => {
            compare::columns(left, right).unwrap_or_else(|| "columns".to_owned())
        }
        (one, other) if one == other => format!("{one}: text"),
        (one, other) => format!("{one}, not {other}"),
    }
}
