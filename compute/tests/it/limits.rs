//! Statements that are ended from outside; foreign keys that come to a table with rows.

use crate::support::start;

async fn fill(client: &mut crate::support::TestClient) {
    client.run("CREATE TABLE n (id INT PRIMARY KEY, v INT)").await;
    let rows: Vec<String> = (0..2000).map(|id| format!("({id}, {})", id % 7)).collect();
    client.run(&format!("INSERT INTO n VALUES {}", rows.join(", "))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_ends_when_its_time_is_over() {
    let (_server, mut client) = start().await;
    fill(&mut client).await;
    client.run("SET max_execution_time = 50").await;
    // 64 million rows: longer than that on any machine.
    let long = "SELECT COUNT(*) FROM n a, n b, n c WHERE a.v + b.v + c.v = 1000";
    let (number, text) = client.error(long).await;
    assert_eq!(number, 3024, "{text}");
    // The session goes on, and other statements are not limited.
    assert_eq!(client.value("SELECT COUNT(*) FROM n").await.as_deref(), Some("2000"));
    client.run("SET max_execution_time = 0").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_join_over_batches_ends_when_its_time_is_over() {
    let (_server, mut client) = start().await;
    fill(&mut client).await;
    client.run("SET firn_executor = 'vector', max_execution_time = 50").await;
    for long in [
        "SELECT COUNT(*) FROM n a, n b, n c",
        "SELECT COUNT(*) FROM n a JOIN n b ON a.v * 0 = b.v * 0 JOIN n c ON a.v * 0 = c.v * 0",
    ] {
        let (number, text) = client.error(long).await;
        assert_eq!(number, 3024, "{long}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_query_ends_a_long_scan() {
    let (server, mut client) = start().await;
    fill(&mut client).await;
    let id = client.value("SELECT CONNECTION_ID()").await.unwrap();
    let mut other = server.client().await;
    let long = "SELECT COUNT(*) FROM n a, n b, n c WHERE a.v + b.v + c.v = 1000";
    let kill = async {
        // It is killed as soon as it runs.
        let running = format!(
            "SELECT COUNT(*) FROM information_schema.processlist WHERE id = {id} AND \
             command = 'Query'"
        );
        while other.value(&running).await.as_deref() != Some("1") {}
        other.run(&format!("KILL QUERY {id}")).await;
    };
    let ((number, text), ()) = futures::join!(client.error(long), kill);
    assert_eq!(number, 1317, "{text}");
    assert_eq!(client.value("SELECT 1").await.as_deref(), Some("1"));
}

#[tokio::test]
async fn a_foreign_key_is_checked_against_rows_that_are_there() {
    let (_server, mut client) = start().await;
    client.run("CREATE TABLE p (id INT PRIMARY KEY); INSERT INTO p VALUES (1), (2)").await;
    client.run("CREATE TABLE c (id INT PRIMARY KEY, p INT)").await;
    client.run("INSERT INTO c VALUES (1, 1), (2, NULL), (3, 9)").await;
    let add = "ALTER TABLE c ADD CONSTRAINT f FOREIGN KEY (p) REFERENCES p (id)";
    let (number, text) = client.error(add).await;
    assert_eq!(number, 1452, "{text}");
    assert_eq!(client.lines("SHOW INDEX FROM c").await.len(), 1);
    client.run("UPDATE c SET p = 2 WHERE id = 3").await;
    client.run(add).await;
    assert_eq!(client.error("INSERT INTO c VALUES (4, 9)").await.0, 1452);
    assert_eq!(client.error("DELETE FROM p WHERE id = 2").await.0, 1451);
    // With a copy, too.
    client.run("ALTER TABLE c DROP FOREIGN KEY f; INSERT INTO c VALUES (4, 9)").await;
    let copy = "ALTER TABLE c MODIFY id BIGINT, ADD CONSTRAINT f FOREIGN KEY (p) REFERENCES p (id)";
    assert_eq!(client.error(copy).await.0, 1452);
    client.run("SET foreign_key_checks = 0").await;
    client.run(copy).await;
    assert_eq!(client.lines("SELECT COUNT(*) FROM c").await, ["4"]);
}
