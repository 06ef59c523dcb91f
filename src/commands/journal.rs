//! `firn journal`: a member of the replicated journal.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use firn_engine::{Context, Env, Error, ErrorKind, Result, TaskClass};
use firn_journal::raft::{DiskStore, Identity, Node, Settings};
use firn_journal::service::{self, AdminService, Cluster, GrpcNetwork};
use firn_journal::{ArchiveOptions, ArchivePlace};
use firn_services::config::Config;
use firn_services::metrics::{Collect, Writer};
use firn_services::rpc::serve::{Server, Serving};
use firn_services::runtime::Runtimes;
use firn_services::shutdown::{Shutdown, Stopping};

use super::health::Health;
use crate::data_dir::DataDir;
use crate::metrics::StoreMetrics;
use crate::store::{Store, place};

/// Length of raft's ticks: an election begins after 16 to 32 of them without a leader.
const TICK: Duration = Duration::from_millis(50);
/// How long everything may take to stop.
const STOP_MAX: Duration = Duration::from_secs(10);
/// How long leadership may take to go to others.
const HAND_OVER_MAX: Duration = Duration::from_secs(5);
/// When another member is asked to lead, if the first has not taken over.
const HAND_OVER_TRY: Duration = Duration::from_secs(1);
/// Streams of writers and readers do not end by themselves: they go elsewhere.
const CALLS_GRACE: Duration = Duration::from_millis(300);

/// A running member.
struct Running {
    node: Arc<Node>,
    serving: Serving,
    member: u64,
    _dir: DataDir,
}

pub(super) async fn run(config: &Config, runtimes: &Runtimes, shutdown: &Shutdown) -> Result<()> {
    let member = own_number(config)?;
    let env = runtimes.env();
    let dir = DataDir::take(&config.data_dir)?;
    let server = Server::bind("journal.listen", config.journal.listen, &config.rpc.trust())?;
    let admin: Arc<OnceLock<AdminService>> = Arc::default();
    let status = {
        let (admin, listen) = (Arc::clone(&admin), config.journal.listen.to_string());
        move || {
            let state = admin.get().map(AdminService::state);
            serde_json::json!({ "part": "journal", "listen": listen, "state": state })
        }
    };
    let health = Health::start(config, runtimes, status).await?;
    health.readiness.not_ready("journal", "opening: its log is read");
    server.register(&health.metrics);
    let opened = shutdown.interrupts(open(config, &env, member, dir, server, &admin, &health));
    let opened = opened.await;
    let mut failed = None;
    if let (Ok(running), Some(admin)) = (&opened, admin.get()) {
        health.metrics.add(JournalMetrics(admin.clone()));
        let node = Arc::clone(&running.node);
        health.readiness.check("journal", move || {
            match node.status().iter().find(|group| group.leader == 0) {
                Some(group) => Err(format!("raft group {} has no leader", group.group)),
                None => Ok(()),
            }
        });
        tokio::select! {
            _ = shutdown.requested() => {}
            error = running.node.failed() => failed = Some(error),
        }
    }
    health.readiness.not_ready("process", "stopping");
    let mut stopping = Stopping::within(STOP_MAX);
    let result = match opened {
        Ok(running) => {
            let stopped = async {
                if failed.is_none() {
                    hand_over(&env, &running).await;
                }
                running.serving.stop(CALLS_GRACE).await;
                Ok(())
            };
            stopping.part("journal", stopped).await;
            failed.map_or(Ok(()), |error| Err(error.context("the journal has stopped")))
        }
        Err(_) if shutdown.is_requested() => Ok(()),
        Err(error) => Err(error),
    };
    health.stop(&mut stopping).await;
    result.and(stopping.finish())
}

/// This member's number; where it is must be known as well.
fn own_number(config: &Config) -> Result<u64> {
    let bad = |why: String| Error::new(ErrorKind::BadRequest, why);
    let Some(member) = config.journal.member else {
        let why = "journal.member is not set: say which member this is with --member NUMBER";
        return Err(bad(why.to_owned()));
    };
    if !config.journal.members.contains_key(&member) {
        let why = format!(
            "journal.members does not name member {member}: name all, this one included, with \
             --members 1=HOST:PORT,2=HOST:PORT,…"
        );
        return Err(bad(why));
    }
    Ok(member)
}

