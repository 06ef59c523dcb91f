//! The small HTTP server beside every process: metrics, health, status.
//!
//! | path | answers |
//! |---|---|
//! | `/livez` | 200 as long as the foreground runtime runs tasks |
//! | `/readyz` | 200, or 503 with one line for each condition that does not hold |
//! | `/metrics` | Prometheus' text format |
//! | `/status` | JSON for people and `firn ctl` |
//!
//! It shows no data, takes no commands and has no authentication. Connections,
//! their lifetime and their headers are bounded; bodies are not read.

mod readiness;
#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use firn_engine::{Error, ErrorKind, Result};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

pub use readiness::Readiness;

use crate::metrics::Registry;

/// Connections at once; others wait in the kernel's queue.
const CONNECTIONS_MAX: usize = 64;
/// Bytes of a request's head.
const HEAD_BYTES_MAX: usize = 16 << 10;
const HEADERS_MAX: usize = 64;
/// A connection that sends no whole head for this long is closed, an idle one too.
const HEAD_WAIT_MAX: Duration = Duration::from_secs(20);
/// A connection is closed after this long whatever it does, one whose client
/// does not read its answer too.
const CONNECTION_LIFE_MAX: Duration = Duration::from_secs(120);
/// How long answers that have begun may take when the server stops.
const STOP_WAIT_MAX: Duration = Duration::from_secs(2);

/// What is served.
#[derive(Clone)]
pub struct Endpoints {
    /// `/metrics`.
    pub metrics: Registry,
    /// `/readyz`.
    pub readiness: Readiness,
    /// `/status`: runs in every request and must not block.
    pub status: Arc<dyn Fn() -> serde_json::Value + Send + Sync>,
}

impl std::fmt::Debug for Endpoints {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoints").field("readiness", &self.readiness).finish_non_exhaustive()
    }
}

/// Limits that tests make smaller.
#[derive(Debug, Clone, Copy)]
struct Limits {
    connections: usize,
    head_wait: Duration,
    connection_life: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: CONNECTIONS_MAX,
            head_wait: HEAD_WAIT_MAX,
            connection_life: CONNECTION_LIFE_MAX,
        }
    }
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    /// Listens on `address` (port 0: any that is free) and serves on the
    /// current runtime.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] if the address cannot be listened on.
    pub async fn start(address: SocketAddr, endpoints: Endpoints) -> Result<Self> {
        Self::start_with(address, endpoints, Limits::default()).await
    }

    async fn start_with(address: SocketAddr, endpoints: Endpoints, limits: Limits) -> Result<Self> {
        let failed = |e: std::io::Error| {
            let doing = format!("listening on http_listen {address}");
            Error::with_source(ErrorKind::Unavailable, doing, e)
        };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(accept(listener, endpoints, limits, stopped));
        tracing::info!(%address, "serving metrics and health");
        Ok(Self { address, stop, task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more connections, lets answers that have begun end, and closes
    /// the rest after two seconds.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] if the server's task had panicked.
    pub async fn stop(self) -> Result<()> {
        self.stop.send_replace(true);
        let ended = self.task.await;
        ended.map_err(|e| Error::with_source(ErrorKind::Internal, "the HTTP server's task", e))
    }
}

async fn accept(
    listener: TcpListener,
    endpoints: Endpoints,
    limits: Limits,
    mut stopped: watch::Receiver<bool>,
) {
    let slots = Arc::new(Semaphore::new(limits.connections));
    let mut connections = JoinSet::new();
    loop {
        let next = async {
            // The semaphore is never closed.
            let slot = Arc::clone(&slots).acquire_owned().await.ok();
            (slot, listener.accept().await)
        };
        let (slot, accepted) = tokio::select! {
            () = requested(&mut stopped) => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
            next = next => next,
        };
        match accepted {
            Ok((stream, _)) => {
                let serving = serve(stream, endpoints.clone(), limits, stopped.clone());
                connections.spawn(async move {
                    serving.await;
                    drop(slot);
                });
            }
            Err(e) => {
                // Mostly no descriptors: trying again at once would only burn the core.
                tracing::warn!("accepting an HTTP connection: {e}");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    drop(listener);
    let all_ended = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(STOP_WAIT_MAX, all_ended).await.is_err() {
        connections.shutdown().await;
    }
}

/// Completes when the server is to stop, or its handle was dropped.
async fn requested(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

async fn serve(
    stream: TcpStream,
    endpoints: Endpoints,
    limits: Limits,
    mut stopped: watch::Receiver<bool>,
) {
    let service = service_fn(move |request| {
        let response = answer(&endpoints, &request);
        async move { Ok::<_, Infallible>(response) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_wait)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let life = tokio::time::sleep(limits.connection_life);
    tokio::pin!(life);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = &mut life => return,
        () = requested(&mut stopped) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(e) = ended {
        // A client that went away or spoke nonsense is its own concern.
        tracing::debug!("an HTTP connection ended: {e}");
    }
}

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const METRICS: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

fn answer(endpoints: &Endpoints, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        let mut refused = response(StatusCode::METHOD_NOT_ALLOWED, TEXT, "only GET and HEAD\n");
        refused.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return refused;
    }
    match request.uri().path() {
        "/livez" => response(StatusCode::OK, TEXT, "ok\n"),
        "/readyz" => {
            let reasons = endpoints.readiness.reasons();
            if reasons.is_empty() {
                return response(StatusCode::OK, TEXT, "ok\n");
            }
            let lines = reasons.iter().map(|(name, why)| {
                let why = crate::exit::one_line(why);
                format!("{name}: {why}\n")
            });
            response(StatusCode::SERVICE_UNAVAILABLE, TEXT, lines.collect::<String>())
        }
        "/metrics" => response(StatusCode::OK, METRICS, endpoints.metrics.render()),
        "/status" => {
            let mut text = format!("{:#}", (endpoints.status)());
            text.push('\n');
            response(StatusCode::OK, JSON, text)
        }
        _ => {
            let known = "there are /livez, /readyz, /metrics and /status\n";
            response(StatusCode::NOT_FOUND, TEXT, known)
        }
    }
}

fn response(
    status: StatusCode,
    content_type: HeaderValue,
    body: impl Into<Bytes>,
) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
