//! The outside world as the engine sees it: time, chance and tasks.
//!
//! Everything that would make two runs differ comes in through [`Env`], so a
//! whole cluster can run in one thread from one seed. `clippy.toml` forbids
//! the bare functions in this crate.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;

/// More work than this at once is not rested for: it was waiting, mostly.
const WORK_MAX: Duration = Duration::from_millis(10);

/// No pace may ask for more rest than this for each second of work.
const REST_MAX: f64 = 10.0;

/// A point in time of a [`Clock`], in nanoseconds since the clock's own start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(pub u64);

impl Instant {
    /// Time from `earlier` to `self`; zero if `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// `self` plus `duration`, at most the end of time.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(nanos))
    }
}

/// Reads and waits for time. Time here never decides safety, only waiting.
pub trait Clock: Send + Sync + 'static {
    /// Monotonic time.
    fn now(&self) -> Instant;
    /// Wall-clock time in milliseconds since 1970, for people and for the commit-time index.
    fn unix_ms(&self) -> u64;
    /// Completes after `duration`.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}

/// Source of randomness.
pub trait Random: Send + Sync + 'static {
    /// The next 64 random bits.
    fn next_u64(&self) -> u64;
}

/// Which of the two runtimes a task belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskClass {
    /// Someone is waiting for it: commits, reads.
    Foreground,
    /// Flush, compaction, garbage collection: runs at lower priority.
    Background,
}

/// Starts tasks and threads.
pub trait Spawn: Send + Sync + 'static {
    /// Runs `task` until done or until the returned handle aborts it.
    fn spawn(
        &self,
        class: TaskClass,
        name: &'static str,
        task: BoxFuture<'static, ()>,
    ) -> Box<dyn AbortTask>;

    /// Runs blocking or long computing work away from the tasks' threads.
    fn spawn_blocking(
        &self,
        class: TaskClass,
        name: &'static str,
        work: Box<dyn FnOnce() + Send>,
    ) -> BoxFuture<'static, ()>;

    /// Starts a thread of its own, for work that blocks for as long as it lives.
    ///
    /// # Errors
    /// When the system has no thread to give.
    fn spawn_thread(
        &self,
        name: &'static str,
        work: Box<dyn FnOnce() + Send>,
    ) -> std::io::Result<()>;
}

/// What [`Spawn::spawn`] returns: a way to stop the task.
pub trait AbortTask: Send + Sync {
    /// Stops the task at its next suspension point.
    fn abort(&self);
}

/// Tells background work how far to stand back for the foreground.
///
/// Priorities alone do not do it: the kernel leaves a busy thread of the
/// background alone on a core, and stacks the threads of the foreground on
/// another.
pub trait Pace: Send + Sync + 'static {
    /// How long to rest for each second of work: 0 is not at all.
    fn rest(&self) -> f64;

    /// How far the background is behind: from 0, not at all, to 1, so far that
    /// writers are slowed down and it must not rest.
    fn set_debt(&self, debt: f64);
}

/// Clock, randomness and tasks together; cheap to clone.
#[derive(Clone)]
pub struct Env {
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    spawn: Arc<dyn Spawn>,
    pace: Option<Arc<dyn Pace>>,
    one_thread: bool,
}

impl std::fmt::Debug for Env {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Env")
    }
}

impl Env {
    /// An environment from its three parts.
    pub fn new(clock: Arc<dyn Clock>, random: Arc<dyn Random>, spawn: Arc<dyn Spawn>) -> Self {
        Self { clock, random, spawn, pace: None, one_thread: false }
    }

    /// The same, with background work paced by `pace`; without, it never rests.
    #[must_use]
    pub fn with_pace(mut self, pace: Arc<dyn Pace>) -> Self {
        self.pace = Some(pace);
        self
    }

    /// The same, for a foreground of one thread: see [`Self::short_blocking`].
    #[must_use]
    pub fn with_one_thread(mut self) -> Self {
        self.one_thread = true;
        self
    }

    /// See [`Clock::now`].
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// See [`Clock::unix_ms`].
    pub fn unix_ms(&self) -> u64 {
        self.clock.unix_ms()
    }

