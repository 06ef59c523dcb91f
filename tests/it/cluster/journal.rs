//! The replicated journal as processes.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::Bytes;
use firn_engine::journal::{Journal, Record};
use firn_engine::{BranchName, Env, Epoch, ErrorKind, Seq, TaskClass};
use firn_services::journal::admin::{Change, JournalAdmin};
use firn_services::journal::{RemoteJournal, RemoteOptions};
use firn_services::rpc::Trust;
use firn_services::rpc::peers::Peers;
use futures::StreamExt;
use tempfile::TempDir;

use crate::wire::server::{Process, Server, client, firn, rows};

fn env() -> Env {
    let handle = tokio::runtime::Handle::current();
    Env::tokio(handle.clone(), handle)
}

/// A port that is free now.
fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// Members in a folder, killed when dropped.
pub(super) struct Members {
    folder: TempDir,
    addresses: BTreeMap<u64, String>,
    running: BTreeMap<u64, Process>,
}

impl Members {
    /// Starts `count` members with empty folders.
    pub(super) fn start(count: u64) -> Self {
        let addresses = (1..=count).map(|member| (member, free_address())).collect();
        let folder = tempfile::tempdir().unwrap();
        let mut members = Self { folder, addresses, running: BTreeMap::new() };
        for member in 1..=count {
            members.run(member, false);
        }
        members
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn data_dir(&self, member: u64) -> PathBuf {
        self.folder().join(format!("member-{member}"))
    }

    fn command(&self, member: u64, joins: bool) -> std::process::Command {
        let all = self.addresses.iter().map(|(number, address)| format!("{number}={address}"));
        let members = all.collect::<Vec<_>>().join(",");
        let (number, listen) = (member.to_string(), &self.addresses[&member]);
        let dir = self.data_dir(member);
        let mut args = vec!["journal", "--member", &number, "--members", &members];
        args.extend(["--listen", listen, "--data-dir", dir.to_str().unwrap()]);
        args.extend(["--http-addr", "none"]);
        args.extend(joins.then_some("--join"));
        firn(self.folder(), &args)
    }

    /// Starts a member with the folder that it has.
    fn run(&mut self, member: u64, joins: bool) {
        let log = self.folder().join(format!("log-{member}"));
        let (process, ready) = Process::start(self.command(member, joins), &log);
        assert!(ready.starts_with(&format!("journal member {member} at ")), "{ready}");
        self.running.insert(member, process);
    }

    /// Starts one more, which waits to be added.
    fn join(&mut self, member: u64) {
        self.addresses.insert(member, free_address());
        self.run(member, true);
    }

    fn kill(&mut self, member: u64) {
        self.running.remove(&member).expect("it runs").kill();
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.addresses.values().cloned().collect()
    }

    fn admin(&self) -> JournalAdmin {
        JournalAdmin::new(env(), self.names(), Trust::default())
    }

    fn journal(&self) -> RemoteJournal {
        let peers = Peers::new(env(), &self.names(), &Trust::default()).unwrap();
        RemoteJournal::new(env(), peers, RemoteOptions::default())
    }

    /// The member that leads, as the others say as well.
    async fn leader(&self) -> u64 {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let states = self.admin().states().await;
            let states: Vec<_> = states.into_iter().filter_map(|(_, state)| state.ok()).collect();
            let leads = |member| {
                let think = |state: &&_| -> bool {
                    let state: &firn_services::journal::admin::MemberState = state;
                    state.groups.iter().all(|group| group.leader == member)
                };
                states.iter().filter(think).count() > self.addresses.len() / 2
            };
            if let Some(leader) = states.iter().map(|s| s.member).find(|member| leads(*member)) {
                return leader;
            }
            assert!(Instant::now() < deadline, "no leader: {states:?}");
            env().sleep(Duration::from_millis(20)).await;
        }
    }
}

