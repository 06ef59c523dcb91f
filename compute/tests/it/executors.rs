//! The same statements row by row and over batches: what a client is sent must be the same,
//! to the byte.

use firn_mysql_protocol::Error;

use crate::support::{TestClient, start};

/// Query blocks of all sessions that ran over batches, as a whole or one table of them, must be
/// `least` at least.
pub(crate) async fn ran_over_batches(client: &mut TestClient, least: u64) {
    let blocks = counted(client, "GLOBAL", "Firn_vector_blocks").await;
    let scans = counted(client, "GLOBAL", "Firn_vector_scans").await;
    let given_up = counted(client, "GLOBAL", "Firn_vector_given_up").await;
    let ran = blocks + scans - given_up;
    assert!(ran >= least, "{blocks} and {scans} ran over batches, {given_up} were given up");
}

pub(crate) async fn counted(client: &mut TestClient, scope: &str, name: &str) -> u64 {
    let rows = client.rows(&format!("SHOW {scope} STATUS LIKE '{name}'")).await;
    rows[0][1].as_deref().and_then(|text| text.parse().ok()).expect("a number")
}

/// All that a client is told: columns, rows, the end, or the error; and the warnings.
pub(crate) async fn told(client: &mut TestClient, executor: &str, sql: &str) -> String {
    client.run(&format!("SET firn_executor = '{executor}'")).await;
    let answer = match client.0.query_all(sql.as_bytes()).await {
        Ok(results) => format!("{results:?}"),
        Err(Error::Sql(error)) => format!("{error:?}"),
        Err(error) => panic!("{sql}: {error}"),
    };
    let warnings = client.lines("SHOW WARNINGS").await;
    format!("{answer}\n{warnings:?}")
}

/// A statement must run over batches and say there what it says row by row, which is given.
pub(crate) async fn same_over_batches(client: &mut TestClient, sql: &str) -> String {
    let direct = told(client, "direct", sql).await;
    let before = counted(client, "SESSION", "Firn_vector_blocks").await;
    let vector = told(client, "vector", sql).await;
    assert_eq!(direct, vector, "{sql}");
    let after = counted(client, "SESSION", "Firn_vector_blocks").await;
    assert!(after > before, "not over batches: {sql}");
    direct
}

/// Rows of several batches, of all kinds of types, with NULLs, texts that are equal by
/// their collation alone, and numbers at the ends of their ranges.
pub(crate) async fn filled(client: &mut TestClient) {
    client
        .run(
            "CREATE TABLE big (id INT PRIMARY KEY, g INT, s VARCHAR(20), b VARBINARY(9),
             l VARCHAR(20) COLLATE utf8mb4_bin, d DECIMAL(15,2), w DECIMAL(50,10), f DOUBLE,
             r FLOAT, dt DATE, ts TIMESTAMP(3) NULL, t TIME(2), at DATETIME(6), y YEAR,
             u BIGINT UNSIGNED, n TINYINT, e ENUM('x','Y','z'), m SET('p','q'), j JSON,
             bits BIT(12), KEY kg (g, s), KEY kd (dt), UNIQUE KEY ku (u));
             CREATE TABLE digits (i INT PRIMARY KEY);
             INSERT INTO digits VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9)",
        )
        .await;
    client
        .run(
            "INSERT INTO big SELECT i, NULLIF(i % 17, 3), NULLIF(ELT(i % 7 + 1, 'a', 'A', 'ä',
             'b', 'B ', 'straße', 'STRASSE'), 'b'), ELT(i % 4 + 1, 'a', 'A', NULL, x'00ff'),
             ELT(i % 3 + 1, 'a', 'A', 'b'), i * 1.25 - 1000, i * 12345678901234567890.0123456789,
             IF(i % 9 = 0, NULL, i / 7e0), i / 3, '2020-01-01' + INTERVAL i % 400 DAY,
             '2020-03-29 00:30:00' + INTERVAL i MINUTE, SEC_TO_TIME(i % 100000 - 50000),
             '2021-01-01' + INTERVAL i SECOND, 2000 + i % 50,
             IF(i % 5 = 0, NULL, 18446744073709551615 - i), i % 256 - 128, i % 3 + 1, i % 4,
             JSON_OBJECT('k', i % 3), i % 4096
             FROM (SELECT a.i + b.i * 10 + c.i * 100 + d.i * 1000 + e.i * 10000 AS i
             FROM digits a, digits b, digits c, digits d, digits e WHERE e.i < 2) x",
        )
        .await;
}

