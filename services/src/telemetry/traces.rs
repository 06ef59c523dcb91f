//! Traces as OTLP: the spans of [`firn_engine::trace`], exported in batches over gRPC.
//!
//! Spans that have ended wait in a queue of bounded length; one that finds it full is dropped
//! and counted. A task in the background takes what waits and sends it. So nobody who is
//! traced ever waits for the collector, and a collector that is away costs spans, nothing
//! else: the first failure is a warning, the next ones only count until it answers again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use firn_engine::trace::{self, TARGET, TraceParent};
use firn_engine::{Env, Error, ErrorKind, Result, Task, TaskClass};
use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState, TracerProvider,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{WithExportConfig, WithTonicConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    Sampler, SdkTracerProvider, Span as SdkSpan, SpanData, SpanExporter, SpanProcessor,
};
use tokio::sync::mpsc;
use tonic::transport::ClientTlsConfig;
use tracing::Span;
use tracing_opentelemetry::{OpenTelemetryLayer, OpenTelemetrySpanExt};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::registry::LookupSpan;

use crate::metrics::Writer;

/// Spans that wait to be exported; a few MiB.
const QUEUE_MAX: usize = 8192;
/// Spans in one request.
const BATCH_MAX: usize = 512;
/// Time in which spans gather for a request.
const GATHER: Duration = Duration::from_millis(500);
/// How long the collector may take for a request.
const EXPORT_MAX: Duration = Duration::from_secs(10);
/// How long the last spans may take at the end of the process.
const LAST_MAX: Duration = Duration::from_secs(2);

/// Which requests are traced, and where to.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceConfig {
    /// URL of the collector; `None`: there are no traces.
    pub endpoint: Option<String>,
    /// Share of the requests that are traced, 0 to 1.
    pub share: f64,
}

/// What became of the spans of this process.
#[derive(Debug)]
struct Counts {
    exported: AtomicU64,
    dropped: AtomicU64,
    failed: AtomicU64,
}

static COUNTS: Counts =
    Counts { exported: AtomicU64::new(0), dropped: AtomicU64::new(0), failed: AtomicU64::new(0) };

/// What became of the spans of this process, for a scrape.
pub(crate) fn collect(out: &mut Writer) {
    let mut count = |name, about, count: &AtomicU64| {
        out.counter(name, about, &[], count.load(Relaxed));
    };
    count("firn_spans_exported_total", "Spans that the collector took.", &COUNTS.exported);
    let dropped = "Spans that found the queue full: the collector is slow or away.";
    count("firn_spans_dropped_total", dropped, &COUNTS.dropped);
    count("firn_spans_failed_total", "Spans that could not be sent.", &COUNTS.failed);
}

/// Takes spans that have ended.
#[derive(Debug)]
struct Queue {
    spans: mpsc::Sender<SpanData>,
}

impl SpanProcessor for Queue {
    fn on_start(&self, _span: &mut SdkSpan, _cx: &Context) {}

    fn on_end(&self, span: SpanData) {
        if self.spans.try_send(span).is_err() {
            COUNTS.dropped.fetch_add(1, Relaxed);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// Names spans and takes over those of others.
struct Names;

impl trace::Exporter for Names {
    fn name_of(&self, span: &Span) -> Option<TraceParent> {
        let context = span.context();
        let context = context.span().span_context().clone();
        let name = TraceParent {
            trace: u128::from_be_bytes(context.trace_id().to_bytes()),
            span: u64::from_be_bytes(context.span_id().to_bytes()),
        };
        (context.is_valid() && context.is_sampled()).then_some(name)
    }

    fn adopt(&self, span: &Span, parent: TraceParent) {
        let (trace, of) = (TraceId::from(parent.trace), SpanId::from(parent.span));
        let parent = SpanContext::new(trace, of, TraceFlags::SAMPLED, true, TraceState::default());
        // Fails if the span is not one of ours.
        let _ = span.set_parent(Context::new().with_remote_span_context(parent));
    }
}

/// Spans on their way from who makes them to who sends them.
pub struct Traces {
    endpoint: String,
    resource: Resource,
    provider: SdkTracerProvider,
    spans: mpsc::Receiver<SpanData>,
}

impl std::fmt::Debug for Traces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Traces to {}", self.endpoint)
    }
}

impl Traces {
    /// With spans of the process `service`, sent to `endpoint` once [`Self::export`] is called.
    pub(super) fn new(service: &str, endpoint: &str) -> Self {
        let (sender, spans) = mpsc::channel(QUEUE_MAX);
        // Goes over by `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES`.
        let resource = Resource::builder_empty()
            .with_service_name(service.to_owned())
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .with_attribute(KeyValue::new("process.pid", i64::from(std::process::id())))
            .with_detector(Box::new(opentelemetry_sdk::resource::EnvResourceDetector::new()))
            .build();
        let provider = SdkTracerProvider::builder()
            // Who makes spans has chosen already.
            .with_sampler(Sampler::AlwaysOn)
            .with_resource(resource.clone())
            .with_span_processor(Queue { spans: sender })
            .build();
        Self { endpoint: endpoint.to_owned(), resource, provider, spans }
    }

