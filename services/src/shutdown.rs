//! A clean and bounded end.
//!
//! A signal or a part that cannot go on *requests* the end ([`Shutdown`]); the
//! process then stops its parts one after the other under one time limit
//! ([`Stopping`]). A second signal ends the process at once: whoever sends it
//! knows that the first one was heard, and crash safety covers the rest.

use std::sync::Arc;
use std::time::Duration;

use firn_engine::{Error, ErrorKind, Result};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::time::Instant;

/// A request to end, shared by everything that must hear it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Shutdown(Arc<watch::Sender<Option<Arc<str>>>>);

impl Default for Shutdown {
    fn default() -> Self {
        Self::new()
    }
}

impl Shutdown {
    /// One that nobody has requested yet.
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(None)))
    }

    /// Requests the end. The first reason stays.
    pub fn request(&self, why: &str) {
        self.0.send_if_modified(|reason| {
            let first = reason.is_none();
            if first {
                *reason = Some(why.into());
            }
            first
        });
    }

    /// Whether it was requested.
    pub fn is_requested(&self) -> bool {
        self.0.borrow().is_some()
    }

    /// Why, if it was requested.
    pub fn reason(&self) -> Option<Arc<str>> {
        self.0.borrow().clone()
    }

    /// Completes with the reason as soon as it is requested.
    pub async fn requested(&self) -> Arc<str> {
        let mut receiver = self.0.subscribe();
        let reason = receiver.wait_for(Option::is_some).await.ok().and_then(|r| r.clone());
        match reason {
            Some(reason) => reason,
            // The sender is ours, so it lives.
            None => std::future::pending().await,
        }
    }

    /// Does `work` unless the end is requested first; then drops it, so use it
    /// only for work that may be cut off anywhere.
    ///
    /// # Errors
    /// What `work` returns, or [`ErrorKind::Unavailable`] with the reason of the end.
    pub async fn interrupts<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            // Work that is done is done.
            biased;
            done = work => done,
            why = self.requested() => {
                Err(Error::new(ErrorKind::Unavailable, format!("stopped by {why}")))
            }
        }
    }

    /// Makes SIGTERM and SIGINT request the end; a second one exits at once
    /// with 128 plus the signal's number. A thread of its own listens, so that
    /// a runtime that hangs cannot keep the process alive.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] if the system takes no handler or gives no thread.
    pub fn on_signals(&self) -> Result<()> {
        let failed = |e: std::io::Error| {
            Error::with_source(ErrorKind::Unavailable, "listening for signals", e)
        };
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_io().build().map_err(failed)?;
        let signals = {
            let _inside = runtime.enter();
            let terminate = signal(SignalKind::terminate()).map_err(failed)?;
            (terminate, signal(SignalKind::interrupt()).map_err(failed)?)
        };
        let shutdown = self.clone();
        let listen = move || runtime.block_on(shutdown.listen(signals));
        let thread = std::thread::Builder::new().name("firn-signals".to_owned());
        thread.spawn(listen).map(drop).map_err(failed)
    }

    async fn listen(self, (mut terminate, mut interrupt): (Signal, Signal)) {
        let (name, _) = next(&mut terminate, &mut interrupt).await;
        tracing::info!(signal = name, "stopping; a second signal ends the process at once");
        self.request(name);
        let (name, number) = next(&mut terminate, &mut interrupt).await;
        tracing::warn!(signal = name, "second signal: ending at once");
        std::process::exit(128 + number);
    }
}

async fn next(terminate: &mut Signal, interrupt: &mut Signal) -> (&'static str, i32) {
    tokio::select! {
        Some(()) = terminate.recv() => ("SIGTERM", SignalKind::terminate().as_raw_value()),
        Some(()) = interrupt.recv() => ("SIGINT", SignalKind::interrupt().as_raw_value()),
        else => std::future::pending().await,
    }
}

/// Stops parts in order under one limit, and remembers which were late or failed.
///
/// A part whose turn comes when little time is left still gets an eighth of
/// the limit, so that one that hangs does not rob those after it of a clean end.
/// A late part's future is dropped.
#[derive(Debug)]
pub struct Stopping {
    limit: Duration,
    deadline: Instant,
    late: Vec<&'static str>,
    failed: Option<Error>,
}

impl Stopping {
    /// Starts the clock.
    pub fn within(limit: Duration) -> Self {
        Self { limit, deadline: Instant::now() + limit, late: Vec::new(), failed: None }
    }

