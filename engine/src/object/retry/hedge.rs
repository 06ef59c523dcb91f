//! When a small read has taken so long that a second one is worth its cost.
//!
//! The threshold is the 98th percentile of what recent reads took, learnt from
//! counts in buckets a quarter of a power of two wide. Second requests come
//! out of a budget that reads fill, so that a store that is slow as a whole is
//! not sent twice the load.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use super::HedgeOptions;

const BUCKETS: usize = 128;

/// The threshold is computed anew after this many reads.
const LEARN_EVERY: u32 = 128;

/// When this many are counted, all counts are halved, so that old ones fade.
const COUNTED_MAX: u32 = 4096;

/// Second requests that may come in a row.
const BURST_MAX: u64 = 8;

#[derive(Debug)]
pub(super) struct Hedge {
    options: HedgeOptions,
    buckets: [AtomicU32; BUCKETS],
    counted: AtomicU32,
    threshold_nanos: AtomicU64,
    /// Hundredths of a second request.
    budget: AtomicU64,
}

impl Hedge {
    pub(super) fn new(options: HedgeOptions) -> Self {
        Self {
            options,
            buckets: std::array::from_fn(|_| AtomicU32::new(0)),
            counted: AtomicU32::new(0),
            // Nothing is known yet, so nothing counts as slow.
            threshold_nanos: AtomicU64::new(u64::MAX),
            budget: AtomicU64::new(0),
        }
    }

    /// Whether a read of this many bytes may be hedged.
    pub(super) fn applies(&self, bytes: u64) -> bool {
        bytes <= self.options.bytes_max && self.options.bytes_max > 0
    }

    /// After what time a read counts as slow; `None` while that is not known.
    pub(super) fn threshold(&self) -> Option<Duration> {
        let nanos = self.threshold_nanos.load(Relaxed);
        (nanos != u64::MAX).then(|| Duration::from_nanos(nanos).max(self.options.floor))
    }

    /// Counts a read.
    pub(super) fn learn(&self, took: Duration) {
        let earned = u64::from(self.options.percent_max);
        let _ =
            self.budget.fetch_update(Relaxed, Relaxed, |b| Some((b + earned).min(BURST_MAX * 100)));
        self.buckets[bucket(took)].fetch_add(1, Relaxed);
        let counted = self.counted.fetch_add(1, Relaxed) + 1;
        if counted.is_multiple_of(LEARN_EVERY) {
            self.compute();
        }
    }

    fn compute(&self) {
        let counts: Vec<u32> = self.buckets.iter().map(|b| b.load(Relaxed)).collect();
        let total: u32 = counts.iter().sum();
        let slowest = total / 50;
        let mut above = 0;
        for (index, count) in counts.iter().enumerate().rev() {
            above += count;
            if above > slowest {
                self.threshold_nanos.store(upper_nanos(index), Relaxed);
                break;
            }
        }
        if total >= COUNTED_MAX {
            for (bucket, count) in self.buckets.iter().zip(&counts) {
                bucket.fetch_sub(count / 2, Relaxed);
            }
        }
    }

    /// Takes a second request out of the budget, if it has one.
    pub(super) fn take(&self) -> bool {
        self.budget.fetch_update(Relaxed, Relaxed, |b| b.checked_sub(100)).is_ok()
    }
}

/// Buckets are quarters of powers of two of microseconds.
fn bucket(took: Duration) -> usize {
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX).max(4);
    let log = micros.ilog2();
    let quarter = (micros >> (log - 2)) & 3;
    (log as usize * 4 + quarter as usize).min(BUCKETS - 1)
}

/// The end of a bucket.
fn upper_nanos(bucket: usize) -> u64 {
    let (log, quarter) = (bucket / 4, bucket % 4);
    ((5 + quarter as u64) << log) / 4 * 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hedge() -> Hedge {
        Hedge::new(HedgeOptions {
            bytes_max: 1000,
            floor: Duration::from_millis(1),
            percent_max: 2,
        })
    }

    #[test]
    fn buckets_hold_what_they_say() {
        for micros in [4, 5, 7, 8, 63, 64, 1000, 1023, 1_000_000, 60_000_000] {
            let took = Duration::from_micros(micros);
            let upper = Duration::from_nanos(upper_nanos(bucket(took)));
            assert!(took < upper && upper <= took * 3 / 2, "{took:?} {upper:?}");
        }
    }

    #[test]
    fn slow_is_what_few_reads_are() {
        let hedge = hedge();
        assert_eq!(hedge.threshold(), None);
        for n in 0..1280 {
            hedge.learn(Duration::from_millis(if n % 100 == 0 { 500 } else { 10 }));
        }
        let threshold = hedge.threshold().unwrap();
        assert!(threshold > Duration::from_millis(10), "{threshold:?}");
        assert!(threshold < Duration::from_millis(20), "{threshold:?}");
        // The store becomes slow as a whole: soon that is not slow any more.
        (0..20_000).for_each(|_| hedge.learn(Duration::from_millis(100)));
        assert!(hedge.threshold().unwrap() > Duration::from_millis(100));
        (0..20_000).for_each(|_| hedge.learn(Duration::from_micros(50)));
        assert_eq!(hedge.threshold(), Some(Duration::from_millis(1)), "the floor");
    }

    #[test]
    fn second_requests_are_a_small_share() {
        let hedge = hedge();
        let mut taken = 0;
        for _ in 0..10_000 {
            hedge.learn(Duration::from_millis(10));
            taken += u64::from(hedge.take());
        }
        assert!((190..=200).contains(&taken), "{taken}");
        assert!(!hedge.applies(1001) && hedge.applies(1000));
    }
}
