//! What changing rows gives beside the rows; the answers are a MySQL server's.

use crate::support::start;

#[tokio::test]
async fn a_virtual_column_that_is_read_alone_has_its_value() {
    let (_server, mut client) = start().await;
    client
        .run("CREATE TABLE t (id INT PRIMARY KEY, v DECIMAL(20,2) AS (id / 3), w INT AS (v + 1))")
        .await;
    client.run("INSERT INTO t (id) VALUES (29), (110)").await;
    assert_eq!(client.lines("SELECT DISTINCT v FROM t ORDER BY v").await, ["9.67", "36.67"]);
    assert_eq!(client.lines("SELECT w FROM t ORDER BY w").await, ["11", "38"]);
}

#[tokio::test]
async fn a_statement_takes_numbers_for_all_of_its_rows() {
    let (_server, mut client) = start().await;
    client.run("CREATE TABLE a (id INT PRIMARY KEY AUTO_INCREMENT, x INT)").await;
    let shown = "SELECT GROUP_CONCAT(id ORDER BY id) FROM a WHERE id > ";
    client.run("INSERT INTO a VALUES (NULL,1), (50,2), (NULL,3), (NULL,4)").await;
    assert_eq!(client.lines(&format!("{shown}0")).await, ["1,50,51,52"]);
    client.run("INSERT INTO a VALUES (NULL,1), (2,2), (NULL,3), (NULL,4)").await;
    client.run("INSERT INTO a VALUES (NULL,1), (NULL,2), (NULL,3), (100,4)").await;
    assert_eq!(client.lines(&format!("{shown}52")).await, ["53,54,55,57,58,59,100"]);
    client.run("INSERT INTO a (x) SELECT x FROM a").await;
    client.run("INSERT IGNORE INTO a VALUES (NULL,1), (50,2), (NULL,3), (NULL,4)").await;
    assert_eq!(client.lines(&format!("{shown}111")).await, ["112,116,117,118"]);
    client.run("UPDATE a SET id = 500 WHERE id = 1; INSERT INTO a VALUES (NULL, 1)").await;
    assert_eq!(client.lines(&format!("{shown}118")).await, ["500,501"]);
}

#[tokio::test]
async fn a_row_that_is_not_written_leaves_its_number_to_the_next() {
    let (_server, mut client) = start().await;
    client.run("CREATE TABLE c (id INT PRIMARY KEY AUTO_INCREMENT, u INT UNIQUE)").await;
    client.run("INSERT INTO c (u) VALUES (1)").await;
    client.run("INSERT INTO c (u) VALUES (1), (2), (1), (3) ON DUPLICATE KEY UPDATE u = u").await;
    client.run("INSERT IGNORE INTO c (u) VALUES (5), (1), (2), (6)").await;
    let rows = client.lines("SELECT id, u FROM c ORDER BY id").await;
    assert_eq!(rows, ["1|1", "2|2", "3|3", "6|5", "7|6"]);
}

#[tokio::test]
async fn a_missing_default_is_told_once_behind_the_first_row_s_values() {
    let (_server, mut client) = start().await;
    client.run("CREATE TABLE t (a INT, b INT NOT NULL, c INT NOT NULL)").await;
    let (number, _) = client.error("INSERT INTO t (a) VALUES (99999999999)").await;
    assert_eq!(number, 1264);
    let (number, _) = client.error("INSERT INTO t (a) VALUES (1)").await;
    assert_eq!(number, 1364);
    client.run("SET sql_mode = ''; INSERT INTO t (a) VALUES (99999999999), (2), (3)").await;
    let told = client.lines("SHOW WARNINGS").await;
    let numbers: Vec<&str> = told.iter().filter_map(|line| line.split('|').nth(1)).collect();
    assert_eq!(numbers, ["1264", "1364", "1364"]);
}

#[tokio::test]
async fn ignore_leaves_out_rows_without_a_parent() {
    let (_server, mut client) = start().await;
    client.run("CREATE TABLE p (id INT PRIMARY KEY); INSERT INTO p VALUES (1)").await;
    client.run("CREATE TABLE c (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES p (id))").await;
    let result = client.result("INSERT IGNORE INTO c VALUES (1, 1), (2, 2), (3, NULL)").await;
    assert_eq!(result.summary.info, "Records: 2  Duplicates: 0  Warnings: 1");
    assert!(client.lines("SHOW WARNINGS").await[0].starts_with("Warning|1452|"));
    assert_eq!(client.lines("SELECT * FROM c ORDER BY id").await, ["1|1", "3|NULL"]);
}

#[tokio::test]
async fn ignore_takes_back_what_a_row_did_to_its_children() {
    let (_server, mut client) = start().await;
    client.run("CREATE TABLE p (id INT PRIMARY KEY, u INT UNIQUE)").await;
    client.run("CREATE TABLE c (p INT, FOREIGN KEY (p) REFERENCES p (id) ON UPDATE CASCADE)").await;
    client.run("INSERT INTO p VALUES (1, 10), (2, 20); INSERT INTO c VALUES (1)").await;
    client.run("UPDATE IGNORE p SET id = 7, u = 20 WHERE id = 1").await;
    assert_eq!(client.lines("SELECT p FROM c").await, ["1"]);
    assert_eq!(client.lines("SELECT * FROM p ORDER BY id").await, ["1|10", "2|20"]);
}

#[tokio::test]
async fn on_duplicate_key_update_warns_of_values_and_knows_what_the_new_row_has() {
    let (_server, mut client) = start().await;
    client.run("CREATE TABLE t (id INT PRIMARY KEY DEFAULT 1, v INT)").await;
    client.run("INSERT INTO t VALUES (1, 2) ON DUPLICATE KEY UPDATE v = VALUES(v)").await;
    assert!(client.lines("SHOW WARNINGS").await[0].starts_with("Warning|1287|'VALUES function'"));
    let sql = "INSERT INTO t (v) VALUES (1) AS n ON DUPLICATE KEY UPDATE v = n.id";
    assert_eq!(client.error(sql).await, (1054, "Unknown column 'n.id' in 'field list'".into()));
    let same = "INSERT INTO t VALUES (1, 2), (2, 5) ON DUPLICATE KEY UPDATE v = 2";
    assert_eq!(client.result(same).await.summary.info, "Records: 2  Duplicates: 0  Warnings: 0");
}

#[tokio::test]
async fn without_strict_mode_an_update_takes_null_for_zero() {
    let (_server, mut client) = start().await;
    client.run("CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, v INT NOT NULL)").await;
    client.run("SET sql_mode = ''; INSERT INTO t VALUES (1, 5); UPDATE t SET v = NULL").await;
    assert_eq!(client.lines("SHOW WARNINGS").await, ["Warning|1048|Column 'v' cannot be null"]);
    client.run("UPDATE t SET id = DEFAULT").await;
    assert_eq!(client.lines("SELECT * FROM t").await, ["0|0"]);
}
