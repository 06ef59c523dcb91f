//! Three members of this process, over the loopback interface.

#![expect(clippy::print_stderr, reason = "what was measured is printed")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use firn_engine::journal::{Journal, Record};
use firn_engine::object::Layout;
use firn_engine::{BranchName, Env, Epoch, Seq};
use firn_grpc::v1::journal_peers_server::JournalPeersServer;
use firn_grpc::v1::journal_server::JournalServer;
use firn_services::journal::{RemoteJournal, RemoteOptions};
use firn_services::rpc::Trust;
use firn_services::rpc::peers::Peers;
use firn_services::rpc::serve::{Server, Serving};
use futures::{FutureExt, StreamExt};

use super::{Cluster, GrpcNetwork, JournalService, PeersService};
use crate::conformance::{Subject, run};
use crate::raft::{Accepted, Answer, MemberChange, MemoryStore, Node, Settings};
use crate::{AppendFault, ArchiveOptions, ArchivePlace, Archived};

const TICK: Duration = Duration::from_millis(10);

struct Life {
    node: Arc<Node>,
    _serving: Serving,
}

/// Members by number; those that are down have no life.
struct Members {
    env: Env,
    addresses: BTreeMap<u64, String>,
    stores: BTreeMap<u64, MemoryStore>,
    lives: BTreeMap<u64, Life>,
    journal: Arc<RemoteJournal>,
    archive: Option<ArchivePlace>,
}

impl Members {
    /// Starts members on `stores`, of which the first three found the groups.
    async fn start(
        env: &Env,
        stores: BTreeMap<u64, MemoryStore>,
        archive: Option<ArchivePlace>,
    ) -> Self {
        let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
        let trust = Trust::default();
        let mut servers = BTreeMap::new();
        let mut cluster = Cluster { number: 0xf142, ..Cluster::default() };
        for id in stores.keys() {
            let server = Server::bind("journal", any_port, &trust).unwrap();
            cluster.members.insert(*id, server.address().to_string());
            servers.insert(*id, server);
        }
        let mut lives = BTreeMap::new();
        for (id, server) in servers {
            let network = GrpcNetwork::connect(env, &cluster, id, &trust).unwrap();
            let network = Arc::new(network);
            let settings = Settings {
                groups: 2,
                entry_bytes_max: 256 << 10,
                cut_entries_min: 8,
                ..Settings::new(id, vec![1, 2, 3], env.random_u64())
            };
            let store = Arc::new(stores[&id].clone());
            let node =
                Node::start(env.clone(), settings, store, Arc::clone(&network) as _, TICK).await;
            let node = Arc::new(node.unwrap());
            network.tell(&node);
            let journal = JournalService::new(env.clone(), Arc::clone(&node), Arc::clone(&network));
            let journal = match archive.clone() {
                Some(place) => journal.archiving(place, "memory://"),
                None => journal,
            };
            let peers = PeersService::new(Arc::clone(&node), network);
            let serving = server
                .start(|routes| {
                    routes
                        .add_service(JournalServer::new(journal))
                        .add_service(JournalPeersServer::new(peers));
                })
                .await
                .unwrap();
            lives.insert(id, Life { node, _serving: serving });
        }
        let names: Vec<String> = cluster.members.values().cloned().collect();
        let peers = Peers::new(env.clone(), &names, &trust).unwrap();
        let options = RemoteOptions { try_max: Duration::from_secs(1), ..RemoteOptions::default() };
        let journal = Arc::new(RemoteJournal::new(env.clone(), peers, options));
        let addresses = cluster.members;
        Self { env: env.clone(), addresses, stores, lives, journal, archive }
    }

    async fn fresh(env: &Env, count: u64) -> Self {
        let stores = (1..=count).map(|id| (id, MemoryStore::default())).collect();
        Self::start(env, stores, None).await
    }

