//! Clients of the services as the engine's traits: what runs in one process runs over these
//! unchanged.

mod blocks;
mod compaction;
mod storage;

pub use blocks::RemoteBlocks;
pub use compaction::RemoteCompaction;
pub use storage::RemoteStorage;

/// Bytes of one answer: the whole state of a branch of a million files is below it.
const ANSWER_BYTES_MAX: usize = 1 << 30;
