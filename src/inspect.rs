//! What a manifest says, in a form for people and programs: `firn ctl` and
//! `/status` show the same.

use firn_engine::key::KeyRange;
use firn_engine::manifest::{LEVEL_MAX, SstMeta, Version};
use serde::{Deserialize, Serialize};

use crate::table::{TextTable, human_bytes};

/// One level of one space.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LevelRow {
    /// The space.
    pub space: u32,
    /// 0 is where flushes arrive.
    pub level: usize,
    /// Files of rows.
    pub files: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Bytes of their keys and values before compression.
    pub raw_bytes: u64,
    /// Versions of keys.
    pub entries: u64,
    /// Files that have a column copy.
    pub column_files: u64,
    /// Bytes of those copies.
    pub column_bytes: u64,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRow {
    /// The space.
    pub space: u32,
    /// Its level.
    pub level: usize,
    /// Name of its object.
    pub id: String,
    /// Size of the object.
    pub bytes: u64,
    /// Size of its column copy, if it has one.
    pub column_bytes: Option<u64>,
    /// Versions of keys.
    pub entries: u64,
    /// Versions that are deletions.
    pub deletes: u64,
    /// Range deletions.
    pub range_deletes: u64,
    /// Smallest seq inside.
    pub seq_min: u64,
    /// Largest seq inside.
    pub seq_max: u64,
    /// Its keys, escaped.
    pub keys: String,
}

/// One compaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobRow {
    /// Its number.
    pub job: u64,
    /// The space.
    pub space: u32,
    /// Files that it merges.
    pub inputs: usize,
    /// Level of its outputs.
    pub target_level: usize,
    /// Parts that are finished.
    pub shards_done: usize,
    /// Parts.
    pub shards: usize,
    /// Workers that are at it.
    pub workers: Vec<String>,
    /// Times that a part has failed.
    pub failures: u32,
    /// Why it is not tried any more, or failed the last time.
    pub trouble: String,
}

/// Something that keeps old versions of rows, or objects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinRow {
    /// What kind: `watermark`, `snapshot`, `branch`, `reader` or `job`.
    pub kind: String,
    /// Which.
    pub name: String,
    /// It needs what is visible from this seq on.
    pub seq: u64,
    /// It may read objects from this version on.
    pub version: Option<u64>,
}

/// The levels that hold anything.
#[must_use]
pub fn levels(version: &Version) -> Vec<LevelRow> {
    let mut rows = Vec::new();
    for (space, state) in &version.spaces {
        for level in 0..=LEVEL_MAX {
            let files = state.level(level);
            if files.is_empty() {
                continue;
            }
            let sum = |of: fn(&SstMeta) -> u64| files.iter().map(|f| of(f)).sum();
            rows.push(LevelRow {
                space: space.0,
                level,
                files: files.len() as u64,
                bytes: sum(|f| f.bytes),
                raw_bytes: sum(|f| f.raw_bytes),
                entries: sum(|f| f.entries),
                column_files: sum(|f| u64::from(f.column.is_some())),
                column_bytes: sum(|f| f.total_bytes() - f.bytes),
            });
        }
    }
    rows
}

/// All files.
#[must_use]
pub fn files(version: &Version) -> Vec<FileRow> {
    let row = |(level, f): (usize, &std::sync::Arc<SstMeta>)| FileRow {
        space: f.space.0,
        level,
        id: f.id.to_string(),
        bytes: f.bytes,
        column_bytes: f.column.as_ref().map(|c| c.bytes),
        entries: f.entries,
        deletes: f.deletes,
        range_deletes: f.range_deletes,
        seq_min: f.seq_min.0,
        seq_max: f.seq_max.0,
        keys: range(&f.range),
    };
    version.files().map(row).collect()
}

/// All compactions.
#[must_use]
pub fn jobs(version: &Version) -> Vec<JobRow> {
    let row = |job: &std::sync::Arc<firn_engine::manifest::Job>| JobRow {
        job: job.id,
        space: job.space.0,
        inputs: job.inputs.len(),
        target_level: job.target_level,
        shards_done: job.shards.iter().filter(|s| s.done).count(),
        shards: job.shards.len(),
        workers: job
            .shards
            .iter()
            .filter(|s| s.attempt.is_some() && !s.done)
            .map(|s| s.worker.clone())
            .collect(),
        failures: job.shards.iter().map(|s| s.failures).sum(),
        trouble: job.parked.clone().unwrap_or_else(|| {
            let last = job.shards.iter().rev().find(|s| !s.last_failure.is_empty());
            last.map(|s| s.last_failure.clone()).unwrap_or_default()
        }),
    };
    version.jobs.values().map(row).collect()
}

