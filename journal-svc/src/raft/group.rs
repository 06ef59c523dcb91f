//! One raft group: its part of the member's loop.
//!
//! # Reads
//!
//! What a log holds is asked of its leader, which first makes sure that it still
//! is the leader: it hears so from a majority after the question came (raft's
//! read index). A new leader answers once it has committed an entry of its own
//! term. No lease is trusted: a leader that was paused finds out that it is none.

use std::collections::BTreeMap;
use std::sync::Arc;

use firn_engine::journal::LogBounds;
use firn_engine::{BranchName, Error, ErrorKind, Result};
use raft::eraftpb::{Entry, EntryType, Message, MessageType};
use raft::{Config, RawNode, Ready, SnapshotStatus, StateRole};
use xxhash_rust::xxh3::xxh3_64;

use super::catch_up::Members;
use super::command::{Change, Command, parts};
use super::logs::{Accepted, Logs, Outcome};
use super::member::{Event, Settings};
use super::membership::MemberChange;
use super::proposal::{GroupStatus, NotTaken, Proposal};
use super::store::{GroupWrite, LogStore};
use super::view::View;
use super::wire::base_from_snapshot;

/// Bytes of committed entries that are applied at once.
const APPLY_BYTES: u64 = 16 << 20;

/// Reads that wait for a majority.
#[derive(Debug)]
struct Reads {
    ids: Vec<u64>,
    /// Entry that has to be applied first, once it is known.
    index: Option<u64>,
}

pub(super) struct Group {
    number: u32,
    settings: Settings,
    raw: RawNode<View>,
    pub(super) logs: Logs,
    /// Members as of the last applied entry.
    members: Members,
    /// Term in which this member leads.
    leads: Option<u64>,
    /// Proposals that wait, by the index of their entry.
    waiting: BTreeMap<u64, u64>,
    reads_asked: Vec<u64>,
    reads: BTreeMap<u64, Reads>,
    reads_made: u64,
    ready: Option<Ready>,
    /// Members that were sent a base, which the library wants to be told.
    bases_sent: Vec<u64>,
    /// Why this member must stop: it has less than it has said.
    lost: Option<Error>,
    ticks: u64,
    leader_told: u64,
    #[cfg(test)]
    pub(super) trace: Vec<Entry>,
}

