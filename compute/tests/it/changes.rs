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
    client
        .run("CREATE TABLE c (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES p (id))")
        .await;
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

#[tokio::test]
async fn children_equal_by_collation_hold_their_parent() {
    let (_server, mut client) = start().await;
    client.run("CREATE TABLE p (id VARCHAR(10) CHARACTER SET latin1 PRIMARY KEY)").await;
    client
        .run(
            "CREATE TABLE c (id INT PRIMARY KEY, r VARCHAR(10) CHARACTER SET latin1, \
             FOREIGN KEY (r) REFERENCES p (id))",
        )
        .await;
    client.run("INSERT INTO p VALUES ('a'), ('b'); INSERT INTO c VALUES (1, 'A'), (2, 'b ')").await;
    for sql in ["DELETE FROM p WHERE id = 'a'", "UPDATE p SET id = 'x' WHERE id = 'b'"] {
        assert_eq!(client.error(sql).await.0, 1451, "{sql}");
    }
}

#[tokio::test]
async fn children_follow_a_parent_whose_key_changes() {
    let (_server, mut client) = start().await;
    client.run("CREATE TABLE p (id INT PRIMARY KEY); INSERT INTO p VALUES (1), (2)").await;
    client
        .run(
            "CREATE TABLE c (id INT PRIMARY KEY, a INT, b INT, \
             FOREIGN KEY (a) REFERENCES p (id) ON UPDATE CASCADE, \
             FOREIGN KEY (b) REFERENCES p (id) ON UPDATE SET NULL)",
        )
        .await;
    client.run("INSERT INTO c VALUES (1, 1, 2), (2, 2, 1); UPDATE p SET id = 7 WHERE id = 1").await;
    assert_eq!(client.lines("SELECT * FROM c ORDER BY id").await, ["1|7|2", "2|2|NULL"]);
    assert_eq!(client.error("INSERT INTO c VALUES (3, 1, 2)").await.0, 1452);
    client.run("INSERT INTO c VALUES (3, 7, 7)").await;
}

#[tokio::test]
async fn a_cascade_changes_what_is_computed_of_its_columns() {
    let (_server, mut client) = start().await;
    client.run("CREATE TABLE p (id VARCHAR(10) PRIMARY KEY); INSERT INTO p VALUES ('b')").await;
    client
        .run(
            "CREATE TABLE c (id INT PRIMARY KEY, r VARCHAR(10), v VARCHAR(12) AS (CONCAT(r, 'x')), \
             KEY (v), FOREIGN KEY (r) REFERENCES p (id) ON UPDATE CASCADE ON DELETE SET NULL)",
        )
        .await;
    client.run("INSERT INTO c (id, r) VALUES (2, 'b'); UPDATE p SET id = 'zz'").await;
    let by_index = |v: &str| format!("SELECT id FROM c FORCE INDEX (v) WHERE v = '{v}'");
    assert_eq!(client.lines(&by_index("zzx")).await, ["2"]);
    assert!(client.lines(&by_index("bx")).await.is_empty());
    client.run("DELETE FROM p").await;
    assert!(client.lines(&by_index("zzx")).await.is_empty());
}

#[tokio::test]
async fn documents_in_columns_of_other_types_are_cast() {
    let (_server, mut client) = start().await;
    client.run("CREATE TABLE t (i INT, d DATE); CREATE TABLE j (j JSON)").await;
    client.run("INSERT INTO j VALUES ('{}')").await;
    let told = "Invalid JSON value for CAST to INTEGER from column cast_as_json at row 1";
    let sql = "INSERT INTO t (i) VALUES (CAST('{}' AS JSON))";
    assert_eq!(client.error(sql).await, (3156, told.into()));
    client.run("INSERT INTO t (i) VALUES (CAST('\"12\"' AS JSON))").await;
    client.run("SET sql_mode = ''; INSERT INTO t (d) VALUES (CAST('{}' AS JSON))").await;
    client.run("INSERT INTO t (d) SELECT j FROM j").await;
    let rows = client.lines("SELECT i, d FROM t ORDER BY i, d").await;
    assert_eq!(rows, ["NULL|NULL", "NULL|0000-00-00", "12|NULL"]);
}

#[tokio::test]
async fn what_is_wrong_with_an_expression_in_an_index_names_the_index() {
    let (_server, mut client) = start().await;
    client.run("CREATE TABLE t (b BIGINT, KEY f2 ((CAST(b AS CHAR(2)))))").await;
    let told = "Data truncated for functional index 'f2' at row 1";
    assert_eq!(client.error("INSERT INTO t VALUES (123)").await, (3751, told.into()));
    client.run("INSERT IGNORE INTO t VALUES (123)").await;
    assert_eq!(client.lines("SHOW WARNINGS").await, [format!("Warning|3751|{told}")]);
}

