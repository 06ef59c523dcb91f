//! A version with its files opened: what reads run on.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::OnceCell;

use crate::cache::BlockIo;
use crate::error::Result;
use crate::key::KeyRange;
use crate::manifest::{LEVEL_MAX, SpaceOptions, SpaceState, SstMeta, Version};
use crate::range_delete::RangeDeletes;
use crate::sst::file::{File, PinBudget};
use crate::types::{ObjectId, SpaceId};

/// See the module.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) version: Arc<Version>,
    spaces: BTreeMap<SpaceId, Arc<SpaceView>>,
}

/// The files of one space.
#[derive(Debug)]
pub(crate) struct SpaceView {
    state: Arc<SpaceState>,
    /// Newest first.
    pub(crate) l0: Vec<Arc<File>>,
    pub(crate) levels: [Arc<Level>; LEVEL_MAX],
    has_range_deletes: bool,
    /// Range deletions of all files, merged on first use.
    range_deletes: OnceCell<Arc<RangeDeletes>>,
}

/// Files sorted by key, without overlap.
#[derive(Debug, Default)]
pub(crate) struct Level {
    /// Where each file ends, apart for the binary search.
    ends: Vec<Bytes>,
    pub(crate) files: Vec<Arc<File>>,
}

impl Level {
    pub(crate) fn new(files: Vec<Arc<File>>) -> Self {
        let end = |f: &Arc<File>| f.meta.range.end.clone().expect("a file's range has an end");
        Self { ends: files.iter().map(end).collect(), files }
    }

    /// Index of the first file that ends after `key`.
    #[inline]
    pub(crate) fn first_ending_after(&self, key: &[u8]) -> usize {
        self.ends.partition_point(|end| **end <= *key)
    }

    /// The one file whose range holds `key`.
    #[inline]
    pub(crate) fn file_of(&self, key: &[u8]) -> Option<&Arc<File>> {
        let file = self.files.get(self.first_ending_after(key))?;
        (*file.meta.range.start <= *key).then_some(file)
    }

    /// The files that overlap `range`, as indexes.
    pub(crate) fn overlapping(&self, range: &KeyRange) -> std::ops::Range<usize> {
        let from = self.first_ending_after(&range.start);
        let len = self.files[from..].partition_point(|f| range.ends_after(&f.meta.range.start));
        from..from + len
    }
}

impl View {
    /// A view of `version` that keeps what others have opened; the first is
    /// the one it is most like.
    pub(crate) fn new(version: Arc<Version>, known: &[&Self], budget: &Arc<PinBudget>) -> Self {
        let spaces = version
            .spaces
            .iter()
            .map(|(id, state)| {
                let known: Vec<_> = known.iter().filter_map(|v| v.spaces.get(id)).collect();
                let same = known.iter().find(|old| Arc::ptr_eq(&old.state, state));
                let space = match same {
                    Some(same) => Arc::clone(same),
                    None => Arc::new(SpaceView::new(state, &known, budget)),
                };
                (*id, space)
            })
            .collect();
        Self { version, spaces }
    }

    #[inline]
    pub(crate) fn space(&self, space: SpaceId) -> Option<&Arc<SpaceView>> {
        self.spaces.get(&space)
    }
}

impl SpaceView {
    fn new(state: &Arc<SpaceState>, known: &[&Arc<Self>], budget: &Arc<PinBudget>) -> Self {
        // Levels that did not change are kept whole; only files of changed
        // levels need to be looked up.
        let mut open: Option<BTreeMap<ObjectId, Arc<File>>> = None;
        let mut files = |metas: &[Arc<SstMeta>]| -> Vec<Arc<File>> {
            let open = open.get_or_insert_with(|| {
                let files = known.iter().flat_map(|view| view.files());
                files.map(|f| (f.meta.id, Arc::clone(f))).collect()
            });
            let file = |m: &Arc<SstMeta>| match open.get(&m.id) {
                Some(file) => Arc::clone(file),
                None => Arc::new(File::new(Arc::clone(m), Arc::clone(budget))),
            };
            metas.iter().map(file).collect()
        };
        let l0 = match known.iter().find(|old| Arc::ptr_eq(&old.state.l0, &state.l0)) {
            Some(old) => old.l0.clone(),
            None => files(&state.l0),
        };
        let levels = std::array::from_fn(|i| {
            let same = |old: &&&Arc<Self>| Arc::ptr_eq(&old.state.levels[i], &state.levels[i]);
            match known.iter().find(same) {
                Some(old) => Arc::clone(&old.levels[i]),
                None => Arc::new(Level::new(files(&state.levels[i]))),
            }
        });
        let has_range_deletes = state.files().any(|(_, f)| f.range_deletes > 0);
        Self {
            state: Arc::clone(state),
            l0,
            levels,
            has_range_deletes,
            range_deletes: OnceCell::new(),
        }
    }

    pub(crate) fn files(&self) -> impl Iterator<Item = &Arc<File>> {
        self.l0.iter().chain(self.levels.iter().flat_map(|l| &l.files))
    }

    pub(crate) fn options(&self) -> &SpaceOptions {
        &self.state.options
    }

    /// As [`Self::range_deletes`], if they were read already.
    #[inline]
    pub(crate) fn known_range_deletes(&self) -> Option<Option<&Arc<RangeDeletes>>> {
        if !self.has_range_deletes {
            return Some(None);
        }
        self.range_deletes.get().map(Some)
    }

    /// The range deletions of all files; `None` if there are none.
    pub(crate) async fn range_deletes(&self, io: &BlockIo) -> Result<Option<&Arc<RangeDeletes>>> {
        if !self.has_range_deletes {
            return Ok(None);
        }
        let merge = || async {
            let mut all = Vec::new();
            for file in self.files() {
                if let Some(deletes) = file.range_deletes(io).await? {
                    all.extend(deletes.deletes());
                }
            }
            Ok(Arc::new(RangeDeletes::new(&all)))
        };
        if let Some(merged) = self.range_deletes.get() {
            return Ok(Some(merged));
        }
        Box::pin(self.range_deletes.get_or_try_init(merge)).await.map(Some)
    }
}