/// Each of these runs over batches.
pub(crate) const STATEMENTS: &[&str] = &[
    "SELECT COUNT(*) FROM big",
    "SELECT COUNT(*), COUNT(g), COUNT(s), COUNT(NULL), COUNT(DISTINCT s), COUNT(DISTINCT l),
     COUNT(DISTINCT g), COUNT(DISTINCT f), COUNT(DISTINCT b), COUNT(DISTINCT dt) FROM big",
    "SELECT COUNT(*), SUM(g), MIN(s), AVG(d) FROM big WHERE id < 0",
    "SELECT SUM(d), SUM(w), SUM(g), SUM(u), SUM(n), SUM(f), SUM(r), AVG(d), AVG(w), AVG(g),
     AVG(u), AVG(f), AVG(r) FROM big",
    "SELECT MIN(s), MAX(s), MIN(l), MAX(l), MIN(b), MAX(b), MIN(d), MAX(d), MIN(w), MAX(w),
     MIN(f), MAX(f), MIN(r), MAX(r), MIN(dt), MAX(dt), MIN(ts), MAX(ts), MIN(t), MAX(t), MIN(at),
     MAX(at), MIN(y), MAX(y), MIN(u), MAX(u), MIN(n), MAX(n), MIN(bits), MAX(bits) FROM big",
    "SELECT g, COUNT(*), SUM(d * (1 - n / 100)), MAX(s) FROM big GROUP BY g",
    "SELECT s, COUNT(*), MIN(id), MAX(id) FROM big GROUP BY s",
    "SELECT s, COUNT(*) AS n FROM big GROUP BY s ORDER BY n DESC, s LIMIT 3",
    "SELECT l, b, COUNT(*) FROM big GROUP BY l, b ORDER BY 1, 2",
    "SELECT f, COUNT(*) FROM big WHERE id < 100 GROUP BY f ORDER BY f",
    "SELECT e, m, y, COUNT(*) FROM big GROUP BY e, m, y ORDER BY e, m, y",
    "SELECT d, w, COUNT(*) FROM big WHERE id BETWEEN 500 AND 9000 GROUP BY d, w ORDER BY d LIMIT 50",
    "SELECT j, COUNT(*) FROM big GROUP BY j",
    "SELECT YEAR(dt), MONTH(dt), COUNT(*), SUM(d) FROM big GROUP BY YEAR(dt), MONTH(dt)
     HAVING COUNT(*) > 100 ORDER BY 1, 2",
    "SELECT ts, t, at, COUNT(*) FROM big WHERE id % 1000 = 7 GROUP BY ts, t, at ORDER BY ts",
    "SELECT DISTINCT s FROM big WHERE g > 4",
    "SELECT DISTINCT g, l FROM big ORDER BY g DESC, l",
    "SELECT * FROM big WHERE id BETWEEN 8100 AND 8300",
    "SELECT * FROM big WHERE id IN (3, 19999, 7, 20000) ORDER BY id DESC",
    "SELECT id, s FROM big WHERE s = 'STRASSE' AND g = 5",
    "SELECT id, s FROM big WHERE s LIKE 'stra%' AND id > 19000",
    "SELECT id, d * 2, s FROM big WHERE d > 100 AND f < 900 ORDER BY d DESC, id LIMIT 20",
    "SELECT id FROM big WHERE g = 4 AND s = 'a' ORDER BY id",
    "SELECT id, u FROM big WHERE u > 18446744073709551000 ORDER BY u",
    "SELECT id FROM big WHERE dt = '2020-05-05'",
    "SELECT id FROM big WHERE dt BETWEEN '2020-05-05' AND '2020-05-07' AND e <> 'x' ORDER BY dt, id",
    "SELECT id FROM big ORDER BY id DESC LIMIT 5 OFFSET 9000",
    "SELECT id FROM big WHERE ts > '2020-03-29 05:00:00' AND t < '00:00:00' AND at IS NOT NULL",
    "SELECT id, bits, m FROM big WHERE bits > 4000 AND m = 'p' ORDER BY 2 DESC, 1",
    "SELECT CASE WHEN g IS NULL THEN 'none' WHEN g < 8 THEN 'low' ELSE 'high' END AS c, COUNT(*),
     SUM(IF(n > 0, d, NULL)) FROM big GROUP BY c",
    "SELECT g, SUM(d) FROM big WHERE id < 9000 GROUP BY g HAVING SUM(d) > 1000000 ORDER BY 2",
    "SELECT SQL_CALC_FOUND_ROWS id FROM big WHERE g = 1 LIMIT 2",
    "SELECT COUNT(*) FROM (SELECT s, COUNT(*) AS n FROM big GROUP BY s) x WHERE n > 10",
    "SELECT (SELECT COUNT(*) FROM big), (SELECT MAX(s) FROM big)",
    "SELECT g, SUM(d * (1 - d) * (1 + d) * d), AVG(d * d * d), MAX(d * d * d) FROM big GROUP BY g",
    "SELECT SUM(d * 99999999999999999999.99 * 999999999999999.99), COUNT(DISTINCT d * d * d) FROM big",
    "SELECT s FROM big WHERE id < 10 UNION SELECT l FROM big WHERE id > 19990",
    "SELECT id FROM big WHERE g = (SELECT MIN(g) FROM big) AND id < 100",
    "SELECT SUBSTRING(s FROM 1 FOR 2) AS c, COUNT(*), SUM(d) FROM big WHERE SUBSTRING(s FROM 1 FOR 2)
     IN ('A', 'st', 'Ä', 'B ', 'x', NULL) AND d > (SELECT AVG(d) FROM big WHERE LEFT(s, 1) IN ('a',
     'b')) GROUP BY c ORDER BY c, 2",
    "SELECT LEFT(l, 1), RIGHT(s, 3), SUBSTRING(s, -4, 2), SUBSTRING(b, 2), COUNT(*) FROM big GROUP BY
     LEFT(l, 1), RIGHT(s, 3), SUBSTRING(s, -4, 2), SUBSTRING(b, 2) ORDER BY 1, 2, 3, 4",
    "SELECT COUNT(*), MIN(SUBSTRING(s, 3, 0)), MAX(SUBSTRING(s, 0)), MAX(LEFT(s, 99)), COUNT(RIGHT(s,
     NULL)), COUNT(DISTINCT SUBSTRING(s, 2)) FROM big WHERE s NOT IN ('a', 'B', 'x', 'y', 'z', 'ß')",
];

