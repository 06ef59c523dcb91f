//! ALTER TABLE while others write.

#![expect(clippy::print_stderr, reason = "seeds are printed")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use firn_engine::Env;
use firn_mysql_protocol::Error;

use crate::support::{TestClient, TestServer, World, start};

const ROWS: u64 = 6_000;
const WRITERS: u64 = 3;

async fn filled(client: &mut TestClient) {
    client.run("CREATE TABLE w (id INT PRIMARY KEY, a INT NOT NULL, b VARCHAR(40))").await;
    for from in (0..ROWS).step_by(1000) {
        let rows: Vec<String> =
            (from..from + 1000).map(|id| format!("({id}, {id}, 'b{}')", id % 100)).collect();
        client.run(&format!("INSERT INTO w VALUES {}", rows.join(", "))).await;
    }
}

/// Numbers of errors that a writer may meet beside others: 1062, 1205, 1213.
fn is_usual(error: &Error) -> bool {
    matches!(error, Error::Sql(error) if matches!(error.number, 1062 | 1205 | 1213))
}

/// Writes until it is told to stop: single statements, and transactions that are committed
/// or not. Values of `a` move between rows and stay unique. The number of its statements.
async fn write(mut client: TestClient, seed: u64, writer: u64, stop: Arc<AtomicBool>) -> u64 {
    let here = tokio::runtime::Handle::current();
    let env = Env::tokio_seeded(here.clone(), here, seed);
    let below = |limit: u64| env.random_u64() % limit;
    // No two writers, of one round or of several, ever give the same number.
    static FIRST: AtomicU64 = AtomicU64::new(1);
    let mut fresh = FIRST.fetch_add(1, Ordering::Relaxed) * 1_000_000;
    let mut done = 0;
    let mut open = false;
    while !stop.load(Ordering::Relaxed) {
        fresh += 1;
        // Each writer has ids of its own, but for some.
        let id = below(ROWS / WRITERS) * WRITERS + writer;
        let sql = match below(100) {
            0..30 => format!("UPDATE w SET b = 'u{}' WHERE id = {id}", below(50)),
            30..40 => format!("UPDATE w SET a = {fresh} WHERE id = {id}"),
            40..55 => format!("INSERT INTO w VALUES ({fresh}, {fresh}, 'new')"),
            55..65 => format!("DELETE FROM w WHERE id = {id}"),
            65..70 => format!("UPDATE w SET id = {fresh}, a = {fresh} WHERE id = {id}"),
            70..75 => format!("UPDATE w SET b = NULL WHERE id BETWEEN {id} AND {id} + 20"),
            // A value leaves one row and comes to another one.
            75..80 => format!(
                "BEGIN; UPDATE w SET a = a + 500000000 WHERE id = {id}; \
                 REPLACE INTO w SELECT {fresh}, a - 500000000, 'moved' FROM w WHERE id = {id}; \
                 UPDATE w SET a = {fresh} WHERE id = {id}; COMMIT"
            ),
            80..90 if !open => "BEGIN".to_owned(),
            80..90 => "COMMIT".to_owned(),
            _ if open => "ROLLBACK".to_owned(),
            _ => format!("REPLACE INTO w VALUES ({id}, {fresh}, 'back')"),
        };
        match client.0.query_all(sql.as_bytes()).await {
            Ok(_) => {
                done += 1;
                open = match &sql[..] {
                    "BEGIN" => true,
                    "COMMIT" | "ROLLBACK" => false,
                    sql if sql.starts_with("BEGIN;") => false,
                    _ => open,
                };
            }
            Err(error) if is_usual(&error) => {
                client.run("ROLLBACK").await;
                open = false;
            }
            Err(error) => panic!("seed {seed}, {sql}: {error}"),
        }
    }
    client.run("COMMIT").await;
    done
}

/// The table by its rows, and by an index.
async fn same_by(client: &mut TestClient, index: &str, order: &str) -> usize {
    let by = |hint: &str| format!("SELECT id, a, b FROM w {hint} ORDER BY {order}");
    let rows = client.lines(&by("USE INDEX ()")).await;
    let mut entries = client.lines(&by(&format!("FORCE INDEX ({index})"))).await;
    let count = client.value(&format!("SELECT COUNT(*) FROM w FORCE INDEX ({index})")).await;
    assert_eq!(count, Some(rows.len().to_string()), "{index}");
    entries.sort();
    let mut sorted = rows;
    sorted.sort();
    assert_eq!(entries, sorted, "{index}");
    sorted.len()
}

