//! HAVING over batches: groups that do not pass are never made rows, and the answers are those
//! of reading row by row.

use crate::executors::{counted, filled, related, same_over_batches, told};
use crate::support::start;

/// Each is looked at over batches.
const GROUPS: &[&str] = &[
    "SELECT id FROM big GROUP BY id HAVING SUM(d) > 23990",
    "SELECT id, g, s FROM big GROUP BY id HAVING SUM(g) = 15 AND id > 19000",
    "SELECT g, COUNT(*) FROM big GROUP BY g HAVING SUM(d) > 13000000.125 ORDER BY g",
    "SELECT g FROM big GROUP BY g HAVING g IS NULL",
    "SELECT g FROM big GROUP BY g HAVING NOT (g > 3)",
    "SELECT n, SUM(g) FROM big WHERE g IS NULL GROUP BY n HAVING SUM(g) IS NULL ORDER BY n LIMIT 5",
    "SELECT n, SUM(g) FROM big WHERE g IS NULL GROUP BY n HAVING SUM(g) > 0 OR COUNT(g) = 0
     ORDER BY n LIMIT 5",
    "SELECT n, AVG(g) AS a, AVG(f), AVG(d) FROM big GROUP BY n HAVING AVG(g) > 8.1 AND a < 8.3
     ORDER BY n",
    "SELECT n, COUNT(*) FROM big GROUP BY n HAVING AVG(f) > 1428.5 ORDER BY n",
    "SELECT n FROM big GROUP BY n HAVING AVG(u) < 18446744073709541600.5 ORDER BY n",
    "SELECT n FROM big GROUP BY n HAVING AVG(w) > 123000000000000000000000.5 ORDER BY n",
    "SELECT n, SUM(f), SUM(r) FROM big GROUP BY n HAVING SUM(f) > 99000 AND SUM(r) < 262000 ORDER BY n",
    // Sums that no double holds are shown as zero.
    "SELECT n, SUM(f * 1e304) FROM big GROUP BY n HAVING COUNT(*) > 78 ORDER BY n",
    "SELECT n, SUM(f * 1e304) AS s FROM big GROUP BY n HAVING s = 0 ORDER BY n",
    "SELECT n, AVG(f * 1e304) FROM big GROUP BY n HAVING AVG(f * 1e304) = 0 ORDER BY n",
    "SELECT n, SUM(w) FROM big GROUP BY n HAVING SUM(w) > 9700000000000000000000000 ORDER BY n",
    "SELECT n, SUM(w) FROM big GROUP BY n HAVING SUM(w) / 3 > 3233333333333333333333333.3333 ORDER BY n",
    "SELECT s, MIN(l), MAX(b) FROM big GROUP BY s HAVING MIN(l) = 'A' ORDER BY s, 2, 3",
    "SELECT g, MIN(s) FROM big GROUP BY g HAVING MIN(s) LIKE 'a%' AND MAX(s) = 'STRASSE' ORDER BY g",
    "SELECT y, MIN(dt), MAX(at) FROM big GROUP BY y HAVING MIN(dt) > '2020-01-10' AND
     MAX(at) < '2021-01-01 05:33:05' ORDER BY y",
    "SELECT y, MIN(ts), MAX(t) FROM big GROUP BY y HAVING MIN(ts) < '2020-03-29 01:00:00' AND
     MAX(t) > '13:00:00' AND MIN(u) > 5 AND MAX(bits) > 4000 ORDER BY y",
    "SELECT n % 5 AS k, COUNT(DISTINCT g), COUNT(DISTINCT s) FROM big GROUP BY k
     HAVING COUNT(DISTINCT g) = 16 AND COUNT(DISTINCT s) > 4 ORDER BY k",
    "SELECT YEAR(dt) AS yy, MONTH(dt) AS mm, COUNT(*) AS c FROM big GROUP BY yy, mm HAVING yy = 2020
     AND mm > 6 AND c > 1500 ORDER BY 1, 2",
    "SELECT YEAR(dt), COUNT(*) FROM big GROUP BY YEAR(dt) HAVING `YEAR(dt)` > 2020",
    "SELECT g AS h, SUM(d) - SUM(n) AS total, total_of FROM (SELECT g, d, n, 1 AS total_of FROM big) x
     GROUP BY g, total_of HAVING total > 13000000 AND h < 9 ORDER BY h",
    "SELECT e, m, COUNT(*) FROM big GROUP BY e, m HAVING e = 'Y' AND m <> 'p' AND COUNT(*) > 10
     ORDER BY e, m",
    "SELECT DISTINCT COUNT(*) FROM big GROUP BY g HAVING SUM(n) < 0 ORDER BY 1",
    "SELECT DISTINCT n % 3 FROM big GROUP BY n HAVING COUNT(*) > 78 ORDER BY 1",
    "SELECT SQL_CALC_FOUND_ROWS n FROM big GROUP BY n HAVING SUM(g) > 600 ORDER BY n LIMIT 3",
    "SELECT n, RANK() OVER (ORDER BY COUNT(*), n) FROM big GROUP BY n HAVING n > 120 ORDER BY n",
    "SELECT g FROM big GROUP BY g HAVING SUM(d) > (SELECT AVG(price) * 100000 FROM small) ORDER BY g",
    "SELECT g FROM big GROUP BY g HAVING EXISTS (SELECT 1 FROM tiny) AND COUNT(*) > 1176 ORDER BY g",
    "SELECT t.label, SUM(b.d) FROM big b JOIN tiny t ON t.g = b.g GROUP BY t.label
     HAVING SUM(b.d) > 13200000 ORDER BY 1",
    "SELECT COUNT(*) FROM (SELECT id FROM big GROUP BY id HAVING SUM(d) > 20000) x",
    "SELECT COUNT(*) FROM small WHERE id IN (SELECT id FROM big GROUP BY id HAVING SUM(n) > 100)",
    "SELECT g FROM big WHERE id < 0 GROUP BY g HAVING COUNT(*) = 0",
    // One group, also of no rows.
    "SELECT COUNT(*) FROM big WHERE id < 0 HAVING COUNT(*) = 0",
    "SELECT COUNT(*) FROM big HAVING COUNT(*) = 0",
    "SELECT SUM(d) FROM big HAVING SUM(d) IS NULL OR COUNT(*) > 5",
    "SELECT 1 FROM big WHERE id < 0 HAVING SUM(d) IS NULL",
    // The row executor looks at these, behind the batches.
    "SELECT g FROM big b GROUP BY g HAVING COUNT(*) > (SELECT t.g * 1000 FROM tiny t WHERE t.g = b.g
     LIMIT 1) ORDER BY g",
    "SELECT g FROM big GROUP BY g HAVING g IN (SELECT g FROM tiny) ORDER BY g",
    "SELECT g FROM big GROUP BY g HAVING COUNT(*) > 100 AND @none IS NULL ORDER BY g",
];

