//! Two tokio runtimes: one for what somebody waits for, one for the rest.
//!
//! Threads of the background run at a lower priority, so that the kernel gives
//! them what the foreground leaves, and rest while the foreground is busy (see
//! [`pace`]); each has as many workers as the process has cores, but for a process that does
//! one thing after the other ([`Runtimes::start_single`]). Both count the processor time of
//! their threads.

mod pace;

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};
use std::time::Duration;

use firn_engine::{Env, Error, ErrorKind, Result};
use parking_lot::Mutex;
use tokio::runtime::{Builder, Handle, Runtime};

use self::pace::BusyPace;

/// Niceness of background threads: against a busy foreground thread on the same
/// core they get about a tenth of it.
pub const BACKGROUND_NICE: i32 = 10;

/// Threads for blocking calls that a runtime starts at most.
const BLOCKING_THREADS_MAX: usize = 128;

/// Stack of a thread, bytes; only what is used takes memory. The tallest expression that
/// is parsed (`max_height` of the parser's options) has to be bound and computed on it.
const STACK_BYTES: usize = if cfg!(debug_assertions) { 128 << 20 } else { 16 << 20 };

/// How long an idle thread for blocking calls is kept.
const BLOCKING_KEEP_ALIVE: Duration = Duration::from_secs(10);

/// The two runtimes of a process. End it with [`Runtimes::shutdown`]; if it is
/// only dropped, running tasks are left behind at once.
#[derive(Debug)]
pub struct Runtimes {
    /// `None` only while it is dropped.
    running: Option<(Runtime, Runtime)>,
    groups: [ThreadGroup; 2],
    pace: Arc<BusyPace>,
    single: bool,
}

impl Runtimes {
    /// Starts both, each with `workers` threads (at least one).
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] if the system gives no threads.
    pub fn start(workers: usize) -> Result<Self> {
        Self::start_with(workers, false)
    }

    /// As [`Runtimes::start`], with a foreground of one thread, which does short blocking work
    /// by itself ([`Env::short_blocking`]): for a process whose every step waits for the one
    /// before, and which would spend its time waking threads.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] if the system gives no threads.
    pub fn start_single(workers: usize) -> Result<Self> {
        Self::start_with(workers, true)
    }

    fn start_with(workers: usize, single: bool) -> Result<Self> {
        let foremost = if single { 1 } else { workers };
        let groups = [ThreadGroup::new("foreground"), ThreadGroup::new("background")];
        let [foreground, background] = &groups;
        let running = (
            build(foremost, "firn-fg", 0, foreground.clone())?,
            build(workers, "firn-bg", BACKGROUND_NICE, background.clone())?,
        );
        let pace = Arc::new(BusyPace::new(foreground.clone(), workers));
        Ok(Self { running: Some(running), groups, pace, single })
    }

    fn running(&self) -> &(Runtime, Runtime) {
        self.running.as_ref().expect("runtimes are taken out only when dropped")
    }

    /// Where tasks run that somebody waits for.
    pub fn foreground(&self) -> &Handle {
        self.running().0.handle()
    }

    /// Where flush, compaction and garbage collection run.
    pub fn background(&self) -> &Handle {
        self.running().1.handle()
    }

    /// The engine's view of them, with the system's clock and randomness.
    pub fn env(&self) -> Env {
        let pace: Arc<dyn firn_engine::Pace> = Arc::clone(&self.pace) as _;
        let env = Env::tokio(self.foreground().clone(), self.background().clone()).with_pace(pace);
        if self.single { env.with_one_thread() } else { env }
    }

    /// Runs `future` on the calling thread, in the foreground runtime.
    ///
    /// # Panics
    /// Inside a runtime.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.running().0.block_on(future)
    }

    /// Threads of foreground and background, for metrics.
    pub fn thread_groups(&self) -> &[ThreadGroup; 2] {
        &self.groups
    }

    /// Stops both: tasks end at their next suspension point, and blocking calls
    /// are waited for no longer than `limit` in sum. Call it outside a runtime,
    /// after the parts were stopped.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] naming the group whose threads had not ended
    /// by then; they are left behind.
    pub fn shutdown(mut self, limit: Duration) -> Result<()> {
        let Some((foreground, background)) = self.running.take() else { return Ok(()) };
        let start = std::time::Instant::now();
        let mut late = Vec::new();
        // The background is the one that may be long; what it leaves of the
        // time, and at least a quarter, is the foreground's.
        let share = limit / 4 * 3;
        let [foreground_group, background_group] = &self.groups;
        background_group.stop(background, share, &mut late);
        let rest = limit.saturating_sub(start.elapsed());
        foreground_group.stop(foreground, rest, &mut late);
        if late.is_empty() {
            return Ok(());
        }
        let why = format!("{} threads had not ended after {limit:?}", late.join(" and "));
        Err(Error::new(ErrorKind::Unavailable, why))
    }
}

