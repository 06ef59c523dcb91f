//! SHOW and DESCRIBE. What is expected are MySQL's answers to the same statements.

use crate::support::{names_of, start};

const TABLE: &str = "CREATE TABLE t1 (
    id int NOT NULL AUTO_INCREMENT, a varchar(20) NOT NULL DEFAULT 'x', b decimal(10,2),
    PRIMARY KEY (id), UNIQUE KEY ua (a), KEY kb (b), CHECK (b > 0))";

#[tokio::test]
async fn databases_and_tables_by_like_and_where() {
    let (_server, mut client) = start().await;
    client.run(TABLE).await;
    client.run("CREATE TABLE other (x int)").await;
    let all = client.lines("SHOW DATABASES").await;
    assert_eq!(all, ["information_schema", "mysql", "performance_schema", "t"]);
    let result = client.result("SHOW DATABASES LIKE 'T%'").await;
    assert_eq!(names_of(&result), ["Database (T%)"]);
    assert!(result.rows.is_empty());
    let result = client.result("SHOW TABLES").await;
    assert_eq!(names_of(&result), ["Tables_in_t"]);
    assert_eq!(client.lines("SHOW TABLES").await, ["other", "t1"]);
    assert_eq!(client.lines("SHOW TABLES LIKE 't%'").await, ["t1"]);
    assert!(client.lines("SHOW TABLES LIKE 'T%'").await.is_empty());
    assert_eq!(client.lines("SHOW TABLES WHERE Tables_in_t > 'p'").await, ["t1"]);
    assert_eq!(client.lines("SHOW FULL TABLES").await, ["other|BASE TABLE", "t1|BASE TABLE"]);
    let result = client.result("SHOW TABLES FROM information_schema LIKE 'ta%'").await;
    assert_eq!(names_of(&result), ["Tables_in_information_schema (ta%)"]);
    assert_eq!(
        client.error("SHOW TABLES FROM nope").await,
        (1049, "Unknown database 'nope'".into())
    );
}

#[tokio::test]
async fn columns_of_tables_and_describe() {
    let (_server, mut client) = start().await;
    client.run(TABLE).await;
    let columns = [
        "id|int|NO|PRI|NULL|auto_increment",
        "a|varchar(20)|NO|UNI|x|",
        "b|decimal(10,2)|YES|MUL|NULL|",
    ];
    let result = client.result("SHOW COLUMNS FROM t1").await;
    assert_eq!(names_of(&result), ["Field", "Type", "Null", "Key", "Default", "Extra"]);
    for sql in ["SHOW COLUMNS FROM t1", "DESCRIBE t1", "EXPLAIN t1", "SHOW FIELDS FROM t1 FROM t"] {
        assert_eq!(client.lines(sql).await, columns, "{sql}");
    }
    assert_eq!(client.lines("DESCRIBE t1 'A%'").await, columns[1..2]);
    assert_eq!(client.lines("DESC t1 a").await, columns[1..2]);
    assert_eq!(client.lines("SHOW COLUMNS FROM t1 WHERE `Key` = 'MUL'").await, columns[2..]);
    assert_eq!(
        client.lines("SHOW FULL COLUMNS FROM t1 LIKE 'A'").await,
        ["a|varchar(20)|utf8mb4_0900_ai_ci|NO|UNI|x||select,insert,update,references|"]
    );
    assert_eq!(client.error("DESCRIBE nope").await, (1146, "Table 't.nope' doesn't exist".into()));
    let fields = client.0.field_list("t1", "").await.unwrap();
    let names: Vec<_> = fields.iter().map(|(column, _)| column.name.clone()).collect();
    assert_eq!(names, [b"id".to_vec(), b"a".to_vec(), b"b".to_vec()]);
    assert_eq!(fields[1].1.as_deref(), Some(&b"x"[..]));
    let fields = client.0.field_list("t1", "B%").await.unwrap();
    assert_eq!(fields.len(), 1);
}

#[tokio::test]
async fn indexes_of_tables() {
    let (_server, mut client) = start().await;
    client.run(TABLE).await;
    assert_eq!(
        client.lines("SHOW INDEX FROM t1").await,
        [
            "t1|0|PRIMARY|1|id|A|NULL|NULL|NULL||BTREE|||YES|NULL",
            "t1|0|ua|1|a|A|NULL|NULL|NULL||BTREE|||YES|NULL",
            "t1|1|kb|1|b|A|NULL|NULL|NULL|YES|BTREE|||YES|NULL",
        ]
    );
    let sql = "SHOW KEYS FROM t1 WHERE Key_name = 'PRIMARY'";
    assert_eq!(client.lines(sql).await.len(), 1);
}