/// HAVING warns or fails in these: seen over batches, and said row by row.
const GIVEN_UP: &[&str] = &[
    "SELECT g FROM big GROUP BY g HAVING 1 / (g - 3) IS NULL OR 1 / (g - 5) IS NULL",
    "SELECT g, COUNT(*) / (g - 5) AS q FROM big GROUP BY g HAVING q > 100 ORDER BY g",
    "SELECT n, SUM(d) FROM big GROUP BY n HAVING SUM(d) / COUNT(g - 200) / (n - 100) > 0 ORDER BY n",
    "SELECT s FROM big GROUP BY s HAVING s + 0 < 1 ORDER BY s",
    "SELECT n, MAX(u) FROM big GROUP BY n HAVING MAX(u) * 2 > 5",
    "SELECT n FROM big GROUP BY n HAVING SUM(w) * SUM(w) * SUM(w) * SUM(w) > 5",
];

#[tokio::test]
async fn groups_that_pass_having_are_the_same_row_by_row_and_over_batches() {
    let (_server, mut client) = start().await;
    filled(&mut client).await;
    related(&mut client).await;
    for sql in GROUPS {
        let answer = same_over_batches(&mut client, sql).await;
        assert!(answer.starts_with("[ResultSet"), "{sql}: {answer}");
    }
    let given_up = counted(&mut client, "SESSION", "Firn_vector_given_up").await;
    assert_eq!(given_up, 0, "for no reason");
}

