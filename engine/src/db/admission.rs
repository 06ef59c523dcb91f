//! Slows writers down before anything has to stop.
//!
//! *Pressure* goes from 0 (nothing to do) to 1 (writing stops), as the worst of
//! what is behind: memtables that wait to be flushed, files of L0 that wait to
//! be merged. Between the two, writers share a rate that falls with pressure
//! and is measured, not set: about what the flushes achieve, so that pressure
//! settles where as much leaves as comes in. Writers wait for their turn in
//! order; reads, and what is already committed, never do.
//!
//! After TiKV's flow control: delay at admission, in proportion, and early,
//! instead of a cliff.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use super::Inner;
use super::state::State;
use crate::env::Instant;
use crate::error::{Error, ErrorKind, Result};
use crate::types::SpaceId;

/// Files of L0 that share keys: from here on writers are slowed down.
const L0_SOFT: f64 = 12.0;
/// Here they stop.
const L0_HARD: f64 = 36.0;

/// From here on the background rests less, and at [`L0_SOFT`] not at all.
const L0_USUAL: f64 = 5.0;

/// Slowest rate while pressure is below 1, in bytes a second.
const RATE_MIN: f64 = 256.0 * 1024.0;

/// What is assumed before the first flush was measured, in bytes a second.
const RATE_FIRST: f64 = 64.0 * 1024.0 * 1024.0;

/// See the module.
#[derive(Debug)]
pub(super) struct Admission {
    /// The worst of the parts, in millionths, for the fast path.
    pressure_ppm: AtomicU64,
    memtables_ppm: AtomicU64,
    l0_ppm: AtomicU64,
    /// When the next write may start, in the clock's nanoseconds.
    next_free: AtomicU64,
    rate: Mutex<Rate>,
}

/// What flushes achieve.
#[derive(Debug)]
struct Rate {
    bytes_per_s: f64,
    since: Instant,
}

impl Admission {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            pressure_ppm: AtomicU64::new(0),
            memtables_ppm: AtomicU64::new(0),
            l0_ppm: AtomicU64::new(0),
            next_free: AtomicU64::new(now.0),
            rate: Mutex::new(Rate { bytes_per_s: RATE_FIRST, since: now }),
        }
    }

    /// Between 0, not at all, and 1, stopped.
    pub(super) fn pressure(&self) -> f64 {
        self.pressure_ppm.load(Ordering::Relaxed) as f64 / 1e6
    }

    fn set(&self, part: &AtomicU64, pressure: f64) {
        part.store((pressure.clamp(0.0, 1.0) * 1e6) as u64, Ordering::Relaxed);
        let parts = [&self.memtables_ppm, &self.l0_ppm].map(|p| p.load(Ordering::Relaxed));
        self.pressure_ppm.store(parts[0].max(parts[1]), Ordering::Relaxed);
    }

    /// A memtable of `bytes` has been flushed.
    pub(super) fn flushed(&self, now: Instant, bytes: u64) {
        let mut rate = self.rate.lock();
        let seconds = now.since(rate.since).as_secs_f64().max(1e-3);
        rate.since = now;
        // Only while writers are held back does the time between two flushes
        // tell how fast flushing can be.
        if self.pressure_ppm.load(Ordering::Relaxed) > 0 {
            let measured = bytes as f64 / seconds;
            rate.bytes_per_s += 0.3 * (measured - rate.bytes_per_s);
        }
    }

    /// How long a write of `bytes` has to wait; `None` while writing is stopped.
    fn delay(&self, now: Instant, bytes: usize) -> Option<Duration> {
        let pressure = self.pressure();
        if pressure >= 1.0 {
            return None;
        }
        let drained = self.rate.lock().bytes_per_s;
        // Twice what drains at first, as much at a half, nearly nothing at the end.
        let rate = (drained * 2.0 * (1.0 - pressure)).max(RATE_MIN);
        let cost = (bytes as f64 / rate * 1e9) as u64;
        let mut start = 0;
        let take = |next: u64| {
            start = next.max(now.0);
            Some(start + cost)
        };
        let _ = self.next_free.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        Some(Duration::from_nanos(start - now.0))
    }
}

