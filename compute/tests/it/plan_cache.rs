//! Statements that are compiled once and run often: with other values, in other
//! settings, after the tables have changed.

use firn_mysql_protocol::ColumnType;
use firn_mysql_protocol::client::{Client, PreparedStatement};
use firn_mysql_protocol::command::{Parameter, ParameterValue};

use crate::executors::counted;
use crate::support::{TestClient, TestServer, start};

async fn filled() -> (TestServer, TestClient) {
    let (server, mut client) = start().await;
    client.run("CREATE TABLE a (id INT PRIMARY KEY, k INT, s VARCHAR(20), KEY (k))").await;
    client.run("INSERT INTO a VALUES (1, 10, 'one'), (2, 20, 'two'), (3, 30, 'three')").await;
    (server, client)
}

#[tokio::test]
async fn values_of_a_kept_statement_are_its_own() {
    let (_server, mut client) = filled().await;
    for (id, s) in [(1, "one"), (2, "two"), (3, "three"), (1, "one")] {
        assert_eq!(client.lines(&format!("SELECT s FROM a WHERE id = {id}")).await, [s]);
        assert_eq!(client.lines(&format!("SELECT s FROM a WHERE s='{s}'")).await, [s]);
    }
    for (from, to, expected) in [(1, 2, vec!["1", "2"]), (3, 3, vec!["3"]), (2, 3, vec!["2", "3"])]
    {
        let sql = format!("SELECT id FROM a WHERE id BETWEEN {from} AND {to} ORDER BY id");
        assert_eq!(client.lines(&sql).await, expected);
        let sql = format!("SELECT id FROM a WHERE id IN ({from}, {to}) ORDER BY id LIMIT {to}");
        assert_eq!(client.lines(&sql).await.len(), if from == to { 1 } else { 2 });
    }
    for (id, k) in [(4, 40), (5, 50)] {
        client.run(&format!("INSERT INTO a (id, k, s) VALUES ({id}, {k}, 'v{k}')")).await;
        client.run(&format!("UPDATE a SET s = 'w{k}' WHERE id = {id}")).await;
        assert_eq!(
            client.lines(&format!("SELECT k, s FROM a WHERE id = {id}")).await,
            [format!("{k}|w{k}")]
        );
        client.run(&format!("UPDATE a SET k = k + {id} WHERE id = {id}")).await;
        assert_eq!(
            client.lines(&format!("SELECT k, s FROM a WHERE id = {id}")).await,
            [format!("{}|w{k}", k + id)]
        );
        client.run(&format!("DELETE FROM a WHERE id = {id}")).await;
    }
    assert_eq!(client.value("SELECT COUNT(*) FROM a").await.as_deref(), Some("3"));
}

#[tokio::test]
async fn literals_that_types_depend_on_are_kept_apart() {
    let (_server, mut client) = filled().await;
    for (literal, expected) in [("1", "1"), ("123", "123"), ("'x'", "x"), ("1.50", "1.50")] {
        let sql = format!("SELECT {literal} AS v, id FROM a WHERE id = 1");
        for _ in 0..2 {
            let result = client.result(&sql).await;
            assert_eq!(
                crate::support::lines_of(&crate::support::rows_of(&result)),
                [format!("{expected}|1")]
            );
            let length = if literal.starts_with('\'') { 4 } else { literal.len() as u32 + 1 };
            assert_eq!(result.columns[0].length, length, "{sql}");
        }
    }
    // A string beside a number is read as one, whatever was in its place before.
    for (literal, rows) in [("1", 1), ("'1'", 1), ("'1x'", 1), ("9", 0), ("2.0", 1), ("1e0", 1)] {
        let sql = format!("SELECT s FROM a WHERE id = {literal}");
        assert_eq!(client.lines(&sql).await.len(), rows, "{sql}");
        assert_eq!(client.lines(&sql).await.len(), rows, "{sql}");
        let warned = client.lines("SHOW WARNINGS").await.len();
        assert_eq!(warned > 0, literal == "'1x'", "{sql}");
    }
}

