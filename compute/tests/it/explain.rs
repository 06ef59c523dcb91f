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
