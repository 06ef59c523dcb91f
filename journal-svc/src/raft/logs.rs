//! The logs of one raft group: what its entries, applied in order, come to. The
//! same entries make the same logs on every member.

use std::collections::BTreeMap;

use bytes::Bytes;
use firn_engine::journal::LogBounds;
use firn_engine::{BranchName, Epoch, Error, ErrorKind, Result, Seq};

use super::append::{Kept, Records};
use super::catch_up::{BRANCHES_MAX, Base, Delta, History, Members};
use super::command::{Change, Command, Ticket};
use super::fencing::Owner;

/// Why an entry changed nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Its writer is not the owner of the log any more.
    Fenced {
        /// The log's epoch.
        by: Epoch,
    },
    /// The record does not follow the last one.
    NotFollowing {
        /// Last seq of the log.
        last: Seq,
    },
    /// Parts of the record before this one are not there: all have to be sent again.
    PartsMissing,
    /// The part cannot be one.
    Malformed,
    /// The group has as many logs as it may.
    TooManyLogs,
}

impl Refusal {
    /// As an error of the journal of `branch`, to the writer with `ticket`.
    #[must_use]
    pub fn error(self, branch: &BranchName, epoch: Epoch) -> Error {
        let error = |kind, why: String| Error::new(kind, format!("journal of {branch}: {why}"));
        match self {
            Self::Fenced { by } => crate::fenced(branch, epoch, by),
            Self::NotFollowing { last } => {
                error(ErrorKind::BadRequest, format!("the log ends at seq {last}"))
            }
            Self::PartsMissing => error(ErrorKind::Retry, "parts of the record were lost".into()),
            Self::Malformed => error(ErrorKind::BadRequest, "a malformed record".into()),
            Self::TooManyLogs => {
                error(ErrorKind::Unavailable, format!("its group has {BRANCHES_MAX} logs"))
            }
        }
    }
}

/// What an entry did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// The log was opened.
    Opened(Ticket, LogBounds),
    /// The record is in the log; `false` if parts of it are still to come.
    Appended(bool),
    /// Records were dropped.
    Trimmed(LogBounds),
    /// The members of the group changed.
    MembersChanged,
}

/// The answer to a proposal.
pub type Outcome = std::result::Result<Accepted, Refusal>;

#[derive(Debug, Default)]
struct Log {
    owner: Owner,
    records: Records,
    bytes: u64,
}

impl Log {
    fn bounds(&self) -> LogBounds {
        LogBounds {
            trimmed: self.records.trimmed(),
            last: self.records.last,
            epoch: self.owner.epoch,
            bytes: self.bytes,
        }
    }
}

/// The logs of a group.
#[derive(Debug, Default)]
pub struct Logs {
    logs: BTreeMap<BranchName, Log>,
    base: Base,
    history: History,
    applied: u64,
    #[cfg(any(test, feature = "conformance"))]
    pub(super) planted: super::Planted,
}

impl Logs {
    /// The logs as of a base.
    #[must_use]
    pub fn new(base: Base) -> Self {
        let logs = base.branches.iter().map(|(branch, b)| {
            let records = Records { last: b.last, ..Records::default() };
            (branch.clone(), Log { owner: b.owner, records, bytes: 0 })
        });
        let (logs, applied) = (logs.collect(), base.index);
        Self { logs, applied, base, ..Self::default() }
    }

    /// Index of the last entry that was applied.
    #[must_use]
    pub fn applied(&self) -> u64 {
        self.applied
    }

    /// The state at the last entry that is not kept.
    #[must_use]
    pub fn base(&self) -> &Base {
        &self.base
    }

    /// What the log of `branch` holds; the default if there is none.
    #[must_use]
    pub fn bounds(&self, branch: &BranchName) -> LogBounds {
        self.logs.get(branch).map(Log::bounds).unwrap_or_default()
    }

