//! The process that is killed: opens the database, checks that everything it
//! should hold is there, then writes until its end.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::os::fd::FromRawFd;
use std::sync::Arc;
use std::time::Duration;

use firn_engine::{Db, ErrorKind, Result, Seq};
use firn_services::config::LogFormat;
use firn_services::telemetry;
use parking_lot::Mutex;

use super::order::{Order, Report};
use super::plan::{COUNTERS, Plan, SPACE};

/// How long a clean end may take.
const CLOSE_MAX: Duration = Duration::from_secs(60);

/// Where reports go: the pipe to the parent. Each is one `write`, so a kill
/// never cuts one in half.
#[derive(Clone)]
struct Pipe(Arc<Mutex<std::fs::File>>);

impl Pipe {
    fn to_parent() -> Self {
        // SAFETY: descriptor 1 is the pipe that the parent has set up, open for
        // the whole life of this process, and nothing here closes it: the file
        // is never dropped before the process ends.
        Self(Arc::new(Mutex::new(unsafe { std::fs::File::from_raw_fd(1) })))
    }

    fn say(&self, report: &Report) {
        let mut line = serde_json::to_vec(report).expect("a report can be encoded");
        line.push(b'\n');
        if self.0.lock().write_all(&line).is_err() {
            // The parent is gone: nobody would notice what happens from here on.
            std::process::exit(3);
        }
    }
}

/// Runs what the parent ordered; does not return.
pub(super) fn run(order: Order) -> ! {
    let pipe = Pipe::to_parent();
    // Standard error is a file that the parent shows if something is wrong.
    telemetry::init("info,foyer=warn", LogFormat::Text).expect("nobody logs yet");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let code = match runtime.block_on(live(order, pipe.clone())) {
        Ok(()) => 0,
        Err(why) => {
            pipe.say(&Report::Broken { why });
            1
        }
    };
    std::process::exit(code)
}

async fn live(order: Order, pipe: Pipe) -> std::result::Result<(), String> {
    let local = order.open().await.map_err(|e| format!("opening: {e:?}"))?;
    let db = local.db();
    for (task, expected) in order.tasks.iter().enumerate() {
        let plan = Plan { seed: order.seed, task: task as u8 };
        let steps = check(db, plan, expected.acked, expected.begun).await?;
        pipe.say(&Report::Verified { task, steps });
        let (db, pipe) = (Arc::clone(db), pipe.clone());
        tokio::spawn(write(db, pipe, plan, task, steps));
    }
    pipe.say(&Report::Ready);
    let Some(limit) = order.close_after_ms else {
        return std::future::pending().await;
    };
    tokio::time::sleep(Duration::from_millis(limit)).await;
    match local.close(CLOSE_MAX).await {
        Ok(()) => Ok(()),
        // What the faults may do; everything acknowledged is in the journal.
        Err(e) if order.faults && e.kind() != ErrorKind::Corrupt => Ok(()),
        Err(e) => Err(format!("closing: {e:?}")),
    }
}

/// Writes one step after the other.
async fn write(db: Arc<Db>, pipe: Pipe, plan: Plan, task: usize, done: u64) {
    for step in done + 1.. {
        let batch = plan.batch(step).expect("a batch within the limits");
        pipe.say(&Report::Begun { task, step });
        loop {
            let written = match plan.large(step) {
                Some(writes) => write_large(&db, writes).await,
                None => db.write(&batch).await,
            };
            match written {
                Ok(_) => break,
                // Not admitted, so nothing happened.
                Err(e) if e.kind() == ErrorKind::Unavailable && db.failure().is_none() => {}
                // Closed, or it is not known what happened: the next life will see.
                Err(e) => return pipe.say(&Report::Ended { task, why: e.to_string() }),
            }
        }
        pipe.say(&Report::Acked { task, step });
    }
}

/// Writes to files, of which one has what the other one overwrites, and commits them.
async fn write_large(db: &Db, writes: BTreeMap<Vec<u8>, Option<Vec<u8>>>) -> Result<Seq> {
    let wrong: Vec<_> = writes.keys().map(|key| (SPACE, &key[..], Some(&b"wrong"[..]))).collect();
    let right: Vec<_> =
        writes.iter().map(|(key, value)| (SPACE, &key[..], value.as_deref())).collect();
    let runs = [Arc::new(db.store_run(1, &wrong).await?), Arc::new(db.store_run(2, &right).await?)];
    let run = db.merge_runs(3, &runs, &BTreeSet::new()).await?;
    drop(runs);
    db.commit_run(run).await
}

/// Checks that a task's data are what some number of steps, from `acked` to
/// `begun`, leaves, and gives the number.
async fn check(db: &Db, plan: Plan, acked: u64, begun: u64) -> std::result::Result<u64, String> {
    let what = format!("task {} with {acked} acknowledged and {begun} begun", plan.task);
    let failed = |e: firn_engine::Error| format!("{what}: {e:?}");
    let mut counters = Vec::new();
    for n in 0..COUNTERS {
        let value = db.get(SPACE, &plan.counter(n)).await.map_err(failed)?;
        counters.push(value.map_or(0, |v| u64::from_le_bytes(v[..].try_into().expect("8 bytes"))));
    }
    let steps = counters[0];
    if counters.iter().any(|c| *c != steps) {
        return Err(format!("{what}: a batch is half there: counters are {counters:?}"));
    }
    if steps < acked || steps > begun {
        return Err(format!("{what}: found {steps}"));
    }
    let mut scan = db.scan_prefix(SPACE, &plan.log_prefix()).await.map_err(failed)?;
    let found = scan.collect(usize::MAX).await.map_err(failed)?;
    let want = plan.rows_after(steps);
    for (found, want) in found.iter().zip(&want) {
        if (&found.0[..], &found.1[..]) != (&want.0[..], &want.1[..]) {
            return Err(format!("{what}: after {steps} steps row {:?} is wrong", want.0));
        }
    }
    if found.len() != want.len() {
        return Err(format!("{what}: {} rows instead of {}", found.len(), want.len()));
    }
    for (key, value) in want.iter().step_by(17) {
        let got = db.get(SPACE, key).await.map_err(failed)?;
        if got.as_deref() != Some(value) {
            return Err(format!("{what}: get of {key:?} differs from the scan"));
        }
    }
    Ok(steps)
}