    /// Waits for one part to stop, as long as its share of the time lasts.
    pub async fn part(&mut self, name: &'static str, stop: impl Future<Output = Result<()>>) {
        let start = Instant::now();
        let until = self.deadline.max(start + self.limit / 8);
        match tokio::time::timeout_at(until, stop).await {
            Ok(Ok(())) => {
                tracing::debug!(part = name, seconds = start.elapsed().as_secs_f64(), "stopped");
            }
            Ok(Err(e)) => {
                tracing::error!(part = name, "stopping failed: {e}");
                // The first failure is the cause, what follows may be its effect.
                self.failed.get_or_insert(e.context(format!("stopping {name}")));
            }
            Err(_) => {
                let seconds = start.elapsed().as_secs_f64();
                tracing::error!(part = name, seconds, "did not stop in time");
                self.late.push(name);
            }
        }
    }

    /// What came of it.
    ///
    /// # Errors
    /// The first part's error; else [`ErrorKind::Unavailable`] naming the late parts.
    pub fn finish(self) -> Result<()> {
        if let Some(e) = self.failed {
            return Err(e);
        }
        if self.late.is_empty() {
            return Ok(());
        }
        let why = format!("not stopped within {:?}: {}", self.limit, self.late.join(", "));
        Err(Error::new(ErrorKind::Unavailable, why))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::{Pid, Signal as Number, getpid, kill_process};
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    #[tokio::test]
    async fn everyone_hears_the_first_reason() {
        let shutdown = Shutdown::new();
        let early = tokio::spawn({
            let shutdown = shutdown.clone();
            async move { shutdown.requested().await }
        });
        assert!(!shutdown.is_requested() && shutdown.reason().is_none());
        shutdown.request("fenced");
        shutdown.request("SIGTERM");
        assert_eq!(&*early.await.unwrap(), "fenced");
        assert_eq!(&*shutdown.requested().await, "fenced");
        assert!(shutdown.is_requested());
    }

    #[tokio::test]
    async fn a_request_cuts_work_off_but_not_what_is_done() {
        let shutdown = Shutdown::new();
        assert_eq!(shutdown.interrupts(async { Ok(1) }).await.unwrap(), 1);
        shutdown.request("SIGINT");
        assert_eq!(shutdown.interrupts(async { Ok(2) }).await.unwrap(), 2);
        let e = shutdown.interrupts(std::future::pending::<Result<()>>()).await.unwrap_err();
        assert_eq!(e.to_string(), "stopped by SIGINT");
    }

    #[tokio::test(start_paused = true)]
    async fn late_parts_are_named_and_the_others_still_stop() {
        let mut stopping = Stopping::within(Duration::from_secs(8));
        let start = Instant::now();
        stopping.part("compaction", std::future::pending()).await;
        assert_eq!(start.elapsed(), Duration::from_secs(8));
        stopping.part("http", async { Ok(()) }).await;
        stopping.part("database", std::future::pending()).await;
        assert_eq!(start.elapsed(), Duration::from_secs(9));
        let e = stopping.finish().unwrap_err();
        assert_eq!(e.to_string(), "not stopped within 8s: compaction, database");
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_failure_is_what_is_reported() {
        let mut stopping = Stopping::within(Duration::from_secs(8));
        stopping.part("a", std::future::pending()).await;
        stopping.part("b", async { Err(Error::new(ErrorKind::Fenced, "first")) }).await;
        stopping.part("c", async { Err(Error::new(ErrorKind::Internal, "second")) }).await;
        let e = stopping.finish().unwrap_err();
        assert_eq!((e.kind(), &*e.to_string()), (ErrorKind::Fenced, "stopping b: first"));
        assert!(Stopping::within(Duration::from_secs(1)).finish().is_ok());
    }

    /// Not a test by itself: the process that the next test sends signals to.
    #[test]
    fn child_that_hears_signals() {
        use std::io::Write;
        if std::env::var_os("FIRN_TEST_CHILD").is_none() {
            return;
        }
        let shutdown = Shutdown::new();
        shutdown.on_signals().unwrap();
        let mut out = std::io::stderr();
        writeln!(out, "child: {}", getpid().as_raw_nonzero()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let why = runtime.block_on(shutdown.requested());
        writeln!(out, "child: {why}").unwrap();
        // A part that never stops.
        loop {
            std::thread::park();
        }
    }

    #[test]
    fn the_first_signal_asks_and_the_second_ends_the_process() {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "shutdown::tests::child_that_hears_signals", "--nocapture"])
            .env("FIRN_TEST_CHILD", "1")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut said = || {
            let told = lines.by_ref().map(|line| line.unwrap());
            let mut ours = told.filter_map(|line| line.strip_prefix("child: ").map(str::to_owned));
            ours.next().expect("the child speaks")
        };
        let pid = Pid::from_raw(said().parse().unwrap()).unwrap();
        kill_process(pid, Number::TERM).unwrap();
        assert_eq!(said(), "SIGTERM");
        kill_process(pid, Number::INT).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(130));
    }
}
