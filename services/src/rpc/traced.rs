//! Calls as spans of traces: a caller names its span in the header `traceparent`, and what the
//! server does for it is within that span.

use std::task::{Context, Poll};

use firn_engine::{remote_span, trace};
use http::{Request, Response};
use tonic::metadata::{Ascii, MetadataMap, MetadataValue};
use tower::{Layer, Service};
use tracing::Instrument;
use tracing::instrument::Instrumented;

const HEADER: &str = "traceparent";

/// Names the current span, if it is one of a trace.
pub(super) fn announce(metadata: &mut MetadataMap) {
    let Some(parent) = trace::current_parent() else { return };
    if let Ok(value) = parent.to_string().parse::<MetadataValue<Ascii>>() {
        metadata.insert(HEADER, value);
    }
}

/// Makes spans around what a service does for callers that trace it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trace;

impl<S> Layer<S> for Trace {
    type Service = Traced<S>;

    fn layer(&self, inner: S) -> Traced<S> {
        Traced { inner }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Traced<S> {
    inner: S,
}

impl<S, Q, P> Service<Request<Q>> for Traced<S>
where
    S: Service<Request<Q>, Response = Response<P>>,
{
    type Response = Response<P>;
    type Error = S::Error;
    type Future = Instrumented<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Q>) -> Self::Future {
        let parent = request.headers().get(HEADER).map_or(&[][..], |value| value.as_bytes());
        let span = remote_span!(
            parent,
            "served",
            otel.kind = "server",
            // `/firn.v1.Storage/CommitFlush`, as OpenTelemetry names calls.
            otel.name = request.uri().path().trim_start_matches('/'),
        );
        span.in_scope(|| self.inner.call(request)).instrument(span.clone())
    }
}
