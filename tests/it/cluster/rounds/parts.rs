//! A cluster of processes: three members of the journal, two storage services, two workers,
//! and two places for computes, one of which is the writer's.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use firn_services::config::Secret;
use firn_services::journal::admin::{JournalAdmin, MemberState};
use firn_services::rpc::Trust;
use rustix::process::Signal;

use super::hosts::{Host, Hosts};
use crate::crash::power::Disk;
use crate::wire::server::{Process, WAIT_MAX};

const JOURNALS: usize = 3;
const STORAGES: usize = 2;
const WORKERS: usize = 2;

const TOKEN: &str = "t0ken";
/// Of `root`.
pub(super) const PASSWORD: &str = "pass";

/// A place in the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Journal(usize),
    Storage(usize),
    Worker(usize),
    Compute(usize),
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Journal(at) => write!(f, "journal-{}", at + 1),
            Self::Storage(at) => write!(f, "storage-{}", at + 1),
            Self::Worker(at) => write!(f, "worker-{}", at + 1),
            Self::Compute(at) => write!(f, "compute-{}", at + 1),
        }
    }
}

/// One place: where it is, and what runs there.
struct Place {
    part: Part,
    host: Host,
    address: SocketAddr,
    process: Option<Process>,
    starts: u32,
}

/// See the module. Processes are killed when it is dropped, before their hosts go.
pub(super) struct Parts {
    folder: PathBuf,
    program: PathBuf,
    places: Vec<Place>,
    /// For the object store, if it is not a folder.
    store: Vec<(&'static str, String)>,
    /// Of the journal's members, if they have their own.
    disks: Vec<Disk>,
    /// Which compute has the branch.
    pub(super) writer: usize,
    _hosts: Hosts,
}

impl Parts {
    /// Starts everything in `folder`. With `disks` the journal's members have disks of their
    /// own, whose power can be cut.
    pub(super) fn start(
        mut hosts: Hosts,
        folder: &Path,
        store: Vec<(&'static str, String)>,
        disks: bool,
    ) -> Result<Self, String> {
        let all = (0..JOURNALS).map(Part::Journal).chain((0..STORAGES).map(Part::Storage));
        let all = all.chain((0..WORKERS).map(Part::Worker)).chain((0..2).map(Part::Compute));
        let mut places = Vec::new();
        for part in all {
            let host = hosts.add()?;
            let address = host.free_address();
            places.push(Place { part, host, address, process: None, starts: 0 });
        }
        let program = std::env::var_os("FIRN_TEST_PROGRAM").map(PathBuf::from);
        let program = program.unwrap_or_else(|| env!("CARGO_BIN_EXE_firn").into());
        let folder = folder.to_owned();
        let count = if disks { JOURNALS } else { 0 };
        let disk = |at| {
            let dir = folder.join(format!("disk-{at}"));
            std::fs::create_dir(&dir).map_err(|e| e.to_string())?;
            Disk::new(&dir).ok_or_else(|| "no disk whose power can be cut".to_owned())
        };
        let disks = (0..count).map(disk).collect::<Result<Vec<_>, String>>()?;
        let mut parts = Self { folder, program, places, store, disks, writer: 0, _hosts: hosts };
        for place in 0..parts.places.len() {
            let part = parts.places[place].part;
            if part != Part::Compute(1) {
                parts.run(part)?;
            }
        }
        Ok(parts)
    }

    fn addresses(&self, of: impl Fn(Part) -> bool) -> Vec<String> {
        let of = self.places.iter().filter(|place| of(place.part));
        of.map(|place| place.address.to_string()).collect()
    }

    fn journal_addresses(&self) -> Vec<String> {
        self.addresses(|part| matches!(part, Part::Journal(_)))
    }

    fn place(&mut self, part: Part) -> &mut Place {
        self.places.iter_mut().find(|place| place.part == part).expect("a place")
    }

    /// Starts what runs at a place, with the folder that it has, and waits until it is ready.
    pub(super) fn run(&mut self, part: Part) -> Result<(), String> {
        let journals = self.journal_addresses();
        let storages = self.addresses(|part| matches!(part, Part::Storage(_))).join(",");
        let (folder, program) = (self.folder.clone(), self.program.clone());
        let store = self.store.clone();
        let disk = match part {
            Part::Journal(at) => self.disks.get(at).map(|disk| disk.path().to_owned()),
            _ => None,
        };
        let place = self.place(part);
        place.starts += 1;
        let log = folder.join(format!("{part}.{}.log", place.starts));
        let dir = disk.as_ref().unwrap_or(&folder).join(part.to_string());
        let listen = place.address.to_string();
        let mut command = place.host.command(&program);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("FIRN_") {
                command.env_remove(name);
            }
        }
        command.env("FIRN_DISK_CACHE_BYTES_MAX", "0").env("FIRN_MEMORY_BYTES_MAX", "256 MiB");
        command.env("FIRN_RPC__TOKEN", TOKEN).env("FIRN_MYSQL_ROOT_PASSWORD", PASSWORD);
        command.env("FIRN_OBJECT_STORE__URL", folder.join("objects"));
        command.envs(store).current_dir(&folder);
        command.arg(match part {
            Part::Journal(_) => "journal",
            Part::Storage(_) => "storage",
            Part::Worker(_) => "compaction",
            Part::Compute(_) => "compute",
        });
        command.args(["--http-addr", "none"]);
        match part {
            Part::Journal(at) => {
                let members = journals.iter().zip(1..);
                let members: Vec<_> =
                    members.map(|(at, number)| format!("{number}={at}")).collect();
                command.args(["--member", &(at + 1).to_string(), "--members", &members.join(",")]);
                command.args(["--listen", &listen]).arg("--data-dir").arg(dir);
            }
            Part::Storage(_) => {
                command.args(["--listen", &listen]);
            }
            Part::Worker(_) => {
                command.args(["--storage-addr", &storages]);
                command.env("FIRN_COMPACTION__CONCURRENCY", "1");
            }
            Part::Compute(_) => {
                command.args(["--journal-addr", &journals.join(","), "--storage-addr", &storages]);
                command.args(["--mysql-addr", &listen]).arg("--data-dir").arg(dir);
            }
        }
        let (process, _) = Process::try_start(command, &log)?;
        place.process = Some(process);
        Ok(())
    }

