//! A cluster on this machine by one command.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::wire::server::{Server, client, firn, rows};

fn cluster(folder: &Path) -> Server {
    let dir = folder.join("data");
    let args = ["up", "--cluster", "--data-dir", dir.to_str().unwrap()];
    let ports = ["--mysql-addr", "127.0.0.1:0", "--http-addr", "127.0.0.1:0"];
    let command = firn(folder, &[&args[..], &ports[..]].concat());
    Server::start_as(command, &folder.join("stderr"))
}

fn status(folder: &Path) -> serde_json::Value {
    let args = ["--config", "data/cluster.yaml", "ctl", "status", "--json"];
    let out = firn(folder, &args).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_cluster_starts_shows_its_parts_outlives_a_kill_and_ends_in_good_order() {
    let dir = tempfile::tempdir().unwrap();
    let server = cluster(dir.path());
    let mut writes = client(server.address(), None).await.unwrap();
    for sql in ["CREATE DATABASE d", "CREATE TABLE d.t (id INT PRIMARY KEY)"] {
        writes.query_all(sql.as_bytes()).await.unwrap();
    }
    writes.query_all(b"INSERT INTO d.t VALUES (1), (2), (3)").await.unwrap();
    let shown = status(dir.path());
    let journal = shown["journal"].as_array().unwrap();
    let roles: Vec<_> = journal.iter().map(|row| row["role"].as_str().unwrap()).collect();
    assert_eq!(roles.iter().filter(|role| **role == "leader").count(), 1, "{shown:#}");
    assert_eq!(roles.iter().filter(|role| **role == "voter").count(), 2, "{shown:#}");
    let storage = shown["storage"].as_array().unwrap();
    assert!(storage.len() == 2 && storage.iter().all(|row| row["serves"] == true), "{shown:#}");
    assert!(shown["database"]["state"]["last_seq"].as_u64().unwrap() > 0, "{shown:#}");
    assert_eq!(shown["manifest"]["state"]["branch"], "main", "{shown:#}");
    let args = ["--config", "data/cluster.yaml", "ctl", "status"];
    let text = String::from_utf8(firn(dir.path(), &args).output().unwrap().stdout).unwrap();
    assert!(text.lines().count() <= 40, "more than a screen:\n{text}");
    assert!(text.contains("leader") && text.contains("database  branch main, open"), "{text}");

    // kill -9 of the parent: the parts end by themselves, and the next cluster has everything.
    let address = server.address();
    server.kill();
    let begun = Instant::now();
    while std::net::TcpStream::connect(address).is_ok() {
        assert!(begun.elapsed() < Duration::from_secs(60), "parts are left behind");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let server = loop {
        // The folders are free when the parts have ended.
        let taken = ["compute", "journal-1", "journal-2", "journal-3"].into_iter().find(|part| {
            let lock = std::fs::File::open(dir.path().join("data").join(part).join("LOCK"));
            lock.is_ok_and(|lock| lock.try_lock().is_err())
        });
        if taken.is_none() {
            break cluster(dir.path());
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{taken:?} is left behind");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let mut reads = client(server.address(), Some("d")).await.unwrap();
    assert_eq!(rows(&mut reads, "SELECT COUNT(*) FROM t").await.unwrap(), [["3"]]);
    drop(reads);
    let begun = Instant::now();
    server.stop();
    eprintln!("the cluster's end: {:?}", begun.elapsed());
    let log = std::fs::read_to_string(dir.path().join("stderr")).unwrap();
    assert!(!log.contains("WARN") && !log.contains("ERROR"), "{log}");
}
