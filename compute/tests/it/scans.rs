//! Query blocks that run row by row with one table scanned over batches: the same as without,
//! to the byte.

use crate::executors::{counted, filled, related, told};
use crate::support::{TestClient, World, start};

/// A statement must scan a table over batches and say what it says row by row, which is given.
async fn same_with_scan(client: &mut TestClient, sql: &str) -> String {
    client.run("SET @n = NULL").await;
    let direct = told(client, "direct", sql).await;
    client.run("SET @n = NULL").await;
    let before = counted(client, "SESSION", "Firn_vector_scans").await;
    let scanned = told(client, "vector", sql).await;
    assert_eq!(direct, scanned, "{sql}");
    let after = counted(client, "SESSION", "Firn_vector_scans").await;
    assert!(after > before, "nothing is scanned over batches: {sql}");
    direct
}

/// In each of these a table is scanned over batches, and all else is row by row.
const SCANNED: &[&str] = &[
    // Rows that go out as they come, in the order of the scanned table.
    "SELECT STRAIGHT_JOIN b.id, t.label FROM big b JOIN tiny t ON t.g = b.g WHERE b.d > 20000 AND b.n < 3",
    "SELECT STRAIGHT_JOIN b.id, x.s, x.d FROM big b JOIN big x ON x.id = b.n + 200 WHERE b.s = 'a' AND b.n > 100",
    "SELECT STRAIGHT_JOIN b.id, x.id, x.at FROM big b JOIN big x ON x.g = b.g AND x.s = b.s WHERE b.id < 40
     AND x.id < 99",
    "SELECT STRAIGHT_JOIN b.id, s.price FROM big b LEFT JOIN small s ON s.id = b.id AND s.g > 3 WHERE b.dt =
     '2020-05-05' OR b.n = 7",
    "SELECT STRAIGHT_JOIN b.id, s.name, t.label FROM big b JOIN small s ON s.id = b.id LEFT JOIN tiny t ON
     t.g = s.g AND t.label <> 'vier' WHERE b.n = 4 AND (t.g IS NULL OR t.g < 9)",
    "SELECT STRAIGHT_JOIN b.* FROM big b JOIN small s ON s.id = b.id WHERE b.l = 'A' AND b.id % 50 = 1",
    // Its own key orders what comes out; some rows are enough.
    "SELECT STRAIGHT_JOIN b.id, s.name FROM big b JOIN small s ON s.id = b.id WHERE b.n > 9 ORDER BY b.id LIMIT 7",
    "SELECT STRAIGHT_JOIN b.id, s.name FROM big b JOIN small s ON s.id = b.id WHERE b.n > 9 LIMIT 5 OFFSET 100",
    "SELECT STRAIGHT_JOIN SQL_CALC_FOUND_ROWS b.id FROM big b JOIN small s ON s.id = b.id WHERE b.n = 9 LIMIT 2",
    "SELECT STRAIGHT_JOIN DISTINCT s.name FROM big b JOIN small s ON s.id = b.id WHERE b.n > 9 AND b.f > 30",
    // A range of its keys, and some of them.
    "SELECT STRAIGHT_JOIN b.id, s.id FROM big b JOIN small s ON s.g = b.g WHERE b.id BETWEEN 8150 AND 8250 AND
     s.id < 30",
    "SELECT STRAIGHT_JOIN b.id, t.label FROM big b JOIN tiny t ON t.g = b.g WHERE b.id IN (3, 19999, 7, 30000)
     AND b.n <> 3",
    "SELECT STRAIGHT_JOIN b.id, t.label FROM big b LEFT JOIN tiny t ON t.g = b.g WHERE b.id > 19990 AND b.id < 5000",
    // Behind a row that is found by its key.
    "SELECT STRAIGHT_JOIN c.name, b.id, t.label FROM small c JOIN big b ON b.n = 5 JOIN tiny t ON t.g = b.g WHERE
     c.id = 8",
    "SELECT STRAIGHT_JOIN c.name, b.id FROM small c, big b WHERE c.id = 8 AND b.n = 9 AND b.n < c.g + 20",
    "SELECT STRAIGHT_JOIN c.name, b.id FROM small c, big b WHERE c.id = 5000 AND b.n = 9",
    // Conditions that batches do not look at stand behind those that they do, or before them.
    "SELECT STRAIGHT_JOIN b.id FROM big b WHERE b.n = 3 AND b.s = ANY (SELECT name FROM small s WHERE s.id < b.n)
     LIMIT 30",
    "SELECT STRAIGHT_JOIN b.id, @n := b.n FROM big b WHERE b.n > 4 AND (@n IS NULL OR b.n > @n)",
    "SELECT STRAIGHT_JOIN b.id FROM big b JOIN small s ON s.id = b.id WHERE b.n > 5 AND EXISTS (SELECT 1 FROM tiny t
     WHERE t.g = b.g AND t.label LIKE '%o%')",
    "SELECT STRAIGHT_JOIN b.id, (SELECT COUNT(*) FROM tiny t WHERE t.g = b.g) FROM big b JOIN small s ON s.id = b.id
     WHERE b.n > 100",
    // What is no aggregate over batches, ROLLUP, and windows over joined rows.
    "SELECT g, COUNT(*), SUM(d) FROM big WHERE n > 3 GROUP BY g WITH ROLLUP",
    "SELECT STRAIGHT_JOIN t.label, GROUP_CONCAT(b.id), STDDEV(b.f), JSON_ARRAYAGG(b.n) FROM big b JOIN tiny t ON
     t.g = b.g WHERE b.n > 125 GROUP BY t.label ORDER BY 1",
    "SELECT STRAIGHT_JOIN b.id, RANK() OVER (PARTITION BY t.label ORDER BY b.d DESC) FROM big b JOIN tiny t ON
     t.g = b.g WHERE b.n > 120",
    "SELECT GROUP_CONCAT(id) FROM (SELECT STRAIGHT_JOIN b.id FROM big b JOIN small s ON s.id = b.id WHERE b.n > 90) x",
    "SELECT COUNT(*) FROM small WHERE id IN (SELECT STRAIGHT_JOIN b.id FROM big b JOIN tiny t ON t.g = b.g WHERE
     b.n > 5 LIMIT 100)",
    "SELECT STRAIGHT_JOIN b.id FROM big b JOIN tiny t ON t.g = b.g WHERE b.n > 126 UNION ALL SELECT STRAIGHT_JOIN b.id FROM big b
     JOIN tiny t ON t.g = b.g WHERE b.n < -127",
    // The select list warns and fails where it does so row by row.
    "SELECT STRAIGHT_JOIN b.id, b.d / (b.n - 9), CAST(b.s AS SIGNED) FROM big b JOIN small s ON s.id = b.id WHERE
     b.n > 5 AND b.n < 12",
    "SELECT STRAIGHT_JOIN b.id, t.label FROM big b JOIN tiny t ON t.g = b.g AND t.label + 0 = 0 WHERE b.n > 120",
];