#[tokio::test]
async fn definitions_are_printed() {
    let (_server, mut client) = start().await;
    client.run(TABLE).await;
    let made = "CREATE TABLE `t1` (\n  `id` int NOT NULL AUTO_INCREMENT,\n  \
        `a` varchar(20) NOT NULL DEFAULT 'x',\n  `b` decimal(10,2) DEFAULT NULL,\n  \
        PRIMARY KEY (`id`),\n  UNIQUE KEY `ua` (`a`),\n  KEY `kb` (`b`),\n  \
        CONSTRAINT `t1_chk_1` CHECK ((`b` > 0))\n) ENGINE=InnoDB";
    let charset = "DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci";
    let result = client.result("SHOW CREATE TABLE t1").await;
    assert_eq!(names_of(&result), ["Table", "Create Table"]);
    assert_eq!(client.lines("SHOW CREATE TABLE t1").await, [format!("t1|{made} {charset}")]);
    client.run("INSERT INTO t1 (a, b) VALUES ('y', 1), ('z', 2)").await;
    assert_eq!(
        client.lines("SHOW CREATE TABLE t1").await,
        [format!("t1|{made} AUTO_INCREMENT=3 {charset}")]
    );
    assert_eq!(
        client.lines("SHOW CREATE DATABASE t").await,
        ["t|CREATE DATABASE `t` /*!40100 DEFAULT CHARACTER SET utf8mb4 COLLATE \
          utf8mb4_0900_ai_ci */ /*!80016 DEFAULT ENCRYPTION='N' */"]
    );
    assert_eq!(client.error("SHOW CREATE VIEW t1").await, (1347, "'t.t1' is not VIEW".into()));
    for (sql, number) in [
        ("SHOW CREATE TABLE nope", 1146),
        ("SHOW CREATE DATABASE nope", 1049),
        ("SHOW CREATE PROCEDURE nope", 1305),
        ("SHOW CREATE TRIGGER nope", 1360),
        ("SHOW CREATE EVENT nope", 1539),
    ] {
        assert_eq!(client.error(sql).await.0, number, "{sql}");
    }
}

#[tokio::test]
async fn variables_status_and_conditions() {
    let (_server, mut client) = start().await;
    client.run("SET sort_buffer_size = 65536").await;
    let sql = "SHOW VARIABLES LIKE 'SORT_buffer%'";
    assert_eq!(client.lines(sql).await, ["sort_buffer_size|65536"]);
    let sql = "SHOW GLOBAL VARIABLES WHERE Variable_name = 'sort_buffer_size'";
    assert_eq!(client.lines(sql).await, ["sort_buffer_size|262144"]);
    for (sql, table) in [
        ("SHOW VARIABLES LIKE 'port'", "session_variables"),
        ("SHOW GLOBAL VARIABLES LIKE 'port'", "global_variables"),
        ("SHOW STATUS LIKE 'uptime'", "session_status"),
        ("SHOW GLOBAL STATUS LIKE 'uptime'", "global_status"),
    ] {
        let result = client.result(sql).await;
        for column in &result.columns {
            assert_eq!(column.table, table.as_bytes(), "{sql}");
            assert_eq!(column.org_table, table.as_bytes(), "{sql}");
        }
    }
    assert_eq!(client.lines("SHOW STATUS LIKE 'threads_c%'").await, ["Threads_connected|1"]);
    assert_eq!(client.lines("SHOW STATUS LIKE 'com_create_db'").await, ["Com_create_db|1"]);
    assert_eq!(client.lines("SHOW GLOBAL STATUS LIKE 'connections'").await, ["Connections|1"]);
    client.error("SELECT nope").await;
    assert_eq!(client.lines("SHOW COUNT(*) ERRORS").await, ["1"]);
    let line = "Error|1054|Unknown column 'nope' in 'field list'";
    assert_eq!(client.lines("SHOW WARNINGS").await, [line]);
    assert_eq!(client.lines("SHOW ERRORS LIMIT 1").await, [line]);
    assert!(client.lines("SHOW WARNINGS LIMIT 1, 5").await.is_empty());
    assert_eq!(client.lines("SHOW COUNT(*) WARNINGS").await, ["1"]);
}

