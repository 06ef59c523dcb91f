//! Blocks on the local disk, as they are stored: compressed and checksummed.
//!
//! The cache survives restarts. It is opened behind the caller's back: reading
//! its index grows with its size, and a database must open at once. Until then
//! every look-up misses.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use async_trait::async_trait;
use bytes::Bytes;
use foyer::{
    BlockEngineConfig, Code, DeviceBuilder, FsDeviceBuilder, HybridCache, HybridCacheBuilder,
    HybridCachePolicy, Load, PsyncIoEngineConfig, RecoverMode,
};

use crate::env::{Env, TaskClass};
use crate::error::{Error, ErrorKind, Result};
use crate::types::{Epoch, ObjectId};

/// A place for blocks that is slower than memory and faster than storage.
#[async_trait]
pub trait DiskTier: Send + Sync + 'static {
    /// The bytes that were inserted, if they are still there.
    async fn get(&self, id: ObjectId, offset: u64) -> Option<Bytes>;
    /// Offers bytes; they may be dropped.
    fn insert(&self, id: ObjectId, offset: u64, bytes: Bytes);
    /// Forgets bytes that turned out to be bad.
    fn remove(&self, id: ObjectId, offset: u64);
    /// Whether `get` is worth trying; may be wrong both ways.
    fn may_contain(&self, id: ObjectId, offset: u64) -> bool;
}

/// The unit in which the cache evicts.
const REGION_BYTES: usize = 16 << 20;

/// Bytes waiting to be written at most; more are dropped rather than waited for.
const QUEUE_BYTES: usize = 64 << 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct DiskKey {
    id: ObjectId,
    offset: u64,
}

impl Code for DiskKey {
    fn encode(&self, writer: &mut impl std::io::Write) -> foyer::Result<()> {
        for word in [self.id.branch, self.id.counter, self.id.epoch.0, self.offset] {
            writer.write_all(&word.to_le_bytes()).map_err(foyer::Error::io_error)?;
        }
        Ok(())
    }

    fn decode(reader: &mut impl std::io::Read) -> foyer::Result<Self> {
        let mut word = || {
            let mut bytes = [0; 8];
            reader.read_exact(&mut bytes).map_err(foyer::Error::io_error)?;
            Ok::<_, foyer::Error>(u64::from_le_bytes(bytes))
        };
        let id = ObjectId { branch: word()?, counter: word()?, epoch: Epoch(word()?) };
        Ok(Self { id, offset: word()? })
    }

    fn estimated_size(&self) -> usize {
        32
    }
}

type Hybrid = HybridCache<DiskKey, Bytes>;

/// The disk tier, on `foyer`.
pub struct DiskCache {
    open: Arc<ArcSwapOption<Hybrid>>,
    opening: parking_lot::Mutex<Option<crate::env::Task<()>>>,
}

impl std::fmt::Debug for DiskCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let state = if self.is_open() { "open" } else { "opening" };
        write!(f, "DiskCache({state})")
    }
}

impl DiskCache {
    /// Smallest cache that makes sense: a few regions.
    pub const BYTES_MIN: u64 = 8 * REGION_BYTES as u64;

    /// Starts to open the cache in `dir`, with at most `bytes_max` bytes.
    ///
    /// # Errors
    /// `BadRequest` if it would be smaller than [`Self::BYTES_MIN`];
    /// `Unavailable`, naming `dir`, if that cannot be written to.
    pub fn open(env: &Env, dir: PathBuf, bytes_max: u64) -> Result<Arc<Self>> {
        if bytes_max < Self::BYTES_MIN {
            return Err(Error::new(
                ErrorKind::BadRequest,
                format!("disk cache of {bytes_max} bytes: the least is {}", Self::BYTES_MIN),
            ));
        }
        std::fs::create_dir_all(&dir).map_err(|e| {
            Error::with_source(ErrorKind::Unavailable, format!("disk cache {}", dir.display()), e)
        })?;
        let open = Arc::new(ArcSwapOption::empty());
        let slot = Arc::clone(&open);
        let task = env.spawn(TaskClass::Background, "open-disk-cache", async move {
            match build(dir.clone(), bytes_max).await {
                Ok(cache) => slot.store(Some(Arc::new(cache))),
                Err(error) => {
                    tracing::error!(dir = %dir.display(), %error, "the disk cache stays off");
                }
            }
        });
        Ok(Arc::new(Self { open, opening: parking_lot::Mutex::new(Some(task)) }))
    }

