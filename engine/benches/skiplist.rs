//! The memtable's skiplist beside `crossbeam-skiplist`: the same keys and
//! values, one after the other, several rounds, the best of each printed.
//!
//! `cargo bench -p firn-engine` runs it. The list is compiled from its source
//! into this program, so that it stays private to its crate.

#![allow(dead_code, unused_imports, reason = "only part of the list is measured")]
#![expect(clippy::disallowed_methods, reason = "time is what is measured")]

mod key {
    pub(crate) use firn_engine::key::ValueKind;
}

mod types {
    pub(crate) use firn_engine::Seq;
}

#[path = "../src/memtable"]
mod memtable {
    mod arena;
    mod skiplist;

    use crate::{Entries, GROUP, Map};
    use firn_engine::Seq;
    use firn_engine::key::ValueKind;
    use skiplist::{NewEntry, SkipList};

    /// The memtable's list.
    pub(crate) struct Ours(SkipList);

    impl Map for Ours {
        const NAME: &'static str = "firn";

        fn with_room_for(entries: &Entries) -> Self {
            let each = skiplist::entry_len_max(entries.keys[0].len(), entries.value.len());
            Self(SkipList::new(entries.keys.len() * each))
        }

        fn insert_all(&self, entries: &Entries) {
            let mut inserter = self.0.inserter();
            for (chunk, keys) in entries.keys.chunks(GROUP).enumerate() {
                let group: Vec<_> = (keys.iter().enumerate())
                    .map(|(i, key)| NewEntry {
                        key,
                        seq: Seq((chunk * GROUP + i) as u64 + 1),
                        kind: ValueKind::Put,
                        value: &entries.value,
                    })
                    .collect();
                assert!(inserter.insert_many(&group));
            }
        }

        fn get(&self, key: &[u8]) -> Option<usize> {
            self.0.get(key, Seq::MAX).map(|found| found.value().len())
        }

        fn scan(&self, key: &[u8], entries: usize) -> usize {
            let from = self.0.seek(key, Seq::MAX);
            let rows = std::iter::successors(from, |e| e.next(Seq::MAX)).take(entries);
            rows.map(|e| e.key().len() + e.value().len()).sum()
        }
    }
}

use std::hint::black_box;
use std::io::Write;
use std::ops::Bound;
use std::time::{Duration, Instant};

use crossbeam_skiplist::SkipMap;

const ENTRIES: u64 = 1_000_000;
const KEY_LEN: usize = 20;
const VALUE_LEN: usize = 100;
/// Commits applied together.
const GROUP: usize = 100;
const SCAN_ENTRIES: usize = 100;
const SCANS: usize = 20_000;
const ROUNDS: usize = 3;

/// What both maps are given.
pub(crate) struct Entries {
    keys: Vec<Vec<u8>>,
    value: Vec<u8>,
    /// The order in which keys are looked for.
    probes: Vec<usize>,
}

trait Map {
    const NAME: &'static str;
    fn with_room_for(entries: &Entries) -> Self;
    fn insert_all(&self, entries: &Entries);
    fn get(&self, key: &[u8]) -> Option<usize>;
    fn scan(&self, key: &[u8], entries: usize) -> usize;
}

/// The other, with a key that sorts as ours does: the seq inverted behind it.
struct Crossbeam(SkipMap<Box<[u8]>, Box<[u8]>>);

impl Map for Crossbeam {
    const NAME: &'static str = "crossbeam-skiplist";

    fn with_room_for(_: &Entries) -> Self {
        Self(SkipMap::new())
    }

    fn insert_all(&self, entries: &Entries) {
        for (i, key) in entries.keys.iter().enumerate() {
            let mut versioned = Vec::with_capacity(key.len() + 8);
            versioned.extend_from_slice(key);
            versioned.extend_from_slice(&(!(i as u64 + 1)).to_be_bytes());
            self.0.insert(versioned.into(), entries.value.as_slice().into());
        }
    }