/// Texts that a TIME column was to be between were kept as parameters, which were compared as
/// texts.
#[tokio::test]
async fn times_between_texts_are_compared_as_times() {
    let (_server, mut client) = start().await;
    client
        .run(
            "CREATE TABLE times (id INT PRIMARY KEY, t TIME, d TIME(3), KEY (t));
             INSERT INTO times VALUES (1, '-838:59:59', '-838:59:59'), (2, '00:00:00',
             '100:00:00.001'), (3, '12:34:56', NULL), (4, '-01:00:00', '-01:00:00'), (5, '01:00:01',
             '-00:30:00')",
        )
        .await;
    for (condition, ids) in [
        ("t BETWEEN '-01:00:00' AND '12:34:56'", &["2", "3", "4", "5"][..]),
        ("t BETWEEN '-838:59:59' AND '-00:10:00'", &["1", "4"]),
        ("d BETWEEN '-01:00:00' AND '12:34:56'", &["4", "5"]),
        ("d NOT BETWEEN '-01:00:00' AND '-01:00:00'", &["1", "2", "5"]),
        ("t IN ('-01:00:00', '0:0:0')", &["2", "4"]),
        ("t > '-01:00:00' AND t <= '01:00:01'", &["2", "5"]),
    ] {
        for _ in 0..2 {
            let sql = format!("SELECT id FROM times WHERE {condition} ORDER BY id");
            assert_eq!(client.lines(&sql).await, ids, "{condition}");
        }
    }
    client.run("SET @low = '-01:00:00', @high = '12:34:56'").await;
    for (column, ids) in [("t", &["2", "3", "4", "5"][..]), ("d", &["4", "5"])] {
        let sql = format!("SELECT id FROM times WHERE {column} BETWEEN ? AND ? ORDER BY id");
        client.run(&format!("PREPARE of_times FROM '{sql}'")).await;
        assert_eq!(client.lines("EXECUTE of_times USING @low, @high").await, ids, "{column}");
    }
}

#[tokio::test]
async fn a_changed_table_is_compiled_anew() {
    let (server, mut client) = filled().await;
    let mut other = server.try_client(Some("t")).await.expect("root gets in");
    let sql = "SELECT * FROM a WHERE id = 1";
    assert_eq!(client.lines(sql).await, ["1|10|one"]);
    assert_eq!(client.lines(sql).await, ["1|10|one"]);
    other.run("ALTER TABLE a ADD COLUMN n INT DEFAULT 7").await;
    assert_eq!(client.lines(sql).await, ["1|10|one|7"]);
    other.run("ALTER TABLE a MODIFY s VARBINARY(30), DROP COLUMN k").await;
    assert_eq!(client.lines(sql).await, ["1|one|7"]);
    other.run("DROP TABLE a").await;
    assert_eq!(client.error(sql).await.0, 1146);
    other
        .run("CREATE TABLE a (id VARCHAR(5) PRIMARY KEY); INSERT INTO a VALUES ('1'), ('1b')")
        .await;
    assert_eq!(client.lines(sql).await.len(), 2);
    other.run("DROP TABLE a; CREATE TABLE a (id INT, x INT)").await;
    assert!(client.lines(sql).await.is_empty());
}