    /// See [`Clock::sleep`].
    pub fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.clock.sleep(duration)
    }

    /// Waits for `future` at most `limit`; `None` if it was not done by then.
    pub async fn timeout<F: Future>(&self, limit: Duration, future: F) -> Option<F::Output> {
        let sleep = self.sleep(limit);
        futures::pin_mut!(future);
        match futures::future::select(future, sleep).await {
            futures::future::Either::Left((output, _)) => Some(output),
            futures::future::Either::Right(((), _)) => None,
        }
    }

    /// See [`Random::next_u64`].
    pub fn random_u64(&self) -> u64 {
        self.random.next_u64()
    }

    /// A duration chosen evenly from half of `base` up to `base`, so that
    /// parties that failed together do not retry together.
    pub fn jittered(&self, base: Duration) -> Duration {
        let nanos = u64::try_from(base.as_nanos()).unwrap_or(u64::MAX);
        let half = nanos / 2;
        Duration::from_nanos(half + self.random_u64() % (nanos - half).max(1))
    }

    /// Starts `task` and returns a handle that can be awaited, or dropped to let it run.
    pub fn spawn<F>(&self, class: TaskClass, name: &'static str, task: F) -> Task<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let abort = self.spawn.spawn(
            class,
            name,
            Box::pin(async move {
                // Nobody may be waiting any more; that is the waiter's choice.
                let _ = sender.send(task.await);
            }),
        );
        Task { name, receiver, abort }
    }

    /// Runs blocking or computing work off the tasks' threads and returns its result.
    ///
    /// `None` means that the work panicked or the runtime is shutting down.
    pub async fn blocking<T: Send + 'static>(
        &self,
        class: TaskClass,
        name: &'static str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let done = self.spawn.spawn_blocking(
            class,
            name,
            Box::new(move || {
                let _ = sender.send(work());
            }),
        );
        done.await;
        receiver.await.ok()
    }

    /// Blocking work of the foreground as short as a synced write, for which everything else
    /// that its thread does has to wait anyway. On a foreground of one thread it is done where
    /// it is asked for, once the others have had their turn: waking another thread and being
    /// woken by it takes longer. Elsewhere as [`Self::blocking`].
    pub async fn short_blocking<T: Send + 'static>(
        &self,
        name: &'static str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        if self.one_thread {
            // What goes out takes a task for the stream and one for the connection.
            for _ in 0..3 {
                self.yield_now().await;
            }
            return Some(work());
        }
        self.blocking(TaskClass::Foreground, name, work).await
    }

    /// See [`Pace::set_debt`].
    pub fn set_background_debt(&self, debt: f64) {
        if let Some(pace) = &self.pace {
            pace.set_debt(debt);
        }
    }

    /// Lets others run, after work since `since`, which is set to now. Long
    /// computations of the background call it about every millisecond.
    pub async fn give_way(&self, since: &mut Instant) {
        let rest = self.pace.as_ref().map_or(0.0, |pace| pace.rest());
        if rest > 0.0 {
            let worked = self.now().since(*since).min(WORK_MAX);
            self.sleep(worked.mul_f64(rest.min(REST_MAX))).await;
        } else {
            self.yield_now().await;
        }
        *since = self.now();
    }

    /// Lets other tasks of the runtime run.
    pub async fn yield_now(&self) {
        let mut yielded = false;
        std::future::poll_fn(|cx| {
            if std::mem::replace(&mut yielded, true) {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    /// See [`Spawn::spawn_thread`].
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub fn thread(
        &self,
        name: &'static str,
        work: impl FnOnce() + Send + 'static,
    ) -> std::io::Result<()> {
        self.spawn.spawn_thread(name, Box::new(work))
    }
}

/// A running task.
pub struct Task<T> {
    name: &'static str,
    receiver: tokio::sync::oneshot::Receiver<T>,
    abort: Box<dyn AbortTask>,
}

impl<T> Task<T> {
    /// Stops the task at its next suspension point.
    pub fn abort(&self) {
        self.abort.abort();
    }

    /// The name given at its start.
    pub fn name(&self) -> &'static str {
        self.name
    }
}

impl<T> std::fmt::Debug for Task<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Task({})", self.name)
    }
}

impl<T> Future for Task<T> {
    /// `None` if the task panicked, was aborted, or its runtime has gone.
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        Pin::new(&mut self.receiver).poll(cx).map(Result::ok)
    }
}

mod real {
    //! The real world: tokio's timers and runtimes, the system's clock.
    #![expect(clippy::disallowed_methods, reason = "the one place that implements Env")]

    use super::{AbortTask, Clock, Env, Instant, Random, Spawn, TaskClass};
    use futures::future::BoxFuture;
    use parking_lot::Mutex;
    use rand::{Rng, SeedableRng};
    use std::sync::Arc;
    use std::time::Duration;
    use tokio::runtime::Handle;

    struct SystemClock {
        start: std::time::Instant,
    }

    impl Clock for SystemClock {
        fn now(&self) -> Instant {
            let nanos = self.start.elapsed().as_nanos();
            Instant(u64::try_from(nanos).unwrap_or(u64::MAX))
        }

        fn unix_ms(&self) -> u64 {
            let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
            since.map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
        }

        fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
            Box::pin(tokio::time::sleep(duration))
        }
    }

    struct Prng(Mutex<rand::rngs::SmallRng>);

    impl Random for Prng {
        fn next_u64(&self) -> u64 {
            self.0.lock().next_u64()
        }
    }

    struct Tokio {
        foreground: Handle,
        background: Handle,
    }

    impl Tokio {
        fn of(&self, class: TaskClass) -> &Handle {
            match class {
                TaskClass::Foreground => &self.foreground,
                TaskClass::Background => &self.background,
            }
        }
    }

    impl Spawn for Tokio {
        fn spawn(
            &self,
            class: TaskClass,
            _name: &'static str,
            task: BoxFuture<'static, ()>,
        ) -> Box<dyn AbortTask> {
            Box::new(TokioTask(self.of(class).spawn(task).abort_handle()))
        }

        fn spawn_blocking(
            &self,
            class: TaskClass,
            _name: &'static str,
            work: Box<dyn FnOnce() + Send>,
        ) -> BoxFuture<'static, ()> {
            let handle = self.of(class).spawn_blocking(work);
            Box::pin(async move {
                // A panic shows as the missing result in `Env::blocking`.
                let _ = handle.await;
            })
        }

        fn spawn_thread(
            &self,
            name: &'static str,
            work: Box<dyn FnOnce() + Send>,
        ) -> std::io::Result<()> {
            std::thread::Builder::new().name(name.to_owned()).spawn(work).map(drop)
        }
    }

    struct TokioTask(tokio::task::AbortHandle);

    impl AbortTask for TokioTask {
        fn abort(&self) {
            self.0.abort();
        }
    }

    impl Env {
        /// The real environment on two tokio runtimes (which may be the same one).
        pub fn tokio(foreground: Handle, background: Handle) -> Self {
            let seed = rand::make_rng();
            Self::tokio_with(foreground, background, seed)
        }

        /// As [`Env::tokio`], with chosen randomness, for tests that print their seed.
        pub fn tokio_seeded(foreground: Handle, background: Handle, seed: u64) -> Self {
            Self::tokio_with(foreground, background, rand::rngs::SmallRng::seed_from_u64(seed))
        }

        fn tokio_with(foreground: Handle, background: Handle, rng: rand::rngs::SmallRng) -> Self {
            Self::new(
                Arc::new(SystemClock { start: std::time::Instant::now() }),
                Arc::new(Prng(Mutex::new(rng))),
                Arc::new(Tokio { foreground, background }),
            )
        }
    }
}

mod simulated {
    //! One thread, one seed, and time that passes only when nothing else can happen.
    #![expect(clippy::disallowed_methods, reason = "the other place that implements Env")]

    use super::{AbortTask, Clock, Env, Instant, Random, Spawn, TaskClass};
    use futures::future::BoxFuture;
    use parking_lot::Mutex;
    use rand::{Rng, SeedableRng};
    use std::sync::Arc;
    use std::time::Duration;

    /// 2024-01-01, where simulated wall clocks start.
    const UNIX_MS_START: u64 = 1_704_067_200_000;

    struct TokioClock(tokio::time::Instant);

    impl Clock for TokioClock {
        fn now(&self) -> Instant {
            Instant(u64::try_from(self.0.elapsed().as_nanos()).unwrap_or(u64::MAX))
        }

        fn unix_ms(&self) -> u64 {
            UNIX_MS_START + self.now().0 / 1_000_000
        }

        fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
            Box::pin(tokio::time::sleep(duration))
        }
    }

    struct Seeded(Mutex<rand::rngs::SmallRng>);

    impl Random for Seeded {
        fn next_u64(&self) -> u64 {
            self.0.lock().next_u64()
        }
    }

    struct OneThread(tokio::runtime::Handle);

    struct Running(tokio::task::AbortHandle);

    impl AbortTask for Running {
        fn abort(&self) {
            self.0.abort();
        }
    }

    impl Spawn for OneThread {
        fn spawn(
            &self,
            _class: TaskClass,
            _name: &'static str,
            task: BoxFuture<'static, ()>,
        ) -> Box<dyn AbortTask> {
            Box::new(Running(self.0.spawn(task).abort_handle()))
        }

        fn spawn_blocking(
            &self,
            _class: TaskClass,
            _name: &'static str,
            work: Box<dyn FnOnce() + Send>,
        ) -> BoxFuture<'static, ()> {
            Box::pin(async move { work() })
        }

        fn spawn_thread(
            &self,
            name: &'static str,
            _work: Box<dyn FnOnce() + Send>,
        ) -> std::io::Result<()> {
            let why = format!("a simulation has one thread, so {name} cannot have its own");
            Err(std::io::Error::new(std::io::ErrorKind::Unsupported, why))
        }
    }

    impl Env {
        /// A world that is the same for the same seed. Call it inside a
        /// current-thread tokio runtime whose time is paused.
        ///
        /// # Panics
        /// Outside a tokio runtime.
        pub fn simulated(seed: u64) -> Self {
            Self::new(
                Arc::new(TokioClock(tokio::time::Instant::now())),
                Arc::new(Seeded(Mutex::new(rand::rngs::SmallRng::seed_from_u64(seed)))),
                Arc::new(OneThread(tokio::runtime::Handle::current())),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Half;

    impl Pace for Half {
        fn rest(&self) -> f64 {
            0.5
        }

        fn set_debt(&self, _debt: f64) {}
    }

    #[tokio::test(start_paused = true)]
    async fn work_is_rested_for_in_proportion_and_waiting_is_not() {
        let env = Env::simulated(1).with_pace(Arc::new(Half));
        let mut since = env.now();
        env.sleep(Duration::from_millis(8)).await;
        let before = env.now();
        env.give_way(&mut since).await;
        assert_eq!(since.since(before), Duration::from_millis(4));
        env.sleep(Duration::from_secs(9)).await;
        let before = env.now();
        env.give_way(&mut since).await;
        assert_eq!(since.since(before), WORK_MAX / 2);
    }
}
