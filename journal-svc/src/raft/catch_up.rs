//! Catching up: what a member starts from.
//!
//! A member that lacks entries gets them from the leader's raft log. If the
//! first that it lacks was cut off there, it gets the leader's *base* instead:
//! the state of the group at the last entry that was cut, in a few bytes for
//! each branch. The records up to there are not in it and not needed: they were
//! trimmed, so their data is in files of stored manifests, and
//! [`BranchBase::last`] says up to where the archive has them. The entries
//! behind the base follow as usual.
//!
//! # Rules
//!
//! - A base is exact: the owners and ends of the logs, and the members, as of
//!   its index, never as of a later one. Entries behind it are applied to it
//!   once, on a restart and on a member that got it from another alike.
//! - To a member that joined behind it, it is sent with that member as a learner.
//! - It replaces the whole raft log of the member that gets it, in one write.

use std::collections::{BTreeMap, VecDeque};

use firn_engine::{BranchName, Epoch, Error, ErrorKind, Result, Seq};
use firn_proto::v1;

use super::fencing::Owner;

/// Most branches of one group.
pub const BRANCHES_MAX: usize = 10_000;

/// Who belongs to a group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Members {
    /// Those with a vote.
    pub voters: Vec<u64>,
    /// Those that only get the log.
    pub learners: Vec<u64>,
}

/// A log as of a base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BranchBase {
    /// Its writer.
    pub owner: Owner,
    /// Its last record's last seq; the records are in the archive only.
    pub last: Seq,
}

/// The state of a group at the last raft entry that is not kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Base {
    /// Index of that entry.
    pub index: u64,
    /// Its term.
    pub term: u64,
    /// Who belongs to the group.
    pub members: Members,
    /// Its logs.
    pub branches: BTreeMap<BranchName, BranchBase>,
}

impl Base {
    /// What the founding members of a group start from, all of them the same.
    /// Its index is not 0: others than founders get it from a leader.
    #[must_use]
    pub fn founding(voters: Vec<u64>) -> Self {
        let members = Members { voters, learners: Vec::new() };
        Self { index: 1, term: 1, members, branches: BTreeMap::new() }
    }

    /// As it is stored and sent.
    #[must_use]
    pub fn to_proto(&self) -> v1::RaftBase {
        let branches = self.branches.iter().map(|(branch, base)| v1::BranchBase {
            branch: branch.to_string(),
            epoch: base.owner.epoch.0,
            generation: base.owner.generation,
            writer: base.owner.writer,
            last_seq: base.last.0,
        });
        v1::RaftBase {
            index: self.index,
            term: self.term,
            members: Some(v1::RaftMembers {
                voters: self.members.voters.clone(),
                learners: self.members.learners.clone(),
            }),
            branches: branches.collect(),
        }
    }

    /// From the form in which it is stored and sent.
    ///
    /// # Errors
    /// `Corrupt` if it cannot be one.
    pub fn from_proto(stored: v1::RaftBase) -> Result<Self> {
        let corrupt = |why: &str| {
            Error::new(ErrorKind::Corrupt, format!("base of a replicated journal: {why}"))
        };
        if stored.branches.len() > BRANCHES_MAX {
            return Err(corrupt("too many branches"));
        }
        let members = stored.members.ok_or_else(|| corrupt("no members"))?;
        let mut branches = BTreeMap::new();
        for b in stored.branches {
            let branch = BranchName::new(&b.branch).map_err(|e| corrupt(e.message()))?;
            let owner = Owner { epoch: Epoch(b.epoch), generation: b.generation, writer: b.writer };
            branches.insert(branch, BranchBase { owner, last: Seq(b.last_seq) });
        }
        let members = Members { voters: members.voters, learners: members.learners };
        Ok(Self { index: stored.index, term: stored.term, members, branches })
    }
}

/// A change of a group's state by one raft entry.
#[derive(Debug, Clone)]
pub(super) enum Delta {
    Owner(BranchName, Owner),
    Last(BranchName, Seq),
    /// The log has ended for good.
    Gone(BranchName),
    Members(Members),
}

/// Changes behind a base, oldest first, with the indexes of their entries.
#[derive(Debug, Default)]
pub(super) struct History(VecDeque<(u64, Delta)>);

impl History {
    pub(super) fn push(&mut self, index: u64, delta: Delta) {
        self.0.push_back((index, delta));
    }

    /// Moves a base forward to `index`, of a term.
    pub(super) fn advance(&mut self, base: &mut Base, index: u64, term: u64) {
        while let Some((at, _)) = self.0.front()
            && *at <= index
        {
            match self.0.pop_front() {
                Some((_, Delta::Owner(branch, owner))) => {
                    base.branches.entry(branch).or_default().owner = owner;
                }
                Some((_, Delta::Last(branch, last))) => {
                    base.branches.entry(branch).or_default().last = last;
                }
                Some((_, Delta::Gone(branch))) => {
                    base.branches.remove(&branch);
                }
                Some((_, Delta::Members(members))) => base.members = members,
                None => {}
            }
        }
        base.index = index;
        base.term = term;
    }
}