/// A condition on the scanned table warns or fails, far behind the first rows of it.
const GIVEN_UP: &[&str] = &[
    "SELECT STRAIGHT_JOIN b.id, t.label FROM big b JOIN tiny t ON t.g = b.g WHERE b.d / (b.id - 19000) > 1",
    "SELECT STRAIGHT_JOIN b.id, 1 / (b.id - 8) FROM big b JOIN tiny t ON t.g = b.g WHERE b.n > 3 AND b.d / (b.id -
     15000) > 1",
    "SELECT g, COUNT(*) FROM big WHERE d / (id - 19000) > 1 GROUP BY g WITH ROLLUP",
    "SELECT GROUP_CONCAT(id) FROM big WHERE id > 9500 AND d > 0 AND s + 0 = 1",
    "SELECT STRAIGHT_JOIN c.id, b.id FROM small c, big b WHERE c.id = 8 AND b.d / (b.id - 19000) > 20",
];

/// These fail: a condition on the scanned table, or the select list.
const FAILING: &[&str] = &[
    "SELECT STRAIGHT_JOIN b.id, t.label FROM big b JOIN tiny t ON t.g = b.g WHERE b.n <> 9 AND b.u * 2 > 5",
    "SELECT STRAIGHT_JOIN b.id, b.u * 2 FROM big b JOIN small s ON s.id = b.id WHERE b.n > 5",
];

#[tokio::test]
async fn a_scan_over_batches_gives_rows_what_they_have_row_by_row() {
    let (_server, mut client) = start().await;
    filled(&mut client).await;
    related(&mut client).await;
    for sql in SCANNED {
        same_with_scan(&mut client, sql).await;
    }
    let given_up = counted(&mut client, "SESSION", "Firn_vector_given_up").await;
    assert_eq!(given_up, 0, "for no reason");
}