#[tokio::test]
async fn databases_and_settings_are_kept_apart() {
    let (_server, mut client) = filled().await;
    client.run("CREATE DATABASE u; CREATE TABLE u.a (id INT PRIMARY KEY, s VARCHAR(9)); INSERT INTO u.a VALUES (1, 'other')").await;
    for _ in 0..2 {
        client.run("USE t").await;
        assert_eq!(client.lines("SELECT s FROM a WHERE id = 1").await, ["one"]);
        client.run("USE u").await;
        assert_eq!(client.lines("SELECT s FROM a WHERE id = 1").await, ["other"]);
    }
    client.run("USE t").await;
    for _ in 0..2 {
        client.run("SET sql_mode = ''").await;
        client.run("UPDATE a SET s = 'a very long text that is cut' WHERE id = 1").await;
        assert_eq!(client.lines("SELECT s FROM a WHERE id = 1").await, ["a very long text tha"]);
        client.run("SET sql_mode = 'STRICT_ALL_TABLES'").await;
        let sql = "UPDATE a SET s = 'a very long text that is cut' WHERE id = 1";
        assert_eq!(client.error(sql).await.0, 1406);
        client.run("SET sql_mode = 'ANSI_QUOTES'").await;
        assert_eq!(client.error("SELECT id FROM a WHERE s = \"one\"").await.0, 1054);
        client.run("SET sql_mode = ''").await;
        assert!(client.lines("SELECT id FROM a WHERE s = \"one\"").await.is_empty());
    }
    // Types of variables are those of the moment.
    for (value, expected) in [("1", "one"), ("'3'", "three"), ("NULL", "")] {
        client.run(&format!("SET @v = {value}; UPDATE a SET s = 'one' WHERE id = 1")).await;
        let lines = client.lines("SELECT s FROM a WHERE id = @v").await;
        assert_eq!(lines.concat(), expected, "{value}");
    }
}

#[tokio::test]
async fn warnings_and_counts_are_those_of_each_run() {
    let (_server, mut client) = filled().await;
    client.run("SET sql_mode = ''").await;
    for round in 0..3 {
        client.run(&format!("INSERT INTO a VALUES ({}, 'x', 'y')", 100 + round)).await;
        assert_eq!(
            client.lines("SHOW WARNINGS").await,
            ["Warning|1366|Incorrect integer value: 'x' for column 'k' at row 1"]
        );
        assert_eq!(
            client.error("INSERT INTO a VALUES (1, 2, 'y')").await,
            (1062, "Duplicate entry '1' for key 'a.PRIMARY'".into())
        );
    }
    assert_eq!(client.value("SELECT COUNT(*) FROM a WHERE k = 0").await.as_deref(), Some("3"));
}

/// Runs a prepared statement: its rows as texts.
async fn executed(
    client: &mut Client,
    statement: &PreparedStatement,
    value: ParameterValue<'_>,
) -> Result<Vec<String>, firn_mysql_protocol::Error> {
    let kind = match value {
        ParameterValue::Int(_) => ColumnType::LongLong,
        ParameterValue::Double(_) => ColumnType::Double,
        _ => ColumnType::VarString,
    };
    let parameter = Parameter { name: Vec::new(), kind, value };
    let outcome = client.execute(statement, &[parameter], false, |_| false).await?;
    let results = client.read_all(outcome).await?;
    let text = |value: ParameterValue<'_>| match value {
        ParameterValue::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        ParameterValue::Int(number) => number.to_string(),
        other => format!("{other:?}"),
    };
    let row = |row: &firn_mysql_protocol::client::Row| {
        let values = row.values(&results[0].columns).expect("a row");
        values.into_iter().map(text).collect::<Vec<_>>().join("|")
    };
    Ok(results[0].rows.iter().map(row).collect())
}

#[tokio::test]
async fn parameters_of_other_types_are_compiled_for() {
    use ParameterValue::{Bytes, Double, Int, Null};
    let (server, mut client) = filled().await;
    let mut other = server.try_client(Some("t")).await.expect("root gets in");
    let prepared =
        client.0.prepare(b"SELECT s, id FROM a WHERE id = ?").await.expect("it is right");
    for _ in 0..2 {
        for (value, expected) in [
            (Int(1), &["one|1"][..]),
            (Bytes(b"2"), &["two|2"]),
            (Int(3), &["three|3"]),
            (Null, &[]),
            (Double(2.0), &["two|2"]),
            (Bytes(b"nothing at all"), &[]),
        ] {
            let rows = executed(&mut client.0, &prepared, value).await.expect("it runs");
            assert_eq!(rows, expected, "{value:?}");
        }
    }
    other.run("ALTER TABLE a MODIFY id VARCHAR(10), MODIFY s VARCHAR(40) FIRST").await;
    assert_eq!(executed(&mut client.0, &prepared, Int(1)).await.expect("it runs"), ["one|1"]);
    other.run("DROP TABLE a").await;
    let error = executed(&mut client.0, &prepared, Int(1)).await.expect_err("it is gone");
    assert!(error.to_string().contains("doesn't exist"), "{error}");
}

