//! What statements and transactions keep stays within the memory that they may have, over
//! all sessions together.

use std::sync::Arc;

use firn_compute::memory::MemoryBudget;
use firn_compute::txn::Limits;

use crate::support::{TestClient, TestServer, World};

/// For everything that is kept, in bytes.
const MEMORY: usize = 4 << 20;
/// Each is three writes, of 280 bytes, for each time that it is written.
const ROWS: u64 = 20_000;

const TABLE: &str = "CREATE TABLE t (id INT PRIMARY KEY, v INT, note VARCHAR(40), KEY v (v), \
                     UNIQUE u (note, id))";
const INSERT: &str = "INSERT INTO t SELECT id, v, CONCAT('row ', id) FROM s";

/// A server with little memory, and a table `s` with [`ROWS`] rows.
async fn start() -> (TestServer, TestClient) {
    let world = World::new().limited(Limits::for_memory(MEMORY));
    let server = world.start().await;
    let mut client = server.client().await;
    client.run("CREATE DATABASE d; USE d; CREATE TABLE s (id INT PRIMARY KEY, v INT)").await;
    client.run("INSERT INTO s VALUES (0, 0)").await;
    let mut rows = 1;
    while rows < ROWS {
        let more = rows.min(ROWS - rows);
        client
            .run(&format!("INSERT INTO s SELECT id + {rows}, id % 10 FROM s WHERE id < {more}"))
            .await;
        rows += more;
    }
    (server, client)
}

fn within(memory: &Arc<MemoryBudget>, what: &str) {
    let peak = memory.peak();
    assert!(peak <= MEMORY, "{what}: {peak} bytes of {MEMORY}");
}

async fn count(client: &mut TestClient) -> u64 {
    let rows = client.value("SELECT COUNT(*) FROM t FORCE INDEX (v)").await;
    rows.expect("a number").parse().expect("a number")
}

#[tokio::test]
async fn a_transaction_of_ten_times_the_memory() {
    let (server, mut client) = start().await;
    let memory = Arc::clone(&server.memory);
    client.run(TABLE).await;
    client.run("BEGIN").await;
    client.run(INSERT).await;
    within(&memory, "INSERT");
    assert!(memory.peak() > MEMORY / 8, "{} bytes", memory.peak());
    assert_eq!(count(&mut client).await, ROWS);
    client.run("SAVEPOINT s; UPDATE t SET v = v + 1; DELETE FROM t WHERE id % 2 = 0").await;
    within(&memory, "UPDATE and DELETE");
    assert_eq!(count(&mut client).await, ROWS / 2);
    client.run("ROLLBACK TO s").await;
    assert_eq!(count(&mut client).await, ROWS);
    client.run("COMMIT").await;
    assert_eq!(memory.used(), 0, "after COMMIT");
    client.run("BEGIN; UPDATE t SET v = v + 1, note = CONCAT('new ', id)").await;
    client.run("DELETE FROM t; ROLLBACK").await;
    assert_eq!(memory.used(), 0, "after ROLLBACK");
    within(&memory, "all");
    assert_eq!(count(&mut client).await, ROWS);
    let result = client.result("UPDATE t SET v = v + 1").await;
    assert_eq!(result.summary.affected_rows, ROWS);
    let result = client.result("DELETE FROM t").await;
    assert_eq!(result.summary.affected_rows, ROWS);
    within(&memory, "all");
    assert_eq!(memory.used(), 0);
}

#[tokio::test]
async fn a_large_transaction_leaves_others_the_rows_that_it_has_not_touched() {
    let (server, mut client) = start().await;
    client.run(TABLE).await;
    client.run("INSERT INTO t VALUES (100000, 1, 'x'), (100001, 1, 'y')").await;
    client.run("BEGIN").await;
    client.run(INSERT).await;
    let mut other = server.client().await;
    other.run("USE d; SET innodb_lock_wait_timeout = 1").await;
    let result = other.result("UPDATE t SET v = 2 WHERE id = 100000").await;
    assert_eq!(result.summary.affected_rows, 1);
    other.run("INSERT INTO t VALUES (100002, 1, 'z')").await;
    for id in [0, 77, ROWS / 2, ROWS - 1] {
        let error = other.error(&format!("INSERT INTO t VALUES ({id}, 1, 'z')")).await;
        assert_eq!(error.0, 1205, "{id}");
    }
    // So are rows that it has only read to write others.
    let error = other.error(&format!("UPDATE s SET v = 1 WHERE id = {}", ROWS / 3)).await;
    assert_eq!(error.0, 1205);
    let mut third = server.client().await;
    third.run("USE d; BEGIN; UPDATE t SET v = 3 WHERE id = 100001").await;
    let error = client.error("SELECT * FROM t WHERE id = 100001 FOR UPDATE NOWAIT").await;
    assert_eq!(error.0, 3572);
    client.run("COMMIT").await;
    third.run("COMMIT").await;
    assert_eq!(count(&mut other).await, ROWS + 3);
}

