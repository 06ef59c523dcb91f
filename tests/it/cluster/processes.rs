//! Storage and compaction as processes of their own.

use std::path::Path;

use crate::wire::server::{Process, Server, client, firn, rows};

fn storage(folder: &Path, name: &str, token: &str) -> (Process, String) {
    let args = ["storage", "--listen", "127.0.0.1:0", "--http-addr", "none"];
    let mut command = firn(folder, &args);
    command.env("FIRN_OBJECT_STORE__URL", folder.join("objects")).env("FIRN_RPC__TOKEN", token);
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
