//! Branches and snapshots by command, beside one process and on a cluster.

use std::net::TcpListener;
use std::path::Path;
use std::process::Output;

use crate::wire::server::{Server, client, firn, rows};

fn stdout(out: &Output) -> String {
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).into_owned()
}

/// What an operator calls, and where.
struct Tool<'a> {
    folder: &'a Path,
    args: Vec<String>,
}

impl Tool<'_> {
    fn ctl(&self, args: &[&str]) -> Output {
        let mut all: Vec<&str> = self.args.iter().map(String::as_str).collect();
        all.push("ctl");
        all.extend_from_slice(args);
        firn(self.folder, &all).output().unwrap()
    }

    fn json(&self, args: &[&str]) -> serde_json::Value {
        let out = self.ctl(&[args, &["--json"]].concat());
        serde_json::from_str(&stdout(&out)).unwrap()
    }

    /// The one line of what is refused.
    fn refused(&self, args: &[&str]) -> String {
        let out = self.ctl(args);
        crate::command::line_of(&out, 2)
    }
}

async fn run(server: &Server, statements: &[&str]) {
    let mut client = client(server.address(), None).await.unwrap();
    for sql in statements {
        client.query_all(sql.as_bytes()).await.unwrap();
    }
}

async fn ids(server: &Server) -> String {
    let mut client = client(server.address(), None).await.unwrap();
    let rows = rows(&mut client, "SELECT GROUP_CONCAT(id ORDER BY id) FROM d.t").await.unwrap();
    rows[0][0].clone()
}

const MAKE: [&str; 3] = [
    "CREATE DATABASE d",
    "CREATE TABLE d.t (id INT PRIMARY KEY, v TEXT)",
    "INSERT INTO d.t VALUES (1, 'a'), (2, 'b'), (3, 'c')",
];

