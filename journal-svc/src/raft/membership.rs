//! Members of a group: how they come and go while writes go on.
//!
//! # Rules
//!
//! 1. One change at a time. A change is an entry of the raft log; it counts from
//!    where it is applied. The next is refused until then.
//! 2. A member gets its vote only as a learner that has nearly the whole log:
//!    otherwise a majority would have to wait for it.
//! 3. The last voter is not removed, and a leader does not remove itself: it
//!    hands its office over first.
//!
//! A removed member is not told; it asks for votes that nobody gives it (pre-vote),
//! until it is stopped.

use bytes::Bytes;
use firn_engine::{Error, ErrorKind, Result};
use firn_proto::v1;
use raft::eraftpb::{ConfChange, ConfChangeType};

use super::catch_up::Members;
use super::command::{seal, unseal};

/// Entries that a learner may lack when it gets its vote.
pub(super) const LAG_MAX: u64 = 1000;

/// A change of a group's members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberChange {
    /// A member that gets the log and has no vote.
    Learner(u64),
    /// A learner gets its vote.
    Voter(u64),
    /// A member goes.
    Removed(u64),
}

impl MemberChange {
    fn member(self) -> u64 {
        match self {
            Self::Learner(member) | Self::Voter(member) | Self::Removed(member) => member,
        }
    }

    /// Checks the change against the members now. `lag` is what the member lacks
    /// of the log, if the leader knows it.
    pub(super) fn check(self, members: &Members, leader: u64, lag: Option<u64>) -> Result<()> {
        let wrong = |why: &str| {
            let what = format!("member {}: {why}", self.member());
            Err(Error::new(ErrorKind::BadRequest, what))
        };
        let votes = members.voters.contains(&self.member());
        let learns = members.learners.contains(&self.member());
        match self {
            Self::Learner(0) => wrong("members are numbered from 1"),
            Self::Learner(_) if votes || learns => wrong("it is a member already"),
            Self::Voter(_) if votes => wrong("it has a vote already"),
            Self::Voter(_) if !learns => wrong("it has to be a learner first"),
            Self::Voter(_) if lag.is_none_or(|lag| lag > LAG_MAX) => {
                wrong("it does not have the log yet").map_err(Error::retryable)
            }
            Self::Removed(_) if !votes && !learns => wrong("it is no member"),
            Self::Removed(member) if member == leader => {
                wrong("it leads: hand leadership over first")
            }
            Self::Learner(_) | Self::Voter(_) | Self::Removed(_) => Ok(()),
        }
    }

    /// In the library's form.
    pub(super) fn conf_change(self) -> ConfChange {
        let change_type = match self {
            Self::Learner(_) => ConfChangeType::AddLearnerNode,
            Self::Voter(_) => ConfChangeType::AddNode,
            Self::Removed(_) => ConfChangeType::RemoveNode,
        };
        ConfChange { change_type, node_id: self.member(), ..ConfChange::default() }
    }

    pub(super) fn encode(self) -> Bytes {
        use v1::member_change::Kind;
        let kind = match self {
            Self::Learner(_) => Kind::Learner,
            Self::Voter(_) => Kind::Voter,
            Self::Removed(_) => Kind::Removed,
        };
        seal(&v1::MemberChange { kind: kind.into(), member: self.member() })
    }

    pub(super) fn decode(bytes: &Bytes) -> Result<Self> {
        use v1::member_change::Kind;
        let stored: v1::MemberChange = unseal(bytes, "a change of members")?;
        match Kind::try_from(stored.kind) {
            Ok(Kind::Learner) => Ok(Self::Learner(stored.member)),
            Ok(Kind::Voter) => Ok(Self::Voter(stored.member)),
            Ok(Kind::Removed) => Ok(Self::Removed(stored.member)),
            Ok(Kind::Unspecified) | Err(_) => {
                Err(Error::new(ErrorKind::Corrupt, "a change of members of an unknown kind"))
            }
        }
    }
}
