//! Tables read from the Parquet copies of their files: the same rows, in the same order, as
//! row by row, whatever lies above the files and whenever the snapshot was taken.

use crate::differential::Random;
use crate::executors::{JOINED, STATEMENTS, counted, filled, related, told};
use crate::support::{TestClient, World};

/// Both executors give the same for a third of the statements.
async fn same_both_ways(client: &mut TestClient, third: usize) {
    let all = STATEMENTS.iter().chain(&JOINED[..6]);
    for sql in all.skip(third % 3).step_by(3) {
        let direct = told(client, "direct", sql).await;
        let vector = told(client, "vector", sql).await;
        assert_eq!(direct, vector, "{sql}");
    }
}

/// How many rows of all of `big` come from copies.
async fn copied_rows(client: &mut TestClient) -> u64 {
    let before = counted(client, "SESSION", "Firn_vector_rows_copied").await;
    told(client, "vector", "SELECT COUNT(*), SUM(d), COUNT(e) FROM big").await;
    counted(client, "SESSION", "Firn_vector_rows_copied").await - before
}

#[tokio::test]
async fn copies_of_files_give_the_rows_that_the_rows_give() {
    let server = World::new().merging().start().await;
    let mut client = server.client().await;
    client.run("CREATE DATABASE t; USE t").await;
    filled(&mut client).await;
    related(&mut client).await;
    client.run("SET time_zone = 'Europe/Berlin', sql_mode = ''").await;
    server.copied().await;
    assert_eq!(copied_rows(&mut client).await, 20_000);
    client.run("CREATE TABLE other (x INT); INSERT INTO other VALUES (1); TRUNCATE other").await;
    assert_eq!(
        copied_rows(&mut client).await,
        20_000,
        "what other tables delete is not in its way"
    );
    for third in 0..3 {
        same_both_ways(&mut client, third).await;
    }
    // What lies above: changed rows, new ones before, between and behind all others, rows that
    // went, and one that came back. A snapshot from before sees none of it.
    let mut before = server.try_client(Some("t")).await.expect("root gets in");
    before.run("START TRANSACTION WITH CONSISTENT SNAPSHOT").await;
    let sums = "SELECT COUNT(*), SUM(d), SUM(id), MIN(s), COUNT(g) FROM big";
    let seen = told(&mut before, "direct", sums).await;
    client
        .run(
            "UPDATE big SET d = d + 1, s = 'ö' WHERE id % 100 = 7;
             DELETE FROM big WHERE id % 250 = 11 OR id BETWEEN 12000 AND 12100;
             INSERT INTO big (id, g, s) VALUES (-5, 1, 'A'), (12050, 2, 'b'), (50000, NULL, 'c'), (12001, 4, 'd');
             DELETE FROM big WHERE id = 50000;
             INSERT INTO big (id, dt, at) VALUES (50001, '0000-00-00', '0000-00-00 00:00:00')",
        )
        .await;
    for round in 0..2 {
        let copied = copied_rows(&mut client).await;
        assert!(copied > 19_000, "{copied} rows came from copies");
        same_both_ways(&mut client, round).await;
        assert_eq!(told(&mut before, "direct", sums).await, seen, "a snapshot stays");
        assert_eq!(told(&mut before, "vector", sums).await, seen, "a snapshot stays");
        // The same from files that hold versions which only the snapshot sees, deletions,
        // and rows that columns cannot show.
        server.copied().await;
    }
    before.run("COMMIT").await;
    // Own writes, and a table that was altered since.
    client.run("START TRANSACTION; UPDATE big SET d = 0 WHERE id < 100").await;
    assert_eq!(copied_rows(&mut client).await, 0, "own writes are not in copies");
    same_both_ways(&mut client, 2).await;
    client
        .run(
            "ROLLBACK; ALTER TABLE big ADD COLUMN late INT NOT NULL DEFAULT 7, ALGORITHM = INSTANT",
        )
        .await;
    let sql = "SELECT late, COUNT(*), SUM(d) FROM big GROUP BY late";
    assert_eq!(told(&mut client, "direct", sql).await, told(&mut client, "vector", sql).await);
    same_both_ways(&mut client, 0).await;
}

