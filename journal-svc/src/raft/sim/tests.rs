#![expect(clippy::print_stderr, reason = "seeds and what was found are printed")]

use super::*;

/// Simulated time in which things go wrong.
const STORM: Millis = 12_000;
/// Simulated time in which all must be well again.
const CALM: Millis = 4_000;

#[derive(Debug, Default)]
struct Ran {
    appends: u64,
    openings: u64,
    changes: u64,
    replaced: u64,
    unknown: u64,
    digest: u64,
}

fn run(seed: u64, planted: Planted, disks: bool) -> Ran {
    let mut world = World::new(seed, planted);
    world.checks.disks = disks;
    world.run(STORM);
    world.heal();
    world.run(STORM + CALM);
    let (before, openings) = (world.checks.appends, world.checks.openings);
    // Writes go on.
    world.run(STORM + 2 * CALM);
    assert!(world.checks.appends + world.checks.openings > before + openings, "nothing goes on");
    // Nobody asks any more, so that the members can come to one end.
    world.quiet = true;
    world.run(STORM + 3 * CALM);
    world.check_end();
    Ran {
        appends: world.checks.appends,
        openings: world.checks.openings,
        changes: world.changes_made(),
        replaced: world.replaced,
        unknown: world.unknown,
        digest: world.digest,
    }
}

/// Seeds: `FIRN_SEED` for one, or the first `FIRN_SEEDS` from 0.
fn seeds(default: u64) -> std::ops::Range<u64> {
    let number = |name| std::env::var(name).ok().map(|s| s.parse::<u64>().expect("a number"));
    match (number("FIRN_SEED"), number("FIRN_SEEDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, count) => 0..count.unwrap_or(default),
    }
}

fn try_seed(seed: u64, planted: Planted, disks: bool) -> Result<Ran, String> {
    let ran = std::panic::catch_unwind(|| run(seed, planted, disks));
    ran.map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic").to_owned()
    })
}

/// Thousands of seeds: `FIRN_SEEDS=5000 cargo test --release -p firn-journal raft::sim`.
#[test]
fn three_members_keep_every_promise() {
    let mut all = Ran::default();
    let seeds = seeds(100);
    for seed in seeds.clone() {
        match try_seed(seed, Planted::Nothing, true) {
            Ok(ran) => {
                all.appends += ran.appends;
                all.openings += ran.openings;
                all.changes += ran.changes;
                all.replaced += ran.replaced;
                all.unknown += ran.unknown;
            }
            Err(why) => panic!("FIRN_SEED={seed}: {why}"),
        }
    }
    eprintln!("seeds {seeds:?}: {all:?}");
    let count = seeds.end - seeds.start;
    if count > 20 {
        // It would be quiet, too, if nothing happened.
        assert!(all.appends > 50 * count && all.openings > 5 * count, "{all:?}");
        assert!(all.changes > 5 && all.replaced > 5 && all.unknown > count, "{all:?}");
    }
}

#[test]
fn a_seed_is_the_same_twice() {
    for seed in 0..3 {
        let digests = [0, 1].map(|_| run(seed, Planted::Nothing, true).digest);
        assert_eq!(digests[0], digests[1], "seed {seed}");
    }
}

/// Each bug is found by what writers and readers see alone, without a look at
/// the disks, and again with that look.
#[test]
fn planted_bugs_are_found() {
    for planted in [Planted::SkipEpochCheck, Planted::AckBeforeQuorum, Planted::AckBeforeSync] {
        for disks in [false, true] {
            let found =
                (0..200).find_map(|seed| Some((seed, try_seed(seed, planted, disks).err()?)));
            let (seed, why) = found.unwrap_or_else(|| panic!("{planted:?} is not found"));
            eprintln!("{planted:?}, disks {disks}: seed {seed}: {why}");
        }
    }
}
