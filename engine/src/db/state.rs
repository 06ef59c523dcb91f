//! What reads run on: memtables and files, replaced as a whole.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};

use super::Inner;
use crate::manifest::{Lease, Version};
use crate::memtable::Memtable;
use crate::types::{ManifestVersion, Seq};
use crate::view::View;

/// Memtables and files at one moment.
#[derive(Debug)]
pub(super) struct State {
    /// The one that commits go into.
    pub(super) mem: Arc<Memtable>,
    /// Those that wait to be flushed, newest first.
    pub(super) frozen: Vec<Arc<Memtable>>,
    pub(super) view: Arc<View>,
}

/// The views that someone may still read.
#[derive(Debug, Default)]
pub(super) struct Views(VecDeque<(ManifestVersion, Weak<View>)>);

impl Views {
    fn add(&mut self, view: &Arc<View>) {
        self.0.push_back((view.version.number, Arc::downgrade(view)));
    }

    /// The oldest version in use.
    fn oldest(&mut self) -> Option<ManifestVersion> {
        while self.0.front().is_some_and(|(_, view)| view.strong_count() == 0) {
            self.0.pop_front();
        }
        self.0.front().map(|(number, _)| *number)
    }
}

impl State {
    /// Snapshots before this seq cannot be read any more. What is not in files
    /// has been dropped from nowhere.
    pub(super) fn watermark(&self) -> Seq {
        self.view.version.watermark.seq.min(self.view.version.flushed_seq)
    }

    /// All memtables, newest first.
    pub(super) fn memtables(&self) -> impl Iterator<Item = &Arc<Memtable>> {
        std::iter::once(&self.mem).chain(&self.frozen)
    }
}

impl Inner {
    /// State and seq that belong together: everything up to the seq is in the
    /// state, and nothing that the seq sees was dropped from its files.
    ///
    /// A state that is current both before and after the seq was read was
    /// current at that moment. Its memtables then hold every commit up to the
    /// seq, since a new memtable enters the state before any of its commits is
    /// published; and its files were merged under watermarks at or below what
    /// was visible then.
    #[inline]
    pub(super) fn read_point(&self) -> (arc_swap::Guard<Arc<State>>, Seq) {
        loop {
            let state = self.state.load();
            let seq = self.visible();
            if Arc::ptr_eq(&state, &self.state.load()) {
                return (state, seq);
            }
        }
    }

    /// Takes a newer version in: its files, and out go the memtables that are in them.
    pub(super) fn install(&self, version: Arc<Version>) {
        self.install_with(version, None);
    }

    /// As [`Self::install`], with a view that has some of its files open.
    pub(super) fn install_with(&self, version: Arc<Version>, ahead: Option<&View>) {
        if version.epoch > self.epoch {
            let fenced = crate::error::Error::new(
                crate::error::ErrorKind::Fenced,
                format!(
                    "{:?}: {} took it under {:?}; this writer had {:?}",
                    version.branch, version.writer, version.epoch, self.epoch
                ),
            );
            // Reads go on; the files of the newer writer are not ours to mix in.
            if self.failed.load().is_none() {
                self.fail(&fenced);
            }
            return;
        }
        {
            let mut views = self.state_change.lock();
            let state = self.state.load_full();
            if version.number <= state.view.version.number {
                return;
            }
            let known: Vec<&View> = std::iter::once(&*state.view).chain(ahead).collect();
            let view = Arc::new(View::new(version, &known, &self.pins));
            let flushed = view.version.flushed_seq;
            let keep = |m: &&Arc<Memtable>| m.last_seq() > flushed;
            let frozen = state.frozen.iter().filter(keep).cloned().collect();
            views.add(&view);
            self.state.store(Arc::new(State { mem: Arc::clone(&state.mem), frozen, view }));
        }
        self.after_state_change();
    }

    /// Freezes the memtable; the next has room for `room` bytes. Nothing may be
    /// added meanwhile, which the guard stands for.
    pub(super) fn rotate(&self, _applying: &parking_lot::MutexGuard<'_, ()>, room: usize) {
        {
            let _change = self.state_change.lock();
            let state = self.state.load_full();
            let mem = Arc::new(Memtable::new(self.options.memtable_bytes.max(room)));
            let mut frozen = state.frozen.clone();
            if !state.mem.is_empty() {
                frozen.insert(0, Arc::clone(&state.mem));
            }
            self.state.store(Arc::new(State { mem, frozen, view: Arc::clone(&state.view) }));
        }
        self.flush_wanted.notify_one();
        self.after_state_change();
    }

    fn after_state_change(&self) {
        let state = self.state.load();
        self.update_memtable_pressure(&state);
        self.update_l0_pressure(&state);
        drop(state);
        self.state_changed.notify_waiters();
    }

    pub(super) fn first_view(&self) {
        let mut views = self.state_change.lock();
        views.add(&self.state.load().view);
    }

    /// Waits until the state is as wanted.
    pub(super) async fn wait_until(&self, wanted: impl Fn(&State) -> bool) {
        loop {
            let changed = self.state_changed.notified();
            if wanted(&self.state.load()) {
                return;
            }
            changed.await;
        }
    }

    /// What this reader needs kept.
    pub(super) fn lease(&self) -> Lease {
        let oldest_seq = self.snapshots.oldest(|| self.visible());
        let mut views = self.state_change.lock();
        let current = self.state.load().view.version.number;
        let oldest_version = views.oldest().unwrap_or(current);
        Lease { oldest_seq, oldest_version }
    }
}
