//! One compaction, as the manifest stores it.

use bytes::Bytes;

use super::sst::SstMeta;
use crate::key::KeyRange;
use crate::types::{ObjectId, Seq, SpaceId};
use std::sync::Arc;

/// Number of a job within its branch.
pub type JobId = u64;

/// One compaction: all its outputs replace all its inputs in one commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Number within the branch.
    pub id: JobId,
    /// The space whose files it merges.
    pub space: SpaceId,
    /// What it merges.
    pub inputs: Vec<JobInput>,
    /// Level of the outputs.
    pub target_level: usize,
    /// Nothing older lies below the target in the job's range: deletions may go.
    pub bottom: bool,
    /// The GC watermark that the merge uses, fixed when the job is made.
    pub watermark: Seq,
    /// Disjoint, in key order; together they cover the inputs.
    pub shards: Vec<Shard>,
    /// Why the job is not tried any more.
    pub parked: Option<String>,
}

/// A file that a job takes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobInput {
    /// Where it is.
    pub level: usize,
    /// Which it is.
    pub id: ObjectId,
}

/// A part of a job that one worker does at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shard {
    /// User keys of the part.
    pub range: KeyRange,
    /// The running try, if any: its number names the outputs.
    pub attempt: Option<u64>,
    /// Who runs it, for people.
    pub worker: String,
    /// Finished outputs in key order, of this and earlier attempts.
    pub outputs: Vec<Arc<SstMeta>>,
    /// Where the next attempt starts: everything before is in `outputs`.
    pub resume_key: Bytes,
    /// All of the range is in `outputs`.
    pub done: bool,
    /// How often it failed.
    pub failures: u32,
    /// Why, the last time.
    pub last_failure: String,
}

impl Shard {
    /// A shard that nobody has begun.
    #[must_use]
    pub fn new(range: KeyRange) -> Self {
        Self {
            resume_key: range.start.clone(),
            range,
            attempt: None,
            worker: String::new(),
            outputs: Vec::new(),
            done: false,
            failures: 0,
            last_failure: String::new(),
        }
    }
}

impl Job {
    /// Whether all shards are done.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.shards.iter().all(|s| s.done)
    }

    /// The outputs' counter for the `index`-th object of `attempt`. Apart from
    /// the flushes' counters by its top bit.
    #[must_use]
    pub fn output_counter(attempt: u64, index: u64) -> u64 {
        assert!(attempt < 1 << 43 && index < 1 << 20, "object counter out of bits");
        (1 << 63) | (attempt << 20) | index
    }

    /// The attempt that made an object with this counter; `None` for a flush's.
    #[must_use]
    pub fn attempt_of(counter: u64) -> Option<u64> {
        (counter >> 63 == 1).then_some((counter & !(1 << 63)) >> 20)
    }
}
