use std::time::Duration;

use bytes::Bytes;
use firn_engine::key::{KeyRange, user_key};
use firn_engine::manifest::{Job, JobInput, RangeDelete, Shard, SnapshotMeta, SstMeta};
use firn_engine::object::{
    FaultPlan, FaultStore, Layout, MemoryStore, ObjectKind, RetryOptions, RetryingStore,
};
use firn_engine::storage::{FlushCommit, Storage};
use firn_engine::{Env, Epoch, ObjectId, SpaceId};
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};

use super::*;

const SPACE: SpaceId = SpaceId(1);

/// A store whose requests take a while, and services on it that come and go.
struct Site {
    env: Env,
    store: Arc<dyn ObjectStore>,
    layout: Layout,
    service: Arc<StorageService>,
    flushed: u64,
}

fn main() -> BranchName {
    BranchName::main()
}

fn name(name: &str) -> BranchName {
    BranchName::new(name).unwrap()
}

impl Site {
    async fn new(seed: u64) -> Self {
        let env = Env::simulated(seed);
        let plan =
            FaultPlan { delays: 1000, delay_max: Duration::from_millis(8), ..FaultPlan::default() };
        let slow = FaultStore::new(Arc::new(MemoryStore::new()), env.clone(), plan);
        let store: Arc<dyn ObjectStore> =
            Arc::new(RetryingStore::new(Arc::new(slow), env.clone(), RetryOptions::default()));
        let layout = Layout::new("db".into());
        let service =
            StorageService::passive(env.clone(), "first", Arc::clone(&store), layout.clone());
        service.claim(&main(), "writer").await.unwrap();
        Self { env, store, layout, service, flushed: 0 }
    }

    /// The service dies, and another begins with what is stored.
    fn crash(&mut self) {
        let (store, layout) = (Arc::clone(&self.store), self.layout.clone());
        self.service = StorageService::passive(self.env.clone(), "next", store, layout);
    }

    async fn version(&self, branch: &BranchName) -> Arc<Version> {
        self.service.newest(branch).await.unwrap()
    }

    /// A file at the next seq; with `hides` it deletes all there was before.
    async fn flush(&mut self, branch: &BranchName, hides: bool) -> ObjectId {
        let version = self.version(branch).await;
        self.flushed += 1;
        let seq = Seq(version.flushed_seq.0 + 1);
        let id =
            ObjectId { branch: version.branch_uid, counter: self.flushed, epoch: version.epoch };
        let path = self.layout.object(id, ObjectKind::Sst);
        self.store.put(&path, PutPayload::from_static(b"rows")).await.unwrap();
        let range = KeyRange {
            start: Bytes::copy_from_slice(&user_key(SPACE, b"a")),
            end: Some(Bytes::copy_from_slice(&user_key(SPACE, b"z"))),
        };
        let delete = RangeDelete { range: range.clone(), seq };
        let file = SstMeta {
            id,
            space: SPACE,
            range,
            seq_min: seq,
            seq_max: seq,
            bytes: 4,
            tail_bytes: 1,
            cut: false,
            raw_bytes: 4,
            entries: 1,
            deletes: 0,
            range_deletes: u64::from(hides),
            widest: if hides { vec![delete] } else { Vec::new() },
            column: None,
        };
        let flush = FlushCommit {
            epoch: version.epoch,
            files: vec![Arc::new(file)],
            flushed_seq: seq,
            decided_counter: self.flushed + 1,
            times: Vec::new(),
        };
        self.service.commit_flush(branch, flush).await.unwrap();
        id
    }

    /// What the writer still reads: the newest version and seq.
    async fn reads_the_newest(&self, branch: &BranchName) {
        let version = self.version(branch).await;
        let lease = firn_engine::manifest::Lease {
            oldest_seq: version.flushed_seq,
            oldest_version: version.number,
        };
        self.service.renew_lease(branch, &version.writer_lease(), lease).await.unwrap();
    }

