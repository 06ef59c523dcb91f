//! Files of sqllogictest, <https://sqlite.org/sqllogictest>, against a server over the wire.
//!
//! `samples/` has parts of its files, which are in the public domain; all of a folder run by
//! `FIRN_LOGIC_TESTS=<folder> cargo test --release --test it wire::logic -- --ignored --nocapture`.

mod answer;
mod file;
mod report;
mod run;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use file::File;
use report::Report;
use run::{Place, run};

use super::Server;
use super::server::{WAIT_MAX, firn, program};

/// Files that run at a time.
const PARALLEL: usize = 2;

/// How long a statement may take, unless `FIRN_LOGIC_STATEMENT_MAX_S` says otherwise.
const STATEMENT_MAX: Duration = Duration::from_secs(20);

/// The files of a folder and the folders in it, by name; a file is itself.
fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    let is_test = |path: &PathBuf| path.is_dir() || path.extension().is_some_and(|e| e == "test");
    entries.retain(is_test);
    entries.iter().flat_map(|path| files(path)).collect()
}

/// Runs files, some at a time; tells of each as it ends.
async fn run_all(paths: Vec<PathBuf>, place: Place, quiet: bool) -> Report {
    let (paths, next) = (Arc::new(paths), Arc::new(AtomicUsize::new(0)));
    let mut tasks = Vec::new();
    for _ in 0..PARALLEL {
        let (paths, next, place) = (Arc::clone(&paths), Arc::clone(&next), place.clone());
        tasks.push(tokio::spawn(async move {
            let mut all = Report::default();
            while let at = next.fetch_add(1, Ordering::Relaxed)
                && let Some(path) = paths.get(at)
            {
                let text = std::fs::read_to_string(path).unwrap();
                let name = path.display();
                let file = File::parse(&text).unwrap_or_else(|why| panic!("{name}: {why}"));
                let report = run(&file, &format!("firn_logic_{at}"), &place).await;
                let report = report.unwrap_or_else(|why| panic!("{name}: {why}"));
                if !quiet || !report.failed.is_empty() {
                    eprintln!("{name}: {report}");
                }
                all.merge(&report);
            }
            all
        }));
    }
    let mut all = Report::default();
    for task in tasks {
        all.merge(&task.await.unwrap());
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn samples_of_sqllogictest_pass() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]);
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/wire/logic/samples");
    let place = Place { server: server.address(), peer: None, statement_max: WAIT_MAX };
    let report = run_all(files(&samples), place, true).await;
    assert!(report.failed.is_empty() && report.passed > 500, "{report}");
    server.stop();
}

/// Of all files below `FIRN_LOGIC_TESTS`. `FIRN_TEST_PROGRAM` names another `firn` than the
/// one that was built with it; `FIRN_LOGIC_SERVER` a server that runs already; `FIRN_LOGIC_PEER`
/// a MySQL server that is asked for what the first one fails, and whose failures are
/// a class of their own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the files, and minutes"]
async fn a_folder_of_sqllogictest_passes() {
    let address = |name: &str| -> Option<SocketAddr> {
        std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}")))
    };
    let tests = std::env::var_os("FIRN_LOGIC_TESTS").expect("FIRN_LOGIC_TESTS names a folder");
    let statement_max = std::env::var("FIRN_LOGIC_STATEMENT_MAX_S")
        .map_or(STATEMENT_MAX, |text| Duration::from_secs(text.parse().unwrap()));
    let folder = tempfile::tempdir().unwrap();
    let (given, peer) = (address("FIRN_LOGIC_SERVER"), address("FIRN_LOGIC_PEER"));
    let ours = given.is_none().then(|| {
        let args = ["up", "--mysql-addr", "127.0.0.1:0", "--http-addr", "none"];
        let mut command = match std::env::var_os("FIRN_TEST_PROGRAM") {
            None => firn(folder.path(), &args),
            Some(other) => program(Path::new(&other), folder.path(), &args),
        };
        command.env("FIRN_MEMORY_BYTES_MAX", "512 MiB");
        Server::start_as(command, &folder.path().join("stderr"))
    });
    let server = given.or_else(|| ours.as_ref().map(Server::address)).unwrap();
    let place = Place { server, peer, statement_max };
    let report = run_all(files(Path::new(&tests)), place, false).await;
    eprintln!("all: {report}");
    if let Some(ours) = ours {
        ours.stop();
    }
    assert!(report.failed.is_empty(), "{} of {} pass", report.passed, report.records());
}
