//! Writers that contend for a branch.

use bytes::Bytes;
use firn_engine::journal::Record;
use firn_engine::{BranchName, Epoch, Seq};

use super::{Accepted, Answer, Ask, Happening, Millis, NODES, Proposal, Ticket, World};
use crate::raft::Refusal;

/// How long a writer waits for an answer.
const PATIENCE: Millis = 400;

#[derive(Debug)]
enum State {
    /// Has no right to the log.
    Idle,
    Opening {
        epoch: u64,
    },
    Open {
        ticket: Ticket,
        last: Seq,
    },
}

#[derive(Debug)]
pub(super) struct Writer {
    branch: BranchName,
    state: State,
    epoch: u64,
    /// Number of the request that waits; an answer to another is late.
    request: u64,
    ask: Option<Ask>,
    /// Who was asked last.
    target: u64,
    /// What was acknowledged when the request was first made.
    acked_before: Seq,
    tries: u64,
}

impl Writer {
    pub(super) fn new(branch: BranchName) -> Self {
        Self {
            branch,
            state: State::Idle,
            epoch: 0,
            request: 0,
            ask: None,
            target: 1,
            acked_before: Seq::ZERO,
            tries: 0,
        }
    }
}

impl World {
    /// A writer's turn: `request` is the one that it waited for, if it still does.
    pub(super) fn write(&mut self, index: usize, request: u64) {
        if self.writers[index].request != request {
            return;
        }
        if self.writers[index].ask.is_some() {
            // No answer: the same again, to anybody.
            let target = self.chance.between(1, NODES);
            self.make(index, target);
            return;
        }
        let ask = self.next_ask(index);
        let target = self.writers[index].target;
        let acked_before = self.checks.acked(&self.writers[index].branch);
        let writer = &mut self.writers[index];
        let Some(ask) = ask else {
            writer.state = State::Idle;
            self.later(index, 700);
            return;
        };
        (writer.ask, writer.tries, writer.acked_before) = (Some(ask), 0, acked_before);
        self.make(index, target);
    }

    /// Sends what a writer asks, under a new number.
    fn make(&mut self, index: usize, target: u64) {
        let writer = &mut self.writers[index];
        writer.request += 1;
        writer.tries += 1;
        writer.target = target;
        let (request, ask) = (writer.request, writer.ask.clone().unwrap());
        self.ask(index, request, target, ask);
        self.at(PATIENCE, Happening::Writer(index, request));
    }

    /// The next turn of a writer that waits for nothing.
    fn later(&mut self, index: usize, wait_max: Millis) {
        let wait = self.chance.between(1, wait_max);
        let writer = &mut self.writers[index];
        writer.ask = None;
        writer.request += 1;
        let request = writer.request;
        self.at(wait, Happening::Writer(index, request));
    }

    fn next_ask(&mut self, index: usize) -> Option<Ask> {
        let chance = &mut self.chance;
        let writer = &mut self.writers[index];
        let branch = writer.branch.clone();
        match &writer.state {
            State::Idle | State::Opening { .. } => {
                // Mostly a new epoch; sometimes its own again.
                if writer.epoch == 0 || chance.permille(750) {
                    let epoch = self.epochs.get_mut(&branch).unwrap();
                    *epoch += 1;
                    writer.epoch = *epoch;
                }
                let nonce = chance.next();
                writer.state = State::Opening { epoch: writer.epoch };
                let epoch = Epoch(writer.epoch);
                Some(Ask::Propose(Proposal::Open { branch, epoch, writer: nonce }))
            }
            State::Open { ticket, last } => match chance.below(100) {
                0..3 => None,
                3..10 => {
                    let through = Seq(chance.below(last.0 + 1));
                    self.checks.asked_to_trim(&branch, through);
                    Some(Ask::Propose(Proposal::Trim { branch, ticket: *ticket, through }))
                }
                10..20 => {
                    let from = Seq(chance.below(last.0 + 1) + 1);
                    Some(Ask::Read { branch, from })
                }
                _ => {
                    let (first, count) = (last.next(), chance.below(3));
                    let len = [0, 30, 100, 350][chance.below(4) as usize];
                    let mut payload = format!("{index}/{}/{}/", ticket.generation, first);
                    while payload.len() < len {
                        payload.push(char::from(b'a' + chance.below(26) as u8));
                    }
                    let record = Record {
                        epoch: ticket.epoch,
                        first_seq: first,
                        last_seq: Seq(first.0 + count),
                        unix_ms: self.now,
                        payload: Bytes::from(payload),
                    };
                    let ticket = *ticket;
                    Some(Ask::Propose(Proposal::Append { branch, ticket, record, traced: None }))
                }
            },
        }
    }

    pub(super) fn answered(&mut self, index: usize, request: u64, answer: Answer) {
        let writer = &mut self.writers[index];
        if writer.request != request {
            return;
        }
        let Some(ask) = writer.ask.clone() else { return };
        let branch = writer.branch.clone();
        match answer {
            Answer::NotLeader(leader) => {
                let other = self.chance.between(1, NODES);
                self.writers[index].target = if leader == 0 { other } else { leader };
                // Its turn comes when its patience is over, or sooner.
                let target = self.writers[index].target;
                if self.writers[index].tries < 3 {
                    self.make(index, target);
                }
            }
            // It is asked again, of whoever leads then.
            Answer::Busy | Answer::Unknown => {}
            Answer::Records(records) => {
                let Ask::Read { from, .. } = ask else { panic!("records for {ask:?}") };
                let acked = self.writers[index].acked_before;
                self.checks.read(&branch, from, acked, records);
                self.later(index, 30);
            }
            Answer::Done(Ok(accepted)) => {
                match (accepted, ask) {
                    (Accepted::Opened(ticket, bounds), _) => {
                        let State::Opening { epoch, .. } = self.writers[index].state else {
                            panic!("opened out of turn")
                        };
                        assert_eq!(ticket.epoch, Epoch(epoch));
                        self.writers[index].state = State::Open { ticket, last: bounds.last };
                        self.checks.opened(&branch, ticket, bounds.last);
                    }
                    (
                        Accepted::Appended(true),
                        Ask::Propose(Proposal::Append { ticket, record, .. }),
                    ) => {
                        let last = record.last_seq;
                        self.writers[index].state = State::Open { ticket, last };
                        self.checks.appended(&branch, ticket, record);
                    }
                    (Accepted::Trimmed(_), Ask::Propose(Proposal::Trim { .. })) => {}
                    (accepted, ask) => panic!("{accepted:?} for {ask:?}"),
                }
                self.later(index, 30);
            }
            Answer::Done(Err(refusal)) => match refusal {
                Refusal::Fenced { .. } => {
                    self.writers[index].state = State::Idle;
                    self.later(index, 1500);
                }
                // Asked again when its patience is over.
                Refusal::PartsMissing => {}
                other => {
                    panic!("seed {}: writer {index} was told {other:?} for {ask:?}", self.seed)
                }
            },
        }
    }
}
