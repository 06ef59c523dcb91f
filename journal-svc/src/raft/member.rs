//! A member of the replicated journal: its groups and its loop.
//!
//! # The loop
//!
//! 1. Everything that has arrived goes in: messages, proposals, ticks.
//! 2. [`Member::begin`] says what all groups together have to write, as one
//!    batch. A leader's messages to its followers are sent at once: they write
//!    while it writes.
//! 3. The batch is written with one sync. Nothing else goes in meanwhile; it
//!    waits and makes the next batch.
//! 4. [`Member::finish`] gives the messages and answers that rest on what was
//!    written.
//!
//! There is no timer: the loop runs when something has arrived, and what arrives
//! during a sync shares the next.
//!
//! An error of the disk ends the member: what is durable is not known any more,
//! and nothing may be answered on top of it.

use std::sync::Arc;

use bytes::Bytes;
use firn_engine::journal::{LogBounds, Record, frame};
use firn_engine::{BranchName, Error, ErrorKind, Result, Seq};
use raft::eraftpb::Message;
use xxhash_rust::xxh3::xxh3_64;

use super::append::Kept;
use super::command::{Change, Command, salt};
use super::group::Group;
use super::logs::Outcome;
use super::membership::MemberChange;
use super::proposal::{GroupStatus, NotTaken, Proposal};
use super::store::{GroupWrite, LogStore};

/// What a member is told at its start.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Its number, from 1.
    pub member: u64,
    /// The first members of every group; all are started with the same list.
    /// Who is not among them waits to be made a learner.
    pub founders: Vec<u64>,
    /// Raft groups over which the branches are spread; never changes.
    pub groups: u32,
    /// Ticks without a word from the leader until an election, at least; at most twice that.
    pub election_ticks: usize,
    /// Ticks from one heartbeat to the next.
    pub heartbeat_ticks: usize,
    /// Most bytes of a record in one entry.
    pub entry_bytes_max: usize,
    /// Most bytes of entries in one message.
    pub message_bytes_max: u64,
    /// Messages with entries on their way to one follower.
    pub messages_inflight_max: usize,
    /// Entries of a group that may wait to be committed.
    pub uncommitted_max: u64,
    /// Bytes of them; a record by itself may be larger.
    pub uncommitted_bytes_max: u64,
    /// Bytes of records in a group that may wait to be trimmed.
    pub kept_bytes_max: u64,
    /// Entries that are cut from the raft log at once, at least.
    pub cut_entries_min: u64,
    /// Where this member's chance starts.
    pub seed: u64,
    /// A bug for tests.
    #[cfg(any(test, feature = "conformance"))]
    pub planted: super::Planted,
}

impl Settings {
    /// The defaults for a member of a group that `founders` begin.
    #[must_use]
    pub fn new(member: u64, founders: Vec<u64>, seed: u64) -> Self {
        Self {
            member,
            founders,
            groups: 1,
            election_ticks: 16,
            heartbeat_ticks: 2,
            entry_bytes_max: 1 << 20,
            message_bytes_max: 1 << 20,
            messages_inflight_max: 64,
            uncommitted_max: 4096,
            uncommitted_bytes_max: 64 << 20,
            kept_bytes_max: 4 << 30,
            cut_entries_min: 256,
            seed,
            #[cfg(any(test, feature = "conformance"))]
            planted: super::Planted::Nothing,
        }
    }
}

/// Something that a member has to say.
#[derive(Debug, Clone)]
pub enum Event {
    /// The answer to a proposal: it is committed, and this is what it did.
    Done {
        /// Number of the proposal.
        id: u64,
        /// What it did.
        outcome: Outcome,
        /// Index and term of its entry.
        at: (u64, u64),
    },
    /// This member does not lead any more: the proposal may still be committed, or not.
    Unknown {
        /// Number of the proposal.
        id: u64,
    },
    /// A read may be answered from what is applied now.
    Readable {
        /// Number of the read.
        id: u64,
    },
    /// A read has to be asked of another member.
    Unreadable {
        /// Number of the read.
        id: u64,
    },
    /// A log has changed.
    Changed {
        /// The log.
        branch: BranchName,
    },
    /// All logs of a group may have changed: a base came from its leader.
    Replaced {
        /// The group.
        group: u32,
    },
    /// Another member leads a group.
    Leader {
        /// The group.
        group: u32,
        /// The member; 0 if that is not known.
        leader: u64,
        /// In this term.
        term: u64,
    },
}

/// What is to be written before [`Member::finish`].
#[derive(Debug)]
pub struct Batch {
    /// One change for each group that has any.
    pub writes: Vec<GroupWrite>,
    /// Whether it has to be durable.
    pub sync: bool,
}