    /// SIGKILL.
    pub(super) fn kill(&mut self, part: Part) {
        if let Some(process) = self.place(part).process.take() {
            process.kill();
        }
    }

    pub(super) fn signal(&mut self, part: Part, signal: Signal) {
        if let Some(process) = &self.place(part).process {
            process.signal(signal);
        }
    }

    pub(super) fn cut(&mut self, part: Part) -> Result<(), String> {
        self.place(part).host.cut()
    }

    pub(super) fn join(&mut self, part: Part) -> Result<(), String> {
        self.place(part).host.join()
    }

    /// The disk of a member loses its power.
    pub(super) fn cut_power(&mut self, part: Part) -> Result<(), String> {
        self.disk(part)?.cut()
    }

    /// It has power again; the member must have ended.
    pub(super) fn restore_power(&mut self, part: Part) -> Result<(), String> {
        self.disk(part)?.restore()
    }

    fn disk(&mut self, part: Part) -> Result<&mut Disk, String> {
        let disk = match part {
            Part::Journal(at) => self.disks.get_mut(at),
            _ => None,
        };
        disk.ok_or_else(|| format!("{part} has no disk of its own"))
    }

    /// Where MySQL clients of the writer connect.
    pub(super) fn writer_address(&mut self) -> SocketAddr {
        let part = Part::Compute(self.writer);
        self.place(part).address
    }

    /// Waits until a process has ended by itself.
    pub(super) fn ends(&mut self, part: Part, limit: Duration) -> Result<(), String> {
        let begun = Instant::now();
        let place = self.place(part);
        while place.process.as_mut().is_some_and(Process::runs) {
            if begun.elapsed() > limit {
                return Err(format!("{part} still runs after {limit:?}"));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        place.process = None;
        Ok(())
    }

    /// The end of what a part's last process has logged.
    pub(super) fn log(&self, part: Part) -> String {
        let starts = self.places.iter().find(|place| place.part == part).map_or(0, |p| p.starts);
        let log = self.folder.join(format!("{part}.{starts}.log"));
        let log = std::fs::read_to_string(log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(5)..].join("\n")
    }

    /// Everything that was started and not killed must be running.
    pub(super) fn all_run(&mut self) -> Result<(), String> {
        let ended = self.places.iter_mut().find_map(|place| {
            let ended = place.process.as_mut().is_some_and(|process| !process.runs());
            ended.then_some(place.part)
        });
        match ended {
            Some(part) => Err(format!("{part} has ended by itself:\n{}", self.log(part))),
            None => Ok(()),
        }
    }

    async fn states(&self) -> Vec<MemberState> {
        let handle = tokio::runtime::Handle::current();
        let env = firn_engine::Env::tokio(handle.clone(), handle);
        let trust = Trust { token: Some(Secret::new(TOKEN)), tls: None };
        let admin = JournalAdmin::new(env, self.journal_addresses(), trust);
        admin.states().await.into_iter().filter_map(|(_, state)| state.ok()).collect()
    }

    /// Bytes of records that the journal keeps.
    pub(super) async fn kept_bytes(&self) -> u64 {
        let states = self.states().await;
        states.iter().map(|state| state.groups[0].bytes).max().unwrap_or(u64::MAX)
    }

    /// Place of the member that leads.
    pub(super) async fn leader(&self) -> Result<usize, String> {
        let begun = Instant::now();
        loop {
            let states = self.states().await;
            let own = |state: &&MemberState| state.groups[0].leader == state.member;
            let leads = states.iter().filter(own).max_by_key(|state| state.groups[0].term);
            if let Some(leader) = leads {
                return Ok(usize::try_from(leader.member).unwrap() - 1);
            }
            if begun.elapsed() > WAIT_MAX {
                return Err(format!("nobody leads: {states:?}"));
            }
        }
    }

    /// Waits until every member of the journal has applied what was committed when this
    /// was called.
    pub(super) async fn journal_catches_up(&self, limit: Duration) -> Result<(), String> {
        let begun = Instant::now();
        let mut goal = None;
        loop {
            let states = self.states().await;
            if states.len() == JOURNALS {
                let committed = states.iter().map(|state| state.groups[0].committed).max();
                let goal = *goal.get_or_insert(committed.unwrap_or(0));
                if states.iter().all(|state| state.groups[0].applied >= goal) {
                    return Ok(());
                }
            }
            if begun.elapsed() > limit {
                return Err(format!("members have not caught up with {goal:?}: {states:?}"));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
