//! Entries of a range, as a statement sees them.

use super::View;
use crate::execute::Result;
use crate::session::from_transaction;
use crate::txn::{LockedRow, LockingScan, Scan};

/// Entries of a range, one after the other.
pub(crate) enum Entries {
    /// As they were or are.
    Plain(Box<Scan>),
    /// Locked.
    Locking {
        scan: LockingScan,
        row: Option<LockedRow>,
        /// Each of them is, not only the range.
        locked: bool,
    },
}

impl Entries {
    /// Whether what it gives is locked.
    pub(crate) fn is_locked(&self) -> bool {
        matches!(self, Self::Locking { locked: true, .. })
    }

    /// The next key and value if nothing has to be waited for; `None` at the end, or if
    /// [`Self::next`] has to be asked.
    #[inline]
    pub(crate) fn try_next(&mut self) -> Option<(&[u8], &[u8])> {
        match self {
            Self::Plain(scan) => scan.try_next().flatten(),
            Self::Locking { .. } => None,
        }
    }

    /// Whether there are no more, as far as is known without waiting.
    #[inline]
    pub(crate) fn is_at_end(&self) -> bool {
        match self {
            Self::Plain(scan) => scan.is_at_end(),
            Self::Locking { .. } => false,
        }
    }

    /// The next key and value.
    ///
    /// # Errors
    /// The engine's and the locks'.
    pub(crate) async fn next(&mut self, view: &mut View<'_>) -> Result<Option<(&[u8], &[u8])>> {
        match self {
            Self::Plain(scan) => scan.next().await.map_err(|error| from_transaction(&error)),
            Self::Locking { scan, row, .. } => {
                let next = Box::pin(scan.next(view.transaction)).await;
                *row = next.map_err(|error| from_transaction(&error))?;
                Ok(row.as_ref().map(|row| (&row.key[..], &row.value[..])))
            }
        }
    }
}