    fn get(&self, key: &[u8]) -> Option<usize> {
        let found = self.0.lower_bound(Bound::Included(key))?;
        (found.key().len() == key.len() + 8 && found.key().starts_with(key))
            .then(|| found.value().len())
    }

    fn scan(&self, key: &[u8], entries: usize) -> usize {
        let rows = self.0.range::<[u8], _>((Bound::Included(key), Bound::Unbounded));
        rows.take(entries).map(|e| e.key().len() + e.value().len()).sum()
    }
}

/// Random bits (splitmix64), the same every time.
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn entries(sequential: bool) -> Entries {
    let mut state = 7;
    let key = |i: u64, state: &mut u64| {
        let mut key = vec![0; KEY_LEN];
        let word = if sequential { i } else { random(state) };
        key[4..12].copy_from_slice(&word.to_be_bytes());
        key
    };
    let keys = (0..ENTRIES).map(|i| key(i, &mut state)).collect();
    let probes = (0..ENTRIES).map(|_| (random(&mut state) % ENTRIES) as usize).collect();
    Entries { keys, value: vec![7; VALUE_LEN], probes }
}

/// Resident memory in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|l| l.trim().split(' ').next()?.parse::<u64>().ok()).unwrap_or(0) << 10
}

/// Nanoseconds for one of each, and bytes for an entry.
struct Figures {
    insert: f64,
    get: f64,
    scan: f64,
    bytes: f64,
}

fn measure<M: Map>(entries: &Entries) -> Figures {
    let for_one = |time: Duration, n: usize| time.as_nanos() as f64 / n as f64;
    let before = resident();
    let map = M::with_room_for(entries);
    let start = Instant::now();
    map.insert_all(entries);
    let insert = for_one(start.elapsed(), entries.keys.len());
    let bytes = resident().saturating_sub(before) as f64 / entries.keys.len() as f64;
    let start = Instant::now();
    for probe in &entries.probes {
        assert_eq!(black_box(map.get(&entries.keys[*probe])), Some(VALUE_LEN));
    }
    let get = for_one(start.elapsed(), entries.probes.len());
    let start = Instant::now();
    for probe in &entries.probes[..SCANS] {
        black_box(map.scan(&entries.keys[*probe], SCAN_ENTRIES));
    }
    let scan = for_one(start.elapsed(), SCANS);
    Figures { insert, get, scan, bytes }
}

fn best<M: Map>(entries: &Entries, best: Option<Figures>) -> Figures {
    let now = measure::<M>(entries);
    match best {
        None => now,
        Some(best) => Figures {
            insert: best.insert.min(now.insert),
            get: best.get.min(now.get),
            scan: best.scan.min(now.scan),
            // Memory that an earlier round gave back may be used again unseen.
            bytes: best.bytes.max(now.bytes),
        },
    }
}

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for (name, sequential) in [("random keys", false), ("ascending keys", true)] {
        let entries = entries(sequential);
        let (mut ours, mut theirs) = (None, None);
        for _ in 0..ROUNDS {
            ours = Some(best::<memtable::Ours>(&entries, ours));
            theirs = Some(best::<Crossbeam>(&entries, theirs));
        }
        writeln!(out, "{ENTRIES} entries of {KEY_LEN} + {VALUE_LEN} bytes, {name}:")?;
        writeln!(
            out,
            "{:20} {:>10} {:>10} {:>14} {:>14}",
            "", "insert", "get", "scan of 100", "memory"
        )?;
        let rows = [(memtable::Ours::NAME, &ours), (Crossbeam::NAME, &theirs)];
        for (name, figures) in rows {
            if let Some(Figures { insert, get, scan, bytes }) = figures {
                // Memory that was used and given back before does not show again.
                let bytes = if *bytes > (KEY_LEN + VALUE_LEN) as f64 {
                    format!("{bytes:>8.0} B each")
                } else {
                    format!("{:>15}", "not seen")
                };
                writeln!(out, "{name:20} {insert:>7.0} ns {get:>7.0} ns {scan:>11.0} ns {bytes}")?;
            }
        }
    }
    Ok(())
}
