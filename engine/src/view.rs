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
    /// A view of `version` that keeps what `old` had opened.
    pub(crate) fn new(version: Arc<Version>, old: Option<&Self>, budget: &Arc<PinBudget>) -> Self {
        let spaces = version
            .spaces
            .iter()
            .map(|(id, state)| {
                let old = old.and_then(|v| v.spaces.get(id));
                let space = match old {
                    Some(old) if Arc::ptr_eq(&old.state, state) => Arc::clone(old),
                    _ => Arc::new(SpaceView::new(state, old.map(|o| &**o), budget)),
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
    fn new(state: &Arc<SpaceState>, old: Option<&Self>, budget: &Arc<PinBudget>) -> Self {
        // Levels that did not change keep their vectors; only files of changed
        // levels need to be looked up.
        let mut known: Option<BTreeMap<ObjectId, Arc<File>>> = None;
        let mut open = |metas: &[Arc<SstMeta>]| -> Vec<Arc<File>> {
            let known = known.get_or_insert_with(|| {
                let files = old.into_iter().flat_map(Self::files);
                files.map(|f| (f.meta.id, Arc::clone(f))).collect()
            });
            let file = |m: &Arc<SstMeta>| match known.get(&m.id) {
                Some(file) => Arc::clone(file),
                None => Arc::new(File::new(Arc::clone(m), Arc::clone(budget))),
            };
            metas.iter().map(file).collect()
        };
        let l0 = match old {
            Some(old) if Arc::ptr_eq(&old.state.l0, &state.l0) => old.l0.clone(),
            _ => open(&state.l0),
        };
        let levels = std::array::from_fn(|i| match old {
            Some(old) if Arc::ptr_eq(&old.state.levels[i], &state.levels[i]) => {
                Arc::clone(&old.levels[i])
            }
            _ => Arc::new(Level::new(open(&state.levels[i]))),
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
        self.range_deletes.get_or_try_init(merge).await.map(Some)
    }
}