    /// The member that leads the group of `main`.
    async fn leader(&self) -> u64 {
        loop {
            for (id, life) in &self.lives {
                let bounds = life.node.readable(&BranchName::main()).await;
                if matches!(bounds, Answer::Readable(_)) {
                    return *id;
                }
            }
            self.env.sleep(TICK).await;
        }
    }

    fn group(&self) -> u32 {
        let status = self.lives.values().next().unwrap().node.status();
        let groups = status.len() as u64;
        u32::try_from(xxhash_rust::xxh3::xxh3_64(b"main") % groups).unwrap()
    }
}

#[async_trait]
impl Subject for Members {
    fn journal(&self) -> Arc<dyn Journal> {
        Arc::clone(&self.journal) as _
    }

    async fn crash(&mut self) {
        let mut stores = BTreeMap::new();
        for (id, store) in &self.stores {
            let survive = self.env.random_u64() % (store.unsynced() as u64 + 1);
            stores.insert(*id, store.after_crash(usize::try_from(survive).unwrap()));
        }
        self.lives.clear();
        *self = Self::start(&self.env.clone(), stores, self.archive.clone()).await;
    }

    fn fail_next_append(&mut self, _branch: &BranchName, _fault: AppendFault) -> bool {
        // The simulation makes replies get lost.
        false
    }
}

