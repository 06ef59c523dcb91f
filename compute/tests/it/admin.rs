//! KILL, FLUSH, LOCK TABLES, PREPARE and what looks after tables. What is expected are
//! MySQL's answers to the same statements.

use std::time::Duration;

use crate::support::{World, names_of, start};

#[tokio::test]
async fn tables_are_looked_after() {
    let (_server, mut client) = start().await;
    client.run("CREATE TABLE a (x int PRIMARY KEY, y text); INSERT INTO a VALUES (1, 'p')").await;
    let result = client.result("CHECK TABLE a").await;
    assert_eq!(names_of(&result), ["Table", "Op", "Msg_type", "Msg_text"]);
    assert_eq!(client.lines("ANALYZE TABLE a").await, ["t.a|analyze|status|OK"]);
    assert_eq!(
        client.lines("CHECK TABLE a, nope").await,
        [
            "t.a|check|status|OK",
            "t.nope|check|Error|Table 't.nope' doesn't exist",
            "t.nope|check|status|Operation failed",
        ]
    );
    assert_eq!(
        client.lines("REPAIR TABLE a").await,
        ["t.a|repair|note|The storage engine for the table doesn't support repair"]
    );
}

#[tokio::test]
async fn optimize_brings_a_table_to_where_its_column_copies_are() {
    let server = World::new().merging_after(4).start().await;
    let mut client = server.client().await;
    client.run("CREATE DATABASE t; USE t; CREATE TABLE a (x INT PRIMARY KEY, y TEXT)").await;
    client.run("INSERT INTO a VALUES (1, 'p'), (2, 'q'); SET firn_executor = 'vector'").await;
    assert_eq!(client.lines("OPTIMIZE TABLE a").await, ["t.a|optimize|status|OK"]);
    client.run("DELETE FROM a WHERE x = 2; INSERT INTO a VALUES (3, 'r'), (4, 's')").await;
    assert_eq!(client.lines("OPTIMIZE TABLE a, nope").await.len(), 3);
    assert_eq!(client.lines("SELECT COUNT(*), MAX(y) FROM a").await, ["3|s"]);
    let copied = "SHOW SESSION STATUS LIKE 'Firn_vector_rows_copied'";
    assert_eq!(client.lines(copied).await, ["Firn_vector_rows_copied|3"]);
}

#[tokio::test]
async fn optimize_is_ended_by_kill_where_nobody_merges() {
    let (server, mut client) = start().await;
    client.run("CREATE TABLE a (x INT PRIMARY KEY); INSERT INTO a VALUES (1)").await;
    let id = client.value("SELECT CONNECTION_ID()").await.unwrap();
    let mut other = server.client().await;
    let (ended, ()) = tokio::join!(client.error("OPTIMIZE TABLE a"), async {
        let running = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE info LIKE 'OPT%'";
        while other.value(running).await.as_deref() != Some("1") {}
        other.run(&format!("KILL QUERY {id}")).await;
    });
    assert_eq!(ended.0, 1317);
    assert_eq!(client.lines("SELECT x FROM a").await, ["1"]);
}

#[tokio::test]
async fn statements_are_prepared_by_name() {
    let (_server, mut client) = start().await;
    client.run("CREATE TABLE a (x int PRIMARY KEY, y varchar(9))").await;
    client.run("PREPARE s FROM 'INSERT INTO a VALUES (?, ?)'; SET @x = 1, @y = 'one'").await;
    client.run("EXECUTE s USING @x, @y; SET @x = 2; EXECUTE S USING @x, @y").await;
    client.run("SET @q = 'SELECT y FROM a WHERE x = ?'; PREPARE q FROM @q").await;
    assert_eq!(client.lines("EXECUTE q USING @x").await, ["one"]);
    assert_eq!(client.error("EXECUTE q").await, (1210, "Incorrect arguments to EXECUTE".into()));
    client.run("DEALLOCATE PREPARE q").await;
    assert_eq!(
        client.error("EXECUTE q USING @x").await,
        (1243, "Unknown prepared statement handler (q) given to EXECUTE".into())
    );
    assert_eq!(
        client.error("DROP PREPARE q").await,
        (1243, "Unknown prepared statement handler (q) given to DEALLOCATE PREPARE".into())
    );
    assert_eq!(client.error("PREPARE s FROM 'SELECT 1; SELECT 2'").await.0, 1064);
    assert_eq!(client.error("PREPARE s FROM 'SELECT * FROM nope'").await.0, 1146);
    assert_eq!(client.error("PREPARE s FROM 'EXECUTE q'").await.0, 1295);
    // The one of that name went when the new one was tried.
    assert_eq!(client.error("EXECUTE s USING @x, @y").await.0, 1243);
    client.0.reset_connection().await.unwrap();
}

