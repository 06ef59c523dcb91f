//! Writes to the disk of a journal member as its loop does, one synced batch
//! after the other, for measuring by hand:
//!
//! ```text
//! cargo run --release -p firn-journal --example raft_log -- FOLDER [SECONDS]
//! ```

#![expect(clippy::print_stdout, reason = "it is a command")]
#![expect(clippy::disallowed_methods, reason = "it measures")]

use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
use firn_engine::{Env, Result};
use firn_journal::raft::catch_up::Base;
use firn_journal::raft::{DiskStore, Entry, GroupWrite, HardState, Identity, LogStore};

const LENS: [usize; 4] = [128, 4 << 10, 27 << 10, 512 << 10];

/// Bytes of entries that are kept.
const KEPT_BYTES: u64 = 256 << 20;

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let folder = args.next().ok_or("which folder?")?;
    let seconds = Duration::from_secs(args.next().map_or(Ok(5), |s| s.parse())?);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build()?;
    let env = Env::tokio(runtime.handle().clone(), runtime.handle().clone());
    let heads = ["bytes", "per s", "p50 us", "p99", "p99.9", "max"];
    println!("{}", heads.map(|head| format!("{head:>9}")).join(""));
    for len in LENS {
        let folder = Path::new(&folder).join(len.to_string());
        let mut micros = write_for(&env, &folder, len, seconds)?;
        std::fs::remove_dir_all(folder)?;
        let total: u64 = micros.iter().sum();
        micros.sort_unstable();
        let at = |q: f64| micros[((micros.len() - 1) as f64 * q) as usize];
        let rate = micros.len() as u64 * 1_000_000 / total.max(1);
        let cells = [len as u64, rate, at(0.5), at(0.99), at(0.999), at(1.0)];
        println!("{}", cells.map(|cell| format!("{cell:>9}")).join(""));
    }
    Ok(())
}

fn write_for(env: &Env, folder: &Path, len: usize, limit: Duration) -> Result<Vec<u64>> {
    let identity = Identity { cluster: "bench".into(), member: 1, groups: 1 };
    let store = DiskStore::open(env.clone(), folder, identity)?;
    let base = |index| Base { index, term: 1, ..Base::founding(vec![1, 2, 3]) };
    let hard = |commit| HardState { term: 1, commit, ..HardState::default() };
    let (replaced, first) = (Some(base(1)), Some(hard(1)));
    store.write(&[GroupWrite { replaced, hard: first, ..GroupWrite::default() }], true)?;
    let data = Bytes::from(vec![0x5a; len]);
    let (mut micros, begun, mut index) = (Vec::new(), Instant::now(), 1);
    let kept = KEPT_BYTES / len as u64;
    while begun.elapsed() < limit {
        index += 1;
        let entries = vec![Entry { term: 1, index, data: data.clone(), ..Entry::default() }];
        let cut = (index % 256 == 0 && index > kept + 1).then(|| base(index - kept));
        let hard = Some(hard(index - 1));
        let start = Instant::now();
        store.write(&[GroupWrite { entries, hard, cut, ..GroupWrite::default() }], true)?;
        micros.push(start.elapsed().as_micros() as u64);
    }
    Ok(micros)
}
