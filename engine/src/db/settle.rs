//! Bringing a space to the bottom level, where its column copies are.
//!
//! The wish is part of what the space is declared as, so it outlives whoever merges now: what
//! was committed up to a seq goes down without waiting for levels to fill.

use std::time::Duration;

use super::Db;
use crate::error::{Error, ErrorKind, Result};
use crate::manifest::SpaceOptions;
use crate::types::SpaceId;

impl Db {
    /// Brings everything of a space that is committed by now to the bottom, and waits for it.
    /// Giving up the wait leaves the wish.
    ///
    /// # Errors
    /// `Unavailable` if nothing went on for `patience`: nobody merges; otherwise as
    /// [`Self::flush`].
    pub async fn settle(&self, space: SpaceId, patience: Duration) -> Result<()> {
        self.flush(patience).await?;
        let version = self.version();
        let Some(state) = version.space(space) else { return Ok(()) };
        let settle_seq = version.flushed_seq.max(state.options.settle_seq);
        let wish = SpaceOptions { settle_seq, ..state.options.clone() };
        self.declare_space(space, wish).await?;
        loop {
            let version = self.version();
            if !version.space(space).is_some_and(|state| state.is_settling()) {
                return Ok(());
            }
            if !self.wait_for_version(version.number.next(), patience).await {
                let why = format!("nothing of {space:?} was merged for {patience:?}");
                return Err(Error::new(ErrorKind::Unavailable, why));
            }
        }
    }
}