fn free_port() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn branches_of_one_process_hold_what_was_committed_and_go_their_own_ways() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path();
    let http = free_port();
    std::fs::write(folder.join("firn.yaml"), format!("http_listen: {http}\n")).unwrap();
    let up = |branch: &str| {
        let data = format!("{branch}-data");
        let objects = folder.join("firn-data/objects");
        let args = ["up", "--mysql-addr", "127.0.0.1:0", "--http-addr", "none"];
        let own = ["--branch", branch, "--data-dir", &data];
        let shared = ["--object-store", objects.to_str().unwrap()];
        let command = firn(folder, &[&args[..], &own, &shared].concat());
        Server::start_as(command, &folder.join(branch))
    };
    let args = ["--config", "firn.yaml", "up", "--mysql-addr", "127.0.0.1:0"];
    let main = Server::start_as(firn(folder, &args), &folder.join("main"));
    let tool = Tool { folder, args: vec!["--config".into(), "firn.yaml".into()] };
    run(&main, &MAKE).await;
    let monday = tool.json(&["snapshot", "create", "monday"]);
    assert_eq!(monday[0]["snapshot"], "monday");
    run(&main, &["INSERT INTO d.t VALUES (4, 'd')", "DELETE FROM d.t WHERE id = 1"]).await;
    // What is committed, flushed or not, is in the branch.
    let made = tool.json(&["branch", "create", "dev"]);
    assert_eq!((&made[0]["from"], &made[0]["state"]), (&"main".into(), &"open".into()), "{made}");
    let old = tool.json(&["branch", "create", "old", "--snapshot", "monday"]);
    assert_eq!(old[0]["at_seq"], monday[0]["seq"]);
    let at = made[0]["at_seq"].to_string();
    tool.json(&["branch", "create", "same", "--at", &at]);
    run(&main, &["UPDATE d.t SET id = id + 100"]).await;
    let (dev, past) = (up("dev"), up("old"));
    assert_eq!(ids(&dev).await, "2,3,4");
    assert_eq!(ids(&past).await, "1,2,3");
    run(&dev, &["INSERT INTO d.t VALUES (50, 'dev')", "ALTER TABLE d.t ADD COLUMN w INT"]).await;
    run(&past, &["DELETE FROM d.t WHERE id < 3", "INSERT INTO d.t VALUES (60, 'old')"]).await;
    assert_eq!(ids(&main).await, "102,103,104");
    assert_eq!((ids(&dev).await.as_str(), ids(&past).await.as_str()), ("2,3,4,50", "3,60"));
    // It survives its process.
    past.kill();
    let past = up("old");
    assert_eq!(ids(&past).await, "3,60");
    past.stop();
    let same = up("same");
    assert_eq!(ids(&same).await, "2,3,4");
    same.stop();

    let listed = tool.json(&["branch", "list"]);
    let names: Vec<_> = listed.as_array().unwrap().iter().map(|row| &row["branch"]).collect();
    assert_eq!(names, ["dev", "main", "old", "same"]);
    let text = stdout(&tool.ctl(&["branch", "list"]));
    assert!(text.contains("old     main"), "{text}");
    let pins = tool.json(&["pins"]);
    assert!(pins.as_array().unwrap().iter().any(|pin| pin["kind"] == "snapshot"), "{pins}");

    let says = |args: &[&str], what: &str| {
        let line = tool.refused(args);
        assert!(line.ends_with(what), "{line}");
    };
    says(&["branch", "create", "dev"], "branch dev exists already");
    says(&["branch", "create", "x", "--branch", "nowhere"], "branch nowhere does not exist");
    says(&["branch", "create", "x", "--snapshot", "none"], "has no snapshot \"none\"");
    says(&["branch", "create", "../x"], "and start with a letter or digit");
    let late = tool.refused(&["branch", "create", "x", "--at", "99999999"]);
    assert!(late.contains("branch main at seq 99999999: its last commit is "), "{late}");
    let early = tool.refused(&["branch", "create", "x", "--at", "1"]);
    assert!(early.contains("only what was visible at") && early.contains("kept"), "{early}");
    let early = tool.refused(&["snapshot", "create", "x", "--at", "1"]);
    assert!(early.contains("is older than what is kept"), "{early}");
    says(&["snapshot", "create", "monday"], "snapshot \"monday\" exists already");
    says(
        &["snapshot", "create", ""],
        "a snapshot's name has 1 to 255 bytes, and no control characters",
    );
    says(&["snapshot", "drop", "x"], "snapshot \"x\" does not exist");
    says(&["branch", "drop", "main"], "branch main cannot be dropped");
    says(&["branch", "drop", "nowhere"], "branch nowhere does not exist");
    says(&["branch", "drop", "dev"], "end that first, or force it");

    dev.stop();
    assert_eq!(stdout(&tool.ctl(&["branch", "drop", "dev"])), "");
    assert_eq!(stdout(&tool.ctl(&["branch", "drop", "dev"])), "", "it is dropped already");
    // What it was called another may be called now.
    let again = tool.json(&["branch", "create", "dev"]);
    assert_eq!((&again[0]["branch"], &again[0]["name"]), (&"dev".into(), &"dev.2".into()));
    let second = up("dev");
    assert_eq!(ids(&second).await, "102,103,104");
    run(&second, &["INSERT INTO d.t VALUES (7, 'second')"]).await;
    second.kill();
    let second = up("dev");
    assert_eq!(ids(&second).await, "7,102,103,104");
    second.stop();
    says(&["branch", "create", "dev"], "branch dev.2 exists already");
    says(&["branch", "create", "dev.7"], "the number is given by Firn, call it dev");
    assert_eq!(stdout(&tool.ctl(&["branch", "drop", "dev.2"])), "");
    let line = crate::command::line_of(
        &firn(folder, &["up", "--branch", "dev", "--object-store", "firn-data/objects"])
            .output()
            .unwrap(),
        2,
    );
    assert!(line.ends_with("branch dev.2 was dropped"), "{line}");
    assert_eq!(stdout(&tool.ctl(&["snapshot", "drop", "monday"])), "");
    assert_eq!(tool.json(&["snapshot", "list"]), serde_json::json!([]));
    // The others have all that they need.
    let past = up("old");
    assert_eq!(ids(&past).await, "3,60");
    past.stop();
    main.stop();
    let late = tool.refused(&["branch", "create", "x", "--at", "99999999"]);
    assert!(late.contains("and nobody writes it; if more is in its journal, open it"), "{late}");
    let out = firn(folder, &["scrub"]).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stdout));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_branch_of_a_cluster_is_another_compute_on_the_same_parts() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path();
    let args = ["up", "--cluster", "--data-dir", "data"];
    let ports = ["--mysql-addr", "127.0.0.1:0", "--http-addr", "none"];
    let main = Server::start_as(firn(folder, &[&args[..], &ports].concat()), &folder.join("main"));
    let config = ["--config".to_owned(), "data/cluster.yaml".to_owned()];
    let tool = Tool { folder, args: config.to_vec() };
    run(&main, &MAKE).await;
    let made = tool.json(&["branch", "create", "dev"]);
    assert_eq!(made[0]["from"], "main", "{made}");
    run(&main, &["INSERT INTO d.t VALUES (4, 'd')"]).await;
    let own = ["compute", "--branch", "dev", "--data-dir", "dev-data"];
    let args = [&config.each_ref().map(String::as_str)[..], &own, &ports].concat();
    let dev = Server::start_as(firn(folder, &args), &folder.join("dev"));
    assert_eq!(ids(&dev).await, "1,2,3");
    run(&dev, &["INSERT INTO d.t VALUES (50, 'dev')"]).await;
    assert_eq!((ids(&main).await.as_str(), ids(&dev).await.as_str()), ("1,2,3,4", "1,2,3,50"));
    // A branch of the branch, while both are written.
    tool.json(&["branch", "create", "dev-2", "--branch", "dev"]);
    let line = tool.refused(&["branch", "drop", "dev"]);
    assert!(line.ends_with("has 1 branches, such as dev-2: drop those first"), "{line}");
    stdout(&tool.ctl(&["branch", "drop", "dev-2"]));
    let line = tool.refused(&["branch", "drop", "dev"]);
    assert!(line.contains("is being written by"), "{line}");
    // Whoever writes it is refused from then on, and soon ends.
    let mut fenced = client(dev.address(), None).await.unwrap();
    stdout(&tool.ctl(&["branch", "drop", "dev", "--force"]));
    let refused = fenced.query_all(b"INSERT INTO d.t VALUES (51, 'late')").await;
    assert!(refused.is_err(), "{refused:?}");
    drop(dev);
    assert_eq!(ids(&main).await, "1,2,3,4");
    let listed = tool.json(&["branch", "list"]);
    let open = listed.as_array().unwrap().iter().filter(|row| row["state"] == "open");
    assert_eq!(open.count(), 1, "{listed}");
    // Another that is called so, with a log of its own.
    let again = tool.json(&["branch", "create", "dev"]);
    assert_eq!(again[0]["name"], "dev.2");
    let dev = Server::start_as(firn(folder, &args), &folder.join("dev"));
    assert_eq!(ids(&dev).await, "1,2,3,4");
    run(&dev, &["INSERT INTO d.t VALUES (52, 'second')"]).await;
    dev.kill();
    let dev = Server::start_as(firn(folder, &args), &folder.join("dev"));
    assert_eq!(ids(&dev).await, "1,2,3,4,52");
    dev.stop();
    stdout(&tool.ctl(&["branch", "drop", "dev"]));
    main.stop();
}
