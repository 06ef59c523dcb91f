//! Histories of appends to lists, and what must hold of them at each level.
//!
//! Every value is appended once, so a list that was read tells which commits
//! were seen: those of the values in it, and none of those that follow in the
//! end. From that follow the dependencies between transactions (Adya; the
//! lists are Kingsbury and Alvaro's).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use firn_engine::key::KeyRange;
use firn_engine::{Env, Instant, Seq, TaskClass};
use parking_lot::Mutex;

use super::journal::SlowJournal;
use super::schedule::{read, read_range};
use super::{SPACE, WAIT, begin, over};
use crate::testing::{World, simulated};
use crate::txn::{Direction, Error, IsolationLevel, LockMode, Result, Transaction};

const KEYS: u64 = 6;
const CLIENTS: u64 = 8;
const TRANSACTIONS: u64 = 12;

type List = Vec<u64>;

#[derive(Debug)]
struct Read {
    /// Every key that it was about, with what it saw.
    lists: BTreeMap<u64, List>,
    /// It was a consistent read, not one with locks.
    is_plain: bool,
}

#[derive(Debug, Default)]
struct Done {
    began: Option<Instant>,
    ended: Option<Instant>,
    /// Where it was committed, if it was.
    seq: Option<Seq>,
    reads: Vec<Read>,
    /// Key and value.
    appends: Vec<(u64, u64)>,
}

fn key(n: u64) -> String {
    format!("k{n}")
}

fn list(value: &[u8]) -> List {
    value.chunks(8).map(|v| u64::from_be_bytes(v.try_into().unwrap())).collect()
}

fn bytes(list: &List) -> Bytes {
    list.iter().flat_map(|v| v.to_be_bytes()).collect::<Vec<u8>>().into()
}

async fn statement(env: &Env, t: &mut Transaction, id: u64, done: &mut Done) -> Result<()> {
    let n = env.random_u64() % KEYS;
    let locking = match env.random_u64() % 8 {
        0 => Some(LockMode::Shared),
        1 => Some(LockMode::Exclusive),
        _ => None,
    };
    match env.random_u64() % 6 {
        0..3 => {
            let mark = t.begin_statement();
            let value = read(t, &key(n), Some(LockMode::Exclusive)).await?;
            let mut list = value.as_deref().map_or(List::new(), list);
            let lists = BTreeMap::from([(n, list.clone())]);
            done.reads.push(Read { lists, is_plain: false });
            if value.is_none() {
                t.lock_for_insert(SPACE, key(n).as_bytes(), WAIT).await?;
            }
            list.push(id * 100 + done.appends.len() as u64);
            t.put(SPACE, key(n).as_bytes(), bytes(&list))?;
            if env.random_u64().is_multiple_of(8) {
                t.roll_back_statement(mark);
            } else {
                t.end_statement(mark);
                done.appends.push((n, list[list.len() - 1]));
            }
        }
        3 => {
            let mark = t.begin_statement();
            let value = read(t, &key(n), locking).await?;
            t.end_statement(mark);
            let lists = BTreeMap::from([(n, value.as_deref().map_or(List::new(), list))]);
            done.reads.push(Read { lists, is_plain: locking.is_none() });
        }
        _ => {
            let other = env.random_u64() % KEYS;
            let (from, to) = (n.min(other), n.max(other));
            let range = KeyRange::inclusive(key(from).as_bytes(), key(to).as_bytes());
            let direction =
                [Direction::Ascending, Direction::Descending][env.random_u64() as usize % 2];
            let mark = t.begin_statement();
            let rows = read_range(t, range, direction, locking).await?;
            t.end_statement(mark);
            let mut lists: BTreeMap<u64, List> = (from..=to).map(|n| (n, List::new())).collect();
            for (key, value) in rows {
                let n = std::str::from_utf8(&key[1..]).unwrap().parse().unwrap();
                lists.insert(n, list(&value));
            }
            done.reads.push(Read { lists, is_plain: locking.is_none() });
        }
    }
    Ok(())
}

