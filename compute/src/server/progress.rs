//! How far a long statement is: SHOW PROCESSLIST's State, and `events_stages_current`.

use firn_engine::Instant;
use parking_lot::Mutex;

/// A part of a statement that takes long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Rows are read, and entries of new indexes or rows made of them, beside writers.
    ReadRows,
    /// Entries are made of rows that have changed since.
    ApplyToIndex,
    /// The same for rows of a copy.
    ApplyToTable,
    /// Rows are read and copied, and nobody else writes.
    Copy,
    /// The table is in use.
    WaitForTable,
}

impl Stage {
    /// What the process list shows.
    pub(crate) fn state(self) -> &'static str {
        match self {
            Self::ReadRows | Self::ApplyToIndex | Self::ApplyToTable => "altering table",
            Self::Copy => "copy to tmp table",
            Self::WaitForTable => "Waiting for table metadata lock",
        }
    }

    /// Its name as an event.
    pub(crate) fn event(self) -> &'static str {
        match self {
            Self::ReadRows => "stage/innodb/alter table (read PK and internal sort)",
            Self::ApplyToIndex => "stage/innodb/alter table (log apply index)",
            Self::ApplyToTable => "stage/innodb/alter table (log apply table)",
            Self::Copy => "stage/sql/copy to tmp table",
            Self::WaitForTable => "stage/sql/Waiting for table metadata lock",
        }
    }

    /// Whether it says how much is done.
    pub(crate) fn counts(self) -> bool {
        self != Self::WaitForTable
    }
}

/// A stage that a statement is in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At {
    pub(crate) stage: Stage,
    pub(crate) since: Instant,
    /// Which of the connection's stages it is, from 1.
    pub(crate) number: u64,
    /// Rows that are done.
    pub(crate) completed: u64,
    /// Rows in all, as far as that is known.
    pub(crate) estimated: u64,
}

/// Where one connection's statement is.
#[derive(Debug, Default)]
pub(crate) struct Progress(Mutex<(u64, Option<At>)>);

impl Progress {
    /// A stage begins, of about so many rows.
    pub(crate) fn enter(&self, now: Instant, stage: Stage, estimated: u64) {
        let mut progress = self.0.lock();
        progress.0 += 1;
        let number = progress.0;
        progress.1 = Some(At { stage, since: now, number, completed: 0, estimated });
    }

    /// More rows are done.
    pub(crate) fn advance(&self, rows: u64) {
        if let Some(at) = &mut self.0.lock().1 {
            at.completed += rows;
            at.estimated = at.estimated.max(at.completed);
        }
    }

    /// The last stage is over.
    pub(crate) fn leave(&self) {
        self.0.lock().1 = None;
    }

    /// The stage now, if there is one.
    pub(crate) fn at(&self) -> Option<At> {
        self.0.lock().1
    }
}