async fn open(
    config: &Config,
    env: &Env,
    member: u64,
    dir: DataDir,
    server: Server,
    admin: &OnceLock<AdminService>,
    health: &Health,
) -> Result<Running> {
    let journal = &config.journal;
    let (name, groups) = (journal.name.clone(), journal.groups);
    let cluster = Cluster::named(&name, groups, journal.members.clone());
    let identity = Identity { cluster: name, member, groups };
    let (folder, of) = (dir.path().join("raft"), env.clone());
    let open = move || DiskStore::open(of, &folder, identity);
    let store = env.blocking(TaskClass::Foreground, "journal-open", open).await;
    let stopped = || Error::new(ErrorKind::Unavailable, "opening the journal was stopped");
    let store = Arc::new(store.ok_or_else(stopped)??);
    let cluster = cluster.on_disk(store.number());
    let network = GrpcNetwork::connect(env, &cluster, member, &config.rpc.trust());
    let network = Arc::new(network.context(|| "journal.members")?);
    let founders =
        if journal.join { Vec::new() } else { journal.members.keys().copied().collect() };
    let settings = Settings { groups, ..Settings::new(member, founders, env.random_u64()) };
    let (log, sending) = (Arc::clone(&store) as _, Arc::clone(&network) as _);
    let node = Arc::new(Node::start(env.clone(), settings, log, sending, TICK).await?);
    network.tell(&node);
    let mut asked = AdminService::new(Arc::clone(&node), Arc::clone(&network), store);
    let archive = match journal.archive {
        false => None,
        true => {
            let objects = Store::open(config, env).await?;
            health.metrics.add(StoreMetrics(Arc::clone(&objects.stats)));
            // A folder is there once the store was opened.
            asked = asked.archiving_at(&place(config)?);
            let (store, layout) = (objects.objects, objects.layout);
            Some(ArchivePlace { store, layout, options: ArchiveOptions::default() })
        }
    };
    // The only one who sets it.
    let _ = admin.set(asked.clone());
    let serving = server
        .start(|routes| service::add_to(routes, env, &node, &network, asked, archive))
        .await?;
    tracing::info!(member, address = %serving.address(), "the journal is served");
    super::print(&format!("ready: journal member {member} at {}\n", serving.address()))?;
    Ok(Running { node, serving, member, _dir: dir })
}

/// Gives leadership to others, so that writers need not wait for an election.
async fn hand_over(env: &Env, running: &Running) {
    let begun = env.now();
    loop {
        let mut led = Vec::new();
        for group in running.node.status() {
            if group.leader != running.member {
                continue;
            }
            let matched = |id: &u64| group.matched.get(id).copied().unwrap_or(0);
            let mut others: Vec<u64> = group.members.voters.clone();
            others.retain(|id| *id != running.member);
            others.sort_by_key(|id| std::cmp::Reverse(matched(id)));
            if !others.is_empty() {
                led.push((group.group, others));
            }
        }
        let waited = env.now().since(begun);
        if led.is_empty() || waited >= HAND_OVER_MAX {
            return;
        }
        // The one with the most of the log first, then those after it.
        let turn = (waited.as_millis() / HAND_OVER_TRY.as_millis()) as usize;
        for (group, others) in led {
            running.node.transfer(group, others[turn % others.len()]).await;
        }
        env.sleep(TICK).await;
    }
}

/// What a member counts, for Prometheus.
#[derive(Debug)]
struct JournalMetrics(AdminService);

impl Collect for JournalMetrics {
    fn collect(&self, out: &mut Writer) {
        let state = self.0.state();
        let disk = "Bytes that the journal's log takes on the disk.";
        out.gauge("firn_journal_disk_bytes", disk, &[], state.disk_bytes);
        for group in &state.groups {
            let number = group.group.to_string();
            let labels = [("group", number.as_str())];
            let leads = u64::from(group.leader == state.member);
            let lag = group.committed.saturating_sub(group.applied);
            let gauges = [
                ("firn_journal_leads", "1 if this member leads the raft group.", leads),
                ("firn_journal_leader", "The member that leads; 0 if unknown.", group.leader),
                ("firn_journal_term", "Raft's term.", group.term),
                ("firn_journal_committed_index", "Last committed raft entry.", group.committed),
                ("firn_journal_apply_lag", "Committed entries not applied yet.", lag),
                ("firn_journal_kept_bytes", "Bytes of records not trimmed yet.", group.bytes),
            ];
            for (name, about, value) in gauges {
                out.gauge(name, about, &labels, value);
            }
        }
    }
}
