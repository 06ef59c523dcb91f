//! What was found to be wrong, by whoever looks.

use std::fmt::Display;
use std::sync::Arc;

use parking_lot::Mutex;

/// The first thing that was found. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Verdict(Arc<Mutex<Option<String>>>);

impl Verdict {
    pub(crate) fn fail(&self, what: impl Display) {
        self.0.lock().get_or_insert_with(|| what.to_string());
    }

    pub(crate) fn check(&self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.fail(what());
        }
    }

    pub(crate) fn found(&self) -> Option<String> {
        self.0.lock().clone()
    }
}