/// A member.
pub struct Member {
    settings: Settings,
    groups: Vec<Group>,
    store: Arc<dyn LogStore>,
    messages: Vec<(u32, Message)>,
    events: Vec<Event>,
}

impl std::fmt::Debug for Member {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Member({})", self.settings.member)
    }
}

impl Member {
    /// A member with what is in `store`. Blocks while it reads.
    ///
    /// # Errors
    /// `BadRequest` for impossible settings; if the store cannot be read or is damaged.
    pub fn load(settings: Settings, store: Arc<dyn LogStore>) -> Result<Self> {
        if settings.member == 0 || settings.groups == 0 || settings.entry_bytes_max == 0 {
            let why = "replicated journal: member, groups and entry size start at 1";
            return Err(Error::new(ErrorKind::BadRequest, why));
        }
        let load = |number| Group::load(number, &settings, Arc::clone(&store));
        let groups = (0..settings.groups).map(load).collect::<Result<Vec<_>>>()?;
        Ok(Self { settings, groups, store, messages: Vec::new(), events: Vec::new() })
    }

    /// The group that has a branch's log.
    #[must_use]
    pub fn group_of(&self, branch: &BranchName) -> u32 {
        let hash = xxh3_64(branch.as_str().as_bytes());
        u32::try_from(hash % u64::from(self.settings.groups)).unwrap_or(0)
    }

    fn group(&self, branch: &BranchName) -> &Group {
        &self.groups[self.group_of(branch) as usize]
    }

    fn group_mut(&mut self, branch: &BranchName) -> &mut Group {
        let number = self.group_of(branch) as usize;
        &mut self.groups[number]
    }

    fn numbered(&mut self, group: u32) -> std::result::Result<&mut Group, NotTaken> {
        self.groups.get_mut(group as usize).ok_or_else(|| {
            let why = format!("there is no raft group {group}");
            NotTaken::Error(Error::new(ErrorKind::BadRequest, why))
        })
    }

    /// Time has passed: one tick for every group.
    pub fn tick(&mut self) {
        for group in &mut self.groups {
            group.tick(&mut self.events);
        }
    }

    /// A message from another member about a group. What is not for this member
    /// or for no group of its is dropped.
    pub fn step(&mut self, group: u32, message: Message) {
        if message.to == self.settings.member
            && message.from != self.settings.member
            && let Some(group) = self.groups.get_mut(group as usize)
        {
            group.step(message, &mut self.events);
        }
    }

    /// Proposes a change; answered by [`Event::Done`] or [`Event::Unknown`] with `id`.
    ///
    /// # Errors
    /// If it was not taken; then nothing happened and no event comes.
    pub fn propose(&mut self, id: u64, proposal: Proposal) -> std::result::Result<(), NotTaken> {
        self.group_mut(proposal.branch()).propose(id, proposal)
    }

    /// Asks for leave to read the log of `branch`; answered by [`Event::Readable`]
    /// or [`Event::Unreadable`] with `id`.
    ///
    /// # Errors
    /// As [`Self::propose`].
    pub fn read(&mut self, id: u64, branch: &BranchName) -> std::result::Result<(), NotTaken> {
        self.group_mut(branch).read(id)
    }

    /// Changes the members of a group; answered like a proposal.
    ///
    /// # Errors
    /// As [`Self::propose`]; `BadRequest` for a change that cannot be made.
    pub fn change_members(
        &mut self,
        id: u64,
        group: u32,
        change: MemberChange,
    ) -> std::result::Result<(), NotTaken> {
        self.numbered(group)?.change_members(id, change)
    }

    /// Hands the leadership of a group over, as soon as `to` has the whole log.
    /// Whether it did shows in [`Self::status`].
    ///
    /// # Errors
    /// As [`Self::propose`].
    pub fn transfer(&mut self, group: u32, to: u64) -> std::result::Result<(), NotTaken> {
        self.numbered(group)?.transfer(to)
    }

    /// Another member could not be reached.
    pub fn unreachable(&mut self, member: u64) {
        for group in &mut self.groups {
            group.unreachable(member);
        }
    }

    /// Takes everything that has arrived one step further; `None` if there is
    /// nothing to do. What it returns has to be written, then [`Self::finish`]
    /// is called before anything else.
    ///
    /// # Errors
    /// If what is stored is damaged: the member must stop.
    pub fn begin(&mut self) -> Result<Option<Batch>> {
        let (mut writes, mut sync, mut any) = (Vec::new(), false, false);
        for group in &mut self.groups {
            if let Some((write, synced)) = group.begin(&mut self.messages, &mut self.events)? {
                any = true;
                sync |= synced;
                writes.push(write);
            }
        }
        #[cfg(any(test, feature = "conformance"))]
        if self.settings.planted == super::Planted::AckBeforeSync {
            sync = false;
        }
        Ok(any.then_some(Batch { writes, sync }))
    }

