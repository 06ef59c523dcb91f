//! How much the background rests while the foreground is busy.
//!
//! A merge that runs as fast as it can takes a core for seconds, then none for
//! seconds. Spread out, the same work leaves the foreground most of every core
//! all the time. So while the foreground is busy the background works a part
//! of the time, the larger the further it is behind; an idle foreground, or
//! one that already has to wait for the background, makes it work all the time.
//!
//! After Pebble's compaction pacing and CockroachDB's elastic CPU control.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use firn_engine::Pace;
use parking_lot::Mutex;

use super::ThreadGroup;

/// Rest for each second of work, without debt, beside a busy foreground.
const REST: f64 = 1.0;

/// The foreground is busy when it uses more of all cores than this.
const BUSY_SHARE: f64 = 0.25;

/// How often the foreground is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// See the module.
#[derive(Debug)]
pub(super) struct BusyPace {
    foreground: ThreadGroup,
    cores: f64,
    debt_ppm: AtomicU64,
    last: Mutex<Look>,
}

#[derive(Debug)]
struct Look {
    at: Instant,
    used: Duration,
    busy: bool,
}

impl BusyPace {
    /// Of a background beside `foreground`, on a machine of `cores`.
    pub(super) fn new(foreground: ThreadGroup, cores: usize) -> Self {
        let last = Look { at: Instant::now(), used: Duration::ZERO, busy: false };
        Self {
            foreground,
            cores: cores.max(1) as f64,
            debt_ppm: AtomicU64::new(0),
            last: Mutex::new(last),
        }
    }

    fn busy(&self) -> bool {
        let mut last = self.last.lock();
        let since = last.at.elapsed();
        if since >= LOOK_EVERY {
            let used = self.foreground.cpu();
            let share =
                used.saturating_sub(last.used).as_secs_f64() / since.as_secs_f64() / self.cores;
            *last = Look { at: Instant::now(), used, busy: share > BUSY_SHARE };
        }
        last.busy
    }
}

impl Pace for BusyPace {
    fn rest(&self) -> f64 {
        let debt = self.debt_ppm.load(Ordering::Relaxed) as f64 / 1e6;
        if debt >= 1.0 || !self.busy() { 0.0 } else { REST * (1.0 - debt) }
    }

    fn set_debt(&self, debt: f64) {
        self.debt_ppm.store((debt.clamp(0.0, 1.0) * 1e6) as u64, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    use super::super::Runtimes;
    use super::*;

    /// Asks until the answer is as wanted.
    fn until(pace: &BusyPace, what: &str, wanted: impl Fn(f64) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !wanted(pace.rest()) {
            assert!(Instant::now() < deadline, "{what}: rest {}", pace.rest());
            std::thread::yield_now();
        }
    }

    #[test]
    fn the_background_rests_only_beside_a_busy_foreground_and_less_with_debt() {
        let runtimes = Runtimes::start(1).unwrap();
        let pace = Arc::clone(&runtimes.pace);
        until(&pace, "idle at first", |rest| rest == 0.0);
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let work = runtimes.foreground().spawn_blocking(move || {
            while !stopped.load(Ordering::Relaxed) {
                std::hint::spin_loop();
            }
        });
        until(&pace, "busy", |rest| rest == REST);
        pace.set_debt(0.5);
        until(&pace, "busy and behind", |rest| rest == REST / 2.0);
        pace.set_debt(7.0);
        until(&pace, "busy and far behind", |rest| rest == 0.0);
        pace.set_debt(0.0);
        until(&pace, "busy again", |rest| rest == REST);
        stop.store(true, Ordering::Relaxed);
        runtimes.block_on(work).unwrap();
        until(&pace, "idle again", |rest| rest == 0.0);
        runtimes.shutdown(Duration::from_secs(10)).unwrap();
    }
}
