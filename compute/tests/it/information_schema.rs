//! Tables that are not stored. What is expected are MySQL's answers to the same
//! statements, but for what is not counted here: rows, bytes, cardinality.

use crate::support::{names_of, start};

const TABLES: &str = "
    CREATE TABLE t1 (
        id int unsigned NOT NULL AUTO_INCREMENT, a varchar(20) NOT NULL DEFAULT 'x',
        b decimal(10,2) COMMENT 'money',
        c datetime(3) DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
        d enum('p','q'), e blob, h varchar(10) CHARACTER SET latin1 COLLATE latin1_bin,
        j double, k bit(5), r float(7,3), s set('a','bc'), t tinyint(1), p text,
        PRIMARY KEY (id), UNIQUE KEY ua (a), KEY kb (b, c DESC), KEY kp (p(10)),
        CONSTRAINT pos CHECK (b > 0)
    );
    CREATE TABLE child (
        x int PRIMARY KEY, tid int unsigned, ta varchar(20),
        CONSTRAINT fk1 FOREIGN KEY (tid) REFERENCES t1 (id) ON DELETE CASCADE,
        CONSTRAINT fk2 FOREIGN KEY (ta) REFERENCES t1 (a) ON UPDATE SET NULL,
        CHECK (x < 100) NOT ENFORCED
    )";

#[tokio::test]
async fn every_table_can_be_read_whole() {
    let (_server, mut client) = start().await;
    client.run(TABLES).await;
    let names = client
        .lines(
            "SELECT table_schema, table_name FROM information_schema.tables
                WHERE table_schema IN ('information_schema', 'performance_schema')",
        )
        .await;
    assert!(names.len() > 40, "{names:?}");
    for name in names {
        let name = name.replace('|', ".");
        match client.0.query_all(format!("SELECT * FROM {name}").as_bytes()).await {
            Ok(results) => assert!(!results[0].columns.is_empty(), "{name}"),
            Err(firn_mysql_protocol::Error::Sql(error)) => {
                assert_eq!(error.number, 1235, "{name}: {error:?}");
            }
            Err(error) => panic!("{name}: {error}"),
        }
    }
}

#[tokio::test]
async fn columns_are_described_as_mysql_does() {
    let (_server, mut client) = start().await;
    client.run(TABLES).await;
    let sql = "SELECT column_name, ordinal_position, column_default, is_nullable, data_type,
        character_maximum_length, character_octet_length, numeric_precision, numeric_scale,
        datetime_precision, character_set_name, collation_name, column_type, column_key, extra
        FROM information_schema.columns WHERE table_schema = 't' AND table_name = 't1'";
    let u = "utf8mb4|utf8mb4_0900_ai_ci";
    let none = "NULL|NULL";
    assert_eq!(
        client.lines(sql).await,
        [
            format!("id|1|NULL|NO|int|{none}|10|0|NULL|{none}|int unsigned|PRI|auto_increment"),
            format!("a|2|x|NO|varchar|20|80|{none}|NULL|{u}|varchar(20)|UNI|"),
            format!("b|3|NULL|YES|decimal|{none}|10|2|NULL|{none}|decimal(10,2)|MUL|"),
            format!(
                "c|4|CURRENT_TIMESTAMP(3)|YES|datetime|{none}|{none}|3|{none}|datetime(3)||\
                 DEFAULT_GENERATED on update CURRENT_TIMESTAMP(3)"
            ),
            format!("d|5|NULL|YES|enum|1|4|{none}|NULL|{u}|enum('p','q')||"),
            format!("e|6|NULL|YES|blob|65535|65535|{none}|NULL|{none}|blob||"),
            format!("h|7|NULL|YES|varchar|10|10|{none}|NULL|latin1|latin1_bin|varchar(10)||"),
            format!("j|8|NULL|YES|double|{none}|22|NULL|NULL|{none}|double||"),
            format!("k|9|NULL|YES|bit|{none}|5|NULL|NULL|{none}|bit(5)||"),
            format!("r|10|NULL|YES|float|{none}|7|3|NULL|{none}|float(7,3)||"),
            format!("s|11|NULL|YES|set|4|16|{none}|NULL|{u}|set('a','bc')||"),
            format!("t|12|NULL|YES|tinyint|{none}|3|0|NULL|{none}|tinyint(1)||"),
            format!("p|13|NULL|YES|text|65535|65535|{none}|NULL|{u}|text|MUL|"),
        ]
    );
}