impl Inner {
    /// Waits until a write of `bytes` may begin.
    #[inline]
    pub(super) async fn admit(&self, bytes: usize) -> Result<()> {
        if self.admission.pressure_ppm.load(Ordering::Relaxed) == 0 {
            return Ok(());
        }
        self.admit_slowly(bytes).await
    }

    async fn admit_slowly(&self, bytes: usize) -> Result<()> {
        let start = self.env.now();
        let until = start.after(self.options.admission_wait_max);
        self.counts.delayed_writes.fetch_add(1, Ordering::Relaxed);
        let outcome = loop {
            let changed = self.state_changed.notified();
            let now = self.env.now();
            if let Some(e) = self.queue.closed() {
                break Err(e);
            }
            match self.admission.delay(now, bytes) {
                Some(delay) if delay <= until.since(now) => {
                    self.env.sleep(delay).await;
                    break Ok(());
                }
                Some(_) => break Err(self.refusal()),
                None if now >= until => break Err(self.refusal()),
                None => {
                    let _ = self.env.timeout(until.since(now), changed).await;
                }
            }
        };
        let waited = self.env.now().since(start).as_micros();
        let waited = u64::try_from(waited).unwrap_or(u64::MAX);
        self.counts.delay_us.fetch_add(waited, Ordering::Relaxed);
        outcome
    }

    fn refusal(&self) -> Error {
        let waited = self.options.admission_wait_max;
        let reason = self.pressure_reason();
        Error::new(
            ErrorKind::Unavailable,
            format!("write not admitted within {waited:?}, nothing was written: {reason}"),
        )
        .retryable()
    }

    /// How full memory is; called for every group of commits.
    pub(super) fn update_memtable_pressure(&self, state: &State) {
        let full = state.mem.bytes() as f64 / self.options.memtable_bytes as f64;
        let used = state.frozen.len() as f64 + full.min(1.0);
        // Half of them in use is as it should be: one filling, one on its way.
        let soft = self.options.memtables_max as f64 / 2.0;
        let pressure = (used - soft) / (self.options.memtables_max as f64 - soft);
        self.admission.set(&self.admission.memtables_ppm, pressure);
    }

    /// How far behind flush and compaction are; called when the files have changed.
    pub(super) fn update_l0_pressure(&self, state: &State) {
        let (files, _) = deepest_l0(state);
        let pressure = (files as f64 - L0_SOFT) / (L0_HARD - L0_SOFT);
        self.admission.set(&self.admission.l0_ppm, pressure);
        // One memtable that is being flushed is as it should be, a second is not.
        let flushes = state.frozen.len() as f64 - 1.0;
        let debt = flushes.max((files as f64 - L0_USUAL) / (L0_SOFT - L0_USUAL));
        self.env.set_background_debt(debt.clamp(0.0, 1.0));
    }

    /// Why writers are slowed down; empty if they are not.
    pub(super) fn pressure_reason(&self) -> String {
        if self.admission.pressure() == 0.0 {
            return String::new();
        }
        let state = self.state.load();
        let of = |part: &AtomicU64| part.load(Ordering::Relaxed);
        let what = if of(&self.admission.memtables_ppm) >= of(&self.admission.l0_ppm) {
            format!("{} memtables wait to be flushed", state.frozen.len())
        } else {
            let (files, space) = deepest_l0(&state);
            format!("{files} files of {space:?} wait for compaction in L0")
        };
        match self.flush_trouble.load().as_deref() {
            Some(e) => format!("{what}; flushing fails: {e}"),
            None => what,
        }
    }
}

/// The space with the most files in L0, and how many.
fn deepest_l0(state: &State) -> (usize, SpaceId) {
    let spaces = state.view.version.spaces.iter();
    spaces.map(|(id, space)| (space.l0.len(), *id)).max().unwrap_or_default()
}
