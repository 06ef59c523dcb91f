//! The parts of a cluster as processes on machines: three members of the journal and some to
//! take their place, two storage services, three workers, two engines, a gardener of branches,
//! and one object store.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use firn_compaction::{Worker, WorkerOptions};
use firn_engine::journal::Journal;
use firn_engine::merge::MergeContext;
use firn_engine::object::{
    FaultPlan, FaultStore, Layout, RetryOptions, RetryingStore, StoreBlocks,
};
use firn_engine::{Env, Options, Parts, Result, TaskClass};
use firn_journal::raft::{MemoryStore, Node, Settings};
use firn_journal::service::Cluster as Group;
use firn_journal::{ArchiveOptions, ArchivePlace, Archived};
use firn_services::clients::{RemoteBlocks, RemoteCompaction, RemoteStorage};
use firn_services::journal::{RemoteJournal, RemoteOptions};
use firn_services::rpc::Trust;
use firn_services::rpc::peers::Peers;
use firn_services::rpc::serve::{Server, Serving};
use firn_storage::StorageService;
use firn_storage::picker::PickerOptions;
use firn_storage::rpc::StorageRpc;
use firn_table::Schemas;
use object_store::ObjectStore;
use object_store::path::Path;
use parking_lot::Mutex;

use super::compute::Compute;
use super::forest::Forest;
use super::gardener::Gardener;
use super::ledger::{Ledger, SharedLedger};
use super::network::{Machine, Net, address};
use super::planted::{self, Planted};
use super::process::{Gate, Process};
use super::store::Uplink;
use super::verdict::Verdict;
use super::witness::Witness;
use crate::cluster::raft;

/// The journal's first members, and all that there may ever be.
pub(crate) const FOUNDERS: [Machine; 3] = [1, 2, 3];
pub(crate) const JOURNALS: [Machine; 5] = [1, 2, 3, 4, 5];
pub(crate) const STORAGES: [Machine; 2] = [11, 12];
pub(crate) const WORKERS: [Machine; 3] = [21, 22, 23];
pub(crate) const COMPUTES: [Machine; 2] = [31, 32];
const GARDENER: Machine = 41;
/// Those with engines, which read.
pub(crate) const READERS: [Machine; 3] = [31, 32, GARDENER];

/// Raft groups of the journal.
pub(crate) const GROUPS: u32 = 2;
/// Where the archive is, as the parts tell each other.
const ARCHIVE: &str = "memory://db";

/// What keeps a process's part going.
enum Part {
    Journal(raft::Life),
    Storage { service: Arc<StorageService>, _serving: Serving },
    Worker { _worker: Worker },
    Compute,
}

/// One life of a process.
struct Life {
    process: Process,
    part: Part,
}

/// What a machine keeps from one life to the next.
struct Host {
    /// To the object store.
    way: Gate,
    lapsed: Arc<AtomicBool>,
    life: Option<Life>,
    lives: u64,
}

/// See the module.
pub(crate) struct Cluster {
    pub(crate) env: Env,
    pub(crate) verdict: Verdict,
    /// Of `main`.
    pub(crate) ledger: SharedLedger,
    pub(crate) forest: Forest,
    pub(crate) net: Net,
    pub(crate) faults: FaultStore,
    pub(crate) witness: Witness,
    pub(crate) layout: Layout,
    pub(crate) stopping: Arc<AtomicBool>,
    pub(crate) standby_ms_max: u64,
    pub(crate) planted: Planted,
    /// Whether the journal's members archive what they trim.
    pub(crate) archiving: bool,
    /// How long the gardener rests, at most; there is none if it is 0.
    pub(crate) garden_ms_max: u64,
    /// Machines with members of the journal, by which they find each other.
    journals: Vec<Machine>,
    disks: BTreeMap<Machine, MemoryStore>,
    hosts: BTreeMap<Machine, Host>,
}

impl Cluster {
    /// Nothing runs yet.
    pub(crate) fn new(env: &Env, net: Net, faults: FaultPlan) -> Self {
        let verdict = Verdict::default();
        let layout = Layout::new(Path::from("db"));
        let witness = Witness::new(&layout, &verdict);
        let ledger = Arc::new(Mutex::new(Ledger::new(&verdict, "main", 0)));
        let mut cluster = Self {
            env: env.clone(),
            forest: Forest::new(&verdict, &ledger),
            ledger,
            net,
            faults: FaultStore::new(Arc::new(witness.clone()), env.clone(), faults),
            witness,
            layout,
            stopping: Arc::default(),
            standby_ms_max: 20_000,
            planted: Planted::Nothing,
            archiving: true,
            garden_ms_max: 6000,
            journals: FOUNDERS.into(),
            disks: JOURNALS.map(|machine| (machine, MemoryStore::default())).into(),
            hosts: BTreeMap::new(),
            verdict,
        };
        let all = [&JOURNALS[..], &STORAGES, &WORKERS, &READERS].concat();
        all.into_iter().for_each(|machine| cluster.add_machine(machine));
        cluster
    }

