//! FOR UPDATE OF and FOR SHARE OF lock rows of the tables that they name alone.

use crate::support::{TestClient, TestServer, start};

async fn filled() -> (TestServer, TestClient, TestClient) {
    let (server, mut one) = start().await;
    one.run("CREATE TABLE owner (id INT PRIMARY KEY, name VARCHAR(20))").await;
    one.run(
        "CREATE TABLE job (id INT PRIMARY KEY, owner_id INT, state INT, note VARCHAR(20),
         KEY ik_state (state), KEY ik_owner (owner_id, state))",
    )
    .await;
    one.run("INSERT INTO owner VALUES (1, 'a'), (2, 'b')").await;
    one.run(
        "INSERT INTO job VALUES (1, 1, 0, 'x'), (2, 1, 0, 'x'), (3, 1, 0, 'x'), (4, 2, 1, 'y')",
    )
    .await;
    one.run("ANALYZE TABLE owner, job").await;
    let other = server.try_client(Some("t")).await.expect("a client");
    (server, one, other)
}

const TAKEN: u16 = 3572;

#[tokio::test]
async fn workers_take_jobs_of_one_owner_whose_row_nobody_locks() {
    let (_server, mut one, mut other) = filled().await;
    let take = "SELECT j.id, o.name FROM job j JOIN owner o ON o.id = j.owner_id WHERE j.state = 0
                ORDER BY j.id LIMIT 1 FOR UPDATE OF j SKIP LOCKED";
    one.run("BEGIN").await;
    assert_eq!(one.lines(take).await, ["1|a"]);
    other.run("BEGIN").await;
    assert_eq!(other.lines(take).await, ["2|a"]);
    assert_eq!(other.error("SELECT * FROM job WHERE id = 1 FOR UPDATE NOWAIT").await.0, TAKEN);
    // The owner is free for either.
    assert_eq!(other.lines("SELECT name FROM owner WHERE id = 1 FOR UPDATE NOWAIT").await, ["a"]);
    assert_eq!(one.lines(take).await, ["1|a"]);
    one.run("ROLLBACK").await;
    other.run("ROLLBACK").await;
}

#[tokio::test]
async fn each_clause_locks_its_own_way_and_what_has_none_is_read_as_of_the_snapshot() {
    let (_server, mut one, mut other) = filled().await;
    let both = "SELECT j.note, o.name FROM job j JOIN owner o ON o.id = j.owner_id WHERE j.id = 1";
    one.run("BEGIN").await;
    assert_eq!(one.lines(both).await, ["x|a"]);
    other.run("UPDATE owner SET name = 'new' WHERE id = 1").await;
    other.run("UPDATE job SET note = 'new' WHERE id = 1").await;
    // As on a server: what is locked is as it is now.
    assert_eq!(one.lines(&format!("{both} FOR UPDATE OF j")).await, ["new|a"]);
    assert_eq!(one.lines(&format!("{both} FOR UPDATE OF o")).await, ["x|new"]);
    assert_eq!(one.lines(&format!("{both} FOR UPDATE")).await, ["new|new"]);
    assert_eq!(one.lines(both).await, ["x|a"]);
    one.run("ROLLBACK; BEGIN").await;
    let clauses = "FOR UPDATE OF j NOWAIT FOR SHARE OF t.o SKIP LOCKED";
    assert_eq!(one.lines(&format!("{both} {clauses}")).await, ["new|new"]);
    other.run("BEGIN").await;
    assert_eq!(other.error("SELECT * FROM job WHERE id = 1 FOR SHARE NOWAIT").await.0, TAKEN);
    let owner = "SELECT name FROM owner WHERE id = 1";
    assert_eq!(other.lines(&format!("{owner} FOR SHARE NOWAIT")).await, ["new"]);
    assert_eq!(other.error(&format!("{owner} FOR UPDATE NOWAIT")).await.0, TAKEN);
    one.run("ROLLBACK").await;
    assert_eq!(other.lines(&format!("{owner} FOR UPDATE NOWAIT")).await, ["new"]);
    // Of the shared row that the other one has, nothing is waited for and nothing is given.
    assert!(one.lines(&format!("{both} {clauses}")).await.is_empty());
    other.run("ROLLBACK").await;
}

#[tokio::test]
async fn rows_that_an_index_covers_are_locked_as_their_clause_says() {
    let (_server, mut one, mut other) = filled().await;
    one.run("BEGIN").await;
    let covered = "SELECT j.id FROM job j, owner o WHERE o.id = j.owner_id AND j.owner_id = 2
                   AND j.state = 1";
    assert_eq!(one.lines(&format!("{covered} FOR UPDATE OF o")).await, ["4"]);
    assert_eq!(other.lines("SELECT id FROM job WHERE id = 4 FOR UPDATE NOWAIT").await, ["4"]);
    assert_eq!(other.error("SELECT id FROM owner WHERE id = 2 FOR SHARE NOWAIT").await.0, TAKEN);
    assert_eq!(one.lines(&format!("{covered} FOR UPDATE OF j")).await, ["4"]);
    assert_eq!(other.error("SELECT id FROM job WHERE id = 4 FOR UPDATE NOWAIT").await.0, TAKEN);
    one.run("ROLLBACK").await;
}

#[tokio::test]
async fn tables_of_clauses_are_found_and_no_two_lock_one() {
    let (_server, mut one, _other) = filled().await;
    for (clauses, error) in [
        ("FOR UPDATE OF nope", Some((3568, "Unresolved table name `nope` in locking clause."))),
        ("FOR UPDATE OF job", Some((3568, "Unresolved table name `job` in locking clause."))),
        ("FOR UPDATE OF x.j", Some((3568, "Unresolved table name `j` in locking clause."))),
        ("FOR UPDATE OF j, j", Some((3569, "Table `j` appears in multiple locking clauses."))),
        (
            "FOR UPDATE FOR SHARE OF o",
            Some((3569, "Table `o` appears in multiple locking clauses.")),
        ),
        ("FOR SHARE OF o NOWAIT FOR UPDATE OF t.j SKIP LOCKED", None),
    ] {
        let sql = format!("SELECT j.id FROM job j, owner o WHERE j.id = o.id {clauses}");
        match error {
            Some((number, text)) => {
                assert_eq!(one.error(&sql).await, (number, text.to_owned()), "{clauses}");
            }
            None => assert_eq!(one.lines(&sql).await.len(), 2, "{clauses}"),
        }
    }
}
