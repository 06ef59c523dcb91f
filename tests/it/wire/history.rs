//! What concurrent writers did and were told, and what must be there of it.
//!
//! Each transaction has a tag of its own. It moves money between two accounts,
//! enters that into a ledger, and appends its tag to two lists. So a lost,
//! half or doubled commit shows in the sums, the ledger and the lists, and a
//! reordered one in the order of the tags.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use firn_mysql_protocol::client::Client;
use firn_mysql_protocol::{Error, Result};
use parking_lot::Mutex;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use super::server::{client, number, rows};

const ACCOUNTS: u32 = 8;
const BALANCE: i64 = 1000;
/// Lists of one round.
const LISTS: u32 = 4;

/// What became of a transaction, by a clock that counts.
#[derive(Debug, Clone, Copy)]
struct Fate {
    begun: u64,
    /// COMMIT was sent.
    asked: bool,
    /// It was acknowledged.
    acked: Option<u64>,
}

/// All that clients know.
#[derive(Debug, Default)]
pub(super) struct History {
    clock: AtomicU64,
    fates: Mutex<BTreeMap<u64, Fate>>,
    next_tag: AtomicU64,
    /// Lists of earlier rounds, as they were when they were checked.
    settled: Mutex<BTreeMap<u32, String>>,
}

impl History {
    fn now(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::SeqCst)
    }

    /// How many were acknowledged.
    pub(super) fn acked(&self) -> usize {
        self.fates.lock().values().filter(|fate| fate.acked.is_some()).count()
    }

    /// One writer, until its connection breaks.
    pub(super) async fn write(
        self: Arc<Self>,
        address: SocketAddr,
        round: u32,
        seed: u64,
    ) -> Error {
        let mut rng = SmallRng::seed_from_u64(seed);
        let mut client = match client(address, Some("bank")).await {
            Ok(client) => client,
            Err(error) => return error,
        };
        loop {
            match self.transaction(&mut client, round, &mut rng).await {
                Ok(()) => {}
                // Rolled back, and it was not asked to commit.
                Err(error) if matches!(number(&error), 1213 | 1205) => {
                    if let Err(error) = rows(&mut client, "ROLLBACK").await {
                        return error;
                    }
                }
                Err(error) => return error,
            }
        }
    }

    async fn transaction(&self, client: &mut Client, round: u32, rng: &mut SmallRng) -> Result<()> {
        let tag = self.next_tag.fetch_add(1, Ordering::SeqCst);
        let begun = self.now();
        self.fates.lock().insert(tag, Fate { begun, asked: false, acked: None });
        let from = rng.random_range(0..ACCOUNTS);
        let to = (from + rng.random_range(1..ACCOUNTS)) % ACCOUNTS;
        let amount = rng.random_range(1..50);
        let first = round * LISTS + rng.random_range(0..LISTS);
        let second = round * LISTS + (first + rng.random_range(1..LISTS)) % LISTS;
        rows(client, "BEGIN").await?;
        for sql in [
            format!("UPDATE accounts SET balance = balance - {amount} WHERE id = {from}"),
            format!("UPDATE accounts SET balance = balance + {amount} WHERE id = {to}"),
            format!("INSERT INTO ledger VALUES ({tag}, {from}, {to}, {amount})"),
            format!("UPDATE lists SET tags = CONCAT(tags, ' ', {tag}) WHERE id = {first}"),
            format!("UPDATE lists SET tags = CONCAT(tags, ' ', {tag}) WHERE id = {second}"),
        ] {
            rows(client, &sql).await?;
        }
        if let Some(fate) = self.fates.lock().get_mut(&tag) {
            fate.asked = true;
        }
        rows(client, "COMMIT").await?;
        let acked = self.now();
        if let Some(fate) = self.fates.lock().get_mut(&tag) {
            fate.acked = Some(acked);
        }
        Ok(())
    }

    /// Makes the tables.
    pub(super) async fn prepare(client: &mut Client) -> Result<()> {
        for sql in [
            "CREATE DATABASE bank",
            "USE bank",
            "CREATE TABLE accounts (id INT PRIMARY KEY, balance BIGINT NOT NULL)",
            "CREATE TABLE ledger (tag BIGINT PRIMARY KEY, source INT, target INT, amount INT, KEY (source))",
            "CREATE TABLE lists (id INT PRIMARY KEY, tags MEDIUMTEXT NOT NULL)",
        ] {
            rows(client, sql).await?;
        }
        for id in 0..ACCOUNTS {
            rows(client, &format!("INSERT INTO accounts VALUES ({id}, {BALANCE})")).await?;
        }
        Ok(())
    }

    /// Makes the lists of a round.
    pub(super) async fn begin_round(&self, client: &mut Client, round: u32) -> Result<()> {
        for list in 0..LISTS {
            let id = round * LISTS + list;
            rows(client, &format!("INSERT INTO bank.lists VALUES ({id}, '')")).await?;
        }
        Ok(())
    }

    /// Checks all that is there against all that is known. Nobody writes meanwhile.
    pub(super) async fn check(&self, client: &mut Client) -> std::result::Result<(), String> {
        let failed = |error: Error| format!("reading: {error}");
        let accounts =
            rows(client, "SELECT id, balance FROM bank.accounts").await.map_err(failed)?;
        let ledger = rows(client, "SELECT tag, source, target, amount FROM bank.ledger")
            .await
            .map_err(failed)?;
        let lists = rows(client, "SELECT id, tags FROM bank.lists").await.map_err(failed)?;
        let by_index = rows(client, "SELECT COUNT(*) FROM bank.ledger WHERE source >= 0")
            .await
            .map_err(failed)?;
        let fates = self.fates.lock().clone();

        let int = |text: &str| text.parse::<i64>().map_err(|_| format!("{text:?} is no number"));
        let mut balances: BTreeMap<i64, i64> =
            (0..ACCOUNTS).map(|id| (i64::from(id), BALANCE)).collect();
        let mut committed = BTreeSet::new();
        for entry in &ledger {
            *balances.entry(int(&entry[1])?).or_default() -= int(&entry[3])?;
            *balances.entry(int(&entry[2])?).or_default() += int(&entry[3])?;
            committed.insert(int(&entry[0])? as u64);
        }
        let mut there = BTreeMap::new();
        for account in &accounts {
            there.insert(int(&account[0])?, int(&account[1])?);
        }
        if there != balances {
            return Err(format!("balances are {there:?}, by the ledger {balances:?}"));
        }
        if by_index[0][0] != committed.len().to_string() {
            return Err(format!(
                "{} in the index of {} in the ledger",
                by_index[0][0],
                committed.len()
            ));
        }
        for (tag, fate) in &fates {
            match (fate.acked, fate.asked, committed.contains(tag)) {
                (Some(_), _, false) => return Err(format!("{tag} was acknowledged and is lost")),
                (_, false, true) => return Err(format!("{tag} is there and never was committed")),
                _ => {}
            }
        }
        let mut times: BTreeMap<u64, u32> = BTreeMap::new();
        for list in &lists {
            self.check_list(&list[0], &list[1], &fates, &mut times)?;
        }
        let twice: BTreeMap<u64, u32> = committed.iter().map(|tag| (*tag, 2)).collect();
        if times != twice {
            let wrong: Vec<_> =
                fates.keys().filter(|tag| times.get(tag) != twice.get(tag)).collect();
            return Err(format!("half there: {wrong:?}"));
        }
        check_same_order(&lists)?;
        let mut settled = self.settled.lock();
        for list in lists {
            let id = int(&list[0])? as u32;
            let is_last_round = settled.get(&id).is_some_and(|before| *before != list[1]);
            if is_last_round {
                return Err(format!("list {id} of an earlier round has changed"));
            }
            settled.insert(id, list[1].clone());
        }
        Ok(())
    }

    /// No tag may stand behind one that began after it was acknowledged.
    fn check_list(
        &self,
        id: &str,
        tags: &str,
        fates: &BTreeMap<u64, Fate>,
        times: &mut BTreeMap<u64, u32>,
    ) -> std::result::Result<(), String> {
        let mut earliest_ack_behind = u64::MAX;
        for tag in tags.split_whitespace().rev() {
            let number: u64 = tag.parse().map_err(|_| format!("list {id}: {tag:?}"))?;
            let fate = fates.get(&number).ok_or(format!("list {id}: {tag} was never begun"))?;
            if earliest_ack_behind < fate.begun {
                return Err(format!("list {id}: {tag} stands before what it came after"));
            }
            earliest_ack_behind = earliest_ack_behind.min(fate.acked.unwrap_or(u64::MAX));
            *times.entry(number).or_default() += 1;
        }
        Ok(())
    }
}