fn record(seq: u64) -> Record {
    Record {
        epoch: Epoch(1),
        first_seq: Seq(seq),
        last_seq: Seq(seq),
        unix_ms: 1_700_000_000_000,
        payload: Bytes::from(vec![seq as u8; 1000 + (seq % 7) as usize * 3000]),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_leaders_lose_nothing_and_appends_go_on() {
    let mut members = Members::start(3);
    let main = BranchName::main();
    let writer = members.journal().open(&main, Epoch(1)).await.unwrap();
    let (done, mut progress) = tokio::sync::watch::channel(0);
    let appending = env().spawn(TaskClass::Foreground, "appends", async move {
        let mut longest = Duration::ZERO;
        for seq in 1..=1500 {
            let begun = Instant::now();
            writer.append(record(seq)).await.unwrap();
            longest = longest.max(begun.elapsed());
            done.send_replace(seq);
        }
        longest
    });
    // kill -9 of whoever leads, twice; the one before is back by then.
    for at in [300, 900] {
        progress.wait_for(|seq| *seq >= at).await.unwrap();
        let leader = members.leader().await;
        members.kill(leader);
        progress.wait_for(|seq| *seq >= at + 200).await.unwrap();
        members.run(leader, false);
    }
    let longest = appending.await.expect("appends go on");
    eprintln!("the longest append over two killed leaders: {longest:?}");
    // Everybody is killed; what was acknowledged is on the disks of a majority.
    for member in 1..=3 {
        members.kill(member);
    }
    for member in 2..=3 {
        members.run(member, false);
    }
    let read = members.journal().read(&main, Seq(1)).await.unwrap();
    let read: Vec<Record> = read.map(Result::unwrap).collect().await;
    assert_eq!(read.len(), 1500);
    assert!(read.iter().zip(1..).all(|(found, seq)| *found == record(seq)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_is_added_another_removed_and_one_that_is_stopped_hands_its_office_over() {
    let mut members = Members::start(3);
    let main = BranchName::main();
    let writer = members.journal().open(&main, Epoch(1)).await.unwrap();
    for seq in 1..=400 {
        writer.append(record(seq)).await.unwrap();
    }
    // The fourth will not get these as entries any more.
    writer.trim(Seq(390)).await.unwrap();
    let unknown = members.admin().change(Change::Add(4)).await.unwrap_err();
    assert_eq!(unknown.kind(), ErrorKind::BadRequest, "{unknown}");
    assert!(unknown.to_string().contains("has it been started"), "{unknown}");
    members.join(4);
    members.admin().change(Change::Add(4)).await.unwrap();
    members.admin().change(Change::Lead(4)).await.unwrap();
    members.admin().change(Change::Remove(1)).await.unwrap();
    // A client that knows none but the first of the members finds the new leader.
    let peers = Peers::new(env(), &[members.addresses[&2].clone()], &Trust::default()).unwrap();
    let journal = RemoteJournal::new(env(), peers, RemoteOptions::default());
    assert_eq!(journal.bounds(&main).await.unwrap().last, Seq(400));
    for seq in 401..=450 {
        writer.append(record(seq)).await.unwrap();
    }
    members.kill(1);
    assert_eq!(members.leader().await, 4);
    let mut stopped = members.running.remove(&4).unwrap();
    let begun = Instant::now();
    stopped.terminate();
    writer.append(record(451)).await.unwrap();
    eprintln!("an append beside a leader that is stopped: {:?}", begun.elapsed());
    assert_eq!(stopped.wait(), Some(0));
    eprintln!("its end: {:?}", begun.elapsed());
    let log = std::fs::read_to_string(members.folder().join("log-4")).unwrap();
    assert!(!log.contains("ERROR"), "{log}");
    let read = members.journal().read(&main, Seq(391)).await.unwrap();
    let read: Vec<Record> = read.map(Result::unwrap).collect().await;
    assert!(read.iter().zip(391..).all(|(found, seq)| *found == record(seq)));
    assert_eq!(read.len(), 61);
}

#[test]
fn a_member_does_not_start_with_the_folder_of_another_or_without_its_number() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let _inside = runtime.enter();
    let mut members = Members::start(3);
    members.kill(2);
    let fails = |mut command: std::process::Command| {
        let out = command.output().unwrap();
        assert!(!out.status.success());
        String::from_utf8(out.stderr).unwrap()
    };
    let mut renamed = members.command(2, false);
    renamed.env("FIRN_JOURNAL__NAME", "another");
    let said = fails(renamed);
    assert!(said.contains("belongs to member 2 of journal \"firn\""), "{said}");
    assert!(said.contains("not to member 2 of journal \"another\""), "{said}");
    assert_eq!(said.lines().filter(|line| line.contains("belongs to")).count(), 1, "{said}");
    let said = fails(firn(members.folder(), &["journal", "--http-addr", "none"]));
    assert!(said.contains("journal.member is not set"), "{said}");
    let args = ["journal", "--member", "9", "--members", "1=127.0.0.1:1", "--http-addr", "none"];
    let said = fails(firn(members.folder(), &args));
    assert!(said.contains("journal.members does not name member 9"), "{said}");
    let said = fails(firn(members.folder(), &["compute", "--http-addr", "none"]));
    assert!(said.contains("journal.addresses is not set"), "{said}");
}

fn compute(members: &Members, storage: &str, name: &str) -> Server {
    let (journal, dir) = (members.names().join(","), members.folder().join(name));
    let mut args = vec!["compute", "--journal-addr", &journal, "--storage-addr", storage];
    args.extend(["--mysql-addr", "127.0.0.1:0", "--http-addr", "none"]);
    args.extend(["--data-dir", dir.to_str().unwrap()]);
    let mut command = firn(members.folder(), &args);
    command.env("FIRN_OBJECT_STORE__URL", members.folder().join("objects"));
    Server::start_as(command, &members.folder().join(format!("log-{name}")))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_compute_takes_the_branch_with_every_acknowledged_commit() {
    let mut members = Members::start(3);
    let args = ["storage", "--listen", "127.0.0.1:0", "--http-addr", "none"];
    let mut command = firn(members.folder(), &args);
    command.env("FIRN_OBJECT_STORE__URL", members.folder().join("objects"));
    let (_storage, ready) = Process::start(command, &members.folder().join("log-storage"));
    let storage = ready.strip_prefix("storage at ").expect("an address").to_owned();

    let first = compute(&members, &storage, "first");
    let mut writes = client(first.address(), None).await.unwrap();
    for sql in ["CREATE DATABASE d", "CREATE TABLE d.t (id INT PRIMARY KEY, v TEXT)"] {
        writes.query_all(sql.as_bytes()).await.unwrap();
    }
    for id in 0..200 {
        let sql = format!("INSERT INTO d.t VALUES ({id}, REPEAT('x', {id}))");
        writes.query_all(sql.as_bytes()).await.unwrap();
        if id == 100 {
            let leader = members.leader().await;
            members.kill(leader);
        }
    }
    first.kill();
    // On another folder, and with a journal of two members.
    let begun = Instant::now();
    let second = compute(&members, &storage, "second");
    let mut reads = client(second.address(), Some("d")).await.unwrap();
    let found = rows(&mut reads, "SELECT COUNT(*), SUM(LENGTH(v)) FROM t").await.unwrap();
    eprintln!("another compute answers after {:?}", begun.elapsed());
    assert_eq!(found, [["200", "19900"]]);
    reads.query_all(b"INSERT INTO t VALUES (1000, 'second')").await.unwrap();

    // A third takes the branch while the second lives: that one writes no more.
    let third = compute(&members, &storage, "third");
    let mut takes = client(third.address(), Some("d")).await.unwrap();
    takes.query_all(b"INSERT INTO t VALUES (1001, 'third')").await.unwrap();
    let late = reads.query_all(b"INSERT INTO t VALUES (1002, 'late')").await;
    assert!(late.is_err(), "a fenced writer acknowledged a commit");
    let found = rows(&mut takes, "SELECT id FROM t WHERE id >= 1000 ORDER BY id").await.unwrap();
    assert_eq!(found, [["1000"], ["1001"]]);
    third.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paused_leader_is_replaced_and_does_no_harm_when_it_goes_on() {
    let members = Members::start(3);
    let main = BranchName::main();
    let journal = members.journal();
    let writer = journal.open(&main, Epoch(1)).await.unwrap();
    for seq in 1..=100 {
        writer.append(record(seq)).await.unwrap();
    }
    let paused = members.running[&members.leader().await].pid();
    let signal = |signal| rustix::process::kill_process(paused, signal).unwrap();
    signal(rustix::process::Signal::STOP);
    let begun = Instant::now();
    writer.append(record(101)).await.unwrap();
    eprintln!("an append over a leader that is paused: {:?}", begun.elapsed());
    for seq in 102..=200 {
        writer.append(record(seq)).await.unwrap();
    }
    // It goes on as a leader of a term that is over; what it has is asked for at once.
    signal(rustix::process::Signal::CONT);
    assert_eq!(members.journal().bounds(&main).await.unwrap().last, Seq(200));
    let second = members.journal().open(&main, Epoch(2)).await.unwrap();
    let late = writer.append(record(201)).await.unwrap_err();
    assert_eq!(late.kind(), ErrorKind::Fenced, "{late}");
    assert_eq!(second.bounds().last, Seq(200));
    let read = members.journal().read(&main, Seq(1)).await.unwrap();
    let read: Vec<Record> = read.map(Result::unwrap).collect().await;
    assert_eq!(read.len(), 200);
    assert!(read.iter().zip(1..).all(|(found, seq)| *found == record(seq)));
}