#[tokio::test]
async fn what_the_server_does_not_have_has_no_rows() {
    let (_server, mut client) = start().await;
    for (sql, columns) in [
        ("SHOW TRIGGERS", 11),
        ("SHOW EVENTS", 15),
        ("SHOW PROCEDURE STATUS", 12),
        ("SHOW FUNCTION STATUS LIKE 'f'", 12),
        ("SHOW OPEN TABLES", 4),
        ("SHOW PROFILES", 3),
        ("SHOW BINARY LOG STATUS", 5),
        ("SHOW REPLICA STATUS", 60),
        ("SHOW REPLICAS", 5),
    ] {
        let result = client.result(sql).await;
        assert_eq!((result.columns.len(), result.rows.len()), (columns, 0), "{sql}");
    }
    assert_eq!(client.error("SHOW BINARY LOGS").await.0, 1381);
    assert_eq!(client.error("SHOW FUNCTION CODE f").await.0, 1289);
    assert_eq!(
        client.error("SHOW ENGINE foo STATUS").await,
        (1286, "Unknown storage engine 'foo'".into())
    );
}

#[tokio::test]
async fn what_the_server_has_is_shown() {
    let (_server, mut client) = start().await;
    assert_eq!(
        client.lines("SHOW CHARACTER SET LIKE 'utf8mb4'").await,
        ["utf8mb4|UTF-8 Unicode|utf8mb4_0900_ai_ci|4"]
    );
    assert_eq!(
        client.lines("SHOW COLLATION WHERE Charset = 'latin1' AND `Default` = 'Yes'").await,
        ["latin1_swedish_ci|latin1|8|Yes|Yes|1|PAD SPACE"]
    );
    assert_eq!(
        client.lines("SHOW ENGINES").await,
        ["InnoDB|DEFAULT|Supports transactions, row-level locking, and foreign keys|YES|NO|YES"]
    );
    let sql = "SHOW FULL PROCESSLIST";
    let lines = client.lines(sql).await;
    assert!(lines[0].ends_with("|executing|SHOW FULL PROCESSLIST"), "{lines:?}");
    let result = client.result("SHOW GRANTS").await;
    assert_eq!(names_of(&result), ["Grants for root@localhost"]);
    assert_eq!(client.lines("SHOW ENGINE INNODB STATUS").await.len(), 1);
    assert!(client.lines("SHOW PLUGINS").await.len() > 1);
    assert!(client.lines("SHOW PRIVILEGES").await.len() > 1);
}

#[tokio::test]
async fn clients_are_told_of_columns_as_mysql_tells_them() {
    let (_server, mut client) = start().await;
    client.run(TABLE).await;
    let result = client.result("SHOW FULL TABLES").await;
    let told: Vec<_> = result
        .columns
        .iter()
        .map(|one| (one.table.clone(), one.collation, one.length, one.kind as u8, one.flags.0))
        .collect();
    assert_eq!(
        told,
        [(b"TABLES".to_vec(), 255, 256, 253, 0x1081), (b"TABLES".to_vec(), 255, 44, 254, 0x1181),]
    );
    client.run("SET NAMES latin1").await;
    let result = client.result("SHOW TABLES").await;
    assert_eq!((result.columns[0].collation, result.columns[0].length), (8, 64));
}

/// Names without an alias end at 255 bytes, between two characters.
#[tokio::test]
async fn a_long_expression_names_its_column_only_so_far() {
    let (_server, mut client) = start().await;
    for (text, bytes) in [("x", 255), ("ü", 254), ("❄", 255)] {
        let result = client.result(&format!("SELECT '{}'", text.repeat(300))).await;
        assert_eq!(names_of(&result), [text.repeat(bytes / text.len())]);
    }
    let result = client.result(&format!("SELECT concat('{}')", "❄".repeat(300))).await;
    assert_eq!(names_of(&result), [format!("concat('{}", "❄".repeat(82))]);
}

/// As a dump of all databases asks for them.
#[tokio::test]
async fn tables_of_the_database_mysql_are_shown_as_they_were_made() {
    let (_server, mut client) = start().await;
    for table in client.lines("SHOW TABLES FROM mysql").await {
        let made = client.rows(&format!("SHOW CREATE TABLE mysql.{table}")).await.remove(0);
        let text = made[1].clone().unwrap();
        assert_eq!(made[0].as_deref(), Some(&*table));
        assert!(text.starts_with(&format!("CREATE TABLE `{table}` (\n  `")), "{text}");
        let columns = client.lines(&format!("SHOW COLUMNS FROM mysql.{table}")).await;
        let shown = text.lines().filter(|line| line.starts_with("  `")).count();
        assert_eq!(columns.len(), shown, "{text}");
    }
    assert!(client.lines("SELECT * FROM mysql.general_log").await.is_empty());
}
