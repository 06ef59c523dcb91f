//! A member with its disk and its time: the loop of `member.rs`, run.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use firn_engine::journal::{LogBounds, Record};
use firn_engine::watch;
use firn_engine::{BranchName, Env, Error, ErrorKind, Result, Seq, Task, TaskClass};
use firn_engine::{remote_span, trace};
use parking_lot::Mutex;
use raft::eraftpb::{Entry, EntryType, Message};
use tokio::sync::{mpsc, oneshot};
use tracing::Span;

use super::{
    Batch, Event, GroupStatus, LogStore, Member, MemberChange, NotTaken, Outcome, Proposal,
    Settings,
};

/// Inputs that wait for the loop; who brings more waits.
const INBOX_MAX: usize = 4096;
/// Inputs that are taken at once.
const INPUTS_AT_ONCE: usize = 1024;

/// Traced records of one write for which there are spans.
const BATCH_TRACED_MAX: usize = 64;

/// How messages get to other members. They may get lost.
pub trait Network: Debug + Send + Sync + 'static {
    /// Sends, or drops: never waits.
    fn send(&self, to: u64, group: u32, message: Message);
}

/// What a member answers.
#[derive(Debug)]
pub enum Answer {
    /// It is committed, and this is what it did; and what the log holds now.
    Done(Outcome, LogBounds),
    /// The log may be read up to what it holds now.
    Readable(LogBounds),
    /// Another member leads; 0 if it is not known which. Nothing happened.
    NotLeader(u64),
    /// It could not be taken. Nothing happened.
    Refused(Error),
    /// Leadership was lost meanwhile, or the member ends: it may happen, or not.
    Unknown,
}

type Reply = oneshot::Sender<Answer>;

enum Input {
    Message(u32, Message),
    Unreachable(u64),
    Propose(Proposal, Reply),
    Read(BranchName, Reply),
    Change(u32, MemberChange, Reply),
    Transfer(u32, u64, Reply),
}

/// A running member. It ends when this is dropped.
#[derive(Debug)]
pub struct Node {
    env: Env,
    member: Arc<Mutex<Member>>,
    inputs: mpsc::Sender<Input>,
    /// Counts changes of the logs.
    changed: watch::Receiver<u64>,
    failed: watch::Receiver<Option<Error>>,
    task: Task<()>,
}

impl Drop for Node {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Node {
    /// Loads a member from `store` and starts it; `tick` is the length of its ticks.
    ///
    /// # Errors
    /// As [`Member::load`].
    pub async fn start(
        env: Env,
        settings: Settings,
        store: Arc<dyn LogStore>,
        network: Arc<dyn Network>,
        tick: Duration,
    ) -> Result<Self> {
        let number = settings.member;
        let load = {
            let store = Arc::clone(&store);
            move || Member::load(settings, store)
        };
        let loaded = env.blocking(TaskClass::Foreground, "raft-load", load).await;
        let stopped = || Error::new(ErrorKind::Internal, "loading the journal was stopped");
        let member = Arc::new(Mutex::new(loaded.ok_or_else(stopped)??));
        let (inputs, inbox) = mpsc::channel(INBOX_MAX);
        let (change, changed) = watch::channel(0);
        let (fail, failed) = watch::channel(None);
        let running = Loop {
            env: env.clone(),
            number,
            member: Arc::clone(&member),
            store,
            network,
            inbox,
            change,
            waiting: BTreeMap::new(),
            asked: 0,
            tick,
        };
        let task = env.spawn(TaskClass::Foreground, "raft", async move {
            let Err(error) = running.run().await else { return };
            tracing::error!(%error, "the journal's member ends");
            fail.send_replace(Some(error));
        });
        Ok(Self { env, member, inputs, changed, failed, task })
    }

    async fn ask(&self, input: impl FnOnce(Reply) -> Input) -> oneshot::Receiver<Answer> {
        let (reply, answer) = oneshot::channel();
        // A member that has ended answers nobody, which is `Unknown`.
        let _ = self.inputs.send(input(reply)).await;
        answer
    }

    /// Hands a proposal over; the answer comes when it is committed. Proposals
    /// handed over one after the other are taken in that order.
    pub async fn submit(&self, proposal: Proposal) -> oneshot::Receiver<Answer> {
        self.ask(|reply| Input::Propose(proposal, reply)).await
    }

    /// Proposes a change of a log.
    pub async fn propose(&self, proposal: Proposal) -> Answer {
        self.submit(proposal).await.await.unwrap_or(Answer::Unknown)
    }

