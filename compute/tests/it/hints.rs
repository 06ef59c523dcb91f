//! Optimizer hints do what they say.

use crate::support::{TestClient, TestServer, start};

async fn filled() -> (TestServer, TestClient) {
    let (server, mut client) = start().await;
    client.run("CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT, KEY ia (a), KEY ib (b))").await;
    client.run("CREATE TABLE u (id INT PRIMARY KEY, a INT, KEY ia (a))").await;
    client
        .run(
            "INSERT INTO t WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE
             i < 499) SELECT i, i % 50, i % 100 FROM n",
        )
        .await;
    client.run("INSERT INTO u SELECT id, a FROM t WHERE id < 20").await;
    client.run("ANALYZE TABLE t, u").await;
    (server, client)
}

/// The tables of a plan in their order, each with its index.
async fn plan(client: &mut TestClient, sql: &str) -> Vec<String> {
    let lines = client.lines(&format!("EXPLAIN {sql}")).await;
    let column = |line: &str, at: usize| line.split('|').nth(at).unwrap_or("").trim().to_owned();
    lines.iter().map(|line| format!("{} {}", column(line, 2), column(line, 6))).collect()
}

#[tokio::test]
async fn time_limits_hold_for_texts_and_prepared_statements_alone() {
    let (_server, mut client) = filled().await;
    let slow = "SELECT /*+ MAX_EXECUTION_TIME(20) */ COUNT(*) FROM t a, t b, t c, t d WHERE a.a + b.a + c.a + d.a = 1000";
    for _ in 0..2 {
        assert_eq!(client.error(slow).await.0, 3024);
    }
    client.run(&format!("PREPARE slow FROM '{slow}'")).await;
    for _ in 0..2 {
        assert_eq!(client.error("EXECUTE slow").await.0, 3024);
    }
    assert_eq!(client.lines("SELECT @@max_execution_time, COUNT(*) FROM t").await, ["0|500"]);
}

#[tokio::test]
async fn variables_are_set_for_one_statement_also_if_it_fails() {
    let (_server, mut client) = filled().await;
    let failing = "SELECT /*+ SET_VAR(sort_buffer_size = 100000) */ nothing FROM t";
    assert_eq!(client.error(failing).await.0, 1054);
    let lenient = "INSERT /*+ SET_VAR(sql_mode = ansi) */ INTO u VALUES (1000, 'x')";
    client.run(lenient).await;
    assert_eq!(client.error("INSERT INTO u VALUES (1001, 'x')").await.0, 1366);
    let limited = "SELECT /*+ SET_VAR(sql_select_limit = 2) */ id FROM u WHERE id < 10 ORDER BY id";
    client.run(&format!("PREPARE limited FROM '{limited}'")).await;
    for _ in 0..2 {
        assert_eq!(client.lines(limited).await, ["0", "1"]);
        assert_eq!(client.lines("EXECUTE limited").await, ["0", "1"]);
    }
    let without =
        "SELECT COUNT(*), @@sort_buffer_size, @@sql_select_limit > 2 FROM u WHERE id < 10";
    assert_eq!(client.lines(without).await, ["10|262144|1"]);
}

#[tokio::test]
async fn indexes_orders_and_queries_in_from_are_as_hints_want_them() {
    let (_server, mut client) = filled().await;
    for (hint, key) in [
        ("", "ib"),
        ("INDEX(t ia)", "ia"),
        ("NO_INDEX(t ib)", "ia"),
        ("NO_INDEX(t ia, ib)", "NULL"),
        ("NO_INDEX(t)", "NULL"),
        ("JOIN_INDEX(@`select#1` t ia)", "ia"),
        ("QB_NAME(q) INDEX(t@q ia)", "ia"),
        // There is no such block here, or no such index.
        ("INDEX(t@q ia)", "ib"),
        ("INDEX(t none)", "ib"),
    ] {
        let sql = format!("SELECT /*+ {hint} */ id FROM t WHERE a = 7 AND b = 7");
        assert_eq!(plan(&mut client, &sql).await, [format!("t {key}")], "{hint}");
        assert_eq!(client.lines(&format!("{sql} ORDER BY id")).await.len(), 5, "{hint}");
    }
    for (hint, order) in [
        ("", ["u", "t"]),
        ("JOIN_ORDER(t, u)", ["t", "u"]),
        ("JOIN_PREFIX(t)", ["t", "u"]),
        ("JOIN_SUFFIX(u)", ["t", "u"]),
        ("JOIN_FIXED_ORDER()", ["t", "u"]),
        // The second contradicts the first.
        ("JOIN_ORDER(t, u) JOIN_ORDER(u, t)", ["t", "u"]),
        ("JOIN_ORDER(u, t)", ["u", "t"]),
    ] {
        let sql = format!("SELECT /*+ {hint} */ COUNT(*) FROM t, u WHERE u.a = t.a AND u.id = 3");
        let plan = plan(&mut client, &sql).await;
        let tables: Vec<&str> = plan.iter().filter_map(|line| line.split(' ').next()).collect();
        assert_eq!(tables, order, "{hint}");
        assert_eq!(client.lines(&sql).await, ["10"], "{hint}");
    }
    for (hint, table) in [("", "t"), ("MERGE(d)", "t"), ("NO_MERGE(d)", "<derived2>")] {
        let sql = format!(
            "SELECT /*+ {hint} */ d.x FROM (SELECT id, a + 1 AS x FROM t) d, u
                           WHERE d.id = u.id AND u.a = 3"
        );
        let plan = plan(&mut client, &sql).await;
        assert!(plan.iter().any(|line| line.starts_with(table)), "{hint}: {plan:?}");
        assert_eq!(client.lines(&sql).await, ["4"], "{hint}");
    }
    client.run("UPDATE /*+ NO_INDEX(t ib) */ t SET b = 1000 WHERE a = 7 AND b = 7").await;
    client.run("DELETE /*+ INDEX(t ib) */ FROM t WHERE b = 1000").await;
    assert_eq!(client.lines("SELECT COUNT(*) FROM t").await, ["495"]);
}
