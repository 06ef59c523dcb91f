use firn_engine::Seq;
use firn_engine::manifest::{Edit, SnapshotMeta};
use firn_engine::object::{MemoryStore, RetryOptions, RetryingStore};

use super::*;

/// Services on one store, each with what it knows.
struct Site {
    store: Arc<dyn ObjectStore>,
    branch: BranchName,
}

struct Service {
    manifests: Manifests,
    version: Arc<Version>,
}

impl Site {
    async fn new() -> (Self, Service) {
        let (memory, env) = (Arc::new(MemoryStore::new()), Env::simulated(1));
        let store = Arc::new(RetryingStore::new(memory, env, RetryOptions::default()));
        let site = Self { store, branch: BranchName::main() };
        let version = Arc::new(Version::empty(site.branch.clone()));
        let mut first = Service { manifests: site.manifests(1), version };
        first.commit(&[Edit::CreateBranch { branch_uid: 7 }]).await;
        (site, first)
    }

    fn manifests(&self, seed: u64) -> Manifests {
        Manifests::new(Env::simulated(seed), Arc::clone(&self.store), Layout::new("db".into()))
    }

    async fn another(&self, seed: u64) -> Service {
        let manifests = self.manifests(seed);
        let version = manifests.newest(&self.branch).await.unwrap().unwrap();
        Service { manifests, version: Arc::new(version) }
    }

    async fn newest(&self) -> Version {
        self.manifests(99).newest(&self.branch).await.unwrap().unwrap()
    }
}

impl Service {
    async fn commit(&mut self, edits: &[Edit]) {
        let known = Arc::clone(&self.version);
        let wanted = |_: &Version| Ok(Some(edits.to_vec()));
        self.version = self.manifests.commit(known, wanted, |_, _| {}).await.unwrap();
    }

    async fn claim(&mut self) {
        self.commit(&[Edit::ClaimWriter { writer: "w".into() }]).await;
    }

    /// Makes so many versions that all that others know is deleted.
    async fn go_far(&mut self) {
        for _ in 0..4 * STATE_EVERY {
            self.claim().await;
        }
        assert!(self.manifests.delete_old(&self.version).await.unwrap() > STATE_EVERY);
    }
}

#[tokio::test]
async fn a_service_that_was_away_for_long_does_not_commit_in_the_past() {
    let (site, mut first) = Site::new().await;
    let mut away = site.another(2).await;
    first.go_far().await;
    away.claim().await;
    let newest = site.newest().await;
    assert_eq!((away.version.number, away.version.epoch), (newest.number, newest.epoch));
    assert_eq!(newest.epoch.0, first.version.epoch.0 + 1);
    // The other hears of it.
    first.claim().await;
    assert_eq!(first.version.epoch.0, newest.epoch.0 + 1);
}

#[tokio::test]
async fn nor_behind_what_another_that_was_away_made_there() {
    let (site, mut first) = Site::new().await;
    let mut away = site.another(2).await;
    first.claim().await;
    let mut next = site.another(3).await;
    first.go_far().await;
    // It makes the name anew that the next one knows.
    away.claim().await;
    next.claim().await;
    let newest = site.newest().await;
    assert_eq!((next.version.number, next.version.epoch), (newest.number, newest.epoch));
    assert_eq!(newest.epoch.0, first.version.epoch.0 + 2);
}

#[tokio::test]
async fn a_service_that_was_away_for_long_reads_no_past_either() {
    let (site, mut first) = Site::new().await;
    let mut away = site.another(2).await;
    let follower = site.another(3).await;
    first.go_far().await;
    away.claim().await;
    // What was made in the past is there, behind the version that it knows.
    let (version, steps) = follower.manifests.catch_up((*follower.version).clone()).await.unwrap();
    assert_eq!((version, steps.len()), (site.newest().await, 0));
}

#[tokio::test]
async fn the_first_version_is_not_made_twice() {
    let (site, mut first) = Site::new().await;
    let begun = Version { number: ManifestVersion(1), ..Version::empty(site.branch.clone()) };
    assert!(!first.manifests.begin(&begun).await.unwrap());
    first.go_far().await;
    assert!(!first.manifests.begin(&begun).await.unwrap());
    assert_eq!(site.newest().await.number, first.version.number);
}

#[tokio::test]
async fn a_state_that_was_left_behind_can_be_built_on() {
    let (site, mut first) = Site::new().await;
    first.claim().await;
    first.manifests.leave_state(&first.version).await.unwrap();
    let mut next = site.another(2).await;
    assert_eq!(next.version, first.version);
    next.claim().await;
    assert_eq!(next.version.number, first.version.number.next());
}

#[tokio::test]
async fn nothing_is_refused_for_want_of_what_another_service_has_made() {
    let (site, mut first) = Site::new().await;
    let mut behind = site.another(2).await;
    first.claim().await;
    let snapshot = SnapshotMeta { seq: Seq::ZERO, created_unix_ms: 1 };
    let made = Edit::AddSnapshot { name: "s".into(), snapshot };
    first.commit(&[made]).await;
    let gone = [Edit::DropSnapshot { name: "s".into() }];
    behind.commit(&gone).await;
    let refused = behind.manifests.commit(
        Arc::clone(&behind.version),
        |_| Ok(Some(gone.to_vec())),
        |_, _| {},
    );
    assert_eq!(refused.await.unwrap_err().kind(), ErrorKind::BadRequest);
}