/// What all transactions did, and the lists in the end.
async fn record(world: World, level: IsolationLevel) -> (Vec<Done>, BTreeMap<u64, List>) {
    let env = world.env.clone();
    let journal = SlowJournal::new(env.clone(), Duration::from_millis(2));
    let world = world.with_journal(Arc::new(journal));
    let manager = over(&world, world.open().await);
    let history = Arc::new(Mutex::new(Vec::new()));
    let clients = (1..=CLIENTS).map(|session| {
        let (manager, history, env) = (Arc::clone(&manager), Arc::clone(&history), env.clone());
        env.clone().spawn(TaskClass::Foreground, "client", async move {
            for n in 0..TRANSACTIONS {
                let mut t = begin(&manager, session, level);
                let mut done = Done { began: Some(env.now()), ..Done::default() };
                let mut result = Ok(());
                for _ in 0..1 + env.random_u64() % 4 {
                    env.sleep(Duration::from_micros(env.random_u64() % 500)).await;
                    result = statement(&env, &mut t, session * 100 + n, &mut done).await;
                    if result.is_err() {
                        break;
                    }
                }
                match result {
                    Ok(()) if env.random_u64() % 8 > 0 => {
                        // A transaction that wrote nothing has no place of its own.
                        done.seq = t.commit().await.unwrap();
                        done.ended = Some(env.now());
                    }
                    Ok(()) => t.roll_back(),
                    Err(Error::Deadlock) => assert!(t.is_rolled_back()),
                    Err(e) => panic!("{e}"),
                }
                history.lock().push(done);
            }
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.expect("no client panics");
    }
    let mut lists = BTreeMap::new();
    for n in 0..KEYS {
        let value = manager.db().get(SPACE, key(n).as_bytes()).await.unwrap();
        lists.insert(n, value.as_deref().map_or(List::new(), list));
    }
    assert_eq!((manager.locks().held(), manager.locks().waiting()), (0, 0));
    let history = std::mem::take(&mut *history.lock());
    (history, lists)
}

/// A history with what is known about it.
struct Graph {
    history: Vec<Done>,
    lists: BTreeMap<u64, List>,
    /// Who appended a value.
    writer: BTreeMap<u64, usize>,
}

impl Graph {
    /// Checks what holds at every level.
    fn new(history: Vec<Done>, lists: BTreeMap<u64, List>) -> Self {
        let mut writer = BTreeMap::new();
        for (at, done) in history.iter().enumerate().filter(|(_, d)| d.seq.is_some()) {
            for (n, value) in &done.appends {
                writer.insert(*value, at);
                let times = lists[n].iter().filter(|v| *v == value).count();
                assert_eq!(times, 1, "a committed append is there once");
            }
        }
        let graph = Self { history, lists, writer };
        for list in graph.lists.values() {
            // Unwraps: values of aborted transactions would be dirty writes.
            let seqs: Vec<Seq> = list.iter().map(|v| graph.seq(*v)).collect();
            assert!(seqs.is_sorted(), "lists grow in the order of commits");
        }
        for done in &graph.history {
            let own: BTreeSet<u64> = done.appends.iter().map(|(_, v)| *v).collect();
            for (n, list) in done.reads.iter().flat_map(|r| &r.lists) {
                let others: List = list.iter().copied().filter(|v| !own.contains(v)).collect();
                assert!(graph.lists[n].starts_with(&others), "nothing dirty is read: {others:?}");
            }
        }
        graph
    }

    fn seq(&self, value: u64) -> Seq {
        self.history[self.writer[&value]].seq.unwrap()
    }

    /// The commits between which a read must lie: of what it saw, and of what
    /// it did not see. Own appends say nothing.
    fn between(&self, at: usize, reads: &[&Read]) -> (Seq, Seq) {
        let own: BTreeSet<u64> = self.history[at].appends.iter().map(|(_, v)| *v).collect();
        let (mut seen, mut unseen) = (Seq::ZERO, Seq::MAX);
        for (n, list) in reads.iter().flat_map(|r| &r.lists) {
            if list.iter().any(|v| own.contains(v)) {
                continue;
            }
            seen = seen.max(list.last().map_or(Seq::ZERO, |v| self.seq(*v)));
            unseen = unseen.min(self.lists[n].get(list.len()).map_or(Seq::MAX, |v| self.seq(*v)));
        }
        (seen, unseen)
    }

    /// Each plain read saw one moment, each by itself or all of a transaction together.
    fn check_snapshots(&self, together: bool) {
        for (at, done) in self.history.iter().enumerate() {
            let plain: Vec<&Read> = done.reads.iter().filter(|r| r.is_plain).collect();
            let groups: Vec<&[&Read]> =
                if together { vec![&plain] } else { plain.chunks(1).collect() };
            for group in groups {
                let (seen, unseen) = self.between(at, group);
                assert!(seen < unseen, "{group:?} saw {seen} but not {unseen}");
                // What was acknowledged before it began is seen.
                for earlier in self.history.iter().filter(|d| d.ended < done.began) {
                    if let (Some(_), Some(seq)) = (earlier.ended, earlier.seq) {
                        assert!(seq < unseen, "{group:?} does not see {seq}");
                    }
                }
            }
        }
    }

    /// Who must come before whom. Anti-dependencies: who read a list before who
    /// appended to it next.
    fn edges(&self, anti_dependencies: bool, real_time: bool) -> BTreeSet<(usize, usize)> {
        let mut edges = BTreeSet::new();
        for list in self.lists.values() {
            edges.extend(list.windows(2).map(|w| (self.writer[&w[0]], self.writer[&w[1]])));
        }
        let committed = |d: &Done| d.ended.is_some();
        for (at, done) in self.history.iter().enumerate().filter(|(_, d)| committed(d)) {
            for (n, list) in done.reads.iter().flat_map(|r| &r.lists) {
                edges.extend(list.last().map(|v| (self.writer[v], at)));
                let next = self.lists[n].get(list.len()).map(|v| (at, self.writer[v]));
                edges.extend(next.filter(|_| anti_dependencies));
            }
            let later = self.history.iter().enumerate().filter(|(_, d)| committed(d));
            let later = later.filter(|(_, d)| real_time && done.ended < d.began);
            edges.extend(later.map(|(other, _)| (at, other)));
        }
        edges.retain(|(a, b)| a != b);
        edges
    }
}

/// Whether some node comes before itself.
fn is_cyclic(mut edges: BTreeSet<(usize, usize)>) -> bool {
    loop {
        let targets: BTreeSet<usize> = edges.iter().map(|(_, b)| *b).collect();
        let before = edges.len();
        edges.retain(|(a, _)| targets.contains(a));
        if edges.len() == before {
            return before > 0;
        }
    }
}

/// Checks histories at a level; returns how many of them have a circle with
/// anti-dependencies, and how many transactions were committed.
fn check(level: IsolationLevel) -> (usize, usize) {
    let (mut circles, mut commits) = (0, 0);
    for seed in 0..12 {
        let found = Arc::new(Mutex::new(None));
        let out = Arc::clone(&found);
        simulated(seed, |world| async move {
            *out.lock() = Some(record(world, level).await);
        });
        let (history, lists) = found.lock().take().expect("the simulation ran");
        let graph = Graph::new(history, lists);
        assert!(!is_cyclic(graph.edges(false, false)), "seed {seed}: a circle of dependencies");
        graph.check_snapshots(level == IsolationLevel::RepeatableRead);
        let is_cyclic = is_cyclic(graph.edges(true, level == IsolationLevel::Serializable));
        circles += usize::from(is_cyclic);
        commits += graph.history.iter().filter(|d| d.ended.is_some()).count();
        assert!(level != IsolationLevel::Serializable || !is_cyclic, "seed {seed}: a circle");
    }
    (circles, commits)
}

#[test]
fn serializable_histories_have_an_order() {
    let (_, commits) = check(IsolationLevel::Serializable);
    assert!(commits > 500, "{commits}");
}

/// Other levels show circles, so the check above would see them.
#[test]
fn repeatable_reads_are_of_one_moment() {
    let (circles, commits) = check(IsolationLevel::RepeatableRead);
    assert!(circles > 2 && commits > 500, "{circles}, {commits}");
}

#[test]
fn committed_reads_are_of_one_moment_each() {
    let (circles, commits) = check(IsolationLevel::ReadCommitted);
    assert!(circles > 2 && commits > 500, "{circles}, {commits}");
}
