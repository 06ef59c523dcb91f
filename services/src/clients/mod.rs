//! Clients of the services as the engine's traits: what runs in one process runs over these
//! unchanged.

mod block_stream;
mod blocks;
mod compaction;
mod status;
mod storage;

pub use blocks::{EitherBlocks, RemoteBlocks};
pub use compaction::RemoteCompaction;
pub use status::storage_status;
pub use storage::RemoteStorage;

/// Bytes of one answer: the whole state of a branch of a million files is below it.
const ANSWER_BYTES_MAX: usize = 1 << 30;
