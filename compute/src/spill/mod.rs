//! What does not fit into a statement's memory: temporary files.
//!
//! * [`area`]: the folder of all statements' files, and how much they may be together.
//! * [`file`](mod@file): records in checksummed frames; segments of a file, written once and
//!   read as often as wanted.
//! * [`value`]: rows of values as bytes. [`batch`]: batches of columns as bytes.
//! * [`merge`]: sorted segments as one.
//!
//! Who spills what is elsewhere: `execute::sorter` (rows in order, on which DISTINCT and
//! GROUP BY are built, too), `execute::gathered` (rows that are read again), `vector::grace`
//! (the two sides of a hash join).
//!
//! Files have no names where the file system can do that, and go with whoever holds them.
//! Reading and writing waits for the disk: it is done off the tasks' threads.

mod area;
mod file;
mod merge;
mod value;

pub use area::SpillArea;
pub(crate) use file::{FRAME_BYTES, Segment, SegmentReader, SegmentWriter, SpillFile};
pub(crate) use merge::Merge;
pub(crate) use value::{
    broken, put_bytes, put_length, put_row, put_value, take_array, take_bytes, take_length,
    take_row, take_value,
};

use std::sync::Arc;

use firn_engine::{Env, TaskClass};
use firn_mysql_semantics::error::SqlError;

use crate::execute::{ReadCounts, Spilled};
use crate::session::from_transaction;
use crate::txn::Interrupt;

/// What a statement spills with.
#[derive(Debug, Clone)]
pub(crate) struct Spill {
    pub(crate) env: Env,
    pub(crate) area: Arc<SpillArea>,
    pub(crate) interrupt: Interrupt,
    pub(crate) counts: Arc<ReadCounts>,
}

impl Spill {
    /// Does work that waits for the disk.
    ///
    /// # Errors
    /// Those of the work; 1317, 3024.
    pub(crate) async fn away<T: Send + 'static>(
        &self,
        name: &'static str,
        work: impl FnOnce() -> Result<T, SqlError> + Send + 'static,
    ) -> Result<T, SqlError> {
        self.check()?;
        let done = self.env.blocking(TaskClass::Foreground, name, work).await;
        done.ok_or_else(SqlError::query_interrupted)?
    }

    /// Ends a statement that was killed.
    ///
    /// # Errors
    /// 1317, 3024.
    pub(crate) fn check(&self) -> Result<(), SqlError> {
        self.interrupt.check().map_err(|error| from_transaction(&error))
    }

    /// A new file.
    ///
    /// # Errors
    /// 1 if it cannot be made.
    pub(crate) async fn file(&self) -> Result<SpillFile, SqlError> {
        let area = Arc::clone(&self.area);
        let file = self.away("make a temporary file", move || SpillFile::make(&area)).await?;
        self.counts.count(Spilled::Files, 1);
        Ok(file)
    }
}