/// Runs an ALTER while others write; how many statements they got done meanwhile.
async fn beside_writers(server: &TestServer, client: &mut TestClient, sql: &str, seed: u64) -> u64 {
    let stop = Arc::new(AtomicBool::new(false));
    let mut writers = Vec::new();
    for writer in 0..WRITERS {
        let mut other = server.client().await;
        other.run("USE t").await;
        let seed = seed * 10 + writer;
        writers.push(tokio::spawn(write(other, seed, writer, Arc::clone(&stop))));
    }
    client.run(sql).await;
    stop.store(true, Ordering::Relaxed);
    let mut done = 0;
    for writer in writers {
        done += writer.await.unwrap();
    }
    done
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_built_beside_writers_is_what_the_rows_give() {
    let here = tokio::runtime::Handle::current();
    let random = || Env::tokio(here.clone(), here.clone()).random_u64() % 1_000_000;
    let seed = std::env::var("FIRN_SEED").map_or_else(|_| random(), |seed| seed.parse().unwrap());
    eprintln!("FIRN_SEED={seed}");
    let (server, mut client) = start().await;
    filled(&mut client).await;
    for (round, (sql, index, order)) in [
        ("ALTER TABLE w ADD INDEX b (b)", "b", "b"),
        ("ALTER TABLE w ADD UNIQUE a (a), ALGORITHM=INPLACE, LOCK=NONE", "a", "a"),
        ("CREATE INDEX ab ON w (a, b)", "ab", "a"),
        ("ALTER TABLE w FORCE", "b", "b"),
        ("ALTER TABLE w DROP INDEX ab, DROP PRIMARY KEY, ADD PRIMARY KEY (a)", "b", "b"),
        ("ALTER TABLE w DROP INDEX a, ADD INDEX i (id, b), MODIFY b VARCHAR(50)", "i", "id"),
    ]
    .into_iter()
    .enumerate()
    {
        let done = beside_writers(&server, &mut client, sql, seed + round as u64).await;
        let rows = same_by(&mut client, index, order).await;
        eprintln!("{sql}: {done} statements beside it, {rows} rows");
        assert!(done > 0, "nobody wrote beside {sql}");
        // Later statements keep it so.
        client.run("UPDATE w SET b = 'later' WHERE id % 7 = 0").await;
        same_by(&mut client, index, order).await;
    }
}

/// Waits until a condition holds, or the time is over.
async fn until(mut holds: impl AsyncFnMut() -> bool, what: &str) {
    let begun = std::time::Instant::now();
    while !holds().await {
        assert!(begun.elapsed().as_secs() < 60, "{what}");
        tokio::task::yield_now().await;
    }
}

/// Where the statement of another connection is.
async fn state(client: &mut TestClient) -> Option<String> {
    let sql = "SELECT STATE FROM information_schema.PROCESSLIST WHERE INFO LIKE 'ALTER%'";
    client.rows(sql).await.pop().and_then(|mut row| row.pop().flatten())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_transaction_is_waited_for_and_its_rows_are_in_the_index() {
    let (server, mut client) = start().await;
    filled(&mut client).await;
    let mut other = server.client().await;
    let mut watch = server.client().await;
    let mut reader = server.client().await;
    other.run("USE t").await;
    reader.run("USE t; START TRANSACTION WITH CONSISTENT SNAPSHOT").await;
    let id = client.value("SELECT CONNECTION_ID()").await.unwrap();
    let alter = tokio::spawn(async move {
        client.run("ALTER TABLE w ADD INDEX b (b)").await;
        client
    });
    // It begins to build, and then waits for this transaction to end.
    let stages = format!(
        "SELECT EVENT_NAME, WORK_COMPLETED, WORK_ESTIMATED FROM \
         performance_schema.events_stages_current WHERE THREAD_ID = {id}"
    );
    let seen = Arc::new(AtomicU64::new(0));
    until(async || !watch.rows(&stages).await.is_empty(), "a stage").await;
    other.run("BEGIN; UPDATE w SET b = 'own' WHERE id < 100; DELETE FROM w WHERE id = 100").await;
    let last = async || {
        seen.fetch_add(1, Ordering::Relaxed);
        state(&mut watch).await.as_deref() == Some("Waiting for table metadata lock")
    };
    until(last, "it waits for the table").await;
    other.run("COMMIT").await;
    let mut client = alter.await.unwrap();
    same_by(&mut client, "b", "b").await;
    let own = "SELECT COUNT(*) FROM w FORCE INDEX (b) WHERE b = 'own'";
    assert_eq!(client.value(own).await.as_deref(), Some("100"));
    // A snapshot from before has no history of the index; the rows can be read.
    let by_index = "SELECT COUNT(*) FROM w FORCE INDEX (b) WHERE b > ''";
    assert_eq!(reader.error(by_index).await.0, 1412);
    assert!(reader.rows("SELECT b FROM w WHERE id = 1").await.len() < 2);
    reader.rows("SELECT COUNT(*) FROM w FORCE INDEX (PRIMARY)").await;
    reader.run("COMMIT").await;
    assert_eq!(reader.value(own).await.as_deref(), Some("100"));
    assert!(client.rows("SELECT * FROM performance_schema.events_stages_current").await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_or_failed_build_leaves_the_old_table() {
    let world = World::new();
    let server = world.start().await;
    let mut client = server.client().await;
    client.run("CREATE DATABASE t; USE t").await;
    filled(&mut client).await;
    let before = client.lines("SHOW CREATE TABLE w").await;
    let mut other = server.client().await;
    let mut watch = server.client().await;
    other.run("USE t").await;
    for sql in ["ALTER TABLE w ADD INDEX b (b)", "ALTER TABLE w FORCE"] {
        let id = client.value("SELECT CONNECTION_ID()").await.unwrap();
        let alter = tokio::spawn(async move {
            let error = client.error(sql).await;
            (client, error)
        });
        until(async || state(&mut watch).await.is_some_and(|s| s != "executing"), "a stage").await;
        other.run("BEGIN; UPDATE w SET b = 'own' WHERE id = 1").await;
        let waits = "Waiting for table metadata lock";
        until(async || state(&mut watch).await.as_deref() == Some(waits), "it waits").await;
        watch.run(&format!("KILL QUERY {id}")).await;
        let (back, error) = alter.await.unwrap();
        client = back;
        assert_eq!(error, (1317, "Query execution was interrupted".to_owned()), "{sql}");
        other.run("COMMIT").await;
        assert_eq!(client.lines("SHOW CREATE TABLE w").await, before);
    }
    // A duplicate, as MySQL names it.
    client.run("UPDATE w SET a = 77 WHERE id = 4000").await;
    let duplicate = (1062, "Duplicate entry '77' for key 'w.a'".to_owned());
    assert_eq!(client.error("ALTER TABLE w ADD UNIQUE a (a)").await, duplicate);
    assert_eq!(client.lines("SHOW CREATE TABLE w").await, before);
    client.run("DELETE FROM w WHERE id = 77").await;
    client.run("ALTER TABLE w ADD UNIQUE a (a), ADD INDEX b (b)").await;
    same_by(&mut client, "a", "a").await;
    // Nor is anything of it left for a later start.
    drop((client, other, watch, server));
    let server = world.start().await;
    let mut client = server.client().await;
    client.run("USE t").await;
    same_by(&mut client, "b", "b").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_changes_end_the_build_and_not_the_writers() {
    let (server, mut client) = start().await;
    filled(&mut client).await;
    let mut other = server.client().await;
    let mut watch = server.client().await;
    other.run("USE t").await;
    watch.run("SET GLOBAL innodb_online_alter_log_max_size = 65536").await;
    let alter = tokio::spawn(async move {
        let error = client.error("ALTER TABLE w ADD INDEX b (b)").await;
        (client, error)
    });
    until(async || state(&mut watch).await.is_some_and(|s| s != "executing"), "a stage").await;
    other.run("BEGIN; UPDATE w SET b = 'own'; COMMIT").await;
    let (mut client, error) = alter.await.unwrap();
    assert_eq!(error.0, 1799, "{}", error.1);
    let own = "SELECT COUNT(*) FROM w WHERE b = 'own'";
    assert_eq!(client.value(own).await, Some(ROWS.to_string()));
}