/// Tables that fit together by keys of several kinds, with NULLs and without partners.
pub(crate) async fn related(client: &mut TestClient) {
    client
        .run(
            "CREATE TABLE small (id BIGINT UNSIGNED PRIMARY KEY, name VARCHAR(20) COLLATE
             utf8mb4_0900_ai_ci, g INT, price DECIMAL(20,4), d DATE, f DOUBLE);
             INSERT INTO small SELECT i, ELT(i % 5 + 1, 'A', 'Ä', 'b', 'STRASSE', NULL),
             IF(i % 7 = 0, NULL, i % 20), i * 1.25 - 1000, '2020-01-01' + INTERVAL i % 50 DAY, i / 7e0
             FROM (SELECT a.i + b.i * 10 + c.i * 100 AS i FROM digits a, digits b, digits c) x;
             CREATE TABLE tiny (g SMALLINT, label CHAR(9), KEY (g));
             INSERT INTO tiny VALUES (1,'one'),(2,'two'),(NULL,'none'),(4,'four'),(4,'vier'),(99,'x')",
        )
        .await;
}

/// Joins and what is asked of subqueries, each over batches, in an order that is certain.
pub(crate) const JOINED: &[&str] = &[
    "SELECT COUNT(*), SUM(b.d), MIN(s.name) FROM big b JOIN small s ON b.id = s.id",
    "SELECT t.label, COUNT(*), SUM(b.d) FROM big b, tiny t WHERE b.g = t.g GROUP BY t.label ORDER BY 1",
    "SELECT t.label, COUNT(b.id), MAX(b.s) FROM tiny t LEFT JOIN big b ON b.g = t.g AND b.n > 5
     GROUP BY t.label ORDER BY 1",
    "SELECT t.label, COUNT(*) FROM tiny t LEFT JOIN big b ON b.g = t.g AND b.id < t.g * 1000
     WHERE t.label <> 'x' AND (b.s IS NULL OR b.s <> 'ä') GROUP BY t.label ORDER BY 1",
    "SELECT COUNT(*), COUNT(b.id) FROM tiny t LEFT JOIN big b ON b.g = t.g WHERE b.id IS NULL",
    "SELECT s.name, COUNT(*) FROM big b JOIN small s ON b.s = s.name WHERE b.id < 60
     GROUP BY s.name ORDER BY 1, 2",
    "SELECT COUNT(*) FROM big b JOIN small s ON b.d = s.price WHERE b.id < 90",
    "SELECT COUNT(*) FROM big b JOIN small s ON b.f = s.f WHERE b.id < 90",
    "SELECT s.d, COUNT(*) FROM big b JOIN small s ON b.dt = s.d WHERE b.id < 90 GROUP BY s.d ORDER BY s.d",
    "SELECT COUNT(*), SUM(s.g) FROM big b JOIN small s ON b.id = s.id JOIN tiny t ON t.g = s.g",
    "SELECT COUNT(*) FROM small s, tiny t WHERE s.g > t.g",
    "SELECT COUNT(*) FROM small s, tiny t",
    "SELECT b.id, s.name, t.label FROM big b JOIN small s ON s.id = b.id LEFT JOIN tiny t ON t.g = b.g
     WHERE b.id < 300 ORDER BY b.id, t.label",
    "SELECT b.id, s.id FROM big b JOIN small s ON (b.id = s.id AND s.g = 3) OR (b.id = s.id AND
     b.g = 5) ORDER BY s.price, b.id",
    "SELECT x.g, x.c, t.label FROM (SELECT g, COUNT(*) AS c FROM big GROUP BY g) x JOIN tiny t
     ON t.g = x.g ORDER BY x.g, t.label",
    "WITH sums AS (SELECT g, SUM(d) AS total FROM big GROUP BY g) SELECT a.g, a.total FROM sums a
     JOIN tiny t ON t.g = a.g WHERE a.total > (SELECT MIN(total) FROM sums) ORDER BY a.g",
    "SELECT COUNT(*) FROM big WHERE id IN (SELECT id FROM small WHERE g = 3)",
    "SELECT COUNT(*) FROM big WHERE g NOT IN (SELECT g FROM tiny WHERE g IS NOT NULL)",
    "SELECT COUNT(*) FROM big WHERE g NOT IN (SELECT g FROM tiny)",
    "SELECT COUNT(*) FROM big WHERE s IN (SELECT name FROM small) OR n = 5",
    "SELECT COUNT(*), SUM(id) FROM big WHERE g IN (SELECT n FROM big WHERE d > 20)",
    "SELECT COUNT(*) FROM big WHERE (g, n) IN (SELECT n, g FROM big WHERE id % 7 = 1)",
    "SELECT COUNT(*) FROM big WHERE g NOT IN (SELECT n FROM big WHERE n > 3)",
    "SELECT COUNT(*) FROM big x, small y WHERE (x.g = 1 AND y.g = 2 AND x.id = y.id + 100 AND
     x.s = 'a') OR (x.g = 3 AND y.g = 3 AND x.id = y.id + 100 AND x.n IN (1, 2, 3))",
    "SELECT COUNT(*), SUM(s.price) FROM big b, small s WHERE (b.id = s.id AND b.s = 'a' AND
     s.name IN ('A', 'b') AND b.n > 3) OR (b.id = s.id AND s.name = 'strasse' AND b.dt BETWEEN
     '2020-02-01' AND '2020-03-05') OR (b.id = s.id AND b.s LIKE 'B%' AND s.d > '2020-01-09')",
    "SELECT COUNT(*), SUM(s.price) FROM big b JOIN small s ON b.id = s.id LEFT JOIN tiny t ON
     t.g = b.g WHERE (s.g = 3 AND t.label IS NULL) OR (s.g = 4 AND t.label = 'VIER' AND b.n > 0)",
    "SELECT COUNT(*) FROM big WHERE d > (SELECT AVG(price) FROM small) AND EXISTS (SELECT 1 FROM tiny)",
    "SELECT t.label, COUNT(*) FROM big b, tiny t WHERE b.g = t.g AND b.id IN (SELECT id FROM small)
     GROUP BY t.label ORDER BY 1",
    "SELECT COUNT(*) FROM big b WHERE (g, n) IN (SELECT g, g FROM tiny)",
    "SELECT COUNT(*), SUM(a.g) FROM big a JOIN big b ON a.id = b.id AND a.g < b.n",
    "SELECT COUNT(*) FROM tiny t WHERE EXISTS (SELECT 1 FROM big b WHERE b.g = t.g AND b.s = 'A')",
    "SELECT t.label, COUNT(*) FROM tiny t, small s WHERE t.g = s.g AND s.price > (SELECT AVG(d)
     FROM big b WHERE b.g = t.g AND b.s = 'a') GROUP BY t.label ORDER BY 1",
    "SELECT id FROM small s WHERE g = 3 AND d > (SELECT MIN(dt) FROM big b WHERE b.id = s.id)
     ORDER BY name, id",
    "SELECT x.label, COUNT(*), SUM(x.v), MIN(x.id) FROM (SELECT t.label, b.d * 2 AS v, b.id FROM big b
     JOIN tiny t ON t.g = b.g WHERE b.n > 0) x GROUP BY x.label ORDER BY x.label",
    "SELECT COUNT(*), SUM(b.d) FROM small s, tiny t, big b WHERE s.g = t.g AND b.g = t.g AND
     b.id = s.id",
];