/// What keeps what, the lowest first.
#[must_use]
pub fn pins(version: &Version) -> Vec<PinRow> {
    let mut rows = vec![PinRow {
        kind: "watermark".into(),
        name: format!("held by {}", version.watermark.holder),
        seq: version.watermark.seq.0,
        version: None,
    }];
    rows.extend(version.snapshots.iter().map(|(name, snapshot)| PinRow {
        kind: "snapshot".into(),
        name: name.clone(),
        seq: snapshot.seq.0,
        version: None,
    }));
    rows.extend(version.pinned().map(|(name, point)| PinRow {
        kind: "branch".into(),
        name: format!("{name}, being made"),
        seq: point.seq.0,
        version: Some(point.version.0),
    }));
    rows.extend(version.leases.iter().map(|(holder, lease)| PinRow {
        kind: "reader".into(),
        name: holder.clone(),
        seq: lease.oldest_seq.0,
        version: Some(lease.oldest_version.0),
    }));
    rows.extend(version.jobs.values().map(|job| PinRow {
        kind: "job".into(),
        name: format!("compaction {}", job.id),
        seq: job.watermark.0,
        version: None,
    }));
    rows.sort_by_key(|pin| pin.seq);
    rows
}

/// A range of keys with their spaces taken off, as text.
fn range(range: &KeyRange) -> String {
    let text = |key: &[u8]| match key.get(4..) {
        Some(key) => key.escape_ascii().to_string(),
        None => format!("?{}", key.escape_ascii()),
    };
    let end = range.end.as_deref().map_or_else(|| "end".to_owned(), text);
    format!("{}..{end}", text(&range.start))
}

/// `levels` as a table.
#[must_use]
pub fn levels_table(rows: &[LevelRow]) -> TextTable {
    let mut table = TextTable::new(&[
        ">space",
        "level",
        ">files",
        ">bytes",
        ">before compression",
        ">versions",
        ">columns",
    ]);
    for row in rows {
        table.row(vec![
            row.space.to_string(),
            format!("L{}", row.level),
            row.files.to_string(),
            human_bytes(row.bytes),
            human_bytes(row.raw_bytes),
            row.entries.to_string(),
            human_bytes(row.column_bytes),
        ]);
    }
    table
}

/// `files` as a table.
#[must_use]
pub fn files_table(rows: &[FileRow]) -> TextTable {
    let mut table = TextTable::new(&[
        ">space",
        "level",
        "object",
        ">bytes",
        ">columns",
        ">versions",
        ">deletions",
        "seqs",
        "keys",
    ]);
    for row in rows {
        table.row(vec![
            row.space.to_string(),
            format!("L{}", row.level),
            row.id.clone(),
            human_bytes(row.bytes),
            row.column_bytes.map_or_else(|| "-".to_owned(), human_bytes),
            row.entries.to_string(),
            (row.deletes + row.range_deletes).to_string(),
            format!("{}..{}", row.seq_min, row.seq_max),
            row.keys.clone(),
        ]);
    }
    table
}

/// `jobs` as a table.
#[must_use]
pub fn jobs_table(rows: &[JobRow]) -> TextTable {
    let mut table = TextTable::new(&[
        ">job",
        ">space",
        ">inputs",
        "to",
        "parts done",
        "workers",
        ">failures",
        "trouble",
    ]);
    for row in rows {
        table.row(vec![
            row.job.to_string(),
            row.space.to_string(),
            row.inputs.to_string(),
            format!("L{}", row.target_level),
            format!("{} of {}", row.shards_done, row.shards),
            row.workers.join(", "),
            row.failures.to_string(),
            row.trouble.clone(),
        ]);
    }
    table
}

/// `pins` as a table.
#[must_use]
pub fn pins_table(rows: &[PinRow]) -> TextTable {
    let mut table = TextTable::new(&["kind", "name", ">seq", ">version"]);
    for row in rows {
        table.row(vec![
            row.kind.clone(),
            row.name.clone(),
            row.seq.to_string(),
            row.version.map_or_else(|| "-".to_owned(), |v| v.to_string()),
        ]);
    }
    table
}
