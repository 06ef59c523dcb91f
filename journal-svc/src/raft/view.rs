//! A group's stored state as the raft library wants to see it.

use std::collections::VecDeque;
use std::sync::Arc;

use firn_engine::{Error, ErrorKind, Result};
use raft::eraftpb::{ConfState, Entry, HardState, Snapshot};
use raft::{GetEntriesContext, RaftState, Storage, StorageError};

use super::catch_up::{Base, Members};
use super::store::{GroupWrite, LogStore};
use super::wire::base_to_snapshot;

/// Entries that are read at once while loading.
const LOAD_BYTES: u64 = 8 << 20;

/// Bytes of the last entries that are kept in memory, for followers.
const RECENT_BYTES_MAX: usize = 8 << 20;

/// What is stored of a group, with what of it is asked for often.
pub(super) struct View {
    store: Arc<dyn LogStore>,
    group: u32,
    base: Base,
    hard: HardState,
    last_index: u64,
    /// Index of the first entry of each term, in order.
    terms: VecDeque<(u64, u64)>,
    /// The last entries.
    recent: VecDeque<Entry>,
    recent_bytes: usize,
}

impl View {
    /// Reads a group, or founds it with `members`.
    pub(super) fn load(
        store: Arc<dyn LogStore>,
        group: u32,
        founders: &[u64],
        member: u64,
    ) -> Result<Self> {
        let stored = match store.load(group)? {
            Some(stored) => stored,
            None => {
                // One that is not a founder starts with nothing and gets a base.
                let founds = founders.contains(&member);
                let base = if founds { Base::founding(founders.to_vec()) } else { Base::default() };
                let mut hard = HardState::default();
                (hard.term, hard.commit) = (base.term, base.index);
                let last_index = base.index;
                let write = GroupWrite {
                    group,
                    replaced: Some(base.clone()),
                    hard: Some(hard.clone()),
                    ..GroupWrite::default()
                };
                store.write(&[write], true)?;
                super::store::Stored { base, hard, last_index }
            }
        };
        let mut view = Self {
            store,
            group,
            base: stored.base,
            hard: stored.hard,
            last_index: stored.last_index,
            terms: VecDeque::new(),
            recent: VecDeque::new(),
            recent_bytes: 0,
        };
        if view.hard.commit < view.base.index || view.hard.commit > view.last_index {
            let why = format!(
                "group {group}: entries {} to {} are stored, and {} is committed",
                view.base.index + 1,
                view.last_index,
                view.hard.commit
            );
            return Err(Error::new(ErrorKind::Corrupt, why));
        }
        let mut next = view.base.index + 1;
        while next <= view.last_index {
            let to = view.last_index + 1;
            for entry in view.store.entries(group, next, to, LOAD_BYTES)? {
                if entry.index != next {
                    let why = format!("group {group}: entry {next} is missing");
                    return Err(Error::new(ErrorKind::Corrupt, why));
                }
                view.remember(entry);
                next += 1;
            }
        }
        Ok(view)
    }

    pub(super) fn base(&self) -> &Base {
        &self.base
    }

    /// Takes over what was written.
    pub(super) fn written(&mut self, write: &GroupWrite) {
        if let Some(base) = &write.replaced {
            self.base = base.clone();
            self.last_index = base.index;
            self.terms.clear();
            self.forget_from(0);
        }
        if let Some(hard) = &write.hard {
            self.hard = hard.clone();
        }
        if let Some(first) = write.entries.first() {
            while self.terms.back().is_some_and(|(index, _)| *index >= first.index) {
                self.terms.pop_back();
            }
            self.forget_from(first.index);
        }
        for entry in &write.entries {
            self.last_index = entry.index;
            self.remember(entry.clone());
        }
        if let Some(base) = &write.cut {
            while self.terms.len() > 1 && self.terms[1].0 <= base.index + 1 {
                self.terms.pop_front();
            }
            if let Some(first) = self.terms.front_mut() {
                first.0 = first.0.max(base.index + 1);
            }
            if self.last_index == base.index {
                self.terms.clear();
            }
            while self.recent.front().is_some_and(|e| e.index <= base.index) {
                self.forget_first();
            }
            self.base = base.clone();
        }
    }