/// Outer joins around several tables, whose rows stand side by side as one's, in an order that
/// is certain. They run row by row.
const NESTED: &[&str] = &[
    "SELECT d.i, t.label, s.id FROM small s CROSS JOIN tiny t RIGHT JOIN digits d ON s.id > 995 AND
     t.label LIKE 't%' ORDER BY d.i, t.label, s.id",
    "SELECT d.i, t.label, s.id FROM small s CROSS JOIN tiny t RIGHT JOIN digits d ON d.i = t.g AND
     s.id = d.i * 100 ORDER BY d.i, t.label, s.id",
    "SELECT d.i, COUNT(s.id), MAX(t.label) FROM digits d LEFT JOIN (small s JOIN tiny t ON s.g = t.g)
     ON t.g = 4 AND s.id > 500 GROUP BY d.i ORDER BY d.i",
    "SELECT d.i, s.id, t.label FROM digits d LEFT JOIN (small s LEFT JOIN tiny t ON s.g = t.g AND
     t.g > 2) ON s.id = d.i ORDER BY d.i, t.label",
];

/// EXISTS and IN that are joins over batches, in an order that is certain.
pub(crate) const PARTNERS: &[&str] = &[
    "SELECT COUNT(*), SUM(a.id) FROM big a WHERE EXISTS (SELECT * FROM small b WHERE b.g = a.g
     AND b.id < 500)",
    "SELECT COUNT(*), SUM(a.id) FROM big a WHERE NOT EXISTS (SELECT * FROM small b WHERE b.g = a.g
     AND b.id > 990)",
    "SELECT COUNT(*), SUM(id) FROM small a WHERE EXISTS (SELECT 1 FROM big b WHERE b.g = a.g
     AND b.d > 20000)",
    "SELECT COUNT(*), SUM(id) FROM small a WHERE NOT EXISTS (SELECT 1 FROM big b WHERE b.g = a.g
     AND b.d > 23000)",
    "SELECT id FROM small a WHERE NOT EXISTS (SELECT 1 FROM big b WHERE b.g = a.g AND b.n > a.id)
     ORDER BY price DESC",
    "SELECT id FROM small a WHERE id < 300 AND EXISTS (SELECT 1 FROM big b WHERE b.g = a.g AND
     b.id <> a.id AND b.s = a.name) ORDER BY name, id",
    "SELECT COUNT(*) FROM big a WHERE EXISTS (SELECT 1 FROM big b WHERE b.id = a.n AND b.g <> a.g)
     AND NOT EXISTS (SELECT 1 FROM big b WHERE b.id = a.n AND b.d > a.d AND b.g <> a.g)",
    "SELECT a.s, COUNT(*) FROM big a WHERE a.id IN (SELECT b.id FROM big b, small c WHERE
     b.id = c.id * 2 AND c.g > 3) GROUP BY a.s HAVING COUNT(*) > 1 ORDER BY a.s, 2",
    "SELECT COUNT(*) FROM small a WHERE EXISTS (SELECT 1 FROM big b, tiny c WHERE b.id = a.id + 7
     AND c.g = b.g)",
    "SELECT COUNT(*) FROM small a JOIN big x ON x.id = a.id WHERE x.g IN (SELECT n FROM big WHERE
     d > 100) AND EXISTS (SELECT 1 FROM big b WHERE b.id = a.id * 3 AND b.s = x.s)",
    "SELECT COUNT(*), COUNT(t.g) FROM small a LEFT JOIN tiny t ON t.g = a.g WHERE EXISTS (SELECT 1
     FROM big b WHERE b.g = t.g AND b.id > 19000)",
    "SELECT COUNT(*), COUNT(t.g) FROM small a LEFT JOIN tiny t ON t.g = a.g WHERE NOT EXISTS (SELECT
     1 FROM big b WHERE b.g = t.g AND b.id > 19000)",
    "SELECT COUNT(*) FROM big a WHERE id IN (SELECT id FROM big WHERE n > 0) AND d IN (SELECT price
     FROM small)",
    "SELECT COUNT(*) FROM big a WHERE s IN (SELECT name FROM small, digits)",
];