#[tokio::test]
async fn large_transactions_beside_each_other_share_the_memory() {
    let (server, mut client) = start().await;
    let memory = Arc::clone(&server.memory);
    for at in 0..3 {
        client.run(&TABLE.replace(" t ", &format!(" t{at} "))).await;
    }
    let sessions = (0..3).map(|at| {
        let server = &server;
        async move {
            let mut client = server.client().await;
            client.run("USE d; BEGIN").await;
            let rows = ROWS / 4;
            let insert = INSERT.replace(" t ", &format!(" t{at} "));
            client.run(&format!("{insert} WHERE id < {rows}")).await;
            client.run(&format!("UPDATE t{at} SET v = v + 1; COMMIT")).await;
            let count = client.value(&format!("SELECT COUNT(*) FROM t{at}")).await;
            assert_eq!(count, Some(rows.to_string()));
        }
    });
    futures::future::join_all(sessions).await;
    within(&memory, "three sessions");
    assert_eq!(memory.used(), 0);
}

#[tokio::test]
async fn what_is_gathered_goes_to_files_within_the_memory() {
    let (server, mut client) = start().await;
    let (memory, spill) = (Arc::clone(&server.memory), Arc::clone(&server.spill));
    client.run(TABLE).await;
    client.run(INSERT).await;
    // Rows that are sorted, grouped, remembered and derived.
    for (sql, rows) in [
        ("SELECT *, REPEAT('x', 200) AS r FROM t ORDER BY r, v", ROWS),
        ("SELECT COUNT(*) FROM t a GROUP BY CONCAT(REPEAT('x', 200), note)", ROWS),
        ("SELECT DISTINCT CONCAT(REPEAT('x', 200), note) FROM t", ROWS),
        ("SELECT COUNT(*) FROM (SELECT *, REPEAT('x', 200) FROM t LIMIT 1000000) d", 1),
        ("SELECT COUNT(DISTINCT CONCAT(REPEAT('x', 200), note)) FROM t", 1),
    ] {
        let before = spill.written();
        assert_eq!(client.rows(sql).await.len() as u64, rows, "{sql}");
        assert_eq!(memory.used(), 0, "{sql}");
        within(&memory, sql);
        assert!(spill.written() > before, "{sql}");
        assert_eq!((spill.files(), spill.bytes()), (0, 0), "{sql}");
    }
}

#[tokio::test]
async fn what_cannot_be_put_into_files_is_refused_and_given_back() {
    let (server, mut client) = start().await;
    let memory = Arc::clone(&server.memory);
    client.run(TABLE).await;
    client.run(INSERT).await;
    // One value, and rows that are kept for windows.
    for sql in [
        "SELECT LENGTH(JSON_ARRAYAGG(REPEAT(note, 20))) FROM t",
        "SELECT ROW_NUMBER() OVER (ORDER BY CONCAT(REPEAT('x', 200), note)) FROM t LIMIT 1",
        "SELECT JSON_ARRAYAGG(note) OVER (ORDER BY note, v ROWS 500 PRECEDING) FROM t LIMIT 1",
    ] {
        let error = client.error(sql).await;
        assert_eq!(error.0, 1038, "{sql}: {}", error.1);
        assert_eq!(memory.used(), 0, "{sql}");
    }
    // One row that is larger than all of it.
    client.run("CREATE TABLE l (id INT PRIMARY KEY, b LONGBLOB)").await;
    let error = client.error("INSERT INTO l VALUES (1, REPEAT('x', 5000000))").await;
    assert!([1041, 1197].contains(&error.0), "{error:?}");
    assert_eq!(memory.used(), 0);
    client.run("INSERT INTO l VALUES (1, REPEAT('x', 300000))").await;
    within(&memory, "all");
}
