//! The replicated journal: logs of many branches over a few raft groups.
//!
//! Nothing here does I/O, reads a clock or starts a task. A [`Member`] is fed
//! with messages, proposals and ticks, and says what is to be written and sent;
//! what drives it owns disk, network and time. The simulation in `sim/` drives
//! three of them in one thread from one seed.
//!
//! ```text
//! proposals, messages, ticks ─▶ Member ─▶ one write for all groups ─▶ LogStore
//!                                  ▲                                   │ synced
//!                                  └──────────── finish ◀──────────────┘
//!                                                  └▶ messages, answers
//! ```
//!
//! | protocol | file |
//! |---|---|
//! | fencing: who may write to a log | `fencing.rs` |
//! | appends: order, parts, repeats | `append.rs` |
//! | trimming records and the raft log | `trim.rs` |
//! | catching up: by log, past it by a base | `catch_up.rs` |
//! | its disk: one log of segments | `disk_store/` |
//! | the loop: one synced write, then answers | `member.rs` |
//! | reads: what is committed is asked for, no lease | `group.rs` |
//! | members: learner first, then voter; leaders | `membership.rs` |
//!
//! Elections are by pre-vote, and a leader that does not hear from a majority
//! gives up its office; neither carries safety, which rests on terms, on
//! majorities and on what is synced.

pub mod append;
pub mod catch_up;
pub mod command;
mod disk_store;
pub mod fencing;
mod group;
mod logging;
mod logs;
mod member;
mod membership;
mod node;
mod proposal;
mod store;
#[cfg(any(test, feature = "conformance"))]
mod store_memory;
mod trim;
mod view;
mod wire;

#[cfg(test)]
mod bounds_tests;
#[cfg(test)]
mod sim;

pub use disk_store::{DiskStore, Identity};
pub use logs::{Accepted, Logs, Outcome, Refusal};
pub use member::{Batch, Event, Member, Reader, Settings};
pub use membership::MemberChange;
pub use node::{Answer, Network, Node};
pub use proposal::{GroupStatus, NotTaken, Proposal};
pub use raft::eraftpb::{Entry, HardState, Message};
pub use store::{GroupWrite, LogStore, Stored};
#[cfg(any(test, feature = "conformance"))]
pub use store_memory::MemoryStore;
pub use wire::{entry_from_proto, entry_to_proto, message_from_proto, message_to_proto};

/// Bugs that tests plant, to prove that they would find them. They are in no released build.
#[cfg(any(test, feature = "conformance"))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Planted {
    /// None.
    #[default]
    Nothing,
    /// Appends are taken from writers that are fenced.
    SkipEpochCheck,
    /// The leader answers when it has the entry itself.
    AckBeforeQuorum,
    /// Members say that they have what they have not synced.
    AckBeforeSync,
    /// The raft log is cut although records of other branches are in it.
    CutOthersRecords,
    /// A base has the logs' ends as they are now, not as of its index.
    BaseOfNow,
    /// A base has the first members, whoever came or went since.
    ForgetMembers,
}
