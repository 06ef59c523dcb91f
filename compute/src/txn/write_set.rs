//! What a transaction has written and not yet committed.
//!
//! The writes are a sorted map that reads are laid over. Views of it share the
//! map: who writes while a view is open copies it once, so a view never
//! changes. Marks (savepoints) keep what was there before, once for each key
//! and mark.
//!
//! # Transactions larger than memory
//!
//! Past a bound the map goes to files ([`WriteSet::spill`]): a *layer* for each
//! open mark under which something was written, with what each key was when the
//! next mark was set, so that nothing needs to be kept to undo it: going back to
//! a mark drops the layers of that mark and later ones. Reads look into the map,
//! then into the layers, the newest first, then at what is committed. Layers are merged
//! with others of their size, and in the end all of them into one run of files, which the
//! engine commits as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use firn_engine::db::{Run, RunWrite};
use firn_engine::{Db, SpaceId, WriteBatch};

use super::error::{Error, Result};

/// Memory for one write besides its key and value, in bytes, roughly: in the map, and in
/// the list that is made of it when it goes to files.
const WRITE_OVERHEAD: usize = 224;

/// Layers of one tier and mark that are merged into one of the next: more make reads slow.
/// A write is merged once for each tier, so that a transaction of n writes costs
/// n log n, and has this many layers for each tier at most.
const TIER_LAYERS: usize = 8;

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

/// Runs of files, the newest last. Clones share them.
pub(super) type Runs = Arc<[Arc<Run>]>;

/// What is written to a key in some runs, the newest first: a value, a deletion, or
/// nothing.
pub(super) async fn get_spilled(
    runs: &[Arc<Run>],
    space: SpaceId,
    key: &[u8],
) -> Result<Option<Option<Bytes>>> {
    for run in runs.iter().rev() {
        if let Some(found) = run.get(space, key).await? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// What a key was before it was written under a mark.
#[derive(Debug)]
struct Undo {
    space: SpaceId,
    key: Bytes,
    before: Option<Write>,
}

/// What was written under one mark.
type WritesOfMark<'a> = BTreeMap<(SpaceId, &'a [u8]), Option<&'a Bytes>>;

/// A point to go back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mark(u64);

/// Writes that are in files.
#[derive(Debug)]
struct Layer {
    /// The mark that they were made under; 0 if there was none.
    mark: u64,
    /// 0: as it was put into files; otherwise merged of those of the tier below.
    tier: u32,
    run: Arc<Run>,
}

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
    /// Oldest first.
    layers: Vec<Layer>,
    /// Those of `layers`.
    runs: Runs,
    last_order: u32,
    /// Spaces that are gone: what is in files of them is not committed.
    gone: BTreeSet<SpaceId>,
}

impl WriteSet {
    /// Number of keys written; those in files count as often as they are there.
    pub(super) fn len(&self) -> usize {
        let spilled: u64 = self.layers.iter().map(|layer| layer.run.entries()).sum();
        self.len + usize::try_from(spilled).unwrap_or(usize::MAX - self.len)
    }

    /// Memory in use, roughly.
    pub(super) fn bytes(&self) -> usize {
        self.bytes + self.undo_bytes
    }

    pub(super) fn map(&self) -> Option<&Arc<WriteMap>> {
        self.map.as_ref()
    }

    /// What is in files, under the map.
    pub(super) fn runs(&self) -> &Runs {
        &self.runs
    }

    /// How often the writes in each layer were merged, the oldest first.
    #[cfg(test)]
    pub(super) fn tiers(&self) -> Vec<u32> {
        self.layers.iter().map(|layer| layer.tier).collect()
    }