/// They were compiled twice for each execution if their parameters were numbers.
#[tokio::test]
async fn prepared_statements_with_subqueries_are_compiled_once() {
    use ParameterValue::{Bytes, Int};
    let (_server, mut client) = filled().await;
    client.run("CREATE TABLE b (a_id INT, n INT, KEY (a_id))").await;
    client.run("INSERT INTO b VALUES (1, 7), (1, 8), (3, 9)").await;
    client.run("ANALYZE TABLE a, b").await;
    for sql in [
        "SELECT s, (SELECT COUNT(*) FROM b WHERE a_id = id) FROM a WHERE id = ?",
        "SELECT s, 2 FROM a WHERE k <= ? * 10 AND EXISTS (SELECT 1 FROM b WHERE a_id = id AND n = 8)",
        "SELECT x.s, x.c FROM (SELECT a.s, COUNT(*) AS c FROM a JOIN b ON a_id = id WHERE id = ?
         GROUP BY a.s) x",
    ] {
        let prepared = client.0.prepare(sql.as_bytes()).await.expect("it is right");
        let first = executed(&mut client.0, &prepared, Int(1)).await.expect("it runs");
        assert_eq!(first, ["one|2"], "{sql}");
        let before = counted(&mut client, "SESSION", "Firn_compiled").await;
        let own = counted(&mut client, "SESSION", "Firn_compiled").await - before;
        for value in [Int(1), Int(1), Int(1)] {
            let rows = executed(&mut client.0, &prepared, value).await.expect("it runs");
            assert_eq!(rows, ["one|2"], "{sql}");
        }
        let after = counted(&mut client, "SESSION", "Firn_compiled").await;
        assert_eq!(after - before, 2 * own, "{sql}");
        // Of another type, and once more.
        for value in [Bytes(b"1"), Int(1)] {
            let rows = executed(&mut client.0, &prepared, value).await.expect("it runs");
            assert_eq!(rows, ["one|2"], "{sql}");
        }
    }
    let sql = "SELECT s, (SELECT SUM(n) FROM b WHERE a_id = id) FROM a WHERE id = ?";
    let prepared = client.0.prepare(sql.as_bytes()).await.expect("it is right");
    for (id, expected) in [(1, "one|15"), (3, "three|9"), (1, "one|15")] {
        let rows = executed(&mut client.0, &prepared, Int(id)).await.expect("it runs");
        assert_eq!(rows, [expected], "{id}");
    }
}

