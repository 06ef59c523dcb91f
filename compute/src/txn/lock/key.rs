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
    /// Parts of it are written: INSERT, UPDATE, DELETE.
    IntentionExclusive = 1,
    /// All of it is read: FOR SHARE, LOCK TABLES READ.
    Shared = 2,
    /// All of it is written: FOR UPDATE, LOCK TABLES WRITE, DDL.
    Exclusive = 3,
}

impl LockMode {
    pub(super) const COUNT: usize = 4;

    /// A set of modes with only this one.
    pub(super) fn bit(self) -> u8 {
        1 << self as u8
    }

    /// The modes that somebody else cannot have at the same time, as bits.
    pub(super) fn conflicts(self) -> u8 {
        match self {
            Self::IntentionShared => 0b1000,
            Self::IntentionExclusive => 0b1100,
            Self::Shared => 0b1010,
            Self::Exclusive => 0b1111,
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
            // Shared with intention exclusive has no mode of its own here.
            (Self::IntentionExclusive, Self::Shared) => Self::Exclusive,
            (_, max) => max,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::LockMode::{self, Exclusive, IntentionExclusive, IntentionShared, Shared};

    const ALL: [LockMode; LockMode::COUNT] =
        [IntentionShared, IntentionExclusive, Shared, Exclusive];

    #[test]
    fn compatibility_is_that_of_the_textbook() {
        let compatible = [
            (IntentionShared, IntentionShared),
            (IntentionShared, IntentionExclusive),
            (IntentionShared, Shared),
            (IntentionExclusive, IntentionExclusive),
            (Shared, Shared),
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
