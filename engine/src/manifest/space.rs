//! The files of one key space, in levels.

use std::sync::Arc;

use bytes::Bytes;

use super::sst::SstMeta;
use crate::error::{Error, Result};
use crate::key::KeyRange;
use crate::types::{ObjectId, Seq};

/// The deepest level.
pub const LEVEL_MAX: usize = 6;

/// What a space is declared as.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SpaceOptions {
    /// Describes the rows to whoever writes their columns; opaque to the
    /// engine. Empty: no column copy.
    pub row_schema: Bytes,
    /// Length of the key prefix, without the space, that filters also hold; 0: none.
    pub filter_prefix_len: u32,
    /// What was committed up to this seq is to go down to the bottom without waiting for
    /// levels to fill.
    pub settle_seq: Seq,
}

/// The files of one space.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SpaceState {
    /// As declared; the default if it never was.
    pub options: SpaceOptions,
    /// Flushed files, newest first. Each holds later seqs than the next for
    /// every key they share.
    pub l0: Arc<Vec<Arc<SstMeta>>>,
    /// `levels[i]` is level `i + 1`: sorted by key, without overlap, and older
    /// than the level above for every key they share.
    pub levels: [Arc<Vec<Arc<SstMeta>>>; LEVEL_MAX],
}

impl SpaceState {
    /// The files of a level; 0 is L0.
    #[must_use]
    pub fn level(&self, level: usize) -> &[Arc<SstMeta>] {
        if level == 0 { &self.l0 } else { &self.levels[level - 1] }
    }

    /// All files with their level, L0 first.
    pub fn files(&self) -> impl Iterator<Item = (usize, &Arc<SstMeta>)> {
        (0..=LEVEL_MAX).flat_map(|level| self.level(level).iter().map(move |f| (level, f)))
    }

    /// Bytes of the rows (not the columns) of a level.
    #[must_use]
    pub fn level_bytes(&self, level: usize) -> u64 {
        self.level(level).iter().map(|f| f.bytes).sum()
    }

    /// The file with this id and its level.
    #[must_use]
    pub fn find(&self, id: ObjectId) -> Option<(usize, &Arc<SstMeta>)> {
        self.files().find(|(_, f)| f.id == id)
    }

    /// The files of a sorted level that overlap `range`.
    #[must_use]
    pub fn overlapping(&self, level: usize, range: &KeyRange) -> &[Arc<SstMeta>] {
        debug_assert!(level > 0, "L0 is not sorted by key");
        let files = self.level(level);
        let from = files.partition_point(|f| match &f.range.end {
            Some(end) => *end <= range.start,
            None => false,
        });
        let len = files[from..].partition_point(|f| range.ends_after(&f.range.start));
        &files[from..from + len]
    }

    /// Whether a file above the bottom has what is to be there.
    #[must_use]
    pub fn is_settling(&self) -> bool {
        (0..LEVEL_MAX).any(|level| self.level(level).iter().any(|file| self.settles(file)))
    }

    /// Whether a file has what is to be at the bottom.
    #[must_use]
    pub fn settles(&self, file: &SstMeta) -> bool {
        let wanted = self.options.settle_seq;
        wanted > Seq::ZERO && file.seq_min <= wanted
    }

    /// Whether the space holds no file.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files().next().is_none()
    }

    /// Takes files out of a level. Every id must be there.
    pub(super) fn remove(&mut self, level: usize, ids: &[ObjectId]) -> Result<Vec<Arc<SstMeta>>> {
        let files = self.level_mut(level);
        let before = files.len();
        let mut removed = Vec::with_capacity(ids.len());
        files.retain(|f| {
            let gone = ids.contains(&f.id);
            if gone {
                removed.push(Arc::clone(f));
            }
            !gone
        });
        if before - files.len() != ids.len() {
            return Err(Error::internal(format!("level {level}: not all of {ids:?} are there")));
        }
        Ok(removed)
    }

    /// Puts files into a level, keeping its order and that nothing overlaps.
    pub(super) fn insert(&mut self, level: usize, new: &[Arc<SstMeta>]) -> Result<()> {
        if level == 0 {
            return self.insert_l0(new);
        }
        let files = self.level_mut(level);
        files.extend(new.iter().cloned());
        files.sort_by(|a, b| a.range.start.cmp(&b.range.start));
        for pair in files.windows(2) {
            if pair[0].range.overlaps(&pair[1].range) {
                return Err(Error::internal(format!(
                    "level {level}: {:?} and {:?} overlap",
                    pair[0].id, pair[1].id
                )));
            }
        }
        Ok(())
    }

    /// L0 files take the place that their seqs give them.
    fn insert_l0(&mut self, new: &[Arc<SstMeta>]) -> Result<()> {
        let files = self.level_mut(0);
        files.extend(new.iter().cloned());
        files.sort_by(|a, b| b.seq_max.cmp(&a.seq_max).then(a.range.start.cmp(&b.range.start)));
        for (i, newer) in files.iter().enumerate() {
            let older = &files[i + 1..];
            let clash =
                |f: &&Arc<SstMeta>| f.range.overlaps(&newer.range) && f.seq_max >= newer.seq_min;
            if let Some(f) = older.iter().find(clash) {
                return Err(Error::internal(format!(
                    "level 0: {:?} and {:?} share keys and seqs",
                    newer.id, f.id
                )));
            }
        }
        Ok(())
    }

    fn level_mut(&mut self, level: usize) -> &mut Vec<Arc<SstMeta>> {
        Arc::make_mut(if level == 0 { &mut self.l0 } else { &mut self.levels[level - 1] })
    }
}