/// These begin over batches, meet a warning or an error, and say what the row executor says.
const GIVEN_UP: &[&str] = &[
    "SELECT COUNT(*) FROM big WHERE g IN (SELECT n FROM big WHERE id > 9000 AND s + 0 < 1)",
    "SELECT SUM(d / (id - 12345)) FROM big",
    "SELECT id FROM big WHERE 1 / (id - 9000) IS NULL",
    "SELECT COUNT(*) FROM big WHERE s + 0 = 1 AND id < 20",
    "SELECT SUM(u * 2) FROM big WHERE id > 5",
    "SELECT id FROM big WHERE id > 9 AND u * 2 > 5",
    "SELECT SUM(w * w * w) FROM big WHERE id > 5",
    "SELECT COUNT(*) FROM big WHERE id = (SELECT id FROM big b WHERE b.id < 3)",
    "SELECT COUNT(*) FROM big b, digits i WHERE b.n = i.i AND b.d / (b.id - 77) > 1",
    "SELECT b.id FROM big b, digits i WHERE b.n = i.i AND b.d / (b.id - 19000) > 1 ORDER BY b.id",
    "SELECT COUNT(*), SUM(x.d) FROM (SELECT b.id, b.d FROM big b, digits i WHERE b.n = i.i AND
     b.d / (b.id - 19000) > 1) x",
];

