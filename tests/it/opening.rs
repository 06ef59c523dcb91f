//! Opening a database while others do.

use std::sync::Arc;

use async_trait::async_trait;
use firn_engine::journal::{Journal, JournalWriter, LogBounds, RecordStream};
use firn_engine::{BranchName, Env, Epoch, ErrorKind, Result, Seq, SpaceId};
use parking_lot::Mutex;

use crate::world::World;

const SPACE: SpaceId = SpaceId(1);

/// A journal whose first reader is overtaken: another writer takes the branch, and flushes and
/// trims all, before it reads.
#[derive(Debug)]
struct Overtaken {
    inner: Arc<dyn Journal>,
    other: Mutex<Option<Other>>,
}

struct Other(World);

impl std::fmt::Debug for Other {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("another writer")
    }
}

#[async_trait]
impl Journal for Overtaken {
    async fn open(&self, branch: &BranchName, epoch: Epoch) -> Result<Arc<dyn JournalWriter>> {
        self.inner.open(branch, epoch).await
    }

    async fn bounds(&self, branch: &BranchName) -> Result<LogBounds> {
        self.inner.bounds(branch).await
    }

    async fn read(&self, branch: &BranchName, from: Seq) -> Result<RecordStream> {
        let other = self.other.lock().take();
        if let Some(Other(world)) = other {
            let running = world.open().await?;
            running.db.put(SPACE, b"theirs", b"1").await?;
            running.close().await;
        }
        self.inner.read(branch, from).await
    }

    async fn tail(&self, branch: &BranchName, from: Seq) -> Result<RecordStream> {
        self.inner.tail(branch, from).await
    }
}

/// Who replays the log while a newer writer trims it was told that its request was bad.
#[tokio::test(start_paused = true)]
async fn who_is_overtaken_while_it_replays_is_fenced() {
    let mut world = World::small(Env::simulated(9));
    let running = world.open().await.unwrap();
    for i in 0..20u32 {
        running.db.put(SPACE, &i.to_be_bytes(), b"ours").await.unwrap();
    }
    drop(running);
    let (inner, other) = (Arc::clone(&world.journal), Some(Other(world.clone())));
    world.journal = Arc::new(Overtaken { inner: Arc::clone(&inner), other: Mutex::new(other) });
    let error = world.open().await.err().expect("another writer has the branch");
    assert_eq!(error.kind(), ErrorKind::Fenced, "{error:?}");
    world.journal = inner;
    let running = world.open().await.unwrap();
    assert_eq!(running.db.get(SPACE, b"theirs").await.unwrap().as_deref(), Some(&b"1"[..]));
    let ours = running.db.get(SPACE, &19u32.to_be_bytes()).await.unwrap();
    assert_eq!(ours.as_deref(), Some(&b"ours"[..]));
    running.close().await;
}
