//! What ORs of several tables say of each of them. Answers are MySQL's.

use crate::executors::{counted, told};
use crate::support::{TestClient, start};

async fn fill(client: &mut TestClient) {
    client
        .run(
            "CREATE TABLE digits (i INT PRIMARY KEY);
             INSERT INTO digits VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9);
             CREATE TABLE part (id INT PRIMARY KEY, brand VARCHAR(9) NOT NULL, size INT, made DATE);
             CREATE TABLE item (part_id INT, n INT, v VARCHAR(9), amount INT NOT NULL,
             KEY (part_id));
             INSERT INTO part SELECT a.i + b.i * 10 + c.i * 100, CONCAT('b', a.i), NULLIF(b.i, 9),
             '2020-01-01' + INTERVAL c.i DAY FROM digits a, digits b, digits c;
             INSERT INTO item SELECT p.id, d.i, CONCAT(d.i, IF(d.i = 4, 'x', '')), p.id % 7
             FROM part p, digits d;
             ANALYZE TABLE part, item",
        )
        .await;
}

const EXTENDED: &str = "SELECT SUM(amount) FROM item, part WHERE
    (id = part_id AND brand = 'b1' AND size BETWEEN 1 AND 3 AND n >= 1 AND n <= 1 + 2) OR
    (id = part_id AND brand = 'b2' AND size < 3 AND n IN (4, 5))";

/// Reading a text as a number warns: that is not looked at by itself.
const WARNING: &str = "SELECT COUNT(*) FROM item, part WHERE id = part_id AND
    ((brand = 'b1' AND v > 3 AND id < 20) OR (brand = 'b2' AND n = 5))";

#[tokio::test]
async fn an_or_of_two_tables_leaves_few_rows_of_the_first() {
    let (_server, mut client) = start().await;
    fill(&mut client).await;
    client.run("SET firn_executor = 'direct'").await;
    let tree = client.value(&format!("EXPLAIN FORMAT=TREE {EXTENDED}")).await.expect("a tree");
    let lines: Vec<&str> = tree.lines().map(str::trim).collect();
    let at = |text: &str| lines.iter().position(|line| line.starts_with(text)).expect(text);
    let own = "-> Filter: (((part.brand = 'b1') and (part.size between 1 and 3)) or ((part.brand = 'b2') and (part.size < 3)))";
    assert_eq!(at(own) + 1, at("-> Table scan on part"), "{tree}");
    assert!(at("-> Index lookup on item using part_id") > at(own), "{tree}");
    client.run("FLUSH STATUS").await;
    assert_eq!(client.value(EXTENDED).await.as_deref(), Some("446"));
    let next = counted(&mut client, "SESSION", "Handler_read_key").await;
    // As many parts are looked for: 30 of brand b1, and of b2.
    assert!(next <= 62, "{next}");
}

#[tokio::test]
async fn what_an_or_implies_changes_no_answer_and_no_warning() {
    let (_server, mut client) = start().await;
    fill(&mut client).await;
    for (sql, rows, warnings) in [
        (EXTENDED, "446", 0),
        (
            "SELECT COUNT(*), SUM(amount) FROM part LEFT JOIN item ON part_id = id AND n > 5 WHERE
             (brand = 'b1' AND n IS NULL) OR (brand = 'b3' AND n = 7) OR (made = '2020-01-03' AND
             size IS NULL AND n > 8)",
            "110|336",
            0,
        ),
        (WARNING, "112", 2),
        (
            "SELECT COUNT(*) FROM part WHERE EXISTS (SELECT 1 FROM item a, item b WHERE a.part_id =
             part.id AND b.part_id = a.part_id AND ((a.n = part.size AND b.n = 3) OR (a.n = 2 AND
             b.n = part.size)))",
            "900",
            0,
        ),
    ] {
        client.run("SET firn_executor = 'direct'").await;
        assert_eq!(client.lines(sql).await, [rows], "{sql}");
        assert_eq!(client.lines("SHOW WARNINGS").await.len(), warnings, "{sql}");
        let direct = told(&mut client, "direct", sql).await;
        assert_eq!(direct, told(&mut client, "vector", sql).await, "{sql}");
    }
    client.run("SET firn_executor = 'direct'").await;
    let tree = client.value(&format!("EXPLAIN FORMAT=TREE {WARNING}")).await.expect("a tree");
    let own = "Filter: (((part.brand = 'b1') and (part.id < 20)) or (part.brand = 'b2'))";
    assert!(tree.contains(own), "{tree}");
    let sql = "SELECT COUNT(*) FROM item, part WHERE id = part_id AND ((size = 1 AND brand = 0 AND
               n = 5) OR (size = 2 AND n = 6 AND id < 25))";
    let tree = client.value(&format!("EXPLAIN FORMAT=TREE {sql}")).await.expect("a tree");
    let own = "Filter: ((part.size = 1) or ((part.size = 2) and (part.id < 25)))";
    assert!(tree.contains(own), "{tree}");
    assert_eq!(client.lines(sql).await, ["105"]);
}