impl Drop for Runtimes {
    fn drop(&mut self) {
        // Dropping a runtime would wait without a bound, or panic inside another.
        if let Some((foreground, background)) = self.running.take() {
            background.shutdown_background();
            foreground.shutdown_background();
        }
    }
}

fn build(workers: usize, name: &'static str, nice: i32, group: ThreadGroup) -> Result<Runtime> {
    let stopping = group.clone();
    Builder::new_multi_thread()
        .worker_threads(workers.max(1))
        .max_blocking_threads(BLOCKING_THREADS_MAX)
        .thread_keep_alive(BLOCKING_KEEP_ALIVE)
        .thread_name(name)
        .thread_stack_size(STACK_BYTES)
        .on_thread_start(move || group.enter(nice))
        .on_thread_stop(move || stopping.leave())
        .enable_all()
        .build()
        .map_err(|e| {
            let doing = format!("starting the threads of {name}");
            Error::with_source(ErrorKind::Unavailable, doing, e)
        })
}

/// The threads of one runtime and the processor time they have used.
#[derive(Debug, Clone)]
pub struct ThreadGroup {
    name: &'static str,
    inner: Arc<GroupInner>,
}

#[derive(Debug, Default)]
struct GroupInner {
    members: Mutex<Members>,
    /// What was reported last: a counter must not go back.
    reported_ns: AtomicU64,
    /// What the kernel made of the niceness, 0 if it refused.
    nice: AtomicI32,
}

#[derive(Debug, Default)]
struct Members {
    threads: std::collections::BTreeSet<i32>,
    /// Of threads that have ended.
    ended_ns: u64,
}

impl ThreadGroup {
    fn new(name: &'static str) -> Self {
        Self { name, inner: Arc::default() }
    }

    /// `foreground` or `background`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Threads now.
    pub fn threads(&self) -> usize {
        self.inner.members.lock().threads.len()
    }

    /// The niceness of its threads.
    pub fn nice(&self) -> i32 {
        self.inner.nice.load(Ordering::Relaxed)
    }

    /// Processor time of all its threads, those that have ended included. Never goes back.
    pub fn cpu(&self) -> Duration {
        let members = self.inner.members.lock();
        // Under the lock, so that a thread that ends meanwhile is counted once.
        let live = members.threads.iter().map(|thread| thread_cpu_ns(*thread));
        let now = members.ended_ns + live.sum::<u64>();
        let before = self.inner.reported_ns.fetch_max(now, Ordering::Relaxed);
        Duration::from_nanos(now.max(before))
    }

    fn stop(&self, runtime: Runtime, limit: Duration, late: &mut Vec<&'static str>) {
        let start = std::time::Instant::now();
        runtime.shutdown_timeout(limit);
        // A thread signs off a moment after tokio stopped to wait for it, so
        // within the limit nobody is late.
        if start.elapsed() >= limit && self.threads() > 0 {
            late.push(self.name);
        }
    }

    fn enter(&self, nice: i32) {
        let thread = rustix::thread::gettid();
        if nice != 0 {
            // For Linux the "process" 0 is the calling thread. It refuses no one
            // who steps back; should it, the thread runs as important as others.
            let set = rustix::process::setpriority_process(None, nice)
                .and_then(|()| rustix::process::getpriority_process(None));
            self.inner.nice.store(set.unwrap_or(0), Ordering::Relaxed);
        }
        self.inner.members.lock().threads.insert(thread.as_raw_nonzero().get());
    }

    fn leave(&self) {
        let thread = rustix::thread::gettid();
        let used = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        let ns = used.tv_sec.unsigned_abs() * 1_000_000_000 + used.tv_nsec.unsigned_abs();
        let mut members = self.inner.members.lock();
        if members.threads.remove(&thread.as_raw_nonzero().get()) {
            members.ended_ns += ns;
        }
    }
}

