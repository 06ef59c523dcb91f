//! Latencies and counts of operations, recorded by many workers at once.
//!
//! Workers record into shards, each behind a lock that is nearly always free;
//! once a second the sampler drains all of them. A histogram holds nanoseconds
//! with three digits.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hdrhistogram::Histogram;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

/// Kinds of operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Op {
    /// Puts, alone or in a batch.
    Put,
    /// Single keys read.
    Get,
    /// Ranges read.
    Scan,
}

impl Op {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Put, Self::Get, Self::Scan];

    /// As in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Put => "put",
            Self::Get => "get",
            Self::Scan => "scan",
        }
    }
}

/// Longest latency told apart; longer ones count as this.
const LATENCY_MAX_NS: u64 = 600_000_000_000;

pub(super) fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LATENCY_MAX_NS, 3).expect("bounds that are in order")
}

/// What was recorded in some stretch of time.
#[derive(Debug, Clone, Default)]
pub struct Recorded {
    histograms: [Option<Histogram<u64>>; 3],
    /// Calls, by kind.
    pub calls: [u64; 3],
    /// Keys put or got, scans done: a batch of ten puts counts ten.
    pub ops: [u64; 3],
    /// Entries that scans gave.
    pub entries: u64,
    /// Gets that found nothing.
    pub misses: u64,
    /// Reads whose bytes were checked.
    pub verified: u64,
}

impl Recorded {
    fn record(&mut self, op: Op, ops: u64, latency: Duration) {
        let slot = op as usize;
        let nanos = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX).max(1);
        self.histograms[slot].get_or_insert_with(histogram).saturating_record(nanos);
        self.calls[slot] += 1;
        self.ops[slot] += ops;
    }

    /// Adds what is in `other`.
    pub fn add(&mut self, other: &Self) {
        for slot in 0..3 {
            if let Some(more) = &other.histograms[slot] {
                let mine = self.histograms[slot].get_or_insert_with(histogram);
                mine.add(more).expect("histograms of the same bounds");
            }
            self.calls[slot] += other.calls[slot];
            self.ops[slot] += other.ops[slot];
        }
        self.entries += other.entries;
        self.misses += other.misses;
        self.verified += other.verified;
    }

    /// Empties it, keeping its memory.
    fn clear(&mut self) {
        for histogram in self.histograms.iter_mut().flatten() {
            histogram.reset();
        }
        let histograms = std::mem::take(&mut self.histograms);
        *self = Self { histograms, ..Self::default() };
    }

    /// Operations of all kinds.
    #[must_use]
    pub fn ops_total(&self) -> u64 {
        self.ops.iter().sum()
    }

    /// Latencies of one kind; `None` if there was none.
    #[must_use]
    pub fn latency(&self, op: Op) -> Option<Latency> {
        self.histograms[op as usize].as_ref().filter(|h| !h.is_empty()).map(Latency::of)
    }

    /// Latencies of all kinds together.
    #[must_use]
    pub fn latency_of_all(&self) -> Option<Latency> {
        let mut there = self.histograms.iter().flatten().filter(|h| !h.is_empty());
        let first = there.next()?;
        match there.next() {
            None => Some(Latency::of(first)),
            Some(second) => {
                let mut all = first.clone();
                for more in std::iter::once(second).chain(there) {
                    all.add(more).expect("histograms of the same bounds");
                }
                Some(Latency::of(&all))
            }
        }
    }
}

/// Percentiles in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Latency {
    /// How many were recorded.
    pub calls: u64,
    /// Average.
    pub mean_us: f64,
    /// Half were faster.
    pub p50_us: f64,
    /// 95 % were faster.
    pub p95_us: f64,
    /// 99 % were faster.
    pub p99_us: f64,
    /// 99.9 % were faster.
    pub p999_us: f64,
    /// The slowest.
    pub max_us: f64,
}

impl Latency {
    pub(super) fn of(histogram: &Histogram<u64>) -> Self {
        let at = |quantile| histogram.value_at_quantile(quantile) as f64 / 1e3;
        Self {
            calls: histogram.len(),
            mean_us: histogram.mean() / 1e3,
            p50_us: at(0.5),
            p95_us: at(0.95),
            p99_us: at(0.99),
            p999_us: at(0.999),
            max_us: histogram.max() as f64 / 1e3,
        }
    }
}

