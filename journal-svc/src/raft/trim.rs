//! Trimming: which records and which raft entries go.
//!
//! # Order
//!
//! 1. Somebody stores a manifest that names files with the records' data, and
//!    archives the records where that is asked for. Only then the writer trims.
//! 2. The trim is an entry of the raft log, refused like an append if its
//!    writer is fenced. Applied, it drops whole records from the front of the
//!    log, on every member alike.
//! 3. A member cuts its raft log in front of the first entry that any record of
//!    any branch of the group still needs, in the same write that stores the
//!    group's base at that place (see `catch_up.rs`): a crash finds both or none.
//!
//! A trim up to [`Seq::MAX`] is the last of a log: its branch was dropped. The log goes with
//! its owner, and leaves room for another in the group. Made again, after a lost reply, it
//! finds it done. A writer that claimed the branch before that and opens the log later makes
//! a new one, of a branch that is not there: it is told so by the manifest, and whoever looks
//! for what is left of dropped branches ends that log, too.
//!
//! What is cut is thus committed, and its data is elsewhere. A trim past the end
//! empties the log, and the next record starts after it.
//!
//! A branch whose records wait keeps the raft log of its group from being cut;
//! what all of them together may take is bounded where appends are admitted.

use firn_engine::Seq;

use super::append::Records;

impl Records {
    /// Drops whole records up to `through`; the bytes that went.
    pub(super) fn trim(&mut self, through: Seq) -> u64 {
        let mut bytes = 0;
        while let Some(first) = self.kept.front()
            && first.last <= through
        {
            bytes += Self::cost(first);
            self.kept.pop_front();
        }
        if through > self.last {
            self.last = through;
            // It would not follow any more.
            self.begun = None;
        }
        bytes
    }

    /// Everything up to this seq is gone.
    pub(super) fn trimmed(&self) -> Seq {
        self.kept.front().map_or(self.last, |kept| kept.first.prev())
    }

    /// The first raft entry that these records need.
    pub(super) fn first_index(&self) -> Option<u64> {
        let kept = self.kept.front().and_then(|kept| kept.parts.first().copied());
        let begun = self.begun.as_ref().and_then(super::append::Begun::first_index);
        // What is kept came before what is arriving.
        kept.or(begun)
    }
}
