//! Counts calls: how many, how long, how they ended.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

use http::{Request, Response};
use parking_lot::RwLock;
use tower::{Layer, Service};

use crate::metrics::{Collect, Histogram, LATENCY_BOUNDS_S, Writer};

/// Methods told apart. A peer can name any path; those past this count as `other`.
const METHODS_MAX: usize = 128;

/// The counts of one server.
#[derive(Default)]
pub(super) struct Calls {
    methods: RwLock<BTreeMap<String, Arc<Counts>>>,
    in_flight: AtomicU64,
}

struct Counts {
    refused: AtomicU64,
    seconds: Histogram,
}

impl Calls {
    fn of(&self, path: &str) -> Arc<Counts> {
        if let Some(counts) = self.methods.read().get(path) {
            return Arc::clone(counts);
        }
        let mut methods = self.methods.write();
        let path = if methods.len() < METHODS_MAX { path } else { "other" };
        let counts = methods.entry(path.to_owned()).or_insert_with(|| {
            let seconds = Histogram::new(&LATENCY_BOUNDS_S);
            Arc::new(Counts { refused: AtomicU64::new(0), seconds })
        });
        Arc::clone(counts)
    }
}

impl Collect for Arc<Calls> {
    fn collect(&self, out: &mut Writer) {
        let in_flight = self.in_flight.load(Ordering::Relaxed);
        out.gauge("firn_rpc_in_flight", "Calls that have not been answered.", &[], in_flight);
        for (path, counts) in self.methods.read().iter() {
            let method = &[("method", path.as_str())][..];
            out.histogram(
                "firn_rpc_seconds",
                "Time until a call was answered, or a stream begun.",
                method,
                &counts.seconds,
            );
            let refused = counts.refused.load(Ordering::Relaxed);
            out.counter("firn_rpc_errors_total", "Calls answered by an error.", method, refused);
        }
    }
}

/// Puts a [`Calls`] around a service.
#[derive(Clone)]
pub(super) struct Observe(pub(super) Arc<Calls>);

impl<S> Layer<S> for Observe {
    type Service = Observed<S>;

    fn layer(&self, inner: S) -> Observed<S> {
        Observed { inner, calls: Arc::clone(&self.0) }
    }
}

#[derive(Clone)]
pub(super) struct Observed<S> {
    inner: S,
    calls: Arc<Calls>,
}

/// Counts down when the call ends, also if it is dropped.
struct InFlight(Arc<Calls>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

type Answer<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

impl<S, Q, P> Service<Request<Q>> for Observed<S>
where
    S: Service<Request<Q>, Response = Response<P>>,
    S::Future: Send + 'static,
{
    type Response = Response<P>;
    type Error = S::Error;
    type Future = Answer<Response<P>, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Q>) -> Self::Future {
        let counts = self.calls.of(request.uri().path());
        self.calls.in_flight.fetch_add(1, Ordering::Relaxed);
        let in_flight = InFlight(Arc::clone(&self.calls));
        let begun = Instant::now();
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = answer.await;
            counts.seconds.observe(begun.elapsed());
            // An error without a body stands in the head.
            let failed = answer.as_ref().map_or(true, |response| {
                response.headers().get("grpc-status").is_some_and(|status| status != "0")
            });
            if failed {
                counts.refused.fetch_add(1, Ordering::Relaxed);
            }
            drop(in_flight);
            answer
        })
    }
}