    /// What makes `tracing`'s spans those of traces.
    pub(super) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: tracing::Subscriber + for<'a> LookupSpan<'a>,
    {
        OpenTelemetryLayer::new(self.provider.tracer("firn"))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_context_activation(false)
            .with_filter(Targets::new().with_target(TARGET, LevelFilter::INFO))
    }

    /// From now on requests are traced, `share` of those that nobody traces yet.
    pub(super) fn turn_on(share: f64) {
        trace::turn_on(share, Names);
    }

    /// Begins to send, from a task of `env`. Within a runtime.
    ///
    /// # Errors
    /// `BadRequest` for an endpoint that cannot be one.
    pub fn export(self, env: &Env) -> Result<Exporting> {
        let bad = |why: String| {
            Error::new(ErrorKind::BadRequest, format!("trace.endpoint {:?}: {why}", self.endpoint))
        };
        let mut builder = opentelemetry_otlp::SpanExporter::builder()
            .with_tonic()
            .with_endpoint(&self.endpoint)
            .with_timeout(EXPORT_MAX);
        if self.endpoint.starts_with("https://") {
            builder = builder.with_tls_config(ClientTlsConfig::new().with_enabled_roots());
        }
        let mut exporter = builder.build().map_err(|e| bad(e.to_string()))?;
        exporter.set_resource(&self.resource);
        let last = Arc::new(AtomicBool::new(false));
        let sending = Sending {
            env: env.clone(),
            endpoint: self.endpoint,
            exporter,
            spans: self.spans,
            last: Arc::clone(&last),
            told: false,
        };
        let task = env.spawn(TaskClass::Background, "traces", sending.run());
        Ok(Exporting { env: env.clone(), provider: self.provider, last, task })
    }
}

/// Traces that are being sent.
pub struct Exporting {
    env: Env,
    /// Its last spans end with it.
    provider: SdkTracerProvider,
    last: Arc<AtomicBool>,
    task: Task<()>,
}

impl std::fmt::Debug for Exporting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Exporting")
    }
}

impl Exporting {
    /// Sends what waits, and ends; within a bound.
    pub async fn finish(self) {
        self.last.store(true, Relaxed);
        drop(self.provider);
        let _ = self.env.timeout(LAST_MAX, self.task).await;
    }
}

struct Sending {
    env: Env,
    endpoint: String,
    exporter: opentelemetry_otlp::SpanExporter,
    spans: mpsc::Receiver<SpanData>,
    /// The process ends.
    last: Arc<AtomicBool>,
    /// Whether it was said already that the collector does not answer.
    told: bool,
}

impl Sending {
    async fn run(mut self) {
        let mut batch = Vec::with_capacity(BATCH_MAX);
        loop {
            let wait = self.env.timeout(GATHER, self.spans.recv_many(&mut batch, BATCH_MAX)).await;
            let ended = wait == Some(0);
            if !batch.is_empty() {
                self.send(std::mem::take(&mut batch)).await;
            }
            if ended || (self.last.load(Relaxed) && self.spans.is_empty()) {
                return;
            }
            if self.spans.len() < BATCH_MAX && !self.last.load(Relaxed) {
                self.env.sleep(GATHER).await;
            }
        }
    }

    async fn send(&mut self, batch: Vec<SpanData>) {
        let spans = batch.len() as u64;
        let sent = self.env.timeout(EXPORT_MAX, self.exporter.export(batch)).await;
        let why = match sent {
            Some(Ok(())) => {
                COUNTS.exported.fetch_add(spans, Relaxed);
                if std::mem::take(&mut self.told) {
                    tracing::info!(endpoint = self.endpoint, "traces are taken again");
                }
                return;
            }
            Some(Err(error)) => error.to_string(),
            None => format!("no answer within {} s", EXPORT_MAX.as_secs()),
        };
        COUNTS.failed.fetch_add(spans, Relaxed);
        if !std::mem::replace(&mut self.told, true) {
            let why = crate::exit::one_line(&why);
            tracing::warn!(endpoint = self.endpoint, why, "traces are not taken, and are lost");
        }
    }
}