    /// Everything in the branch is merged into one other file; garbage goes.
    async fn replace_all(&mut self, branch: &BranchName) {
        self.flush(branch, false).await;
        let version = self.version(branch).await;
        let files: Vec<_> = version.files().map(|(level, f)| (level, Arc::clone(f))).collect();
        let id = ObjectId { counter: 1 << 40 | version.number.0, ..files[0].1.id };
        let path = self.layout.object(id, ObjectKind::Sst);
        self.store.put(&path, PutPayload::from_static(b"rows")).await.unwrap();
        let seqs = files.iter().flat_map(|(_, f)| [f.seq_min, f.seq_max]);
        let (seq_min, seq_max) = (seqs.clone().min().unwrap(), seqs.max().unwrap());
        let output = SstMeta { id, seq_min, seq_max, ..(*files[0].1).clone() };
        let resume_key = output.range.end.clone().unwrap();
        let inputs = files.iter().map(|(level, f)| JobInput { level: *level, id: f.id }).collect();
        let (job, attempt) = (version.next_job, version.next_attempt);
        let plan = Job {
            id: job,
            space: SPACE,
            inputs,
            target_level: 6,
            bottom: true,
            watermark: version.watermark.seq,
            shards: vec![Shard::new(KeyRange::space(SPACE))],
            parked: None,
        };
        let edits = vec![
            Edit::AddJob { job: Arc::new(plan) },
            Edit::LeaseShard { job, shard: 0, attempt, worker: "worker".into() },
            Edit::ShardProgress {
                job,
                shard: 0,
                attempt,
                outputs: vec![Arc::new(output)],
                resume_key,
                done: true,
            },
            Edit::CompleteJob { job },
        ];
        let known = self.service.branch(branch).await.unwrap();
        known.commit(|_| Ok(Some(edits.clone()))).await.unwrap();
        self.collect(branch).await;
    }

    async fn collect(&mut self, branch: &BranchName) {
        self.reads_the_newest(branch).await;
        self.service.advance_watermark(branch).await.unwrap();
        let known = self.service.branch(branch).await.unwrap();
        self.service.unlink_hidden(&known).await.unwrap();
        self.reads_the_newest(branch).await;
        self.service.collect_garbage(branch).await.unwrap();
    }

    async fn exists(&self, id: ObjectId) -> bool {
        self.store.head(&self.layout.object(id, ObjectKind::Sst)).await.is_ok()
    }

    /// Every object that a branch names as a file is there.
    async fn check(&self) {
        for version in Reachable::read(&self.service.manifests).await.unwrap().versions() {
            for (_, file) in version.files() {
                assert!(
                    self.exists(file.id).await,
                    "{:?} of {:?} is gone",
                    file.id,
                    version.branch
                );
            }
        }
    }

    fn wanted(&self, branch: &str, seq: u64) -> NewBranch {
        let at = BranchAt::Seq(Seq(seq));
        NewBranch { parent: main(), name: name(branch), branch_uid: 77, at }
    }
}

/// Runs in time that passes when nothing else can happen.
fn simulate<F: Future<Output = ()>>(seed: u64, test: impl FnOnce(u64) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(test(seed));
}

#[test]
fn what_a_branch_that_is_being_made_needs_is_kept_until_it_says_so_itself() {
    simulate(1, async |seed| {
        let mut site = Site::new(seed).await;
        let old = site.flush(&main(), false).await;
        let parent = site.service.branch(&main()).await.unwrap();
        let new = site.wanted("dev", 1);
        let pinned = site.service.pin(&parent, &new).await.unwrap();
        // The one that makes it is paused here, while the parent goes on.
        site.replace_all(&main()).await;
        assert!(site.version(&main()).await.garbage.contains_key(&old), "it has left the parent");
        assert!(site.exists(old).await, "the pin keeps it");
        let point = pinned.children[&new.name];
        assert!(
            site.service.manifests.begin(&pinned.fork(&new.name, &point).unwrap()).await.unwrap()
        );
        // From here on the branch names it itself; the pin may go.
        site.service.mark(&parent, &new.name, 77, BranchState::Created).await.unwrap();
        site.collect(&main()).await;
        assert!(
            site.version(&main()).await.garbage.is_empty(),
            "the branch deletes it in its time"
        );
        assert!(site.exists(old).await);
        site.check().await;
        site.service.drop_branch(&new.name, false).await.unwrap();
        site.service.collect_garbage(&new.name).await.unwrap();
        assert!(!site.exists(old).await, "nobody needs it any more");
        let dropped = site.service.branch(&new.name).await.unwrap();
        assert!(site.service.forget_dropped(&dropped).await.unwrap());
        assert!(site.version(&main()).await.children.is_empty());
    });
}