/// No row is read for these, whatever is to run them.
#[tokio::test]
async fn having_that_no_group_passes_gives_none_both_ways() {
    let (_server, mut client) = start().await;
    filled(&mut client).await;
    for sql in [
        "SELECT g FROM big GROUP BY g HAVING NULL",
        "SELECT g, COUNT(*) FROM big GROUP BY g HAVING 1 = 2 AND COUNT(*) > 0",
        "SELECT COUNT(*) FROM big HAVING FALSE",
    ] {
        let direct = told(&mut client, "direct", sql).await;
        assert!(direct.starts_with("[ResultSet"), "{sql}: {direct}");
        assert_eq!(direct, told(&mut client, "vector", sql).await, "{sql}");
    }
}

#[tokio::test]
async fn having_that_warns_or_fails_is_looked_at_over_batches_and_said_row_by_row() {
    let (_server, mut client) = start().await;
    filled(&mut client).await;
    for sql in GIVEN_UP {
        let direct = told(&mut client, "direct", sql).await;
        let before = counted(&mut client, "SESSION", "Firn_vector_given_up").await;
        let vector = told(&mut client, "vector", sql).await;
        assert_eq!(direct, vector, "{sql}");
        let after = counted(&mut client, "SESSION", "Firn_vector_given_up").await;
        // What a statement that fails has read is not counted.
        let fails = direct.starts_with("SqlError");
        assert!(fails || after == before + 1, "given up: {sql}");
        let warned = direct.lines().last().expect("the warnings");
        assert_ne!(warned, "[]", "{sql}");
    }
}

/// An item that HAVING does not read is not looked at for groups that do not pass: it neither
/// warns nor fails of these.
#[tokio::test]
async fn items_of_groups_that_having_leaves_out_are_not_looked_at() {
    let (_server, mut client) = start().await;
    client
        .run(
            "CREATE TABLE t (g INT, v INT, KEY (g));
             INSERT INTO t VALUES (1, 1), (1, 1), (2, 2), (3, 4), (3, 1), (3, 2), (NULL, 5)",
        )
        .await;
    // As a MySQL server answers.
    for (sql, rows, warnings) in [
        (
            "SELECT g, 1 / (SUM(g) - 2) AS q, COUNT(*) AS c FROM t GROUP BY g HAVING c > 1 ORDER BY g",
            &["1|NULL|2", "3|0.1429|3"][..],
            1,
        ),
        ("SELECT g, 1 / (g - 2) FROM t GROUP BY g HAVING COUNT(*) > 1", &["1|-1.0000", "3|1.0000"], 0),
        (
            "SELECT g, 1 / (g - 2) AS q FROM t GROUP BY g HAVING q < 2 ORDER BY g",
            &["1|-1.0000", "3|1.0000"],
            1,
        ),
        (
            "SELECT g, (SELECT v FROM t x WHERE x.g = t.g) AS q FROM t GROUP BY g HAVING COUNT(*) = 1
             ORDER BY g",
            &["NULL|NULL", "2|2"],
            0,
        ),
    ] {
        for executor in ["direct", "vector"] {
            client.run(&format!("SET firn_executor = '{executor}'")).await;
            assert_eq!(client.lines(sql).await, rows, "{executor}: {sql}");
            let warned = client.lines("SHOW WARNINGS").await;
            assert_eq!(warned.len(), warnings, "{executor}: {sql}: {warned:?}");
        }
    }
}
