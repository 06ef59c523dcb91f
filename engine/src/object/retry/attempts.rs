//! The tries of one request: counted, timed, limited and spaced.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use object_store::Result;
use object_store::path::Path;
use tracing::{Instrument, Span};

use super::{Backoff, Core};
use crate::env::{Env, Instant};
use crate::object::error::{Cause, StoreError, cause_of, with_remark};
use crate::object::stats::RequestKind;
use crate::{child_span, trace};

/// The tries of one request.
pub(super) struct Attempts {
    core: Arc<Core>,
    kind: RequestKind,
    path: Path,
    /// Bytes that each try sends.
    sends: u64,
    /// Bytes that each try moves, for its time limit.
    moves: u64,
    started: Instant,
    tries: u32,
    throttled: u32,
    /// Whether a try that failed may have been carried out.
    ambiguous: bool,
}

impl Attempts {
    pub(super) fn new(core: &Arc<Core>, kind: RequestKind, path: &Path) -> Self {
        Self {
            core: Arc::clone(core),
            kind,
            path: path.clone(),
            sends: 0,
            moves: 0,
            started: core.env.now(),
            tries: 0,
            throttled: 0,
            ambiguous: false,
        }
    }

    /// Each try sends this many bytes.
    pub(super) fn sending(mut self, bytes: u64) -> Self {
        (self.sends, self.moves) = (bytes, bytes);
        self
    }

    /// Each try fetches this many bytes.
    pub(super) fn fetching(mut self, bytes: u64) -> Self {
        self.moves = bytes;
        self
    }

    pub(super) fn is_ambiguous(&self) -> bool {
        self.ambiguous
    }

    /// One request to the store, in a trace.
    fn span(&self) -> Span {
        child_span!(
            "object store request",
            otel.kind = "client",
            otel.name = %format_args!("object store {}", self.kind.as_str()),
            object = %self.path,
            sent_bytes = self.sends,
            repeats = self.tries + self.throttled,
        )
    }

    /// Makes one try. What does not answer in time is dropped.
    pub(super) async fn once<T>(&self, request: impl Future<Output = Result<T>>) -> Result<T> {
        let core = &self.core;
        core.pressure.wait(&core.env).await;
        // Never closed; and without it the request is merely not limited.
        let _permit = core.in_flight.acquire().await.ok();
        core.stats.request(self.kind, self.sends);
        let started = core.env.now();
        let limit = core.options.try_time(self.kind, self.moves);
        let span = self.span();
        let reply = core.env.timeout(limit, request).instrument(span.clone()).await;
        let reply = reply.unwrap_or_else(|| {
            let what = format!("{} ms", limit.as_millis());
            Err(StoreError::new(Cause::Timeout, what).at("retried", &self.path))
        });
        if let Err(error) = &reply {
            trace::failed(&span, error);
        }
        let cause = reply.as_ref().err().map(cause_of);
        let throttled = cause == Some(Cause::Throttled);
        core.pressure.heard(throttled, &core.options.throttled);
        let took = core.env.now().since(started);
        core.stats.reply(self.kind, took, cause.is_some(), throttled);
        reply
    }

    /// After a try failed: waits until the next one may be made, or gives the
    /// error back if there is to be none.
    pub(super) async fn again(&mut self, e: object_store::Error) -> Result<()> {
        let cause = cause_of(&e);
        self.ambiguous |= cause.is_ambiguous();
        if !cause.is_transient() {
            return Err(e);
        }
        let options = &self.core.options;
        let limits = options.limits(self.kind);
        let elapsed = self.core.env.now().since(self.started);
        let (pause, more) = if cause == Cause::Throttled {
            self.throttled += 1;
            let pause = self.core.env.jittered(options.throttled.pause(self.throttled));
            (pause, elapsed + pause < options.throttled_time)
        } else {
            self.tries += 1;
            let pause = self.core.env.jittered(options.backoff.pause(self.tries));
            (pause, self.tries < limits.tries && elapsed + pause < limits.time)
        };
        if !more {
            let made = self.tries + self.throttled;
            if made == 1 {
                return Err(e);
            }
            let remark = format!("gave up after {made} tries in {} ms", elapsed.as_millis());
            return Err(with_remark(&e, &self.path, cause, &remark));
        }
        tracing::debug!(
            kind = self.kind.as_str(), path = %self.path, error = %e, ?pause, "request repeated"
        );
        self.core.stats.retry(self.kind);
        self.core.env.sleep(pause).await;
        Ok(())
    }

    /// Something came through, so that limits count anew.
    pub(super) fn progress(&mut self) {
        (self.tries, self.throttled) = (0, 0);
        self.started = self.core.env.now();
    }
}

/// How hard the store pushes back, shared by all requests: while it refuses
/// some, all others wait a little too, in proportion.
#[derive(Debug, Default)]
pub(super) struct Pressure {
    pause_nanos: AtomicU64,
}

impl Pressure {
    async fn wait(&self, env: &Env) {
        let pause = self.pause_nanos.load(Relaxed);
        if pause > 0 {
            env.sleep(Duration::from_nanos(env.random_u64() % pause)).await;
        }
    }

    /// Doubles the pause when refused, takes a sixteenth off when not. Exactness
    /// under races does not matter.
    fn heard(&self, throttled: bool, backoff: &Backoff) {
        let pause = self.pause_nanos.load(Relaxed);
        if throttled {
            let nanos = |d: Duration| u64::try_from(d.as_nanos()).unwrap_or(u64::MAX);
            let raised = pause.saturating_mul(2).max(nanos(backoff.first) / 8);
            self.pause_nanos.store(raised.min(nanos(backoff.max) / 4), Relaxed);
        } else if pause > 0 {
            let lowered = pause - pause / 16;
            self.pause_nanos.store(if lowered < 1_000_000 { 0 } else { lowered }, Relaxed);
        }
    }
}
