//! What an open database is made of, and how large its parts may be.

use std::sync::Arc;
use std::time::Duration;

use object_store::ObjectStore;

use crate::cache::DiskTier;
use crate::compaction::SHARD_LEASE_LENGTH;
use crate::env::Env;
use crate::error::{Error, Result};
use crate::journal::Journal;
use crate::object::{BlockSource, Layout};
use crate::storage::Storage;
use crate::types::BranchName;

/// How long a write waits to be admitted, unless it is told otherwise.
const ADMISSION_WAIT_MAX: Duration = Duration::from_secs(30);

// A worker that dies must not fail writes: what it merged is taken over while they wait, with as
// much time again to be noticed and to merge.
const _: () = assert!(2 * SHARD_LEASE_LENGTH.as_secs() <= ADMISSION_WAIT_MAX.as_secs());

/// The parts that a database stands on. Any mix of local and remote ones will do.
#[derive(Clone)]
pub struct Parts {
    /// Clock, randomness and tasks.
    pub env: Env,
    /// Makes commits durable.
    pub journal: Arc<dyn Journal>,
    /// Owns the manifest.
    pub storage: Arc<dyn Storage>,
    /// Takes flushed files.
    pub store: Arc<dyn ObjectStore>,
    /// Names of objects.
    pub layout: Layout,
    /// Gives blocks that no cache has.
    pub blocks: Arc<dyn BlockSource>,
    /// Blocks on the local disk, if wanted.
    pub disk_cache: Option<Arc<dyn DiskTier>>,
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (journal, storage) = (&self.journal, &self.storage);
        f.debug_struct("Parts").field("journal", journal).field("storage", storage).finish()
    }
}

/// Files are ended at about this size: large enough for few requests, small
/// enough that a merge can be cut into pieces.
pub const FILE_BYTES_MAX: u64 = 64 << 20;

/// Sizes and limits of an open database.
#[derive(Debug, Clone)]
pub struct Options {
    /// Which branch.
    pub branch: BranchName,
    /// Who writes, for people: shown to a writer that is fenced by this one.
    pub writer: String,
    /// A memtable is flushed when it has this many bytes.
    pub memtable_bytes: usize,
    /// Memtables in memory at most, the one being filled included; at least 2.
    pub memtables_max: usize,
    /// Files are ended at about this size.
    pub file_bytes_max: u64,
    /// Memory for blocks.
    pub block_cache_bytes: u64,
    /// Memory for rows.
    pub row_cache_bytes: u64,
    /// Memory for filters and indexes that stay; past it they share the block cache.
    pub pinned_bytes: u64,
    /// A commit that is not durable by then is reported as unknown.
    pub commit_wait_max: Duration,
    /// A write that was not admitted by then is refused.
    pub admission_wait_max: Duration,
}

impl Options {
    /// Options for a database that may use this much memory.
    ///
    /// A quarter is for memtables (four of at most 64 MiB), a tenth for filters
    /// and indexes; two thirds of the rest are for blocks, one third for rows.
    #[must_use]
    pub fn for_memory(bytes_max: u64) -> Self {
        let memtable = (bytes_max / 16).clamp(1 << 20, 64 << 20);
        let pinned = bytes_max / 10;
        let caches = bytes_max.saturating_sub(4 * memtable + pinned);
        Self {
            branch: BranchName::main(),
            writer: "embedded".to_owned(),
            memtable_bytes: memtable as usize,
            memtables_max: 4,
            file_bytes_max: FILE_BYTES_MAX,
            block_cache_bytes: caches / 3 * 2,
            row_cache_bytes: caches / 3,
            pinned_bytes: pinned,
            commit_wait_max: Duration::from_secs(30),
            admission_wait_max: ADMISSION_WAIT_MAX,
        }
    }

    pub(super) fn check(&self) -> Result<()> {
        if self.memtable_bytes < 64 << 10 || self.memtable_bytes > 1 << 30 {
            return Err(Error::bad_request(format!(
                "memtable of {} bytes: must be between 64 KiB and 1 GiB",
                self.memtable_bytes
            )));
        }
        if self.memtables_max < 2 {
            return Err(Error::bad_request("at least 2 memtables are needed"));
        }
        Ok(())
    }
}
