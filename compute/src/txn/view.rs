//! What a transaction sees: a snapshot or the newest, under its own writes.

use std::cmp::Ordering;
use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;
use firn_engine::db::{Layers, Scan as EngineScan, Snapshot};
use firn_engine::key::KeyRange;
use firn_engine::{Db, SpaceId};

use super::error::Result;
use super::write_set::{Runs, Write, WriteMap, get_spilled};

/// Which way a scan goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the smallest key to the largest.
    Ascending,
    /// From the largest key to the smallest.
    Descending,
}

/// Where committed data is read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Base<'a> {
    Newest(&'a Db),
    At(&'a Snapshot),
}

impl Base<'_> {
    pub(super) async fn get(self, space: SpaceId, key: &[u8]) -> Result<Option<Bytes>> {
        Ok(match self {
            Self::Newest(db) => db.get(space, key).await?,
            Self::At(snapshot) => snapshot.get(space, key).await?,
        })
    }

    async fn read_many(self, space: SpaceId, keys: &[&[u8]]) -> Result<Vec<Option<Bytes>>> {
        Ok(match self {
            Self::Newest(db) => db.get_many(space, keys).await?,
            Self::At(snapshot) => snapshot.get_many(space, keys).await?,
        })
    }

    pub(super) async fn get_many(
        self,
        space: SpaceId,
        keys: &[&[u8]],
        writes: Option<&WriteMap>,
        runs: &Runs,
    ) -> Result<Vec<Option<Bytes>>> {
        let writes = writes.and_then(|map| map.space(space));
        if writes.is_none() && runs.is_empty() {
            return self.read_many(space, keys).await;
        }
        let mut own: Vec<Option<Option<Bytes>>> = Vec::with_capacity(keys.len());
        for key in keys {
            let write: Option<&Write> = writes.and_then(|writes| writes.get(*key));
            own.push(match write {
                Some(write) => Some(write.value.clone()),
                None if runs.is_empty() => None,
                None => Box::pin(get_spilled(runs, space, key)).await?,
            });
        }
        let others = keys.iter().zip(&own).filter(|(_, own)| own.is_none());
        let others: Vec<&[u8]> = others.map(|(key, _)| *key).collect();
        let mut read = self.read_many(space, &others).await?.into_iter();
        let value = |own: Option<Option<Bytes>>| match own {
            Some(value) => value,
            None => read.next().flatten(),
        };
        Ok(own.into_iter().map(value).collect())
    }
}

/// Walks a range of committed data, as of a snapshot or as it is, under own writes.
pub(super) async fn scan(
    db: &Db,
    at: Option<&Snapshot>,
    space: SpaceId,
    range: &KeyRange,
    direction: Direction,
    writes: Option<&Arc<WriteMap>>,
    runs: &Runs,
) -> Result<Scan> {
    let backward = direction == Direction::Descending;
    let committed = db.scan_under(space, range, at, runs, backward).await?;
    let writes = writes.filter(|map| map.space(space).is_some()).map(Arc::clone);
    let left = (!range.is_empty()).then(|| (Bound::Included(range.start.clone()), end(range)));
    let own = writes.map(|map| Own { map, space, direction, left, current: None });
    Ok(Scan { committed, at: At::Before, own, given: None })
}

fn end(range: &KeyRange) -> Bound<Bytes> {
    range.end.clone().map_or(Bound::Unbounded, Bound::Excluded)
}

/// Reads of one moment of a transaction, apart from it: for plans whose parts
/// run on their own. What the transaction writes later is not seen.
#[derive(Debug, Clone)]
pub struct ReadView {
    pub(super) db: Arc<Db>,
    /// `None`: what is newest at each read.
    pub(super) snapshot: Option<Snapshot>,
    pub(super) writes: Option<Arc<WriteMap>>,
    /// Those that are in files.
    pub(super) runs: Runs,
}

impl ReadView {
    fn base(&self) -> Base<'_> {
        self.snapshot.as_ref().map_or(Base::Newest(&self.db), Base::At)
    }

    /// The value of a key.
    ///
    /// # Errors
    /// The engine's.
    pub async fn get(&self, space: SpaceId, key: &[u8]) -> Result<Option<Bytes>> {
        if let Some(write) = self.writes.as_ref().and_then(|map| map.get(space, key)) {
            return Ok(write.value.clone());
        }
        if let Some(own) = Box::pin(get_spilled(&self.runs, space, key)).await? {
            return Ok(own);
        }
        self.base().get(space, key).await
    }

    /// The values of several keys, in the order given.
    ///
    /// # Errors
    /// The engine's.
    pub async fn get_many(&self, space: SpaceId, keys: &[&[u8]]) -> Result<Vec<Option<Bytes>>> {
        self.base().get_many(space, keys, self.writes.as_deref(), &self.runs).await
    }

    /// A range in layers ([`Layers`]); `None` where the transaction has written to the space
    /// itself, or there is nothing but rows.
    ///
    /// # Errors
    /// The engine's.
    pub async fn layers(&self, space: SpaceId, range: &KeyRange) -> Result<Option<Layers>> {
        let has_own = self.writes.as_ref().is_some_and(|map| map.space(space).is_some());
        if has_own || !self.runs.is_empty() {
            return Ok(None);
        }
        Ok(self.db.layers(space, range, self.snapshot.as_ref()).await?)
    }

    /// Whether all that is read is of one moment.
    #[must_use]
    pub fn is_steady(&self) -> bool {
        self.snapshot.is_some()
    }

    /// Some keys of a range, in order and about equally far apart, and about how many there
    /// are in all, 0 if that is not known.
    ///
    /// # Errors
    /// The engine's.
    pub async fn sample(
        &self,
        space: SpaceId,
        range: &KeyRange,
        count: usize,
    ) -> firn_engine::Result<(Vec<Bytes>, u64)> {
        let keys = self.db.sample_keys(space, range, count).await?;
        Ok((keys, self.db.estimate_keys(space, range).unwrap_or(0)))
    }

    /// Walks a range.
    ///
    /// # Errors
    /// The engine's.
    pub async fn scan(
        &self,
        space: SpaceId,
        range: &KeyRange,
        direction: Direction,
    ) -> Result<Scan> {
        let (at, writes) = (self.snapshot.as_ref(), self.writes.as_ref());
        scan(&self.db, at, space, range, direction, writes, &self.runs).await
    }
}

