//! An archive of the journal that only some of the parts know of.

use std::path::Path;
use std::process::Command;

use bytes::Bytes;
use firn_engine::journal::{Journal, Record};
use firn_engine::{BranchName, Env, Epoch, ErrorKind, Seq};
use firn_services::journal::{RemoteJournal, RemoteOptions};
use firn_services::rpc::Trust;
use firn_services::rpc::peers::Peers;

use crate::command::line_of;
use crate::wire::server::{Process, Server, client, firn};

/// The only member of a journal, which archives in the folder `archive`, or nowhere.
fn member(folder: &Path, archive: Option<&str>) -> (Process, String) {
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let address = address.to_string();
    let members = format!("1={address}");
    let args = ["journal", "--member", "1", "--members", &members, "--listen", &address];
    let mut command = firn(folder, &[&args[..], &["--http-addr", "none"]].concat());
    command.env("FIRN_DATA_DIR", folder.join("member"));
    if let Some(archive) = archive {
        command.env("FIRN_JOURNAL__ARCHIVE", "true");
        command.env("FIRN_OBJECT_STORE__URL", folder.join(archive));
    }
    (Process::start(command, &folder.join("member.log")).0, address)
}

fn up(folder: &Path, journal: &str, archive: bool) -> Command {
    let args = ["up", "--mysql-addr", "127.0.0.1:0", "--http-addr", "none"];
    let mut command = firn(folder, &args);
    command.env("FIRN_JOURNAL__ADDRESSES", journal);
    command.env("FIRN_JOURNAL__ARCHIVE", archive.to_string());
    command.env("FIRN_OBJECT_STORE__URL", folder.join("objects"));
    command
}

#[test]
fn who_reads_an_archive_that_the_members_do_not_write_does_not_start() {
    for (members, says) in
        [(None, "set it for all members as well, or not here"), (Some("elsewhere"), "archives at ")]
    {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().canonicalize().unwrap();
        let (_member, address) = member(&folder, members);
        let out = up(&folder, &address, true).output().unwrap();
        let line = line_of(&out, 2);
        assert!(line.contains("journal.archive"), "{line}");
        assert!(line.contains(&format!("member 1 at {address}")), "{line}");
        assert!(line.contains(says), "{line}");
        assert!(line.contains(folder.join("objects").to_str().unwrap()), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_archive_that_is_not_read_is_told_and_one_that_all_know_is_not() {
    for reads in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().canonicalize().unwrap();
        let (_member, address) = member(&folder, Some("objects"));
        let server = Server::start_as(up(&folder, &address, reads), &folder.join("up.log"));
        let mut client = client(server.address(), None).await.unwrap();
        client.query_all(b"CREATE DATABASE d").await.unwrap();
        drop(client);
        server.stop();
        let log = std::fs::read_to_string(folder.join("up.log")).unwrap();
        let told = log.lines().filter(|line| line.contains("journal.archive is not set here"));
        assert_eq!(told.count(), usize::from(!reads), "{log}");
        assert!(!log.contains("was not trimmed"), "{log}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_member_that_does_not_archive_trims_nothing_that_should_be_archived() {
    let dir = tempfile::tempdir().unwrap();
    let (_member, address) = member(dir.path(), None);
    let handle = tokio::runtime::Handle::current();
    let env = Env::tokio(handle.clone(), handle);
    let peers = Peers::new(env.clone(), &[address], &Trust::default()).unwrap();
    let (times, at) = (RemoteOptions::default(), "s3://bucket/prefix".to_owned());
    let journal = RemoteJournal::archived_at(env, peers, times, at);
    let writer = journal.open(&BranchName::main(), Epoch(1)).await.unwrap();
    let append = |seq| {
        writer.append(Record {
            epoch: Epoch(1),
            first_seq: Seq(seq),
            last_seq: Seq(seq),
            unix_ms: 0,
            payload: Bytes::from_static(b"x"),
        })
    };
    append(1).await.unwrap();
    append(2).await.unwrap();
    let refused = writer.trim(Seq(1)).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::BadRequest, "{refused}");
    let said = refused.to_string();
    assert!(said.contains("the writer's archive is s3://bucket/prefix"), "{said}");
    assert!(said.ends_with("does not archive: journal.archive is not set for it"), "{said}");
    // It is no reason to stop writing.
    append(3).await.unwrap();
    let bounds = journal.bounds(&BranchName::main()).await.unwrap();
    assert_eq!((bounds.trimmed, bounds.last), (Seq(0), Seq(3)));
}
