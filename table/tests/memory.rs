//! Memory of writing a large column copy. Alone in its process: it looks at
//! the process's peak.
#![cfg(target_os = "linux")]

use firn_engine::column::RowSchemas;
use firn_engine::key::{ValueKind, user_key};
use firn_engine::{Seq, SpaceId};
use firn_table::{RowDescription, Schemas};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

/// Highest resident size so far, in MiB.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

#[test]
fn memory_does_not_grow_with_the_copy() {
    let mut rng = SmallRng::seed_from_u64(1);
    let mut value = vec![0; 2000];
    let schema = Schemas.open(&RowDescription::KeyValue.encode()).unwrap();
    let before = peak_mib();
    let mut written = 0;
    let mut writer = schema.writer().unwrap();
    for i in 0..300_000u64 {
        rng.fill(&mut value);
        let key = user_key(SpaceId(1), &i.to_be_bytes());
        writer.add(&key, Seq(1), ValueKind::Put, &value).unwrap();
        if i % 100 == 0 {
            written += writer.take().len();
        }
    }
    written += writer.finish().unwrap().len();
    assert!(written > 600_000_000, "random values do not compress");
    let grown = peak_mib() - before;
    // Two row groups of 16 MiB, the pages being encoded, and what the allocator
    // has not given back; a whole copy would be six times as much.
    assert!(grown < 96, "{grown} MiB more for {written} bytes");
    // So that the bound stays one that can fail.
    assert!(grown > 10, "{grown} MiB more are too few to be true");
}
