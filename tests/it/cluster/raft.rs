//! Members of the replicated journal in the simulated world, with disks in memory.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use firn_engine::journal::{Journal, Record};
use firn_engine::{BranchName, Env, Epoch, Result, Seq, TaskClass};
use firn_grpc::v1::journal_peers_server::JournalPeersServer;
use firn_grpc::v1::journal_server::JournalServer;
use firn_journal::ArchivePlace;
use firn_journal::raft::{Answer, MemoryStore, Node, Settings};
use firn_journal::service::{Cluster, GrpcNetwork, JournalService, PeersService};
use firn_services::journal::{RemoteJournal, RemoteOptions};
use firn_services::rpc::Trust;
use firn_services::rpc::network::{Incoming, Network};
use firn_services::rpc::peers::Peers;
use firn_services::rpc::serve::{Server, Serving};

use super::wires::Wires;

const COUNT: u64 = 3;
const TICK: Duration = Duration::from_millis(250);

fn address(member: u64) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 1, member as u8)), 7402)
}

/// Where the members are. They run as long as the world does.
pub(crate) struct Members {
    env: Env,
    wires: Wires,
    cluster: Cluster,
}

/// A running member; dropped, it is gone as after kill -9.
pub(crate) struct Life {
    pub(crate) node: Arc<Node>,
    _serving: Serving,
}

/// Where a member is, and how others get there and it to others.
pub(crate) struct Place {
    pub(crate) address: SocketAddr,
    pub(crate) incoming: Incoming,
    pub(crate) network: Arc<dyn Network>,
    /// Where it archives what it trims, and what that place is called.
    pub(crate) archive: Option<(ArchivePlace, &'static str)>,
}

impl Members {
    /// Starts them, and from then on lets one at a time crash and come back.
    pub(crate) fn start(env: &Env, wires: &Wires) -> Self {
        let members = (1..=COUNT).map(|member| (member, address(member).to_string())).collect();
        let cluster = Cluster::named("simulated", 2, members);
        let (env, wires) = (env.clone(), wires.clone());
        let run = run(env.clone(), wires.clone(), cluster.clone());
        drop(env.spawn(TaskClass::Foreground, "members", run));
        Self { env, wires, cluster }
    }

