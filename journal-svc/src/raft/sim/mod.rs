//! Members, network, disks and writers in one thread from one seed.
//!
//! Simulated: delay, loss, doubling and reordering of messages, partitions in
//! one or both directions, crashes that lose what was not synced, members that
//! stop for a while and come back, members that join, leave and hand leadership
//! over, writers that contend by epoch, requests and replies that get lost. Not
//! simulated: bytes that go bad on a disk, clocks that run at different speeds.

mod check;
mod nemesis;
mod tests;
mod writer;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use firn_engine::journal::Record;
use firn_engine::{BranchName, Seq};
use prost::Message as _;

use super::command::Ticket;
use super::{
    Accepted, Batch, Event, LogStore, Member, MemberChange, MemoryStore, Message, NotTaken,
    Outcome, Planted, Proposal, Settings, message_from_proto, message_to_proto,
};
use check::Checks;
use nemesis::Nemesis;
use writer::Writer;

/// Milliseconds of simulated time.
type Millis = u64;

const TICK: Millis = 40;
/// Members of which the first three found the groups.
const NODES: u64 = 4;
const VOTERS: [u64; 3] = [1, 2, 3];
const GROUPS: u32 = 2;

/// Chance: the same for the same seed.
#[derive(Debug)]
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `end`, which is not 0.
    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn between(&mut self, from: u64, to: u64) -> u64 {
        from + self.below(to - from + 1)
    }

    /// True so many times in a thousand.
    fn permille(&mut self, times: u64) -> bool {
        self.below(1000) < times
    }
}

/// What a writer asks.
#[derive(Debug, Clone)]
enum Ask {
    Propose(Proposal),
    Read { branch: BranchName, from: Seq },
}

/// What it is answered.
#[derive(Debug, Clone)]
enum Answer {
    Done(Outcome),
    Records(Result<Vec<Record>, Seq>),
    NotLeader(u64),
    Busy,
    Unknown,
}

#[derive(Debug)]
enum Input {
    Message(u32, Box<Message>),
    Tick,
    /// From a writer, with the number of its request.
    Ask(usize, u64, Ask),
}

#[derive(Debug)]
enum Happening {
    Arrives(u64, Input),
    Ticks(u64),
    /// A member's disk is done, if it is still in that life.
    Written(u64, u64),
    Answered(usize, u64, Answer),
    /// A writer looks what to do.
    Writer(usize, u64),
    Nemesis,
}

struct Node {
    store: MemoryStore,
    /// `None` while it is down.
    member: Option<Member>,
    /// Counts its starts.
    life: u64,
    paused: bool,
    /// What its disk is busy with, and whether that is done.
    batch: Option<(Batch, bool)>,
    inbox: VecDeque<Input>,
    /// Who asked, and what, by the number of the proposal or read.
    asked: BTreeMap<u64, (usize, u64, Ask)>,
    asked_count: u64,
}

struct World {
    chance: Chance,
    now: Millis,
    happenings: BTreeMap<(Millis, u64), Happening>,
    count: u64,
    nodes: BTreeMap<u64, Node>,
    /// Directions that are cut, from and to.
    cut: Vec<(u64, u64)>,
    loss: u64,
    doubling: u64,
    delay_max: Millis,
    sync_max: Millis,
    planted: Planted,
    writers: Vec<Writer>,
    /// The highest epoch that was given out for each branch.
    epochs: BTreeMap<BranchName, u64>,
    nemesis: Nemesis,
    checks: Checks,
    /// Answers that leaders could not give, and bases that members got.
    unknown: u64,
    replaced: u64,
    /// Writers do nothing any more.
    quiet: bool,
    seed: u64,
    /// A digest of all that happened.
    digest: u64,
}

impl World {
    fn new(seed: u64, planted: Planted) -> Self {
        let mut chance = Chance(seed);
        let main = BranchName::main();
        // In the other group.
        let other = BranchName::new("other").unwrap();
        let mut world = Self {
            now: 0,
            happenings: BTreeMap::new(),
            count: 0,
            nodes: BTreeMap::new(),
            cut: Vec::new(),
            loss: [0, 0, 20, 100][chance.below(4) as usize],
            doubling: [0, 0, 50, 200][chance.below(4) as usize],
            delay_max: [2, 5, 30, 150][chance.below(4) as usize],
            sync_max: [1, 5, 40][chance.below(3) as usize],
            planted,
            writers: vec![
                Writer::new(main.clone()),
                Writer::new(main.clone()),
                Writer::new(other.clone()),
            ],
            epochs: BTreeMap::from([(main, 0), (other, 0)]),
            nemesis: Nemesis::new(&mut chance),
            checks: Checks::default(),
            chance,
            unknown: 0,
            replaced: 0,
            quiet: false,
            seed,
            digest: 0,
        };
        for id in 1..=NODES {
            let node = Node {
                store: MemoryStore::default(),
                member: None,
                life: 0,
                paused: false,
                batch: None,
                inbox: VecDeque::new(),
                asked: BTreeMap::new(),
                asked_count: 0,
            };
            world.nodes.insert(id, node);
            world.start(id);
            world.at(id, Happening::Ticks(id));
        }
        for writer in 0..world.writers.len() {
            let wait = world.chance.between(1, 2000);
            world.at(wait, Happening::Writer(writer, 0));
        }
        world.at(500, Happening::Nemesis);
        world
    }

