//! Snapshots: what was visible at a seq, held for as long as someone looks.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;

use super::Inner;
use super::read::Scan;
use crate::error::{Error, Result};
use crate::key::KeyRange;
use crate::types::{Seq, SpaceId};

/// The open snapshots, by seq.
#[derive(Debug, Default)]
pub(super) struct Snapshots(Mutex<BTreeMap<Seq, usize>>);

impl Snapshots {
    /// Registers a snapshot at what `visible` says. Under the lock, so that
    /// [`Self::oldest`] cannot pass it.
    fn add(&self, visible: impl FnOnce() -> Seq) -> Seq {
        let mut open = self.0.lock();
        let seq = visible();
        *open.entry(seq).or_default() += 1;
        seq
    }

    fn remove(&self, seq: Seq) {
        let mut open = self.0.lock();
        if let Some(count) = open.get_mut(&seq) {
            *count -= 1;
            if *count == 0 {
                open.remove(&seq);
            }
        }
    }

    /// Seq of the oldest, or what is visible if there is none.
    pub(super) fn oldest(&self, visible: impl FnOnce() -> Seq) -> Seq {
        let open = self.0.lock();
        let now = visible();
        open.keys().next().copied().map_or(now, |seq| seq.min(now))
    }

    /// Number of open ones.
    pub(super) fn len(&self) -> usize {
        self.0.lock().values().sum()
    }
}

/// What was visible at one moment.
#[derive(Debug)]
pub struct Snapshot {
    db: Arc<Inner>,
    seq: Seq,
}

impl Snapshot {
    pub(super) fn take(db: Arc<Inner>) -> Self {
        let seq = db.snapshots.add(|| db.visible());
        Self { db, seq }
    }

    pub(super) fn take_at(db: Arc<Inner>, seq: Seq) -> Result<Self> {
        if seq > db.visible() {
            return Err(Error::bad_request(format!("seq {seq} is in the future")));
        }
        db.snapshots.add(|| seq);
        let snapshot = Self { db, seq };
        // Registered first: from here on it holds the watermark back.
        let watermark = snapshot.db.state.load().watermark();
        if seq < watermark {
            return Err(too_old(seq, watermark));
        }
        Ok(snapshot)
    }

    /// What it sees: everything up to this seq.
    #[must_use]
    pub fn seq(&self) -> Seq {
        self.seq
    }

    /// The value of a key as of the snapshot.
    ///
    /// # Errors
    /// As [`Db::get`](super::Db::get).
    pub async fn get(&self, space: SpaceId, key: &[u8]) -> Result<Option<Bytes>> {
        self.db.get(space, key, Some(self.seq)).await
    }

    /// As [`Self::get`] if nothing has to be waited for; `None` if that one has to be asked.
    ///
    /// # Errors
    /// As [`Db::get`](super::Db::get).
    #[inline]
    pub fn try_get(&self, space: SpaceId, key: &[u8]) -> Result<Option<Option<Bytes>>> {
        self.db.try_get(space, key, Some(self.seq))
    }

    /// The values of several keys as of the snapshot, in the order given.
    ///
    /// # Errors
    /// As [`Db::get`](super::Db::get).
    pub async fn get_many(&self, space: SpaceId, keys: &[&[u8]]) -> Result<Vec<Option<Bytes>>> {
        self.db.get_many(space, keys, Some(self.seq)).await
    }

    /// Walks a range as of the snapshot, ascending.
    ///
    /// # Errors
    /// As [`Db::scan`](super::Db::scan).
    pub async fn scan(&self, space: SpaceId, range: &KeyRange) -> Result<Scan> {
        self.db.scan(space, range, Some(self.seq), false).await
    }

    /// Walks a range as of the snapshot, descending.
    ///
    /// # Errors
    /// As [`Db::scan`](super::Db::scan).
    pub async fn scan_backward(&self, space: SpaceId, range: &KeyRange) -> Result<Scan> {
        self.db.scan(space, range, Some(self.seq), true).await
    }

    /// Walks the keys with a prefix as of the snapshot, ascending.
    ///
    /// # Errors
    /// As [`Db::scan`](super::Db::scan).
    pub async fn scan_prefix(&self, space: SpaceId, prefix: &[u8]) -> Result<Scan> {
        self.db.scan_prefix(space, prefix, Some(self.seq)).await
    }
}

impl Clone for Snapshot {
    fn clone(&self) -> Self {
        self.db.snapshots.add(|| self.seq);
        Self { db: Arc::clone(&self.db), seq: self.seq }
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        self.db.snapshots.remove(self.seq);
    }
}

/// What a snapshot gets whose versions may have been dropped: its lease ran
/// out while its process was away.
pub(super) fn too_old(seq: Seq, watermark: Seq) -> Error {
    Error::bad_request(format!(
        "snapshot too old: what seq {seq} saw is not kept any more (kept from {watermark} on)"
    ))
}