    /// The write of a key, as far as it is in memory.
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
        let outer = self.marks.last().map_or(0, |(outer, _)| outer.0);
        for layer in self.layers.iter_mut().filter(|layer| layer.mark >= mark.0) {
            layer.mark = outer;
        }
        if outer == 0 {
            self.undo = Vec::new();
            self.undo_bytes = 0;
            return;
        }
        // What a key was at the outer mark is known already if it was written since.
        for undo in self.undo.split_off(from) {
            if undo.before.as_ref().is_some_and(|before| before.mark >= outer) {
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
        if self.layers.iter().any(|layer| layer.mark >= mark.0) {
            self.layers.retain(|layer| layer.mark < mark.0);
            self.share_runs();
        }
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

    /// Forgets what was written to a space, for good: it is gone. What is in files stays
    /// there until the commit, which leaves it out.
    pub(super) fn forget_space(&mut self, space: SpaceId) {
        if self.runs.iter().any(|run| run.has_space(space)) {
            self.gone.insert(space);
        }
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

    fn share_runs(&mut self) {
        self.runs = self.layers.iter().map(|layer| Arc::clone(&layer.run)).collect();
    }

    /// The open mark that a write with `mark` belongs to; 0 if there is none.
    fn open_mark(&self, mark: u64) -> u64 {
        let at = self.marks.partition_point(|(open, _)| open.0 <= mark);
        at.checked_sub(1).map_or(0, |at| self.marks[at].0.0)
    }

    /// What is in memory, if all of it was written under one open mark.
    fn of_one_mark(&self) -> Option<(u64, Vec<RunWrite<'_>>)> {
        if self.undo.iter().any(|undo| undo.before.is_some()) {
            return None;
        }
        let all = || {
            let spaces = self.map.iter().flat_map(|map| &map.0);
            spaces.flat_map(|(space, writes)| {
                writes.iter().map(move |(key, write)| (*space, key, write))
            })
        };
        let mark = self.open_mark(all().next()?.2.mark);
        let mut writes = Vec::with_capacity(self.len);
        for (space, key, write) in all() {
            if self.open_mark(write.mark) != mark {
                return None;
            }
            writes.push((space, &key[..], write.value.as_ref().map(|value| &value[..])));
        }
        Some((mark, writes))
    }

    /// What is in memory, by the open marks that it was written under: of each key what it
    /// was when the next mark was set.
    fn by_mark(&self) -> BTreeMap<u64, WritesOfMark<'_>> {
        let mut marks: BTreeMap<u64, WritesOfMark<'_>> = BTreeMap::new();
        for Undo { space, key, before } in &self.undo {
            let Some(before) = before else { continue };
            let writes = marks.entry(self.open_mark(before.mark)).or_default();
            writes.insert((*space, &key[..]), before.value.as_ref());
        }
        for (space, writes) in self.map.iter().flat_map(|map| &map.0) {
            for (key, write) in writes {
                let of_mark = marks.entry(self.open_mark(write.mark)).or_default();
                of_mark.insert((*space, &key[..]), write.value.as_ref());
            }
        }
        marks
    }

    /// Puts into files what is in memory. After an error, and if its future is dropped,
    /// everything is as it was.
    ///
    /// # Errors
    /// The engine's.
    pub(super) async fn spill(&mut self, db: &Db) -> Result<()> {
        let mut layers = Vec::new();
        let mut order = self.last_order;
        if let Some((mark, writes)) = self.of_one_mark() {
            order += 1;
            let run = db.store_run(order, &writes).await?;
            layers.push(Layer { mark, tier: 0, run: Arc::new(run) });
        } else {
            for (mark, writes) in self.by_mark() {
                order += 1;
                let writes: Vec<RunWrite<'_>> = writes
                    .into_iter()
                    .map(|((space, key), value)| (space, key, value.map(|value| &value[..])))
                    .collect();
                let run = db.store_run(order, &writes).await?;
                layers.push(Layer { mark, tier: 0, run: Arc::new(run) });
            }
        }
        self.layers.extend(layers);
        self.last_order = order;
        self.map = None;
        (self.len, self.bytes) = (0, 0);
        self.undo = Vec::new();
        self.undo_bytes = 0;
        for (_, from) in &mut self.marks {
            *from = 0;
        }
        self.share_runs();
        self.merge_layers(db).await
    }

    /// Merges the newest layers as long as there are many of their tier and mark.
    async fn merge_layers(&mut self, db: &Db) -> Result<()> {
        while let Some(&Layer { mark, tier, .. }) = self.layers.last() {
            let is_like = |layer: &&Layer| layer.mark == mark && layer.tier <= tier;
            let alike = self.layers.iter().rev().take_while(is_like).count();
            if alike < TIER_LAYERS {
                break;
            }
            let from = self.layers.len() - alike;
            let order = self.last_order + 1;
            let run = db.merge_runs(order, &self.runs[from..], &self.gone).await?;
            self.last_order = order;
            self.layers.truncate(from);
            self.layers.push(Layer { mark, tier: tier + 1, run: Arc::new(run) });
            self.share_runs();
        }
        Ok(())
    }

    /// All that was written, as one run; marks are forgotten.
    ///
    /// # Errors
    /// The engine's.
    pub(super) async fn into_run(mut self, db: &Db) -> Result<Run> {
        self.marks.clear();
        self.undo.clear();
        if self.map.is_some() {
            self.spill(db).await?;
        }
        let Self { mut layers, runs, last_order, gone, .. } = self;
        if layers.len() == 1 && gone.is_empty() {
            drop(runs);
            if let Some(only) = layers.pop() {
                match Arc::try_unwrap(only.run) {
                    Ok(run) => return Ok(run),
                    // A view of it is still open.
                    Err(shared) => {
                        return Ok(db.merge_runs(last_order + 1, &[shared], &gone).await?);
                    }
                }
            }
        }
        let all: Vec<Arc<Run>> = layers.into_iter().map(|layer| layer.run).collect();
        Ok(db.merge_runs(last_order + 1, &all, &gone).await?)
    }

    /// The writes as one batch, if none of them is in files.
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