/// A step of a history: rows change, files are merged, somebody takes a snapshot.
async fn step(random: &mut Random, client: &mut TestClient, kinds: &[usize]) {
    let (low, high) = (random.below(2200) as i64 - 100, random.below(40));
    let range = format!("id BETWEEN {low} AND {}", low + high as i64);
    let sql = match random.of(kinds) {
        0 => format!("UPDATE h SET n = n + 1 WHERE {range}"),
        1 => format!("UPDATE h SET g = NULL, pad = MD5(id) WHERE id % 97 = {}", random.below(97)),
        2 => format!("DELETE FROM h WHERE {range}"),
        3 => format!("DELETE FROM h WHERE id % 53 = {}", random.below(53)),
        4 => format!("REPLACE INTO h VALUES ({low}, 7, 0, 'new', '2024-02-29')"),
        // Columns cannot show it.
        5 => format!("REPLACE INTO h VALUES ({low}, 7, 0, 'new', '0000-00-00')"),
        6 => format!("INSERT IGNORE INTO h VALUES ({}, 7, {low}, 'new', NULL)", 5000 + low),
        _ => format!(
            "REPLACE INTO h SELECT id + 1, g, n, REVERSE(pad), d FROM (SELECT * FROM h WHERE {range}) x"
        ),
    };
    client.run(&sql).await;
}

#[tokio::test]
async fn histories_by_chance_read_the_same_from_copies() {
    // All kinds of changes; changed rows alone, of which files have several versions; new rows
    // alone.
    let kinds: [&[usize]; 3] = [&[0, 1, 2, 3, 4, 5, 7], &[0, 1], &[6]];
    for (seed, kinds) in (1..).zip(kinds) {
        let random = &mut Random::new(seed);
        let server = World::new().merging().start().await;
        let mut client = server.client().await;
        client
            .run(
                "CREATE DATABASE t; USE t; SET sql_mode = '', cte_max_recursion_depth = 5000;
                 CREATE TABLE h (id INT PRIMARY KEY, g INT, n BIGINT, pad VARCHAR(700), d DATE, KEY (g));
                 INSERT INTO h WITH RECURSIVE r (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM r WHERE
                 i < 1999) SELECT i, i % 13, i, CONCAT(SHA2(i, 512), SHA2(i + 1, 512), SHA2(i + 2, 512),
                 SHA2(i + 3, 512)), '2020-01-01' + INTERVAL i DAY FROM r",
            )
            .await;
        server.copied().await;
        // Each sees for ever what it saw first.
        let mut watchers: Vec<(TestClient, String)> = Vec::new();
        let all =
            "SELECT id, g, n, pad, d FROM h WHERE n > -200 OR n IS NULL ORDER BY g, n LIMIT 3000";
        for round in 0..40 {
            step(random, &mut client, kinds).await;
            if random.below(8) == 0 {
                server.copied().await;
            }
            if round % 10 == 3 {
                let mut watcher = server.try_client(Some("t")).await.expect("root gets in");
                watcher.run("START TRANSACTION WITH CONSISTENT SNAPSHOT").await;
                let seen = told(&mut watcher, "direct", all).await;
                watchers.push((watcher, seen));
            }
            let direct = told(&mut client, "direct", all).await;
            assert_eq!(direct, told(&mut client, "vector", all).await, "seed {seed}, {round}");
            for (watcher, seen) in &mut watchers {
                let vector = told(watcher, "vector", all).await;
                assert_eq!(*seen, vector, "seed {seed}, {round}: a snapshot has moved");
            }
        }
        let copied = counted(&mut client, "GLOBAL", "Firn_vector_rows_copied").await;
        assert!(copied > 100_000, "{copied} rows came from copies");
    }
}