/// They were compiled twice for each execution.
#[tokio::test]
async fn texts_with_subqueries_or_dates_are_compiled_once() {
    let (_server, mut client) = filled().await;
    client.run("CREATE TABLE b (a_id INT, n INT, d DATE, KEY (a_id))").await;
    client.run("INSERT INTO b VALUES (1, 7, '2024-01-01'), (1, 8, '2024-02-01')").await;
    client.run("INSERT INTO b VALUES (3, 9, '2024-03-01')").await;
    client.run("ANALYZE TABLE a, b").await;
    let before = counted(&mut client, "SESSION", "Firn_compiled").await;
    let own = counted(&mut client, "SESSION", "Firn_compiled").await - before;
    // Texts in the order in which they are sent, how often they are compiled, their answers.
    let of_count = |id: u32| {
        format!("SELECT s, (SELECT COUNT(*) FROM b WHERE a_id = id) FROM a WHERE id = {id}")
    };
    let of_in = |n: u32, s: &str| {
        format!("SELECT s FROM a WHERE s = '{s}' AND id IN (SELECT a_id FROM b WHERE n = {n})")
    };
    let of_from = |n: u32| {
        format!("SELECT x.c FROM (SELECT a_id, COUNT(*) AS c FROM b GROUP BY a_id) x WHERE c = {n}")
    };
    let of_date =
        |n: u32, d: &str| format!("SELECT n FROM b WHERE n >= {n} AND d > '{d}' ORDER BY n");
    for (sql, compiled, expected) in [
        (of_count(1), 1, &["one|2"][..]),
        (of_count(2), 0, &["two|0"]),
        (of_count(3), 0, &["three|1"]),
        // What is compared within the subquery is no parameter.
        (of_in(8, "one"), 1, &["one"]),
        (of_in(8, "three"), 0, &[]),
        (of_in(9, "three"), 1, &["three"]),
        (of_in(9, "one"), 0, &[]),
        (of_from(2), 1, &["2"]),
        (of_from(1), 0, &["1"]),
        // A text beside a date is one, which is found out once.
        (of_date(1, "2024-01-15"), 2, &["8", "9"]),
        (of_date(1, "2024-01-15"), 0, &["8", "9"]),
        (of_date(9, "2024-01-15"), 0, &["9"]),
        (of_date(1, "2024-02-15"), 1, &["9"]),
        (of_date(1, "2023-02-15"), 1, &["7", "8", "9"]),
        (of_date(8, "2024-02-15"), 0, &["9"]),
    ] {
        let before = counted(&mut client, "SESSION", "Firn_compiled").await;
        assert_eq!(client.lines(&sql).await, expected, "{sql}");
        let after = counted(&mut client, "SESSION", "Firn_compiled").await;
        assert_eq!(after - before - own, compiled, "{sql}");
    }
    // One that is no date is what it was, whatever was in its place before.
    for _ in 0..2 {
        assert_eq!(client.error(&of_date(1, "no date")).await.0, 1525);
    }
}

/// They were named by the text that was compiled first, whatever its spaces, capitals and digits.
#[tokio::test]
async fn columns_are_named_as_each_text_has_them() {
    let (_server, mut client) = filled().await;
    let items = [
        "(SELECT 1)",
        "(SELECT  1)",
        "id+1",
        "id + 1",
        "COUNT(*)",
        "count(*)",
        "1.0",
        "1.00",
        "1e0",
        "1.0e0",
        "7",
        "007",
        "'x'",
        "\"x\"",
        "ID",
        "id",
    ];
    for item in items {
        for _ in 0..2 {
            let result = client.result(&format!("SELECT {item} FROM a WHERE id = 1")).await;
            let expected = item.trim_matches(['\'', '"']);
            assert_eq!(String::from_utf8_lossy(&result.columns[0].name), expected, "{item}");
        }
    }
}

#[tokio::test]
async fn a_table_locked_for_writing_is_not_read_by_others() {
    let (server, mut client) = filled().await;
    let mut other = server.try_client(Some("t")).await.expect("root gets in");
    let sql = "SELECT s FROM a WHERE id = 1";
    assert_eq!(other.lines(sql).await, ["one"]);
    client.run("LOCK TABLES a WRITE").await;
    other.run("SET lock_wait_timeout = 1").await;
    assert_eq!(other.error(sql).await.0, 1205);
    client.run("UPDATE a SET s = 'new' WHERE id = 1; UNLOCK TABLES").await;
    assert_eq!(other.lines(sql).await, ["new"]);
    assert_eq!(other.lines(sql).await, ["new"]);
}

