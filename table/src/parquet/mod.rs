//! Parquet files as Firn writes and reads them.
//!
//! Beyond what the format asks for, a file carries, as key-value metadata:
//!
//! | key | value |
//! |---|---|
//! | `firn.format` | version of this list, `1` |
//! | `firn.space` | the space, in decimal; missing if there is no row |
//! | `firn.one_version` | `1` if no two rows have the same key; missing if some have, or nobody looked |
//! | `firn.chunk_xxh3` | XXH3-64 of each column chunk, seeded with its offset: 16 hex digits each, row group by row group |
//! | `firn.tail_xxh3` | length of the tail, 8 hex digits, and its XXH3-64, 16 hex digits, seeded with its offset |
//!
//! Parquet's own checksums cover what is in a page, not its header, and not
//! the metadata; with these, every byte of the file is covered. The *tail* is
//! everything behind the last column chunk. Its checksum is taken with these
//! 24 digits as zeros. Pages carry Parquet's CRC as well, for other readers.

mod pages;
mod read;
mod tail;
mod verify;
mod write;

pub use read::{ColumnFile, RowGroup};
pub use verify::{Verified, verify};

pub(crate) use write::{GROUP_ROWS, ParquetWriter, encoding_failed, properties};

const FORMAT_KEY: &str = "firn.format";
const SPACE_KEY: &str = "firn.space";
const ONE_VERSION_KEY: &str = "firn.one_version";
const CHUNKS_KEY: &str = "firn.chunk_xxh3";

/// Version of the metadata above.
const FORMAT: &str = "1";