#[tokio::test]
async fn random_bytes_are_as_many_as_asked_and_other_ones() {
    let (_server, mut client) = start().await;
    assert_eq!(client.value("SELECT LENGTH(RANDOM_BYTES(1024))").await.as_deref(), Some("1024"));
    let sql = "SELECT RANDOM_BYTES(16) = RANDOM_BYTES(16)";
    assert_eq!(client.value(sql).await.as_deref(), Some("0"));
    assert_eq!(client.error("SELECT RANDOM_BYTES(1025)").await.0, 1690);
}

#[tokio::test]
async fn locked_tables_are_the_only_ones() {
    let (server, mut client) = start().await;
    client.run("CREATE TABLE a (x int PRIMARY KEY); CREATE TABLE b (x int PRIMARY KEY)").await;
    client.run("LOCK TABLES a READ").await;
    assert!(client.lines("SELECT * FROM a").await.is_empty());
    assert_eq!(
        client.error("INSERT INTO a VALUES (1)").await,
        (1099, "Table 'a' was locked with a READ lock and can't be updated".into())
    );
    assert_eq!(
        client.error("SELECT * FROM b").await,
        (1100, "Table 'b' was not locked with LOCK TABLES".into())
    );
    let mut other = server.try_client(Some("t")).await.unwrap();
    assert!(other.lines("SELECT * FROM a").await.is_empty());
    other.run("SET lock_wait_timeout = 1").await;
    assert_eq!(other.error("INSERT INTO a VALUES (1)").await.0, 1205);
    client.run("UNLOCK TABLES").await;
    other.run("INSERT INTO a VALUES (1)").await;
    client.run("LOCK TABLES a WRITE").await;
    client.run("INSERT INTO a VALUES (2)").await;
    assert_eq!(other.error("SELECT * FROM a").await.0, 1205);
    // START TRANSACTION lets go of them.
    client.run("START TRANSACTION").await;
    assert_eq!(other.lines("SELECT * FROM a").await, ["1", "2"]);
}

#[tokio::test]
async fn a_read_lock_on_everything_keeps_others_from_writing() {
    let (server, mut client) = start().await;
    client.run("CREATE TABLE a (x int PRIMARY KEY)").await;
    let mut other = server.try_client(Some("t")).await.unwrap();
    other.run("SET lock_wait_timeout = 1").await;
    client.run("FLUSH TABLES WITH READ LOCK").await;
    assert_eq!(client.error("INSERT INTO a VALUES (1)").await.0, 1223);
    assert_eq!(client.error("CREATE TABLE c (x int)").await.0, 1223);
    assert_eq!(other.error("INSERT INTO a VALUES (1)").await.0, 1205);
    assert_eq!(other.error("CREATE TABLE c (x int)").await.0, 1205);
    // A dump takes its snapshot under the lock.
    client.run("START TRANSACTION WITH CONSISTENT SNAPSHOT").await;
    client.run("UNLOCK TABLES").await;
    other.run("INSERT INTO a VALUES (1)").await;
    assert!(client.lines("SELECT * FROM a").await.is_empty());
}

#[tokio::test]
async fn connections_and_statements_are_killed() {
    let (server, mut client) = start().await;
    let mut other = server.client().await;
    let id = other.value("SELECT CONNECTION_ID()").await.unwrap();
    assert_eq!(client.error("KILL 99999").await, (1094, "Unknown thread id: 99999".into()));
    client.run(&format!("KILL {id}")).await;
    let ended = tokio::time::timeout(Duration::from_secs(30), other.0.query_all(b"SELECT 1"));
    assert!(ended.await.expect("it ends").is_err());
    assert_eq!(client.error("KILL QUERY CONNECTION_ID()").await.0, 1317);
    assert_eq!(client.value("SELECT 1").await.as_deref(), Some("1"));
}

