//! Money is moved by many at once, who are killed, dropped and crashed.
//!
//! Every transfer also inserts an entry that says what it moved. So after a
//! crash the balances must be what the entries say, all of them, and every
//! transfer that was acknowledged must have its entry.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use firn_engine::key::KeyRange;
use firn_engine::{Db, Env, SpaceId, TaskClass};
use parking_lot::Mutex;

use super::journal::SlowJournal;
use super::{LEVELS, SPACE, over};
use crate::testing::{World, simulated};
use crate::txn::{
    Direction, Error, Interrupt, IsolationLevel, LockMode, LockWait, Locked, LockingScan, OwnerId,
    ReadMode, Result, RowLocks, TransactionManager, Why,
};

const ENTRIES: SpaceId = SpaceId(2001);
const ACCOUNTS: u64 = 6;
const CLIENTS: u64 = 8;
const BALANCE: i64 = 100;
const WAIT: LockWait = LockWait::For(Duration::from_millis(300));

fn number(bytes: &[u8]) -> i64 {
    i64::from_be_bytes(bytes.try_into().unwrap())
}

fn everything() -> KeyRange {
    KeyRange { start: Bytes::new(), end: None }
}

struct Bank {
    env: Env,
    manager: Arc<TransactionManager>,
    /// Entries whose commit was acknowledged.
    acknowledged: Mutex<Vec<[u8; 8]>>,
    /// Sums that readers saw.
    sums: Mutex<Vec<i64>>,
    deadlocks: Mutex<usize>,
}

impl Bank {
    fn chance(&self, of: u64) -> u64 {
        self.env.random_u64() % of
    }

    async fn pause(&self) {
        self.env.sleep(Duration::from_micros(self.chance(1000))).await;
    }

    async fn transfer(
        &self,
        session: u64,
        level: IsolationLevel,
        interrupt: &Interrupt,
    ) -> Result<()> {
        let entry = self.env.random_u64().to_be_bytes();
        let (from, to) = (self.chance(ACCOUNTS), self.chance(ACCOUNTS));
        let amount = self.chance(20) as i64;
        let mut t = self.manager.begin(OwnerId(session), level, interrupt.clone());
        t.lock_for_insert(ENTRIES, &entry, WAIT).await?;
        t.put(
            ENTRIES,
            &entry,
            [from.to_be_bytes(), to.to_be_bytes(), amount.to_be_bytes()].concat(),
        )?;
        for (account, change) in [(from, -amount), (to, amount)] {
            self.pause().await;
            let mark = t.begin_statement();
            let key = account.to_be_bytes();
            let read = t.get_locked(SPACE, &key, LockMode::Exclusive, WAIT).await?;
            let Locked::Row { value: Some(value), .. } = read else { panic!("{read:?}") };
            t.put(SPACE, &key, (number(&value) + change).to_be_bytes().to_vec())?;
            if self.chance(10) == 0 {
                // As if the statement had failed: it is made again.
                t.roll_back_statement(mark);
                t.put(SPACE, &key, (number(&value) + change).to_be_bytes().to_vec())?;
            } else {
                t.end_statement(mark);
            }
        }
        t.commit().await?;
        self.acknowledged.lock().push(entry);
        Ok(())
    }

    /// All accounts, by a snapshot or by locks.
    async fn read_all(
        &self,
        session: u64,
        level: IsolationLevel,
        interrupt: &Interrupt,
    ) -> Result<()> {
        let mut t = self.manager.begin(OwnerId(session), level, interrupt.clone());
        let mut sum = 0;
        if self.chance(2) == 0 {
            let mode = ReadMode::Snapshot;
            let mut scan = t.scan(SPACE, &everything(), Direction::Ascending, mode).await?;
            while let Some((_, value)) = scan.next().await? {
                sum += number(value);
            }
        } else {
            let direction = [Direction::Ascending, Direction::Descending][self.chance(2) as usize];
            let rows = RowLocks::Each(LockMode::Shared);
            let mut scan = LockingScan::new(SPACE, everything(), direction, rows, WAIT, 2);
            while let Some(row) = scan.next(&mut t).await? {
                sum += number(&row.value);
                self.pause().await;
            }
        }
        self.sums.lock().push(sum);
        t.commit().await.map(drop)
    }

