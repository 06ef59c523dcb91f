//! Rows with many versions.

use crate::support::start;

/// Scans pass over the versions that they do not see: those that are too new, and those
/// that are too old.
#[tokio::test]
async fn rows_that_are_written_often_are_scanned_as_of_each_moment() {
    let (server, mut writer) = start().await;
    writer.run("CREATE TABLE h (id INT PRIMARY KEY, n INT, KEY (n))").await;
    writer.run("INSERT INTO h VALUES (1, 0), (2, 0), (3, 0), (4, 0)").await;
    let mut readers = Vec::new();
    for n in 1..=60 {
        for id in 1..=3 {
            writer.run(&format!("UPDATE h SET n = {n} WHERE id = {id}")).await;
        }
        if n % 15 == 0 {
            writer.run("DELETE FROM h WHERE id = 2").await;
            let mut reader = server.try_client(Some("t")).await.expect("root gets in");
            reader.run("START TRANSACTION WITH CONSISTENT SNAPSHOT").await;
            readers.push((n, reader));
            writer.run("INSERT INTO h VALUES (2, 0)").await;
        }
    }
    for (n, mut reader) in readers {
        let rows = [format!("1|{n}"), format!("3|{n}"), "4|0".to_owned()];
        assert_eq!(reader.lines("SELECT id, n FROM h WHERE id BETWEEN 1 AND 4").await, rows);
        let mut backward = rows.clone();
        backward.reverse();
        let sql = "SELECT id, n FROM h WHERE id BETWEEN 1 AND 4 ORDER BY id DESC";
        assert_eq!(reader.lines(sql).await, backward);
        let sql = "SELECT id FROM h WHERE n BETWEEN 1 AND 100 ORDER BY id";
        assert_eq!(reader.lines(sql).await, ["1", "3"]);
    }
    assert_eq!(
        writer.lines("SELECT id, n FROM h WHERE id > 0").await,
        ["1|60", "2|0", "3|60", "4|0"]
    );
}