    /// Asks what the log of `branch` holds, as of now: this member makes sure that it leads.
    pub async fn readable(&self, branch: &BranchName) -> Answer {
        let branch = branch.clone();
        self.ask(|reply| Input::Read(branch, reply)).await.await.unwrap_or(Answer::Unknown)
    }

    /// Changes the members of a group.
    pub async fn change_members(&self, group: u32, change: MemberChange) -> Answer {
        let answer = self.ask(|reply| Input::Change(group, change, reply)).await;
        answer.await.unwrap_or(Answer::Unknown)
    }

    /// Hands the leadership of a group over; `Done` says that it was begun.
    pub async fn transfer(&self, group: u32, to: u64) -> Answer {
        let answer = self.ask(|reply| Input::Transfer(group, to, reply)).await;
        answer.await.unwrap_or(Answer::Unknown)
    }

    /// A message from another member.
    pub async fn receive(&self, group: u32, message: Message) {
        let _ = self.inputs.send(Input::Message(group, message)).await;
    }

    /// Another member could not be reached.
    pub async fn unreachable(&self, member: u64) {
        let _ = self.inputs.send(Input::Unreachable(member)).await;
    }

    /// How the groups are.
    #[must_use]
    pub fn status(&self) -> Vec<GroupStatus> {
        self.member.lock().status()
    }

    /// What the log of `branch` holds, as far as this member has applied it.
    #[must_use]
    pub fn bounds(&self, branch: &BranchName) -> LogBounds {
        self.member.lock().bounds(branch)
    }

    /// Counts changes of the logs; a receiver waits for the next.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.clone()
    }

    /// Why the member has ended: an error of its disk, or a bug. The process has
    /// to end, too.
    pub async fn failed(&self) -> Error {
        let mut failed = self.failed.clone();
        let ended = failed.wait_for(Option::is_some).await.ok().and_then(|error| error.clone());
        ended.unwrap_or_else(|| Error::new(ErrorKind::Internal, "the journal's member panicked"))
    }

    /// Records from the one that contains `from`, of about `bytes_max` together,
    /// as far as this member has applied the log; none if they are to come.
    ///
    /// # Errors
    /// `BadRequest` if `from` was trimmed, `Corrupt` for damage.
    pub async fn records(
        &self,
        branch: &BranchName,
        from: Seq,
        bytes_max: u64,
    ) -> Result<Vec<Record>> {
        let (found, reader) = {
            let member = self.member.lock();
            (member.find(branch, from, bytes_max)?, member.reader(branch))
        };
        if found.is_empty() {
            return Ok(Vec::new());
        }
        let read = move || found.iter().map(|kept| reader.read(kept)).collect::<Result<Vec<_>>>();
        let read = self.env.blocking(TaskClass::Foreground, "raft-read", read).await;
        let read = read.ok_or_else(|| Error::new(ErrorKind::Retry, "the member is ending"))?;
        let Err(error) = read else { return read };
        // It may have been trimmed under us.
        let trimmed = self.member.lock().bounds(branch).trimmed;
        Err(if from <= trimmed { crate::trimmed(branch, from, trimmed) } else { error })
    }
}

struct Waiting {
    reply: Reply,
    /// The log whose bounds are part of the answer.
    branch: Option<BranchName>,
}

struct Loop {
    env: Env,
    number: u64,
    member: Arc<Mutex<Member>>,
    store: Arc<dyn LogStore>,
    network: Arc<dyn Network>,
    inbox: mpsc::Receiver<Input>,
    change: watch::Sender<u64>,
    waiting: BTreeMap<u64, Waiting>,
    asked: u64,
    tick: Duration,
}

impl Loop {
    /// Until all handles are gone.
    async fn run(mut self) -> Result<()> {
        let mut next_tick = self.env.now().after(self.tick);
        loop {
            let wait = next_tick.since(self.env.now());
            if wait.is_zero() {
                // Ticks that were missed are not made up for: it is a patient clock.
                next_tick = self.env.now().after(self.tick);
                self.member.lock().tick();
            } else {
                match self.env.timeout(wait, self.inbox.recv()).await {
                    Some(Some(input)) => {
                        self.take(input);
                        for _ in 0..INPUTS_AT_ONCE {
                            let Ok(input) = self.inbox.try_recv() else { break };
                            self.take(input);
                        }
                    }
                    Some(None) => return Ok(()),
                    None => continue,
                }
            }
            self.work().await?;
        }
    }

