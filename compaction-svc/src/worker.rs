//! A worker: leases, merges, heartbeats.
//!
//! Heartbeats run apart from the merges, so that slow work is not taken for
//! death. A lease that the scheduler says is lost is given up at once: its
//! reports would be refused. When asked to stop, a worker hands its shards
//! back; what they had reported stays for whoever goes on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use firn_engine::compaction::{Compaction, HEARTBEAT, LeaseToken, ShardLease};
use firn_engine::merge::{MergeContext, MergeCounts, Outcome, StopFlag, merge_shard};
use firn_engine::{Env, Error, ErrorKind, Result, Task, TaskClass};
use parking_lot::Mutex;
use tokio::sync::Notify;

/// Pause after the queue could not be reached, at first and at most.
const RETRY_FIRST: Duration = Duration::from_millis(200);
const RETRY_MAX: Duration = Duration::from_secs(10);

/// Who a worker is, and how much it does at once.
#[derive(Debug, Clone)]
pub struct WorkerOptions {
    /// Shown in the manifest's jobs, for people.
    pub name: String,
    /// Shards merged at once: one for each core that may be used up.
    pub concurrency: usize,
}

/// A running worker.
#[derive(Debug)]
pub struct Worker {
    shared: Arc<Shared>,
    tasks: Mutex<Vec<Task<()>>>,
}

struct Shared {
    env: Env,
    queue: Arc<dyn Compaction>,
    context: MergeContext,
    options: WorkerOptions,
    counts: Arc<MergeCounts>,
    running: Mutex<BTreeMap<LeaseToken, StopFlag>>,
    busy: AtomicUsize,
    /// Told when a merge has ended, or all should.
    changed: Notify,
    stopping: AtomicBool,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} with {} merges", self.options.name, self.busy.load(Ordering::Relaxed))
    }
}

impl Worker {
    /// Starts to pull work from `queue`.
    #[must_use]
    pub fn start(
        queue: Arc<dyn Compaction>,
        context: MergeContext,
        options: WorkerOptions,
    ) -> Self {
        let shared = Arc::new(Shared {
            env: context.env.clone(),
            queue,
            context,
            options,
            counts: Arc::default(),
            running: Mutex::default(),
            busy: AtomicUsize::new(0),
            changed: Notify::new(),
            stopping: AtomicBool::new(false),
        });
        let env = &shared.env;
        let tasks = vec![
            env.spawn(TaskClass::Background, "compaction-pull", pull(Arc::clone(&shared))),
            env.spawn(TaskClass::Background, "compaction-heartbeat", beat(Arc::clone(&shared))),
        ];
        Self { shared, tasks: Mutex::new(tasks) }
    }

    /// What its merges have read and written.
    #[must_use]
    pub fn counts(&self) -> &MergeCounts {
        &self.shared.counts
    }

    /// Merges running now.
    #[must_use]
    pub fn busy(&self) -> usize {
        self.shared.busy.load(Ordering::Relaxed)
    }

    /// Hands all work back and stops; what is not handed back within `limit`
    /// is left to its lease running out. Returns whether all was.
    pub async fn stop(&self, limit: Duration) -> bool {
        let shared = &self.shared;
        shared.stopping.store(true, Ordering::Release);
        for stop in shared.running.lock().values() {
            stop.stop();
        }
        let idle = async {
            loop {
                let changed = shared.changed.notified();
                if shared.busy.load(Ordering::Acquire) == 0 {
                    return;
                }
                changed.await;
            }
        };
        let handed_back = shared.env.timeout(limit, idle).await.is_some();
        for task in self.tasks.lock().drain(..) {
            task.abort();
        }
        handed_back
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::Release);
        for stop in self.shared.running.lock().values() {
            stop.stop();
        }
        for task in self.tasks.lock().drain(..) {
            task.abort();
        }
    }
}

/// Leases as many shards as there is room for, for ever.
async fn pull(shared: Arc<Shared>) {
    let mut pause = RETRY_FIRST;
    while !shared.stopping.load(Ordering::Acquire) {
        let changed = shared.changed.notified();
        let room = shared.options.concurrency - shared.busy.load(Ordering::Acquire);
        if room == 0 {
            changed.await;
            continue;
        }
        match shared.queue.lease(&shared.options.name, room).await {
            Ok(leases) => {
                pause = RETRY_FIRST;
                for lease in leases {
                    begin(&shared, lease);
                }
            }
            Err(error) => {
                tracing::warn!(%error, ?pause, "no compaction work could be leased");
                shared.env.sleep(shared.env.jittered(pause)).await;
                pause = (pause * 2).min(RETRY_MAX);
            }
        }
    }
}

fn begin(shared: &Arc<Shared>, lease: ShardLease) {
    let stop = StopFlag::default();
    if shared.stopping.load(Ordering::Acquire) {
        stop.stop();
    }
    shared.running.lock().insert(lease.token.clone(), stop.clone());
    shared.busy.fetch_add(1, Ordering::AcqRel);
    let token = lease.token.clone();
    let merge = {
        let shared = Arc::clone(shared);
        async move {
            let queue = &*shared.queue;
            merge_shard(&shared.context, &lease, queue, &stop, &shared.counts).await
        }
    };
    let merge = shared.env.spawn(TaskClass::Background, "merge", merge);
    let shared = Arc::clone(shared);
    let env = shared.env.clone();
    // A task of its own, so that a panic of the merge is seen.
    drop(env.spawn(TaskClass::Background, "merge-end", async move {
        let outcome = merge.await;
        end(&shared, &token, outcome).await;
        shared.running.lock().remove(&token);
        shared.busy.fetch_sub(1, Ordering::AcqRel);
        shared.changed.notify_waiters();
        shared.changed.notify_one();
    }));
}

/// Tells the queue how a merge ended, unless its last report did.
async fn end(shared: &Shared, token: &LeaseToken, outcome: Option<Result<Outcome>>) {
    let failure = match outcome {
        Some(Ok(Outcome::Done)) => return,
        Some(Ok(Outcome::Stopped)) => None,
        Some(Err(e)) => Some(e),
        None => Some(Error::new(ErrorKind::Internal, "the merge panicked")),
    };
    if let Some(error) = &failure {
        tracing::warn!(job = token.job, shard = token.shard, %error, "a merge failed");
    }
    let failure = failure.map(|e| e.to_string());
    // Refused if the lease is lost: then there is nothing to give back.
    if let Err(error) = shared.queue.release(token, failure).await {
        tracing::warn!(job = token.job, shard = token.shard, %error, "a shard was not handed back");
    }
}

/// Keeps the leases alive, and gives up those that are lost.
async fn beat(shared: Arc<Shared>) {
    loop {
        shared.env.sleep(HEARTBEAT).await;
        let tokens: Vec<_> = shared.running.lock().keys().cloned().collect();
        if tokens.is_empty() {
            continue;
        }
        match shared.queue.heartbeat(&tokens).await {
            Ok(lost) => {
                let running = shared.running.lock();
                for token in lost {
                    tracing::warn!(job = token.job, shard = token.shard, "a lease was lost");
                    if let Some(stop) = running.get(&token) {
                        stop.stop();
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "heartbeats did not arrive"),
        }
    }
}