#[tokio::test]
async fn answers_are_the_same_row_by_row_and_over_batches() {
    let (_server, mut client) = start().await;
    filled(&mut client).await;
    related(&mut client).await;
    for zone in ["+00:00", "Europe/Berlin"] {
        client.run(&format!("SET time_zone = '{zone}'")).await;
        let joined = JOINED.iter().chain(PARTNERS).filter(|_| zone == "+00:00");
        for sql in STATEMENTS.iter().chain(joined) {
            same_over_batches(&mut client, sql).await;
        }
    }
    let given_up = counted(&mut client, "SESSION", "Firn_vector_given_up").await;
    assert_eq!(given_up, 0, "for no reason");
}

#[tokio::test]
async fn rows_are_joined_to_their_partners_and_not_asked_for_one_by_one() {
    let (_server, mut client) = start().await;
    filled(&mut client).await;
    related(&mut client).await;
    for (executor, sql) in ["vector", "auto"].into_iter().flat_map(|executor| {
        [
            (executor, "SELECT COUNT(*) FROM big a WHERE EXISTS (SELECT 1 FROM big b WHERE b.u = a.u AND b.n <> a.id)"),
            (executor, "SELECT COUNT(*) FROM big a WHERE NOT EXISTS (SELECT * FROM big b WHERE b.id = a.id + 9)"),
            (executor, "SELECT COUNT(*) FROM big a, tiny t WHERE t.g = a.g AND EXISTS (SELECT 1 FROM big b
             WHERE b.id = a.id AND b.n > t.g)"),
        ]
    }) {
        let before = counted(&mut client, "SESSION", "Handler_read_key").await;
        let answer = told(&mut client, executor, sql).await;
        let reads = counted(&mut client, "SESSION", "Handler_read_key").await - before;
        assert!(reads < 100, "{executor}: {reads} searches: {sql}");
        assert_eq!(answer, told(&mut client, "direct", sql).await, "{sql}");
    }
}