    /// Bytes of all records of all logs.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.logs.values().map(|log| log.bytes).sum()
    }

    /// The branches that have logs.
    pub fn branches(&self) -> impl Iterator<Item = &BranchName> {
        self.logs.keys()
    }

    /// The records from the one that contains `from`, or the first after it.
    ///
    /// # Errors
    /// `BadRequest` if `from` was trimmed.
    pub fn records(
        &self,
        branch: &BranchName,
        from: Seq,
    ) -> Result<impl Iterator<Item = &Kept> + use<'_>> {
        let bounds = self.bounds(branch);
        if from <= bounds.trimmed {
            return Err(crate::trimmed(branch, from, bounds.trimmed));
        }
        let kept = self.logs.get(branch).map(|log| &log.records.kept);
        let at = kept.map_or(0, |kept| kept.partition_point(|k| k.last < from));
        Ok(kept.into_iter().flat_map(move |kept| kept.range(at..)))
    }

    /// An entry that changes no log.
    pub(super) fn apply_nothing(&mut self, index: u64) {
        self.applied = index;
    }

    /// An entry that changed the members of the group.
    pub(super) fn apply_members(&mut self, index: u64, members: Members) {
        self.applied = index;
        self.history.push(index, Delta::Members(members));
    }

    /// Applies the entry `index`.
    ///
    /// # Errors
    /// `Corrupt` if the bytes are not what was proposed: this member must stop.
    pub fn apply(&mut self, index: u64, data: &Bytes) -> Result<(BranchName, Outcome)> {
        let command = Command::decode(data)?;
        self.applied = index;
        let outcome = self.change(index, &command);
        Ok((command.branch, outcome))
    }

    fn change(&mut self, index: u64, command: &Command) -> Outcome {
        let branch = &command.branch;
        if !self.logs.contains_key(branch) {
            if matches!(command.change, Change::Trim(_, Seq::MAX)) {
                // Asked again: it has ended.
                return Ok(Accepted::Trimmed(LogBounds::default()));
            }
            if !matches!(command.change, Change::Open { .. }) {
                return Err(Refusal::Fenced { by: Epoch::ZERO });
            }
            if self.logs.len() >= BRANCHES_MAX {
                return Err(Refusal::TooManyLogs);
            }
        }
        #[cfg(any(test, feature = "conformance"))]
        let unfenced = self.planted == super::Planted::SkipEpochCheck;
        #[cfg(not(any(test, feature = "conformance")))]
        let unfenced = false;
        let log = self.logs.entry(branch.clone()).or_default();
        let owned = |log: &Log, ticket| if unfenced { Ok(()) } else { log.owner.check(ticket) };
        match &command.change {
            Change::Open { epoch, writer } => {
                let before = log.owner;
                let ticket = log.owner.open(*epoch, *writer)?;
                if log.owner != before {
                    // Its writer cannot finish it.
                    log.records.begun = None;
                    self.history.push(index, Delta::Owner(branch.clone(), log.owner));
                }
                Ok(Accepted::Opened(ticket, log.bounds()))
            }
            Change::Append(ticket, part) => {
                owned(log, *ticket)?;
                let before = log.records.last;
                let complete = log.records.add(index, ticket.generation, part)?;
                if log.records.last != before {
                    log.bytes += log.records.kept.back().map_or(0, Records::cost);
                    self.history.push(index, Delta::Last(branch.clone(), log.records.last));
                }
                Ok(Accepted::Appended(complete))
            }
            Change::Trim(ticket, through) => {
                owned(log, *ticket)?;
                if *through == Seq::MAX {
                    self.logs.remove(branch);
                    self.history.push(index, Delta::Gone(branch.clone()));
                    return Ok(Accepted::Trimmed(LogBounds::default()));
                }
                let before = log.records.last;
                log.bytes -= log.records.trim(*through);
                if log.records.last != before {
                    self.history.push(index, Delta::Last(branch.clone(), log.records.last));
                }
                Ok(Accepted::Trimmed(log.bounds()))
            }
        }
    }

    /// Last entry that no record needs any more.
    #[must_use]
    pub fn unneeded(&self) -> u64 {
        let needed = self.logs.values().filter_map(|log| log.records.first_index());
        #[cfg(any(test, feature = "conformance"))]
        if self.planted == super::Planted::CutOthersRecords {
            let needed = needed.max();
            return needed.map_or(self.applied, |index| index.saturating_sub(1));
        }
        let needed = needed.min();
        needed.map_or(self.applied, |index| index.saturating_sub(1).min(self.applied))
    }

    /// Moves the base forward to `index`, which has `term` and is unneeded.
    pub(super) fn advance_base(&mut self, index: u64, term: u64) {
        #[cfg(any(test, feature = "conformance"))]
        let founders = self.base.members.clone();
        self.history.advance(&mut self.base, index, term);
        #[cfg(any(test, feature = "conformance"))]
        match self.planted {
            super::Planted::ForgetMembers => self.base.members = founders,
            super::Planted::BaseOfNow => {
                for (branch, log) in &self.logs {
                    self.base.branches.entry(branch.clone()).or_default().last = log.records.last;
                }
            }
            _ => {}
        }
    }
}