/// Processor time of a thread of this process, in nanoseconds; 0 if the kernel does not say.
fn thread_cpu_ns(thread: i32) -> u64 {
    let read = |name: &str| std::fs::read_to_string(format!("/proc/self/task/{thread}/{name}"));
    let exact = read("schedstat").ok().and_then(|text| text.split(' ').next()?.parse::<u64>().ok());
    if let Some(ns) = exact.filter(|ns| *ns > 0) {
        return ns;
    }
    let in_ticks = || {
        let stat = read("stat").ok()?;
        let mut fields = stat.rsplit_once(") ")?.1.split(' ').skip(11);
        let user: u64 = fields.next()?.parse().ok()?;
        let system: u64 = fields.next()?.parse().ok()?;
        let hertz = rustix::param::clock_ticks_per_second().max(1);
        Some((user + system).saturating_mul(1_000_000_000 / hertz))
    };
    in_ticks().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use firn_engine::TaskClass;

    fn burn(limit: Duration) -> u64 {
        let start = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        let mut x = 1_u64;
        loop {
            for _ in 0..10_000 {
                x = std::hint::black_box(x.wrapping_mul(6_364_136_223_846_793_005) + 1);
            }
            let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
            let ns = (now.tv_sec - start.tv_sec) * 1_000_000_000 + (now.tv_nsec - start.tv_nsec);
            if Duration::from_nanos(ns.unsigned_abs()) >= limit {
                return x;
            }
        }
    }

    fn nice_here() -> i32 {
        rustix::process::getpriority_process(None).unwrap()
    }

    #[test]
    fn background_threads_step_back_and_others_do_not() {
        let runtimes = Runtimes::start(1).unwrap();
        let before = nice_here();
        let env = runtimes.env();
        let (fg, bg, blocking) = runtimes.block_on(async {
            let fg = env.spawn(TaskClass::Foreground, "nice", async { nice_here() }).await;
            let bg = env.spawn(TaskClass::Background, "nice", async { nice_here() }).await;
            (fg, bg, env.blocking(TaskClass::Background, "nice", nice_here).await)
        });
        assert_eq!(fg, Some(before));
        assert_eq!(bg, Some(BACKGROUND_NICE));
        assert_eq!(blocking, Some(BACKGROUND_NICE));
        assert_eq!(nice_here(), before, "the caller's own thread is as it was");
        assert_eq!(
            runtimes.thread_groups().each_ref().map(ThreadGroup::nice),
            [0, BACKGROUND_NICE]
        );
        runtimes.shutdown(Duration::from_secs(10)).unwrap();
    }

    #[test]
    fn processor_time_goes_to_the_group_that_used_it() {
        let runtimes = Runtimes::start(1).unwrap();
        let env = runtimes.env();
        let used = Duration::from_millis(60);
        let [foreground, background] = runtimes.thread_groups().clone();
        runtimes.block_on(async {
            let work = move || burn(used);
            env.blocking(TaskClass::Background, "burn", work).await.unwrap();
        });
        assert!(background.cpu() >= used, "{:?}", background.cpu());
        assert!(foreground.cpu() < used, "{:?}", foreground.cpu());
        runtimes.shutdown(Duration::from_secs(10)).unwrap();
    }

    #[test]
    fn processor_time_of_threads_that_have_ended_is_kept() {
        let runtimes = Runtimes::start(1).unwrap();
        let used = Duration::from_millis(60);
        let [_, background] = runtimes.thread_groups().clone();
        let work = runtimes.background().spawn_blocking(move || burn(used));
        runtimes.block_on(work).unwrap();
        // Not asked before, so that nothing is remembered from then.
        runtimes.shutdown(Duration::from_secs(10)).unwrap();
        let deadline = std::time::Instant::now() + Duration::from_secs(10);
        while background.threads() > 0 && std::time::Instant::now() < deadline {
            std::thread::yield_now();
        }
        assert_eq!(background.threads(), 0);
        assert!(background.cpu() >= used, "{:?}", background.cpu());
    }

    #[test]
    fn shutdown_is_bounded_and_names_who_is_late() {
        let runtimes = Runtimes::start(1).unwrap();
        let (release, wait) = std::sync::mpsc::channel::<()>();
        let (entered, inside) = std::sync::mpsc::channel::<()>();
        runtimes.background().spawn_blocking(move || {
            entered.send(()).unwrap();
            let _ = wait.recv();
        });
        inside.recv().unwrap();
        let e = runtimes.shutdown(Duration::from_secs(1)).unwrap_err().to_string();
        assert_eq!(e, "background threads had not ended after 1s");
        drop(release);
    }

    #[test]
    fn runtimes_may_be_dropped_inside_a_runtime() {
        let outer = Runtimes::start(1).unwrap();
        outer.block_on(async { drop(Runtimes::start(1).unwrap()) });
    }
}