#[tokio::test]
async fn queries_in_from_join_over_batches_where_their_order_does_not_matter() {
    let (_server, mut client) = start().await;
    filled(&mut client).await;
    related(&mut client).await;
    // HAVING keeps it apart from the query around.
    let joined = "(SELECT t.label, b.d, b.f FROM big b JOIN tiny t ON t.g = b.g HAVING TRUE) x";
    for (items, behind, blocks) in [
        ("label, SUM(d)", "GROUP BY label ORDER BY label", 2),
        ("COUNT(d)", "", 2),
        // These show it.
        ("label, SUM(d)", "GROUP BY label", 1),
        ("SUM(f)", "", 1),
        ("label, d", "", 1),
    ] {
        let before = counted(&mut client, "SESSION", "Firn_vector_blocks").await;
        let sql = format!("SELECT {items} FROM {joined} {behind}");
        told(&mut client, "vector", &sql).await;
        let after = counted(&mut client, "SESSION", "Firn_vector_blocks").await;
        assert_eq!(after - before, blocks, "{sql}");
    }
}

#[tokio::test]
async fn what_warns_or_fails_is_said_as_row_by_row() {
    let (_server, mut client) = start().await;
    filled(&mut client).await;
    for sql in GIVEN_UP {
        let direct = told(&mut client, "direct", sql).await;
        let vector = told(&mut client, "vector", sql).await;
        assert_eq!(direct, vector, "{sql}");
    }
    // An error that no row within the LIMIT meets is none.
    let sql = "SELECT id, u * 2 FROM big WHERE id % 5 = 0 OR id > 15000 LIMIT 2";
    let direct = told(&mut client, "direct", sql).await;
    assert_eq!(direct, told(&mut client, "vector", sql).await);
    assert!(direct.contains("rows"), "{direct}");
}

#[tokio::test]
async fn outer_joins_around_several_tables_answer_whatever_is_to_run_them() {
    let (_server, mut client) = start().await;
    filled(&mut client).await;
    related(&mut client).await;
    for sql in NESTED {
        let direct = told(&mut client, "direct", sql).await;
        assert!(direct.starts_with("[ResultSet"), "{sql}: {direct}");
        assert_eq!(direct, told(&mut client, "vector", sql).await, "{sql}");
    }
}

#[tokio::test]
async fn own_writes_are_seen_over_batches() {
    let (_server, mut client) = start().await;
    filled(&mut client).await;
    client
        .run(
            "BEGIN; DELETE FROM big WHERE id % 3 = 0; UPDATE big SET g = 99, s = 'new' WHERE id
             BETWEEN 5 AND 500; INSERT INTO big (id, g, s) VALUES (-1, 99, 'own'), (50000, 4, 'A')",
        )
        .await;
    let all = [
        "SELECT g, COUNT(*), MIN(id), MAX(s) FROM big GROUP BY g ORDER BY g",
        "SELECT id FROM big WHERE g = 99",
        "SELECT id FROM big WHERE g = 4 AND s = 'a'",
        "SELECT g FROM big WHERE g > 90",
        "SELECT COUNT(*) FROM big",
    ];
    for sql in all {
        let direct = told(&mut client, "direct", sql).await;
        assert_eq!(direct, told(&mut client, "vector", sql).await, "{sql}");
    }
    client.run("ROLLBACK").await;
}

