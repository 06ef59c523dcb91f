//! What is asked of a group, and how it is.

use std::collections::BTreeMap;

use firn_engine::journal::Record;
use firn_engine::trace::TraceParent;
use firn_engine::{BranchName, Epoch, Error, Seq};

use super::catch_up::Members;
use super::command::Ticket;

/// What somebody wants done.
#[derive(Debug, Clone)]
pub enum Proposal {
    /// Takes a log for writing.
    Open {
        /// The log.
        branch: BranchName,
        /// Epoch of the writer.
        epoch: Epoch,
        /// Random number of the opening.
        writer: u64,
    },
    /// Adds a record.
    Append {
        /// The log.
        branch: BranchName,
        /// What the opening returned.
        ticket: Ticket,
        /// The record.
        record: Record,
        /// The span that it is traced by.
        traced: Option<TraceParent>,
    },
    /// Lets records go.
    Trim {
        /// The log.
        branch: BranchName,
        /// What the opening returned.
        ticket: Ticket,
        /// Last seq that may go.
        through: Seq,
    },
}

impl Proposal {
    /// The log that it is about.
    #[must_use]
    pub fn branch(&self) -> &BranchName {
        match self {
            Self::Open { branch, .. } | Self::Append { branch, .. } | Self::Trim { branch, .. } => {
                branch
            }
        }
    }
}

/// How a group is, as one member sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupStatus {
    /// Number of the group.
    pub group: u32,
    /// Who leads; 0 if that is not known.
    pub leader: u64,
    /// Raft's term.
    pub term: u64,
    /// Last committed entry.
    pub committed: u64,
    /// Last applied entry.
    pub applied: u64,
    /// Last entry that is stored.
    pub last_index: u64,
    /// Last entry that was cut.
    pub base_index: u64,
    /// Who belongs to it.
    pub members: Members,
    /// Where the others are, if this member leads: the last entry that each has.
    pub matched: BTreeMap<u64, u64>,
    /// Bytes of all records.
    pub bytes: u64,
}

/// A proposal or read that was not taken; nothing happened.
#[derive(Debug, Clone)]
pub enum NotTaken {
    /// Another member leads; 0 if it is not known which.
    NotLeader(u64),
    /// It cannot be taken now, or at all.
    Error(Error),
}
