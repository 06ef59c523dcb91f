//! A range in layers: the files at the bottom that have column copies, and what lies above.
//!
//! Who reads many rows takes the copies for the files, and asks what lies above for keys of
//! which it must not take them. Versions of a key above the bottom are newer than those at the
//! bottom. So, of a key of which there is a version above that the snapshot sees, nothing at
//! the bottom is seen; of any other key the bottom has what is seen, if anything is.
//!
//! All of it is of one state, as a scan is: what others write meanwhile changes nothing.

use std::sync::Arc;

use bytes::Bytes;

use super::Inner;
use super::read::{Scan, full_range};
use super::state::State;
use crate::error::{Error, Result};
use crate::key::{KEY_LEN_MAX, KeyRange};
use crate::manifest::{LEVEL_MAX, SstMeta};
use crate::memtable::MemtableCursor;
use crate::object::BlockSource;
use crate::scan::merge::{MergeCursor, Source};
use crate::scan::visible::Visible;
use crate::types::{Seq, SpaceId};
use crate::view::{Level, SpaceView};

/// See the module.
pub struct Layers {
    db: Arc<Inner>,
    state: Arc<State>,
    space: SpaceId,
    snapshot: Seq,
    pieces: Vec<Piece>,
}

/// A part of the range.
#[derive(Debug, Clone)]
pub struct Piece {
    /// Its keys, without the space.
    pub range: KeyRange,
    /// The file that has all its rows at the bottom, which has a copy; `None` if they are in
    /// rows alone.
    pub copied: Option<Arc<SstMeta>>,
    /// All keys of that file, also those outside of the range that was asked for.
    pub file: KeyRange,
}

impl std::fmt::Debug for Layers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} pieces of {:?} as of {}", self.pieces.len(), self.space, self.snapshot)
    }
}

impl Layers {
    pub(super) async fn of(
        db: &Arc<Inner>,
        space: SpaceId,
        range: &KeyRange,
        at: Option<Seq>,
    ) -> Result<Option<Self>> {
        let longest = range.start.len().max(range.end.as_ref().map_or(0, Bytes::len));
        if longest > KEY_LEN_MAX + 1 {
            return Err(Error::bad_request(format!("scan bound of {longest} bytes is too long")));
        }
        let (guard, visible) = db.read_point();
        let state = Arc::clone(&guard);
        drop(guard);
        let snapshot = db.checked(&state, at, visible)?;
        let full = full_range(space, range)?;
        let Some(view) = state.view.space(space) else { return Ok(None) };
        // Deletions of ranges are rare, and would have to be looked up for each row.
        let in_files = view.range_deletes(&db.io).await?.into_iter().cloned();
        let in_memory = state.memtables().filter_map(|table| table.range_deletes());
        if in_files.chain(in_memory).any(|deletes| deletes.overlaps(&full)) {
            return Ok(None);
        }
        let pieces = pieces(bottom(view), space, &full);
        if !pieces.iter().any(|piece| piece.copied.is_some()) {
            return Ok(None);
        }
        Ok(Some(Self { db: Arc::clone(db), state, space, snapshot, pieces }))
    }

    /// The parts of the range, in the order of their keys; together they are all of it.
    #[must_use]
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// What is seen: everything up to this seq.
    #[must_use]
    pub fn seq(&self) -> Seq {
        self.snapshot
    }

    /// Where copies are read.
    #[must_use]
    pub fn source(&self) -> Arc<dyn BlockSource> {
        Arc::clone(&self.db.io) as Arc<dyn BlockSource>
    }

    /// Walks the rows of a range, wherever they are.
    ///
    /// # Errors
    /// `Corrupt` or `Unavailable` if data cannot be read.
    pub async fn rows(&self, range: &KeyRange) -> Result<Scan> {
        let state = Arc::clone(&self.state);
        self.db.scan_state(state, self.space, range, self.snapshot, &[], false).await
    }

    /// Walks the keys of a range of which there are versions above the bottom.
    ///
    /// # Errors
    /// As [`Self::rows`].
    pub async fn above(&self, range: &KeyRange) -> Result<Above> {
        let full = full_range(self.space, range)?;
        let tables = self.state.memtables().filter(|table| !table.is_empty());
        let cursor =
            |table| Source::Memtable(MemtableCursor::new(Arc::clone(table), self.snapshot));
        let mut sources: Vec<Source> = tables.map(cursor).collect();
        if let Some(view) = self.state.view.space(self.space) {
            let levels = &view.levels[..LEVEL_MAX - 1];
            self.db.add_files(view, levels, &full, self.snapshot, &mut sources).await?;
        }
        let merge = MergeCursor::new(sources);
        let rows = Visible::new(merge, Vec::new(), full, self.snapshot, false).with_deletes();
        Ok(Above { rows, _state: Arc::clone(&self.state) })
    }
}

fn bottom(view: &SpaceView) -> &Level {
    &view.levels[LEVEL_MAX - 1]
}

/// Cuts a range at the ends of the files that have copies.
fn pieces(bottom: &Level, space: SpaceId, full: &KeyRange) -> Vec<Piece> {
    let bare = |range: &KeyRange| {
        let cut = |key: &Bytes| key.slice(SpaceId::LEN..);
        // The end of a space is another space's beginning.
        let own = |end: &&Bytes| end.starts_with(&space.prefix());
        KeyRange { start: cut(&range.start), end: range.end.as_ref().filter(own).map(cut) }
    };
    let mut pieces = Vec::new();
    let mut at = full.start.clone();
    let rows = |from: &Bytes, to: Option<&Bytes>| {
        let range = KeyRange { start: from.clone(), end: to.cloned() };
        let piece = Piece { range: bare(&range), copied: None, file: bare(&range) };
        (!range.is_empty()).then_some(piece)
    };
    for file in &bottom.files[bottom.overlapping(full)] {
        if file.meta.column.is_none() {
            continue;
        }
        let own = file.meta.range.intersection(full);
        pieces.extend(rows(&at, Some(&own.start)));
        pieces.push(Piece {
            range: bare(&own),
            copied: Some(Arc::clone(&file.meta)),
            file: bare(&file.meta.range),
        });
        at = own.end.expect("a file's range has an end");
    }
    pieces.extend(rows(&at, full.end.as_ref()));
    pieces
}

/// Walks keys of which there are versions above the bottom that the snapshot sees.
pub struct Above {
    rows: Visible,
    /// Keeps files and memtables.
    _state: Arc<State>,
}

impl std::fmt::Debug for Above {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Above")
    }
}

impl Above {
    /// To the next key; `false` at the end. As [`Scan::advance`].
    ///
    /// # Errors
    /// As [`Scan::next`].
    pub async fn advance(&mut self) -> Result<bool> {
        self.rows.next().await
    }

    /// Where it stands: the key, without its space.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        self.rows.key().get(SpaceId::LEN..).unwrap_or_default()
    }

    /// The key's value; `None` if it was deleted.
    #[must_use]
    pub fn value(&self) -> Option<&[u8]> {
        (!self.rows.is_delete()).then(|| self.rows.value())
    }
}