    /// Goes on after the batch of [`Self::begin`] is written.
    ///
    /// # Errors
    /// If what is stored is damaged: the member must stop.
    pub fn finish(&mut self, batch: &Batch) -> Result<()> {
        for write in &batch.writes {
            let group = &mut self.groups[write.group as usize];
            group.finish(write, &mut self.messages, &mut self.events)?;
        }
        Ok(())
    }

    /// Messages to send, with their groups. After [`Self::begin`] as well as
    /// after [`Self::finish`].
    pub fn take_messages(&mut self) -> Vec<(u32, Message)> {
        std::mem::take(&mut self.messages)
    }

    /// What there is to say. After [`Self::finish`].
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// What the log of `branch` holds, as far as this member has applied it.
    #[must_use]
    pub fn bounds(&self, branch: &BranchName) -> LogBounds {
        self.group(branch).bounds(branch)
    }

    /// Where records from the one that contains `from` are, oldest first, of at
    /// most `bytes_max` together, but at least one if there is any.
    ///
    /// # Errors
    /// `BadRequest` if `from` was trimmed.
    pub fn find(&self, branch: &BranchName, from: Seq, bytes_max: u64) -> Result<Vec<Kept>> {
        let mut bytes = 0;
        let mut found: Vec<Kept> = Vec::new();
        for kept in self.group(branch).logs.records(branch, from)? {
            bytes += kept.frame_len;
            if bytes > bytes_max && !found.is_empty() {
                break;
            }
            found.push(kept.clone());
        }
        Ok(found)
    }

    /// Where records found by [`Self::find`] are read. Blocks.
    #[must_use]
    pub fn reader(&self, branch: &BranchName) -> Reader {
        let (store, group) = (Arc::clone(&self.store), self.group_of(branch));
        Reader { store, group, branch: branch.clone() }
    }

    /// Who leads the group that has a branch's log; 0 if that is not known.
    #[must_use]
    pub fn leader_of(&self, branch: &BranchName) -> u64 {
        self.group(branch).leader()
    }

    /// How the groups are.
    #[must_use]
    pub fn status(&self) -> Vec<GroupStatus> {
        self.groups.iter().map(Group::status).collect()
    }

    #[cfg(test)]
    pub(super) fn take_trace(&mut self) -> Vec<(u32, raft::eraftpb::Entry)> {
        let groups = self.groups.iter_mut().enumerate();
        let taken = groups.flat_map(|(number, group)| {
            let trace = std::mem::take(&mut group.trace);
            trace.into_iter().map(move |entry| (number as u32, entry))
        });
        taken.collect()
    }
}

/// Reads records of one log from the disk.
#[derive(Debug, Clone)]
pub struct Reader {
    store: Arc<dyn LogStore>,
    group: u32,
    branch: BranchName,
}

impl Reader {
    /// Reads a record. Blocks.
    ///
    /// # Errors
    /// `Corrupt` for damage; if it was trimmed meanwhile, any: look at the bounds.
    pub fn read(&self, kept: &Kept) -> Result<Record> {
        let corrupt = |why: &str| {
            let what = format!("journal of {}: record {}", self.branch, kept.first);
            Error::new(ErrorKind::Corrupt, format!("{what}: {why}"))
        };
        let mut pieces = Vec::with_capacity(kept.parts.len());
        for index in &kept.parts {
            let entries = self.store.entries(self.group, *index, index + 1, u64::MAX)?;
            let entry = entries.first().ok_or_else(|| corrupt("an entry is missing"))?;
            match Command::decode(&entry.data)?.change {
                Change::Append(_, part) if part.first == kept.first => pieces.push(part.bytes),
                _ => return Err(corrupt("an entry is of another record")),
            }
        }
        let whole = match <[Bytes; 1]>::try_from(pieces) {
            Ok([whole]) => whole,
            Err(pieces) => pieces.concat().into(),
        };
        let (record, len) = frame::decode(&whole, salt(&self.branch))
            .map_err(|why| corrupt(&format!("its frame is damaged: {why:?}")))?;
        if len != whole.len() || (record.first_seq, record.last_seq) != (kept.first, kept.last) {
            return Err(corrupt("its frame is of another record"));
        }
        Ok(record)
    }
}
