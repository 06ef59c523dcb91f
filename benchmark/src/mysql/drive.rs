//! One measurement: so many connections, on one server, for some seconds.
//!
//! The connections are tasks of a few threads, each with a runtime and a
//! histogram of its own, so that the client shares nothing and takes little of
//! the machine. All are connected and have prepared their statements before
//! the clock starts.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use firn_engine::{Error, ErrorKind, Result};
use parking_lot::Mutex;
use tokio::sync::watch;

use super::config::Protocol;
use super::connection::{Connection, Failure, Login, Statement};
use super::process;
use super::tally::Tally;
use crate::generate::mix;
use crate::measure::cpu;

/// Time between looks at the server's memory.
const LOOK: Duration = Duration::from_millis(100);
/// How long connections may take to be there.
const CONNECT_MAX: Duration = Duration::from_secs(300);

const BEFORE: u8 = 0;
const COUNTING: u8 = 1;
const OVER: u8 = 2;

/// What a connection does.
pub(crate) enum Asker {
    /// See [`super::sysbench`].
    Sysbench(super::sysbench::Worker),
    /// See [`super::shop`].
    Shop(super::shop::Worker),
    /// See [`super::tpcc`].
    Tpcc(super::tpcc::Terminal),
}

impl Asker {
    /// What kind of event comes next, if there are several.
    fn label(&self) -> Option<&'static str> {
        match self {
            Self::Sysbench(_) => None,
            Self::Shop(worker) => Some(worker.label()),
            Self::Tpcc(terminal) => Some(terminal.label()),
        }
    }

    /// How long to wait before it.
    fn pause(&mut self) -> Duration {
        match self {
            Self::Sysbench(_) | Self::Shop(_) => Duration::ZERO,
            Self::Tpcc(terminal) => terminal.pause(),
        }
    }

    async fn event(&mut self, on: &mut Connection) -> std::result::Result<(), Failure> {
        match self {
            Self::Sysbench(worker) => worker.event(on).await,
            Self::Shop(worker) => worker.event(on).await,
            Self::Tpcc(terminal) => terminal.event(on).await,
        }
    }
}

/// Makes what a connection does, by its number and its seed.
pub(crate) type AskerOf = dyn Fn(u32, u64) -> Asker + Send + Sync;

/// What is measured.
pub(crate) struct Job {
    pub(crate) login: Login,
    /// The server's process, if it is on this machine.
    pub(crate) pid: Option<u32>,
    pub(crate) schema: String,
    pub(crate) statements: Arc<[Statement]>,
    pub(crate) protocol: Protocol,
    pub(crate) threads: u32,
    pub(crate) warmup: Duration,
    pub(crate) duration: Duration,
    pub(crate) seed: u64,
    pub(crate) asker: Arc<AskerOf>,
}

/// What came of it, the warm-up left out.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) tally: Tally,
    pub(crate) elapsed: Duration,
    /// Processor time of the server; `None` if its process is not known.
    pub(crate) server_cpu: Option<Duration>,
    /// Processor time of this process: the client.
    pub(crate) client_cpu: Duration,
    /// Processor time that neither of them had.
    pub(crate) others_cpu: Duration,
    /// Resident memory of the server at its highest.
    pub(crate) resident_bytes_max: Option<u64>,
    /// Events in each second.
    pub(crate) events_by_second: Vec<u64>,
}

struct Shared {
    job: Job,
    stage: AtomicU8,
    /// Connections that are ready to ask.
    ready: AtomicU32,
    /// Events of the counting stage, for those who watch.
    events: AtomicU64,
    go: watch::Sender<bool>,
    over: watch::Sender<bool>,
    failure: Mutex<Option<Error>>,
}

impl Shared {
    fn stage(&self) -> u8 {
        self.stage.load(Ordering::Relaxed)
    }

    fn fail(&self, error: Error) {
        self.failure.lock().get_or_insert(error);
        self.end();
    }

    /// No more events.
    fn end(&self) {
        self.stage.store(OVER, Ordering::Relaxed);
        self.go.send_replace(true);
        self.over.send_replace(true);
    }
}

/// Measures.
///
/// # Errors
/// The first error of any connection that is no conflict.
pub(crate) async fn measure(job: Job) -> Result<Measured> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let clients = cores.min(job.threads as usize);
    let shared = Arc::new(Shared {
        job,
        stage: AtomicU8::new(BEFORE),
        ready: AtomicU32::new(0),
        events: AtomicU64::new(0),
        go: watch::Sender::new(false),
        over: watch::Sender::new(false),
        failure: Mutex::default(),
    });
    let mut threads = Vec::new();
    for client in 0..clients {
        let shared = Arc::clone(&shared);
        let (told, ended) = tokio::sync::oneshot::channel();
        let body = move || {
            let tally = client_thread(&shared, client as u32, clients as u32);
            // Nobody listens if the measurement was given up.
            let _ = told.send(tally);
        };
        let started = std::thread::Builder::new().name(format!("bench-client-{client}"));
        started.spawn(body).map_err(|e| {
            Error::with_source(ErrorKind::Unavailable, "no thread for the client", e)
        })?;
        threads.push(ended);
    }
    let watched = watch_over(&shared).await;
    shared.end();
    let mut tally = Tally::default();
    for ended in threads {
        match ended.await {
            Ok(part) => tally.add(&part),
            Err(_) => shared.fail(Error::new(ErrorKind::Internal, "a client thread has panicked")),
        }
    }
    let failure = shared.failure.lock().take();
    match failure {
        Some(error) => Err(error),
        None => watched.map(|watched| Measured { tally, ..watched }),
    }
}

