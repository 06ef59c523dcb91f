//! Many sorted sources as one: user keys ascending, seqs descending.
//!
//! Sources are kept sorted by what they stand at. Advancing the first one
//! moves it to its new place: one comparison as long as it stays first, which
//! is the usual case (most of the data is in one level).

use std::cmp::Ordering;

use super::level::LevelCursor;
use crate::error::Result;
use crate::key::{self, ValueKind};
use crate::memtable::MemtableCursor;
use crate::sst::cursor::FileCursor;
use crate::types::Seq;

/// One sorted source. What it does with files is by itself in memory: it is rare beside what
/// goes on within a block, and futures around it would be as large.
pub(crate) enum Source {
    Memtable(MemtableCursor),
    File(Box<FileCursor>),
    Level(Box<LevelCursor>),
}

impl Source {
    #[inline]
    fn valid(&self) -> bool {
        match self {
            Self::Memtable(m) => m.valid(),
            Self::File(f) => f.valid(),
            Self::Level(l) => l.valid(),
        }
    }

    fn file(&self) -> &FileCursor {
        match self {
            Self::File(f) => f,
            Self::Level(l) => l.file.as_ref().expect("asked only when valid"),
            Self::Memtable(_) => unreachable!("memtables answer for themselves"),
        }
    }

    #[inline]
    pub(crate) fn key(&self) -> &[u8] {
        match self {
            Self::Memtable(m) => m.key(),
            _ => self.file().key(),
        }
    }

    #[inline]
    pub(crate) fn seq(&self) -> Seq {
        match self {
            Self::Memtable(m) => m.seq(),
            _ => self.file().seq(),
        }
    }

    #[inline]
    pub(crate) fn kind(&self) -> ValueKind {
        match self {
            Self::Memtable(m) => m.kind(),
            _ => self.file().kind(),
        }
    }

    #[inline]
    pub(crate) fn value(&self) -> &[u8] {
        match self {
            Self::Memtable(m) => m.value(),
            _ => self.file().value(),
        }
    }

    /// Advances within what is in memory; `false` if [`Self::advance`] must be awaited.
    #[inline]
    fn try_next(&mut self) -> bool {
        match self {
            Self::Memtable(m) => {
                m.next();
                true
            }
            Self::File(f) => f.try_next(),
            Self::Level(l) => l.file.as_mut().is_some_and(FileCursor::try_next),
        }
    }

    async fn advance(&mut self) -> Result<()> {
        match self {
            Self::Memtable(_) => Ok(()),
            Self::File(f) => Box::pin(f.enter_next_block()).await,
            Self::Level(l) => Box::pin(l.enter_next_block()).await,
        }
    }

    async fn prev(&mut self) -> Result<()> {
        match self {
            Self::Memtable(m) => {
                m.prev();
                Ok(())
            }
            Self::File(f) => f.prev().await,
            Self::Level(l) => l.prev().await,
        }
    }

    async fn seek(&mut self, key: &[u8]) -> Result<()> {
        match self {
            Self::Memtable(m) => {
                m.seek(key);
                Ok(())
            }
            Self::File(f) => Box::pin(f.seek(key, Seq::MAX)).await,
            Self::Level(l) => Box::pin(l.seek(key, Seq::MAX)).await,
        }
    }

    async fn seek_before(&mut self, key: &[u8]) -> Result<()> {
        match self {
            Self::Memtable(m) => {
                m.seek_before(key);
                Ok(())
            }
            Self::File(f) => f.seek_before(key, Seq::MAX).await,
            Self::Level(l) => l.seek_before(key, Seq::MAX).await,
        }
    }
}

/// See the module.
pub(crate) struct MergeCursor {
    /// Sources that stand at a version, in the order of those; the others behind.
    sources: Vec<Source>,
    /// How many stand at a version.
    live: usize,
    /// The first source left its block and must be awaited.
    waiting: bool,
    backward: bool,
}

impl MergeCursor {
    /// Over sources that have no version in common.
    pub(crate) fn new(sources: Vec<Source>) -> Self {
        Self { sources, live: 0, waiting: false, backward: false }
    }

    /// Where it stands; `None` at the end.
    #[inline]
    pub(crate) fn current(&self) -> Option<&Source> {
        debug_assert!(!self.waiting, "the step was not completed");
        if self.live == 0 { None } else { self.sources.first() }
    }

    /// To the first version of a key at or after `key`, going forward from there.
    pub(crate) async fn seek(&mut self, key: &[u8]) -> Result<()> {
        self.backward = false;
        for source in &mut self.sources {
            source.seek(key).await?;
        }
        self.arrange();
        Ok(())
    }

    /// To the last version of a key before `key`, going backward from there.
    pub(crate) async fn seek_before(&mut self, key: &[u8]) -> Result<()> {
        self.backward = true;
        for source in &mut self.sources {
            source.seek_before(key).await?;
        }
        self.arrange();
        Ok(())
    }

    #[inline]
    fn order(backward: bool, a: &Source, b: &Source) -> Ordering {
        let order = key::compare((a.key(), a.seq()), (b.key(), b.seq()));
        if backward { order.reverse() } else { order }
    }

    fn arrange(&mut self) {
        let backward = self.backward;
        self.waiting = false;
        self.sources.sort_by(|a, b| match (a.valid(), b.valid()) {
            (true, true) => Self::order(backward, a, b),
            (a, b) => b.cmp(&a),
        });
        self.live = self.sources.iter().filter(|s| s.valid()).count();
    }

    /// Puts the first source where it belongs now.
    #[inline]
    fn replace_first(&mut self) {
        if !self.sources[0].valid() {
            self.sources[..self.live].rotate_left(1);
            self.live -= 1;
            return;
        }
        let mut at = 0;
        while at + 1 < self.live
            && Self::order(self.backward, &self.sources[at + 1], &self.sources[at]).is_lt()
        {
            self.sources.swap(at, at + 1);
            at += 1;
        }
    }

    /// To the next version, if that is in memory; otherwise [`Self::complete`] must be awaited.
    #[inline]
    pub(crate) fn try_next(&mut self) -> bool {
        debug_assert!(!self.backward);
        if self.live == 0 {
            return true;
        }
        if !self.sources[0].try_next() {
            self.waiting = true;
            return false;
        }
        self.replace_first();
        true
    }

    /// Completes a step that [`Self::try_next`] could not.
    pub(crate) async fn complete(&mut self) -> Result<()> {
        if self.waiting {
            self.sources[0].advance().await?;
            self.waiting = false;
            self.replace_first();
        }
        Ok(())
    }

    /// To the version before.
    pub(crate) async fn prev(&mut self) -> Result<()> {
        debug_assert!(self.backward);
        if self.live > 0 {
            self.sources[0].prev().await?;
            self.replace_first();
        }
        Ok(())
    }
}
