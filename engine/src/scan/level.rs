//! Walks the files of a sorted level, one after the other.

use std::sync::Arc;

use crate::cache::BlockIo;
use crate::env::Env;
use crate::error::Result;
use crate::sst::cursor::{FileCursor, ScanMode};
use crate::types::Seq;
use crate::view::Level;

/// A cursor over one level; opens at most one file at a time.
pub(crate) struct LevelCursor {
    level: Arc<Level>,
    io: Arc<BlockIo>,
    env: Env,
    mode: ScanMode,
    at: usize,
    pub(crate) file: Option<FileCursor>,
}

impl LevelCursor {
    pub(crate) fn new(level: Arc<Level>, io: Arc<BlockIo>, env: Env, mode: ScanMode) -> Self {
        Self { level, io, env, mode, at: 0, file: None }
    }

    #[inline]
    pub(crate) fn valid(&self) -> bool {
        self.file.as_ref().is_some_and(FileCursor::valid)
    }

    /// Opens the `at`-th file; keeps a cursor that is open on it already.
    fn enter(&mut self, at: usize) -> Option<&mut FileCursor> {
        let file = self.level.files.get(at)?;
        let same = self.file.as_ref().is_some_and(|open| Arc::ptr_eq(open.file(), file));
        if !same {
            let (file, io) = (Arc::clone(file), Arc::clone(&self.io));
            self.file = Some(FileCursor::new(file, io, self.env.clone(), self.mode));
        }
        self.at = at;
        self.file.as_mut()
    }

    pub(crate) async fn seek(&mut self, key: &[u8], seq: Seq) -> Result<()> {
        let at = self.level.first_ending_after(key);
        match self.enter(at) {
            Some(file) => file.seek(key, seq).await?,
            None => self.file = None,
        }
        self.settle_forward().await
    }

    pub(crate) async fn seek_before(&mut self, key: &[u8], seq: Seq) -> Result<()> {
        let at = self.level.first_ending_after(key);
        match self.enter(at) {
            Some(file) => file.seek_before(key, seq).await?,
            None => match self.level.files.len().checked_sub(1).and_then(|at| self.enter(at)) {
                Some(file) => file.seek_last().await?,
                None => self.file = None,
            },
        }
        self.settle_backward().await
    }

    /// After the current file gave no more within its block.
    pub(crate) async fn enter_next_block(&mut self) -> Result<()> {
        if let Some(file) = &mut self.file {
            file.enter_next_block().await?;
        }
        self.settle_forward().await
    }

    pub(crate) async fn prev(&mut self) -> Result<()> {
        if let Some(file) = &mut self.file {
            file.prev().await?;
        }
        self.settle_backward().await
    }

    async fn settle_forward(&mut self) -> Result<()> {
        while !self.valid() && self.file.is_some() {
            match self.enter(self.at + 1) {
                Some(file) => file.seek_first().await?,
                None => self.file = None,
            }
        }
        Ok(())
    }

    async fn settle_backward(&mut self) -> Result<()> {
        while !self.valid() && self.file.is_some() {
            match self.at.checked_sub(1).and_then(|at| self.enter(at)) {
                Some(file) => file.seek_last().await?,
                None => self.file = None,
            }
        }
        Ok(())
    }
}
