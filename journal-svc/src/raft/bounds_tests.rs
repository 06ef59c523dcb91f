//! What a leader takes that nobody hears any more.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use firn_engine::journal::Record;
use firn_engine::{BranchName, Epoch, Error, ErrorKind, Seq};

use super::command::Ticket;
use super::{Accepted, Event, LogStore, Member, MemoryStore, NotTaken, Proposal, Settings};

const RECORD_BYTES: usize = 100 << 10;
const UNCOMMITTED_BYTES: u64 = 1 << 20;

/// Three members, their disks and the network between them.
struct World {
    members: BTreeMap<u64, (Member, MemoryStore)>,
    /// Hears nobody, and is not heard.
    cut_off: Option<u64>,
    events: Vec<Event>,
    proposals: u64,
}

impl World {
    fn new() -> Self {
        let member = |number| {
            let store = MemoryStore::default();
            let settings = Settings {
                uncommitted_bytes_max: UNCOMMITTED_BYTES,
                entry_bytes_max: 16 << 10,
                ..Settings::new(number, vec![1, 2, 3], number)
            };
            let member = Member::load(settings, Arc::new(store.clone())).unwrap();
            (number, (member, store))
        };
        let members = (1..=3).map(member).collect();
        Self { members, cut_off: None, events: Vec::new(), proposals: 0 }
    }

    /// Until nobody has anything to do or to say.
    fn settle(&mut self) {
        loop {
            let mut sent = Vec::new();
            let mut busy = false;
            for (member, store) in self.members.values_mut() {
                while let Some(batch) = member.begin().unwrap() {
                    store.write(&batch.writes, batch.sync).unwrap();
                    member.finish(&batch).unwrap();
                    busy = true;
                }
                sent.extend(member.take_messages());
                self.events.extend(member.take_events());
            }
            if !busy && sent.is_empty() {
                return;
            }
            for (group, message) in sent {
                let apart = |number| self.cut_off == Some(number);
                if !apart(message.from) && !apart(message.to) {
                    self.members.get_mut(&message.to).unwrap().0.step(group, message);
                }
            }
        }
    }

    fn leader(&mut self) -> u64 {
        loop {
            for (member, _) in self.members.values_mut() {
                member.tick();
            }
            self.settle();
            let mut members = self.members.iter();
            let leads = |number: u64, member: &Member| {
                member.leader_of(&BranchName::main()) == number && self.cut_off != Some(number)
            };
            if let Some((number, _)) = members.find(|(number, (m, _))| leads(**number, m)) {
                return *number;
            }
        }
    }

    fn propose(&mut self, to: u64, proposal: Proposal) -> Result<u64, Error> {
        self.proposals += 1;
        let id = self.proposals;
        match self.members.get_mut(&to).unwrap().0.propose(id, proposal) {
            Ok(()) => Ok(id),
            Err(NotTaken::Error(error)) => Err(error),
            Err(NotTaken::NotLeader(other)) => panic!("{other} leads, not {to}"),
        }
    }

    fn open(&mut self, leader: u64) -> Ticket {
        let branch = BranchName::main();
        let id = self.propose(leader, Proposal::Open { branch, epoch: Epoch(1), writer: 7 });
        self.settle();
        let id = id.unwrap();
        let opened = self.events.iter().find_map(|event| match event {
            Event::Done { id: done, outcome: Ok(Accepted::Opened(ticket, _)), .. } => {
                (*done == id).then_some(*ticket)
            }
            _ => None,
        });
        opened.expect("opened")
    }

    fn append(&mut self, leader: u64, ticket: Ticket, seq: u64, len: usize) -> Result<u64, Error> {
        let record = Record {
            epoch: Epoch(1),
            first_seq: Seq(seq),
            last_seq: Seq(seq),
            unix_ms: 0,
            payload: Bytes::from(vec![seq as u8; len]),
        };
        let proposal =
            Proposal::Append { branch: BranchName::main(), ticket, record, traced: None };
        self.propose(leader, proposal)
    }

    fn appended(&self, id: u64) -> bool {
        self.events.iter().any(|event| {
            matches!(event, Event::Done { id: done, outcome: Ok(Accepted::Appended(true)), .. }
                if *done == id)
        })
    }
}

#[test]
fn a_leader_that_is_cut_off_takes_so_many_bytes_and_then_says_so() {
    let mut world = World::new();
    let leader = world.leader();
    let ticket = world.open(leader);
    world.cut_off = Some(leader);
    let mut taken = Vec::new();
    let refused = loop {
        let seq = taken.len() as u64 + 1;
        assert!(seq < 100, "it takes everything");
        match world.append(leader, ticket, seq, RECORD_BYTES) {
            Ok(id) => taken.push(id),
            Err(refused) => break refused,
        }
        world.settle();
    };
    assert_eq!((refused.kind(), refused.is_retryable()), (ErrorKind::Unavailable, true));
    let said = refused.to_string();
    assert!(said.ends_with("bytes of records wait to be committed, over 1048576"), "{said}");
    // As many as fit, and not one that does not; refused ones are not in its log.
    assert_eq!(taken.len(), UNCOMMITTED_BYTES as usize / RECORD_BYTES);
    let last = |world: &World| world.members[&leader].0.status()[0].last_index;
    let before = last(&world);
    for _ in 0..1000 {
        world.append(leader, ticket, taken.len() as u64 + 1, RECORD_BYTES).unwrap_err();
    }
    assert_eq!(last(&world), before);

    // Back among the others, all that it took is committed, and more is taken.
    world.cut_off = None;
    for (member, _) in world.members.values_mut() {
        member.unreachable(leader);
    }
    let others: Vec<u64> = world.members.keys().copied().filter(|n| *n != leader).collect();
    for other in others {
        world.members.get_mut(&leader).unwrap().0.unreachable(other);
    }
    while !taken.iter().all(|id| world.appended(*id)) {
        assert_eq!(world.leader(), leader);
    }
    let id = world.append(leader, ticket, taken.len() as u64 + 1, RECORD_BYTES).unwrap();
    world.settle();
    assert!(world.appended(id));
}

#[test]
fn a_record_larger_than_the_bound_is_taken_by_itself() {
    let mut world = World::new();
    let leader = world.leader();
    let ticket = world.open(leader);
    world.cut_off = Some(leader);
    world.append(leader, ticket, 1, 2 * UNCOMMITTED_BYTES as usize).unwrap();
    world.settle();
    world.append(leader, ticket, 2, 1).unwrap_err();
}