#[test]
fn a_crash_at_any_moment_of_making_loses_nothing_and_the_next_try_succeeds() {
    simulate(2, async |seed| {
        let mut seen_pinned = false;
        for cancel_ms in 0.. {
            let mut site = Site::new(seed).await;
            let old = site.flush(&main(), false).await;
            let new = site.wanted("dev", 1);
            let making = site.service.create_branch(new.clone());
            let made = site.env.timeout(Duration::from_millis(cancel_ms), making).await;
            site.crash();
            let there = |version: &Version| version.children.get(&name("dev")).copied();
            let begun = there(&*site.version(&main()).await);
            seen_pinned |= begun.is_some_and(|point| point.state == BranchState::Pinned);
            if begun.is_some() {
                site.replace_all(&main()).await;
                site.check().await;
                assert!(site.exists(old).await, "cancelled after {cancel_ms} ms");
            }
            if cancel_ms % 2 == 0 {
                let info = site.service.create_branch(new).await.unwrap();
                assert_eq!((info.files, info.flushed_seq), (1, Seq(1)));
                site.replace_all(&main()).await;
                site.check().await;
            } else {
                // Upkeep ends what was only not marked.
                let parent = site.service.branch(&main()).await.unwrap();
                parent.refresh().await.unwrap();
                site.service.look_after_children(&parent).await.unwrap();
                if begun.is_some() {
                    site.service.drop_branch(&name("dev"), false).await.unwrap();
                    site.service.drop_branch(&name("dev"), false).await.unwrap();
                    if site.service.find_branch(&name("dev")).await.unwrap().is_some() {
                        site.service.collect_garbage(&name("dev")).await.unwrap();
                    }
                    site.collect(&main()).await;
                    assert!(!site.exists(old).await, "cancelled after {cancel_ms} ms");
                    let again = site.service.create_branch(site.wanted("dev", 2)).await;
                    let error = again.unwrap_err().to_string();
                    assert!(
                        error.ends_with("branch dev was dropped: the next is dev.2"),
                        "{error}"
                    );
                }
            }
            if made.is_some() {
                assert!(cancel_ms > 3 && seen_pinned, "no step was cut off");
                return;
            }
        }
    });
}

#[test]
fn a_crash_at_any_moment_of_dropping_is_mended_by_dropping_again() {
    simulate(3, async |seed| {
        for cancel_ms in 0.. {
            let mut site = Site::new(seed).await;
            site.flush(&main(), false).await;
            site.service.create_branch(site.wanted("dev", 1)).await.unwrap();
            site.service.claim(&name("dev"), "somebody").await.unwrap();
            let own = site.flush(&name("dev"), false).await;
            let dev = name("dev");
            let dropping = site.service.drop_branch(&dev, true);
            let limit = Duration::from_millis(cancel_ms);
            let done = site.env.timeout(limit, dropping).await.is_some();
            site.crash();
            site.service.drop_branch(&name("dev"), true).await.unwrap();
            // The crash of its reader is noticed after a lease length.
            let branch = site.service.branch(&name("dev")).await.unwrap();
            site.env.sleep(2 * firn_engine::storage::LEASE_LENGTH).await;
            branch.readers.lock().expire(site.env.now());
            site.service.collect_garbage(&name("dev")).await.unwrap();
            assert!(!site.exists(own).await, "cancelled after {cancel_ms} ms");
            assert!(site.service.forget_dropped(&branch).await.unwrap());
            assert!(site.version(&main()).await.children.is_empty());
            site.check().await;
            if done {
                assert!(cancel_ms > 2);
                return;
            }
        }
    });
}

