//! The seam through which column copies are written.
//!
//! A space may be declared with a row schema: bytes that the engine stores and
//! never reads. Whoever runs merges is given a [`RowSchemas`] that understands
//! them. At the bottom level the merge hands every version it writes to the
//! schema's [`ColumnWriter`] as well, and stores what that makes as the file's
//! column copy, in the same commit.

use std::fmt::Debug;
use std::sync::Arc;

use xxhash_rust::xxh3::Xxh3Default;

use crate::error::Result;
use crate::key::ValueKind;
use crate::types::Seq;

/// Turns stored descriptions of rows into writers of columns.
pub trait RowSchemas: Debug + Send + Sync + 'static {
    /// The schema that `description` (the space's `row_schema`) stands for.
    ///
    /// # Errors
    /// `BadRequest` if it is not one that this program knows.
    fn open(&self, description: &[u8]) -> Result<Arc<dyn RowSchema>>;
}

/// How the rows of a space become columns.
pub trait RowSchema: Debug + Send + Sync + 'static {
    /// Begins the copy of one file.
    ///
    /// # Errors
    /// If the writer cannot be made.
    fn writer(&self) -> Result<Box<dyn ColumnWriter>>;
}

/// Writes the column copy of one file.
pub trait ColumnWriter: Send {
    /// Adds a version, in the order of the file: user key with its space
    /// ascending, seq descending. A deletion has an empty value. Whether it is a
    /// row of the copy: a space may hold other keys, which the writer leaves out.
    ///
    /// # Errors
    /// `Corrupt` if the value is not a row of the schema.
    fn add(&mut self, key: &[u8], seq: Seq, kind: ValueKind, value: &[u8]) -> Result<bool>;

    /// Takes the bytes that are finished; possibly none. Memory for the rest
    /// stays bounded whatever the size of the copy.
    fn take(&mut self) -> Vec<u8>;

    /// Ends the copy and gives its last bytes.
    ///
    /// # Errors
    /// If the copy cannot be encoded.
    fn finish(self: Box<Self>) -> Result<Vec<u8>>;
}

/// A checksum over versions in order, whatever form they are stored in: a file
/// of rows and its column copy have the same if they hold the same.
#[derive(Default)]
pub struct VersionsDigest(Xxh3Default);

impl Debug for VersionsDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "VersionsDigest({:016x})", self.0.digest())
    }
}

impl VersionsDigest {
    /// Adds a version, its key with the space.
    pub fn add(&mut self, key: &[u8], seq: Seq, kind: ValueKind, value: &[u8]) {
        let mut head = [0; 17];
        // Lengths are below 2^32, so no two lists of versions read the same.
        head[..4].copy_from_slice(&(key.len() as u32).to_le_bytes());
        head[4..8].copy_from_slice(&(value.len() as u32).to_le_bytes());
        head[8..16].copy_from_slice(&seq.0.to_le_bytes());
        head[16] = kind as u8;
        self.0.update(&head);
        self.0.update(key);
        self.0.update(value);
    }

    /// The checksum of all that was added.
    #[must_use]
    pub fn finish(&self) -> u64 {
        self.0.digest()
    }
}
