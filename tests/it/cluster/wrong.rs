//! What is told when parts of a cluster are given the wrong thing.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use firn_services::rpc::Trust;

use crate::command::line_of;
use crate::wire::server::{Process, firn};

fn free_address() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

fn storage(folder: &Path) -> (Process, String) {
    let args = ["storage", "--listen", "127.0.0.1:0", "--http-addr", "none"];
    let mut command = firn(folder, &args);
    command.env("FIRN_OBJECT_STORE__URL", folder.join("objects"));
    command.env("FIRN_DATA_DIR", folder.join("storage"));
    let (process, ready) = Process::start(command, &folder.join("storage.log"));
    (process, ready.strip_prefix("storage at ").expect("an address").to_owned())
}

/// Member `number` of those in `members`, on a disk of its own.
fn member(folder: &Path, disk: &str, number: u64, members: &[String], listen: &str) -> Process {
    let all: Vec<_> = (1..).zip(members).map(|(n, address)| format!("{n}={address}")).collect();
    let (number, all) = (number.to_string(), all.join(","));
    let args = ["journal", "--member", &number, "--members", &all, "--listen", listen];
    let mut command = firn(folder, &[&args[..], &["--http-addr", "none"]].concat());
    command.env("FIRN_DATA_DIR", folder.join(disk));
    Process::start(command, &folder.join(format!("{disk}.log"))).0
}

fn compute(folder: &Path, journal: &str, storage: &str) -> Command {
    let args = ["compute", "--mysql-addr", "127.0.0.1:0", "--http-addr", "none"];
    let parts = ["--journal-addr", journal, "--storage-addr", storage];
    let mut command = firn(folder, &[&args[..], &parts].concat());
    command.env("FIRN_OBJECT_STORE__URL", folder.join("objects"));
    command
}

#[test]
fn a_port_of_another_part_is_told_apart_and_named() {
    let dir = tempfile::tempdir().unwrap();
    let (_storage, storage) = storage(dir.path());
    let journal = free_address();
    let _member = member(dir.path(), "member", 1, std::slice::from_ref(&journal), &journal);
    for (command, doing, address) in [
        (compute(dir.path(), &storage, &storage), "asking for the bounds of a log", &storage),
        (compute(dir.path(), &journal, &journal), "claiming the branch", &journal),
    ] {
        let mut command = command;
        let line = line_of(&command.output().unwrap(), 2);
        let says = format!("{address}: the peer does not know this call: another part");
        assert!(line.contains(doing) && line.contains(&says), "{line}");
    }
}

#[test]
fn an_address_that_cannot_be_is_named_with_its_option() {
    let dir = tempfile::tempdir().unwrap();
    for (journal, storage, option) in
        [("nonsense", "h:1", "--journal-addr"), ("h:1", "h:port", "--storage-addr")]
    {
        let line = line_of(&compute(dir.path(), journal, storage).output().unwrap(), 2);
        assert!(line.starts_with(&format!("firn: {option}: must be HOST:PORT, is ")), "{line}");
    }
}

#[test]
fn who_waits_for_an_address_where_nobody_listens_says_so_before_it_gives_up() {
    let dir = tempfile::tempdir().unwrap();
    let (_storage, storage) = storage(dir.path());
    let nobody = free_address();
    let out = compute(dir.path(), &nobody, &storage).output().unwrap();
    let line = line_of(&out, 4);
    assert!(line.contains("asking for the bounds of a log of the journal: "), "{line}");
    assert!(line.contains(&format!("{nobody}: Connection refused")), "{line}");
    let said = String::from_utf8_lossy(&out.stderr);
    let told = said.lines().filter(|line| line.contains("WARN") && line.contains("trying again"));
    assert_eq!(told.count(), 1, "{said}");
    // Nor does it take the branch from a writer that reaches its journal.
    let main = dir.path().join("objects/branches/main");
    assert!(!main.exists(), "claimed without a journal");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn of_two_members_with_one_number_the_second_is_not_heard_and_both_sides_say_why() {
    let dir = tempfile::tempdir().unwrap();
    let members: Vec<String> = (0..3).map(|_| free_address()).collect();
    let mut running = Vec::new();
    for (number, address) in (1..).zip(&members) {
        running.push(member(dir.path(), &format!("m{number}"), number, &members, address));
    }
    let handle = tokio::runtime::Handle::current();
    let env = firn_engine::Env::tokio(handle.clone(), handle);
    let admin = firn_services::journal::admin::JournalAdmin::new(
        env.clone(),
        members.clone(),
        Trust::default(),
    );
    let wait = async |what: &str, done: &dyn Fn() -> bool| {
        let waited = env.timeout(Duration::from_secs(60), async {
            while !done() {
                // Each look asks all members, which takes its time.
                drop(admin.states().await);
            }
        });
        assert!(waited.await.is_some(), "{what}");
    };
    // All have heard from each other when one leads.
    let log = |name: &str| {
        std::fs::read_to_string(dir.path().join(format!("{name}.log"))).unwrap_or_default()
    };
    wait("no leader", &|| {
        (1..=3).all(|n| log(&format!("m{n}")).contains("a raft group has a leader"))
    })
    .await;
    // The configuration of the second, with an empty disk and another port.
    let another = member(dir.path(), "again", 2, &members, &free_address());
    let why = "member 2 is known here with another disk: two processes have its number";
    wait("the second is not told", &|| log("again").matches(why).count() >= 2).await;
    // One line for each member that it meets, and none of the library's forms.
    let said = log("again");
    assert!(said.lines().filter(|line| line.contains(why)).count() <= 3, "{said}");
    assert!(!said.contains("source:") && !said.contains("hyper::"), "{said}");
    drop(another);
    drop(running);
}
