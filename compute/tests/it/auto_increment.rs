//! AUTO_INCREMENT over restarts: values of rows that are gone are not given again.

use crate::support::World;

#[tokio::test]
async fn values_of_deleted_rows_are_not_given_again_after_a_restart() {
    let world = World::new();
    let server = world.start().await;
    let mut client = server.client().await;
    client.run("CREATE DATABASE d; USE d").await;
    client.run("CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, v INT)").await;
    client.run("CREATE TABLE given (id INT PRIMARY KEY AUTO_INCREMENT, v INT)").await;
    client.run("INSERT INTO t (v) VALUES (1), (2), (3); DELETE FROM t").await;
    client.run("INSERT INTO given VALUES (1000, 1); DELETE FROM given").await;
    // What a transaction took that never committed is not given again, either.
    client.run("BEGIN; INSERT INTO t (v) VALUES (4), (5); ROLLBACK").await;
    drop((client, server));
    let server = world.start().await;
    let mut client = server.client().await;
    client.run("USE d; INSERT INTO t (v) VALUES (6); INSERT INTO given (v) VALUES (2)").await;
    let id = client.value("SELECT id FROM t").await.and_then(|id| id.parse::<u64>().ok());
    assert!(id.is_some_and(|id| (6..100).contains(&id)), "{id:?}");
    let id = client.value("SELECT id FROM given").await.and_then(|id| id.parse::<u64>().ok());
    assert!(id.is_some_and(|id| (1001..1100).contains(&id)), "{id:?}");
}

#[tokio::test]
async fn many_values_survive_many_restarts() {
    let world = World::new();
    let mut last = 0;
    for round in 0..4 {
        let server = world.start().await;
        let mut client = server.client().await;
        if round == 0 {
            client.run("CREATE DATABASE d; USE d").await;
            client.run("CREATE TABLE t (id BIGINT PRIMARY KEY AUTO_INCREMENT, v INT)").await;
        }
        client.run("USE d").await;
        for _ in 0..30 {
            client.run("INSERT INTO t (v) VALUES (1), (2), (3), (4), (5)").await;
            let first: u64 =
                client.value("SELECT LAST_INSERT_ID()").await.unwrap().parse().unwrap();
            assert!(first > last, "{first} after {last}");
            last = first + 4;
            client.run("DELETE FROM t").await;
        }
    }
    assert!(last < 4 * (150 + 256 * 2), "values are not skipped without measure: {last}");
}

#[tokio::test]
async fn alter_table_and_truncate_set_it() {
    let world = World::new();
    let server = world.start().await;
    let mut client = server.client().await;
    client.run("CREATE DATABASE d; USE d").await;
    client.run("CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, v INT)").await;
    client.run("INSERT INTO t (v) VALUES (1), (2), (3); DELETE FROM t WHERE id = 3").await;
    // A copy goes on.
    client.run("ALTER TABLE t MODIFY v VARCHAR(20); INSERT INTO t (v) VALUES ('a')").await;
    assert_eq!(client.value("SELECT MAX(id) FROM t").await.as_deref(), Some("4"));
    client.run("ALTER TABLE t AUTO_INCREMENT = 100; INSERT INTO t (v) VALUES ('b')").await;
    assert_eq!(client.value("SELECT MAX(id) FROM t").await.as_deref(), Some("100"));
    // It never goes below what is there.
    client.run("ALTER TABLE t AUTO_INCREMENT = 50; INSERT INTO t (v) VALUES ('c')").await;
    assert_eq!(client.value("SELECT MAX(id) FROM t").await.as_deref(), Some("101"));
    client.run("TRUNCATE t; INSERT INTO t (v) VALUES ('d')").await;
    assert_eq!(client.value("SELECT MAX(id) FROM t").await.as_deref(), Some("1"));
}

#[tokio::test]
async fn steps_and_offsets() {
    let server = World::new().start().await;
    let mut client = server.client().await;
    client.run("CREATE DATABASE d; USE d").await;
    client.run("CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, v INT)").await;
    client.run("SET auto_increment_increment = 10, auto_increment_offset = 3").await;
    client.run("INSERT INTO t (v) VALUES (1), (2)").await;
    client.run("SET auto_increment_increment = 5, auto_increment_offset = 10").await;
    client.run("INSERT INTO t (v) VALUES (3), (4); INSERT INTO t VALUES (33, 5)").await;
    client.run("INSERT INTO t (v) VALUES (6)").await;
    client.run("SET auto_increment_increment = 1, auto_increment_offset = 1").await;
    client.run("INSERT INTO t (v) VALUES (7)").await;
    assert_eq!(client.lines("SELECT id FROM t").await, ["3", "13", "25", "30", "33", "35", "40"]);
}