#[test]
fn what_a_dropped_branch_was_called_the_next_is_called_and_nothing_of_the_first_comes_back() {
    simulate(6, async |seed| {
        let mut site = Site::new(seed).await;
        site.flush(&main(), false).await;
        let (dev, second, third) = (name("dev"), name("dev.2"), name("dev.3"));
        assert_eq!(site.service.find(&dev).await.unwrap(), None);
        let refused = |made: Result<BranchInfo>| made.unwrap_err().to_string();
        let wanted = |site: &Site, branch: &str, uid| NewBranch {
            branch_uid: uid,
            ..site.wanted(branch, 1)
        };
        let error = refused(site.service.create_branch(wanted(&site, "dev.2", 78)).await);
        assert!(error.ends_with("branch dev never existed: dev.2 comes after it"), "{error}");
        let first = wanted(&site, "dev", 77);
        site.service.create_branch(first.clone()).await.unwrap();
        let error = refused(site.service.create_branch(wanted(&site, "dev.2", 78)).await);
        assert!(error.ends_with("branch dev exists: dev.2 comes after it"), "{error}");
        site.service.claim(&dev, "somebody").await.unwrap();
        let archived = site.layout.archived(&dev, Seq(2), Seq(9));
        site.store.put(&archived, PutPayload::from_static(b"records")).await.unwrap();
        site.service.drop_branch(&dev, true).await.unwrap();
        let found = site.service.find(&dev).await.unwrap().unwrap();
        assert_eq!((&found.name, found.state), (&dev, BranchState::Dropped));
        site.service.create_branch(wanted(&site, "dev.2", 78)).await.unwrap();
        // Whoever opens it by what it is called gets the second, also elsewhere.
        for _ in 0..2 {
            let claimed = site.service.claim(&dev, "somebody else").await.unwrap();
            assert_eq!((&claimed.branch, claimed.branch_uid), (&second, 78));
            site.crash();
        }
        let found = site.service.find(&second).await.unwrap().unwrap();
        assert_eq!((&found.name, found.state), (&second, BranchState::Created));
        // What comes late for the first does nothing to the second.
        let error = refused(site.service.create_branch(first).await);
        assert!(error.ends_with("branch dev was dropped: the next is dev.2"), "{error}");
        site.service.drop_branch(&dev, true).await.unwrap();
        assert!(!site.version(&second).await.dropped);
        let error = refused(site.service.create_branch(wanted(&site, "dev.3", 79)).await);
        assert!(error.ends_with("branch dev.2 exists: dev.3 comes after it"), "{error}");
        // Its archive goes before its parent forgets it.
        let branch = site.service.branch(&dev).await.unwrap();
        site.env.sleep(2 * firn_engine::storage::LEASE_LENGTH).await;
        branch.readers.lock().expire(site.env.now());
        site.service.collect_garbage(&dev).await.unwrap();
        assert!(site.store.head(&archived).await.is_ok());
        assert!(site.service.forget_dropped(&branch).await.unwrap());
        assert!(site.store.head(&archived).await.is_err());
        // What an archiver that was paused stores now is found by a look for orphans.
        let kept = site.layout.archived(&second, Seq(2), Seq(9));
        for path in [&archived, &kept] {
            site.store.put(path, PutPayload::from_static(b"records")).await.unwrap();
        }
        assert_eq!(site.service.delete_orphans().await.unwrap(), 1);
        assert!(site.store.head(&archived).await.is_err());
        site.store.head(&kept).await.unwrap();
        site.service.drop_branch(&second, true).await.unwrap();
        let error = site.service.claim(&dev, "late").await.unwrap_err().to_string();
        assert!(error.ends_with("branch dev.2 was dropped"), "{error}");
        site.service.create_branch(wanted(&site, "dev.3", 79)).await.unwrap();
        let claimed = site.service.claim(&dev, "third").await.unwrap();
        assert_eq!(claimed.branch, third);
        site.check().await;
    });
}

#[test]
fn a_service_that_has_not_heard_of_the_drop_claims_the_branch_that_is_called_so_now() {
    simulate(7, async |seed| {
        let mut site = Site::new(seed).await;
        site.flush(&main(), false).await;
        site.service.create_branch(site.wanted("dev", 1)).await.unwrap();
        site.service.claim(&name("dev"), "somebody").await.unwrap();
        let unaware = Arc::clone(&site.service);
        site.crash();
        site.service.drop_branch(&name("dev"), true).await.unwrap();
        let next = NewBranch { branch_uid: 78, ..site.wanted("dev.2", 1) };
        site.service.create_branch(next).await.unwrap();
        let claimed = unaware.claim(&name("dev"), "somebody").await.unwrap();
        assert_eq!(claimed.branch, name("dev.2"));
    });
}