    /// The machines whose processes are to run.
    pub(crate) fn machines(&self) -> Vec<Machine> {
        let gardener: &[Machine] = if self.garden_ms_max > 0 { &[GARDENER] } else { &[] };
        [&self.journals[..], &STORAGES, &WORKERS, &COMPUTES, gardener].concat()
    }

    /// The machines with members of the journal, or that have just been taken away from it.
    pub(crate) fn journals(&self) -> &[Machine] {
        &self.journals
    }

    /// A machine on which there is to be a member of the journal.
    pub(crate) async fn hire(&mut self, machine: Machine) -> Result<()> {
        self.journals.push(machine);
        self.start(machine).await
    }

    /// A machine with a member that was removed is switched off for good.
    pub(crate) fn dismiss(&mut self, machine: Machine) {
        self.journals.retain(|journal| *journal != machine);
        self.kill(machine);
    }

    /// Something that is done in a machine's process, if it runs.
    pub(crate) fn on(&self, machine: Machine, work: impl Future<Output = ()> + Send + 'static) {
        if let Some(life) = &self.hosts[&machine].life {
            drop(life.process.env.spawn(TaskClass::Foreground, "operator", work));
        }
    }

    /// One more machine, whose process is another's affair.
    pub(crate) fn add_machine(&mut self, machine: Machine) {
        let (way, lapsed) = (Gate::new(), Arc::default());
        self.hosts.insert(machine, Host { way, lapsed, life: None, lives: 0 });
    }

    pub(crate) fn below(&self, bound: u64) -> u64 {
        self.env.random_u64() % bound
    }

    pub(crate) fn is_running(&self, machine: Machine) -> bool {
        self.hosts[&machine].life.is_some()
    }

    pub(crate) fn node(&self, machine: Machine) -> Option<&Arc<Node>> {
        match &self.hosts[&machine].life.as_ref()?.part {
            Part::Journal(life) => Some(&life.node),
            _ => None,
        }
    }

    pub(crate) fn storage(&self, machine: Machine) -> Option<&Arc<StorageService>> {
        match &self.hosts[&machine].life.as_ref()?.part {
            Part::Storage { service, .. } => Some(service),
            _ => None,
        }
    }

    /// As by kill -9. A member of the journal loses what it has not synced, or some of it.
    pub(crate) fn kill(&mut self, machine: Machine) {
        let host = self.hosts.get_mut(&machine).expect("a machine");
        let Some(life) = host.life.take() else { return };
        life.process.kill();
        drop(life);
        if let Some(disk) = self.disks.get_mut(&machine) {
            let survive = self.env.random_u64() % (disk.unsynced() as u64 + 1);
            // A disk of its own for the next life: what the old one still writes is lost.
            *disk = disk.after_crash(usize::try_from(survive).unwrap_or(0));
        }
    }

    pub(crate) fn pause(&self, machine: Machine) {
        if let Some(life) = &self.hosts[&machine].life {
            life.process.gate.pause();
        }
    }

    pub(crate) fn resume(&self, machine: Machine) {
        if let Some(life) = &self.hosts[&machine].life {
            life.process.gate.resume();
        }
    }

    /// Whether a machine reaches the object store.
    pub(crate) fn set_cut(&self, machine: Machine, cut: bool) {
        let way = &self.hosts[&machine].way;
        if cut { way.pause() } else { way.resume() }
    }

    /// Something was away for so long that this reader's lease may have ended.
    pub(crate) fn set_lapsed(&self, machine: Machine) {
        self.hosts[&machine].lapsed.store(true, Ordering::Relaxed);
    }

    fn objects(&self, machine: Machine, process: &Process) -> Arc<dyn ObjectStore> {
        let (way, store) = (&self.hosts[&machine].way, Arc::new(self.faults.clone()));
        let mut uplink = Uplink::new(&self.env, &process.gate, way, &self.stopping, store);
        uplink.planted = self.planted;
        let options = RetryOptions::default();
        Arc::new(RetryingStore::new(Arc::new(uplink), process.env.clone(), options))
    }

