//! Storage and compaction as processes of their own.

use std::path::Path;

use crate::wire::server::{Process, Server, client, firn, rows};

fn storage(folder: &Path, name: &str, token: &str) -> (Process, String) {
    storage_with_cache(folder, name, token, "0")
}

/// With so much of the disk, in a folder of its name.
fn storage_with_cache(folder: &Path, name: &str, token: &str, disk: &str) -> (Process, String) {
    let dir = format!("{name}-data");
    let args = ["storage", "--listen", "127.0.0.1:0", "--http-addr", "none", "--data-dir", &dir];
    let mut command = firn(folder, &args);
    command.env("FIRN_OBJECT_STORE__URL", folder.join("objects")).env("FIRN_RPC__TOKEN", token);
    command.env("FIRN_DISK_CACHE_BYTES_MAX", disk);
    let (process, ready) = Process::start(command, &folder.join(name));
    let address = ready.strip_prefix("storage at ").expect("an address").to_owned();
    (process, address)
}

fn worker(folder: &Path, storage: &str, token: &str) -> Process {
    let mut command =
        firn(folder, &["compaction", "--storage-addr", storage, "--http-addr", "none"]);
    command.env("FIRN_OBJECT_STORE__URL", folder.join("objects")).env("FIRN_RPC__TOKEN", token);
    Process::start(command, &folder.join("worker")).0
}