    fn at(&mut self, wait: Millis, happening: Happening) {
        self.count += 1;
        self.happenings.insert((self.now + wait, self.count), happening);
    }

    fn settings(&self, member: u64) -> Settings {
        Settings {
            groups: GROUPS,
            election_ticks: 8,
            entry_bytes_max: 100,
            message_bytes_max: 400,
            messages_inflight_max: 4,
            uncommitted_max: 40,
            cut_entries_min: 4,
            planted: self.planted,
            ..Settings::new(member, VOTERS.to_vec(), self.seed ^ member)
        }
    }

    fn start(&mut self, id: u64) {
        let settings = self.settings(id);
        let node = self.nodes.get_mut(&id).unwrap();
        node.life += 1;
        node.member = Some(Member::load(settings, Arc::new(node.store.clone())).unwrap());
        node.paused = false;
    }

    fn crash(&mut self, id: u64) {
        let node = self.nodes.get_mut(&id).unwrap();
        let survive = self.chance.below(node.store.unsynced() as u64 + 1) as usize;
        node.store.crash(survive);
        node.member = None;
        node.batch = None;
        node.inbox.clear();
        node.asked.clear();
    }

    /// Runs until `end`.
    fn run(&mut self, end: Millis) {
        while let Some(((at, _), _)) = self.happenings.first_key_value()
            && *at <= end
        {
            let ((at, _), happening) = self.happenings.pop_first().unwrap();
            self.now = at;
            self.happen(happening);
        }
        self.now = end;
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Arrives(id, input) => {
                let node = self.nodes.get_mut(&id).unwrap();
                // Who is down hears nothing; who is paused hears it later, up to a bound.
                if node.member.is_some() && node.inbox.len() < 1000 {
                    node.inbox.push_back(input);
                    self.work(id);
                }
            }
            Happening::Ticks(id) => {
                let node = self.nodes.get_mut(&id).unwrap();
                if node.member.is_some() && !node.paused {
                    node.inbox.push_back(Input::Tick);
                    self.work(id);
                }
                self.at(TICK, Happening::Ticks(id));
            }
            Happening::Written(id, life) => {
                let node = self.nodes.get_mut(&id).unwrap();
                if node.life == life
                    && let Some((_, done)) = &mut node.batch
                {
                    *done = true;
                    node.store.write(&[], true).unwrap();
                    self.work(id);
                }
            }
            Happening::Answered(..) | Happening::Writer(..) if self.quiet => {}
            Happening::Answered(writer, request, answer) => self.answered(writer, request, answer),
            Happening::Writer(writer, request) => self.write(writer, request),
            Happening::Nemesis => self.strike(),
        }
    }

    /// The loop of a member.
    fn work(&mut self, id: u64) {
        loop {
            let node = self.nodes.get_mut(&id).unwrap();
            let Some(member) = &mut node.member else { return };
            if node.paused {
                return;
            }
            match node.batch.take() {
                Some((batch, true)) => {
                    member.finish(&batch).unwrap();
                    self.said(id);
                    continue;
                }
                Some(busy) => {
                    node.batch = Some(busy);
                    return;
                }
                None => {}
            }
            while let Some(input) = node.inbox.pop_front() {
                match input {
                    Input::Tick => member.tick(),
                    Input::Message(group, message) => member.step(group, *message),
                    Input::Ask(writer, request, ask) => {
                        node.asked_count += 1;
                        let number = node.asked_count;
                        let taken = match &ask {
                            Ask::Propose(proposal) => member.propose(number, proposal.clone()),
                            Ask::Read { branch, .. } => member.read(number, branch),
                        };
                        match taken {
                            Ok(()) => {
                                node.asked.insert(number, (writer, request, ask));
                            }
                            Err(NotTaken::NotLeader(leader)) => {
                                let answer = Answer::NotLeader(leader);
                                Self::answer(
                                    &mut self.chance,
                                    &mut self.happenings,
                                    &mut self.count,
                                    self.now,
                                    (self.loss, self.delay_max),
                                    (writer, request, answer),
                                );
                            }
                            Err(NotTaken::Error(e)) => {
                                assert!(e.is_retryable(), "{e:?}");
                                Self::answer(
                                    &mut self.chance,
                                    &mut self.happenings,
                                    &mut self.count,
                                    self.now,
                                    (self.loss, self.delay_max),
                                    (writer, request, Answer::Busy),
                                );
                            }
                        }
                    }
                }
            }
            let Some(batch) = member.begin().unwrap() else {
                self.said(id);
                return;
            };
            node.store.write(&batch.writes, false).unwrap();
            let (sync, life) = (batch.sync, node.life);
            node.batch = Some((batch, !sync));
            self.said(id);
            if sync {
                let wait = self.chance.between(0, self.sync_max);
                self.at(wait, Happening::Written(id, life));
            }
        }
    }

    fn answer(
        chance: &mut Chance,
        happenings: &mut BTreeMap<(Millis, u64), Happening>,
        count: &mut u64,
        now: Millis,
        (loss, delay_max): (u64, Millis),
        (writer, request, answer): (usize, u64, Answer),
    ) {
        if !chance.permille(loss) {
            *count += 1;
            let at = now + chance.between(1, delay_max);
            happenings.insert((at, *count), Happening::Answered(writer, request, answer));
        }
    }

    /// Sends and answers what a member has to say.
    fn said(&mut self, id: u64) {
        let node = self.nodes.get_mut(&id).unwrap();
        let Some(member) = &mut node.member else { return };
        let (messages, events) = (member.take_messages(), member.take_events());
        for (group, entry) in member.take_trace() {
            self.digest = self.digest.rotate_left(5) ^ (entry.index << 8 ^ entry.term);
            self.checks.applied(id, group, &entry);
        }
        for (group, message) in messages {
            self.send(id, group, &message);
        }
        for event in events {
            let node = self.nodes.get_mut(&id).unwrap();
            let member = node.member.as_ref().unwrap();
            let (number, answer) = match event {
                Event::Done { id: number, outcome, at } => {
                    let Some((_, _, Ask::Propose(proposal))) = node.asked.get(&number) else {
                        continue;
                    };
                    if let Ok(Accepted::Appended(true)) = outcome {
                        let group = member.group_of(proposal.branch());
                        let voters = member.status()[group as usize].members.voters.clone();
                        let has = |id: &&u64| self.nodes[id].store.is_durable(group, at.0, at.1);
                        let durable = voters.iter().filter(has).count();
                        self.checks.majority(at, durable, voters.len());
                    }
                    (number, Answer::Done(outcome))
                }
                Event::Unknown { id: number } => {
                    self.unknown += 1;
                    (number, Answer::Unknown)
                }
                Event::Unreadable { id: number } => (number, Answer::NotLeader(0)),
                Event::Readable { id: number } => {
                    let Some((_, _, Ask::Read { branch, from })) = node.asked.get(&number) else {
                        continue;
                    };
                    let records = match member.find(branch, *from, u64::MAX) {
                        Ok(found) => {
                            let reader = member.reader(branch);
                            Ok(found.iter().map(|kept| reader.read(kept).unwrap()).collect())
                        }
                        Err(_) => Err(member.bounds(branch).trimmed),
                    };
                    (number, Answer::Records(records))
                }
                Event::Leader { group, leader, term } => {
                    if leader == id {
                        self.checks.leads(group, term, id);
                    }
                    continue;
                }
                Event::Replaced { .. } => {
                    self.replaced += 1;
                    continue;
                }
                Event::Changed { .. } => continue,
            };
            let node = self.nodes.get_mut(&id).unwrap();
            if let Some((writer, request, _)) = node.asked.remove(&number) {
                Self::answer(
                    &mut self.chance,
                    &mut self.happenings,
                    &mut self.count,
                    self.now,
                    (self.loss, self.delay_max),
                    (writer, request, answer),
                );
            }
        }
    }

    fn send(&mut self, from: u64, group: u32, message: &Message) {
        let to = message.to;
        if !self.nodes.contains_key(&to) || self.cut.contains(&(from, to)) {
            return;
        }
        // As bytes, as it really goes.
        let bytes = message_to_proto(message).unwrap().encode_to_vec();
        let copies = 1 + u64::from(self.chance.permille(self.doubling));
        for _ in 0..copies {
            if self.chance.permille(self.loss) {
                continue;
            }
            let sent = firn_proto::v1::RaftMessage::decode(&bytes[..]).unwrap();
            let input = Input::Message(group, Box::new(message_from_proto(sent).unwrap()));
            let wait = self.chance.between(1, self.delay_max);
            self.at(wait, Happening::Arrives(to, input));
        }
    }

    /// A writer asks a member.
    fn ask(&mut self, writer: usize, request: u64, to: u64, ask: Ask) {
        let copies = 1 + u64::from(self.chance.permille(self.doubling));
        for _ in 0..copies {
            if !self.chance.permille(self.loss) {
                let wait = self.chance.between(1, self.delay_max);
                self.at(wait, Happening::Arrives(to, Input::Ask(writer, request, ask.clone())));
            }
        }
    }
}
