//! EXPLAIN. What is expected are MySQL's answers, but for what is estimated.

use crate::support::{names_of, start};

const TABLES: &str = "
    CREATE TABLE a (id int PRIMARY KEY, k int NOT NULL, v varchar(10), w decimal(10,2),
        KEY ik (k), KEY iv (v, w));
    CREATE TABLE b (id int PRIMARY KEY, a_id bigint, KEY ia (a_id))";

#[tokio::test]
async fn each_way_to_a_table_is_told() {
    let (_server, mut client) = start().await;
    client.run(TABLES).await;
    let result = client.result("EXPLAIN SELECT * FROM a").await;
    let names =
        "id select_type table partitions type possible_keys key key_len ref rows filtered Extra";
    assert_eq!(names_of(&result).join(" "), names);
    // Type, possible keys, key, its length, what it is compared with, the rest.
    for (sql, expected) in [
        ("SELECT * FROM a", "ALL|NULL|NULL|NULL|NULL|NULL"),
        ("SELECT * FROM a WHERE id = 1", "const|PRIMARY|PRIMARY|4|const|NULL"),
        ("SELECT * FROM a WHERE k = 1", "ref|ik|ik|4|const|NULL"),
        ("SELECT * FROM a WHERE k = 1 AND w > 2", "ref|ik|ik|4|const|Using where"),
        ("SELECT * FROM a WHERE v = 'x' AND w = 2", "ref|iv|iv|49|const,const|NULL"),
        ("SELECT * FROM a WHERE id > 5", "range|PRIMARY|PRIMARY|4|NULL|Using where"),
        ("SELECT * FROM a WHERE id IN (1, 2)", "range|PRIMARY|PRIMARY|4|NULL|Using where"),
        ("SELECT k FROM a WHERE k > 3", "range|ik|ik|4|NULL|Using where; Using index"),
        ("SELECT * FROM a ORDER BY w", "ALL|NULL|NULL|NULL|NULL|Using filesort"),
        (
            "SELECT * FROM a ORDER BY id DESC LIMIT 1",
            "index|NULL|PRIMARY|4|NULL|Backward index scan",
        ),
    ] {
        let rows = client.rows(&format!("EXPLAIN {sql}")).await;
        assert_eq!(rows.len(), 1, "{sql}");
        let cell = |at: usize| rows[0][at].clone().unwrap_or_else(|| "NULL".into());
        assert_eq!((cell(0), cell(1), cell(2)), ("1".into(), "SIMPLE".into(), "a".into()), "{sql}");
        let told = [4, 5, 6, 7, 8, 11].map(cell).join("|");
        assert_eq!(told, expected, "{sql}");
    }
}

#[tokio::test]
async fn joins_and_queries_in_from_have_rows_of_their_own() {
    let (_server, mut client) = start().await;
    client.run(TABLES).await;
    let rows = client.rows("EXPLAIN SELECT * FROM b JOIN a ON a.id = b.a_id").await;
    let told: Vec<_> =
        rows.iter().map(|row| (row[2].clone().unwrap(), row[4].clone().unwrap())).collect();
    assert_eq!(told, [("b".into(), "ALL".into()), ("a".into(), "eq_ref".into())]);
    assert_eq!(rows[1][8].as_deref(), Some("t.b.a_id"));
    let rows = client.rows("EXPLAIN SELECT * FROM (SELECT k FROM a WHERE k > 3) AS d").await;
    let told: Vec<_> = rows.iter().map(|row| row[..3].to_vec()).collect();
    let row = |id: &str, kind: &str, table: &str| {
        [id, kind, table].map(|text| Some(text.to_owned())).to_vec()
    };
    assert_eq!(told, [row("1", "PRIMARY", "<derived2>"), row("2", "DERIVED", "a")]);
}

