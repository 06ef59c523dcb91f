//! Counters and sizes of an open database.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Inner;
use crate::manifest::LEVEL_MAX;
use crate::types::{Epoch, ManifestVersion, Seq};

/// What the database has done, counted since it was opened.
#[derive(Debug, Default)]
pub(super) struct Counts {
    groups: AtomicU64,
    commits: AtomicU64,
    journal_bytes: AtomicU64,
    replayed_bytes: AtomicU64,
    flushes: AtomicU64,
    flush_bytes_in: AtomicU64,
    flush_bytes_out: AtomicU64,
    refilled_blocks: AtomicU64,
    pub(super) delayed_writes: AtomicU64,
    pub(super) delay_us: AtomicU64,
}

fn add(counter: &AtomicU64, n: u64) {
    counter.fetch_add(n, Ordering::Relaxed);
}

fn get(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

impl Counts {
    pub(super) fn commit_group(&self, commits: u64, bytes: usize) {
        add(&self.groups, 1);
        add(&self.commits, commits);
        add(&self.journal_bytes, bytes as u64);
    }

    pub(super) fn replayed(&self, bytes: u64) {
        add(&self.replayed_bytes, bytes);
    }

    pub(super) fn refilled(&self, blocks: u64) {
        add(&self.refilled_blocks, blocks);
    }

    pub(super) fn flushed(&self, bytes_in: u64, bytes_out: u64) {
        add(&self.flushes, 1);
        add(&self.flush_bytes_in, bytes_in);
        add(&self.flush_bytes_out, bytes_out);
    }
}

/// Counters and sizes; counters start at zero when the database is opened.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Stats {
    /// Epoch of this writer.
    pub epoch: Epoch,
    /// Last visible seq.
    pub last_seq: Seq,
    /// Last seq in files.
    pub flushed_seq: Seq,
    /// Version that reads run on.
    pub version: ManifestVersion,
    /// Records appended to the journal.
    pub commit_groups: u64,
    /// Commits in them.
    pub commits: u64,
    /// Bytes of them.
    pub journal_bytes: u64,
    /// Bytes replayed when the database was opened.
    pub replayed_bytes: u64,
    /// Bytes that the journal holds.
    pub journal_kept_bytes: u64,
    /// Memtables flushed.
    pub flushes: u64,
    /// Their size in memory.
    pub flush_bytes_in: u64,
    /// Their size in files.
    pub flush_bytes_out: u64,
    /// Bytes in memtables.
    pub memtable_bytes: u64,
    /// Memtables that wait to be flushed.
    pub memtables_waiting: u64,
    /// Open snapshots.
    pub snapshots: u64,
    /// How much writers are slowed down: 0 not at all, 1 stopped.
    pub write_pressure: f64,
    /// Why, if they are.
    pub write_pressure_reason: String,
    /// Writes that were delayed.
    pub delayed_writes: u64,
    /// Their delays in sum, in microseconds.
    pub delay_us: u64,
    /// Caches.
    pub cache: CacheStats,
    /// Files by level, L0 first, all spaces together.
    pub levels: Vec<LevelStats>,
}

/// Hits and sizes of the caches.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct CacheStats {
    /// Point reads answered by the row cache.
    pub row_hits: u64,
    /// Point reads that it could not answer.
    pub row_misses: u64,
    /// Bytes of cached rows.
    pub row_bytes: u64,
    /// Data blocks found in memory.
    pub block_hits: u64,
    /// Bytes of cached blocks.
    pub block_bytes: u64,
    /// Blocks found on the local disk.
    pub disk_hits: u64,
    /// Reads that went to storage.
    pub storage_reads: u64,
    /// Bytes of them.
    pub storage_bytes: u64,
    /// Blocks read ahead of compacted versions.
    pub refilled_blocks: u64,
    /// Bytes of filters and indexes that stay in memory.
    pub pinned_bytes: u64,
}

/// One level.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct LevelStats {
    /// Files.
    pub files: u64,
    /// Bytes of rows.
    pub bytes: u64,
    /// Bytes of columns.
    pub column_bytes: u64,
}

impl Inner {
    pub(super) fn stats(&self) -> Stats {
        let state = self.state.load();
        let version = &state.view.version;
        let mut levels = vec![LevelStats::default(); LEVEL_MAX + 1];
        for (level, file) in version.files() {
            levels[level].files += 1;
            levels[level].bytes += file.bytes;
            levels[level].column_bytes += file.total_bytes() - file.bytes;
        }
        let counts = &self.counts;
        Stats {
            epoch: self.epoch,
            last_seq: self.visible(),
            flushed_seq: version.flushed_seq,
            version: version.number,
            commit_groups: get(&counts.groups),
            commits: get(&counts.commits),
            journal_bytes: get(&counts.journal_bytes),
            replayed_bytes: get(&counts.replayed_bytes),
            journal_kept_bytes: self.journal.bounds().bytes,
            flushes: get(&counts.flushes),
            flush_bytes_in: get(&counts.flush_bytes_in),
            flush_bytes_out: get(&counts.flush_bytes_out),
            memtable_bytes: state.memtables().map(|m| m.bytes() as u64).sum(),
            memtables_waiting: state.frozen.len() as u64,
            snapshots: self.snapshots.len() as u64,
            write_pressure: self.admission.pressure(),
            write_pressure_reason: self.pressure_reason(),
            delayed_writes: get(&counts.delayed_writes),
            delay_us: get(&counts.delay_us),
            cache: CacheStats {
                row_hits: get(&self.rows.hits),
                row_misses: get(&self.rows.misses),
                row_bytes: self.rows.bytes(),
                block_hits: get(&self.io.counts.memory_hits),
                block_bytes: self.io.memory_bytes(),
                disk_hits: get(&self.io.counts.disk_hits),
                storage_reads: get(&self.io.counts.storage_reads),
                storage_bytes: get(&self.io.counts.storage_bytes),
                refilled_blocks: get(&counts.refilled_blocks),
                pinned_bytes: self.pins.used(),
            },
            levels,
        }
    }
}
