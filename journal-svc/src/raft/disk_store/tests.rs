//! Power cuts at every moment, against what was written.

#![expect(clippy::print_stderr, reason = "seeds are printed")]

use std::collections::BTreeMap;

use bytes::Bytes;
use raft::eraftpb::HardState;

use super::super::catch_up::Base;
use super::*;
use crate::disk::PAGE;
use crate::disk::sim::{Fault, SimDisk};

const SEGMENT: u64 = 24 << 10;

fn identity() -> Identity {
    Identity { cluster: "test".into(), member: 2, groups: 2 }
}

fn env(seed: u64) -> Env {
    let handle = tokio::runtime::Handle::current();
    Env::tokio_seeded(handle.clone(), handle, seed)
}

fn on_sim(env: &Env, disk: &SimDisk) -> Result<DiskStore> {
    let disk = Arc::new(disk.clone());
    DiskStore::on(env.clone(), disk, Path::new("raft"), identity(), SEGMENT, None)
}

fn entry(index: u64, term: u64, len: usize) -> Entry {
    let data = (0..len).map(|i| (index as usize * 31 + term as usize * 7 + i) as u8);
    Entry { index, term, data: Bytes::from_iter(data), ..Entry::default() }
}

fn base(index: u64, term: u64) -> Base {
    Base { index, term, ..Base::founding(vec![1, 2, 3]) }
}

/// What a group should have.
#[derive(Debug, Clone, Default, PartialEq)]
struct Model {
    base: Base,
    hard: HardState,
    entries: BTreeMap<u64, Entry>,
}

type Models = BTreeMap<u32, Model>;

impl Model {
    fn last(&self) -> u64 {
        self.entries.keys().last().map_or(self.base.index, |last| *last)
    }

    fn apply(&mut self, write: &GroupWrite) {
        if let Some(base) = &write.replaced {
            self.base = base.clone();
            self.entries.clear();
        }
        if let Some(hard) = &write.hard {
            self.hard = hard.clone();
        }
        for entry in &write.entries {
            self.entries.split_off(&entry.index);
            self.entries.insert(entry.index, entry.clone());
        }
        if let Some(base) = &write.cut {
            self.base = base.clone();
            self.entries = self.entries.split_off(&(base.index + 1));
        }
    }
}

fn stored(store: &DiskStore) -> Models {
    let mut models = Models::new();
    for group in 0..2 {
        let Some(stored) = store.load(group).unwrap() else { continue };
        let mut entries = BTreeMap::new();
        let mut next = stored.base.index + 1;
        while next <= stored.last_index {
            for entry in store.entries(group, next, stored.last_index + 1, 20_000).unwrap() {
                assert_eq!(entry.index, next);
                entries.insert(next, entry);
                next += 1;
            }
        }
        models.insert(group, Model { base: stored.base, hard: stored.hard, entries });
    }
    models
}

/// A write that a member might make.
fn any_write(env: &Env, group: u32, model: &Model) -> GroupWrite {
    let below = |n: u64| env.random_u64() % n;
    let mut write = GroupWrite { group, ..GroupWrite::default() };
    let mut hard = model.hard.clone();
    if model.base.index == 0 || below(25) == 0 {
        let to = base(model.last() + 1 + below(5), hard.term + 1);
        (hard.term, hard.commit) = (to.term, to.index);
        (write.replaced, write.hard) = (Some(to), Some(hard));
        return write;
    }
    let last = model.last();
    match below(5) {
        0 => {
            hard.commit += below(last - hard.commit + 1);
            write.hard = Some(hard);
        }
        1 if hard.commit > model.base.index => {
            let to = model.base.index + 1 + below(hard.commit - model.base.index);
            write.cut = Some(base(to, model.entries[&to].term));
        }
        2 if last > hard.commit => {
            // Another leader's entries in the place of some.
            hard.term += 1;
            let from = hard.commit + 1 + below(last - hard.commit);
            write.entries = (from..=from + below(3)).map(|i| entry(i, hard.term, 300)).collect();
            write.hard = Some(hard);
        }
        _ => {
            let len = [10, 3000, 5000, 9000, 30_000][below(5) as usize];
            let to = last + 1 + below(3);
            write.entries = (last + 1..=to).map(|i| entry(i, hard.term, len)).collect();
        }
    }
    write
}