    fn take(&mut self, input: Input) {
        self.asked += 1;
        let id = self.asked;
        let mut member = self.member.lock();
        let (taken, reply, branch) = match input {
            Input::Message(group, message) => return member.step(group, message),
            Input::Unreachable(other) => return member.unreachable(other),
            Input::Propose(proposal, reply) => {
                let branch = proposal.branch().clone();
                (member.propose(id, proposal), reply, Some(branch))
            }
            Input::Read(branch, reply) => (member.read(id, &branch), reply, Some(branch)),
            Input::Change(group, change, reply) => {
                (member.change_members(id, group, change), reply, None)
            }
            Input::Transfer(group, to, reply) => {
                if let Err(not) = member.transfer(group, to) {
                    let _ = reply.send(not_taken(not));
                } else {
                    let done = Ok(super::Accepted::MembersChanged);
                    let _ = reply.send(Answer::Done(done, LogBounds::default()));
                }
                return;
            }
        };
        match taken {
            Ok(()) => {
                self.waiting.insert(id, Waiting { reply, branch });
            }
            // Nobody may be waiting any more, here and below.
            Err(not) => drop(reply.send(not_taken(not))),
        }
    }

    /// Until there is nothing to do.
    async fn work(&mut self) -> Result<()> {
        loop {
            let begun = self.member.lock().begin()?;
            self.say();
            let Some(batch) = begun else { return Ok(()) };
            let batch = self.write(batch).await?;
            self.member.lock().finish(&batch)?;
            self.say();
        }
    }

    async fn write(&self, batch: Batch) -> Result<Batch> {
        if !batch.sync && batch.writes.iter().all(super::GroupWrite::is_empty) {
            return Ok(batch);
        }
        let spans = self.spans(&batch);
        let store = Arc::clone(&self.store);
        let write = move || {
            let written = store.write(&batch.writes, batch.sync);
            written.map(|()| batch)
        };
        let written = self.env.short_blocking("raft-write", write).await;
        drop(spans);
        written.unwrap_or_else(|| {
            Err(Error::new(ErrorKind::Internal, "a write of the journal was stopped"))
        })
    }

    /// Spans of the write of a batch, for the traced records in it.
    fn spans(&self, batch: &Batch) -> Vec<Span> {
        if !trace::is_on() {
            return Vec::new();
        }
        let entries = batch
            .writes
            .iter()
            .flat_map(|write| write.entries.iter().map(move |entry| (write.group, entry)));
        let traced = entries.filter(|(_, entry)| {
            entry.entry_type == EntryType::EntryNormal && !entry.context.is_empty()
        });
        let span = |(group, entry): (u32, &Entry)| {
            remote_span!(
                &entry.context,
                "raft log write",
                member = self.number,
                group,
                index = entry.index,
                synced = batch.sync,
            )
        };
        traced.take(BATCH_TRACED_MAX).map(span).collect()
    }

    /// Sends and answers what the member has to say.
    fn say(&mut self) {
        let mut member = self.member.lock();
        for (group, message) in member.take_messages() {
            self.network.send(message.to, group, message);
        }
        let mut changed = false;
        for event in member.take_events() {
            let (id, outcome) = match event {
                Event::Done { id, outcome, .. } => (id, Some(Ok(outcome))),
                Event::Unknown { id } => (id, Some(Err(Answer::Unknown))),
                Event::Readable { id } => (id, None),
                Event::Unreadable { id } => (id, Some(Err(Answer::NotLeader(0)))),
                Event::Changed { .. } | Event::Replaced { .. } => {
                    changed = true;
                    continue;
                }
                Event::Leader { group, leader, term } => {
                    tracing::info!(group, leader, term, "a raft group has a leader");
                    continue;
                }
            };
            let Some(Waiting { reply, branch }) = self.waiting.remove(&id) else { continue };
            let bounds = branch.map(|branch| member.bounds(&branch)).unwrap_or_default();
            let answer = match outcome {
                Some(Ok(outcome)) => Answer::Done(outcome, bounds),
                Some(Err(answer)) => answer,
                None => Answer::Readable(bounds),
            };
            drop(reply.send(answer));
        }
        drop(member);
        if changed {
            self.change.send_modify(|count| *count += 1);
        }
    }
}

fn not_taken(not: NotTaken) -> Answer {
    match not {
        NotTaken::NotLeader(leader) => Answer::NotLeader(leader),
        NotTaken::Error(error) => Answer::Refused(error),
    }
}