#[tokio::test]
async fn constraints_and_keys_are_listed_as_mysql_does() {
    let (_server, mut client) = start().await;
    client.run(TABLES).await;
    let mut lines = async |what: &str, table: &str, schema: &str, order: &str| {
        let sql = format!(
            "SELECT {what} FROM information_schema.{table} WHERE {schema} = 't' ORDER BY {order}"
        );
        client.lines(&sql).await
    };
    assert_eq!(
        lines(
            "table_name, constraint_name, constraint_type, enforced",
            "table_constraints",
            "constraint_schema",
            "table_name, constraint_type, constraint_name"
        )
        .await,
        [
            "child|child_chk_1|CHECK|NO",
            "child|fk1|FOREIGN KEY|YES",
            "child|fk2|FOREIGN KEY|YES",
            "child|PRIMARY|PRIMARY KEY|YES",
            "t1|pos|CHECK|YES",
            "t1|PRIMARY|PRIMARY KEY|YES",
            "t1|ua|UNIQUE|YES",
        ]
    );
    assert_eq!(
        lines(
            "table_name, constraint_name, column_name, ordinal_position, \
             position_in_unique_constraint, referenced_table_schema, referenced_table_name, \
             referenced_column_name",
            "key_column_usage",
            "table_schema",
            "table_name, constraint_name"
        )
        .await,
        [
            "child|fk1|tid|1|1|t|t1|id",
            "child|fk2|ta|1|1|t|t1|a",
            "child|PRIMARY|x|1|NULL|NULL|NULL|NULL",
            "t1|PRIMARY|id|1|NULL|NULL|NULL|NULL",
            "t1|ua|a|1|NULL|NULL|NULL|NULL",
        ]
    );
    assert_eq!(
        lines("*", "referential_constraints", "constraint_schema", "constraint_name").await,
        [
            "def|t|fk1|def|t|PRIMARY|NONE|NO ACTION|CASCADE|child|t1",
            "def|t|fk2|def|t|ua|NONE|SET NULL|NO ACTION|child|t1",
        ]
    );
    assert_eq!(
        lines("*", "check_constraints", "constraint_schema", "constraint_name").await,
        ["def|t|child_chk_1|(`x` < 100)", "def|t|pos|(`b` > 0)"]
    );
    assert_eq!(
        lines(
            "table_name, non_unique, index_name, seq_in_index, column_name, collation, sub_part, \
             nullable, index_type, is_visible",
            "statistics",
            "table_schema",
            "table_name, index_name, seq_in_index"
        )
        .await,
        [
            "child|1|fk1|1|tid|A|NULL|YES|BTREE|YES",
            "child|1|fk2|1|ta|A|NULL|YES|BTREE|YES",
            "child|0|PRIMARY|1|x|A|NULL||BTREE|YES",
            "t1|1|kb|1|b|A|NULL|YES|BTREE|YES",
            "t1|1|kb|2|c|D|NULL|YES|BTREE|YES",
            "t1|1|kp|1|p|A|10|YES|BTREE|YES",
            "t1|0|PRIMARY|1|id|A|NULL||BTREE|YES",
            "t1|0|ua|1|a|A|NULL||BTREE|YES",
        ]
    );
}