    /// A client of theirs.
    pub(crate) fn journal(&self) -> RemoteJournal {
        let names: Vec<String> = self.cluster.members.values().cloned().collect();
        let wires = Arc::new(self.wires.clone());
        let peers = Peers::on(wires, self.env.clone(), &names, &Trust::default()).unwrap();
        let deadline = Duration::from_secs(600);
        let options = RemoteOptions { deadline, ..RemoteOptions::default() };
        RemoteJournal::new(self.env.clone(), peers, options)
    }
}

/// Starts a member.
pub(crate) async fn live(
    env: &Env,
    at: Place,
    cluster: &Cluster,
    settings: Settings,
    disk: &MemoryStore,
) -> Result<Life> {
    live_with(env, at, cluster, settings, disk, TICK).await
}

async fn live_with(
    env: &Env,
    at: Place,
    cluster: &Cluster,
    settings: Settings,
    disk: &MemoryStore,
    tick: Duration,
) -> Result<Life> {
    let (trust, own) = (Trust::default(), settings.member);
    let network = GrpcNetwork::connect_on(at.network, env, cluster, own, &trust)?;
    let network = Arc::new(network);
    let (store, sends) = (Arc::new(disk.clone()) as _, Arc::clone(&network) as _);
    let node = Node::start(env.clone(), settings, store, sends, tick).await?;
    let node = Arc::new(node);
    network.tell(&node);
    let journal = JournalService::new(env.clone(), Arc::clone(&node), Arc::clone(&network));
    let journal = match at.archive {
        Some((place, name)) => journal.archiving(place, name),
        None => journal,
    };
    let peers = PeersService::new(Arc::clone(&node), network);
    let server = Server::on(at.address, at.incoming, &trust)?;
    let serving = server
        .start(|routes| {
            routes
                .add_service(JournalServer::new(journal))
                .add_service(JournalPeersServer::new(peers));
        })
        .await?;
    Ok(Life { node, _serving: serving })
}

async fn begin(env: &Env, wires: &Wires, cluster: &Cluster, own: u64, disk: &MemoryStore) -> Life {
    begin_with(env, wires, cluster, own, disk, TICK).await
}

async fn begin_with(
    env: &Env,
    wires: &Wires,
    cluster: &Cluster,
    own: u64,
    disk: &MemoryStore,
    tick: Duration,
) -> Life {
    let settings = Settings {
        groups: 2,
        entry_bytes_max: 16 << 10,
        cut_entries_min: 8,
        ..Settings::new(own, (1..=COUNT).collect(), env.random_u64())
    };
    let (address, network) = (address(own), Arc::new(wires.clone()));
    let at = Place { address, incoming: wires.listen(address), network, archive: None };
    live_with(env, at, cluster, settings, disk, tick).await.unwrap()
}

/// The members' lives, until the world ends.
async fn run(env: Env, wires: Wires, cluster: Cluster) {
    let mut disks: BTreeMap<u64, MemoryStore> =
        (1..=COUNT).map(|member| (member, MemoryStore::default())).collect();
    let mut lives = BTreeMap::new();
    for (member, disk) in &disks {
        lives.insert(*member, begin(&env, &wires, &cluster, *member, disk).await);
    }
    let below = |bound: u64| env.random_u64() % bound;
    loop {
        env.sleep(Duration::from_secs(5 + below(60))).await;
        let member = 1 + below(COUNT);
        lives.remove(&member);
        // A disk of its own for the next life: what the old one still writes is lost.
        let disk = &disks[&member];
        let survive = usize::try_from(below(disk.unsynced() as u64 + 1)).unwrap_or(0);
        let disk = disk.after_crash(survive);
        env.sleep(Duration::from_secs(below(20))).await;
        lives.insert(member, begin(&env, &wires, &cluster, member, &disk).await);
        disks.insert(member, disk);
    }
}

/// A client asked the silent leader again and again, for ten seconds, since it was the next
/// in its list and the others still named it.
#[tokio::test(start_paused = true)]
async fn appends_go_on_within_seconds_when_the_leader_falls_silent() {
    let tick = Duration::from_millis(50);
    for seed in 0..30 {
        let env = Env::simulated(seed);
        let wires = Wires::new(env.clone(), 0, 2);
        let members = (1..=COUNT).map(|member| (member, address(member).to_string())).collect();
        let cluster = Cluster::named("simulated", 2, members);
        let mut lives = BTreeMap::new();
        for member in 1..=COUNT {
            let disk = MemoryStore::default();
            lives.insert(member, begin_with(&env, &wires, &cluster, member, &disk, tick).await);
        }
        let members = Members { env: env.clone(), wires: wires.clone(), cluster };
        let main = BranchName::main();
        let writer = members.journal().open(&main, Epoch(1)).await.unwrap();
        let record = |seq| Record {
            epoch: Epoch(1),
            first_seq: Seq(seq),
            last_seq: Seq(seq),
            unix_ms: 0,
            payload: Bytes::from_static(b"record"),
        };
        writer.append(record(1)).await.unwrap();
        let mut leader = None;
        for (member, life) in &lives {
            if matches!(life.node.readable(&main).await, Answer::Readable(_)) {
                leader = Some(*member);
            }
        }
        let leader = leader.expect("one has just taken a record");
        wires.silence(address(leader));
        drop(lives.remove(&leader));
        let begun = env.now();
        writer.append(record(2)).await.unwrap();
        let took = env.now().since(begun);
        // An election, and a second one if two members stand at once.
        assert!(took < Duration::from_secs(5), "seed {seed}: {took:?}");
        assert_eq!(members.journal().bounds(&main).await.unwrap().last, Seq(2), "seed {seed}");
    }
}