    fn peers(&self, machine: Machine, process: &Process, of: &[Machine]) -> Peers {
        let names: Vec<_> = of.iter().map(|m| address(*m).to_string()).collect();
        let plug = Arc::new(self.net.plug(machine, &process.gate));
        Peers::on(plug, process.env.clone(), &names, &Trust::default()).expect("good addresses")
    }

    /// The storage services in the order in which a process asks them: it is not the same to
    /// all.
    fn storages(&self) -> Vec<Machine> {
        let mut storages = STORAGES.to_vec();
        if self.below(2) == 0 {
            storages.reverse();
        }
        storages
    }

    /// Starts a machine's process, unless it runs, or is not to run any more.
    pub(crate) async fn start(&mut self, machine: Machine) -> Result<()> {
        if self.is_running(machine) || !self.machines().contains(&machine) {
            return Ok(());
        }
        let process = Process::start(&self.env, &self.verdict);
        let part = if JOURNALS.contains(&machine) {
            Part::Journal(self.start_journal(machine, &process).await?)
        } else if STORAGES.contains(&machine) {
            self.start_storage(machine, &process).await?
        } else if WORKERS.contains(&machine) {
            self.start_worker(machine, &process)
        } else {
            self.start_engine(machine, &process);
            Part::Compute
        };
        let host = self.hosts.get_mut(&machine).expect("a machine");
        host.lives += 1;
        host.life = Some(Life { process, part });
        Ok(())
    }

    async fn start_journal(&self, machine: Machine, process: &Process) -> Result<raft::Life> {
        let plug = self.net.plug(machine, &process.gate);
        let incoming = plug.listen();
        let planted = match self.planted {
            Planted::Journal(bug) => bug,
            _ => firn_journal::raft::Planted::Nothing,
        };
        let settings = Settings {
            planted,
            groups: GROUPS,
            entry_bytes_max: 16 << 10,
            cut_entries_min: 16,
            ..Settings::new(machine.into(), FOUNDERS.map(u64::from).into(), self.env.random_u64())
        };
        let archive = self.archiving.then(|| (self.archive(machine, process), ARCHIVE));
        let network = Arc::new(plug);
        let at = raft::Place { address: address(machine), incoming, network, archive };
        let members = self.journals.iter().map(|m| (u64::from(*m), address(*m).to_string()));
        let group = Group::named("simulated", GROUPS, members.collect());
        raft::live(&process.env, at, &group, settings, &self.disks[&machine]).await
    }

    fn archive(&self, machine: Machine, process: &Process) -> ArchivePlace {
        let (store, layout) = (self.objects(machine, process), self.layout.clone());
        ArchivePlace { store, layout, options: self.archive_options() }
    }

    fn archive_options(&self) -> ArchiveOptions {
        let trims_first = self.planted == Planted::TrimBeforeArchive;
        ArchiveOptions { segment_bytes: 12 << 10, trims_first, ..ArchiveOptions::default() }
    }

    async fn start_storage(&self, machine: Machine, process: &Process) -> Result<Part> {
        let (env, plug) = (process.env.clone(), self.net.plug(machine, &process.gate));
        let (store, layout) = (self.objects(machine, process), self.layout.clone());
        let picker = PickerOptions {
            l0_files: 2,
            base_bytes_max: 20 << 10,
            job_bytes_max: 200 << 10,
            level_job_bytes: 40 << 10,
            shard_bytes: 10 << 10,
        };
        let name = format!("storage {machine}.{}", self.hosts[&machine].lives);
        let blocks = Arc::new(StoreBlocks::new(Arc::clone(&store), layout.clone()));
        let service = StorageService::start(env.clone(), &name, store, layout, picker);
        if let Planted::Storage(bug) = self.planted {
            service.plant(bug);
        }
        // It lives for long: whoever is a member then.
        service.end_logs_in(self.journal(machine, process, &JOURNALS));
        let blocks = Arc::new(firn_storage::blocks::CachedBlocks::new(256 << 10, blocks));
        let rpc = StorageRpc::new(env.clone(), Arc::clone(&service), blocks);
        let server = Server::on(address(machine), plug.listen(), &Trust::default())?;
        let serving = server.start(|routes| rpc.add_to(routes)).await?;
        let learner = Arc::downgrade(&service);
        // Each branch has its upkeep, whether anybody asks for it or not.
        let learn = async move {
            while let Some(service) = learner.upgrade() {
                if service.learn_branches().await.is_ok() {
                    return;
                }
            }
        };
        drop(process.env.spawn(TaskClass::Background, "learn", learn));
        Ok(Part::Storage { service, _serving: serving })
    }

