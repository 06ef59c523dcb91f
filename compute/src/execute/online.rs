//! ALTER TABLE beside writers: new indexes, and tables that are written anew.
//!
//! # Order
//!
//! 1. *begin*, with the table locked exclusively, so that nobody has written to it and not
//!    committed: a note in the catalog says what goes if the process ends; a
//!    [`ChangeLog`] of the table's rows begins, and a snapshot is taken. Then the lock is
//!    weakened: others read and write, nobody changes the definition.
//! 2. *build*: what is to be made is made of all rows that the snapshot sees. Nobody reads it.
//! 3. *follow*: pass after pass takes the keys that the log has, compares their rows as of
//!    the last snapshot and a new one, takes away what was made of the old row and adds what
//!    the new one gives; until few keys are left.
//! 4. *end*, with the table locked exclusively again: one last pass. Everybody's changes are
//!    committed and in it.
//! 5. *switch*: one write of the catalog names the new index or the new rows, and forgets
//!    the note.
//!
//! Taking the snapshot before the log begins would miss what is committed in between;
//! beginning with writers on their way, what they had written before and commit later.
//! Switching before the last pass would show an index without its newest entries.
//! Weakening the lock before the log begins, or locking for 4 only after its pass, would
//! do the same.
//!
//! What is made is, after each pass, exactly what the rows of its snapshot give. So a unique
//! index finds a duplicate (1062) if and only if a committed state has one, whatever values
//! move between rows meanwhile; within a pass all that goes, goes first.
//!
//! # Crash, failure, KILL
//!
//! Before 5 the catalog has the old table; what was made is deleted as a range, with the
//! note, at the end of the statement or by the next start. After 5 it has the new one. 5 is
//! one write batch. Each loop looks whether it was interrupted, and waits for locks end with
//! that, too. If the outcome of 5 is not known, nothing is deleted: the next start
//! looks which of the two the catalog has.
//!
//! Changes that need more memory than `innodb_online_alter_log_max_size` end the statement
//! with 1799; the writers do not notice.
//!
//! # Old snapshots
//!
//! They read the old rows by the old indexes until 5. Afterwards the table, as they saw it,
//! is gone or lacks the index's history: their next statement gets 1412.

use std::sync::Arc;

use firn_engine::db::Snapshot;
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::Cx;
use firn_table::descriptor::IndexId;

use super::Result;
use super::backfill::{Backfill, Made};
use crate::server::Stage;
use crate::txn::{ChangeLog, TransactionManager};

/// With so few changed keys left, writers are kept out for the rest.
const FEW_KEYS: usize = 500;

/// Passes after which writers are kept out in any case.
const PASSES_MAX: usize = 30;

/// A build that is under way.
pub(crate) struct Online<'a> {
    backfill: Backfill<'a>,
    log: Logging<'a>,
    /// What was made is what this snapshot gives.
    made_of: Snapshot,
}

struct Logging<'a> {
    manager: &'a TransactionManager,
    log: Arc<ChangeLog>,
}

impl Drop for Logging<'_> {
    fn drop(&mut self) {
        self.manager.end_log(&self.log);
    }
}

impl<'a> Online<'a> {
    /// Step 1: the caller has the table exclusively, and weakens that afterwards.
    pub(crate) fn begin(backfill: Backfill<'a>, log_bytes_max: usize) -> Self {
        let manager = &**backfill.manager;
        let space = backfill.was.descriptor().space();
        let prefix = IndexId::ROWS.0.to_be_bytes();
        let log = manager.log_changes(space, &prefix, log_bytes_max);
        let made_of = manager.db().snapshot();
        Self { backfill, log: Logging { manager, log }, made_of }
    }

    /// Steps 2 and 3.
    ///
    /// # Errors
    /// As [`Backfill::all`]; 1799.
    pub(crate) async fn build(&mut self, cx: &mut Cx<'_>) -> Result<()> {
        let work = &self.backfill;
        work.progress.enter(work.env.now(), Stage::ReadRows, work.estimated_rows());
        work.all(&self.made_of, cx).await?;
        for _ in 0..PASSES_MAX {
            if self.follow(cx).await? <= FEW_KEYS {
                break;
            }
        }
        Ok(())
    }

    /// Step 4: the caller has the table exclusively.
    ///
    /// # Errors
    /// As [`Self::build`].
    pub(crate) async fn finish(mut self, cx: &mut Cx<'_>) -> Result<()> {
        self.follow(cx).await.map(drop)
    }

    /// One pass; the number of its keys.
    async fn follow(&mut self, cx: &mut Cx<'_>) -> Result<usize> {
        let work = &self.backfill;
        let Some(pass) = self.log.log.pass(work.manager.db()) else {
            return Err(self.too_much());
        };
        let stage = match work.made {
            Made::Entries(..) => Stage::ApplyToIndex,
            Made::Rows(_) => Stage::ApplyToTable,
        };
        work.progress.enter(work.env.now(), stage, pass.keys.len() as u64);
        work.follow(&self.made_of, &pass.snapshot, &pass.keys, cx).await?;
        self.made_of = pass.snapshot;
        Ok(pass.keys.len())
    }

    /// 1799
    fn too_much(&self) -> SqlError {
        let table = self.backfill.now.descriptor();
        let index = match self.backfill.made {
            Made::Entries(indexes, _) => {
                table.indexes.iter().find(|index| indexes.contains(&index.id))
            }
            Made::Rows(_) => table.indexes.first(),
        };
        let name = index.map_or("PRIMARY", |index| index.name.as_str());
        SqlError::new(code::ER_INNODB_ONLINE_LOG_TOO_BIG, &[name.into()])
    }
}
