//! What can be locked, how, and by whom.

use bytes::Bytes;
use firn_engine::SpaceId;

/// Who waits and whom others wait for: a session. A session does one thing at
/// a time, so an owner waits for at most one lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OwnerId(pub u64);

/// Which of an owner's lock sets holds a lock: a transaction's locks end with
/// it, the session's own stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ScopeId(pub(super) u64);

/// An owner's lock set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Who {
    pub(super) owner: OwnerId,
    pub(super) scope: ScopeId,
}

/// What is locked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LockKey {
    /// One key of a space, whether it exists or not.
    Row(SpaceId, Bytes),
    /// A table as a whole: what its definition is, who may write into it.
    Table(u64),
    /// A database by its name.
    Database(Bytes),
    /// Everything: FLUSH TABLES WITH READ LOCK.
    Global,
    /// A name that a user chose: GET_LOCK.
    Name(Bytes),
}

/// How something is locked: the modes of multi-granularity locking. Rows and
/// names use the last two only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum LockMode {
    /// Parts of it are read: SELECT in a transaction.
    IntentionShared = 0,
    /// Rows of it are locked: FOR SHARE, FOR UPDATE.
    RowsLocked = 1,
    /// Parts of it are written: INSERT, UPDATE, DELETE.
    IntentionExclusive = 2,
    /// All of it is read: LOCK TABLES READ, and of rows FOR SHARE.
    Shared = 3,
    /// All rows of it are as good as locked: by a transaction that has locked too many
    /// of them one by one. Others may read what is committed.
    SharedIntentionExclusive = 4,
    /// All of it is written: LOCK TABLES WRITE, DDL, and of rows FOR UPDATE.
    Exclusive = 5,
}

impl LockMode {
    pub(super) const COUNT: usize = 6;

    /// A set of modes with only this one.
    pub(super) fn bit(self) -> u8 {
        1 << self as u8
    }

    /// The modes that somebody else cannot have at the same time, as bits.
    pub(super) fn conflicts(self) -> u8 {
        match self {
            Self::IntentionShared => 0b10_0000,
            Self::RowsLocked => 0b11_0000,
            Self::IntentionExclusive => 0b11_1000,
            Self::Shared => 0b11_0100,
            Self::SharedIntentionExclusive => 0b11_1110,
            Self::Exclusive => 0b11_1111,
        }
    }

    /// Whether two owners may hold these at the same time.
    #[must_use]
    pub fn is_compatible(self, other: Self) -> bool {
        self.conflicts() & other.bit() == 0
    }

    /// Whether who holds this needs nothing more for `other`.
    #[must_use]
    pub fn covers(self, other: Self) -> bool {
        self.union(other) == self
    }

    /// The weakest mode that covers both.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        match (self.min(other), self.max(other)) {
            (Self::IntentionExclusive, Self::Shared) => Self::SharedIntentionExclusive,
            (_, max) => max,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::LockMode::{
        self, Exclusive, IntentionExclusive, IntentionShared, RowsLocked, Shared,
        SharedIntentionExclusive,
    };

    const ALL: [LockMode; LockMode::COUNT] = [
        IntentionShared,
        RowsLocked,
        IntentionExclusive,
        Shared,
        SharedIntentionExclusive,
        Exclusive,
    ];

    #[test]
    fn compatibility_is_that_of_the_textbook() {
        let compatible = [
            (IntentionShared, IntentionShared),
            (IntentionShared, IntentionExclusive),
            (IntentionShared, Shared),
            (IntentionExclusive, IntentionExclusive),
            (Shared, Shared),
            (SharedIntentionExclusive, IntentionShared),
            (RowsLocked, IntentionShared),
            (RowsLocked, RowsLocked),
            (RowsLocked, IntentionExclusive),
            (RowsLocked, Shared),
        ];
        for a in ALL {
            for b in ALL {
                let expected = compatible.contains(&(a, b)) || compatible.contains(&(b, a));
                assert_eq!(a.is_compatible(b), expected, "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn a_union_conflicts_with_what_either_conflicts_with() {
        for a in ALL {
            for b in ALL {
                let union = a.union(b);
                assert_eq!(union, b.union(a));
                assert_eq!(union.conflicts() | a.conflicts() | b.conflicts(), union.conflicts());
                assert!(union.covers(a) && union.covers(b));
            }
        }
    }
}