#[tokio::test]
async fn flush_ends_what_is_open() {
    let (server, mut client) = start().await;
    client.run("CREATE TABLE a (x int PRIMARY KEY); BEGIN; INSERT INTO a VALUES (1)").await;
    client.run("FLUSH TABLES; FLUSH PRIVILEGES; FLUSH LOGS; FLUSH STATUS").await;
    let mut other = server.try_client(Some("t")).await.unwrap();
    assert_eq!(other.lines("SELECT * FROM a").await, ["1"]);
    assert_eq!(client.error("FLUSH TABLES a FOR EXPORT").await.0, 1235);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn locks_by_name_belong_to_their_session() {
    let (server, mut client) = start().await;
    let mut other = server.client().await;
    let mut value = async |sql: &str| client.value(sql).await.unwrap_or_else(|| "NULL".into());
    assert_eq!(value("SELECT RELEASE_LOCK('a')").await, "NULL");
    assert_eq!(value("SELECT GET_LOCK('a', 0)").await, "1");
    assert_eq!(value("SELECT GET_LOCK('A', 0)").await, "1");
    let id = value("SELECT CONNECTION_ID()").await;
    assert_eq!(other.value("SELECT IS_USED_LOCK('a')").await, Some(id));
    assert_eq!(other.value("SELECT GET_LOCK('a', 0)").await.as_deref(), Some("0"));
    assert_eq!(other.value("SELECT GET_LOCK('a', 0.05)").await.as_deref(), Some("0"));
    assert_eq!(other.value("SELECT RELEASE_LOCK('a')").await.as_deref(), Some("0"));
    assert_eq!(value("SELECT RELEASE_LOCK('a')").await, "1");
    assert_eq!(value("SELECT IS_FREE_LOCK('a')").await, "0");
    let waits = tokio::spawn(async move { other.value("SELECT GET_LOCK('a', 20)").await });
    assert_eq!(value("SELECT RELEASE_ALL_LOCKS()").await, "1");
    assert_eq!(waits.await.unwrap().as_deref(), Some("1"));
    assert_eq!(value("SELECT LENGTH(UUID())").await, "36");
    assert_eq!(value("SELECT SLEEP(0.001)").await, "0");
}

#[tokio::test]
async fn a_comment_alone_is_carried_out_and_nothing_at_all_is_not() {
    let (_server, mut client) = start().await;
    client.run("/*!99999 for later versions */").await;
    client.run("/* nothing */;").await;
    assert_eq!(client.error(" ; ").await, (1065, "Query was empty".to_owned()));
}

/// Recorded from MySQL 9.7, which refuses the first and takes the second.
#[tokio::test]
async fn what_mysql_does_not_prepare_is_refused() {
    let (_server, mut client) = start().await;
    client.run("CREATE TABLE zz (a int)").await;
    for sql in [
        "BEGIN",
        "START TRANSACTION",
        "SAVEPOINT a",
        "ROLLBACK TO a",
        "RELEASE SAVEPOINT a",
        "USE mysql",
        "SHOW WARNINGS",
        "SHOW ERRORS",
        "SHOW COUNT(*) WARNINGS",
        "ALTER DATABASE zz COLLATE utf8mb4_bin",
        "ALTER VIEW zz AS SELECT 2",
        "CREATE ROLE zz",
        "DROP ROLE zz",
        "CHECK TABLE zz",
        "LOCK TABLES zz READ",
        "UNLOCK TABLES",
        "EXECUTE a",
        "XA RECOVER",
        "SHUTDOWN",
        "LOAD DATA INFILE 'x' INTO TABLE zz",
    ] {
        let named = client.error(&format!("PREPARE q FROM '{}'", sql.replace('\'', "''"))).await;
        assert_eq!(named.0, 1295, "{sql}");
        let error = client.0.prepare(sql.as_bytes()).await.err().map(|error| error.to_string());
        assert!(error.as_ref().is_some_and(|text| text.contains("1295")), "{sql}: {error:?}");
    }
    for sql in [
        "COMMIT",
        "ROLLBACK",
        "SET NAMES utf8mb4",
        "SHOW TABLES",
        "CREATE USER zz",
        "FLUSH TABLES",
        "ANALYZE TABLE zz",
        "EXPLAIN SELECT 1",
        "KILL 99999",
        "ALTER TABLE zz ADD b int",
    ] {
        client.run(&format!("PREPARE q FROM '{sql}'")).await;
        client.0.prepare(sql.as_bytes()).await.unwrap();
    }
}

/// What mysqladmin sends beside FLUSH.
#[tokio::test]
async fn a_server_without_replication_answers_as_one() {
    let (server, mut client) = start().await;
    assert_eq!(client.error("START REPLICA").await.0, 1200);
    client.run("STOP REPLICA").await;
    assert_eq!(
        client.lines("SHOW WARNINGS").await,
        ["Note|3084|Replication thread(s) for channel '' are already stopped."]
    );
    client.run("RESET REPLICA, BINARY LOGS AND GTIDS").await;
    client.run("TRUNCATE TABLE performance_schema.host_cache").await;
    let line = String::from_utf8(client.0.statistics().await.unwrap().to_vec()).unwrap();
    let names: Vec<&str> = line.split("  ").map(|part| part.split_once(": ").unwrap().0).collect();
    assert_eq!(
        names,
        [
            "Uptime",
            "Threads",
            "Questions",
            "Slow queries",
            "Opens",
            "Flush tables",
            "Open tables",
            "Queries per second avg"
        ]
    );
    client.run("CREATE USER plain; GRANT SELECT ON *.* TO plain").await;
    let mut plain = server.try_user("plain", "").await.unwrap();
    for sql in ["STOP REPLICA", "RESET REPLICA", "SHUTDOWN"] {
        assert_eq!(plain.error(sql).await.0, 1227, "{sql}");
    }
}
