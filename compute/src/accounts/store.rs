//! Where accounts are kept, and who changes them.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use firn_mysql_semantics::error::{SqlError, code};
use tokio::sync::Mutex;

use super::account::{AccountName, Record};
use super::directory::Directory;
use super::root::RootLogin;

/// What a store gives back.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, SqlError>> + Send + 'a>>;

/// The most a key is taken for, in bytes.
const KEY_MAX_BYTES: usize = 4 * (32 + 255) + 1;

/// A row's key and value.
pub type Row = (Vec<u8>, Vec<u8>);
/// A row that is written, or removed.
pub type RowChange = (Vec<u8>, Option<Vec<u8>>);

/// Rows of accounts. Keys are user, a zero byte, host; values are JSON.
pub trait AccountStore: Send + Sync {
    /// All rows.
    fn load(&self) -> StoreFuture<'_, Vec<Row>>;

    /// Writes rows, and removes those without a value, all or nothing. When it is
    /// done they are durable.
    fn write(&self, rows: Vec<RowChange>) -> StoreFuture<'_, ()>;
}

/// The accounts of a server. Reading takes no lock; one statement changes them at a
/// time.
pub struct Accounts {
    now: ArcSwap<Directory>,
    /// That of the directory.
    version: AtomicU64,
    store: Arc<dyn AccountStore>,
    writer: Mutex<()>,
}

impl Accounts {
    /// The accounts of a store, with `root` as it is to be: what that changes is written,
    /// at `now_ms` since 1970.
    ///
    /// # Errors
    ///
    /// The store's; 1105 for rows that make no sense, and as [`Directory::settle_root`].
    pub async fn open(
        store: Arc<dyn AccountStore>,
        root: &RootLogin,
        now_ms: u64,
    ) -> Result<Accounts, SqlError> {
        let rows = store.load().await?;
        let rows: Result<Vec<_>, _> = rows.iter().map(|(key, value)| row(key, value)).collect();
        let stored = Directory::new(rows?);
        let mut directory = stored.clone();
        if directory.settle_root(root, now_ms)? {
            store.write(changes(&stored, &directory)?).await?;
        }
        let version = AtomicU64::new(directory.version());
        let now = ArcSwap::from_pointee(directory);
        Ok(Accounts { now, version, store, writer: Mutex::new(()) })
    }

    /// All accounts as they are now.
    pub fn directory(&self) -> Arc<Directory> {
        self.now.load_full()
    }

    /// The version of the directory, for who wants to know whether it is another one.
    #[inline]
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// Changes them: what `change` did is stored before anybody sees it; nothing of it
    /// is left if it fails.
    ///
    /// # Errors
    ///
    /// Those of `change`, and the store's.
    pub async fn change<T>(
        &self,
        change: impl FnOnce(&mut Directory) -> Result<T, SqlError>,
    ) -> Result<T, SqlError> {
        let _one_at_a_time = self.writer.lock().await;
        let before = self.now.load_full();
        let mut after = Directory::clone(&before);
        let done = change(&mut after)?;
        let rows = changes(&before, &after)?;
        if !rows.is_empty() {
            self.store.write(rows).await?;
            let version = after.version();
            self.now.store(Arc::new(after));
            self.version.store(version, Ordering::Release);
        }
        Ok(done)
    }
}

fn key(name: &AccountName) -> Vec<u8> {
    let mut key = name.user.clone().into_bytes();
    key.push(0);
    key.extend_from_slice(name.host.as_bytes());
    key
}

fn changes(before: &Directory, after: &Directory) -> Result<Vec<RowChange>, SqlError> {
    let mut rows = Vec::new();
    for (name, record) in after.iter() {
        let same = before.get(name).is_some_and(|old| Arc::ptr_eq(old, record) || old == record);
        if !same {
            let value =
                serde_json::to_vec(&**record).map_err(|error| broken(&error.to_string()))?;
            rows.push((key(name), Some(value)));
        }
    }
    for (name, _) in before.iter().filter(|(name, _)| after.get(name).is_none()) {
        rows.push((key(name), None));
    }
    Ok(rows)
}

fn row(key: &[u8], value: &[u8]) -> Result<(AccountName, Record), SqlError> {
    let text = str::from_utf8(key).ok().filter(|_| key.len() <= KEY_MAX_BYTES);
    let name = text.and_then(|text| text.split_once('\0'));
    let (user, host) = name.ok_or_else(|| broken("a key that is no account's"))?;
    let record = serde_json::from_slice(value)
        .map_err(|error| broken(&format!("account '{user}'@'{host}': {error}")))?;
    Ok((AccountName { user: user.to_owned(), host: host.to_owned() }, record))
}

fn broken(what: &str) -> SqlError {
    SqlError::with_message(code::ER_UNKNOWN_ERROR, format!("Stored accounts: {what}"))
}
