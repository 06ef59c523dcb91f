//! What functions ask of the server: locks by name, SLEEP, UUID.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use firn_engine::Env;
use firn_mysql_semantics::Value;
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::Request;

use super::from_transaction;
use crate::accounts::{Access, Privileges};
use crate::server::Files;
use crate::txn::{
    Error, Interrupt, LockKey, LockMode, LockSet, LockTable, LockWait, OwnerId,
    Request as LockRequest, TransactionManager, Why,
};

/// 100 ns from 1582-10-15, where UUIDs count from, to 1970.
const UUID_EPOCH: u64 = 0x01b2_1dd2_1381_4000;

/// The longest file of LOAD_FILE where no session sets a limit.
const LOADED_BYTES_MAX: u64 = 64 << 20;

/// UUID_SHORT() of all sessions counts here.
static SHORT_IDS: AtomicU64 = AtomicU64::new(0);

/// The time in the last UUID() of all sessions: none has it twice, also when the clock goes
/// back.
static UUID_TICKS: AtomicU64 = AtomicU64::new(0);

/// The next of times that only grow: `now`, unless that was given before.
fn next_ticks(last: &AtomicU64, now: u64) -> u64 {
    let raise = |last: u64| Some(now.max(last + 1));
    let last = last.fetch_update(Ordering::Relaxed, Ordering::Relaxed, raise);
    now.max(last.unwrap_or(now) + 1)
}

/// What a session has for its functions.
pub(crate) struct Services {
    env: Env,
    table: Arc<LockTable>,
    locks: LockSet,
    interrupt: Interrupt,
    /// The last ten bytes of UUID(): random, since machines need not tell theirs.
    node: u64,
    /// CURRENT_ROLE()
    current_role: Box<str>,
    files: Files,
    /// It has the privilege FILE.
    may_read_files: bool,
}

/// Names of locks have no case.
fn key(name: &str) -> LockKey {
    LockKey::Name(name.to_lowercase().into_bytes().into())
}

/// Waits for something on the calling thread. `None` where that would stop all others.
fn blocking<T>(future: impl Future<Output = T>) -> Option<T> {
    let handle = tokio::runtime::Handle::try_current().ok()?;
    if handle.runtime_flavor() == tokio::runtime::RuntimeFlavor::CurrentThread {
        return None;
    }
    Some(tokio::task::block_in_place(|| handle.block_on(future)))
}

