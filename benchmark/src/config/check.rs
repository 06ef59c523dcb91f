//! What YAML's types cannot say about a workload.

use super::phase::{Kind, Phase, Rate};
use super::{Blocks, Config, Journal, ObjectStoreAt, Peer, Storage, Switch, Topology};
use crate::generate::{Distribution, KEY_BYTES_MIN};

/// Something wrong, and where.
pub(super) struct Fault {
    pub(super) path: Vec<String>,
    pub(super) why: String,
}

fn fault<T>(path: &[&str], why: impl Into<String>) -> Result<T, Fault> {
    Err(Fault { path: path.iter().map(|s| (*s).to_owned()).collect(), why: why.into() })
}

const KEY_BYTES_MAX: usize = 1 << 10;
const VALUE_BYTES_MAX: usize = 1 << 20;
const KEYS_MAX: u64 = 1 << 40;
const TASKS_MAX: u32 = 100_000;
const BATCH_BYTES_MAX: u64 = 16 << 20;
const PHASES_MAX: usize = 100;

fn within<T: PartialOrd + std::fmt::Display>(
    path: &[&str],
    value: &T,
    min: T,
    max: T,
) -> Result<(), Fault> {
    if *value < min || *value > max {
        return fault(path, format!("{value} is not between {min} and {max}"));
    }
    Ok(())
}

pub(super) fn check(config: &Config) -> Result<(), Fault> {
    let name_ok = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if config.name.is_empty() || !config.name.chars().all(name_ok) {
        return fault(&["name"], "letters, digits, - and _ only: it names files");
    }
    within(&["rounds"], &config.rounds, 1, 100)?;
    let data = &config.data;
    within(&["data", "keys"], &data.keys, 1, KEYS_MAX)?;
    within(&["data", "key_bytes"], &data.key_bytes, KEY_BYTES_MIN, KEY_BYTES_MAX)?;
    within(&["data", "value_bytes"], &data.value_bytes, 0, VALUE_BYTES_MAX)?;
    within(&["data", "compressibility"], &data.compressibility, 1.0, 100.0)?;
    let below = |path: &[&str], f: Fault| Fault {
        path: path.iter().map(|s| (*s).to_owned()).chain(f.path).collect(),
        why: f.why,
    };
    check_topology(&config.topology).map_err(|f| below(&["topology"], f))?;
    for (i, variant) in config.variants.iter().enumerate() {
        let index = i.to_string();
        let taken = ["firn", "rocksdb", "slatedb"].contains(&&*variant.name)
            || config.variants[..i].iter().any(|other| other.name == variant.name);
        if taken || variant.name.is_empty() || !variant.name.chars().all(name_ok) {
            let why = "a name of its own of letters, digits, - and _: it names a folder";
            return fault(&["variants", &index, "name"], why);
        }
        let path = ["variants", &index, "topology"];
        check_topology(&variant.topology).map_err(|f| below(&path, f))?;
    }
    if config.phases.is_empty() {
        return fault(&["phases"], "there is nothing to do");
    }
    if config.phases.len() > PHASES_MAX {
        return fault(&["phases"], format!("more than {PHASES_MAX}"));
    }
    for (i, phase) in config.phases.iter().enumerate() {
        let index = i.to_string();
        check_phase(config, i, phase).map_err(|f| Fault {
            path: ["phases".to_owned(), index].into_iter().chain(f.path).collect(),
            why: f.why,
        })?;
    }
    for (i, peer) in config.compare_with.iter().enumerate() {
        if config.compare_with[..i].contains(peer) {
            return fault(&["compare_with"], format!("{} twice", peer.as_str()));
        }
    }
    for (i, goal) in config.goals.iter().enumerate() {
        let path = |key| ["goals".to_owned(), i.to_string(), key];
        let fail = |key: &str, why: &str| {
            Err(Fault { path: path(key.to_owned()).to_vec(), why: why.to_owned() })
        };
        if config.phase(&goal.phase).is_none() {
            return fail("phase", "there is no phase of that name");
        }
        if goal.at_least.is_none() && goal.at_most.is_none() {
            return fail("phase", "at_least or at_most is missing");
        }
        if let Some(peer) = &goal.versus
            && !config.compare_with.iter().any(|p| p.as_str() == peer)
            && !config.variants.iter().any(|v| v.name == *peer)
        {
            return fail("versus", "compare_with does not have that peer, nor is it a variant");
        }
    }
    Ok(())
}