#[tokio::test]
async fn changing_statements_and_no_tables() {
    let (_server, mut client) = start().await;
    client.run(TABLES).await;
    let lines = client.lines("EXPLAIN INSERT INTO b VALUES (1, 2)").await;
    assert_eq!(lines, ["1|INSERT|b|NULL|ALL|NULL|NULL|NULL|NULL|NULL|NULL|NULL"]);
    let rows = client.rows("EXPLAIN UPDATE a SET v = 'y' WHERE id = 3").await;
    assert_eq!(rows[0][1].as_deref(), Some("UPDATE"));
    let rows = client.rows("EXPLAIN DELETE FROM a WHERE k = 3").await;
    assert_eq!((rows[0][1].as_deref(), rows[0][6].as_deref()), (Some("DELETE"), Some("ik")));
    let lines = client.lines("EXPLAIN SELECT 1").await;
    assert_eq!(lines, ["1|SIMPLE|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|No tables used"]);
    assert!(client.lines("SELECT * FROM a").await.is_empty());
}

#[tokio::test]
async fn the_shapes_of_a_tree_and_of_json() {
    let (_server, mut client) = start().await;
    client.run(TABLES).await;
    let sql = "EXPLAIN FORMAT=TREE SELECT * FROM a WHERE k = 1 ORDER BY w LIMIT 3";
    let tree = client.value(sql).await.unwrap();
    assert_eq!(
        tree,
        "-> Limit: 3 row(s)\n    -> Sort: a.w\n        -> Index lookup on a using ik (k=1)\n"
    );
    let json = client.value("EXPLAIN FORMAT=JSON SELECT k FROM a WHERE id = 1").await.unwrap();
    let read: serde_json::Value = serde_json::from_str(&json).unwrap();
    let table = &read["query_block"]["table"];
    assert_eq!(table["access_type"], "const");
    assert_eq!(table["key"], "PRIMARY");
    assert_eq!(table["used_key_parts"][0], "id");
    assert_eq!(client.error("EXPLAIN FORMAT=XML SELECT 1").await.0, 1791);
    client.run("SET explain_format = 'TREE'").await;
    assert!(client.value("EXPLAIN SELECT * FROM a").await.unwrap().starts_with("-> Table scan"));
}

/// The statements of `data/explain.txt` and the rows that EXPLAIN gives, without estimates.
/// Behind `=` the plan is MySQL 9.7's, word for word; behind `~` Firn runs the statement in
/// another way, and says so.
#[tokio::test]
async fn recorded_statements_are_told_as_they_were() {
    const RECORDED: &str = include_str!("../data/explain.txt");
    let (_server, mut client) = start().await;
    let (schema, statements) = RECORDED.split_once("\n\n").expect("tables come first");
    client.run(schema).await;
    let mut count = 0;
    for block in statements.split("\n\n").filter(|block| !block.trim().is_empty()) {
        let mut lines = block.lines();
        let sql = lines.next().unwrap_or_default();
        let sql = sql.strip_prefix(['=', '~']).expect("how it compares").trim();
        let expected: Vec<&str> = lines.map(str::trim).collect();
        let told: Vec<String> = client
            .rows(&format!("EXPLAIN FORMAT=TRADITIONAL {sql}"))
            .await
            .iter()
            .map(|row| {
                let cell = |at: &usize| row[*at].clone().unwrap_or_else(|| "-".into());
                let cells: Vec<_> = [0, 1, 2, 4, 5, 6, 7, 8, 11].iter().map(cell).collect();
                cells.join("|")
            })
            .collect();
        assert_eq!(told, expected, "{sql}");
        count += 1;
    }
    assert!(count > 140, "{count}");
}

/// `actual time=…` without the times.
fn without_times(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("actual time=") {
        out.push_str(before);
        rest = after.split_once(' ').map_or("", |(_, rest)| rest);
    }
    out + rest
}

