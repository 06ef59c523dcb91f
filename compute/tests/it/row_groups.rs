//! Ranges of keys that begin and end anywhere in the row groups of a column copy: the same
//! rows as row by row, whatever lies above and whenever the snapshot was taken.

use std::num::NonZero;
use std::ops::RangeInclusive;
use std::thread::available_parallelism;

use firn_compute::txn::Limits;

use crate::executors::{counted, filled, told};
use crate::support::{TestClient, World};

/// Rows of a row group.
const GROUP: usize = 100;

/// Ids are multiples of 10 up to this one, so there are ten row groups.
const LAST: i64 = 9990;

/// Where ranges begin and end: before all rows, at the first and the last row of groups, beside
/// these, between groups, within them, behind all rows.
const ENDS: [i64; 12] = [-15, 0, 5, 990, 995, 1000, 1500, 1990, 8990, 9000, 9990, 9995];

/// A table, and its ids as they are written.
type Table = (&'static str, fn(i64) -> String);

/// Of the second one the copy has only the beginnings of the keys at which groups begin and end.
const TABLES: [Table; 2] = [
    ("n", |id| id.to_string()),
    ("t", |id| format!("CONCAT(LPAD(100000 + {id}, 6, '0'), REPEAT('x', 80))")),
];

/// Conditions that say which ids are wanted, and these.
fn ranges(id: fn(i64) -> String) -> Vec<(String, RangeInclusive<i64>)> {
    let mut all = Vec::new();
    for (at, &low) in ENDS.iter().enumerate() {
        for &high in &ENDS[at..] {
            let (from, to) = (id(low), id(high));
            // Both ends in and out, in turn.
            all.push(match all.len() % 4 {
                0 => (format!("id BETWEEN {from} AND {to}"), low..=high),
                1 => (format!("id >= {from} AND id < {to}"), low..=high - 1),
                2 => (format!("id > {from} AND id <= {to}"), low + 1..=high),
                _ => (format!("id > {from} AND id < {to}"), low + 1..=high - 1),
            });
        }
        all.push((format!("id >= {}", id(low)), low..=i64::MAX));
        all.push((format!("id > {}", id(low)), low + 1..=i64::MAX));
        all.push((format!("id <= {}", id(low)), i64::MIN..=low));
        all.push((format!("id < {}", id(low)), i64::MIN..=low - 1));
    }
    all
}

/// How many rows come from the copy while nothing lies above it: all that are wanted, if some
/// group is wanted as a whole.
fn copied_of(range: &RangeInclusive<i64>) -> u64 {
    let group = GROUP as i64 * 10;
    let whole = |group: &i64| range.contains(group) && range.contains(&(group + LAST % 1000));
    match (0..=LAST).step_by(group as usize).any(|group| whole(&group)) {
        true => (0..=LAST).step_by(10).filter(|id| range.contains(id)).count() as u64,
        false => 0,
    }
}

async fn copied_rows(client: &mut TestClient) -> u64 {
    counted(client, "SESSION", "Firn_vector_rows_copied").await
}

/// The rows of all ranges, which are the same both ways. `alone`: nothing lies above the copies.
async fn same_both_ways(client: &mut TestClient, alone: bool) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for (table, id) in TABLES {
        for (condition, range) in ranges(id) {
            let sql = format!("SELECT id, v, s FROM {table} WHERE {condition}");
            all.push((sql, Some(copied_of(&range)).filter(|_| alone && table == "n")));
        }
    }
    let mut answers = Vec::with_capacity(all.len());
    client.run("SET firn_executor = 'direct'").await;
    for (sql, _) in &all {
        answers.push(client.lines(sql).await);
    }
    client.run("SET firn_executor = 'vector'").await;
    for ((sql, copied), direct) in all.iter().zip(&answers) {
        let before = if copied.is_some() { copied_rows(client).await } else { 0 };
        assert_eq!(client.lines(sql).await, *direct, "{sql}");
        if let Some(copied) = copied {
            assert_eq!(copied_rows(client).await - before, *copied, "{sql}");
        }
    }
    answers
}