#[tokio::test]
async fn a_scan_that_warns_goes_on_row_by_row_where_it_stands() {
    let (_server, mut client) = start().await;
    filled(&mut client).await;
    related(&mut client).await;
    for sql in GIVEN_UP {
        let before = counted(&mut client, "SESSION", "Firn_vector_given_up").await;
        let told = same_with_scan(&mut client, sql).await;
        let given_up = counted(&mut client, "SESSION", "Firn_vector_given_up").await - before;
        assert_eq!(given_up, 1, "{sql}");
        assert!(
            told.contains("Division by 0")
                || told.contains("truncate")
                || told.contains("Truncated"),
            "{sql}: {told}"
        );
    }
    for sql in FAILING {
        let direct = told(&mut client, "direct", sql).await;
        assert!(direct.contains("1690"), "{sql}: {direct}");
        assert_eq!(direct, told(&mut client, "vector", sql).await, "{sql}");
    }
    // What no row within the LIMIT meets is not said.
    let limited = "SELECT STRAIGHT_JOIN b.id FROM big b JOIN tiny t ON t.g = b.g WHERE b.d / (b.id - 19000) < 1 LIMIT 9";
    let told = same_with_scan(&mut client, limited).await;
    assert!(!told.contains("Division"), "{told}");
}

#[tokio::test]
async fn a_scan_sees_what_its_transaction_has_written() {
    let server = World::new().merging().start().await;
    let mut client = server.client().await;
    client.run("CREATE DATABASE t; USE t").await;
    filled(&mut client).await;
    related(&mut client).await;
    server.copied().await;
    let mut before = server.try_client(Some("t")).await.expect("root gets in");
    before.run("START TRANSACTION WITH CONSISTENT SNAPSHOT").await;
    let sql =
        "SELECT STRAIGHT_JOIN b.id, b.s, b.d, t.label FROM big b JOIN tiny t ON t.g = b.g WHERE b.n > 120 OR
               b.n IS NULL";
    let copied = counted(&mut client, "SESSION", "Firn_vector_rows_copied").await;
    same_with_scan(&mut client, sql).await;
    let copied = counted(&mut client, "SESSION", "Firn_vector_rows_copied").await - copied;
    assert_eq!(copied, 20_000, "rows from copies");
    let seen = client.lines(sql).await;
    client
        .run(
            "BEGIN; DELETE FROM big WHERE id % 3 = 0; UPDATE big SET g = 2, s = 'new' WHERE id
             BETWEEN 5 AND 500; INSERT INTO big (id, g, s) VALUES (-1, 1, 'own'), (50000, 4, 'A');
             UPDATE tiny SET label = 'two' WHERE g = 1",
        )
        .await;
    same_with_scan(&mut client, sql).await;
    let own = client.lines(sql).await;
    assert_ne!(own, seen);
    assert!(own.iter().any(|line| line.contains("own")), "{own:?}");
    // From a snapshot that was taken before, and behind it.
    same_with_scan(&mut before, sql).await;
    assert_eq!(before.lines(sql).await, seen);
    client.run("COMMIT").await;
    same_with_scan(&mut before, sql).await;
    assert_eq!(before.lines(sql).await, seen);
    same_with_scan(&mut client, sql).await;
    assert_eq!(client.lines(sql).await, own);
    before.run("COMMIT").await;
    same_with_scan(&mut before, sql).await;
    assert_eq!(before.lines(sql).await, own);
}

#[tokio::test]
async fn auto_scans_a_table_over_batches_where_indexes_find_what_is_joined() {
    let (_server, mut client) = start().await;
    filled(&mut client).await;
    client
        .run(
            "CREATE TABLE parts (id INT PRIMARY KEY, item INT, v INT, KEY (item));
             INSERT INTO parts SELECT a.id * 5 + i.i, a.id, i.i FROM big a, digits i WHERE i.i < 5;
             ANALYZE TABLE big, parts, digits",
        )
        .await;
    for (blocks, scans, sql) in [
        (0, 1, "SELECT SUM(v), COUNT(*) FROM big b, parts l WHERE l.item = b.id AND b.d = 250 AND l.v > 0"),
        (0, 1, "SELECT b.id, l.v FROM big b JOIN parts l ON l.item = b.id WHERE b.d < -900"),
        (
            0,
            1,
            "SELECT SUM(l.v * b.n) FROM big b, parts l WHERE (b.id = l.item AND b.s = 'a' AND b.d = 50 AND
             l.v > 1) OR (b.id = l.item AND b.dt = '2020-04-04' AND l.v IN (2, 4))",
        ),
        (0, 1, "SELECT g, GROUP_CONCAT(id) FROM big WHERE d < 0 AND f > 9 GROUP BY g"),
        // Over batches there is no key to join by.
        (0, 1, "SELECT COUNT(*), SUM(l.v) FROM big b, parts l WHERE b.d < -998 AND l.v * b.id > b.n"),
        // Most rows have to be joined, or few are wanted, or an index finds them.
        (1, 0, "SELECT SUM(v), COUNT(*) FROM big b, parts l WHERE l.item = b.id AND b.d > 250 AND l.v > 0"),
        (0, 0, "SELECT b.id, l.v FROM big b JOIN parts l ON l.item = b.id WHERE b.d > 25 LIMIT 5"),
        (0, 0, "SELECT b.id, l.v FROM big b JOIN parts l ON l.item = b.id WHERE b.dt = '2020-04-04'"),
        (0, 0, "SELECT i, (SELECT MAX(d) FROM big b WHERE b.n = i AND b.l > 'a') FROM digits LIMIT 2"),
    ] {
        let count = async |client: &mut TestClient| {
            (
                counted(client, "SESSION", "Firn_vector_blocks").await,
                counted(client, "SESSION", "Firn_vector_scans").await,
            )
        };
        let before = count(&mut client).await;
        let auto = told(&mut client, "auto", sql).await;
        let after = count(&mut client).await;
        let ran = (after.0 - before.0, after.1 - before.1);
        let plan = client.lines(&format!("EXPLAIN {sql}")).await;
        assert_eq!(ran, (blocks, scans), "{sql}: {plan:?}");
        assert_eq!(auto, told(&mut client, "direct", sql).await, "{sql}");
    }
    // Rows are read as often as without.
    let reads = async |client: &mut TestClient, executor: &str| {
        let mut reads = Vec::new();
        for name in ["Handler_read_rnd_next", "Handler_read_key", "Handler_read_next"] {
            let before = counted(client, "SESSION", name).await;
            let sql = "SELECT SUM(v) FROM big b, parts l WHERE l.item = b.id AND b.d = 250";
            told(client, executor, sql).await;
            reads.push(counted(client, "SESSION", name).await - before);
        }
        reads
    };
    assert_eq!(reads(&mut client, "auto").await, reads(&mut client, "direct").await);
}

