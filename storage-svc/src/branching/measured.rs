//! What making a branch of a large database costs.

use std::time::Duration;

use firn_engine::key::{KeyRange, user_key};
use firn_engine::manifest::{SpaceState, SstMeta};
use firn_engine::object::{Layout, MemoryStore, RequestKind, RetryOptions, RetryingStore};
use firn_engine::{Env, Epoch, ObjectId, SpaceId};

use super::*;

const OBJECTS: u64 = 100_000;
const BRANCHES: u64 = 40;

/// A database of so many objects, at the bottom of one space.
fn database() -> Version {
    let space = SpaceId(1);
    let key = |n: u64| user_key(space, format!("customer/{n:012}/order").as_bytes());
    let file = |n: u64| {
        Arc::new(SstMeta {
            id: ObjectId { branch: 7, counter: n, epoch: Epoch(1) },
            space,
            range: KeyRange::inclusive(&key(n * 10), &key(n * 10 + 9)),
            seq_min: Seq(n + 1),
            seq_max: Seq(n + 1),
            bytes: 64 << 20,
            tail_bytes: 4000,
            cut: false,
            raw_bytes: 128 << 20,
            entries: 500_000,
            deletes: 0,
            range_deletes: 0,
            widest: Vec::new(),
            column: None,
        })
    };
    let mut state = SpaceState::default();
    state.levels[5] = Arc::new((0..OBJECTS).map(file).collect());
    Version {
        number: ManifestVersion(1),
        branch_uid: 7,
        flushed_seq: Seq(OBJECTS),
        spaces: [(space, Arc::new(state))].into(),
        ..Version::empty(BranchName::main())
    }
}

/// The target: 200 ms above the object store's own time, which is that of six requests, three
/// of which look whether it was fenced meanwhile. In a release build:
/// `cargo test --release -p firn-storage --lib branching::measured -- --ignored --nocapture`
#[test]
#[ignore = "needs a release build"]
#[allow(clippy::print_stderr, reason = "a measurement")]
fn a_branch_of_100_000_objects_copies_none() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let env = Env::tokio(runtime.handle().clone(), runtime.handle().clone());
    let memory = Arc::new(MemoryStore::new());
    let store = Arc::new(RetryingStore::new(memory, env.clone(), RetryOptions::default()));
    let stats = store.stats();
    let layout = Layout::new("db".into());
    let service = StorageService::passive(env.clone(), "measured", store, layout);
    runtime.block_on(async {
        assert!(service.manifests.begin(&database()).await.unwrap());
        service.find_branch(&BranchName::main()).await.unwrap();
        let mut times = Vec::new();
        for number in 1..=BRANCHES {
            let new = NewBranch {
                parent: BranchName::main(),
                name: BranchName::new(&format!("b{number}")).unwrap(),
                branch_uid: number,
                // Every second one of the past, which leaves files out and cuts one.
                at: BranchAt::Seq(Seq(OBJECTS - number % 2 * 1000)),
            };
            let (before, begun) = (stats.snapshot(), env.now());
            let made = service.create_branch(new).await.unwrap();
            times.push(env.now().since(begun));
            assert_eq!(made.files, OBJECTS - number % 2 * 1000);
            let after = stats.snapshot();
            for kind in RequestKind::ALL {
                let requests = after.of(kind).requests - before.of(kind).requests;
                // Each version that is stored is looked at again: whoever was away for long
                // may have stored it in the past.
                let expected = match kind {
                    RequestKind::Put => 3,
                    RequestKind::Get => 2,
                    RequestKind::List => 1,
                    _ => 0,
                };
                assert_eq!(requests, expected, "{}", kind.as_str());
            }
        }
        times.sort_unstable();
        let (middle, most) = (times[times.len() / 2], times[times.len() - 1]);
        eprintln!("{BRANCHES} branches of {OBJECTS} objects: {middle:?} each, at most {most:?}");
        assert!(middle < Duration::from_millis(200), "{middle:?}");
    });
}