/// Changes at the first and last rows of groups and beside them; a group that goes; rows before,
/// between and behind all others.
async fn change(client: &mut TestClient, round: i64) {
    for (table, id) in TABLES {
        let list = |all: &[i64]| all.iter().map(|one| id(*one)).collect::<Vec<_>>().join(", ");
        let updated = list(&[0, 990, 1000, 1500, 1990, 8990, 9000, LAST]);
        let gone = list(&[10, 980, 2000, 2990, 5000, 9980]);
        let back = id(5000);
        let new = [-10, 5 + round, 991 + round, 995 - round, 1001 + round, 9991 + round, 20_000];
        let new = new.map(|one| format!("({}, {one}, 'new')", id(one))).join(", ");
        client
            .run(&format!(
                "UPDATE {table} SET v = v + 1, s = 'changed' WHERE id IN ({updated});
                 DELETE FROM {table} WHERE id IN ({gone});
                 DELETE FROM {table} WHERE id >= {} AND id < {};
                 INSERT INTO {table} VALUES ({back}, -1, 'back');
                 REPLACE INTO {table} VALUES {new}",
                id(4000),
                id(5000),
            ))
            .await;
    }
}

#[tokio::test]
async fn ranges_that_end_anywhere_in_row_groups_read_the_same_from_copies() {
    let server = World::new().merging().groups_of(GROUP).start().await;
    let mut client = server.client().await;
    client
        .run(
            "CREATE DATABASE t; USE t; SET cte_max_recursion_depth = 5000;
             CREATE TABLE n (id INT PRIMARY KEY, v INT, s VARCHAR(20));
             CREATE TABLE t (id VARCHAR(100) COLLATE utf8mb4_bin PRIMARY KEY, v INT, s VARCHAR(20))",
        )
        .await;
    for (table, id) in TABLES {
        let id = match table {
            "n" => "i".to_owned(),
            _ => id(0).replace("+ 0", "+ i"),
        };
        client
            .run(&format!(
                "INSERT INTO {table} WITH RECURSIVE r (i) AS (SELECT 0 UNION ALL SELECT i + 10 FROM r
                 WHERE i < {LAST}) SELECT {id}, i, CONCAT('row ', i) FROM r"
            ))
            .await;
    }
    server.copied().await;
    same_both_ways(&mut client, true).await;
    let mut before = server.try_client(Some("t")).await.expect("root gets in");
    before.run("START TRANSACTION WITH CONSISTENT SNAPSHOT").await;
    let seen = same_both_ways(&mut before, true).await;
    for round in 0..2 {
        change(&mut client, round).await;
        same_both_ways(&mut client, false).await;
        assert!(same_both_ways(&mut before, false).await == seen, "a snapshot has moved");
        // The same from files that hold versions which only the snapshot sees, and deletions.
        server.copied().await;
        same_both_ways(&mut client, false).await;
        assert!(same_both_ways(&mut before, false).await == seen, "a snapshot has moved");
    }
    before.run("COMMIT").await;
    let copied = counted(&mut client, "GLOBAL", "Firn_vector_rows_copied").await;
    assert!(copied > 500_000, "{copied} rows came from copies");
}

/// A join whose left side does not fit into memory, while the right one is read in parts that
/// run at the same time: from copies, and from copies under changes.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parts_that_run_at_the_same_time_join_what_does_not_fit_into_memory() {
    let limits = Limits { gathered_bytes_max: 1 << 20, ..Limits::default() };
    let server = World::new().merging().groups_of(1000).limited(limits).start().await;
    let mut client = server.client().await;
    client.run("CREATE DATABASE t; USE t").await;
    filled(&mut client).await;
    server.copied().await;
    let parts = available_parallelism().map_or(1, NonZero::get).clamp(2, 8) as u64;
    for state in ["in copies", "changed"] {
        if state == "changed" {
            client
                .run(
                    "DELETE FROM big WHERE id % 1000 = 999;
                     UPDATE big SET g = 5 WHERE id % 700 = 0",
                )
                .await;
        }
        for sql in [
            "SELECT COUNT(*), SUM(a.d), SUM(b.d), SUM(a.n * b.n) FROM big a JOIN big b ON a.id = b.id",
            "SELECT COUNT(*), COUNT(b.d), SUM(a.d), SUM(b.n) FROM big a LEFT JOIN big b ON b.id = a.id - 9000",
            "SELECT a.n, COUNT(*), MIN(b.d), SUM(b.n) FROM big a JOIN big b ON a.u = b.u GROUP BY a.n ORDER BY a.n",
        ] {
            let right = told(&mut client, "direct", sql).await;
            let before = counted(&mut client, "SESSION", "Created_tmp_disk_tables").await;
            assert_eq!(told(&mut client, "vector", sql).await, right, "{state}: {sql}");
            // The left side, and each part of the right one.
            let tables = counted(&mut client, "SESSION", "Created_tmp_disk_tables").await - before;
            assert_eq!(tables, 1 + parts, "{state}: {sql}");
        }
    }
    let given_up = counted(&mut client, "SESSION", "Firn_vector_given_up").await;
    assert_eq!(given_up, 0);
}