#[tokio::test]
async fn what_a_query_did_is_told_by_analyze() {
    let (_server, mut client) = start().await;
    client.run(TABLES).await;
    client.run("INSERT INTO a VALUES (1, 1, 'x', 1), (2, 1, 'y', 2), (3, 2, 'z', 3)").await;
    client.run("INSERT INTO b VALUES (10, 1), (11, 1), (12, 3)").await;
    for (sql, expected) in [
        (
            "SELECT * FROM a WHERE w > 1 ORDER BY w DESC LIMIT 1",
            "-> Limit: 1 row(s)  (rows=1 loops=1)
    -> Sort: a.w DESC  (rows=2 loops=1)
        -> Filter: (a.w > 1)  (rows=2 loops=1)
            -> Table scan on a  (rows=3 loops=1)
",
        ),
        (
            "SELECT * FROM a LEFT JOIN b ON b.a_id = a.id",
            "-> Nested loop left join  (rows=4 loops=1)
    -> Table scan on a  (rows=3 loops=1)
    -> Covering index lookup on b using ia (a_id=a.id)  (rows=1 loops=3)
",
        ),
        (
            "SELECT k, count(*) FROM a GROUP BY k HAVING count(*) > 1",
            "-> Filter: (count(0) > 1)  (rows=1 loops=1)
    -> Group aggregate by a.k  (rows=2 loops=1)
        -> Table scan on a  (rows=3 loops=1)
",
        ),
        (
            "SELECT (SELECT max(b.id) FROM b WHERE b.a_id = a.id) FROM a",
            "-> Table scan on a  (rows=3 loops=1)
    -> Select #2 (subquery in projection; dependent)
        -> Aggregate  (rows=1 loops=3)
            -> Covering index lookup on b using ia (a_id=a.id)  (rows=1 loops=3)
",
        ),
        (
            "SELECT id FROM a UNION SELECT a_id FROM b",
            "-> Table scan on <union temporary>
    -> Union materialize with deduplication  (rows=3 loops=1)
        -> Table scan on a  (rows=3 loops=1)
        -> Table scan on b  (rows=3 loops=1)
",
        ),
        (
            "SELECT * FROM a JOIN b ON b.a_id = a.id WHERE a.id = 9",
            "-> Nested loop inner join  (rows=0 loops=1)
    -> Single-row index lookup on a using PRIMARY (id=9)  (rows=0 loops=1)
    -> Covering index lookup on b using ia (a_id=a.id)  (never executed)
",
        ),
    ] {
        let told = client.value(&format!("EXPLAIN ANALYZE {sql}")).await.expect("a tree");
        assert_eq!(without_times(&told), expected, "{sql}");
    }
    client.run("SET explain_json_format_version = 2").await;
    let sql = "EXPLAIN ANALYZE FORMAT=JSON SELECT * FROM a";
    let json = client.value(sql).await.expect("a document");
    let read: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(read["query_plan"]["operation"], "Table scan on a");
    assert_eq!(read["query_plan"]["actual_rows"], 3.0);
    assert_eq!(read["query_type"], "select");
}

#[tokio::test]
async fn forms_of_explain_that_mysql_refuses() {
    let (server, mut client) = start().await;
    client.run(TABLES).await;
    for (sql, number) in [
        ("EXPLAIN ANALYZE FORMAT=TRADITIONAL SELECT 1", 1235),
        ("EXPLAIN ANALYZE FORMAT=JSON SELECT 1", 6412),
        ("EXPLAIN INTO @x SELECT 1", 6006),
        ("EXPLAIN FORMAT=TREE INTO @x SELECT 1", 6007),
        ("EXPLAIN FORMAT=JSON INTO @x FOR CONNECTION 8", 6009),
        ("EXPLAIN FOR CONNECTION 99999", 1094),
        ("PREPARE s FROM 'EXPLAIN FOR CONNECTION 8'", 1295),
        ("EXPLAIN SELECT nosuch FROM a", 1054),
    ] {
        assert_eq!(client.error(sql).await.0, number, "{sql}");
    }
    client.run("EXPLAIN FORMAT=JSON INTO @x SELECT * FROM a WHERE id = 1").await;
    let key = client.value("SELECT JSON_EXTRACT(@x, '$.query_block.table.key')").await;
    assert_eq!(key.as_deref(), Some("\"PRIMARY\""));
    // Nothing runs, or what has no plan.
    let mut other = server.try_client(Some("t")).await.expect("root gets in");
    let id = other.value("SELECT CONNECTION_ID()").await.expect("a number");
    client.run(&format!("EXPLAIN FOR CONNECTION {id}")).await;
    let own = client.value("SELECT CONNECTION_ID()").await.expect("a number");
    assert_eq!(client.error(&format!("EXPLAIN FOR CONNECTION {own}")).await.0, 3012);
}