fn check_topology(topology: &Topology) -> Result<(), Fault> {
    within(&["memtables", "bytes"], &topology.memtables.bytes, 64 << 10, 1 << 30)?;
    within(&["memtables", "count"], &topology.memtables.count, 2, 64)?;
    within(&["members"], &topology.members, 1, 9)?;
    within(&["services"], &topology.services, 1, 9)?;
    within(&["workers"], &topology.workers, 1, 64)?;
    let remote = topology.storage == Storage::Services;
    if topology.compaction == Switch::Workers && !remote {
        return fault(&["compaction"], "workers are given work by `storage: services`");
    }
    if topology.blocks == Blocks::Storage && !remote {
        return fault(&["blocks"], "`storage: services` is missing");
    }
    if remote && topology.object_store == ObjectStoreAt::Memory {
        return fault(&["object_store"], "the memory of one process is no other's");
    }
    if !topology.addresses.journal.is_empty() && topology.journal != Journal::Members {
        return fault(&["addresses", "journal"], "`journal: members` is missing");
    }
    if !topology.addresses.storage.is_empty() && !remote {
        return fault(&["addresses", "storage"], "`storage: services` is missing");
    }
    Ok(())
}

fn check_phase(config: &Config, place: usize, phase: &Phase) -> Result<(), Fault> {
    let earlier = &config.phases[..place];
    if earlier.iter().any(|p| p.name == phase.name) {
        return fault(&["name"], format!("an earlier phase is called {:?} too", phase.name));
    }
    within(&["limit_s"], &phase.limit_s, 1, 86_400)?;
    if phase.kind == Kind::Reopen {
        let mut topologies = config.variants.iter().map(|variant| &variant.topology);
        if !config.topology.survives_reopen() || !topologies.all(Topology::survives_reopen) {
            return fault(&["kind"], "what is in memory does not survive a reopen");
        }
    } else if phase.compaction.is_some() {
        return fault(&["compaction"], "only a reopen can change it");
    }
    if !phase.kind.has_ops() {
        return Ok(());
    }
    within(&["tasks"], &phase.tasks, 1, TASKS_MAX)?;
    within(&["batch"], &phase.batch, 1, 100_000)?;
    within(&["scan_entries"], &phase.scan_entries, 1, 10_000_000)?;
    within(&["warmup_s"], &phase.warmup_s, 0, 86_400)?;
    if !(phase.theta > 0.0 && phase.theta < 1.0) {
        return fault(&["theta"], format!("{} is not between 0 and 1", phase.theta));
    }
    if u64::from(phase.batch) * config.data.entry_bytes() > BATCH_BYTES_MAX {
        return fault(&["batch"], format!("a batch is larger than {BATCH_BYTES_MAX} bytes"));
    }
    if let Some(keys) = phase.keys {
        within(&["keys"], &keys, 1, KEYS_MAX)?;
    }
    if let Some(seconds) = phase.duration_s {
        within(&["duration_s"], &seconds, 1, 86_400)?;
    }
    if phase.kind == Kind::Load {
        let ends = [phase.duration_s.is_some(), phase.ops.is_some(), phase.warmup_s > 0];
        if ends.contains(&true) {
            return fault(&["kind"], "a load ends when every key is put: no ops, times, warm-up");
        }
        if !matches!(phase.distribution, Distribution::Sequential | Distribution::Uniform) {
            return fault(&["distribution"], "a load is sequential or uniform");
        }
    } else if phase.duration_s.is_none() && phase.ops.is_none() {
        return fault(&["kind"], "duration_s or ops is missing");
    } else if phase.duration_s.is_none() && phase.warmup_s > 0 {
        return fault(&["warmup_s"], "a warm-up goes with duration_s");
    }
    if let Some(ops) = phase.ops {
        within(&["ops"], &ops, 1, 1 << 50)?;
    }
    check_mix(phase)?;
    check_rate(earlier, phase)
}

fn check_mix(phase: &Phase) -> Result<(), Fault> {
    match (&phase.mix, phase.kind) {
        (Some(mix), Kind::Mixed) => {
            let shares = [mix.put, mix.get, mix.scan];
            if shares.iter().any(|s| !(*s >= 0.0 && s.is_finite()))
                || shares.iter().all(|s| *s == 0.0)
            {
                return fault(&["mix"], "shares are 0 or more, and not all 0");
            }
            Ok(())
        }
        (None, Kind::Mixed) => fault(&["kind"], "mix is missing"),
        (Some(_), _) => fault(&["mix"], "only of a mixed phase"),
        (None, _) => Ok(()),
    }
}

fn check_rate(earlier: &[Phase], phase: &Phase) -> Result<(), Fault> {
    match &phase.rate {
        None => Ok(()),
        Some(Rate::PerSecond(rate)) => within(&["rate"], rate, 0.1, 1e8),
        Some(Rate::Of(rate)) => {
            within(&["rate", "share"], &rate.share, 0.001, 10.0)?;
            match earlier.iter().find(|p| p.name == rate.of) {
                Some(p) if p.kind.has_ops() => Ok(()),
                _ => fault(&["rate", "of"], format!("{:?} is no earlier phase", rate.of)),
            }
        }
    }
}

impl Config {
    /// Whether this build can run a peer.
    #[must_use]
    pub fn peer_is_built(_peer: Peer) -> bool {
        cfg!(feature = "peers")
    }
}
