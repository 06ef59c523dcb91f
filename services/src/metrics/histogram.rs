//! How long things take, in buckets.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper bounds in seconds for what may take from a memory access to a slow upload.
pub const LATENCY_BOUNDS_S: [f64; 19] = [
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
    1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
];

/// Durations counted in buckets of fixed bounds; free of locks.
#[derive(Debug)]
pub struct Histogram {
    bounds_s: &'static [f64],
    /// One more than there are bounds: the last has none.
    counts: Box<[AtomicU64]>,
    sum_ns: AtomicU64,
}

impl Histogram {
    /// An empty one with these upper bounds, in seconds and ascending.
    pub fn new(bounds_s: &'static [f64]) -> Self {
        debug_assert!(bounds_s.is_sorted_by(|a, b| a < b), "bounds must ascend: {bounds_s:?}");
        let counts = (0..=bounds_s.len()).map(|_| AtomicU64::new(0)).collect();
        Self { bounds_s, counts, sum_ns: AtomicU64::new(0) }
    }

    /// Counts one.
    pub fn observe(&self, took: Duration) {
        let seconds = took.as_secs_f64();
        let bucket = self.bounds_s.partition_point(|bound| *bound < seconds);
        self.counts[bucket].fetch_add(1, Ordering::Relaxed);
        let ns = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.sum_ns.fetch_add(ns, Ordering::Relaxed);
    }

    /// Upper bounds with how many were at most that long, the last one without
    /// a bound; and the sum of all in seconds.
    pub(super) fn cumulative(&self) -> (Vec<(f64, u64)>, f64) {
        let bounds = self.bounds_s.iter().copied().chain([f64::INFINITY]);
        let mut total = 0;
        let counts = self.counts.iter().map(|count| {
            total += count.load(Ordering::Relaxed);
            total
        });
        let sum = Duration::from_nanos(self.sum_ns.load(Ordering::Relaxed)).as_secs_f64();
        (bounds.zip(counts).collect(), sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_its_bucket() {
        let histogram = Histogram::new(&[0.001, 1.0]);
        for ms in [0, 1, 2, 1000, 1001] {
            histogram.observe(Duration::from_millis(ms));
        }
        let (buckets, sum) = histogram.cumulative();
        assert_eq!(buckets, [(0.001, 2), (1.0, 4), (f64::INFINITY, 5)]);
        assert!((sum - 2.004).abs() < 1e-9, "{sum}");
    }
}