fn up(folder: &Path, storage: &str, token: &str) -> Server {
    let args = ["up", "--mysql-addr", "127.0.0.1:0", "--http-addr", "none"];
    let mut command = firn(folder, &args);
    command.env("FIRN_OBJECT_STORE__URL", folder.join("objects")).env("FIRN_RPC__TOKEN", token);
    command.env("FIRN_STORAGE__ADDRESSES", storage).env("FIRN_COMPACTION__CONCURRENCY", "1");
    Server::start_as(command, &folder.join("up"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_database_outlives_its_storage_services_and_its_worker() {
    let dir = tempfile::tempdir().unwrap();
    let (first, one) = storage(dir.path(), "first", "t0ken");
    let (second, two) = storage(dir.path(), "second", "t0ken");
    let both = format!("{one},{two}");
    let mut merging = worker(dir.path(), &both, "t0ken");
    let server = up(dir.path(), &both, "t0ken");
    let mut client = client(server.address(), None).await.unwrap();
    let mut count = 0u32;
    let mut write = async |client: &mut firn_mysql_protocol::client::Client, statements| {
        for _ in 0..statements {
            let values: Vec<_> = (0..250).map(|_| "(REPEAT(UUID(), 20))").collect();
            let sql = format!("INSERT INTO d.t (v) VALUES {}", values.join(","));
            client.query_all(sql.as_bytes()).await.unwrap();
            count += 250;
        }
        count.to_string()
    };
    let make = b"CREATE DATABASE d; CREATE TABLE d.t (id INT AUTO_INCREMENT PRIMARY KEY, v TEXT)";
    for statement in make.split(|byte| *byte == b';') {
        client.query_all(statement).await.unwrap();
    }
    write(&mut client, 20).await;
    // The one that is in charge is killed; flushes and leases go on at the other.
    first.kill();
    write(&mut client, 20).await;
    merging.terminate();
    assert_eq!(merging.wait(), Some(0));
    // None is left: what is written waits in journal and memory, as far as there is room.
    second.kill();
    let written = write(&mut client, 2).await;
    let (_third, three) = storage(dir.path(), "third", "t0ken");
    server.kill();
    let server = up(dir.path(), &three, "t0ken");
    let mut client = crate::wire::server::client(server.address(), Some("d")).await.unwrap();
    assert_eq!(rows(&mut client, "SELECT COUNT(*) FROM t").await.unwrap(), [[written]]);
    server.stop();
}

#[test]
fn a_part_with_another_token_is_turned_away_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let (_storage, address) = storage(dir.path(), "storage", "t0ken");
    let args = ["up", "--mysql-addr", "127.0.0.1:0", "--http-addr", "none"];
    let mut command = firn(dir.path(), &args);
    command.env("FIRN_STORAGE__ADDRESSES", &address).env("FIRN_RPC__TOKEN", "other");
    let out = command.output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(!out.status.success());
    assert!(said.contains("the caller's token is not this cluster's"), "{said}");
    assert!(!said.contains("t0ken"), "{said}");
}

/// What the storage service at `address` tells of its cache.
fn blocks(folder: &Path, address: &str, token: &str) -> serde_json::Value {
    let mut command = firn(folder, &["ctl", "status", "--json"]);
    command.env("FIRN_STORAGE__ADDRESSES", address).env("FIRN_RPC__TOKEN", token);
    command.env("FIRN_OBJECT_STORE__URL", folder.join("objects"));
    let out = command.output().unwrap();
    let shown: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(shown["storage"][0]["serves"], true, "{shown:#}");
    shown["storage"][0]["blocks"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn blocks_come_from_the_storage_service_and_from_the_store_while_it_is_away() {
    let dir = tempfile::tempdir().unwrap();
    let at = |shown: &serde_json::Value, key: &str| shown[key].as_u64().unwrap();
    let (mut service, address) = storage_with_cache(dir.path(), "first", "t0ken", "256 MiB");
    let sum = "SELECT COUNT(*), SUM(LENGTH(v)) FROM d.t";
    let server = up(dir.path(), &address, "t0ken");
    let mut writes = client(server.address(), None).await.unwrap();
    for sql in ["CREATE DATABASE d", "CREATE TABLE d.t (id INT AUTO_INCREMENT PRIMARY KEY, v TEXT)"]
    {
        writes.query_all(sql.as_bytes()).await.unwrap();
    }
    for _ in 0..20 {
        let values: Vec<_> = (0..250).map(|_| "(REPEAT(UUID(), 20))").collect();
        let sql = format!("INSERT INTO d.t (v) VALUES {}", values.join(","));
        writes.query_all(sql.as_bytes()).await.unwrap();
    }
    let written = rows(&mut writes, sum).await.unwrap();
    drop(writes);
    server.stop();
    // A database that has nothing in memory asks the service, which asks the store once.
    let mut asked = Vec::new();
    for _ in 0..2 {
        let server = up(dir.path(), &address, "t0ken");
        let mut reads = client(server.address(), None).await.unwrap();
        for id in (1..5000).step_by(50) {
            let sql = format!("SELECT LENGTH(v) FROM d.t WHERE id = {id}");
            assert_eq!(rows(&mut reads, &sql).await.unwrap(), [["720"]]);
        }
        assert_eq!(rows(&mut reads, sum).await.unwrap(), written);
        drop(reads);
        asked.push(blocks(dir.path(), &address, "t0ken"));
        server.stop();
    }
    assert!(at(&asked[0], "store_reads") > 0, "{asked:?}");
    let hits = at(&asked[1], "memory_hits") - at(&asked[0], "memory_hits");
    let misses = at(&asked[1], "store_reads") - at(&asked[0], "store_reads");
    assert!(hits > 4 * misses.max(1), "{asked:?}");
    // The next service finds the blocks on its disk, and one whose disk was deleted does without.
    service.terminate();
    assert_eq!(service.wait(), Some(0));
    let (service, address) = storage_with_cache(dir.path(), "first", "t0ken", "256 MiB");
    let server = up(dir.path(), &address, "t0ken");
    let mut reads = client(server.address(), None).await.unwrap();
    assert_eq!(rows(&mut reads, sum).await.unwrap(), written);
    for id in (1..5000).step_by(50) {
        let sql = format!("SELECT LENGTH(v) FROM d.t WHERE id = {id}");
        assert_eq!(rows(&mut reads, &sql).await.unwrap(), [["720"]]);
    }
    drop(reads);
    server.stop();
    let shown = blocks(dir.path(), &address, "t0ken");
    assert!(at(&shown, "disk_hits") > 0, "{shown:#}");
    drop(service);
    std::fs::remove_dir_all(dir.path().join("first-data")).unwrap();
    let (service, address) = storage_with_cache(dir.path(), "first", "t0ken", "256 MiB");
    let server = up(dir.path(), &address, "t0ken");
    service.kill();
    // With no service left, what is not in memory is read from the store.
    let mut reads = client(server.address(), None).await.unwrap();
    assert_eq!(rows(&mut reads, sum).await.unwrap(), written);
    drop(reads);
    server.kill();
}
