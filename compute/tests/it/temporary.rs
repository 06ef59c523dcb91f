//! Temporary tables.

use crate::support::{World, start};

#[tokio::test]
async fn a_temporary_table_hides_another_one_from_its_session_only() {
    let (server, mut one) = start().await;
    let mut other = server.client().await;
    one.run("CREATE TABLE x (id INT PRIMARY KEY, v INT); INSERT INTO x VALUES (1, 10)").await;
    one.run("CREATE TEMPORARY TABLE x (name VARCHAR(9), KEY (name))").await;
    one.run("INSERT INTO x VALUES ('b'), ('a')").await;
    assert_eq!(one.lines("SELECT * FROM x ORDER BY name").await, ["a", "b"]);
    assert_eq!(other.lines("SELECT * FROM t.x").await, ["1|10"]);
    assert_eq!(one.lines("SHOW TABLES").await, ["x"]);
    let listed = "SELECT COUNT(*) FROM information_schema.columns WHERE column_name = 'name' \
                  AND table_schema = 't'";
    assert_eq!(one.value(listed).await.as_deref(), Some("0"));
    let made = one.rows("SHOW CREATE TABLE x").await.swap_remove(0).swap_remove(1).unwrap();
    assert!(made.starts_with("CREATE TEMPORARY TABLE `x` (\n  `name` varchar(9)"), "{made}");
    assert_eq!(one.lines("SHOW INDEX FROM x").await.len(), 1);
    // Nobody is kept from changing the table of that name.
    one.run("BEGIN; SELECT * FROM x").await;
    other.run("USE t; ALTER TABLE x ADD COLUMN w INT DEFAULT 3; SELECT * FROM x").await;
    one.run("COMMIT; DROP TABLE x").await;
    assert_eq!(one.lines("SELECT * FROM x").await, ["1|10|3"]);
    one.run("DROP TABLE x").await;
    assert_eq!(one.error("SELECT * FROM x").await.0, 1146);
}

#[tokio::test]
async fn it_goes_with_its_session() {
    let (server, mut one) = start().await;
    one.run("CREATE TEMPORARY TABLE x (id INT); INSERT INTO x VALUES (1)").await;
    one.0.reset_connection().await.unwrap();
    assert_eq!(one.error("SELECT * FROM t.x").await.0, 1146);
    let mut two = server.client().await;
    assert_eq!(two.error("SELECT * FROM t.x").await.0, 1146);
}

#[tokio::test]
async fn what_it_is_made_and_dropped_by_does_not_commit() {
    let (server, mut one) = start().await;
    let mut other = server.client().await;
    one.run("CREATE TABLE base (id INT PRIMARY KEY)").await;
    one.run("BEGIN; INSERT INTO base VALUES (1)").await;
    one.run("CREATE TEMPORARY TABLE x (id INT); INSERT INTO x VALUES (1), (2)").await;
    one.run("INSERT INTO base SELECT id + 10 FROM x").await;
    assert!(other.lines("SELECT * FROM t.base").await.is_empty());
    one.run("DROP TEMPORARY TABLE x").await;
    assert!(other.lines("SELECT * FROM t.base").await.is_empty());
    one.run("COMMIT").await;
    assert_eq!(other.lines("SELECT * FROM t.base").await, ["1", "11", "12"]);
}

#[tokio::test]
async fn it_is_part_of_transactions() {
    let (_server, mut one) = start().await;
    one.run("CREATE TEMPORARY TABLE x (id INT PRIMARY KEY, v INT)").await;
    one.run("INSERT INTO x VALUES (1, 1)").await;
    one.run("BEGIN; UPDATE x SET v = 2; INSERT INTO x VALUES (2, 2); ROLLBACK").await;
    assert_eq!(one.lines("SELECT * FROM x").await, ["1|1"]);
    assert_eq!(one.error("INSERT INTO x VALUES (3, 3), (1, 9)").await.0, 1062);
    assert_eq!(one.lines("SELECT * FROM x").await, ["1|1"]);
}

#[tokio::test]
async fn it_can_be_altered_and_emptied() {
    let (_server, mut one) = start().await;
    one.run("CREATE TEMPORARY TABLE x (id INT PRIMARY KEY AUTO_INCREMENT, v INT)").await;
    one.run("INSERT INTO x (v) VALUES (1), (2), (2)").await;
    one.run("ALTER TABLE x ADD COLUMN w VARCHAR(5) DEFAULT 'w'").await;
    assert_eq!(one.error("CREATE UNIQUE INDEX u ON x (v)").await.0, 1062);
    one.run("CREATE INDEX k ON x (v); ALTER TABLE x MODIFY v BIGINT NOT NULL").await;
    assert_eq!(one.lines("SELECT * FROM x WHERE v = 2").await, ["2|2|w", "3|2|w"]);
    one.run("INSERT INTO x (v) VALUES (9)").await;
    assert_eq!(one.lines("SELECT id FROM x WHERE v = 9").await, ["4"]);
    one.run("TRUNCATE TABLE x").await;
    assert!(one.lines("SELECT * FROM x").await.is_empty());
    one.run("INSERT INTO x (v) VALUES (7)").await;
    assert_eq!(one.lines("SELECT id, v FROM x").await, ["1|7"]);
}

#[tokio::test]
async fn errors_are_those_of_other_tables() {
    let (_server, mut one) = start().await;
    one.run("CREATE TEMPORARY TABLE x (id INT)").await;
    assert_eq!(one.error("CREATE TEMPORARY TABLE x (id INT)").await.0, 1050);
    one.run("CREATE TEMPORARY TABLE IF NOT EXISTS x (id INT)").await;
    assert_eq!(one.error("DROP TEMPORARY TABLE x, nothere").await.0, 1051);
    one.run("INSERT INTO x VALUES (1)").await;
    one.run("DROP TEMPORARY TABLE IF EXISTS x, nothere").await;
    assert_eq!(one.error("DROP TEMPORARY TABLE x").await.0, 1051);
    one.run("CREATE TABLE base (id INT PRIMARY KEY)").await;
    assert_eq!(one.error("DROP TEMPORARY TABLE base").await.0, 1051);
    one.run("CREATE TEMPORARY TABLE x LIKE base; INSERT INTO x VALUES (1); DROP TABLE x, base")
        .await;
    assert_eq!(one.error("SELECT * FROM base").await.0, 1146);
}

#[tokio::test]
async fn a_crash_leaves_no_rows_of_it() {
    let world = World::new();
    let server = world.start().await;
    let mut one = server.client().await;
    one.run("CREATE DATABASE t; USE t; CREATE TEMPORARY TABLE x (id INT)").await;
    one.run("INSERT INTO x VALUES (1), (2), (3)").await;
    drop((one, server));
    let server = world.start().await;
    let mut one = server.client().await;
    assert_eq!(one.error("SELECT * FROM t.x").await.0, 1146);
    // Its space goes to no other table.
    one.run("USE t; CREATE TABLE y (id INT); INSERT INTO y VALUES (4)").await;
    assert_eq!(one.lines("SELECT * FROM y").await, ["4"]);
}
