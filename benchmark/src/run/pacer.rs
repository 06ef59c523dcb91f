//! Operations at a rate, whatever the target does.
//!
//! A thread of its own lets operations go in bursts, every [`TICK`]: so many as
//! are due by then. An operation's latency counts from its tick as planned,
//! not from when a worker got to it: neither a slow target nor a late thread
//! can hide that someone had to wait (this is what "corrected for coordinated
//! omission" means).

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use firn_engine::{Error, ErrorKind, Result};
use tokio::sync::Semaphore;

use super::work::Work;

/// Time between bursts.
pub(super) const TICK: Duration = Duration::from_micros(500);

/// See the module.
#[derive(Debug)]
pub(super) struct Pacer {
    ops_per_tick: f64,
    start: OnceLock<Instant>,
    /// Operations that are due and not begun.
    due: Semaphore,
    released: AtomicU64,
    begun: AtomicU64,
}

impl Pacer {
    pub(super) fn new(ops_per_s: f64) -> Self {
        Self {
            ops_per_tick: ops_per_s * TICK.as_secs_f64(),
            start: OnceLock::new(),
            due: Semaphore::new(0),
            released: AtomicU64::new(0),
            begun: AtomicU64::new(0),
        }
    }

    /// Operations due by the end of a tick; ticks count from 1.
    fn due_by(&self, tick: u64) -> u64 {
        (tick as f64 * self.ops_per_tick) as u64
    }

    /// The tick that lets operation number `n` go.
    fn tick_of(&self, n: u64) -> u64 {
        let mut tick = ((n + 1) as f64 / self.ops_per_tick).ceil() as u64;
        // Rounding must not put an operation into a tick that had not let it go.
        while self.due_by(tick) <= n {
            tick += 1;
        }
        tick
    }

    /// Lets operations go until `stopped`; blocks this thread meanwhile.
    pub(super) fn drive(&self, stopped: impl Fn() -> bool) {
        let start = *self.start.get_or_init(Instant::now);
        let mut tick = 0u64;
        while !stopped() {
            tick += 1;
            let planned = start + tick_time(tick);
            let now = Instant::now();
            if now < planned {
                std::thread::sleep(planned - now);
            }
            let due = self.due_by(tick);
            let released = self.released.swap(due, Ordering::Relaxed);
            self.due.add_permits(usize::try_from(due - released).unwrap_or(usize::MAX));
        }
        self.due.close();
    }

    /// Waits for the next operation's turn; gives when it should have begun, or
    /// `None` when there are no more.
    pub(super) async fn turn(&self) -> Option<Instant> {
        self.due.acquire().await.ok()?.forget();
        let n = self.begun.fetch_add(1, Ordering::Relaxed);
        Some(*self.start.get()? + tick_time(self.tick_of(n)))
    }

    /// Operations that were due and never begun.
    pub(super) fn late(&self) -> u64 {
        let released = self.released.load(Ordering::Relaxed);
        released.saturating_sub(self.begun.load(Ordering::Relaxed))
    }
}

/// The pacer's thread; ends the work and waits for the thread when dropped.
pub(super) struct Pacing {
    work: Arc<Work>,
    thread: Option<JoinHandle<()>>,
}

impl Pacing {
    /// Starts to let operations go, if the work has a rate.
    ///
    /// # Errors
    /// If there is no thread for it.
    pub(super) fn start(work: &Arc<Work>) -> Result<Self> {
        let paced = Arc::clone(work);
        let body = move || {
            if let Some(pacer) = &paced.pacer {
                pacer.drive(|| paced.is_stopped());
            }
        };
        let thread = match &work.pacer {
            None => None,
            Some(_) => {
                let started = std::thread::Builder::new().name("bench-pacer".into()).spawn(body);
                Some(started.map_err(|e| {
                    Error::with_source(ErrorKind::Unavailable, "no thread for the pacer", e)
                })?)
            }
        };
        Ok(Self { work: Arc::clone(work), thread })
    }
}

impl Drop for Pacing {
    fn drop(&mut self) {
        self.work.stop();
        if let Some(thread) = self.thread.take() {
            // It panics nowhere, and there is nobody to tell.
            let _ = thread.join();
        }
    }
}

fn tick_time(tick: u64) -> Duration {
    Duration::from_nanos(tick.saturating_mul(TICK.as_nanos() as u64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;

    #[test]
    fn an_operation_belongs_to_the_tick_that_lets_it_go() {
        for rate in [0.5, 7.0, 1999.0, 2000.0, 123_456.7, 3e6] {
            let pacer = Pacer::new(rate);
            for n in (0..50).chain([1_000, 99_999, 12_345_678]) {
                let tick = pacer.tick_of(n);
                assert!(pacer.due_by(tick) > n, "{rate}/s, operation {n}");
                assert!(pacer.due_by(tick - 1) <= n, "{rate}/s, operation {n}");
            }
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn who_comes_late_is_charged_from_the_plan() {
        let pacer = std::sync::Arc::new(Pacer::new(1000.0));
        let stop = std::sync::Arc::new(AtomicBool::new(false));
        let driver = {
            let (pacer, stop) = (pacer.clone(), stop.clone());
            std::thread::spawn(move || pacer.drive(|| stop.load(Ordering::Relaxed)))
        };
        let mut last = None;
        for n in 0..100u64 {
            let intended = pacer.turn().await.unwrap();
            assert!(intended <= Instant::now());
            // Operation n is planned for the (n+1)th millisecond.
            let planned = intended.duration_since(*pacer.start.get().unwrap());
            assert_eq!(planned, Duration::from_millis(n + 1));
            assert!(last.is_none_or(|l| l < intended));
            last = Some(intended);
        }
        // Nobody takes a turn until 50 are waiting.
        while pacer.late() < 50 {
            tokio::task::yield_now().await;
        }
        let intended = pacer.turn().await.unwrap();
        assert!(intended.elapsed() >= Duration::from_millis(48));
        stop.store(true, Ordering::Relaxed);
        driver.join().unwrap();
        assert_eq!(pacer.turn().await, None);
    }
}