/// Where the committed side of a scan stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// Before its next row.
    Before,
    /// At a row that was not given yet.
    Row,
    End,
}

/// Walks committed rows and own writes together, in order. It does not see what
/// is written after it was opened.
#[derive(Debug)]
pub struct Scan {
    committed: EngineScan,
    at: At,
    own: Option<Own>,
    /// The own write that was given last.
    given: Option<(Bytes, Bytes)>,
}

/// Walks the own writes of a range.
#[derive(Debug)]
struct Own {
    map: Arc<WriteMap>,
    space: SpaceId,
    direction: Direction,
    /// What is left of the range; `None` at the end.
    left: Option<(Bound<Bytes>, Bound<Bytes>)>,
    current: Option<(Bytes, Option<Bytes>)>,
}

impl Own {
    /// Fills `current`; `false` at the end.
    fn fill(&mut self) -> bool {
        if self.current.is_some() {
            return true;
        }
        let Some((start, end)) = &self.left else { return false };
        let Some(writes) = self.map.space(self.space) else { return false };
        let bounds = (start.as_ref().map(|b| &b[..]), end.as_ref().map(|b| &b[..]));
        if is_empty(bounds) {
            self.left = None;
            return false;
        }
        let mut range = writes.range::<[u8], _>(bounds);
        let found = match self.direction {
            Direction::Ascending => range.next(),
            Direction::Descending => range.next_back(),
        };
        let Some((key, write)) = found else {
            self.left = None;
            return false;
        };
        let (start, end) = (start.clone(), end.clone());
        self.left = Some(match self.direction {
            Direction::Ascending => (Bound::Excluded(key.clone()), end),
            Direction::Descending => (start, Bound::Excluded(key.clone())),
        });
        self.current = Some((key.clone(), write.value.clone()));
        true
    }
}

/// What a map's `range` takes for a mistake.
fn is_empty(bounds: (Bound<&[u8]>, Bound<&[u8]>)) -> bool {
    match bounds {
        (Bound::Included(a) | Bound::Excluded(a), Bound::Excluded(b)) => a >= b,
        _ => false,
    }
}

impl Scan {
    /// Walks what the engine has, without own writes.
    pub fn committed(scan: EngineScan) -> Self {
        Self { committed: scan, at: At::Before, own: None, given: None }
    }

    /// The next key, without its space, and its value; `None` at the end.
    ///
    /// If the returned future is dropped before it is done, the scan cannot go
    /// on: the next call says so.
    ///
    /// # Errors
    /// The engine's.
    pub async fn next(&mut self) -> Result<Option<(&[u8], &[u8])>> {
        let Some(own) = &mut self.own else {
            return Ok(self.committed.next().await?);
        };
        loop {
            if self.at == At::Before {
                self.at = if self.committed.advance().await? { At::Row } else { At::End };
            }
            own.fill();
            let is_committed = match (&own.current, self.at) {
                (None, At::Row) => true,
                (None, _) => return Ok(None),
                (Some(_), At::Before | At::End) => false,
                (Some((key, _)), At::Row) => {
                    let order = self.committed.key().cmp(key);
                    let order = match own.direction {
                        Direction::Ascending => order,
                        Direction::Descending => order.reverse(),
                    };
                    if order == Ordering::Equal {
                        // It is written over.
                        self.at = At::Before;
                    }
                    order == Ordering::Less
                }
            };
            if is_committed {
                self.at = At::Before;
                return Ok(Some((self.committed.key(), self.committed.value())));
            }
            if let Some((key, Some(value))) = own.current.take() {
                let (key, value) = self.given.insert((key, value));
                return Ok(Some((key, value)));
            }
        }
    }

    /// As [`Self::next`] if nothing has to be waited for; `None` if that one has to be
    /// asked.
    #[inline]
    pub fn try_next(&mut self) -> Option<Option<(&[u8], &[u8])>> {
        if self.own.is_some() {
            return None;
        }
        let found = self.committed.try_advance()?;
        Some(found.then(|| (self.committed.key(), self.committed.value())))
    }

    /// Whether there are no more, as far as is known without waiting.
    #[inline]
    pub fn is_at_end(&self) -> bool {
        self.own.is_none() && self.committed.is_at_end()
    }

    /// All that is left, at most `max` rows.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub async fn collect(&mut self, max: usize) -> Result<Vec<(Bytes, Bytes)>> {
        let mut rows = Vec::new();
        while rows.len() < max
            && let Some((key, value)) = self.next().await?
        {
            rows.push((Bytes::copy_from_slice(key), Bytes::copy_from_slice(value)));
        }
        Ok(rows)
    }
}