/// What was stored at some moment.
struct Moment {
    /// Operations of the disk done before the write, and after it.
    begun: usize,
    done: usize,
    /// Whether it is durable since.
    durable: bool,
    models: Models,
}

fn live(env: &Env, store: &DiskStore, disk: &SimDisk, models: &mut Models) -> Vec<Moment> {
    // Opening changes nothing of what is stored.
    let first = Moment { begun: 0, done: 0, durable: true, models: models.clone() };
    let mut moments = vec![first];
    for _ in 0..20 {
        let mut writes = Vec::new();
        for group in 0..2 {
            if env.random_u64().is_multiple_of(2) {
                let model = models.entry(group).or_default();
                let write = any_write(env, group, model);
                model.apply(&write);
                writes.push(write);
            }
        }
        models.retain(|_, model| model.base.index > 0);
        let only_noted = writes.iter().all(|w| w.entries.is_empty() && w.replaced.is_none());
        let sync = !only_noted || env.random_u64().is_multiple_of(2);
        let begun = disk.ops();
        store.write(&writes, sync).unwrap();
        let durable = sync;
        moments.push(Moment { begun, done: disk.ops(), durable, models: models.clone() });
    }
    moments
}

fn check(moments: &[Moment], at: usize, found: &Models, why: &str) {
    let durable = moments.iter().rposition(|m| m.durable && m.done <= at).unwrap();
    let begun = moments.iter().rposition(|m| m.begun <= at).unwrap();
    let fits = moments[durable..=begun].iter().any(|moment| moment.models == *found);
    assert!(fits, "{why}: neither of moments {durable} to {begun}");
}