/// Starts the clock when all are there, and stops it.
async fn watch_over(shared: &Shared) -> Result<Measured> {
    let job = &shared.job;
    let begun = Instant::now();
    while shared.ready.load(Ordering::Relaxed) < job.threads && shared.stage() != OVER {
        if begun.elapsed() > CONNECT_MAX {
            let why = format!("{} connections are not there yet", job.threads);
            return Err(Error::new(ErrorKind::Unavailable, why));
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    shared.go.send_replace(true);
    tokio::time::sleep(job.warmup).await;
    let server = || job.pid.and_then(process::cpu);
    let (start, server_before, before) = (Instant::now(), server(), cpu::now());
    if shared.stage() != OVER {
        shared.stage.store(COUNTING, Ordering::Relaxed);
    }
    let mut resident_bytes_max = None;
    let (mut events_by_second, mut counted) = (Vec::new(), 0);
    while start.elapsed() < job.duration && shared.stage() != OVER {
        let left = job.duration.saturating_sub(start.elapsed());
        tokio::time::sleep(LOOK.min(left)).await;
        resident_bytes_max = resident_bytes_max.max(job.pid.and_then(process::resident_bytes));
        if start.elapsed().as_secs() > events_by_second.len() as u64 {
            let events = shared.events.load(Ordering::Relaxed);
            events_by_second.push(events - counted);
            counted = events;
        }
    }
    shared.stage.store(OVER, Ordering::Relaxed);
    let elapsed = start.elapsed();
    let used = cpu::now().since(&before);
    let server_cpu = server().zip(server_before).map(|(now, then)| now.saturating_sub(then));
    let others_cpu = used.others().saturating_sub(server_cpu.unwrap_or_default());
    Ok(Measured {
        tally: Tally::default(),
        elapsed,
        server_cpu,
        client_cpu: used.total,
        others_cpu,
        resident_bytes_max,
        events_by_second,
    })
}

/// One thread with every `of`th connection.
fn client_thread(shared: &Arc<Shared>, first: u32, of: u32) -> Tally {
    let tally = Rc::new(RefCell::new(Tally::default()));
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(e) => {
            shared.fail(Error::with_source(ErrorKind::Unavailable, "the client's runtime", e));
            return Tally::default();
        }
    };
    let local = tokio::task::LocalSet::new();
    for number in (first..shared.job.threads).step_by(of as usize) {
        let (shared, tally) = (Arc::clone(shared), Rc::clone(&tally));
        local.spawn_local(async move {
            if let Err(error) = connection(&shared, number, &tally).await {
                shared.fail(error.context(format!("connection {number}")));
            }
        });
    }
    runtime.block_on(local);
    tally.take()
}

/// One connection from its login to its end.
async fn connection(shared: &Shared, number: u32, tally: &RefCell<Tally>) -> Result<()> {
    let job = &shared.job;
    let (mut go, mut over) = (shared.go.subscribe(), shared.over.subscribe());
    let opened =
        Connection::open(&job.login, &job.schema, Arc::clone(&job.statements), job.protocol).await;
    let mut on = opened?;
    let mut asker = (job.asker)(number, mix(job.seed, u64::from(number)));
    shared.ready.fetch_add(1, Ordering::Relaxed);
    // The sender lives as long as we do.
    let _ = go.wait_for(|go| *go).await;
    while shared.stage() != OVER {
        let (pause, label) = (asker.pause(), asker.label());
        if !pause.is_zero() {
            // Whoever waits longer than the measurement lasts is not waited for.
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = over.wait_for(|over| *over) => break,
            }
        }
        let (start, queries) = (Instant::now(), on.queries);
        loop {
            match asker.event(&mut on).await {
                Ok(()) => break,
                Err(Failure::Retry(error)) => {
                    if shared.stage() == COUNTING {
                        tally.borrow_mut().retry(error);
                    }
                    if let Err(Failure::Fatal(error)) = on.rollback().await {
                        return Err(error);
                    }
                }
                Err(Failure::Fatal(error)) => return Err(error),
            }
            if shared.stage() == OVER {
                break;
            }
        }
        if shared.stage() == COUNTING {
            tally.borrow_mut().event(label, start.elapsed(), on.queries - queries);
            shared.events.fetch_add(1, Ordering::Relaxed);
        }
    }
    on.close().await;
    Ok(())
}
