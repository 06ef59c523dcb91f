//! Spans of traces: what one request, wherever it came from, waited for in all parts.
//!
//! A trace is begun where a request comes in, for a share of the requests that is set for
//! the process, or because whoever asked traces it already. What is done for it further down
//! is a span within its span; where nothing is traced no span is made. While traces are
//! exported nowhere, each of these places costs one load of a flag.
//!
//! Spans are `tracing`'s, under a target of their own. Who exports them tells here how the
//! name of a span is found out and how a span becomes the child of one of another process
//! ([`Exporter`]); the name travels in the form of W3C's `traceparent` ([`TraceParent`]).

mod parent;

use std::fmt::Display;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use tracing::Span;

pub use parent::TraceParent;

use crate::env::Env;

/// The target of all spans of traces.
pub const TARGET: &str = "firn_trace";

static ON: AtomicBool = AtomicBool::new(false);
/// Of all 64-bit numbers, those up to this one begin a trace.
static SHARE: AtomicU64 = AtomicU64::new(0);

/// What exports spans.
pub trait Exporter: Send + Sync + 'static {
    /// How other processes call a span; `None` if it is not exported.
    fn name_of(&self, span: &Span) -> Option<TraceParent>;

    /// Makes a span that is new the child of one of another process.
    fn adopt(&self, span: &Span, parent: TraceParent);
}

static EXPORTER: OnceLock<Box<dyn Exporter>> = OnceLock::new();

/// Makes spans from now on. Of the requests that nobody traces yet, `share` (0 to 1) are.
/// Once in a process; what comes later only changes the share.
pub fn turn_on(share: f64, exporter: impl Exporter) {
    let _ = EXPORTER.set(Box::new(exporter));
    // The conversion stays within bounds, whatever comes.
    SHARE.store((share * u64::MAX as f64) as u64, Relaxed);
    ON.store(true, Relaxed);
}

/// Whether spans are made at all.
#[inline]
#[must_use]
pub fn is_on() -> bool {
    ON.load(Relaxed)
}

/// Whether a request that comes in is to be traced; by chance.
#[inline]
#[must_use]
pub fn begins(env: &Env) -> bool {
    is_on() && {
        let share = SHARE.load(Relaxed);
        share > 0 && env.random_u64() <= share
    }
}

/// The span that is current, if it is one of a trace; else one that does nothing.
#[must_use]
pub fn current() -> Span {
    if !is_on() {
        return Span::none();
    }
    let span = Span::current();
    if is_ours(&span) { span } else { Span::none() }
}

/// Whether what runs now is traced.
#[inline]
#[must_use]
pub fn is_traced() -> bool {
    is_on() && is_ours(&Span::current())
}

fn is_ours(span: &Span) -> bool {
    span.metadata().is_some_and(|metadata| metadata.target() == TARGET)
}

/// How other processes call the current span, if it is one of a trace.
#[must_use]
pub fn current_parent() -> Option<TraceParent> {
    let span = current();
    if span.is_none() { None } else { EXPORTER.get()?.name_of(&span) }
}

/// Makes `span`, which is new, the child of one of another process.
pub fn adopt(span: &Span, parent: TraceParent) {
    if let Some(exporter) = EXPORTER.get() {
        exporter.adopt(span, parent);
    }
}

/// Marks a span as failed.
pub fn failed(span: &Span, error: &dyn Display) {
    if !span.is_none() {
        span.record("otel.status_code", "ERROR");
        span.record("otel.status_description", tracing::field::display(error));
    }
}

/// A span of a trace: `new_span!(parent, "name", field = value, …)`. The parent is a span or
/// `None`; fields as `tracing` has them. Made wherever it stands: see [`child_span!`](crate::child_span)
/// and [`root_span!`](crate::root_span).
#[macro_export]
macro_rules! new_span {
    ($parent:expr, $name:literal $(, $($fields:tt)*)?) => {
        ::tracing::info_span!(
            target: "firn_trace",
            parent: $parent,
            $name,
            otel.status_code = ::tracing::field::Empty,
            otel.status_description = ::tracing::field::Empty,
            $($($fields)*)?
        )
    };
}

/// A span within the current one, or one that does nothing if that is not traced.
#[macro_export]
macro_rules! child_span {
    ($name:literal $(, $($fields:tt)*)?) => {{
        let parent = $crate::trace::current();
        if parent.is_none() {
            parent
        } else {
            $crate::new_span!(&parent, $name $(, $($fields)*)?)
        }
    }};
}

/// The first span of a trace, if this request is to be traced; else one that does nothing.
#[macro_export]
macro_rules! root_span {
    ($env:expr, $name:literal $(, $($fields:tt)*)?) => {
        if $crate::trace::begins($env) {
            $crate::new_span!(None, $name $(, $($fields)*)?)
        } else {
            ::tracing::Span::none()
        }
    };
}

/// A span within one of another process, which says so by a text of the form of
/// [`TraceParent`]; does nothing if there is no such text, or that one is not exported.
#[macro_export]
macro_rules! remote_span {
    ($traceparent:expr, $name:literal $(, $($fields:tt)*)?) => {
        match $crate::trace::TraceParent::received($traceparent) {
            Some(parent) => {
                let span = $crate::new_span!(None, $name $(, $($fields)*)?);
                $crate::trace::adopt(&span, parent);
                span
            }
            None => ::tracing::Span::none(),
        }
    };
}