#[tokio::test]
async fn databases_and_tables_are_listed() {
    let (_server, mut client) = start().await;
    client.run("CREATE TABLE a (x int) COMMENT 'first'").await;
    let sql =
        "SELECT * FROM information_schema.schemata WHERE schema_name IN ('t', 'information_schema')
        ORDER BY schema_name";
    assert_eq!(
        client.lines(sql).await,
        [
            "def|information_schema|utf8mb3|utf8mb3_general_ci|NULL|NO",
            "def|t|utf8mb4|utf8mb4_0900_ai_ci|NULL|NO",
        ]
    );
    let sql = "SELECT table_catalog, table_schema, table_name, table_type, engine, version,
        row_format, table_collation, create_options, table_comment
        FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = 't'";
    let result = client.result(sql).await;
    // Whatever was written, names of columns are as the table has them.
    assert_eq!(names_of(&result)[0], "TABLE_CATALOG");
    assert_eq!(
        client.lines(sql).await,
        ["def|t|a|BASE TABLE|InnoDB|10|Dynamic|utf8mb4_0900_ai_ci||first"]
    );
    let result = client.result("SELECT * FROM information_schema.TABLES LIMIT 1").await;
    assert_eq!(names_of(&result)[..3], ["TABLE_CATALOG", "TABLE_SCHEMA", "TABLE_NAME"]);
}

#[tokio::test]
async fn unknown_tables_and_databases_are_errors() {
    let (_server, mut client) = start().await;
    let error = client.error("SELECT * FROM information_schema.foo").await;
    assert_eq!(error, (1109, "Unknown table 'FOO' in information_schema".into()));
    let error = client.error("SELECT * FROM performance_schema.foo").await;
    assert_eq!(error, (1146, "Table 'performance_schema.foo' doesn't exist".into()));
    client.run("USE information_schema").await;
    assert_eq!(client.value("SELECT DATABASE()").await.as_deref(), Some("information_schema"));
}

#[tokio::test]
async fn character_sets_and_collations_are_those_of_mysql() {
    let (_server, mut client) = start().await;
    let sql =
        "SELECT * FROM information_schema.collations WHERE id IN (8, 11, 63, 64, 255) ORDER BY id";
    assert_eq!(
        client.lines(sql).await,
        [
            "latin1_swedish_ci|latin1|8|Yes|Yes|1|PAD SPACE",
            "ascii_general_ci|ascii|11|Yes|Yes|1|PAD SPACE",
            "binary|binary|63|Yes|Yes|1|NO PAD",
            "armscii8_bin|armscii8|64||Yes|1|PAD SPACE",
            "utf8mb4_0900_ai_ci|utf8mb4|255|Yes|Yes|0|NO PAD",
        ]
    );
    let sql =
        "SELECT * FROM information_schema.character_sets WHERE character_set_name = 'utf8mb4'";
    assert_eq!(client.lines(sql).await, ["utf8mb4|utf8mb4_0900_ai_ci|UTF-8 Unicode|4"]);
    let sql = "SELECT COUNT(*) FROM information_schema.collations";
    assert_eq!(client.value(sql).await.as_deref(), Some("286"));
}

#[tokio::test]
async fn variables_are_a_table_of_performance_schema() {
    let (_server, mut client) = start().await;
    client.run("SET SESSION sort_buffer_size = 65536").await;
    let sql = "SELECT * FROM performance_schema.session_variables WHERE variable_name = 'sort_buffer_size'";
    assert_eq!(client.lines(sql).await, ["sort_buffer_size|65536"]);
    let sql = "SELECT * FROM performance_schema.global_variables WHERE variable_name = 'sort_buffer_size'";
    assert_eq!(client.lines(sql).await, ["sort_buffer_size|262144"]);
    let sql =
        "SELECT COUNT(*) FROM performance_schema.global_status WHERE variable_name = 'Uptime'";
    assert_eq!(client.value(sql).await.as_deref(), Some("1"));
}

#[tokio::test]
async fn connections_are_in_the_process_list() {
    let (_server, mut client) = start().await;
    let sql = "SELECT user, db, command, info FROM information_schema.processlist";
    assert_eq!(client.lines(sql).await, [format!("root|t|Query|{sql}")]);
}