#[test]
fn a_branch_that_is_made_while_it_is_dropped_is_not_there_when_that_is_said() {
    simulate(8, async |seed| {
        for delay_ms in 0..100 {
            let mut site = Site::new(seed + delay_ms).await;
            site.flush(&main(), false).await;
            let end = async {
                site.env.sleep(Duration::from_millis(delay_ms % 50)).await;
                site.service.drop_branch(&name("dev"), true).await
            };
            let make = site.service.create_branch(site.wanted("dev", 1));
            let (_made, ended) = futures::join!(make, end);
            let found = site.service.find(&name("dev")).await.unwrap();
            match ended {
                Ok(()) => assert_eq!(found.unwrap().state, BranchState::Dropped, "{delay_ms} ms"),
                Err(e) => assert!(e.to_string().ends_with("does not exist"), "{e}"),
            }
        }
    });
}

#[test]
fn what_is_garbage_of_two_branches_is_kept_for_the_readers_of_both() {
    simulate(4, async |seed| {
        let mut site = Site::new(seed).await;
        let shared = site.flush(&main(), false).await;
        site.service.create_branch(site.wanted("dev", 1)).await.unwrap();
        site.service.claim(&name("dev"), "somebody").await.unwrap();
        // A reader of the branch that stays where it is, while both leave the file.
        let version = site.version(&name("dev")).await;
        let old =
            firn_engine::manifest::Lease { oldest_seq: Seq(1), oldest_version: version.number };
        site.service.renew_lease(&name("dev"), "analyst", old).await.unwrap();
        site.flush(&name("dev"), false).await;
        site.service.drop_branch(&name("dev"), true).await.unwrap();
        site.replace_all(&main()).await;
        site.collect(&main()).await;
        site.service.collect_garbage(&name("dev")).await.unwrap();
        assert!(site.exists(shared).await, "the analyst reads it");
        let branch = site.service.branch(&name("dev")).await.unwrap();
        site.env.sleep(2 * firn_engine::storage::LEASE_LENGTH).await;
        branch.readers.lock().expire(site.env.now());
        for _ in 0..2 {
            site.collect(&main()).await;
            site.service.collect_garbage(&name("dev")).await.unwrap();
        }
        site.service.delete_orphans().await.unwrap();
        assert!(!site.exists(shared).await);
        site.check().await;
    });
}