    async fn client(self: Arc<Self>, session: u64, interrupt: Interrupt) {
        loop {
            interrupt.clear();
            let level = LEVELS[self.chance(3) as usize];
            let limit = Duration::from_millis(self.chance(100));
            let result = if self.chance(4) == 0 {
                self.env.timeout(limit, self.read_all(session, level, &interrupt)).await
            } else {
                self.env.timeout(limit, self.transfer(session, level, &interrupt)).await
            };
            match result {
                Some(Err(Error::Deadlock)) => *self.deadlocks.lock() += 1,
                None | Some(Ok(()) | Err(Error::LockWaitTimeout | Error::Interrupted(_))) => {}
                Some(Err(e)) if e.is_outcome_unknown() => {}
                // While the journal does not answer.
                Some(Err(Error::Engine(e))) if e.is_retryable() => {}
                Some(Err(e)) => panic!("{e:?}"),
            }
            self.pause().await;
        }
    }
}

async fn check(db: &Db, acknowledged: &[[u8; 8]]) {
    let mut expected: BTreeMap<u64, i64> = (0..ACCOUNTS).map(|a| (a, BALANCE)).collect();
    let mut entries = db.scan(ENTRIES, &everything()).await.unwrap();
    let entries = entries.collect(usize::MAX).await.unwrap();
    for (_, entry) in &entries {
        let amount = number(&entry[16..]);
        let account = |at: usize| u64::from_be_bytes(entry[at..at + 8].try_into().unwrap());
        *expected.get_mut(&account(0)).unwrap() -= amount;
        *expected.get_mut(&account(8)).unwrap() += amount;
    }
    for (account, balance) in expected {
        let value = db.get(SPACE, &account.to_be_bytes()).await.unwrap().unwrap();
        assert_eq!(number(&value), balance, "account {account}");
    }
    for entry in acknowledged {
        assert!(entries.iter().any(|(key, _)| key == &entry[..]), "an entry was lost");
    }
}

async fn run(world: World) -> (usize, usize) {
    let env = world.env.clone();
    let journal = SlowJournal::new(env.clone(), Duration::from_millis(4));
    let mut world = world.with_journal(Arc::new(journal.clone()));
    world.options.commit_wait_max = Duration::from_millis(50);
    let db = world.open().await;
    for account in 0..ACCOUNTS {
        db.put(SPACE, &account.to_be_bytes(), &BALANCE.to_be_bytes()).await.unwrap();
    }
    drop(db);
    let (mut acknowledged, mut deadlocks) = (Vec::new(), 0);
    for _ in 0..3 {
        let manager = over(&world, world.open().await);
        check(manager.db(), &acknowledged).await;
        let bank = Arc::new(Bank {
            env: env.clone(),
            manager: Arc::clone(&manager),
            acknowledged: Mutex::default(),
            sums: Mutex::default(),
            deadlocks: Mutex::default(),
        });
        let switches: Vec<Interrupt> = (0..CLIENTS).map(|_| Interrupt::default()).collect();
        let clients = switches.iter().zip(1..).map(|(interrupt, session)| {
            let client = Arc::clone(&bank).client(session, interrupt.clone());
            env.spawn(TaskClass::Foreground, "client", client)
        });
        let clients: Vec<_> = clients.collect();
        for _ in 0..bank.chance(60) {
            env.sleep(Duration::from_millis(10)).await;
            match bank.chance(20) {
                0 => journal.hold(true),
                1..4 => journal.hold(false),
                n => switches[n as usize % switches.len()].set(Why::Query),
            }
        }
        journal.hold(false);
        for client in &clients {
            client.abort();
        }
        for client in clients {
            client.await;
        }
        // Now and then the commits that were under way come to their end.
        if bank.chance(2) == 0 {
            env.sleep(Duration::from_secs(1)).await;
            assert_eq!((manager.locks().held(), manager.locks().waiting()), (0, 0));
            let acknowledged = bank.acknowledged.lock().clone();
            check(manager.db(), &acknowledged).await;
        }
        assert!(bank.sums.lock().iter().all(|sum| *sum == BALANCE * ACCOUNTS as i64));
        acknowledged.extend(bank.acknowledged.lock().iter());
        deadlocks += *bank.deadlocks.lock();
        drop(bank);
        // Dropped, not closed: memory is gone.
        drop(manager);
    }
    let db = world.open().await;
    check(&db, &acknowledged).await;
    (acknowledged.len(), deadlocks)
}

#[test]
fn no_money_is_made_or_lost() {
    let total = Arc::new(Mutex::new((0, 0)));
    for seed in 0..10 {
        let total = Arc::clone(&total);
        simulated(seed, |world| async move {
            let (acknowledged, deadlocks) = run(world).await;
            let mut total = total.lock();
            total.0 += acknowledged;
            total.1 += deadlocks;
        });
    }
    let (acknowledged, deadlocks) = *total.lock();
    assert!(
        acknowledged > 250 && deadlocks > 10,
        "{acknowledged} transfers, {deadlocks} deadlocks"
    );
}
