//! Appends: which records a log takes, and when one is there.
//!
//! # Order
//!
//! 1. The leader cuts a record into parts of bounded size and proposes them one
//!    after the other. Nothing is answered yet.
//! 2. Every member that gets the entries makes them durable with one synced
//!    write before it says that it has them, the leader for itself as well.
//! 3. Once a majority has an entry it is committed, and applied in the order of
//!    the raft log. With its last part a record is in the log; then, and only
//!    then, the writer is told.
//!
//! # When a record is taken
//!
//! Its first seq follows the log's last, and its parts come in order and belong
//! to one record: a part at offset 0 begins anew, whatever was begun before. So
//! a leader that loses its office in the middle leaves parts that do no harm.
//!
//! # Repeats
//!
//! A writer that got no answer sends the same record again, to whoever leads
//! then. If the log has it already, from the same opening and with the same
//! checksum, the answer is that it is durable: the fate of a record is found
//! out by asking, never guessed.

use std::collections::VecDeque;

use firn_engine::Seq;
use smallvec::{SmallVec, smallvec};

use super::command::Part;
use super::logs::Refusal;

/// A record of the log: what it is and where its parts are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Seq of its first commit.
    pub first: Seq,
    /// Seq of its last commit.
    pub last: Seq,
    /// Bytes of its frame.
    pub frame_len: u64,
    /// Indexes of the raft entries with its parts.
    pub parts: SmallVec<[u64; 2]>,
    checksum: u64,
    generation: u64,
}

/// A record of which some parts are there.
#[derive(Debug, Clone)]
pub(super) struct Begun {
    record: Kept,
    /// Bytes so far.
    bytes: u64,
}

impl Begun {
    /// Index of the first of its entries.
    pub(super) fn first_index(&self) -> Option<u64> {
        self.record.parts.first().copied()
    }
}

/// The records of a log and the one that is arriving.
#[derive(Debug, Default)]
pub(super) struct Records {
    pub(super) kept: VecDeque<Kept>,
    pub(super) begun: Option<Begun>,
    /// Last seq of the log.
    pub(super) last: Seq,
}

impl Records {
    /// Applies the part in the raft entry `index`, of a writer that was checked.
    /// `true` if its record is in the log now, or was before.
    pub(super) fn add(
        &mut self,
        index: u64,
        generation: u64,
        part: &Part,
    ) -> Result<bool, Refusal> {
        let end = part.offset + part.bytes.len() as u64;
        if end > part.frame_len || part.last < part.first {
            return Err(Refusal::Malformed);
        }
        if part.first <= self.last {
            return self
                .repeated(generation, part)
                .then_some(end == part.frame_len)
                .ok_or(Refusal::NotFollowing { last: self.last });
        }
        if part.first != self.last.next() {
            return Err(Refusal::NotFollowing { last: self.last });
        }
        if part.offset == 0 {
            self.begun = Some(Begun {
                record: Kept {
                    first: part.first,
                    last: part.last,
                    frame_len: part.frame_len,
                    parts: smallvec![],
                    checksum: part.checksum,
                    generation,
                },
                bytes: 0,
            });
        }
        let begun = self.begun.as_mut().filter(|begun| {
            let record = &begun.record;
            begun.bytes == part.offset
                && (record.checksum, record.generation) == (part.checksum, generation)
                && (record.first, record.last) == (part.first, part.last)
                && record.frame_len == part.frame_len
        });
        // The parts before it were lost with another leader; the writer sends all again.
        let Some(begun) = begun else { return Err(Refusal::PartsMissing) };
        begun.bytes = end;
        begun.record.parts.push(index);
        if end < part.frame_len {
            return Ok(false);
        }
        if let Some(begun) = self.begun.take() {
            self.last = begun.record.last;
            self.kept.push_back(begun.record);
        }
        Ok(true)
    }

    fn repeated(&self, generation: u64, part: &Part) -> bool {
        let at = self.kept.partition_point(|kept| kept.last < part.first);
        self.kept.get(at).is_some_and(|kept| {
            (kept.first, kept.last, kept.checksum, kept.generation)
                == (part.first, part.last, part.checksum, generation)
        })
    }

    /// Bytes that the records take, with what remembering each costs.
    pub(super) fn cost(kept: &Kept) -> u64 {
        kept.frame_len + 128
    }
}
