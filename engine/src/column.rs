//! The seam through which column copies are written.
//!
//! A space may be declared with a row schema: bytes that the engine stores and
//! never reads. Whoever runs merges is given a [`RowSchemas`] that understands
//! them. At the bottom level the merge hands every version it writes to the
//! schema's [`ColumnWriter`] as well, and stores what that makes as the file's
//! column copy, in the same commit.

use std::fmt::Debug;
use std::sync::Arc;

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
    /// ascending, seq descending. A deletion has an empty value.
    ///
    /// # Errors
    /// `Corrupt` if the value is not a row of the schema.
    fn add(&mut self, key: &[u8], seq: Seq, kind: ValueKind, value: &[u8]) -> Result<()>;

    /// Takes the bytes that are finished; possibly none. Memory for the rest
    /// stays bounded whatever the size of the copy.
    fn take(&mut self) -> Vec<u8>;

    /// Ends the copy and gives its last bytes.
    ///
    /// # Errors
    /// If the copy cannot be encoded.
    fn finish(self: Box<Self>) -> Result<Vec<u8>>;
}