fn env() -> Env {
    let handle = tokio::runtime::Handle::current();
    Env::tokio(handle.clone(), handle)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_members_over_grpc_conform() {
    let env = env();
    let fresh = || {
        let env = env.clone();
        async move { Box::new(Members::fresh(&env, 3).await) as Box<dyn Subject> }.boxed()
    };
    run(&env, &fresh, 2).await;
}

fn record(seq: u64, len: usize) -> Record {
    Record {
        epoch: Epoch(1),
        first_seq: Seq(seq),
        last_seq: Seq(seq),
        unix_ms: 1_700_000_000_000,
        payload: Bytes::from(vec![seq as u8; len]),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn appends_go_on_when_their_leader_dies_and_none_is_lost_or_doubled() {
    let env = env();
    let mut members = Members::fresh(&env, 3).await;
    let writer = members.journal.open(&BranchName::main(), Epoch(1)).await.unwrap();
    let mut tail = members.journal.tail(&BranchName::main(), Seq(1)).await.unwrap();
    let appending = env.spawn(firn_engine::TaskClass::Foreground, "appends", {
        let (env, writer) = (env.clone(), Arc::clone(&writer));
        async move {
            let mut longest = Duration::ZERO;
            for seq in 1..=300 {
                let begun = env.now();
                writer.append(record(seq, 1000)).await.unwrap();
                longest = longest.max(env.now().since(begun));
            }
            longest
        }
    });
    for seq in 1..=50 {
        assert_eq!(tail.next().await.unwrap().unwrap(), record(seq, 1000));
    }
    let leader = members.leader().await;
    members.lives.remove(&leader);
    let longest = appending.await.expect("appends go on");
    eprintln!("the longest append, over a change of leaders: {longest:?}");
    for seq in 51..=300 {
        assert_eq!(tail.next().await.unwrap().unwrap(), record(seq, 1000));
    }
    let read = members.journal.read(&BranchName::main(), Seq(1)).await.unwrap();
    let read: Vec<Record> = read.map(Result::unwrap).collect().await;
    assert!(read.iter().map(|r| r.first_seq.0).eq(1..=300));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_joins_by_base_and_log_and_another_leaves_while_writes_go_on() {
    let env = env();
    let members = Members::fresh(&env, 4).await;
    let writer = members.journal.open(&BranchName::main(), Epoch(1)).await.unwrap();
    for seq in 1..=100 {
        writer.append(record(seq, 1000)).await.unwrap();
    }
    // What the fourth will not get as entries any more.
    writer.trim(Seq(90)).await.unwrap();
    let group = members.group();
    let changed = async |change| {
        // A learner has to have the log first; a new leader is asked again.
        env.timeout(Duration::from_secs(20), async {
            loop {
                let leader = members.leader().await;
                let node = &members.lives[&leader].node;
                match node.change_members(group, change).await {
                    Answer::Done(Ok(Accepted::MembersChanged), _) => return,
                    Answer::Refused(e) => assert!(e.is_retryable(), "{change:?}: {e:?}"),
                    _ => {}
                }
                env.sleep(TICK).await;
            }
        })
        .await
        .expect("in time");
    };
    changed(MemberChange::Learner(4)).await;
    changed(MemberChange::Voter(4)).await;
    let leader = members.leader().await;
    let leaves = (1..=3).find(|id| *id != leader).unwrap();
    changed(MemberChange::Removed(leaves)).await;
    let status = &members.lives[&4].node.status()[group as usize];
    assert!(status.base_index > 1, "it got a base: {status:?}");
    // Leadership is handed to it.
    let handed = async {
        while members.leader().await != 4 {
            let leader = members.leader().await;
            members.lives[&leader].node.transfer(group, 4).await;
            env.sleep(TICK).await;
        }
    };
    env.timeout(Duration::from_secs(20), handed).await.expect("in time");
    for seq in 101..=150 {
        writer.append(record(seq, 1000)).await.unwrap();
    }
    let records = members.lives[&4].node.records(&BranchName::main(), Seq(91), 1 << 20).await;
    assert!(records.unwrap().iter().map(|r| r.first_seq.0).eq(91..=150));
    assert_eq!(members.addresses.len(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_leads_archives_what_it_trims_and_the_next_leader_goes_on() {
    let env = env();
    let options = ArchiveOptions { segment_bytes: 5000, ..ArchiveOptions::default() };
    let place = ArchivePlace {
        store: Arc::new(object_store::memory::InMemory::new()),
        layout: Layout::new(object_store::path::Path::from("db")),
        options: options.clone(),
    };
    let stores = (1..=3).map(|id| (id, MemoryStore::default())).collect();
    let mut members = Members::start(&env, stores, Some(place.clone())).await;
    let main = BranchName::main();
    let journal = Arc::clone(&members.journal) as Arc<dyn Journal>;
    let (store, layout) = (Arc::clone(&place.store), place.layout.clone());
    let archived = Archived::new(env.clone(), journal, store, layout, options).by_the_journal();
    let writer = archived.open(&main, Epoch(1)).await.unwrap();
    let all = async || -> Vec<u64> {
        let read = archived.read(&main, Seq(1)).await.unwrap();
        read.map(|record| record.unwrap().first_seq.0).collect().await
    };
    let trimmed = async |through| {
        let trimmed = async {
            while archived.bounds(&main).await.unwrap().trimmed < Seq(through) {
                env.sleep(TICK).await;
            }
        };
        env.timeout(Duration::from_secs(30), trimmed).await.expect("in time");
    };
    for seq in 1..=50 {
        writer.append(record(seq, 1000)).await.unwrap();
    }
    writer.trim(Seq(30)).await.unwrap();
    trimmed(30).await;
    assert!(all().await.into_iter().eq(1..=50));
    // A leader that goes before it has stored what it shall: the writer asks again, as a
    // database does after its next flush.
    let leader = members.leader().await;
    writer.trim(Seq(40)).await.unwrap();
    members.lives.remove(&leader);
    for seq in 51..=80 {
        writer.append(record(seq, 1000)).await.unwrap();
    }
    writer.trim(Seq(70)).await.unwrap();
    trimmed(70).await;
    assert!(all().await.into_iter().eq(1..=80));
    // Past the end: done when it returns.
    writer.trim(Seq(90)).await.unwrap();
    assert_eq!(archived.bounds(&main).await.unwrap().trimmed, Seq(90));
    writer.append(record(91, 1000)).await.unwrap();
    let segments = place.store.list(None).count().await;
    assert!(segments > 10, "{segments} segments of at most 5,000 bytes");
}