    fn remember(&mut self, entry: Entry) {
        if self.terms.back().is_none_or(|(_, term)| *term != entry.term) {
            self.terms.push_back((entry.index, entry.term));
        }
        self.recent_bytes += entry.data.len();
        self.recent.push_back(entry);
        while self.recent_bytes > RECENT_BYTES_MAX {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        if let Some(entry) = self.recent.pop_front() {
            self.recent_bytes -= entry.data.len();
        }
    }

    fn forget_from(&mut self, index: u64) {
        while self.recent.back().is_some_and(|e| e.index >= index) {
            if let Some(entry) = self.recent.pop_back() {
                self.recent_bytes -= entry.data.len();
            }
        }
    }

    /// The term of a stored entry.
    pub(super) fn term_of(&self, index: u64) -> Option<u64> {
        if index == self.base.index {
            return Some(self.base.term);
        }
        if index < self.base.index || index > self.last_index {
            return None;
        }
        let at = self.terms.partition_point(|(first, _)| *first <= index);
        self.terms.get(at.checked_sub(1)?).map(|(_, term)| *term)
    }
}

/// Members in the library's form.
pub(super) fn conf_state(members: &Members) -> ConfState {
    ConfState {
        voters: members.voters.clone(),
        learners: members.learners.clone(),
        ..ConfState::default()
    }
}

impl Storage for View {
    fn initial_state(&self) -> raft::Result<RaftState> {
        Ok(RaftState::new(self.hard.clone(), conf_state(&self.base.members)))
    }

    fn entries(
        &self,
        low: u64,
        high: u64,
        max_size: impl Into<Option<u64>>,
        _context: GetEntriesContext,
    ) -> raft::Result<Vec<Entry>> {
        if low <= self.base.index {
            return Err(raft::Error::Store(StorageError::Compacted));
        }
        if high > self.last_index + 1 {
            return Err(raft::Error::Store(StorageError::Unavailable));
        }
        let bytes_max = max_size.into().unwrap_or(u64::MAX);
        if let Some(first) = self.recent.front()
            && first.index <= low
        {
            let at = usize::try_from(low - first.index).unwrap_or(usize::MAX);
            let mut bytes = 0;
            let mut fits = |entry: &&Entry| {
                let first = bytes == 0;
                bytes += entry.data.len() as u64 + 64;
                first || bytes <= bytes_max
            };
            let count = usize::try_from(high - low).unwrap_or(usize::MAX);
            let found = self.recent.iter().skip(at).take(count);
            return Ok(found.take_while(&mut fits).cloned().collect());
        }
        let read = self.store.entries(self.group, low, high, bytes_max);
        read.map_err(|e| raft::Error::Store(StorageError::Other(Box::new(e))))
    }

    fn term(&self, index: u64) -> raft::Result<u64> {
        if let Some(term) = self.term_of(index) {
            return Ok(term);
        }
        let why = if index < self.base.index {
            StorageError::Compacted
        } else {
            StorageError::Unavailable
        };
        Err(raft::Error::Store(why))
    }

    fn first_index(&self) -> raft::Result<u64> {
        Ok(self.base.index + 1)
    }

    fn last_index(&self) -> raft::Result<u64> {
        Ok(self.last_index)
    }

    fn snapshot(&self, request_index: u64, to: u64) -> raft::Result<Snapshot> {
        if self.base.index < request_index {
            return Err(raft::Error::Store(StorageError::SnapshotTemporarilyUnavailable));
        }
        let mut base = self.base.clone();
        let members = &mut base.members;
        // One that joined behind the base would not take it. As a learner it counts
        // for nothing, and the entry that makes it one finds it so.
        if !members.voters.contains(&to) && !members.learners.contains(&to) {
            members.learners.push(to);
        }
        Ok(base_to_snapshot(&base))
    }
}