#[tokio::test]
async fn on_duplicate_key_update_knows_the_tables_of_its_query() {
    let (_server, mut client) = start().await;
    client.run("CREATE TABLE t (id INT PRIMARY KEY, v INT); INSERT INTO t VALUES (1, 1)").await;
    client.run("CREATE TABLE s (k INT, v INT, w INT); INSERT INTO s VALUES (1, 7, 9)").await;
    let insert = "INSERT INTO t SELECT k, v FROM s ON DUPLICATE KEY UPDATE";
    let ambiguous = (1052, "Column 'v' in field list is ambiguous".to_owned());
    assert_eq!(client.error(&format!("{insert} v = v + 1")).await, ambiguous);
    client.run(&format!("{insert} v = w + t.v + VALUES(v) * 100")).await;
    assert_eq!(client.lines("SELECT * FROM t").await, ["1|710"]);
    let distinct = "INSERT INTO t SELECT DISTINCT k, v FROM s ON DUPLICATE KEY UPDATE v = w";
    assert_eq!(client.error(distinct).await.0, 1235);
}

#[tokio::test]
async fn dates_of_zero_from_columns_are_refused_as_the_mode_says() {
    let (_server, mut client) = start().await;
    client.run("CREATE TABLE a (d DATE, t DATETIME(2)); CREATE TABLE b LIKE a").await;
    client.run("SET sql_mode = ''; INSERT INTO a VALUES (0, 0); SET sql_mode = DEFAULT").await;
    let told = "Incorrect date value: '0000-00-00' for column 'd' at row 1";
    assert_eq!(client.error("INSERT INTO b (d) SELECT d FROM a").await, (1292, told.into()));
    client.run("INSERT IGNORE INTO b (t) SELECT t FROM a").await;
    let out_of_range = "Warning|1264|Out of range value for column 't' at row 1";
    assert_eq!(client.lines("SHOW WARNINGS").await, [out_of_range]);
    client.run("UPDATE a SET d = d, t = t").await;
    let nothing = client.lines("SELECT d + INTERVAL 1 DAY, DATE(t) + INTERVAL 1 DAY FROM a").await;
    assert_eq!(nothing, ["NULL|NULL"]);
    assert!(client.lines("SHOW WARNINGS").await.is_empty());
}

#[tokio::test]
async fn null_is_told_once_by_an_insert_and_of_each_row_by_an_update() {
    let (_server, mut client) = start().await;
    client.run("CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, v INT NOT NULL)").await;
    client.run("SET sql_mode = ''; INSERT INTO t (v) VALUES (NULL), (NULL)").await;
    assert_eq!(client.lines("SHOW WARNINGS").await.len(), 1);
    client.run("UPDATE t SET v = NULL").await;
    assert_eq!(client.lines("SHOW WARNINGS").await.len(), 2);
    client.run("INSERT INTO t (v) VALUES (DEFAULT), (DEFAULT)").await;
    assert_eq!(client.lines("SHOW WARNINGS").await.len(), 2);
}

#[tokio::test]
async fn rows_of_values_may_say_default() {
    let (_server, mut client) = start().await;
    client.run("CREATE TABLE t (id INT PRIMARY KEY, v INT DEFAULT 5)").await;
    client.run("INSERT INTO t VALUES ROW(1, DEFAULT), ROW(2, 3)").await;
    assert_eq!(client.lines("SELECT * FROM t ORDER BY id").await, ["1|5", "2|3"]);
}

#[tokio::test]
async fn a_chained_transaction_is_read_only_as_the_one_before() {
    let (_server, mut client) = start().await;
    client.run("CREATE TABLE t (id INT); START TRANSACTION READ ONLY; COMMIT AND CHAIN").await;
    assert_eq!(client.error("INSERT INTO t VALUES (1)").await.0, 1792);
    client.run("COMMIT; INSERT INTO t VALUES (1)").await;
}

#[tokio::test]
async fn an_update_tells_the_id_given_to_last_insert_id() {
    let (_server, mut client) = start().await;
    client.run("CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, v INT UNIQUE)").await;
    client.run("INSERT INTO t VALUES (7, 1)").await;
    let update = client.result("UPDATE t SET id = LAST_INSERT_ID(id + 1)").await;
    assert_eq!(update.summary.last_insert_id, 8);
    let sql = "INSERT INTO t (v) VALUES (1) ON DUPLICATE KEY UPDATE id = LAST_INSERT_ID(id)";
    assert_eq!(client.result(sql).await.summary.last_insert_id, 8);
}
