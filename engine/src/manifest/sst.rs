//! What the manifest knows of one sorted file.

use crate::key::KeyRange;
use crate::types::{ObjectId, Seq, SpaceId};

/// Range deletions that a file's description carries at most.
pub const WIDEST_MAX: usize = 8;

/// One sorted file and, at the bottom, its column copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SstMeta {
    /// Names the object; the column copy has the same id.
    pub id: ObjectId,
    /// The one space that the file belongs to.
    pub space: SpaceId,
    /// Covers all keys and range deletions inside; never empty and never unbounded.
    pub range: KeyRange,
    /// Smallest seq inside.
    pub seq_min: Seq,
    /// Largest seq inside that belongs to the branch.
    pub seq_max: Seq,
    /// The object holds later seqs as well, which do not belong to the branch: it was made
    /// from an older state of another.
    pub cut: bool,
    /// Size of the object.
    pub bytes: u64,
    /// Length of the object's end that a reader needs before its first look-up.
    pub tail_bytes: u32,
    /// Size of keys and values before compression.
    pub raw_bytes: u64,
    /// Versions of keys, deletions included.
    pub entries: u64,
    /// Versions that are deletions.
    pub deletes: u64,
    /// Range deletions.
    pub range_deletes: u64,
    /// The widest range deletions, so that files they hide can be dropped unread.
    pub widest: Vec<RangeDelete>,
    /// The Parquet twin, if the file has one.
    pub column: Option<ColumnCopy>,
}

impl SstMeta {
    /// The seq of an entry that is stored with `seq`. Files of large transactions are
    /// written before their seq is known: their entries have 0, and the one seq of the
    /// file is theirs.
    #[inline]
    #[must_use]
    pub fn seq_of(&self, seq: Seq) -> Seq {
        if seq == Seq::ZERO { self.seq_min } else { seq }
    }

    /// Whether an entry that is stored with `seq` does not belong to the branch.
    #[inline]
    #[must_use]
    pub fn hides(&self, seq: Seq) -> bool {
        self.cut && seq > self.seq_max
    }

    /// Bytes of all objects of this file.
    #[must_use]
    pub fn total_bytes(&self) -> u64 {
        self.bytes + self.column.as_ref().map_or(0, |c| c.bytes)
    }
}

/// All keys in `range` with an older seq are deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RangeDelete {
    /// Which keys.
    pub range: KeyRange,
    /// From when on.
    pub seq: Seq,
}

/// The Parquet twin of an SST.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnCopy {
    /// Size of the object.
    pub bytes: u64,
    /// Rows inside, deletions included.
    pub rows: u64,
}
