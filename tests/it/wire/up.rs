//! Starting and stopping.

use std::process::Output;
use std::time::{Duration, Instant};

use super::server::{Server, WAIT_MAX, client, firn, number, rows};
use crate::command::line_of;

fn run(args: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    firn(folder.path(), args).output().unwrap()
}

#[test]
fn options_that_cannot_be_used_are_named_in_one_line() {
    for (args, want) in [
        (&["--mysql-addr", "localhost"][..], "--mysql-addr: must be an address and a port"),
        (&["--journal", "paper"], "--journal: must be one of local, object, memory"),
        (&["--object-store", "ftp://x"], "--object-store: \"ftp://x\": must be a folder"),
    ] {
        let line = line_of(&run(&[&["up"], args].concat()), 2);
        assert!(line.contains(want), "{line}");
    }
}

#[test]
fn a_port_in_use_is_named_with_what_to_do() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let line = line_of(&run(&["up", "--mysql-addr", &address]), 2);
    let want = format!("MySQL port {address} is in use by another program");
    assert!(line.contains(&want) && line.contains("--mysql-addr"), "{line}");
}

#[test]
fn the_front_end_alone_says_which_parts_it_was_not_told_of() {
    let args = ["compute", "--journal-addr", "a:1", "--storage-addr", "b:2"];
    let line = line_of(&run(&args), 2);
    assert!(line.contains("object_store.url is not set"), "{line}");
    let args = ["compute", "--storage-addr", "b:2", "--object-store", "file:///nowhere"];
    let line = line_of(&run(&args), 2);
    assert!(line.contains("journal.addresses"), "{line}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn options_say_where_the_data_is_and_go_over_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["--data-dir", "here", "--object-store", "bucket"];
    let server = Server::start(folder.path(), &args);
    let mut one = client(server.address(), None).await.unwrap();
    rows(&mut one, "CREATE DATABASE d").await.unwrap();
    assert!(folder.path().join("here").is_dir() && folder.path().join("bucket").is_dir());
    assert!(!folder.path().join("here/objects").exists());
    server.stop();
    let out = firn(folder.path(), &["up", "--mysql-addr", "x"])
        .env("FIRN_MYSQL_LISTEN", "127.0.0.1:0")
        .output()
        .unwrap();
    assert!(line_of(&out, 2).contains("--mysql-addr"));
}

/// Idle connections hear that the server stops, statements that run may end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_tells_idle_clients_and_lets_short_statements_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path(), &[]);
    let mut idle = client(server.address(), None).await.unwrap();
    let mut short = client(server.address(), None).await.unwrap();
    let mut long = client(server.address(), None).await.unwrap();
    let mut watch = client(server.address(), None).await.unwrap();
    let short = tokio::spawn(async move { rows(&mut short, "SELECT SLEEP(1), 7").await });
    let long = tokio::spawn(async move { rows(&mut long, "SELECT SLEEP(600)").await });
    // Both are under way.
    let begun = Instant::now();
    while rows(&mut watch, "SHOW PROCESSLIST")
        .await
        .unwrap()
        .iter()
        .filter(|r| r[4] == "Query")
        .count()
        < 3
    {
        assert!(begun.elapsed() < WAIT_MAX, "they do not begin");
    }
    let begun = Instant::now();
    server.terminate();
    let short = short.await.unwrap();
    assert_eq!(short.unwrap()[0][1], "7");
    // SLEEP itself says that it was interrupted.
    let error = long.await.unwrap().unwrap_err();
    assert!(matches!(number(&error), 1053 | 1317), "{error}");
    let error = rows(&mut idle, "SELECT 1").await.unwrap_err();
    assert_eq!(number(&error), 1053, "{error}");
    assert_eq!(server.wait(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_names_itself_in_its_variables() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &["--data-dir", "here"]);
    let mut client = client(server.address(), None).await.unwrap();
    let greeting = client.greeting().version.clone();
    let sql = "SELECT VERSION(), @@version, @@version_comment, @@port, @@hostname <> '', @@datadir";
    let row = rows(&mut client, sql).await.unwrap().remove(0);
    let port = server.address().port().to_string();
    assert_eq!(row, [&*greeting, &*greeting, "Firn", &*port, "1", "here"]);
    assert!(greeting.starts_with("8.4."), "{greeting}");
    server.stop();
}

/// The tallest tree that is parsed has to be computed, too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tall_expression_does_not_overflow_the_stack() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]);
    let mut client = client(server.address(), None).await.unwrap();
    for (sql, want) in [
        (format!("SELECT 1{}", "+1".repeat(1000)), "1001"),
        (format!("SELECT 1 WHERE 1{} > 5", "*1+1".repeat(500)), "1"),
        (format!("SELECT {}1{}", "abs(-".repeat(120), ")".repeat(120)), "1"),
    ] {
        assert_eq!(rows(&mut client, &sql).await.unwrap(), [[want]], "{sql:.40}");
    }
    let error = rows(&mut client, &format!("SELECT 1{}", "+1".repeat(5000))).await.unwrap_err();
    assert_eq!(number(&error), 1064);
    server.stop();
}

/// What computes or sleeps does not hear a timer by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sleep_that_is_interrupted_gives_one() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]);
    let mut one = client(server.address(), None).await.unwrap();
    let mut other = client(server.address(), None).await.unwrap();
    rows(&mut one, "SET max_execution_time = 50").await.unwrap();
    assert_eq!(rows(&mut one, "SELECT SLEEP(600), 7").await.unwrap(), [["1", "7"]]);
    assert_eq!(rows(&mut one, "SELECT 8").await.unwrap(), [["8"]]);
    rows(&mut one, "SET max_execution_time = 0").await.unwrap();
    let id = rows(&mut one, "SELECT CONNECTION_ID()").await.unwrap().remove(0).remove(0);
    let sleeping = tokio::spawn(async move {
        let slept = rows(&mut one, "SELECT 1 + SLEEP(600)").await;
        // It stays connected, so that it can be named until the end.
        (slept, one)
    });
    let begun = Instant::now();
    while !sleeping.is_finished() {
        assert!(begun.elapsed() < WAIT_MAX, "it sleeps on");
        rows(&mut other, &format!("KILL QUERY {id}")).await.unwrap();
    }
    let (slept, one) = sleeping.await.unwrap();
    assert_eq!(slept.unwrap(), [["2"]]);
    drop(one);
    server.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shutdown_ends_the_process_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path(), &[]);
    let mut client = client(server.address(), None).await.unwrap();
    rows(&mut client, "CREATE DATABASE d").await.unwrap();
    rows(&mut client, "SHUTDOWN").await.unwrap();
    assert_eq!(server.wait(), Some(0));
}