/// Two transactions that met in two lists met in the same order.
fn check_same_order(lists: &[Vec<String>]) -> std::result::Result<(), String> {
    let places: Vec<BTreeMap<&str, usize>> = lists
        .iter()
        .map(|list| list[1].split_whitespace().enumerate().map(|(n, tag)| (tag, n)).collect())
        .collect();
    for (one, a) in places.iter().enumerate() {
        for b in &places[one + 1..] {
            let mut common: Vec<(usize, usize)> =
                a.iter().filter_map(|(tag, n)| Some((*n, *b.get(tag)?))).collect();
            common.sort_unstable();
            if common.windows(2).any(|pair| pair[0].1 > pair[1].1) {
                return Err(format!("lists {} and another disagree on the order", lists[one][0]));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reordered_list_is_found() {
        let lists = |a: &str, b: &str| [vec!["0".into(), a.into()], vec!["1".into(), b.into()]];
        assert!(check_same_order(&lists("1 2 3", "2 9 3")).is_ok());
        assert!(check_same_order(&lists("1 2 3", "3 2")).is_err());
        let history = History::default();
        let fate = |begun, acked| Fate { begun, asked: true, acked: Some(acked) };
        let fates = BTreeMap::from([(1, fate(0, 5)), (2, fate(3, 6)), (3, fate(7, 9))]);
        let check = |tags| history.check_list("0", tags, &fates, &mut BTreeMap::new());
        assert!(check("1 2 3").is_ok() && check("2 1 3").is_ok());
        assert!(check("1 3 2").is_err() && check("4").is_err());
    }
}