/// Does what waits for a disk, where others can go on meanwhile.
fn in_place<T>(work: impl FnOnce() -> T) -> T {
    let flavor = tokio::runtime::Handle::try_current().map(|handle| handle.runtime_flavor());
    match flavor {
        Ok(tokio::runtime::RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}

/// The result of what does not have to wait.
fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

impl Services {
    /// Of a session with this number.
    pub(crate) fn new(
        env: Env,
        transactions: &TransactionManager,
        connection: u32,
        interrupt: Interrupt,
        files: Files,
    ) -> Self {
        let node = env.random_u64();
        let table = Arc::clone(transactions.locks());
        let locks = transactions.lock_set(OwnerId(u64::from(connection)));
        let (current_role, may_read_files) = ("NONE".into(), false);
        Self { env, table, locks, interrupt, node, current_role, files, may_read_files }
    }

    /// What the session may do now.
    pub(crate) fn set_access(&mut self, access: &Access) {
        self.current_role = access.current_role().into();
        self.may_read_files = access.has(Privileges::FILE);
    }

    /// LOAD_FILE, of at most `bytes_max`.
    pub(crate) fn load_file(&self, name: &[u8], bytes_max: u64) -> Result<Value, SqlError> {
        let Ok(name) = std::str::from_utf8(name) else { return Ok(Value::Null) };
        if name.is_empty() || !self.may_read_files {
            return Ok(Value::Null);
        }
        let path = self.files.path(name, None);
        let bytes = in_place(|| self.files.load(&path, bytes_max))?;
        Ok(bytes.map_or(Value::Null, Value::from))
    }

    /// The statement is to end.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.interrupt.get().is_some()
    }

    /// Lets go of all locks by name.
    pub(crate) fn reset(&mut self) {
        self.locks.release_all();
    }

    /// Answers a function.
    ///
    /// # Errors
    /// 1317; 3058 for locks that would wait for each other.
    pub(crate) fn request(&mut self, request: Request<'_>) -> Result<Value, SqlError> {
        match request {
            Request::CurrentRole => Ok(Value::bytes(self.current_role.as_bytes())),
            Request::GetLock { name, wait_micros } => self.get_lock(name, wait_micros),
            Request::IsFreeLock { name } => {
                Ok(Value::Int(i64::from(self.table.exclusive_owner(&key(name)).is_none())))
            }
            Request::IsUsedLock { name } => {
                let owner = self.table.exclusive_owner(&key(name));
                Ok(owner.map_or(Value::Null, |owner| Value::UInt(owner.0)))
            }
            Request::ReleaseLock { name } => {
                let key = key(name);
                if self.locks.unlock(&key) {
                    return Ok(Value::Int(1));
                }
                let taken = self.table.exclusive_owner(&key).is_some();
                Ok(if taken { Value::Int(0) } else { Value::Null })
            }
            Request::ReleaseAllLocks => {
                let keys: Vec<LockKey> = self.locks.keys().map(|(key, _)| key.clone()).collect();
                let mut count = 0;
                for key in keys {
                    while self.locks.unlock(&key) {
                        count += 1;
                    }
                }
                Ok(Value::Int(count))
            }
            Request::LoadFile { path } => self.load_file(path, LOADED_BYTES_MAX),
            // What may become a secret is not from the environment, whose chance may be
            // a seed's.
            Request::RandomBytes { count } => {
                let mut bytes = vec![0; usize::from(count)];
                match aws_lc_rs::rand::fill(&mut bytes) {
                    Ok(()) => Ok(Value::from(bytes)),
                    Err(_) => {
                        Err(SqlError::with_message(code::ER_UNKNOWN_ERROR, "No random bytes"))
                    }
                }
            }
            Request::Sleep { micros } => self.sleep(micros),
            Request::Uuid => Ok(Value::bytes(self.uuid().as_bytes())),
            Request::UuidShort => Ok(Value::UInt(self.uuid_short())),
        }
    }

    fn get_lock(&mut self, name: &str, wait_micros: Option<u64>) -> Result<Value, SqlError> {
        let key = key(name);
        let interrupt = self.interrupt.clone();
        let request = |wait| LockRequest { wait, interrupt: &interrupt, weight: 0 };
        let now = self.locks.lock(key.clone(), LockMode::Exclusive, request(LockWait::NoWait));
        let taken = match at_once(now) {
            Some(Ok(_)) => return Ok(Value::Int(1)),
            Some(Err(error)) => error,
            None => Error::LockTaken,
        };
        if !matches!(taken, Error::LockTaken) {
            return Err(from_transaction(&taken));
        }
        // Without end is a year, as MySQL has it.
        let micros = wait_micros.unwrap_or(365 * 24 * 3600 * 1_000_000);
        if micros == 0 {
            return Ok(Value::Int(0));
        }
        let wait = LockWait::For(Duration::from_micros(micros));
        let had = self.locks.lock(key, LockMode::Exclusive, request(wait));
        match blocking(had) {
            Some(Ok(_)) => Ok(Value::Int(1)),
            Some(Err(Error::LockWaitTimeout)) => Ok(Value::Int(0)),
            Some(Err(Error::Deadlock)) => Err(SqlError::new(code::ER_USER_LOCK_DEADLOCK, &[])),
            Some(Err(error)) => Err(from_transaction(&error)),
            None => Err(SqlError::not_supported_yet("waiting in GET_LOCK")),
        }
    }

    fn sleep(&self, micros: u64) -> Result<Value, SqlError> {
        if micros == 0 {
            return Ok(Value::Int(0));
        }
        let wait = async {
            tokio::select! {
                () = self.env.sleep(Duration::from_micros(micros)) => None,
                why = self.interrupt.interrupted() => Some(why),
            }
        };
        match blocking(wait) {
            Some(None) => Ok(Value::Int(0)),
            // The rest of the statement goes on, unless it reads rows.
            Some(Some(Why::Query | Why::TimeLimit)) => Ok(Value::Int(1)),
            Some(Some(Why::Connection | Why::Shutdown)) => Err(SqlError::query_interrupted()),
            None => Err(SqlError::not_supported_yet("SLEEP")),
        }
    }

    /// Version 1: the time, and what is random.
    fn uuid(&self) -> String {
        let ticks = self.env.unix_ms().wrapping_mul(10_000).wrapping_add(UUID_EPOCH);
        let ticks = next_ticks(&UUID_TICKS, ticks);
        let (low, middle) = (ticks as u32, (ticks >> 32) as u16);
        let high = 0x1000 | ((ticks >> 48) as u16 & 0x0fff);
        let sequence = 0x8000 | ((self.node >> 48) as u16 & 0x3fff);
        // A node that is no machine's has the lowest bit of its first byte set.
        let node = (self.node & 0xffff_ffff_ffff) | 0x0100_0000_0000;
        format!("{low:08x}-{middle:04x}-{high:04x}-{sequence:04x}-{node:012x}")
    }

    fn uuid_short(&self) -> u64 {
        // The seconds of the first one, and from there on a count that runs over into them.
        let first = (self.env.unix_ms() / 1000) << 24;
        let _ = SHORT_IDS.compare_exchange(0, first, Ordering::Relaxed, Ordering::Relaxed);
        (1 << 56) | (SHORT_IDS.fetch_add(1, Ordering::Relaxed) & 0x00ff_ffff_ffff_ffff)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_do_not_repeat_when_the_clock_goes_back() {
        let last = AtomicU64::new(0);
        let hour = 36_000_000_000;
        let mut given = Vec::new();
        for now in [hour, hour + 10_000, hour + 10_000, 10, 20, 2 * hour] {
            given.push(next_ticks(&last, now));
        }
        assert!(given.is_sorted_by(|one, next| one < next), "{given:?}");
        assert_eq!((given[0], given[1], given[5]), (hour, hour + 10_000, 2 * hour));
    }
}
