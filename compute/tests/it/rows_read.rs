//! No plan reads a whole table to answer what an index answers.
//!
//! `rows_read.txt` has statements as applications with indexes ask them: look-ups, ranges, joins
//! of up to seven tables, subqueries. Each stands behind the rows and entries that MySQL 9.7 read
//! for it (the sum of `Handler_read_…`), the number of its rows, and a hash of them. What Firn
//! reads is held against MySQL's number, which does not grow with the tables. With
//! `FIRN_TEST_ROWS=1000000` the largest tables have that many rows instead of 20,000; then
//! what is read is looked at alone.
//!
//! `films.txt` is of the same form.

use crate::support::{TestClient, World, lines_of, start};

static TABLES: &str = include_str!("rows_read.sql");
static STATEMENTS: &str = include_str!("rows_read.txt");
static FILMS: &str = include_str!("films.sql");
static OF_FILMS: &str = include_str!("films.txt");

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

/// `mysql rows hash statement`; `!max` in front where another number is the most.
fn recorded(line: &str) -> Recorded<'_> {
    let (own, line) = match line.strip_prefix('!').and_then(|line| line.split_once(' ')) {
        Some((max, line)) => (Some(max.parse().expect("a number")), line),
        None => (None, line),
    };
    let mut parts = line.splitn(4, ' ');
    let mut part = || parts.next().expect("four parts");
    let mysql = part().parse().expect("a number");
    Recorded {
        max: own.unwrap_or_else(|| read_max(mysql)),
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

async fn fill(client: &mut TestClient, tables: &str, rows: u64) {
    for sql in tables.split(";\n").filter(|sql| !sql.trim().is_empty()) {
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

/// What is wrong with what statements read and, if `answers`, with their rows; and how many
/// statements there are.
async fn differences(
    client: &mut TestClient,
    statements: &str,
    answers: bool,
) -> (Vec<String>, usize) {
    let (mut wrong, mut count) = (Vec::new(), 0);
    for line in statements.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let recorded = recorded(line);
        client.run("FLUSH STATUS").await;
        let mut lines = lines_of(&client.rows(recorded.sql).await);
        let read = read(client).await;
        lines.sort_unstable();
        let same = lines.len() == recorded.rows && hash(&lines.join("\n")) == recorded.hash;
        if !same && answers {
            wrong.push(format!("{} rows, not {}: {}", lines.len(), recorded.rows, recorded.sql));
        }
        if read > recorded.max {
            let plan = client.rows(&format!("EXPLAIN FORMAT=TRADITIONAL {}", recorded.sql)).await;
            let plan = lines_of(&plan).join("\n");
            wrong.push(format!("{read} read, at most {}: {}\n{plan}", recorded.max, recorded.sql));
        }
        count += 1;
    }
    (wrong, count)
}

#[tokio::test]
async fn what_indexes_answer_is_read_by_them() {
    let (_server, mut client) = start().await;
    let rows = std::env::var("FIRN_TEST_ROWS").ok().and_then(|rows| rows.parse().ok());
    let rows = rows.unwrap_or(ROWS);
    fill(&mut client, TABLES, rows).await;
    let (wrong, count) = differences(&mut client, STATEMENTS, rows == ROWS).await;
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count >= 150, "{count}");
    let merged =
        "EXPLAIN FORMAT=TRADITIONAL SELECT id FROM customer WHERE referrer_id = 33 OR id = 12";
    let told = client.rows(merged).await.swap_remove(0);
    let told: Vec<_> = [4, 5, 6, 7, 11].iter().map(|at| told[*at].as_deref()).collect();
    let expected = [
        "index_merge",
        "PRIMARY,ik_referrer",
        "ik_referrer,PRIMARY",
        "5,4",
        "Using union(ik_referrer,PRIMARY); Using where",
    ];
    assert_eq!(told, expected.map(Some));
}

/// What ranges hold is told by the files as well, once the rows are there.
#[tokio::test]
async fn what_indexes_answer_is_read_by_them_from_files() {
    let server = World::new().merging().start().await;
    let mut client = server.client().await;
    client.run("CREATE DATABASE t; USE t; SET firn_executor = 'direct'").await;
    fill(&mut client, TABLES, ROWS).await;
    server.copied().await;
    let (wrong, count) = differences(&mut client, STATEMENTS, true).await;
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
}

/// What is read to count a range need not be in memory any more when the statement is planned
/// anew: ranges of files beyond memory were taken for a twentieth of the table.
#[tokio::test]
async fn ranges_are_counted_in_files_that_do_not_stay_in_memory() {
    let server = World::new().merging().forgetful().start().await;
    let mut client = server.client().await;
    client.run("CREATE DATABASE t; USE t; SET firn_executor = 'direct'").await;
    fill(&mut client, TABLES, ROWS).await;
    server.copied().await;
    let ranges: Vec<_> = STATEMENTS.lines().filter(|line| line.contains("BETWEEN")).collect();
    let (wrong, count) = differences(&mut client, &ranges.join("\n"), true).await;
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count >= 20, "{count}");
}

/// Joins of up to twelve tables in the shapes of the Join Order Benchmark, over tables like
/// those of films that it is about: few rows of small tables say which of the large ones are
/// wanted, and some of their values are far more frequent than others.
#[tokio::test]
async fn joins_of_many_tables_begin_where_the_fewest_rows_are() {
    let (_server, mut client) = start().await;
    client.run("SET firn_executor = 'direct'").await;
    fill(&mut client, FILMS, 0).await;
    let (wrong, count) = differences(&mut client, OF_FILMS, true).await;
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count >= 30, "{count}");
}