    /// Whether look-ups can hit by now.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.open.load().is_some()
    }

    /// Waits until the cache has been opened, or has failed to.
    pub async fn opened(&self) {
        let task = self.opening.lock().take();
        if let Some(task) = task {
            let _ = task.await;
        }
    }

    /// Writes what waits to be written and closes the cache.
    ///
    /// # Errors
    /// `Unavailable` if the disk failed or did not take it within `limit`.
    pub async fn close(&self, env: &Env, limit: Duration) -> Result<()> {
        self.opened().await;
        let Some(cache) = self.open.swap(None) else { return Ok(()) };
        match env.timeout(limit, cache.close()).await {
            Some(Ok(())) => Ok(()),
            Some(Err(e)) => {
                Err(Error::with_source(ErrorKind::Unavailable, "closing the disk cache", e))
            }
            None => Err(Error::new(ErrorKind::Unavailable, "closing the disk cache took too long")),
        }
    }
}

async fn build(dir: PathBuf, bytes_max: u64) -> foyer::Result<Hybrid> {
    let capacity = usize::try_from(bytes_max).unwrap_or(usize::MAX);
    let device = FsDeviceBuilder::new(dir).with_capacity(capacity).build()?;
    let engine = BlockEngineConfig::new(device)
        .with_block_size(REGION_BYTES)
        .with_buffer_pool_size(QUEUE_BYTES / 2)
        .with_submit_queue_size_threshold(QUEUE_BYTES);
    HybridCacheBuilder::new()
        .with_name("firn-blocks")
        // Blocks live in our own memory tier; this one only holds what is on its way.
        .with_policy(HybridCachePolicy::WriteOnInsertion)
        .memory(1 << 20)
        .with_weighter(|_, bytes: &Bytes| bytes.len() + 64)
        .storage()
        .with_io_engine_config(PsyncIoEngineConfig::new())
        .with_engine_config(engine)
        .with_recover_mode(RecoverMode::Quiet)
        .build()
        .await
}

#[async_trait]
impl DiskTier for DiskCache {
    async fn get(&self, id: ObjectId, offset: u64) -> Option<Bytes> {
        let cache = self.open.load_full()?;
        match cache.storage().load(&DiskKey { id, offset }).await {
            Ok(Load::Entry { value, .. }) => Some(value),
            Ok(_) => None,
            Err(error) => {
                tracing::warn!(object = %id, offset, %error, "disk cache read failed");
                None
            }
        }
    }

    fn insert(&self, id: ObjectId, offset: u64, bytes: Bytes) {
        if let Some(cache) = self.open.load().as_ref() {
            cache.storage_writer(DiskKey { id, offset }).insert(bytes);
        }
    }

    fn remove(&self, id: ObjectId, offset: u64) {
        if let Some(cache) = self.open.load().as_ref() {
            cache.remove(&DiskKey { id, offset });
        }
    }

    fn may_contain(&self, id: ObjectId, offset: u64) -> bool {
        let key = DiskKey { id, offset };
        self.open.load().as_ref().is_some_and(|cache| cache.storage().may_contains(&key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env() -> Env {
        let handle = tokio::runtime::Handle::current();
        Env::tokio(handle.clone(), handle)
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn blocks_survive_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let env = env();
        let id = ObjectId { branch: 1, counter: 2, epoch: Epoch(3) };
        let open = || DiskCache::open(&env, dir.path().join("cache"), 256 << 20).unwrap();
        let cache = open();
        cache.opened().await;
        for i in 0..100u64 {
            cache.insert(id, i, Bytes::from(vec![i as u8; 5000]));
        }
        cache.close(&env, Duration::from_secs(20)).await.unwrap();
        let cache = open();
        cache.opened().await;
        assert!(cache.is_open());
        let mut hits = 0;
        for i in 0..100u64 {
            if let Some(bytes) = cache.get(id, i).await {
                assert_eq!(bytes, vec![i as u8; 5000]);
                hits += 1;
            }
        }
        assert_eq!(hits, 100);
        cache.remove(id, 7);
        assert_eq!(cache.get(id, 7).await, None);
    }

    #[tokio::test]
    async fn too_small_or_unwritable_is_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let e = DiskCache::open(&env(), dir.path().into(), 1000).unwrap_err();
        assert_eq!(e.to_string(), "disk cache of 1000 bytes: the least is 134217728");
        let file = dir.path().join("file");
        std::fs::write(&file, "").unwrap();
        let e = DiskCache::open(&env(), file.join("x"), 1 << 30).unwrap_err();
        assert!(e.to_string().contains(&file.display().to_string()), "{e}");
    }
}
