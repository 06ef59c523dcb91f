//! Sorted files.
//!
//! ```text
//! data block*                     entries, sorted; about 16 KiB before compression
//! partition*                      for each ~1 MiB of data: its filter and its index
//! range deletions                 cut into fragments
//! properties                      protobuf: counts, ranges, sketches
//! top index                       last key of each partition -> where it is
//! footer                          fixed length, see `footer`
//! ```
//!
//! Every block is stored as `payload, compression u8, XXH3-64 u64 LE`, the
//! checksum seeded with the block's offset, so that a block read from the
//! wrong place is noticed. A reader needs one read (the *tail*: from the range
//! deletions to the end, whose length the manifest keeps) before its first
//! look-up. Integers are little-endian or LEB128.

pub(crate) mod block;
pub(crate) mod builder;
pub(crate) mod cursor;
pub(crate) mod file;
pub(crate) mod filter;
pub(crate) mod footer;
pub(crate) mod stored;
mod verify;

pub use verify::{Verified, verify};

/// Data blocks are closed at about this many bytes, before compression.
pub(crate) const BLOCK_BYTES: usize = 16 << 10;

/// Blocks that share a partition.
pub(crate) const PARTITION_BLOCKS: usize = 64;

#[cfg(test)]
mod tests;