#[test]
fn what_cannot_be_done_is_refused_in_one_line() {
    simulate(5, async |seed| {
        let mut site = Site::new(seed).await;
        site.flush(&main(), false).await;
        let refused = |made: Result<BranchInfo>| made.unwrap_err().to_string();
        let create = |new: NewBranch| site.service.create_branch(new);
        let from = |parent: &str| NewBranch { parent: name(parent), ..site.wanted("dev", 1) };
        let error = refused(create(from("nowhere")).await);
        assert_eq!(error, "creating branch dev from branch nowhere: branch nowhere does not exist");
        let at = BranchAt::Snapshot("monday".into());
        let error = refused(create(NewBranch { at, ..site.wanted("dev", 1) }).await);
        assert!(error.ends_with("branch main has no snapshot \"monday\""), "{error}");
        let error = refused(create(site.wanted("dev", 9)).await);
        assert!(error.ends_with("branch main at seq 9: it is in files up to 1 only"), "{error}");
        create(site.wanted("dev", 1)).await.unwrap();
        let other = |new: NewBranch| NewBranch { branch_uid: 78, ..new };
        let error = refused(create(other(site.wanted("dev", 1))).await);
        assert!(error.ends_with("branch dev exists already"), "{error}");
        // The name is taken by a branch of another parent.
        let nested = NewBranch { parent: name("dev"), ..other(site.wanted("dev2", 1)) };
        create(nested.clone()).await.unwrap();
        let error = refused(create(NewBranch { branch_uid: 79, ..site.wanted("dev2", 1) }).await);
        assert!(error.ends_with("branch dev2 exists already"), "{error}");
        assert!(
            !site.version(&main()).await.children.contains_key(&name("dev2")),
            "no pin is left"
        );
        let dropped = async |branch: &str| {
            site.service.drop_branch(&name(branch), false).await.unwrap_err().to_string()
        };
        assert!(dropped("main").await.ends_with("branch main cannot be dropped"));
        let error = dropped("dev").await;
        assert!(error.ends_with("has 1 branches, such as dev2: drop those first"), "{error}");
        assert!(dropped("nowhere").await.ends_with("branch nowhere does not exist"));
        site.service.claim(&name("dev2"), "somebody").await.unwrap();
        let error = dropped("dev2").await;
        assert!(error.ends_with("by somebody (epoch 1): end that first, or force it"), "{error}");
        let lease = site.version(&name("dev2")).await.writer_lease();
        site.service.end_lease(&name("dev2"), &lease).await.unwrap();
        assert!(site.version(&name("dev2")).await.leases.is_empty(), "others see that it ended");
        site.service.drop_branch(&name("dev2"), false).await.unwrap();
        let claimed = site.service.claim(&name("dev2"), "late").await.unwrap_err().to_string();
        assert!(claimed.ends_with("branch dev2 was dropped"), "{claimed}");
        site.service.create_snapshot(&main(), "monday", Seq(1)).await.unwrap();
        let snapshot = site.version(&main()).await.snapshots["monday"].clone();
        assert_eq!(snapshot, SnapshotMeta { seq: Seq(1), ..snapshot.clone() });
        let at = BranchAt::Snapshot("monday".into());
        create(NewBranch { at, ..other(site.wanted("from-monday", 0)) }).await.unwrap();
        let listed = site.service.list_branches().await.unwrap();
        let names: Vec<_> = listed.iter().map(|info| info.name.as_str()).collect();
        assert_eq!(names, ["dev", "dev2", "from-monday", "main"]);
        let epoch: Epoch = site.version(&main()).await.epoch;
        assert_eq!(epoch, Epoch(1), "the parent's writer is left alone");
    });
}

#[test]
fn a_request_that_comes_when_its_branch_is_forgotten_keeps_nothing() {
    simulate(9, async |seed| {
        for is_cut_off in [false, true] {
            let mut site = Site::new(seed).await;
            site.flush(&main(), false).await;
            let new = site.wanted("dev", 1);
            site.service.create_branch(new.clone()).await.unwrap();
            site.service.drop_branch(&new.name, false).await.unwrap();
            let end = async || {
                let dropped = site.service.branch(&new.name).await.unwrap();
                site.service.collect_garbage(&new.name).await.unwrap();
                dropped.refresh().await.unwrap();
                assert!(site.service.forget_dropped(&dropped).await.unwrap());
                assert!(site.version(&main()).await.children.is_empty());
            };
            end().await;
            let parent = site.service.branch(&main()).await.unwrap();
            if is_cut_off {
                site.service.pin(&parent, &new).await.unwrap();
                site.service.look_after_children(&parent).await.unwrap();
            } else {
                let error = site.service.create_branch(new.clone()).await.unwrap_err();
                assert!(error.to_string().contains("branch dev was dropped"), "{error}");
            }
            let state = site.version(&main()).await.children[&new.name].state;
            assert_eq!(state, BranchState::Dropped);
            end().await;
        }
    });
}

#[test]
fn a_service_that_has_not_heard_of_a_branch_drops_it_in_its_parent_too() {
    simulate(10, async |seed| {
        let mut site = Site::new(seed).await;
        site.flush(&main(), false).await;
        let (store, layout) = (Arc::clone(&site.store), site.layout.clone());
        let other = StorageService::passive(site.env.clone(), "other", store, layout);
        let known = other.branch(&main()).await.unwrap();
        let new = site.wanted("dev", 1);
        site.service.create_branch(new.clone()).await.unwrap();
        assert!(known.version().children.is_empty(), "it has not heard of it");
        other.drop_branch(&new.name, false).await.unwrap();
        let point = other.newest(&main()).await.unwrap().children[&new.name];
        assert_eq!(point.state, BranchState::Dropped);
    });
}
