//! Looks after threads that write records of their callers.
//!
//! Such a thread belongs to the runtime that serves connections, and may be the one that
//! waits for the network on behalf of all. While it is in the disk, another one has to do
//! that. Waking it before each record would cost what is gained by not handing the record
//! over; so this wakes one when a record takes long.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use firn_engine::{Env, TaskClass};

/// Between two looks; what arrives meanwhile waits no longer than twice this.
const LOOK: Duration = Duration::from_millis(5);

/// Looks without a record, after which nobody looks any more.
const IDLE_LOOKS: u32 = 40;

/// See the module.
#[derive(Debug)]
pub(super) struct Lookout {
    env: Env,
    begun: AtomicU64,
    ended: AtomicU64,
    /// Somebody looks.
    is_on: AtomicBool,
    /// How often another thread was woken.
    woken: AtomicU64,
}

/// A record that is being written.
pub(super) struct Lasting<'w>(&'w Lookout);

impl Drop for Lasting<'_> {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Ordering::Relaxed);
    }
}

impl Lookout {
    pub(super) fn new(env: Env) -> Arc<Self> {
        let (begun, ended, is_on, woken) = Default::default();
        Arc::new(Self { env, begun, ended, is_on, woken })
    }

    /// A record is written from now on, until what this gives is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> Lasting<'_> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        if !self.is_on.swap(true, Ordering::SeqCst) {
            let lookout = Arc::clone(self);
            let looking = async move { lookout.look().await };
            drop(self.env.spawn(TaskClass::Background, "journal lookout", looking));
        }
        Lasting(self)
    }

    async fn look(self: Arc<Self>) {
        let mut idle = 0;
        while idle < IDLE_LOOKS {
            let (begun, ended) = self.counts();
            self.env.sleep(LOOK).await;
            let now = self.counts();
            idle = if now == (begun, begun) { idle + 1 } else { 0 };
            if now == (begun, ended) && begun > ended {
                self.woken.fetch_add(1, Ordering::Relaxed);
                // Anything will do: whoever runs it looks at the network next.
                drop(self.env.spawn(TaskClass::Foreground, "look elsewhere", async {}));
            }
            if idle == IDLE_LOOKS {
                self.is_on.store(false, Ordering::SeqCst);
                // A record that began before the line above relies on this one.
                if self.begun.load(Ordering::SeqCst) != begun
                    && !self.is_on.swap(true, Ordering::SeqCst)
                {
                    idle = 0;
                }
            }
        }
    }

    fn counts(&self) -> (u64, u64) {
        (self.begun.load(Ordering::SeqCst), self.ended.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_long_write_wakes_another_thread_and_looking_ends() {
        let env = Env::simulated(1);
        let lookout = Lookout::new(env.clone());
        for round in 0..3 {
            let short = lookout.begin();
            assert!(lookout.is_on.load(Ordering::SeqCst), "round {round}");
            drop(short);
            env.sleep(LOOK * 3).await;
            assert_eq!(lookout.woken.load(Ordering::Relaxed), 2 * round, "a short one");
            let long = lookout.begin();
            env.sleep(LOOK * 7 / 2).await;
            drop(long);
            assert!(lookout.woken.load(Ordering::Relaxed) >= 2 * (round + 1), "a long one");
            lookout.woken.store(2 * (round + 1), Ordering::Relaxed);
            env.sleep(LOOK * (IDLE_LOOKS + 3)).await;
            assert!(!lookout.is_on.load(Ordering::SeqCst), "round {round}");
        }
    }
}
