//! Interleaved scripts: who does what, in which order, and what he sees.
//!
//! A line is `1 update a 11 = ok`: session 1 does it, and sees that. `blocked`
//! means that it waits; `1 goes on = ok` looks at it again. The statements are
//! `get K`, `range K1 K2` (a consistent read, as the level does it), both also
//! `for-share` and `for-update`, `update K V`, `insert K V`, `delete K`,
//! `commit`, `rollback`. A session begins a transaction where it has none. What
//! MySQL shows, where that is something else, comes behind a `|`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use firn_engine::key::KeyRange;
use firn_engine::{Task, TaskClass};

use super::{SPACE, WAIT, begin, open, server};
use crate::testing::{World, simulated};
use crate::txn::{
    Direction, Error, IsolationLevel, LockMode, Locked, LockingScan, PlainRead, ReadMode, Result,
    RowLocks, Transaction, TransactionManager,
};

type Running = Task<(Option<Transaction>, String)>;

#[derive(Default)]
struct Session {
    transaction: Option<Transaction>,
    running: Option<Running>,
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn range(from: &str, to: &str) -> KeyRange {
    KeyRange::inclusive(from.as_bytes(), to.as_bytes())
}

/// Reads a key as the level does, or as the statement says.
pub(super) async fn read(
    t: &mut Transaction,
    key: &str,
    mode: Option<LockMode>,
) -> Result<Option<Bytes>> {
    let mode = mode.or((t.plain_read() == PlainRead::Share).then_some(LockMode::Shared));
    let Some(mode) = mode else {
        return t.get(SPACE, key.as_bytes(), ReadMode::Snapshot).await;
    };
    match t.get_locked(SPACE, key.as_bytes(), mode, WAIT).await? {
        Locked::Row { value, .. } => Ok(value),
        Locked::Skipped => unreachable!("it waits"),
    }
}

/// As [`read`], of a range.
pub(super) async fn read_range(
    t: &mut Transaction,
    range: KeyRange,
    direction: Direction,
    mode: Option<LockMode>,
) -> Result<Vec<(Bytes, Bytes)>> {
    let mode = mode.or((t.plain_read() == PlainRead::Share).then_some(LockMode::Shared));
    let Some(mode) = mode else {
        return t.scan(SPACE, &range, direction, ReadMode::Snapshot).await?.collect(1000).await;
    };
    let mut scan = LockingScan::new(SPACE, range, direction, RowLocks::Each(mode), WAIT, 2);
    let mut rows = Vec::new();
    while let Some(row) = scan.next(t).await? {
        rows.push((row.key, row.value));
    }
    Ok(rows)
}

async fn statement(t: &mut Transaction, words: &[&str]) -> Result<String> {
    let locking = match words.last() {
        Some(&"for-share") => Some(LockMode::Shared),
        Some(&"for-update") => Some(LockMode::Exclusive),
        _ => None,
    };
    Ok(match *words {
        ["get", key, ..] => {
            read(t, key, locking).await?.map_or_else(|| "none".to_owned(), |v| text(&v))
        }
        ["range", from, to, ..] => {
            let rows = read_range(t, range(from, to), Direction::Ascending, locking).await?;
            let rows: Vec<_> = rows.iter().map(|(k, v)| text(k) + ":" + &text(v)).collect();
            if rows.is_empty() { "none".to_owned() } else { rows.join(" ") }
        }
        ["update", key, value] => {
            if read(t, key, Some(LockMode::Exclusive)).await?.is_none() {
                return Ok("none".to_owned());
            }
            t.put(SPACE, key.as_bytes(), value.to_owned())?;
            "ok".to_owned()
        }
        ["delete", key] => {
            read(t, key, Some(LockMode::Exclusive)).await?;
            t.delete(SPACE, key.as_bytes())?;
            "ok".to_owned()
        }
        ["insert", key, value] => {
            if t.lock_for_insert(SPACE, key.as_bytes(), WAIT).await?.is_some() {
                return Ok("duplicate".to_owned());
            }
            t.put(SPACE, key.as_bytes(), value.to_owned())?;
            "ok".to_owned()
        }
        _ => panic!("{words:?} is no statement"),
    })
}

async fn run(mut t: Transaction, line: String) -> (Option<Transaction>, String) {
    let words: Vec<&str> = line.split(' ').collect();
    match words[..] {
        ["commit"] => {
            t.commit().await.unwrap();
            return (None, "ok".to_owned());
        }
        ["rollback"] => {
            t.roll_back();
            return (None, "ok".to_owned());
        }
        _ => {}
    }
    let mark = t.begin_statement();
    match statement(&mut t, &words).await {
        Ok(seen) => {
            t.end_statement(mark);
            (Some(t), seen)
        }
        Err(Error::Deadlock) => (None, "deadlock".to_owned()),
        Err(e) => panic!("{line}: {e}"),
    }
}

impl Session {
    /// Goes on with what runs, for a while.
    async fn look(&mut self, world: &World) -> String {
        let running = self.running.as_mut().expect("something runs");
        match world.env.timeout(Duration::from_secs(1), running).await {
            Some(done) => {
                let (transaction, seen) = done.expect("no statement panics");
                self.transaction = transaction;
                self.running = None;
                seen
            }
            None => "blocked".to_owned(),
        }
    }

    async fn run(
        &mut self,
        world: &World,
        manager: &Arc<TransactionManager>,
        id: u64,
        level: IsolationLevel,
        what: &str,
    ) -> String {
        if what != "goes on" {
            assert!(self.running.is_none(), "session {id} waits");
            let new = || begin(manager, id, level);
            let transaction = self.transaction.take().unwrap_or_else(new);
            let run = run(transaction, what.to_owned());
            self.running = Some(world.env.spawn(TaskClass::Foreground, "statement", run));
        }
        self.look(world).await
    }
}

/// Runs a script over rows `a:10 b:20`, at a level.
pub(super) fn schedule(level: IsolationLevel, script: &str) {
    if server::is_meant() {
        return server::schedule(level, script);
    }
    simulated(1, |world| async move {
        let manager = open(&world).await;
        manager.db().put(SPACE, b"a", b"10").await.unwrap();
        manager.db().put(SPACE, b"b", b"20").await.unwrap();
        let mut sessions: BTreeMap<u64, Session> = BTreeMap::new();
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (what, expected) = line.split_once(" = ").expect("what = expected");
            let (id, what) = what.split_once(' ').expect("who what");
            let id: u64 = id.parse().unwrap();
            let session = sessions.entry(id).or_default();
            let seen = session.run(&world, &manager, id, level, what).await;
            let expected = expected.split(" | ").next();
            assert_eq!(Some(&seen[..]), expected, "{level:?}: {line}");
        }
        drop(sessions);
        assert_eq!((manager.locks().held(), manager.locks().waiting()), (0, 0));
    });
}