fn seed() -> u64 {
    let handle = tokio::runtime::Handle::current();
    let seed = std::env::var("FIRN_SEED").ok().and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or_else(|| Env::tokio(handle.clone(), handle).random_u64());
    eprintln!("FIRN_SEED={seed}");
    seed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_power_cut_at_any_moment_leaves_what_was_synced_and_no_half_of_a_write() {
    let first = seed();
    let mut cuts = 0;
    for seed in first..first.saturating_add(3) {
        let env = env(seed);
        let disk = SimDisk::default();
        let store = on_sim(&env, &disk).unwrap();
        let moments = live(&env, &store, &disk, &mut Models::new());
        for at in 0..=disk.ops() {
            let tears = if at < disk.ops() { disk.tears(at) } else { 1 };
            for tear in 0..tears {
                let names = [u64::MAX, 0, env.random_u64()];
                for names in &names[..if tear < 4 { 3 } else { 1 }] {
                    let why = format!("seed {seed}, cut {at}, tear {tear}, names {names:x}");
                    let left = disk.after_power_cut(at, tear, *names);
                    let store = on_sim(&env, &left).unwrap_or_else(|e| panic!("{why}: {e}"));
                    let mut found = stored(&store);
                    check(&moments, at, &found, &why);
                    cuts += 1;
                    if tear % 16 > 0 {
                        continue;
                    }
                    // A second life, and a power cut in it.
                    let again = live(&env, &store, &left, &mut found);
                    let at = (env.random_u64() % (left.ops() + 1) as u64) as usize;
                    let tear = if at < left.ops() { env.random_u64() % left.tears(at) } else { 0 };
                    let why = format!("{why}; then cut {at}, tear {tear}");
                    let left = left.after_power_cut(at, tear, env.random_u64());
                    let store = on_sim(&env, &left).unwrap_or_else(|e| panic!("{why}: {e}"));
                    check(&again, at, &stored(&store), &why);
                }
            }
        }
    }
    eprintln!("{cuts} power cuts");
}

/// Writes entries `from` to `to`, and nothing else.
fn append(store: &DiskStore, group: u32, from: u64, to: u64, len: usize) {
    for index in from..=to {
        let write =
            GroupWrite { group, entries: vec![entry(index, 1, len)], ..GroupWrite::default() };
        store.write(&[write], true).unwrap();
    }
}

fn found(store: &DiskStore, group: u32) {
    let hard = HardState { term: 1, commit: 1, ..HardState::default() };
    let (replaced, hard) = (Some(base(1, 1)), Some(hard));
    let write = GroupWrite { group, replaced, hard, ..GroupWrite::default() };
    store.write(&[write], true).unwrap();
}

#[tokio::test]
async fn what_is_cut_goes_from_the_disk_also_where_a_silent_group_needs_old_entries() {
    let env = env(1);
    let disk = SimDisk::default();
    let store = on_sim(&env, &disk).unwrap();
    found(&store, 0);
    found(&store, 1);
    append(&store, 1, 2, 4, 5000);
    let mut most = 0;
    for index in 2..1000 {
        append(&store, 0, index, index, 5000);
        if index % 4 == 0 {
            let cut = Some(base(index, 1));
            store.write(&[GroupWrite { cut, ..GroupWrite::default() }], false).unwrap();
        }
        most = most.max(store.disk_bytes());
    }
    assert!(most <= 12 * SEGMENT, "{most} bytes for seven entries");
    let files = disk.files("raft").len();
    assert!(files <= 14, "{files} files");
    let before = stored(&store);
    assert_eq!(before[&1].entries.len(), 3);
    drop(store);
    assert_eq!(stored(&on_sim(&env, &disk).unwrap()), before);
}

#[tokio::test]
async fn a_write_that_fails_is_the_last() {
    let env = env(2);
    for fault in [Fault::WriteFails, Fault::WriteFailsLate] {
        let disk = SimDisk::default();
        let store = on_sim(&env, &disk).unwrap();
        found(&store, 0);
        disk.fail_next_write(fault);
        let write = || GroupWrite { entries: vec![entry(2, 1, 10)], ..GroupWrite::default() };
        let failed = store.write(&[write()], true).unwrap_err();
        let again = store.write(&[write()], true).unwrap_err();
        assert_eq!(failed.to_string(), again.to_string());
        drop(store);
        // What the disk has counts.
        let last = on_sim(&env, &disk).unwrap().load(0).unwrap().unwrap().last_index;
        assert_eq!(last, if fault == Fault::WriteFails { 1 } else { 2 });
    }
}

#[tokio::test]
async fn damage_in_front_of_other_frames_is_noticed_and_named() {
    let env = env(3);
    let disk = SimDisk::default();
    let store = on_sim(&env, &disk).unwrap();
    found(&store, 0);
    append(&store, 0, 2, 9, 5000);
    drop(store);
    let files = disk.files(".raft");
    assert!(files.len() > 1);
    for (path, _) in &files {
        // The header of the segment, and the first frame behind it.
        for at in [20, PAGE + 3, PAGE + 60] {
            let bad = disk.copy();
            bad.damage(path, |bytes| bytes[at] ^= 4);
            let opened = on_sim(&env, &bad);
            let error = match opened {
                Err(error) => error,
                Ok(store) => panic!("{}, {at}: {:?}", path.display(), store.load(0)),
            };
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
            assert!(error.to_string().contains(".raft"), "{error}");
        }
        let bad = disk.copy();
        if *path != files[0].0 && *path != files[files.len() - 1].0 {
            bad.remove(path).unwrap();
            let error = on_sim(&env, &bad).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt, "a segment is gone: {error}");
        }
    }
}

#[tokio::test]
async fn a_folder_is_not_given_to_another_member_or_cluster() {
    let env = env(4);
    let dir = tempfile::tempdir().unwrap();
    let open = |identity| DiskStore::open(env.clone(), dir.path(), identity);
    let store = open(identity()).unwrap();
    found(&store, 0);
    append(&store, 0, 2, 40, 100_000);
    let before = stored(&store);
    let in_use = open(identity()).unwrap_err();
    assert!(in_use.to_string().ends_with("is in use"), "{in_use}");
    drop(store);
    // A spare file may still be made.
    while open(identity()).is_err_and(|e| e.to_string().ends_with("is in use")) {
        env.sleep(std::time::Duration::from_millis(10)).await;
    }
    let others = [
        Identity { cluster: "other".into(), ..identity() },
        Identity { member: 3, ..identity() },
        Identity { groups: 4, ..identity() },
    ];
    for other in others {
        let refused = open(other.clone()).unwrap_err();
        let why = format!("belongs to {}, not to {other}", identity());
        assert!(refused.to_string().ends_with(&why), "{refused}");
        assert_eq!(refused.kind(), ErrorKind::BadRequest);
    }
    assert_eq!(stored(&open(identity()).unwrap()), before);
}
