//! What is on the disk and where.

use std::collections::BTreeMap;
use std::sync::Arc;

use firn_engine::{Error, ErrorKind, Result};
use firn_proto::v1;
use prost::Message;
use raft::eraftpb::HardState;

use super::Segment;
use super::format::{Item, Kind};
use crate::raft::catch_up::Base;
use crate::raft::store::Stored;

/// Where an entry's item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    /// Number of the segment.
    pub(super) segment: u64,
    /// Offset in the file.
    pub(super) at: u64,
    /// Bytes of the item.
    pub(super) len: u32,
}

#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) base: Base,
    pub(super) hard: HardState,
    pub(super) entries: BTreeMap<u64, Position>,
}

impl Group {
    fn last_index(&self) -> u64 {
        self.entries.last_key_value().map_or(self.base.index, |(index, _)| *index)
    }

    pub(super) fn stored(&self) -> Stored {
        let (base, hard) = (self.base.clone(), self.hard.clone());
        Stored { base, hard, last_index: self.last_index() }
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Index {
    pub(super) groups: BTreeMap<u32, Group>,
    /// The segments by number, oldest first.
    pub(super) segments: BTreeMap<u64, Arc<Segment>>,
    /// Bytes of entries in each segment that are still needed.
    pub(super) live: BTreeMap<u64, u64>,
}

fn corrupt(why: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Corrupt, why.to_string())
}

pub(super) fn hard_to_proto(hard: &HardState) -> v1::RaftHardState {
    v1::RaftHardState { term: hard.term, vote: hard.vote, commit: hard.commit }
}

impl Index {
    /// Applies an item that stands at `at` in a segment.
    ///
    /// # Errors
    /// `Corrupt` if its message cannot be read.
    pub(super) fn apply(&mut self, item: &Item<'_>, segment: u64, at: u64) -> Result<()> {
        let base = || {
            let stored = v1::RaftBase::decode(item.bytes).map_err(corrupt)?;
            Base::from_proto(stored)
        };
        let entry = || v1::RaftEntry::decode(item.bytes).map_err(corrupt);
        let len = u32::try_from(item.range.len()).map_err(corrupt)?;
        let position = Position { segment, at, len };
        let group = self.groups.entry(item.group).or_default();
        let live = &mut self.live;
        let mut freed = |position: Position| {
            if let Some(bytes) = live.get_mut(&position.segment) {
                *bytes = bytes.saturating_sub(u64::from(position.len));
            }
        };
        match item.kind {
            Kind::Replaced => {
                group.base = base()?;
                std::mem::take(&mut group.entries).into_values().for_each(freed);
            }
            Kind::Cut | Kind::Base => {
                group.base = base()?;
                let kept = group.entries.split_off(&(group.base.index + 1));
                std::mem::replace(&mut group.entries, kept).into_values().for_each(freed);
            }
            Kind::Hard => {
                let stored = v1::RaftHardState::decode(item.bytes).map_err(corrupt)?;
                group.hard.term = stored.term;
                group.hard.vote = stored.vote;
                group.hard.commit = stored.commit;
            }
            Kind::Entry => {
                let index = entry()?.index;
                if group.entries.last_key_value().is_some_and(|(last, _)| *last >= index) {
                    group.entries.split_off(&index).into_values().for_each(freed);
                }
                group.entries.insert(index, position);
                *live.entry(segment).or_default() += u64::from(len);
            }
            Kind::Moved => {
                if let Some(old) = group.entries.insert(entry()?.index, position) {
                    freed(old);
                }
                *live.entry(segment).or_default() += u64::from(len);
            }
        }
        Ok(())
    }

    /// Checks after reading everything that no entry is missing.
    ///
    /// # Errors
    /// `Corrupt`, naming the first that is.
    pub(super) fn check(&self) -> Result<()> {
        for (number, group) in &self.groups {
            let expected = group.base.index + 1..;
            let missing = group.entries.keys().zip(expected).find(|(is, want)| **is != *want);
            if let Some((_, index)) = missing {
                return Err(corrupt(format!("group {number}: entry {index} is missing")));
            }
        }
        Ok(())
    }

    /// Bytes of all entries that are needed, and of all segments.
    pub(super) fn bytes(&self) -> (u64, u64) {
        (self.live.values().sum(), self.segments.values().map(|segment| segment.len).sum())
    }
}