    fn start_worker(&self, machine: Machine, process: &Process) -> Part {
        let store = self.objects(machine, process);
        let blocks = Arc::new(StoreBlocks::new(Arc::clone(&store), self.layout.clone()));
        let context = MergeContext {
            env: process.env.clone(),
            store,
            layout: self.layout.clone(),
            blocks,
            schemas: Arc::new(Schemas),
            file_bytes_max: 8 << 10,
        };
        let name = format!("worker {machine}.{}", self.hosts[&machine].lives);
        let options = WorkerOptions { name, concurrency: 2 };
        let peers = self.peers(machine, process, &self.storages());
        let queue = RemoteCompaction::new(process.env.clone(), peers);
        Part::Worker { _worker: Worker::start(queue, context, options) }
    }

    /// The journal for a process of this machine, with its archive.
    fn journal(
        &self,
        machine: Machine,
        process: &Process,
        members: &[Machine],
    ) -> Arc<dyn Journal> {
        let (env, times) = (process.env.clone(), RemoteOptions::default());
        let journals = self.peers(machine, process, members);
        if !self.archiving {
            return Arc::new(RemoteJournal::new(env, journals, times));
        }
        let journal = RemoteJournal::archived_at(env.clone(), journals, times, ARCHIVE.to_owned());
        let (store, layout) = (self.objects(machine, process), self.layout.clone());
        let options = self.archive_options();
        Arc::new(Archived::new(env, Arc::new(journal), store, layout, options).by_the_journal())
    }

    /// Who makes and ends branches, for a process of this machine.
    pub(crate) fn remote_storage(&self, machine: Machine, process: &Process) -> Arc<RemoteStorage> {
        RemoteStorage::new(process.env.clone(), self.peers(machine, process, &self.storages()))
    }

    /// An engine's parts, for a process of this machine.
    pub(crate) fn parts(&self, machine: Machine, process: &Process) -> Parts {
        let env = process.env.clone();
        let journal = self.journal(machine, process, &self.journals);
        let storage = self.remote_storage(machine, process);
        let (journal, storage) = planted::parts(self.planted, &env, journal, storage);
        Parts {
            journal,
            storage,
            store: self.objects(machine, process),
            layout: self.layout.clone(),
            blocks: RemoteBlocks::new(env.clone(), self.peers(machine, process, &self.storages())),
            disk_cache: None,
            env,
        }
    }

    /// An engine's sizes, so small that little data makes many files.
    pub(crate) fn options(&self, name: &str) -> Options {
        Options {
            writer: name.to_owned(),
            memtable_bytes: 64 << 10,
            memtables_max: 3,
            file_bytes_max: 8 << 10,
            block_cache_bytes: 16 << 10,
            row_cache_bytes: 8 << 10,
            pinned_bytes: 16 << 10,
            ..Options::for_memory(64 << 20)
        }
    }

    /// What serves a branch in a process of this machine; `main`, if nothing else is said.
    pub(crate) fn compute(&self, machine: Machine, process: &Process, name: String) -> Compute {
        Compute {
            env: process.env.clone(),
            parts: self.parts(machine, process),
            options: self.options(&name),
            name,
            verdict: self.verdict.clone(),
            ledger: Arc::clone(&self.ledger),
            stopping: Arc::clone(&self.stopping),
            dropping: Arc::default(),
            lapsed: Arc::clone(&self.hosts[&machine].lapsed),
            standby_ms_max: self.standby_ms_max,
            serve_s_max: 120,
        }
    }

    fn start_engine(&self, machine: Machine, process: &Process) {
        let host = &self.hosts[&machine];
        let name = format!("engine {machine}.{}", host.lives);
        host.lapsed.store(false, Ordering::Relaxed);
        let compute = self.compute(machine, process, name);
        if COMPUTES.contains(&machine) {
            drop(process.env.spawn(TaskClass::Foreground, "compute", compute.run()));
            return;
        }
        let gardener = Gardener {
            compute: Compute { serve_s_max: 25, ..compute },
            storage: self.remote_storage(machine, process),
            forest: self.forest.clone(),
            rest_ms_max: self.garden_ms_max,
        };
        drop(process.env.spawn(TaskClass::Foreground, "gardener", gardener.run()));
    }
}