impl Group {
    pub(super) fn load(number: u32, settings: &Settings, store: Arc<dyn LogStore>) -> Result<Self> {
        let view = View::load(store, number, &settings.founders, settings.member)?;
        let base = view.base().clone();
        let config = Config {
            id: settings.member,
            election_tick: settings.election_ticks,
            heartbeat_tick: settings.heartbeat_ticks,
            applied: base.index,
            max_size_per_msg: settings.message_bytes_max,
            max_inflight_msgs: settings.messages_inflight_max,
            check_quorum: true,
            pre_vote: true,
            max_committed_size_per_ready: APPLY_BYTES,
            // Counted, and never refused by the library: it would take a record in parts.
            max_uncommitted_size: u64::MAX - 1,
            // Followers hear of it with the next entries or heartbeat: nobody waits for them
            // to apply, and it would be a message to each and back for every append.
            skip_bcast_commit: true,
            ..Config::default()
        };
        let raw = RawNode::new(&config, view, &super::logging::logger()).map_err(|e| {
            Error::with_source(ErrorKind::Internal, format!("raft group {number}"), e)
        })?;
        let members = base.members.clone();
        #[cfg_attr(
            not(any(test, feature = "conformance")),
            expect(unused_mut, reason = "tests plant bugs")
        )]
        let mut logs = Logs::new(base);
        #[cfg(any(test, feature = "conformance"))]
        {
            logs.planted = settings.planted;
        }
        let mut group = Self {
            number,
            settings: settings.clone(),
            raw,
            logs,
            members,
            leads: None,
            waiting: BTreeMap::new(),
            reads_asked: Vec::new(),
            reads: BTreeMap::new(),
            reads_made: 0,
            ready: None,
            bases_sent: Vec::new(),
            lost: None,
            ticks: 0,
            leader_told: 0,
            #[cfg(test)]
            trace: Vec::new(),
        };
        group.settle(&mut Vec::new());
        Ok(group)
    }

    pub(super) fn leader(&self) -> u64 {
        self.raw.raft.leader_id
    }

    fn not_leader(&self) -> NotTaken {
        let leader = self.leader();
        NotTaken::NotLeader(if leader == self.settings.member { 0 } else { leader })
    }

    pub(super) fn tick(&mut self, events: &mut Vec<Event>) {
        self.ticks += 1;
        self.raw.tick();
        self.settle(events);
    }

    pub(super) fn step(&mut self, message: Message, events: &mut Vec<Event>) {
        // A leader tells a member only what that has said to have.
        let last = self.raw.raft.raft_log.last_index();
        if message.msg_type == MessageType::MsgHeartbeat
            && message.term >= self.raw.raft.term
            && message.commit > last
        {
            let why = format!(
                "raft group {}: this member has said that it has entry {}, and its log ends at \
                 {last}: it has lost its disk, or a part of it. Remove it from the journal and \
                 add another one under a new number",
                self.number, message.commit
            );
            self.lost = Some(Error::new(ErrorKind::Corrupt, why));
            return;
        }
        // What cannot be stepped is old or not for us; the sender tries again.
        if let Err(error) = self.raw.step(message) {
            tracing::debug!(group = self.number, %error, "a raft message was not taken");
        }
        self.settle(events);
    }

    /// After anything that may have changed who leads.
    fn settle(&mut self, events: &mut Vec<Event>) {
        let raft = &mut self.raw.raft;
        let leads = (raft.state == StateRole::Leader).then_some(raft.term);
        // Chance comes from our own seed: the library asks the system for it.
        let span = (self.settings.election_ticks as u64).max(1);
        let mut mixed = [0u8; 40];
        let parts =
            [self.settings.seed, u64::from(self.number), raft.id, raft.term, self.ticks / span];
        for (to, part) in mixed.chunks_exact_mut(8).zip(parts) {
            to.copy_from_slice(&part.to_le_bytes());
        }
        let extra = usize::try_from(xxh3_64(&mixed) % span).unwrap_or(0);
        raft.set_randomized_election_timeout(self.settings.election_ticks + extra);
        if leads != self.leads {
            for (_, id) in std::mem::take(&mut self.waiting) {
                events.push(Event::Unknown { id });
            }
            let reads = std::mem::take(&mut self.reads);
            let asked = std::mem::take(&mut self.reads_asked);
            for id in reads.into_values().flat_map(|reads| reads.ids).chain(asked) {
                events.push(Event::Unreadable { id });
            }
            self.leads = leads;
        }
        let leader = self.raw.raft.leader_id;
        if leader != self.leader_told {
            self.leader_told = leader;
            let term = self.raw.raft.term;
            events.push(Event::Leader { group: self.number, leader, term });
        }
    }

    /// Checks that a proposal of so many bytes may be taken.
    fn admit(&self, bytes: u64) -> std::result::Result<(), NotTaken> {
        let raft = &self.raw.raft;
        if self.leads.is_none() || raft.lead_transferee.is_some() {
            return Err(self.not_leader());
        }
        let full = |what: &str, now: u64, max: u64| {
            let why = format!("raft group {}: {now} {what}, over {max}", self.number);
            Err(NotTaken::Error(Error::new(ErrorKind::Unavailable, why).retryable()))
        };
        let uncommitted = raft.raft_log.last_index() - raft.raft_log.committed;
        if bytes > 0 && uncommitted > self.settings.uncommitted_max {
            return full(
                "entries wait to be committed",
                uncommitted,
                self.settings.uncommitted_max,
            );
        }
        let waiting = raft.uncommitted_size() as u64;
        if bytes > 0 && waiting > 0 && waiting + bytes > self.settings.uncommitted_bytes_max {
            let max = self.settings.uncommitted_bytes_max;
            return full("bytes of records wait to be committed", waiting, max);
        }
        let kept = self.logs.bytes();
        if bytes > 0 && kept + bytes > self.settings.kept_bytes_max {
            return full("bytes of records are not trimmed", kept, self.settings.kept_bytes_max);
        }
        Ok(())
    }

    pub(super) fn propose(
        &mut self,
        id: u64,
        proposal: Proposal,
    ) -> std::result::Result<(), NotTaken> {
        // With the last entry of a record, which makes it whole.
        let mut context = Vec::new();
        let changes = match proposal {
            Proposal::Open { branch, epoch, writer } => {
                self.admit(0)?;
                vec![Command { branch, change: Change::Open { epoch, writer } }]
            }
            Proposal::Append { branch, ticket, record, traced } => {
                context = traced.map(|span| span.to_string().into_bytes()).unwrap_or_default();
                self.admit(record.payload.len() as u64 + 1)?;
                let cut = parts(&branch, &record, self.settings.entry_bytes_max);
                let command =
                    |part| Command { branch: branch.clone(), change: Change::Append(ticket, part) };
                cut.into_iter().map(command).collect()
            }
            Proposal::Trim { branch, ticket, through } => {
                self.admit(0)?;
                vec![Command { branch, change: Change::Trim(ticket, through) }]
            }
        };
        let last = changes.len() - 1;
        for (at, command) in changes.into_iter().enumerate() {
            let context = if at == last { std::mem::take(&mut context) } else { Vec::new() };
            if self.raw.propose(context, command.encode().into()).is_err() {
                return Err(self.not_leader());
            }
        }
        self.waiting.insert(self.raw.raft.raft_log.last_index(), id);
        Ok(())
    }

    pub(super) fn change_members(
        &mut self,
        id: u64,
        change: MemberChange,
    ) -> std::result::Result<(), NotTaken> {
        self.admit(0)?;
        let raft = &self.raw.raft;
        if raft.has_pending_conf() {
            let why = format!("raft group {}: another change of members is under way", self.number);
            return Err(NotTaken::Error(Error::new(ErrorKind::Retry, why)));
        }
        let last = raft.raft_log.last_index();
        let lag = match change {
            MemberChange::Voter(member) => {
                // One that has no base yet has nothing, however short the log is.
                let base = self.logs.base().index;
                let has = raft.prs().get(member).filter(|p| p.matched >= base);
                has.map(|p| last - p.matched)
            }
            MemberChange::Learner(_) | MemberChange::Removed(_) => None,
        };
        change.check(&self.members, raft.id, lag).map_err(NotTaken::Error)?;
        let proposed = self.raw.propose_conf_change(change.encode().into(), change.conf_change());
        if proposed.is_err() {
            return Err(self.not_leader());
        }
        self.waiting.insert(self.raw.raft.raft_log.last_index(), id);
        Ok(())
    }

    /// Asks for leave to read; answered by [`Event::Readable`].
    pub(super) fn read(&mut self, id: u64) -> std::result::Result<(), NotTaken> {
        if self.leads.is_none() || !self.raw.raft.commit_to_current_term() {
            return Err(self.not_leader());
        }
        self.reads_asked.push(id);
        Ok(())
    }

    pub(super) fn transfer(&mut self, to: u64) -> std::result::Result<(), NotTaken> {
        if self.leads.is_none() {
            return Err(self.not_leader());
        }
        if !self.members.voters.contains(&to) {
            let why = format!("raft group {}: member {to} has no vote", self.number);
            return Err(NotTaken::Error(Error::new(ErrorKind::BadRequest, why)));
        }
        self.raw.transfer_leader(to);
        Ok(())
    }

    pub(super) fn unreachable(&mut self, member: u64) {
        self.raw.report_unreachable(member);
    }

    /// What is to be written, and messages that need not wait for that.
    pub(super) fn begin(
        &mut self,
        messages: &mut Vec<(u32, Message)>,
        events: &mut Vec<Event>,
    ) -> Result<Option<(GroupWrite, bool)>> {
        if let Some(error) = self.lost.take() {
            return Err(error);
        }
        if !self.reads_asked.is_empty() {
            self.reads_made += 1;
            let ids = std::mem::take(&mut self.reads_asked);
            self.reads.insert(self.reads_made, Reads { ids, index: None });
            // Told apart from those that another member asked for.
            let mut context = self.settings.member.to_le_bytes().to_vec();
            context.extend_from_slice(&self.reads_made.to_le_bytes());
            self.raw.read_index(context);
        }
        let cut = self.cut();
        if !self.raw.has_ready() && cut.is_none() {
            return Ok(None);
        }
        let mut write = GroupWrite { group: self.number, cut, ..GroupWrite::default() };
        if !self.raw.has_ready() {
            return Ok(Some((write, false)));
        }
        let mut ready = self.raw.ready();
        self.send(ready.take_messages(), messages);
        for state in ready.take_read_states() {
            let made = state.request_ctx.get(8..).and_then(|c| c.first_chunk());
            if let Some(made) = made
                && let Some(reads) = self.reads.get_mut(&u64::from_le_bytes(*made))
            {
                reads.index = Some(state.index);
            }
        }
        if !ready.snapshot().is_empty() {
            write.replaced = Some(base_from_snapshot(ready.snapshot())?);
            write.cut = None;
        }
        write.hard = ready.hs().cloned();
        write.entries = ready.take_entries();
        let committed = ready.take_committed_entries();
        self.apply(committed, events)?;
        let sync = ready.must_sync();
        self.ready = Some(ready);
        Ok(Some((write, sync)))
    }

    /// A base to which the log is to be cut, if that is worth it.
    fn cut(&mut self) -> Option<super::catch_up::Base> {
        let to = self.logs.unneeded();
        if to < self.logs.base().index + self.settings.cut_entries_min {
            return None;
        }
        let term = self.raw.store().term_of(to)?;
        self.logs.advance_base(to, term);
        Some(self.logs.base().clone())
    }

    /// What [`Self::begin`] returned is written, and synced if it had to be.
    pub(super) fn finish(
        &mut self,
        write: &GroupWrite,
        messages: &mut Vec<(u32, Message)>,
        events: &mut Vec<Event>,
    ) -> Result<()> {
        self.raw.mut_store().written(write);
        let Some(mut ready) = self.ready.take() else { return Ok(()) };
        if let Some(base) = &write.replaced {
            self.members = base.members.clone();
            #[cfg_attr(
                not(any(test, feature = "conformance")),
                expect(unused_mut, reason = "tests plant bugs")
            )]
            let mut logs = Logs::new(base.clone());
            #[cfg(any(test, feature = "conformance"))]
            {
                logs.planted = self.settings.planted;
            }
            self.logs = logs;
            events.push(Event::Replaced { group: self.number });
        }
        #[cfg(any(test, feature = "conformance"))]
        if self.settings.planted == super::Planted::AckBeforeQuorum {
            for entry in &write.entries {
                let appends = Command::decode(&entry.data)
                    .is_ok_and(|command| matches!(command.change, Change::Append(..)));
                if appends && let Some(id) = self.waiting.remove(&entry.index) {
                    let outcome = Ok(Accepted::Appended(true));
                    events.push(Event::Done { id, outcome, at: (entry.index, entry.term) });
                }
            }
        }
        self.send(ready.take_persisted_messages(), messages);
        let mut light = self.raw.advance_append(ready);
        self.send(light.take_messages(), messages);
        self.apply(light.take_committed_entries(), events)?;
        self.raw.advance_apply();
        for to in std::mem::take(&mut self.bases_sent) {
            self.raw.report_snapshot(to, SnapshotStatus::Finish);
        }
        self.settle(events);
        Ok(())
    }

    fn send(&mut self, sent: Vec<Message>, messages: &mut Vec<(u32, Message)>) {
        for message in sent {
            if message.msg_type == MessageType::MsgSnapshot {
                // Small, and sent again if it gets lost: not waited for.
                self.bases_sent.push(message.to);
            }
            messages.push((self.number, message));
        }
    }

    fn apply(&mut self, entries: Vec<Entry>, events: &mut Vec<Event>) -> Result<()> {
        for entry in entries {
            let (index, term) = (entry.index, entry.term);
            let outcome = self.apply_one(&entry, events)?;
            #[cfg(test)]
            self.trace.push(entry);
            if let Some(id) = self.waiting.remove(&index) {
                match outcome {
                    Some(outcome) if self.leads == Some(term) => {
                        events.push(Event::Done { id, outcome, at: (index, term) });
                    }
                    _ => events.push(Event::Unknown { id }),
                }
            }
        }
        let applied = self.logs.applied();
        let done: Vec<u64> = self
            .reads
            .iter()
            .filter(|(_, reads)| reads.index.is_some_and(|index| index <= applied))
            .map(|(made, _)| *made)
            .collect();
        for made in done {
            let ids = self.reads.remove(&made).map(|reads| reads.ids).unwrap_or_default();
            events.extend(ids.into_iter().map(|id| Event::Readable { id }));
        }
        Ok(())
    }

    fn apply_one(&mut self, entry: &Entry, events: &mut Vec<Event>) -> Result<Option<Outcome>> {
        let doing =
            |e: Error| e.context(format!("raft group {}: entry {}", self.number, entry.index));
        if entry.entry_type != EntryType::EntryNormal {
            // A leader may have emptied one that came while another was under way.
            if entry.context.is_empty() {
                self.logs.apply_nothing(entry.index);
                return Ok(None);
            }
            let change = MemberChange::decode(&entry.context).map_err(doing)?;
            let state = self.raw.apply_conf_change(&change.conf_change()).map_err(|e| {
                doing(Error::with_source(ErrorKind::Internal, "a change of members", e))
            })?;
            let (mut voters, mut learners) = (state.voters, state.learners);
            voters.sort_unstable();
            learners.sort_unstable();
            self.members = Members { voters, learners };
            self.logs.apply_members(entry.index, self.members.clone());
            return Ok(Some(Ok(Accepted::MembersChanged)));
        }
        if entry.data.is_empty() {
            self.logs.apply_nothing(entry.index);
            return Ok(None);
        }
        let (branch, outcome) = self.logs.apply(entry.index, &entry.data).map_err(doing)?;
        if !matches!(outcome, Ok(Accepted::Appended(false))) {
            events.push(Event::Changed { branch });
        }
        Ok(Some(outcome))
    }

    pub(super) fn bounds(&self, branch: &BranchName) -> LogBounds {
        self.logs.bounds(branch)
    }

    pub(super) fn status(&self) -> GroupStatus {
        let raft = &self.raw.raft;
        let matched = match self.leads {
            Some(_) => raft.prs().iter().map(|(id, p)| (*id, p.matched)).collect(),
            None => BTreeMap::new(),
        };
        GroupStatus {
            group: self.number,
            leader: raft.leader_id,
            term: raft.term,
            committed: raft.raft_log.committed,
            applied: self.logs.applied(),
            last_index: raft.raft_log.last_index(),
            base_index: self.logs.base().index,
            members: self.members.clone(),
            matched,
            bytes: self.logs.bytes(),
        }
    }
}
