//! Making files: from a memtable, and from other files.

mod flush;
mod output;
mod retention;
mod shard;

pub(crate) use flush::flush_memtable;
pub(crate) use output::{FileWriter, Target};
pub use shard::{MergeContext, MergeCounts, Outcome, StopFlag, merge_shard};