/// A reader that locks nothing must not plan with one definition and read what another
/// one has left: it would find nothing, or take one column for another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_beside_a_table_that_is_rebuilt_find_its_rows() {
    let (server, mut client) = filled().await;
    let mut reader = server.try_client(Some("t")).await.expect("root gets in");
    let done = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let stop = std::sync::Arc::clone(&done);
    #[allow(clippy::disallowed_methods, reason = "a client of its own in a test")]
    let reading = tokio::spawn(async move {
        let mut reads = 0;
        while !stop.load(std::sync::atomic::Ordering::Relaxed) || reads == 0 {
            let lines = reader.lines("SELECT s FROM a WHERE id = 2").await;
            assert_eq!(lines, ["two"], "after {reads} reads");
            reads += 1;
        }
    });
    for _ in 0..20 {
        client.run("ALTER TABLE a MODIFY k VARCHAR(20)").await;
        client.run("ALTER TABLE a MODIFY k INT FIRST").await;
        client.run("ALTER TABLE a MODIFY k INT AFTER id").await;
    }
    done.store(true, std::sync::atomic::Ordering::Relaxed);
    reading.await.expect("what it read was right");
}

#[tokio::test]
async fn reads_of_one_row_send_all_kinds_of_columns() {
    let (_server, mut client) = start().await;
    client.run("CREATE TABLE k (a INT, b VARCHAR(10), n INT, d DECIMAL(6,2), e ENUM('x','y'), s SET('p','q'), t DATETIME(2), ts TIMESTAMP, j JSON, l VARCHAR(9) CHARACTER SET latin1, z INT(5) ZEROFILL, g INT AS (n + 1), bt BIT(9), y YEAR, f FLOAT, bl BLOB, PRIMARY KEY (a, b))").await;
    client.run("INSERT INTO k (a, b, n, d, e, s, t, ts, j, l, z, bt, y, f, bl) VALUES (1, 'Key', NULL, 3.5, 'y', 'p,q', '2024-02-03 04:05:06.78', '2024-02-03 04:05:06', '{\"a\": 1}', 'é', 42, 5, 1999, 1.5, x'00ff')").await;
    for list in ["a, b, n, d, e, s, t", "ts", "j, l, z", "g", "bt, y, f", "HEX(bl), a", "*"] {
        // A range of one row goes another way.
        let other = client.lines(&format!("SELECT {list} FROM k WHERE a >= 1 AND b >= ''")).await;
        assert_eq!(other.len(), 1, "{list}");
        for _ in 0..3 {
            let point =
                client.lines(&format!("SELECT {list} FROM k WHERE b = 'kEY' AND a = 1")).await;
            assert_eq!(point, other, "{list}");
        }
    }
    client.run("SET character_set_results = latin1").await;
    let in_latin1 = client.result("SELECT l FROM k WHERE a = 1 AND b = 'key'").await;
    let again = client.result("SELECT l FROM k WHERE a = 1 AND b = 'key'").await;
    assert_eq!(in_latin1.rows, again.rows);
    for (condition, found) in [
        ("a = 1 AND b = 'key' AND a = 1", 1),
        ("a = 1 AND b = 'key' AND a = 2", 0),
        ("a = 1 AND b = 'key' AND n IS NULL", 1),
        ("a = 1 AND b = 'key' AND n = 1", 0),
        ("a = 99999999999 AND b = 'key'", 0),
        ("a = -1 AND b = 'key'", 0),
        ("a = '1' AND b = 'key'", 1),
        ("a = 1 AND b = 'key  '", 0),
        ("a = 1 AND b = 'a text longer than the column'", 0),
        ("a = NULL AND b = 'key'", 0),
    ] {
        for _ in 0..2 {
            let lines = client.lines(&format!("SELECT a FROM k WHERE {condition}")).await;
            assert_eq!(lines.len(), found, "{condition}");
        }
    }
}

