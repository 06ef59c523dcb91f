//! What a transaction has written and not yet committed.
//!
//! The writes are a sorted map that reads are laid over. Views of it share the
//! map: who writes while a view is open copies it once, so a view never
//! changes. Marks (savepoints) keep what was there before, once for each key
//! and mark.
//!
//! Not built yet: transactions larger than memory. The place is
//! [`WriteSet::put`], where the limit is checked: past it the map would be
//! sorted into a file, and the commit would name the file. Until then it is an
//! error.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use firn_engine::{SpaceId, WriteBatch};

use super::error::{Error, Result};

/// Memory for one write besides its key and value, in bytes, roughly.
const WRITE_OVERHEAD: usize = 160;

/// The last write of a key: its value, or `None` if it was deleted.
#[derive(Debug, Clone)]
pub(super) struct Write {
    pub(super) value: Option<Bytes>,
    /// The mark under which what was before was kept.
    mark: u64,
}

/// Writes by space and key.
#[derive(Debug, Clone, Default)]
pub(super) struct WriteMap(BTreeMap<SpaceId, BTreeMap<Bytes, Write>>);

impl WriteMap {
    /// The write of a key, if there is one.
    pub(super) fn get(&self, space: SpaceId, key: &[u8]) -> Option<&Write> {
        self.0.get(&space)?.get(key)
    }

    /// All writes of a space.
    pub(super) fn space(&self, space: SpaceId) -> Option<&BTreeMap<Bytes, Write>> {
        self.0.get(&space)
    }
}

/// What a key was before it was written under a mark.
#[derive(Debug)]
struct Undo {
    space: SpaceId,
    key: Bytes,
    before: Option<Write>,
}

/// A point to go back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mark(u64);

#[derive(Debug, Default)]
pub(super) struct WriteSet {
    map: Option<Arc<WriteMap>>,
    len: usize,
    bytes: usize,
    undo: Vec<Undo>,
    undo_bytes: usize,
    /// Open marks, each with the length of `undo` when it was set.
    marks: Vec<(Mark, usize)>,
    last_mark: u64,
}

impl WriteSet {
    /// Number of keys written.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Memory in use, roughly.
    pub(super) fn bytes(&self) -> usize {
        self.bytes + self.undo_bytes
    }

    pub(super) fn map(&self) -> Option<&Arc<WriteMap>> {
        self.map.as_ref()
    }

    pub(super) fn get(&self, space: SpaceId, key: &[u8]) -> Option<&Write> {
        self.map.as_ref()?.get(space, key)
    }

    /// Writes a value, or with `None` a deletion.
    ///
    /// # Errors
    /// `TooLarge` if the set would need more than `limit` bytes; nothing is written then.
    pub(super) fn put(
        &mut self,
        space: SpaceId,
        key: &[u8],
        value: Option<Bytes>,
        limit: usize,
    ) -> Result<()> {
        let size = write_bytes(key, value.as_ref());
        if self.bytes() + size > limit {
            return Err(Error::TooLarge { limit });
        }
        let mark = self.marks.last().map_or(0, |(mark, _)| mark.0);
        let map = Arc::make_mut(self.map.get_or_insert_default());
        let writes = map.0.entry(space).or_default();
        self.bytes += size;
        let (key, before) = match writes.get_mut(key) {
            Some(write) => {
                let before = std::mem::replace(write, Write { value, mark });
                self.bytes -= write_bytes(key, before.value.as_ref());
                if mark == 0 || before.mark == mark {
                    return Ok(());
                }
                (Bytes::copy_from_slice(key), Some(before))
            }
            None => {
                let key = Bytes::copy_from_slice(key);
                writes.insert(key.clone(), Write { value, mark });
                self.len += 1;
                if mark == 0 {
                    return Ok(());
                }
                (key, None)
            }
        };
        self.undo_bytes += undo_bytes(&before);
        self.undo.push(Undo { space, key, before });
        Ok(())
    }

    /// Sets a mark.
    pub(super) fn mark(&mut self) -> Mark {
        self.last_mark += 1;
        let mark = Mark(self.last_mark);
        self.marks.push((mark, self.undo.len()));
        mark
    }

    /// Forgets a mark and all later ones; what was written stays.
    pub(super) fn forget(&mut self, mark: Mark) {
        let keep = self.marks.partition_point(|(m, _)| *m < mark);
        let Some(&(_, from)) = self.marks.get(keep) else { return };
        self.marks.truncate(keep);
        let Some(&(outer, _)) = self.marks.last() else {
            self.undo = Vec::new();
            self.undo_bytes = 0;
            return;
        };
        // What a key was at the outer mark is known already if it was written since.
        for undo in self.undo.split_off(from) {
            if undo.before.as_ref().is_some_and(|before| before.mark >= outer.0) {
                self.undo_bytes -= undo_bytes(&undo.before);
            } else {
                self.undo.push(undo);
            }
        }
    }

    /// Takes back what was written since a mark, which stays; later marks do not.
    pub(super) fn roll_back_to(&mut self, mark: Mark) {
        let keep = self.marks.partition_point(|(m, _)| *m <= mark);
        self.marks.truncate(keep);
        let Some(&(_, len)) = self.marks.last().filter(|(m, _)| *m == mark) else { return };
        let undo = self.undo.split_off(len);
        if undo.is_empty() {
            return;
        }
        let map = Arc::make_mut(self.map.get_or_insert_default());
        for Undo { space, key, before } in undo.into_iter().rev() {
            self.undo_bytes -= undo_bytes(&before);
            let writes = map.0.entry(space).or_default();
            let after = match before {
                Some(before) => {
                    self.bytes += write_bytes(&key, before.value.as_ref());
                    writes.insert(key.clone(), before)
                }
                None => {
                    self.len -= 1;
                    writes.remove(&key)
                }
            };
            if let Some(after) = after {
                self.bytes -= write_bytes(&key, after.value.as_ref());
            }
            if writes.is_empty() {
                map.0.remove(&space);
            }
        }
    }

    /// Forgets what was written to a space, for good: it is gone.
    pub(super) fn forget_space(&mut self, space: SpaceId) {
        let Some(map) = &mut self.map else { return };
        let Some(writes) = Arc::make_mut(map).0.remove(&space) else { return };
        self.len -= writes.len();
        let sizes = writes.iter().map(|(key, write)| write_bytes(key, write.value.as_ref()));
        self.bytes -= sizes.sum::<usize>();
        let keeps = |undo: &Undo| undo.space != space;
        for (_, from) in &mut self.marks {
            *from = self.undo[..*from].iter().filter(|undo| keeps(undo)).count();
        }
        self.undo.retain(keeps);
        self.undo_bytes = self.undo.iter().map(|undo| undo_bytes(&undo.before)).sum();
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The writes as one batch.
    ///
    /// # Errors
    /// The engine's, if a key or value is too long for it.
    pub(super) fn batch(&self) -> Result<WriteBatch> {
        let mut batch = WriteBatch::new();
        for (space, writes) in self.map.iter().flat_map(|map| &map.0) {
            for (key, write) in writes {
                match &write.value {
                    Some(value) => batch.put(*space, key, value)?,
                    None => batch.delete(*space, key)?,
                }
            }
        }
        Ok(batch)
    }
}

fn write_bytes(key: &[u8], value: Option<&Bytes>) -> usize {
    WRITE_OVERHEAD + key.len() + value.map_or(0, Bytes::len)
}

fn undo_bytes(before: &Option<Write>) -> usize {
    WRITE_OVERHEAD + before.as_ref().and_then(|w| w.value.as_ref()).map_or(0, Bytes::len)
}
