//! Ending a statement from outside: KILL, time limits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::sync::Notify;

use super::error::{Error, Result};

/// Why a statement has to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// KILL QUERY.
    Query,
    /// `max_execution_time` has passed.
    TimeLimit,
    /// KILL CONNECTION.
    Connection,
    /// The server stops.
    Shutdown,
}

const NONE: u8 = 0;

impl Why {
    fn from_u8(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Query),
            2 => Some(Self::TimeLimit),
            3 => Some(Self::Connection),
            4 => Some(Self::Shutdown),
            _ => None,
        }
    }

    fn to_u8(self) -> u8 {
        match self {
            Self::Query => 1,
            Self::TimeLimit => 2,
            Self::Connection => 3,
            Self::Shutdown => 4,
        }
    }
}

/// A session's switch: set by others, looked at by whatever runs for it.
/// Clones are the same switch.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    why: AtomicU8,
    changed: Notify,
}

impl Interrupt {
    /// Ends what runs now. A stronger reason stays if there is one.
    pub fn set(&self, why: Why) {
        self.0.why.fetch_max(why.to_u8(), Ordering::AcqRel);
        self.0.changed.notify_waiters();
    }

    /// Forgets the end of the last statement, before the next. The end of the
    /// connection is not forgotten.
    pub fn clear(&self) {
        for why in [Why::Query, Why::TimeLimit] {
            let _ =
                self.0.why.compare_exchange(why.to_u8(), NONE, Ordering::AcqRel, Ordering::Acquire);
        }
    }

    /// Why to end, if so.
    #[must_use]
    pub fn get(&self) -> Option<Why> {
        Why::from_u8(self.0.why.load(Ordering::Acquire))
    }

    /// For long computations: call it every few thousand rows.
    ///
    /// # Errors
    /// `Interrupted`.
    pub fn check(&self) -> Result<()> {
        self.get().map_or(Ok(()), |why| Err(Error::Interrupted(why)))
    }

    /// Until the switch is set.
    pub async fn interrupted(&self) -> Why {
        loop {
            let mut changed = std::pin::pin!(self.0.changed.notified());
            // Registered before the look, so that no change is missed.
            changed.as_mut().enable();
            if let Some(why) = self.get() {
                return why;
            }
            changed.await;
        }
    }
}
