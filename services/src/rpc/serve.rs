//! A server of one or more contracts.
//!
//! From the outside in: counting, load shedding (a call over the limit is refused at once,
//! as one to make again), the token, the caller's deadline and span, then the service. Health
//! (`grpc.health.v1`) and reflection answer beside it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use firn_engine::watch;
use firn_engine::{Error, ErrorKind, Result};
use futures::StreamExt;
use tokio::task::JoinHandle;
use tonic::service::{InterceptorLayer, Routes, RoutesBuilder};
use tonic::transport::{Certificate, Identity, Server as Transport, ServerTlsConfig};
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;
use tower::limit::GlobalConcurrencyLimitLayer;
use tower::load_shed::LoadShedLayer;

use super::Trust;
use super::auth::Guard;
use super::network::{Incoming, Tcp};
use super::observe::{Calls, Observe};
use super::peers::read_pem;
use super::sever::Severable;
use super::traced::Trace;
use crate::metrics::Registry;

/// Calls at once; more are refused.
const CALLS_MAX: usize = 1024;
/// Streams at once over one connection.
const STREAMS_MAX: u32 = 1024;
/// Callers may send so much in one piece: a record of the journal in one write, not in many of
/// 16 KiB.
const FRAME_BYTES_MAX: u32 = 1 << 20;
/// A call whose caller names no deadline is given up after this long. Streams only have to
/// begin within it.
const CALL_MAX: Duration = Duration::from_secs(60);
/// Time between signs of life on an idle connection, and how long an answer may take.
const KEEPALIVE_EVERY: Duration = Duration::from_secs(10);
const KEEPALIVE_WAIT: Duration = Duration::from_secs(10);

/// A server that has its address and does not serve yet.
pub struct Server {
    incoming: Incoming,
    address: SocketAddr,
    transport: Transport,
    guard: Guard,
    calls: Arc<Calls>,
    calls_max: usize,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "rpc::Server at {}", self.address)
    }
}

/// A server that serves.
pub struct Serving {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    /// Dropping it cuts all connections.
    cut: watch::Sender<bool>,
    health: HealthReporter,
    task: JoinHandle<Result<(), tonic::transport::Error>>,
}

impl std::fmt::Debug for Serving {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "rpc::Serving at {}", self.address)
    }
}

impl Server {
    /// Listens on `address` (port 0: any that is free); `setting` names where the address
    /// comes from, for the error.
    ///
    /// # Errors
    /// `Unavailable` if the address cannot be listened on, `BadRequest` if a certificate or
    /// the token cannot be used.
    pub fn bind(setting: &str, address: SocketAddr, trust: &Trust) -> Result<Self> {
        let (address, incoming) = Tcp::listen(setting, address)?;
        Self::on(address, incoming, trust)
    }

    /// Takes the connections that come in at `address` by another way.
    ///
    /// # Errors
    /// `BadRequest` if a certificate or the token cannot be used.
    pub fn on(address: SocketAddr, incoming: Incoming, trust: &Trust) -> Result<Self> {
        let mut transport = Transport::builder()
            .timeout(CALL_MAX)
            .max_concurrent_streams(STREAMS_MAX)
            .max_frame_size(Some(FRAME_BYTES_MAX))
            .http2_keepalive_interval(Some(KEEPALIVE_EVERY))
            .http2_keepalive_timeout(Some(KEEPALIVE_WAIT));
        if let Some(tls) = &trust.tls {
            let identity = Identity::from_pem(read_pem(&tls.certificate)?, read_pem(&tls.key)?);
            let ca = Certificate::from_pem(read_pem(&tls.ca)?);
            let config = ServerTlsConfig::new().identity(identity).client_ca_root(ca);
            transport = transport.tls_config(config).map_err(|e| {
                let what = format!("certificate {}", tls.certificate.display());
                Error::with_source(ErrorKind::BadRequest, what, e)
            })?;
        }
        let guard = Guard::new(trust.token.as_ref())?;
        let calls = Arc::default();
        Ok(Self { incoming, address, transport, guard, calls, calls_max: CALLS_MAX })
    }

    /// With another limit of calls at once.
    #[must_use]
    pub fn calls_max(mut self, calls_max: usize) -> Self {
        self.calls_max = calls_max;
        self
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Makes its counts part of a scrape.
    pub fn register(&self, registry: &Registry) {
        registry.add(Arc::clone(&self.calls));
    }

    /// Serves what `add` adds on the current runtime, until stopped.
    ///
    /// # Errors
    /// `Internal` if the contracts' descriptors cannot be read.
    pub async fn start(self, add: impl FnOnce(&mut RoutesBuilder)) -> Result<Serving> {
        let (health, health_service) = tonic_health::server::health_reporter();
        let reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(firn_grpc::DESCRIPTORS)
            .build_v1()
            .map_err(|e| Error::with_source(ErrorKind::Internal, "the contracts", e))?;
        let mut routes: RoutesBuilder = Routes::builder();
        add(&mut routes);
        routes.add_service(health_service).add_service(reflection);
        let (stop, mut stopped) = watch::channel(false);
        let asked = async move {
            // A dropped sender means the end, too.
            let _ = stopped.wait_for(|stop| *stop).await;
        };
        let (cut, cuts) = watch::channel(false);
        let severable = move |stream| Severable::new(stream, cuts.clone());
        let incoming = self.incoming.map(move |stream| stream.map(&severable));
        let server = self
            .transport
            .layer(Observe(Arc::clone(&self.calls)))
            .layer(LoadShedLayer::new())
            .layer(GlobalConcurrencyLimitLayer::new(self.calls_max))
            .layer(InterceptorLayer::new(self.guard))
            .layer(Trace)
            .add_routes(routes.routes())
            .serve_with_incoming_shutdown(incoming, asked);
        health.set_service_status("", ServingStatus::Serving).await;
        tracing::info!(address = %self.address, "serving gRPC");
        Ok(Serving { address: self.address, stop, cut, health, task: tokio::spawn(server) })
    }
}

impl Serving {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Says over the health service that no new work should come, takes no more connections,
    /// lets calls end for as long as `limit` and drops the rest; true if none was dropped.
    pub async fn stop(mut self, limit: Duration) -> bool {
        self.health.set_service_status("", ServingStatus::NotServing).await;
        self.stop.send_replace(true);
        match tokio::time::timeout(limit, &mut self.task).await {
            Ok(ended) => {
                if let Ok(Err(error)) = ended {
                    tracing::warn!(%error, address = %self.address, "the server ended badly");
                }
                true
            }
            Err(_) => {
                self.cut.send_replace(true);
                false
            }
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Connections first: what ends them with the server wakes them in any order.
        self.cut.send_replace(true);
        self.task.abort();
    }
}
