//! What a snapshot sees, key by key, both ways.

use std::sync::Arc;

use bytes::Bytes;

use super::merge::MergeCursor;
use crate::db::OWN;
use crate::error::{Error, Result};
use crate::key::{KeyBuf, KeyRange, ValueKind};
use crate::range_delete::RangeDeletes;
use crate::types::Seq;

/// Range deletions of the sources, those of one source in one set.
pub(crate) type Deleted = Vec<Arc<RangeDeletes>>;

/// Walks the newest visible version of each key in a range.
pub(crate) struct Visible {
    merge: MergeCursor,
    deleted: Deleted,
    range: KeyRange,
    snapshot: Seq,
    backward: bool,
    /// The key decided last: its other versions are passed over.
    key: KeyBuf,
    decided: bool,
    /// Going backward: the value of `key`.
    value: Bytes,
    /// Forward: keys whose newest version is a deletion are given, too.
    with_deletes: bool,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// The merge has not been placed yet.
    Start,
    /// Forward: the merge stands at the row that was given last.
    AtRow,
    /// The merge stands at a version that was not looked at yet.
    Between,
    /// Forward: the merge has an unfinished step.
    Unfinished,
    /// A wait was cancelled or failed: where the merge stands is not known.
    Interrupted,
    Done,
}

impl Visible {
    pub(crate) fn new(
        merge: MergeCursor,
        deleted: Deleted,
        range: KeyRange,
        snapshot: Seq,
        backward: bool,
    ) -> Self {
        Self {
            merge,
            deleted,
            range,
            snapshot,
            backward,
            key: KeyBuf::new(),
            decided: false,
            value: Bytes::new(),
            with_deletes: false,
            state: State::Start,
        }
    }

    /// Going forward, gives also the keys whose newest version is a deletion.
    pub(crate) fn with_deletes(self) -> Self {
        assert!(!self.backward && self.deleted.is_empty(), "only deletions of keys are told");
        Self { with_deletes: true, ..self }
    }

    /// Whether where it stands is a deletion.
    pub(crate) fn is_delete(&self) -> bool {
        self.with_deletes && self.merge.current().is_some_and(|at| at.kind() == ValueKind::Delete)
    }

    /// Whether a range deletion that the snapshot sees hides version `seq` of `key`.
    fn is_deleted(&self, key: &[u8], seq: Seq) -> bool {
        self.deleted.iter().any(|d| d.covering(key, self.snapshot).is_some_and(|at| at > seq))
    }

    /// To the next row; `false` at the end.
    #[inline]
    pub(crate) async fn next(&mut self) -> Result<bool> {
        if self.backward {
            return Box::pin(self.next_backward()).await;
        }
        loop {
            match self.state {
                State::Start => {
                    self.state = State::Interrupted;
                    let start = self.range.start.clone();
                    self.merge.seek(&start).await?;
                    self.state = State::Between;
                }
                State::Unfinished => {
                    self.state = State::Interrupted;
                    self.merge.complete().await?;
                    self.state = State::Between;
                }
                State::Interrupted => return Err(interrupted()),
                State::AtRow | State::Between => {
                    if let Some(found) = self.step() {
                        return Ok(found);
                    }
                }
                State::Done => return Ok(false),
            }
        }
    }

    /// To the next row if that takes no waiting: `None` if [`Self::next`] has to be asked.
    #[inline]
    pub(crate) fn try_next(&mut self) -> Option<bool> {
        let placed = matches!(self.state, State::AtRow | State::Between);
        if self.backward || !placed { None } else { self.step() }
    }

    /// Whether the end was reached.
    #[inline]
    pub(crate) fn is_at_end(&self) -> bool {
        self.state == State::Done
    }

    /// Goes on within memory until a row or the end; `None` if the merge must wait.
    #[inline]
    fn step(&mut self) -> Option<bool> {
        loop {
            if self.state == State::AtRow && !self.merge.try_next() {
                self.state = State::Unfinished;
                return None;
            }
            let Some(at) = self.merge.current() else {
                self.state = State::Done;
                return Some(false);
            };
            let key = at.key();
            if !self.range.ends_after(key) {
                self.state = State::Done;
                return Some(false);
            }
            self.state = State::AtRow;
            let seq = at.seq();
            // What is a transaction's own is newer, too, and seen.
            let newer = seq > self.snapshot && seq < OWN;
            if newer || (self.decided && *self.key == *key) {
                continue;
            }
            let gone = at.kind() == ValueKind::Delete
                || (!self.deleted.is_empty() && self.is_deleted(key, seq));
            self.key.clear();
            self.key.extend_from_slice(key);
            self.decided = true;
            if !gone || self.with_deletes {
                return Some(true);
            }
        }
    }

    async fn next_backward(&mut self) -> Result<bool> {
        let state = std::mem::replace(&mut self.state, State::Interrupted);
        match state {
            State::Start => match self.range.end.clone() {
                Some(end) => self.merge.seek_before(&end).await?,
                None => return Err(Error::internal("a scan backward needs an end")),
            },
            State::Done => {
                self.state = State::Done;
                return Ok(false);
            }
            State::Interrupted => return Err(interrupted()),
            State::AtRow | State::Between | State::Unfinished => {}
        }
        // Versions of a key come oldest first: the last visible one counts.
        let mut candidate: Option<(Seq, ValueKind)> = None;
        loop {
            let at = self.merge.current().filter(|at| self.range.contains(at.key()));
            let same = at.is_some_and(|at| candidate.is_some() && *self.key == *at.key());
            if !same && let Some((seq, kind)) = candidate.take() {
                if kind == ValueKind::Put && !self.is_deleted(&self.key, seq) {
                    self.state = State::Between;
                    return Ok(true);
                }
                continue;
            }
            let Some(at) = at else {
                self.state = State::Done;
                return Ok(false);
            };
            if at.seq() <= self.snapshot || at.seq() >= OWN {
                candidate = Some((at.seq(), at.kind()));
                self.value = Bytes::copy_from_slice(at.value());
                self.key.clear();
                self.key.extend_from_slice(at.key());
            }
            self.merge.prev().await?;
        }
    }

    /// Key of the row, with its space.
    #[inline]
    pub(crate) fn key(&self) -> &[u8] {
        &self.key
    }

    /// Value of the row.
    #[inline]
    pub(crate) fn value(&self) -> &[u8] {
        if self.backward {
            return &self.value;
        }
        self.merge.current().map_or(&[], |at| at.value())
    }
}

fn interrupted() -> Error {
    Error::bad_request("the scan was interrupted or failed before: start another")
}
