//! No plan reads a whole table to answer what an index answers.
//!
//! `rows_read.txt` has statements as applications with indexes ask them: look-ups, ranges, joins
//! of up to seven tables, subqueries. Each stands behind the rows and entries that MySQL 9.7 read
//! for it (the sum of `Handler_read_…`), the number of its rows, and a hash of them. What Firn
//! reads is held against MySQL's number, which does not grow with the tables. With
//! `FIRN_TEST_ROWS=1000000` the largest tables have that many rows instead of 20,000; then
//! what is read is looked at alone.

use crate::support::{TestClient, lines_of, start};

static TABLES: &str = include_str!("rows_read.sql");
static STATEMENTS: &str = include_str!("rows_read.txt");

/// Rows that the answers were recorded with.
const ROWS: u64 = 20_000;

/// What may be read where MySQL reads so much: about the same, but for what the two count
/// in different ways.
fn read_max(mysql: u64) -> u64 {
    2 * mysql + 30
}

struct Recorded<'t> {
    /// What may be read at most.
    max: u64,
    rows: usize,
    hash: u64,
    sql: &'t str,
}

/// `mysql rows hash statement`.
fn recorded(line: &str) -> Recorded<'_> {
    let mut parts = line.splitn(4, ' ');
    let mut part = || parts.next().expect("four parts");
    let mysql = part().parse().expect("a number");
    Recorded {
        max: read_max(mysql),
        rows: part().parse().expect("a number"),
        hash: u64::from_str_radix(part(), 16).expect("a hash"),
        sql: part(),
    }
}

/// FNV-1a.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

async fn fill(client: &mut TestClient, rows: u64) {
    for sql in TABLES.split(";\n").filter(|sql| !sql.trim().is_empty()) {
        client.run(&sql.replace("{rows}", &rows.to_string())).await;
    }
}

/// Rows and entries that the session has read since FLUSH STATUS.
async fn read(client: &mut TestClient) -> u64 {
    let counters = client.rows("SHOW SESSION STATUS LIKE 'Handler_read%'").await;
    assert!(counters.len() >= 6, "{counters:?}");
    let count = |row: &Vec<Option<String>>| row[1].as_deref().and_then(|it| it.parse::<u64>().ok());
    counters.iter().filter_map(count).sum()
}

#[tokio::test]
async fn what_indexes_answer_is_read_by_them() {
    let (_server, mut client) = start().await;
    let rows = std::env::var("FIRN_TEST_ROWS").ok().and_then(|rows| rows.parse().ok());
    let rows = rows.unwrap_or(ROWS);
    fill(&mut client, rows).await;
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in STATEMENTS.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let recorded = recorded(line);
        client.run("FLUSH STATUS").await;
        let mut lines = lines_of(&client.rows(recorded.sql).await);
        let read = read(&mut client).await;
        lines.sort_unstable();
        let same = lines.len() == recorded.rows && hash(&lines.join("\n")) == recorded.hash;
        if !same && rows == ROWS {
            wrong.push(format!("{} rows, not {}: {}", lines.len(), recorded.rows, recorded.sql));
        }
        if read > recorded.max {
            let plan = client.rows(&format!("EXPLAIN FORMAT=TRADITIONAL {}", recorded.sql)).await;
            let plan = lines_of(&plan).join("\n");
            wrong.push(format!("{read} read, at most {}: {}\n{plan}", recorded.max, recorded.sql));
        }
        count += 1;
    }
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count >= 150, "{count}");
}