/// A shard on cache lines of its own.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Shard(Mutex<Recorded>);

/// Where workers record.
#[derive(Debug)]
pub struct Recorder {
    shards: Box<[Shard]>,
}

thread_local! {
    static THREAD: usize = {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        NEXT.fetch_add(1, Ordering::Relaxed)
    };
}

impl Recorder {
    /// A recorder for about so many threads.
    #[must_use]
    pub fn new(threads: usize) -> Self {
        let shards = threads.clamp(1, 64);
        Self { shards: (0..shards).map(|_| Shard::default()).collect() }
    }

    #[inline]
    fn shard(&self) -> &Mutex<Recorded> {
        let thread = THREAD.with(|thread| *thread);
        &self.shards[thread % self.shards.len()].0
    }

    /// Records a call that did `ops` operations.
    #[inline]
    pub fn record(&self, op: Op, ops: u64, latency: Duration) {
        self.shard().lock().record(op, ops, latency);
    }

    /// Records a get, whether it found something, and whether that was checked.
    #[inline]
    pub fn record_get(&self, latency: Duration, found: bool, verified: bool) {
        let mut shard = self.shard().lock();
        shard.record(Op::Get, 1, latency);
        shard.misses += u64::from(!found);
        shard.verified += u64::from(verified);
    }

    /// Records a scan that gave `entries` entries.
    #[inline]
    pub fn record_scan(&self, latency: Duration, entries: u64, verified: bool) {
        let mut shard = self.shard().lock();
        shard.record(Op::Scan, 1, latency);
        shard.entries += entries;
        shard.verified += u64::from(verified);
    }

    /// Operations recorded since the last drain.
    #[must_use]
    pub fn pending_ops(&self) -> u64 {
        self.shards.iter().map(|shard| shard.0.lock().ops_total()).sum()
    }

    /// Takes all that was recorded since the last drain.
    #[must_use]
    pub fn drain(&self) -> Recorded {
        let mut all = Recorded::default();
        for shard in &self.shards {
            let mut shard = shard.0.lock();
            all.add(&shard);
            shard.clear();
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_between_threads_and_drains() {
        let recorder = Recorder::new(4);
        let mut sum = Recorded::default();
        std::thread::scope(|scope| {
            for thread in 0..8u64 {
                let recorder = &recorder;
                scope.spawn(move || {
                    for i in 0..1000u64 {
                        recorder.record(Op::Put, 10, Duration::from_micros(thread + i));
                        recorder.record_get(Duration::from_nanos(500), i % 2 == 0, i % 4 == 0);
                        recorder.record_scan(Duration::from_millis(1), 7, true);
                    }
                });
            }
            for _ in 0..10 {
                sum.add(&recorder.drain());
            }
        });
        sum.add(&recorder.drain());
        assert_eq!(sum.ops, [80_000, 8_000, 8_000]);
        assert_eq!(sum.calls, [8_000; 3]);
        assert_eq!((sum.misses, sum.verified, sum.entries), (4_000, 10_000, 56_000));
        assert_eq!(sum.latency(Op::Put).map(|l| l.calls), Some(8_000));
        assert_eq!(sum.latency_of_all().map(|l| l.calls), Some(24_000));
        assert_eq!(recorder.drain().ops_total(), 0);
        assert!(recorder.drain().latency(Op::Put).is_none());
    }

    #[test]
    fn percentiles_are_right_to_a_thousandth() {
        let recorder = Recorder::new(1);
        for us in 1..=10_000u64 {
            recorder.record(Op::Get, 1, Duration::from_micros(us));
        }
        recorder.record(Op::Get, 1, Duration::from_secs(100_000));
        let latency = recorder.drain().latency(Op::Get).unwrap();
        for (got, want) in [
            (latency.p50_us, 5_000.0),
            (latency.p95_us, 9_500.0),
            (latency.p99_us, 9_900.0),
            (latency.p999_us, 9_990.0),
        ] {
            assert!((got / want - 1.0f64).abs() < 0.002, "{got}, not {want}");
        }
        assert!(latency.max_us >= 6e8, "{latency:?}");
    }
}
