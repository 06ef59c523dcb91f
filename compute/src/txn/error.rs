//! What can go wrong with a transaction, and what that does to it.

use firn_engine::ErrorKind;

use super::interrupt::Why;

/// Shorthand for a result with [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// See the module.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A lock was not free in time. The statement fails, the transaction goes on.
    #[error("lock wait timeout exceeded")]
    LockWaitTimeout,
    /// This one was chosen to break a deadlock. A transaction that gets it has
    /// been rolled back.
    #[error("deadlock found when trying to get a lock")]
    Deadlock,
    /// A lock is taken, and NOWAIT was asked for.
    #[error("a lock could not be acquired immediately and NOWAIT is set")]
    LockTaken,
    /// The statement was ended from outside.
    #[error("execution was interrupted ({0:?})")]
    Interrupted(Why),
    /// One transaction, or all together, hold as many locks as there may be.
    #[error("the number of locks is at its limit of {limit}")]
    TooManyLocks {
        /// That limit.
        limit: usize,
    },
    /// The writes of a transaction need more memory than it may have.
    #[error("the transaction has written more than {limit} bytes")]
    TooLarge {
        /// That limit.
        limit: usize,
    },
    /// All statements together need more memory than they may have.
    #[error("there is no memory left for what is not committed")]
    OutOfMemory,
    /// No savepoint has that name.
    #[error("there is no such savepoint")]
    NoSuchSavepoint,
    /// The transaction was rolled back before by a deadlock: start another.
    #[error("the transaction was rolled back before")]
    RolledBack,
    /// The engine's. [`ErrorKind::OutcomeUnknown`] from a commit: it may have
    /// taken effect.
    #[error(transparent)]
    Engine(#[from] firn_engine::Error),
}

impl Error {
    /// Whether the transaction that got it is gone. After all others only the
    /// statement needs to be rolled back.
    #[must_use]
    pub fn ends_transaction(&self) -> bool {
        matches!(self, Self::Deadlock | Self::RolledBack)
    }

    /// Whether a commit that got it may have taken effect.
    #[must_use]
    pub fn is_outcome_unknown(&self) -> bool {
        matches!(self, Self::Engine(e) if e.kind() == ErrorKind::OutcomeUnknown)
    }

    /// MySQL's number for it, where there is one that says the same.
    #[must_use]
    pub fn mysql_number(&self) -> Option<u16> {
        match self {
            Self::LockWaitTimeout => Some(1205),
            Self::Deadlock | Self::RolledBack => Some(1213),
            Self::LockTaken => Some(3572),
            Self::Interrupted(Why::Query | Why::Connection) => Some(1317),
            Self::Interrupted(Why::TimeLimit) => Some(3024),
            Self::Interrupted(Why::Shutdown) => Some(1053),
            Self::TooManyLocks { .. } => Some(1206),
            Self::TooLarge { .. } => Some(1197),
            Self::OutOfMemory => Some(1041),
            Self::NoSuchSavepoint => Some(1305),
            Self::Engine(_) => None,
        }
    }
}
