//! A disk in memory, which loses at a crash what was not synced.

use std::collections::BTreeMap;
use std::sync::Arc;

use firn_engine::{Error, ErrorKind, Result};
use parking_lot::Mutex;
use raft::eraftpb::{Entry, HardState};

use super::catch_up::Base;
use super::store::{GroupWrite, LogStore, Stored};

#[derive(Debug, Clone, Default)]
struct Group {
    base: Base,
    hard: HardState,
    entries: BTreeMap<u64, Entry>,
}

type Groups = BTreeMap<u32, Group>;

#[derive(Debug, Default)]
struct Inner {
    /// As it is read now.
    now: Groups,
    /// As the last sync left it.
    durable: Groups,
    /// Writes since.
    unsynced: Vec<Vec<GroupWrite>>,
}

/// The disk. A clone is the same one.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore(Arc<Mutex<Inner>>);

fn apply(groups: &mut Groups, writes: &[GroupWrite]) {
    for write in writes {
        let group = groups.entry(write.group).or_default();
        if let Some(base) = &write.replaced {
            group.base = base.clone();
            group.entries.clear();
        }
        if let Some(hard) = &write.hard {
            group.hard = hard.clone();
        }
        if let Some(first) = write.entries.first() {
            group.entries.split_off(&first.index);
            group.entries.extend(write.entries.iter().map(|e| (e.index, e.clone())));
        }
        if let Some(base) = &write.cut {
            group.entries = group.entries.split_off(&(base.index + 1));
            group.base = base.clone();
        }
    }
}

impl MemoryStore {
    /// The power is cut: of the writes since the last sync only the first
    /// `survive` are there.
    pub fn crash(&self, survive: usize) {
        let inner = &mut *self.0.lock();
        for writes in inner.unsynced.drain(..).take(survive) {
            apply(&mut inner.durable, &writes);
        }
        inner.now = inner.durable.clone();
    }

    /// Another disk, with what [`Self::crash`] would leave on this one.
    #[must_use]
    pub fn after_crash(&self, survive: usize) -> Self {
        let inner = self.0.lock();
        let mut durable = inner.durable.clone();
        for writes in inner.unsynced.iter().take(survive) {
            apply(&mut durable, writes);
        }
        let (now, unsynced) = (durable.clone(), Vec::new());
        Self(Arc::new(Mutex::new(Inner { now, durable, unsynced })))
    }

    /// Writes that a crash may lose.
    #[must_use]
    pub fn unsynced(&self) -> usize {
        self.0.lock().unsynced.len()
    }

    /// Whether the entry of a group is durable, or was and has been cut since.
    #[must_use]
    pub fn is_durable(&self, group: u32, index: u64, term: u64) -> bool {
        self.0.lock().durable.get(&group).is_some_and(|group| {
            index <= group.base.index || group.entries.get(&index).is_some_and(|e| e.term == term)
        })
    }
}

impl LogStore for MemoryStore {
    fn load(&self, group: u32) -> Result<Option<Stored>> {
        Ok(self.0.lock().now.get(&group).map(|group| Stored {
            base: group.base.clone(),
            hard: group.hard.clone(),
            last_index: group.entries.keys().last().map_or(group.base.index, |last| *last),
        }))
    }

    fn entries(&self, group: u32, from: u64, to: u64, bytes_max: u64) -> Result<Vec<Entry>> {
        let inner = self.0.lock();
        let (mut found, mut bytes) = (Vec::new(), 0);
        if let Some(group) = inner.now.get(&group) {
            for (_, entry) in group.entries.range(from..to) {
                bytes += entry.data.len() as u64;
                if bytes > bytes_max && !found.is_empty() {
                    break;
                }
                found.push(entry.clone());
            }
        }
        if found.first().is_none_or(|entry| entry.index != from) {
            let why = format!("group {group}: entry {from} is not stored");
            return Err(Error::new(ErrorKind::Corrupt, why));
        }
        Ok(found)
    }

    fn write(&self, writes: &[GroupWrite], sync: bool) -> Result<()> {
        let inner = &mut *self.0.lock();
        apply(&mut inner.now, writes);
        inner.unsynced.push(writes.to_vec());
        if sync {
            for writes in inner.unsynced.drain(..) {
                apply(&mut inner.durable, &writes);
            }
        }
        Ok(())
    }
}
