//! What a running process tells of itself: served as `/status`, and read by `firn ctl`.

use firn_engine::db::Stats;
use serde::{Deserialize, Serialize};

use crate::inspect::{self, JobRow, LevelRow, PinRow};
use crate::local::Local;
use crate::table::{TextTable, human_bytes};

/// A running database.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Version of the program.
    pub firn: String,
    /// The branch that it writes.
    pub branch: String,
    /// Epoch of this writer.
    pub epoch: u64,
    /// Why it takes no more writes, if it does not.
    pub failure: Option<String>,
    /// Last visible seq.
    pub last_seq: u64,
    /// Last seq in files.
    pub flushed_seq: u64,
    /// Version of the manifest that reads run on.
    pub version: u64,
    /// Bytes that the journal holds.
    pub journal_bytes: u64,
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
    /// Merges running in this process.
    pub merges_running: usize,
    /// The caches.
    pub caches: Vec<CacheRow>,
    /// Levels.
    pub levels: Vec<LevelRow>,
    /// Compactions.
    pub jobs: Vec<JobRow>,
    /// What keeps old data.
    pub pins: Vec<PinRow>,
}

/// One cache.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CacheRow {
    /// `rows`, `blocks`, `pinned` or `disk`.
    pub cache: String,
    /// Bytes in it; `None` if not known.
    pub bytes: Option<u64>,
    /// Bytes at most; `None` if it was not told.
    pub bytes_max: Option<u64>,
    /// Reads that it answered.
    pub hits: Option<u64>,
    /// Reads that it did not.
    pub misses: Option<u64>,
    /// `open`, `opening`, `off`.
    pub state: String,
}

impl Status {
    /// As it is now.
    #[must_use]
    pub fn of(local: &Local) -> Self {
        let db = local.db();
        let (stats, version) = (db.stats(), db.version());
        Self {
            firn: env!("CARGO_PKG_VERSION").to_owned(),
            branch: version.branch.to_string(),
            epoch: stats.epoch.0,
            failure: db.failure().map(|e| e.to_string()),
            last_seq: stats.last_seq.0,
            flushed_seq: stats.flushed_seq.0,
            version: stats.version.0,
            journal_bytes: stats.journal_kept_bytes,
            memtable_bytes: stats.memtable_bytes,
            memtables_waiting: stats.memtables_waiting,
            snapshots: stats.snapshots,
            write_pressure: stats.write_pressure,
            write_pressure_reason: stats.write_pressure_reason.clone(),
            merges_running: local.merges_running(),
            caches: caches(local, &stats),
            levels: inspect::levels(&version),
            jobs: inspect::jobs(&version),
            pins: inspect::pins(&version),
        }
    }
}

fn caches(local: &Local, stats: &Stats) -> Vec<CacheRow> {
    let (cache, sizes) = (&stats.cache, local.sizes());
    let row = |name: &str, bytes, bytes_max, hits, misses| CacheRow {
        cache: name.to_owned(),
        bytes,
        bytes_max: Some(bytes_max),
        hits,
        misses,
        state: "open".to_owned(),
    };
    // A block that memory has not is looked for on the disk, then in storage.
    let from_disk = cache.disk_hits;
    let from_storage = cache.storage_reads;
    let mut disk =
        row("disk", None, sizes.disk_cache_bytes_max, Some(from_disk), Some(from_storage));
    disk.state = match local.disk_cache() {
        None => "off",
        Some(cache) if cache.is_open() => "open",
        Some(_) => "opening, or could not be opened",
    }
    .to_owned();
    vec![
        row(
            "rows",
            Some(cache.row_bytes),
            sizes.db.row_cache_bytes,
            Some(cache.row_hits),
            Some(cache.row_misses),
        ),
        row(
            "blocks",
            Some(cache.block_bytes),
            sizes.db.block_cache_bytes,
            Some(cache.block_hits),
            Some(from_disk + from_storage),
        ),
        row("pinned", Some(cache.pinned_bytes), sizes.db.pinned_bytes, None, None),
        disk,
    ]
}

/// `caches` as a table.
#[must_use]
pub fn caches_table(rows: &[CacheRow]) -> TextTable {
    let mut table = TextTable::new(&["cache", ">bytes", ">limit", ">hits", ">misses", "state"]);
    let bytes = |b: Option<u64>| b.map_or_else(|| "-".to_owned(), human_bytes);
    let count = |n: Option<u64>| n.map_or_else(|| "-".to_owned(), |n| n.to_string());
    for row in rows {
        table.row(vec![
            row.cache.clone(),
            bytes(row.bytes),
            bytes(row.bytes_max),
            count(row.hits),
            count(row.misses),
            row.state.clone(),
        ]);
    }
    table
}
