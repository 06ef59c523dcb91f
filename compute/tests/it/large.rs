//! Statements and transactions that are larger than the memory they may have.

use firn_compute::txn::{Limits, LockLimits};

use crate::support::{TestClient, World};

const ROWS: u64 = 4_000;

/// A few rows' worth of memory and locks.
fn small() -> Limits {
    Limits {
        spill_bytes: 20_000,
        lock_bytes: 100_000,
        locks: LockLimits { per_set: 5_000, total: 20_000, pack_at: 1_000 },
        ..Limits::default()
    }
}

async fn source(client: &mut TestClient) {
    client.run("CREATE DATABASE d; USE d").await;
    client.run("CREATE TABLE s (id INT PRIMARY KEY, v INT)").await;
    for chunk in 0..4 {
        let rows: Vec<String> = (0..ROWS / 4)
            .map(|at| chunk * ROWS / 4 + at)
            .map(|id| format!("({id}, {})", id % 10))
            .collect();
        client.run(&format!("INSERT INTO s VALUES {}", rows.join(", "))).await;
    }
    let table = "CREATE TABLE t (id INT PRIMARY KEY, v INT, note VARCHAR(40), KEY v (v), \
                 UNIQUE u (note, id))";
    client.run(table).await;
}

/// The rows, by the table and by its indexes.
async fn check(client: &mut TestClient, rows: u64, sum: u64) {
    let by_rows = "SELECT COUNT(*), COALESCE(SUM(v), 0) FROM t USE INDEX (PRIMARY)";
    let by_index = "SELECT COUNT(*), COALESCE(SUM(v), 0) FROM t FORCE INDEX (v)";
    let by_unique = "SELECT COUNT(*) FROM t FORCE INDEX (u) WHERE note >= ''";
    assert_eq!(client.lines(by_rows).await, [format!("{rows}|{sum}")]);
    assert_eq!(client.lines(by_index).await, [format!("{rows}|{sum}")]);
    assert_eq!(client.lines(by_unique).await, [format!("{rows}")]);
}

#[tokio::test]
async fn inserts_updates_and_deletes_of_all_rows() {
    let world = World::new().limited(small());
    let server = world.start().await;
    let mut client = server.client().await;
    source(&mut client).await;
    let insert = "INSERT INTO t SELECT id, v, CONCAT('row ', id) FROM s";
    let result = client.result(insert).await;
    assert_eq!(result.summary.affected_rows, ROWS);
    check(&mut client, ROWS, ROWS / 10 * 45).await;
    let result = client.result("UPDATE t SET v = v + 1").await;
    assert_eq!(result.summary.affected_rows, ROWS);
    check(&mut client, ROWS, ROWS / 10 * 55).await;
    // The index that it goes by changes under it.
    let result = client.result("UPDATE t FORCE INDEX (v) SET v = v + 1 WHERE v > 0").await;
    assert_eq!(result.summary.affected_rows, ROWS);
    check(&mut client, ROWS, ROWS / 10 * 65).await;
    let result = client.result("DELETE FROM t WHERE id % 2 = 0").await;
    assert_eq!(result.summary.affected_rows, ROWS / 2);
    drop((client, server));
    let server = world.start().await;
    let mut client = server.client().await;
    client.run("USE d").await;
    check(&mut client, ROWS / 2, ROWS / 10 * 35).await;
}

#[tokio::test]
async fn statements_that_fail_and_savepoints_within_a_large_transaction() {
    let world = World::new().limited(small());
    let server = world.start().await;
    let (mut client, mut other) = (server.client().await, server.client().await);
    source(&mut client).await;
    other.run("USE d").await;
    let insert = "INSERT INTO t SELECT id, v, CONCAT('row ', id) FROM s";
    client.run("BEGIN; INSERT INTO t VALUES (1999, 7, 'first')").await;
    // It fails in the middle, and all of it is taken back.
    assert_eq!(client.error(insert).await.0, 1062);
    check(&mut client, 1, 7).await;
    client.run("DELETE FROM t; SAVEPOINT s0").await;
    client.run(insert).await;
    check(&mut client, ROWS, ROWS / 10 * 45).await;
    client.run("SAVEPOINT s1; UPDATE t SET v = 0").await;
    check(&mut client, ROWS, 0).await;
    client.run("ROLLBACK TO s1").await;
    check(&mut client, ROWS, ROWS / 10 * 45).await;
    client.run("ROLLBACK TO s0").await;
    check(&mut client, 0, 0).await;
    client.run(insert).await;
    // Nobody sees it before it is committed, and who reads does not wait.
    check(&mut other, 0, 0).await;
    client.run("COMMIT").await;
    check(&mut other, ROWS, ROWS / 10 * 45).await;
    client.run("BEGIN; DELETE FROM t; ROLLBACK").await;
    check(&mut other, ROWS, ROWS / 10 * 45).await;
}

#[tokio::test]
async fn a_large_transaction_keeps_other_writers_out_of_its_table() {
    let world = World::new().limited(small());
    let server = world.start().await;
    let (mut client, mut other) = (server.client().await, server.client().await);
    source(&mut client).await;
    other.run("USE d; SET innodb_lock_wait_timeout = 1").await;
    client.run("BEGIN; INSERT INTO t SELECT id, v, CONCAT('row ', id) FROM s").await;
    assert_eq!(other.error("INSERT INTO t VALUES (100000, 1, 'other')").await.0, 1205);
    // Who only reads does not wait.
    assert_eq!(other.value("SELECT COUNT(*) FROM t").await.as_deref(), Some("0"));
    assert_eq!(other.error("SELECT * FROM s FOR SHARE").await.0, 1205);
    client.run("COMMIT").await;
    other.run("INSERT INTO t VALUES (100000, 1, 'other')").await;
}
