//! Calls with a deadline, made again where that helps.
//!
//! A call is tried until it succeeds, its error says that trying again cannot help, its
//! deadline is over, or the retry budget is empty. The budget is shared by all calls of a
//! caller and fills with what succeeds, so that an outage is not met with several times the
//! load (Finagle's `RetryBudget`). Pauses grow twofold and are random between half and
//! all of that, so that callers that failed together do not come back together.

use std::future::Future;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use firn_engine::{Env, Error, ErrorKind, Result, child_span, trace};
use tonic::{Response, Status};
use tracing::Instrument;

use super::peers::{Peer, Peers};
use super::status::{Repeat, from_status};

/// Pause before the first try after a failure, and the longest.
const PAUSE_FIRST: Duration = Duration::from_millis(10);
const PAUSE_MAX: Duration = Duration::from_secs(1);
/// What a retry costs and a success gives, in thousandths, and how much is kept at most.
const RETRY_COST: i64 = 1000;
const SUCCESS_GAIN: i64 = 100;
const BUDGET_MAX: i64 = 100 * RETRY_COST;
/// After so long without an answer somebody is told what is waited for.
const TOLD_AFTER: Duration = Duration::from_secs(5);
/// Time of a try within a longer deadline: then another server may be asked.
const TRY_MAX: Duration = Duration::from_secs(5);

/// One kind of call.
#[derive(Debug, Clone, Copy)]
pub struct Method {
    /// For errors: what is being done.
    pub what: &'static str,
    /// Whether it may be made twice.
    pub repeat: Repeat,
    /// All tries together may take this long.
    pub deadline: Duration,
}

/// Calls to one kind of server.
#[derive(Debug)]
pub struct Caller {
    env: Env,
    peers: Peers,
    budget: AtomicI64,
}

impl Caller {
    /// Calls to `peers`.
    #[must_use]
    pub fn new(env: Env, peers: Peers) -> Self {
        Self { env, peers, budget: AtomicI64::new(BUDGET_MAX) }
    }

    /// Who is called.
    #[must_use]
    pub fn peers(&self) -> &Peers {
        &self.peers
    }

    /// Makes a call: `call` is given a connection and how long the try may take, and is
    /// called once for each try.
    ///
    /// # Errors
    /// The last try's error, with the address asked in front. `Unavailable` and retryable,
    /// or `OutcomeUnknown` for a call that may not be made twice, when the deadline is over.
    pub async fn call<T, F>(&self, method: Method, call: impl Fn(Peer, Duration) -> F) -> Result<T>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        self.call_at(method, |_, peer, limit| call(peer, limit)).await
    }

    /// As [`Self::call`], where `call` is given the address as well.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub async fn call_at<T, F>(
        &self,
        method: Method,
        call: impl Fn(&str, Peer, Duration) -> F,
    ) -> Result<T>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let begun = self.env.now();
        let mut pause = PAUSE_FIRST;
        let mut told = false;
        loop {
            let error = match self.try_once(method, &call, begun).await {
                Ok(answer) => {
                    self.gain();
                    return Ok(answer);
                }
                Err(error) => error.context(method.what),
            };
            let left = method.deadline.saturating_sub(self.env.now().since(begun));
            // What may have happened is not made to happen twice.
            let again = error.is_retryable() && error.kind() != ErrorKind::OutcomeUnknown;
            if !again || left <= pause || !self.spend() {
                return Err(error);
            }
            if !told && method.deadline - left >= TOLD_AFTER {
                told = true;
                tracing::warn!(%error, for_s = left.as_secs(), "trying again");
            }
            self.env.sleep(self.jittered(pause)).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    async fn try_once<T, F>(
        &self,
        method: Method,
        call: &impl Fn(&str, Peer, Duration) -> F,
        begun: firn_engine::Instant,
    ) -> Result<T>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let (address, peer) = self.peers.current().await?;
        let left = method.deadline.saturating_sub(self.env.now().since(begun));
        let limit = match method.repeat {
            Repeat::Safe => left.min(TRY_MAX),
            Repeat::Unsafe => left,
        };
        let span = child_span!(
            "call",
            otel.kind = "client",
            otel.name = method.what,
            server.address = address,
        );
        // The call names its span when it is made, which may be before it is first polled.
        let made = span.in_scope(|| call(&address, peer, limit)).instrument(span.clone());
        let Some(answer) = self.env.timeout(limit, made).await else {
            self.peers.failed(&address).await;
            let why = format!("{address}: no answer within {} ms", limit.as_millis());
            trace::failed(&span, &why);
            return Err(match method.repeat {
                Repeat::Safe => Error::new(ErrorKind::Unavailable, why).retryable(),
                Repeat::Unsafe => Error::new(ErrorKind::OutcomeUnknown, why),
            });
        };
        match answer {
            Ok(response) => Ok(response.into_inner()),
            Err(status) => {
                let error = from_status(&status, &address, method.repeat);
                trace::failed(&span, &error);
                if matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::OutcomeUnknown) {
                    self.peers.failed(&address).await;
                }
                Err(error)
            }
        }
    }

    fn jittered(&self, pause: Duration) -> Duration {
        let half = pause / 2;
        let nanos = u64::try_from(half.as_nanos()).unwrap_or(u64::MAX).max(1);
        half + Duration::from_nanos(self.env.random_u64() % nanos)
    }

    fn gain(&self) {
        // A budget that overshoots by a few callers does no harm.
        if self.budget.load(Ordering::Relaxed) < BUDGET_MAX {
            self.budget.fetch_add(SUCCESS_GAIN, Ordering::Relaxed);
        }
    }

    fn spend(&self) -> bool {
        let spend = |budget: i64| (budget >= RETRY_COST).then_some(budget - RETRY_COST);
        self.budget.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spend).is_ok()
    }
}
