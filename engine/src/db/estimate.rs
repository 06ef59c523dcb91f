//! About how much there is, without reading it: what plans are chosen by.

use std::sync::Arc;

use bytes::Bytes;

use super::read::full_range;
use super::state::State;
use super::{Db, Inner};
use crate::error::Result;
use crate::key::KeyRange;
use crate::sst::file::File;
use crate::types::SpaceId;
use crate::view::SpaceView;

impl Db {
    /// About how many keys of a range have a value now; `None` if that takes reading. Memtables
    /// are counted by samples, files by their properties, and by their indexes where the range
    /// begins or ends within one. Range deletions are not looked at, and a value that a newer
    /// one replaces counts as well until they are merged.
    #[must_use]
    pub fn estimate_keys(&self, space: SpaceId, range: &KeyRange) -> Option<u64> {
        self.inner.estimate_keys(space, range)
    }

    /// The same, of what is read for it: the indexes of files in which the range begins or ends,
    /// and of a short one the blocks. That need not be in memory for long.
    ///
    /// # Errors
    /// `BadRequest` if the range is malformed; `Corrupt` or `Unavailable` if an index cannot be
    /// read.
    pub async fn read_estimate(&self, space: SpaceId, range: &KeyRange) -> Result<u64> {
        self.inner.check_open()?;
        self.inner.read_estimate(space, range).await
    }

    /// Up to about `count` keys of a range, in order and about equally far apart, where that
    /// many are there: of memtables any keys, of files those that blocks end with.
    ///
    /// # Errors
    /// `BadRequest` if the range is malformed; `Corrupt` or `Unavailable` if an index cannot be
    /// read.
    pub async fn sample_keys(
        &self,
        space: SpaceId,
        range: &KeyRange,
        count: usize,
    ) -> Result<Vec<Bytes>> {
        self.inner.check_open()?;
        self.inner.sample_keys(space, range, count).await
    }
}

impl Inner {
    fn estimate_keys(&self, space: SpaceId, range: &KeyRange) -> Option<u64> {
        let range = full_range(space, range).ok()?;
        let state = self.state.load();
        let mut keys = in_memtables(&state, &range);
        let Some(view) = state.view.space(space) else { return Some(keys) };
        for (file, whole) in files_of(view, &range) {
            keys += if whole { file.values() } else { file.count_between(&self.io, &range)? };
        }
        Some(keys)
    }

    async fn read_estimate(&self, space: SpaceId, range: &KeyRange) -> Result<u64> {
        let range = full_range(space, range)?;
        let state = self.state.load_full();
        let mut keys = in_memtables(&state, &range);
        let Some(view) = state.view.space(space) else { return Ok(keys) };
        for (file, whole) in files_of(view, &range) {
            keys += if whole { file.values() } else { file.read_count(&self.io, &range).await? };
        }
        Ok(keys)
    }

    async fn sample_keys(
        &self,
        space: SpaceId,
        range: &KeyRange,
        count: usize,
    ) -> Result<Vec<Bytes>> {
        let range = full_range(space, range)?;
        let state = self.state.load_full();
        let end = range.end.as_deref().unwrap_or_default();
        let mut keys: Vec<Bytes> = Vec::new();
        for table in state.memtables() {
            let some = table.keys_between(&range.start, end, count);
            keys.extend(some.into_iter().map(Bytes::copy_from_slice));
        }
        if let Some(view) = state.view.space(space) {
            // What lies deepest has most of the keys.
            let levels = view.levels.iter().rev().map(|level| {
                let files = &level.files[level.overlapping(&range)];
                let step = files.len().div_ceil(count.max(1)).max(1);
                files.iter().step_by(step).collect::<Vec<_>>()
            });
            let files: Vec<_> = levels.flatten().chain(&view.l0).take(2 * count.max(1)).collect();
            let each = count.div_ceil(files.len().max(1)).max(1);
            for file in files {
                file.keys_between(&self.io, &range, each, &mut keys).await?;
            }
        }
        keys.sort_unstable();
        keys.dedup();
        let step = keys.len().div_ceil(count.max(1)).max(1);
        let prefix = SpaceId::LEN;
        Ok(keys.into_iter().step_by(step).map(|key| key.slice(prefix.min(key.len())..)).collect())
    }
}

fn in_memtables(state: &State, range: &KeyRange) -> u64 {
    let end = range.end.as_deref().unwrap_or_default();
    state.memtables().map(|table| table.count_between(&range.start, end)).sum()
}

/// The files of a space that a range overlaps, and whether it has all keys of one for certain.
fn files_of<'v>(
    view: &'v SpaceView,
    range: &KeyRange,
) -> impl Iterator<Item = (&'v Arc<File>, bool)> {
    let levels = view.levels.iter().flat_map(|level| {
        let files = &level.files[level.overlapping(range)];
        // What lies between the first and the last is whole.
        let last = files.len().saturating_sub(1);
        files.iter().enumerate().map(move |(at, file)| (file, at != 0 && at != last))
    });
    view.l0.iter().map(|file| (file, false)).chain(levels)
}