#[tokio::test]
async fn a_note_has_the_query_with_all_of_its_names() {
    let (_server, mut client) = start().await;
    client.run(TABLES).await;
    for (sql, expected) in [
        (
            "SELECT k FROM a WHERE id = 3 AND k > (SELECT max(a_id) FROM b)",
            "/* select#1 */ select `t`.`a`.`k` AS `k` from `t`.`a` where ((`t`.`a`.`id` = 3) and \
             (`t`.`a`.`k` > (/* select#2 */ select max(`t`.`b`.`a_id`) from `t`.`b`)))",
        ),
        (
            "SELECT 1 UNION SELECT id FROM b x",
            "/* select#1 */ select 1 AS `1` union /* select#2 */ select `x`.`id` AS `id` from \
             `t`.`b` `x`",
        ),
    ] {
        client.run(&format!("EXPLAIN {sql}")).await;
        let notes = client.rows("SHOW WARNINGS").await;
        assert_eq!(notes.len(), 1, "{notes:?}");
        assert_eq!(notes[0][1].as_deref(), Some("1003"));
        assert_eq!(notes[0][2].as_deref(), Some(expected));
    }
}

#[tokio::test]
async fn windows_stand_between_rows_and_their_order() {
    let (_server, mut client) = start().await;
    client.run(TABLES).await;
    let sql = "SELECT id, ROW_NUMBER() OVER (ORDER BY w) AS r,
        SUM(k) OVER (PARTITION BY v ORDER BY id DESC ROWS BETWEEN 1 PRECEDING AND 2 FOLLOWING),
        RANK() OVER (ORDER BY w) FROM a ORDER BY r LIMIT 3";
    let tree = client.value(&format!("EXPLAIN FORMAT=TREE {sql}")).await.unwrap();
    // As a server has it, but for the estimates.
    let expected = "\
-> Limit: 3 row(s)
    -> Sort: r
        -> Table scan on <temporary>
            -> Temporary table
                -> Window aggregate with buffering: sum(a.k) OVER (PARTITION BY a.v ORDER BY a.id desc ROWS BETWEEN 1 PRECEDING AND 2 FOLLOWING) 
                    -> Sort: a.v, a.id DESC
                        -> Table scan on <temporary>
                            -> Temporary table
                                -> Window aggregate: rank() OVER (ORDER BY a.w ) 
                                    -> Table scan on <temporary>
                                        -> Temporary table
                                            -> Window aggregate: row_number() OVER (ORDER BY a.w ) 
                                                -> Sort: a.w
                                                    -> Table scan on a
";
    assert_eq!(tree, expected);
    let lines = client.lines(&format!("EXPLAIN FORMAT=TRADITIONAL {sql}")).await;
    assert_eq!(lines, ["1|SIMPLE|a|NULL|ALL|NULL|NULL|NULL|NULL|1|100.00|Using filesort"]);
    let notes = client.lines("SHOW WARNINGS").await;
    assert!(notes[0].starts_with("Note|3598|"), "{notes:?}");
    assert!(notes[1].contains("row_number() OVER (ORDER BY `t`.`a`.`w` )  AS `r`"), "{notes:?}");
    let json = client.value(&format!("EXPLAIN FORMAT=JSON {sql}")).await.unwrap();
    assert!(json.contains("windowing") || json.contains("Window aggregate"), "{json}");
}