#[tokio::test]
async fn the_variable_takes_its_three_values() {
    let (_server, mut client) = start().await;
    let value = |rows: Option<String>| rows.expect("a value");
    assert_eq!(value(client.value("SELECT @@firn_executor").await), "auto");
    client.run("SET SESSION firn_executor = 2").await;
    assert_eq!(value(client.value("SELECT @@firn_executor").await), "vector");
    let wrong = |text: &str| {
        (1231, format!("Variable 'firn_executor' can't be set to the value of '{text}'"))
    };
    assert_eq!(client.error("SET firn_executor = 'parallel'").await, wrong("parallel"));
    assert_eq!(client.error("SET firn_executor = 3").await, wrong("3"));
    assert_eq!(client.error("SET firn_executor = NULL").await, wrong("NULL"));
    client.run("SET firn_executor = DEFAULT").await;
    assert_eq!(value(client.value("SELECT @@firn_executor").await), "auto");
    let hint = "SELECT /*+ SET_VAR(firn_executor = 'direct') */ @@firn_executor";
    let hinted = client.rows(hint).await;
    assert_eq!(hinted.len(), 1);
}

#[tokio::test]
async fn explain_says_which_way_a_query_runs() {
    let (_server, mut client) = start().await;
    client.run("CREATE TABLE digits (i INT PRIMARY KEY)").await;
    let mut said = Vec::new();
    for (executor, sql) in [
        ("vector", "EXPLAIN SELECT COUNT(*) FROM digits"),
        ("vector", "EXPLAIN SELECT i, COUNT(*) FROM digits WHERE i = 3 GROUP BY i WITH ROLLUP"),
        ("auto", "EXPLAIN SELECT COUNT(*) FROM digits"),
    ] {
        client.run(&format!("SET firn_executor = '{executor}'")).await;
        client.run(sql).await;
        let lines = client.lines("SHOW WARNINGS").await;
        said.push(lines.iter().find(|line| line.contains("firn_executor")).cloned());
    }
    let block = |rest: &str| Some(format!("Note|1003|The query block runs {rest}"));
    assert_eq!(
        said,
        [
            block("over batches of columns (firn_executor)"),
            block("row by row (firn_executor): WITH ROLLUP"),
            None
        ]
    );
}

/// What `auto` weighs: a subquery that runs once either way does not keep a block from running
/// over batches, rows that a key finds do.
#[tokio::test]
async fn blocks_with_subqueries_run_in_the_cheaper_way() {
    let (_server, mut client) = start().await;
    client
        .run(
            "CREATE TABLE digits (i INT PRIMARY KEY);
             INSERT INTO digits VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9);
             CREATE TABLE big (id INT PRIMARY KEY, g INT, f DOUBLE);
             INSERT INTO big SELECT a.i + b.i * 10 + c.i * 100 + d.i * 1000 + e.i * 10000, a.i,
             b.i / 7 FROM digits a, digits b, digits c, digits d, digits e WHERE e.i < 2;
             ANALYZE TABLE big, digits",
        )
        .await;
    for (blocks, sql) in [
        (1, "SELECT COUNT(*) FROM big WHERE g < (SELECT AVG(i) FROM digits)"),
        (2, "SELECT COUNT(*) FROM big WHERE f > (SELECT AVG(f) FROM big)"),
        (1, "SELECT g, COUNT(*) FROM big WHERE g IN (SELECT i FROM digits WHERE i > 3) GROUP BY g"),
        (
            1,
            "WITH c AS (SELECT g, SUM(f) AS s FROM big GROUP BY g) SELECT * FROM c JOIN digits ON i = g ORDER BY i",
        ),
        (0, "SELECT COUNT(*) FROM big WHERE id IN (SELECT i FROM digits)"),
        (
            0,
            "SELECT d.i, b.f FROM (SELECT i FROM digits WHERE i < 3) d JOIN big b ON b.id = d.i ORDER BY 1",
        ),
        (0, "SELECT COUNT(*) FROM digits d JOIN big b ON b.id = d.i"),
        (0, "SELECT i FROM digits WHERE EXISTS (SELECT 1 FROM big WHERE id = i) ORDER BY i"),
        (0, "SELECT f FROM big WHERE g < (SELECT AVG(i) FROM digits) LIMIT 1"),
    ] {
        let before = counted(&mut client, "SESSION", "Firn_vector_blocks").await;
        let auto = told(&mut client, "auto", sql).await;
        let ran = counted(&mut client, "SESSION", "Firn_vector_blocks").await - before;
        assert_eq!(ran, blocks, "{sql}");
        assert_eq!(auto, told(&mut client, "direct", sql).await, "{sql}");
    }
}
