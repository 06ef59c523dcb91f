//! Listening and stopping.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use hyper_util::rt::{TokioExecutor, TokioIo};
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use tokio::net::TcpListener;
use tokio::task::{AbortHandle, JoinSet};

use crate::buckets::{Buckets, Limits};
use crate::faults::{Fault, Faults};
use crate::service::Service;

/// The access key that the server knows.
pub const ACCESS_KEY: &str = "firn-test-key";

/// The secret that goes with it.
pub const SECRET_KEY: &str = "firn-test-secret";

/// The region that its clients may name; any other will do as well.
pub const REGION: &str = "us-east-1";

/// A running server. Dropping it closes its port and all connections.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    buckets: Arc<Buckets>,
    faults: Arc<Faults>,
    accepting: AbortHandle,
}

impl Server {
    /// Starts on a port that the system picks, with one bucket.
    ///
    /// # Errors
    /// When there is no port to be had.
    pub async fn start(bucket: &str) -> io::Result<Self> {
        Self::start_with(bucket, "127.0.0.1:0", Limits::default()).await
    }

    /// Starts on an address, with other limits.
    ///
    /// # Errors
    /// When the address is taken.
    pub async fn start_with(bucket: &str, address: &str, limits: Limits) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let (buckets, faults) = (Arc::new(Buckets::with_limits(limits)), Arc::<Faults>::default());
        buckets.create(bucket).map_err(io::Error::other)?;
        let service = Service { buckets: Arc::clone(&buckets), faults: Arc::clone(&faults) };
        let mut builder = S3ServiceBuilder::new(service);
        builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let accepting = tokio::spawn(accept(listener, builder.build())).abort_handle();
        Ok(Self { address, buckets, faults, accepting })
    }

    /// Where it is: `http://127.0.0.1:<port>`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Makes another bucket.
    ///
    /// # Panics
    /// If it is there already.
    pub fn create_bucket(&self, bucket: &str) {
        assert!(self.buckets.create(bucket).is_ok(), "bucket {bucket} is there already");
    }

    /// The next request of an operation, as S3 names it (`PutObject`; `*` for any), gets a fault.
    pub fn fault(&self, operation: &str, fault: Fault) {
        self.faults.add(operation, fault);
    }

    /// Requests that came so far, with a good signature.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.faults.requests()
    }

    /// Uploads in parts that are neither completed nor given up.
    #[must_use]
    pub fn open_uploads(&self, bucket: &str) -> usize {
        self.buckets.uploads(bucket).map_or(0, |uploads| uploads.len())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Takes connections until aborted; they end with it.
async fn accept(listener: TcpListener, service: S3Service) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            // A connection that cannot be taken is its client's to notice.
            Ok((socket, _)) = listener.accept() => {
                let _ = socket.set_nodelay(true);
                let service = service.clone();
                connections.spawn(async move {
                    let http = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                    let _ = http.serve_connection(TokioIo::new(socket), service).await;
                });
            }
            Some(_) = connections.join_next() => {}
            else => return,
        }
    }
}
