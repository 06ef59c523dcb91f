//! Measuring within a bounded time.

use std::time::{Duration, Instant};

/// The least time of one call of `work` in nanoseconds, over as many rounds as
/// `budget` allows for, five at least. A round is long enough for the clock.
pub(crate) fn least(budget: Duration, mut work: impl FnMut()) -> f64 {
    const ROUND: Duration = Duration::from_micros(200);
    let mut round = |calls: u32| {
        let start = Instant::now();
        for _ in 0..calls {
            work();
        }
        start.elapsed()
    };
    let mut calls = 1_u32;
    while calls < 1 << 24 && round(calls) < ROUND {
        calls *= 2;
    }
    let (mut best, mut rounds) = (Duration::MAX, 0);
    let start = Instant::now();
    while rounds < 5 || start.elapsed() < budget {
        best = best.min(round(calls));
        rounds += 1;
    }
    best.as_nanos() as f64 / f64::from(calls)
}
