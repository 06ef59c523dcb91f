//! Processes: what may stop for a while, or for good.
//!
//! A process touches the world through its environment, its connections and its view of the
//! object store. All three go through its [`Gate`]: while it is paused nothing of it happens,
//! and once it is dead nothing of it ever happens again, whatever of it is still in memory.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use firn_engine::{AbortTask, Clock, Env, Instant, Random, Spawn, TaskClass};
use futures::FutureExt;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use super::trace::trace;
use super::verdict::Verdict;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Running,
    Paused,
    Dead,
}

/// Whether a process runs. Clones are the same gate.
#[derive(Debug, Clone)]
pub(crate) struct Gate(Arc<State>);

/// Not a `watch` channel: that wakes in an order by chance.
#[derive(Debug)]
struct State {
    phase: Mutex<Phase>,
    changed: Notify,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self(Arc::new(State { phase: Mutex::new(Phase::Running), changed: Notify::new() }))
    }

    fn phase(&self) -> Phase {
        *self.0.phase.lock()
    }

    /// Dead is dead.
    fn set(&self, phase: Phase) {
        let mut now = self.0.phase.lock();
        if *now != Phase::Dead {
            *now = phase;
            drop(now);
            self.0.changed.notify_waiters();
        }
    }

    pub(crate) fn pause(&self) {
        self.set(Phase::Paused);
    }

    pub(crate) fn resume(&self) {
        self.set(Phase::Running);
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.phase() == Phase::Dead
    }

    async fn reach(&self, phase: Phase) {
        loop {
            let changed = self.0.changed.notified();
            if self.phase() == phase {
                return;
            }
            changed.await;
        }
    }

    /// Until it runs; for ever if it is dead.
    pub(crate) async fn open(&self) {
        self.reach(Phase::Running).await;
    }

    /// Until it is dead.
    pub(crate) async fn dead(&self) {
        self.reach(Phase::Dead).await;
    }
}

/// A process with its environment.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) gate: Gate,
    pub(crate) env: Env,
    tasks: Arc<Mutex<Vec<AbortHandle>>>,
}

impl Process {
    pub(crate) fn start(world: &Env, verdict: &Verdict) -> Self {
        let (gate, tasks) = (Gate::new(), Arc::<Mutex<Vec<_>>>::default());
        let outside =
            Outside { world: world.clone(), gate: gate.clone(), started_ms: world.unix_ms() };
        let spawn = Spawner {
            world: world.clone(),
            gate: gate.clone(),
            tasks: Arc::clone(&tasks),
            verdict: verdict.clone(),
        };
        let clock = Arc::new(outside.clone());
        let env = Env::new(clock, Arc::new(outside), Arc::new(spawn));
        Self { gate, env, tasks }
    }

    /// As by kill -9.
    pub(crate) fn kill(&self) {
        self.gate.set(Phase::Dead);
        for task in self.tasks.lock().drain(..) {
            task.abort();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

#[derive(Clone)]
struct Outside {
    world: Env,
    gate: Gate,
    started_ms: u64,
}

/// How long a wall clock goes right, and by how much it is wrong after that at most.
const WALL_RIGHT_MS: u64 = 5_000;
const WALL_WRONG_MS: u64 = 48 * 3_600_000;

impl Clock for Outside {
    fn now(&self) -> Instant {
        self.world.now()
    }

    /// Set forward and back by hours, again and again, in every process by itself: of what
    /// is decided nothing may rest on it.
    fn unix_ms(&self) -> u64 {
        let right = self.world.unix_ms();
        let turn = (right / WALL_RIGHT_MS) ^ self.started_ms.rotate_left(32);
        let mixed = turn.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let wrong = (mixed >> 8) % (2 * WALL_WRONG_MS);
        right + wrong - WALL_WRONG_MS
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let (sleep, gate) = (self.world.sleep(duration), self.gate.clone());
        Box::pin(async move {
            sleep.await;
            gate.open().await;
        })
    }
}

impl Random for Outside {
    fn next_u64(&self) -> u64 {
        self.world.random_u64()
    }
}

struct Spawner {
    world: Env,
    gate: Gate,
    tasks: Arc<Mutex<Vec<AbortHandle>>>,
    verdict: Verdict,
}

struct Spawned(AbortHandle);

impl AbortTask for Spawned {
    fn abort(&self) {
        self.0.abort();
    }
}

impl Spawn for Spawner {
    fn spawn(
        &self,
        _class: TaskClass,
        name: &'static str,
        task: BoxFuture<'static, ()>,
    ) -> Box<dyn AbortTask> {
        let verdict = self.verdict.clone();
        trace(&self.world, || name);
        let watched = async move {
            if AssertUnwindSafe(task).catch_unwind().await.is_err() {
                verdict.fail(format!("task {name} panicked"));
            }
        };
        let gated = Gated { gate: self.gate.clone(), task: Box::pin(watched), waiting: None };
        let handle = tokio::spawn(gated).abort_handle();
        let mut tasks = self.tasks.lock();
        tasks.push(handle.clone());
        if tasks.len().is_power_of_two() {
            tasks.retain(|task| !task.is_finished());
        }
        Box::new(Spawned(handle))
    }

    fn spawn_blocking(
        &self,
        _class: TaskClass,
        _name: &'static str,
        work: Box<dyn FnOnce() + Send>,
    ) -> BoxFuture<'static, ()> {
        let gate = self.gate.clone();
        Box::pin(async move {
            gate.open().await;
            work();
        })
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

/// A task that goes on only while its process runs.
struct Gated {
    gate: Gate,
    task: BoxFuture<'static, ()>,
    waiting: Option<BoxFuture<'static, ()>>,
}

impl Future for Gated {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if let Some(waiting) = &mut self.waiting {
                ready!(waiting.as_mut().poll(cx));
                self.waiting = None;
            }
            match self.gate.phase() {
                Phase::Running => return self.task.as_mut().poll(cx),
                Phase::Dead => return Poll::Ready(()),
                Phase::Paused => {
                    let gate = self.gate.clone();
                    self.waiting = Some(Box::pin(async move { gate.open().await }));
                }
            }
        }
    }
}