#[tokio::test]
async fn explain_names_the_table_that_is_scanned_over_batches() {
    let (_server, mut client) = start().await;
    filled(&mut client).await;
    related(&mut client).await;
    client.run("ANALYZE TABLE big, small").await;
    let joined =
        "EXPLAIN SELECT STRAIGHT_JOIN x.id, s.name FROM big x JOIN small s ON s.id = x.id WHERE x.l LIKE 'b%'
                  AND x.e = 'z' AND x.d < -900";
    let mut said = Vec::new();
    for (executor, sql) in [
        ("auto", joined),
        ("vector", joined),
        ("direct", joined),
        ("vector", "EXPLAIN SELECT g, SUM(d) FROM big GROUP BY g WITH ROLLUP"),
    ] {
        client.run(&format!("SET firn_executor = '{executor}'")).await;
        client.run(sql).await;
        let lines = client.lines("SHOW WARNINGS").await;
        said.push(lines.iter().find(|line| line.contains("firn_executor")).cloned());
    }
    let block = |table: &str, rest: &str| {
        Some(format!(
            "Note|1003|The query block runs row by row, '{table}' is scanned over batches of columns \
             (firn_executor){rest}"
        ))
    };
    assert_eq!(
        said,
        [
            block("x", ""),
            block("x", ": its joined rows go out as they come"),
            None,
            block("big", ": WITH ROLLUP"),
        ]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_block_with_a_scan_over_batches_ends_when_it_is_told_to() {
    let (server, mut client) = start().await;
    filled(&mut client).await;
    client.run("SET firn_executor = 'vector', max_execution_time = 50").await;
    // Most of it are rows of the joined tables; of the other one it is the scan.
    let scans = [
        "SELECT COUNT(*), GROUP_CONCAT(a.id) FROM big a, big b, big c WHERE a.n + b.n + c.n = 1000",
        "SELECT GROUP_CONCAT(id) FROM big WHERE SHA2(REPEAT(d, 2000), 512) = 'x'",
    ];
    for sql in scans {
        client.run(&format!("EXPLAIN {sql}")).await;
        let told = client.lines("SHOW WARNINGS").await;
        assert!(told.iter().any(|line| line.contains("is scanned over batches")), "{told:?}");
        let (number, text) = client.error(sql).await;
        assert_eq!(number, 3024, "{sql}: {text}");
    }
    client.run("SET max_execution_time = 0").await;
    let id = client.value("SELECT CONNECTION_ID()").await.unwrap();
    let mut other = server.client().await;
    let kill = async {
        let running = format!(
            "SELECT COUNT(*) FROM information_schema.processlist WHERE id = {id} AND \
             command = 'Query'"
        );
        while other.value(&running).await.as_deref() != Some("1") {}
        other.run(&format!("KILL QUERY {id}")).await;
    };
    let ((number, text), ()) = futures::join!(client.error(scans[0]), kill);
    assert_eq!(number, 1317, "{text}");
}
