//! What the workers of one phase share.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use firn_engine::Error;
use parking_lot::Mutex;

use super::pacer::Pacer;
use crate::config::{Config, Kind, Mix, Phase, Verify};
use crate::generate::{Chooser, Cursors, Values, mix};
use crate::measure::Recorder;

/// One phase's operations, and where they are recorded.
#[derive(Debug)]
pub struct Work {
    pub(super) kind: Kind,
    pub(super) seed: u64,
    pub(super) tasks: u32,
    pub(super) batch: u32,
    pub(super) scan_entries: u32,
    pub(super) mix: Mix,
    pub(super) verify: Verify,
    pub(super) key_bytes: usize,
    pub(super) values: Values,
    pub(super) chooser: Chooser,
    pub(super) cursors: Cursors,
    /// The first so many keys are known to be there.
    pub(super) loaded: u64,
    /// Operations after which the phase ends.
    pub(super) ops_max: Option<u64>,
    pub(super) pacer: Option<Pacer>,
    pub(super) recorder: Recorder,
    /// Processor time of callers' threads that have ended, in nanoseconds.
    pub(super) ended_callers_ns: AtomicU64,
    stop: AtomicBool,
    failure: Mutex<Option<Error>>,
}

impl Work {
    /// The work of the phase at `place`. `loaded` keys are there; `rate` is
    /// operations in a second.
    #[must_use]
    pub(super) fn new(
        config: &Config,
        place: usize,
        phase: &Phase,
        loaded: u64,
        rate: Option<f64>,
    ) -> Self {
        let keys = phase.keys.unwrap_or(config.data.keys);
        let mix_of = |put: f64, get: f64, scan: f64| Mix { put, get, scan };
        let ops = phase.ops.unwrap_or(u64::MAX);
        let cursors = Cursors::default();
        cursors.newest.store(loaded, Ordering::Relaxed);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            kind: phase.kind,
            // The same phase asks the same of every target.
            seed: mix(config.seed, place as u64),
            tasks: phase.tasks,
            batch: phase.batch,
            scan_entries: phase.scan_entries,
            mix: match phase.kind {
                Kind::Get => mix_of(0.0, 1.0, 0.0),
                Kind::Scan => mix_of(0.0, 0.0, 1.0),
                Kind::Mixed => phase.mix.unwrap_or(mix_of(0.5, 0.5, 0.0)),
                _ => mix_of(1.0, 0.0, 0.0),
            },
            verify: phase.verify,
            key_bytes: config.data.key_bytes,
            values: Values::new(config.data.style(), config.data.value_bytes, config.seed),
            // Which keys are popular is the same in all phases.
            chooser: Chooser::new(phase.distribution, keys, phase.theta, config.seed),
            cursors,
            loaded,
            ops_max: match phase.kind {
                Kind::Load => Some(keys),
                _ => (ops < u64::MAX).then_some(ops),
            },
            pacer: rate.map(Pacer::new),
            recorder: Recorder::new(4 * cores),
            ended_callers_ns: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            failure: Mutex::default(),
        }
    }

    /// Operations under way at once.
    #[must_use]
    pub fn tasks(&self) -> u32 {
        self.tasks
    }

    /// Whether workers shall end.
    #[inline]
    pub(super) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Ends the phase with an error; the first one counts.
    pub(super) fn fail(&self, error: Error) {
        self.failure.lock().get_or_insert(error);
        self.stop();
    }

    pub(super) fn failure(&self) -> Option<Error> {
        self.failure.lock().clone()
    }

    /// Takes up to `want` numbers of the sequence; the first, and how many.
    #[inline]
    pub(super) fn claim(&self, want: u64) -> Option<(u64, u64)> {
        let first = self.cursors.next.fetch_add(want, Ordering::Relaxed);
        match self.ops_max {
            Some(max) if first >= max => None,
            Some(max) => Some((first, want.min(max - first))),
            None => Some((first, want)),
        }
    }

    /// How many of the first keys are there when the phase has ended well.
    pub(super) fn loaded_after(&self) -> u64 {
        let keys = match (self.kind, self.chooser.is_sequential()) {
            (Kind::Load, _) => self.ops_max.unwrap_or(0),
            (Kind::Put, true) => {
                let claimed = self.cursors.next.load(Ordering::Relaxed);
                claimed.min(self.ops_max.unwrap_or(claimed)).min(self.chooser.keys())
            }
            (Kind::Put | Kind::Mixed, false) => self.cursors.newest.load(Ordering::Relaxed),
            _ => 0,
        };
        keys.max(self.loaded)
    }
}
