//! Power cuts at every moment.

#![expect(clippy::print_stderr, reason = "seeds are printed")]

use super::*;

/// What the caller of a journal had been told by some moment.
#[derive(Debug, Clone)]
struct Told {
    /// Operations of the disk that were done when it was told.
    ops: usize,
    /// Records that are acknowledged.
    acknowledged: usize,
    /// Highest position asked to be trimmed before the next is told.
    epoch: u64,
}

/// A life of a journal: what was written, and who was told what when.
struct Life {
    disk: SimDisk,
    records: Vec<Record>,
    told: Vec<Told>,
    /// Operations done before a trim to this position began.
    trims: Vec<(usize, u64)>,
    /// Operations done before a record was handed in.
    handed_in: Vec<usize>,
}

async fn live(seed: u64) -> Life {
    let env = env(seed);
    let disk = SimDisk::default();
    let main = BranchName::main();
    let mut journal = on_sim(&env, &disk, 24 << 10);
    let mut life = Life {
        disk: disk.clone(),
        records: Vec::new(),
        told: vec![Told { ops: 0, acknowledged: 0, epoch: 0 }],
        trims: Vec::new(),
        handed_in: Vec::new(),
    };
    let below = |n: u64| env.random_u64() % n;
    let mut last = 0;
    for epoch in 1..=4 {
        if below(2) == 0 {
            // Another process, when the first one has ended.
            ended(&journal).await;
            journal = on_sim(&env, &disk, 24 << 10);
        }
        let writer = journal.open(&main, Epoch(epoch)).await.unwrap();
        let acknowledged = life.records.len();
        life.told.push(Told { ops: disk.ops(), acknowledged, epoch });
        for _ in 0..below(8) {
            if below(6) == 0 {
                let through = last - below(4).min(last);
                life.trims.push((disk.ops(), through));
                writer.trim(Seq(through)).await.unwrap();
            }
            let len = [10, 4000, 5000, 9000, 30_000][below(5) as usize];
            let record = record(epoch, last + 1, last + 1 + below(3), len);
            last = record.last_seq.0;
            life.handed_in.push(disk.ops());
            life.records.push(record.clone());
            match below(2) {
                0 => writer.append(record).await.unwrap(),
                _ => writer.append_alone(record).await.unwrap(),
            }
            let acknowledged = life.records.len();
            life.told.push(Told { ops: disk.ops(), acknowledged, epoch });
        }
        drop(writer);
    }
    life
}

impl Life {
    /// What must hold after a power cut in operation `at`.
    async fn check(&self, journal: &LocalJournal, at: usize, why: &str) -> usize {
        let main = BranchName::main();
        let told = self.told.iter().rfind(|t| t.ops <= at).unwrap();
        let bounds = journal.bounds(&main).await.unwrap_or_else(|e| panic!("{why}: {e}"));
        assert!(bounds.epoch >= Epoch(told.epoch), "{why}: {bounds:?} after {told:?}");
        let trims = self.trims.iter().filter(|(ops, _)| *ops <= at);
        let asked = trims.map(|(_, through)| *through).max().unwrap_or(0);
        assert!(bounds.trimmed <= Seq(asked), "{why}: {bounds:?}, trimmed to {asked}");
        let handed_in = self.handed_in.iter().filter(|ops| **ops <= at).count();
        let count = self.records.partition_point(|r| r.last_seq <= bounds.last);
        assert!(count >= told.acknowledged, "{why}: {count} of {} are left", told.acknowledged);
        assert!(count <= handed_in, "{why}: {count} found, {handed_in} handed in");
        let kept = self.records.partition_point(|r| r.last_seq <= bounds.trimmed);
        let read = read_all(journal).await.unwrap_or_else(|e| panic!("{why}: {e}"));
        assert_eq!(read, self.records[kept..count], "{why}");
        count
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_power_cut_at_any_moment_loses_nothing_acknowledged() {
    let seed = match std::env::var("FIRN_SEED") {
        Ok(text) => text.parse().unwrap(),
        Err(_) => env(rand_seed()).random_u64(),
    };
    eprintln!("FIRN_SEED={seed}");
    let mut cuts = 0;
    for life_seed in seed..seed + 6 {
        let life = live(life_seed).await;
        let env = env(life_seed);
        for at in 0..=life.disk.ops() {
            let tears = if at < life.disk.ops() { life.disk.tears(at) } else { 1 };
            for tear in 0..tears {
                // Every tear with one choice of names, the first few with several.
                let names = [u64::MAX, 0, env.random_u64()];
                let names = if tear < 4 { &names[..] } else { &names[..1] };
                for &names in names {
                    let why = format!("seed {life_seed}, cut {at}, tear {tear}, names {names:x}");
                    let disk = life.disk.after_power_cut(at, tear, names);
                    let journal = on_sim(&env, &disk, 24 << 10);
                    let count = life.check(&journal, at, &why).await;
                    cuts += 1;
                    if tear % 16 == 0 {
                        go_on(&env, &disk, journal, &life, count, &why).await;
                    }
                }
            }
        }
    }
    eprintln!("{cuts} power cuts");
}

/// A writer opens what the power cut left, appends one record, and loses power
/// in turn, somewhere in all of that.
async fn go_on(
    env: &Env,
    disk: &SimDisk,
    journal: LocalJournal,
    life: &Life,
    count: usize,
    why: &str,
) {
    let main = BranchName::main();
    let before = disk.ops();
    let writer = journal.open(&main, Epoch(100)).await.unwrap_or_else(|e| panic!("{why}: {e}"));
    let opened = disk.ops();
    let next = writer.bounds().last.next().0;
    // Shorter than what a torn record may have left behind it.
    let added = record(100, next, next, 100);
    writer.append(added.clone()).await.unwrap();
    let appended = disk.ops();
    let end = disk.ops();
    let at = before + (env.random_u64() % (end - before + 1) as u64) as usize;
    let tear = env.random_u64() % if at < disk.ops() { disk.tears(at) } else { 1 };
    let left = disk.after_power_cut(at, tear, env.random_u64());
    drop(writer);
    let why = format!("{why}; then cut {at} of {before}, {opened}, {appended}, tear {tear}");
    let journal = on_sim(env, &left, 24 << 10);
    let read = read_all(&journal).await.unwrap_or_else(|e| panic!("{why}: {e}"));
    let bounds = journal.bounds(&main).await.unwrap();
    let kept = life.records.partition_point(|r| r.last_seq <= bounds.trimmed);
    let old = &life.records[kept.min(count)..count];
    let with_added = [old, &[added]].concat();
    assert!(read == old || read == with_added, "{why}: {read:?}");
    assert!(at < appended || read == with_added, "{why}: an acknowledged record is gone");
    assert!(at < opened || bounds.epoch == Epoch(100), "{why}: {bounds:?}");
}

/// Where seeds come from when none is given.
fn rand_seed() -> u64 {
    let handle = tokio::runtime::Handle::current();
    Env::tokio(handle.clone(), handle).random_u64()
}
