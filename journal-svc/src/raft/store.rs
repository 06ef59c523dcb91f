//! What a member keeps on its disk.

use std::fmt::Debug;

use firn_engine::Result;
use raft::eraftpb::{Entry, HardState};

use super::catch_up::Base;

/// A group as it was stored.
#[derive(Debug, Clone)]
pub struct Stored {
    /// What its raft log starts from.
    pub base: Base,
    /// Term, vote and commit index.
    pub hard: HardState,
    /// Index of the last entry; the base's if there is none.
    pub last_index: u64,
}

/// A change of one group's stored state, which happens wholly or not at all.
#[derive(Debug, Clone, Default)]
pub struct GroupWrite {
    /// Number of the group.
    pub group: u32,
    /// A base from the leader: it replaces everything, all entries go.
    pub replaced: Option<Base>,
    /// Term, vote and commit index.
    pub hard: Option<HardState>,
    /// Entries one after the other. Those stored before with the index of the
    /// first of them, and all behind, go.
    pub entries: Vec<Entry>,
    /// A base that has moved forward: entries up to it go, this one included.
    pub cut: Option<Base>,
}

impl GroupWrite {
    /// Whether nothing is to be written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.replaced.is_none()
            && self.hard.is_none()
            && self.entries.is_empty()
            && self.cut.is_none()
    }
}

/// The disk of a member. All calls block.
pub trait LogStore: Debug + Send + Sync + 'static {
    /// A group's state; `None` if it was never written.
    ///
    /// # Errors
    /// If the disk cannot be read or what it has is damaged.
    fn load(&self, group: u32) -> Result<Option<Stored>>;

    /// Entries from index `from` up to and not including `to`, at least one,
    /// and no more than fit in `bytes_max`.
    ///
    /// # Errors
    /// If they cannot be read, are damaged, or are gone.
    fn entries(&self, group: u32, from: u64, to: u64, bytes_max: u64) -> Result<Vec<Entry>>;

    /// Makes changes of several groups, in one write. With `sync` they are
    /// durable on return, and everything written before.
    ///
    /// # Errors
    /// Of any error the member must stop: it is not known what is durable.
    fn write(&self, writes: &[GroupWrite], sync: bool) -> Result<()>;
}