#[tokio::test]
async fn reads_of_one_row_see_their_transaction() {
    let (server, mut client) = filled().await;
    let mut other = server.try_client(Some("t")).await.expect("root gets in");
    let sql = "SELECT s FROM a WHERE id = 1";
    client.run(sql).await;
    client.run("BEGIN").await;
    assert_eq!(client.lines(sql).await, ["one"]);
    other.run("UPDATE a SET s = 'others' WHERE id = 1").await;
    assert_eq!(client.lines(sql).await, ["one"]);
    client.run("UPDATE a SET k = 11 WHERE id = 1").await;
    assert_eq!(client.lines(sql).await, ["others"]);
    client.run("ROLLBACK").await;
    assert_eq!(client.lines(sql).await, ["others"]);
    client.run("SET autocommit = 0").await;
    assert_eq!(client.lines(sql).await, ["others"]);
    other.run("UPDATE a SET s = 'newer' WHERE id = 1").await;
    assert_eq!(client.lines(sql).await, ["others"]);
    client.run("COMMIT").await;
    assert_eq!(client.lines(sql).await, ["newer"]);
    client.run("ROLLBACK; SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE; BEGIN").await;
    assert_eq!(client.lines(sql).await, ["newer"]);
    other.run("SET innodb_lock_wait_timeout = 1").await;
    assert_eq!(other.error("UPDATE a SET s = 'x' WHERE id = 1").await.0, 1205);
    client.run("COMMIT").await;
    assert_eq!(client.value("SELECT FOUND_ROWS()").await.as_deref(), Some("1"));
}

#[tokio::test]
async fn a_kept_plan_over_a_view_is_checked_again_when_its_definer_loses_rights() {
    let (server, mut client) = filled().await;
    client.run("CREATE USER boss; GRANT ALL ON *.* TO boss WITH GRANT OPTION").await;
    client.run("CREATE DEFINER = boss VIEW v AS SELECT id, s FROM a WHERE k > 10").await;
    let sql = "SELECT s FROM t.v WHERE id = 2";
    let prepared = client.0.prepare(sql.as_bytes()).await.expect("it is right");
    for _ in 0..2 {
        assert_eq!(client.lines(sql).await, ["two"]);
        assert!(client.0.execute_and_skip(&prepared, &[]).await.is_ok());
    }
    client.run("REVOKE ALL, GRANT OPTION FROM boss").await;
    let invalid = "View 't.v' references invalid table(s) or column(s) or function(s) or \
                   definer/invoker of view lack rights to use them";
    for _ in 0..2 {
        assert_eq!(client.error(sql).await, (1356, invalid.to_owned()));
        assert!(client.0.execute_and_skip(&prepared, &[]).await.is_err());
    }
    client.run("GRANT SELECT ON t.a TO boss").await;
    for _ in 0..2 {
        assert_eq!(client.lines(sql).await, ["two"]);
        assert!(client.0.execute_and_skip(&prepared, &[]).await.is_ok());
    }
    drop(server);
}

#[tokio::test]
async fn a_kept_plan_over_a_view_is_not_for_who_may_not_read_the_view() {
    let (server, mut client) = filled().await;
    client.run("CREATE VIEW v AS SELECT id, s FROM a; CREATE USER other, reader").await;
    client.run("GRANT SELECT ON t.v TO reader; GRANT SELECT ON t.a TO other").await;
    let sql = "SELECT s FROM t.v WHERE id = 2";
    for _ in 0..2 {
        assert_eq!(client.lines(sql).await, ["two"]);
    }
    let mut reader = server.try_user("reader", "").await.expect("reader gets in");
    let mut other = server.try_user("other", "").await.expect("other gets in");
    let denied = "SELECT command denied to user 'other'@'localhost' for table 'v'";
    for _ in 0..2 {
        assert_eq!(reader.lines(sql).await, ["two"]);
        assert_eq!(other.error(sql).await, (1142, denied.to_owned()));
    }
    client.run("REVOKE SELECT ON t.v FROM reader").await;
    assert_eq!(reader.error(sql).await.0, 1142);
    assert_eq!(client.lines(sql).await, ["two"]);
}
