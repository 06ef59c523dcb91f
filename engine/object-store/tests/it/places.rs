//! The stores that the suite runs on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use firn_engine::Env;
use firn_engine::object::{
    Backend, Backoff, HedgeOptions, MemoryStore, RetryOptions, RetryingStore,
};
use firn_object_store::{FolderStore, S3Settings, S3Store};
use firn_testing_s3::{ACCESS_KEY, Limits, SECRET_KEY, Server};
use object_store::path::Path;
use tempfile::TempDir;
use tokio::runtime::Handle;

pub(crate) fn env_seeded(seed: u64) -> Env {
    Env::tokio_seeded(Handle::current(), Handle::current(), seed)
}

/// A kind of store.
pub(crate) enum Place {
    Memory,
    Folder,
    Server,
    Elsewhere { settings: Box<S3Settings>, bucket: String },
}

/// Two clients of one store, as two processes would be.
pub(crate) struct Stores {
    pub(crate) stores: Vec<RetryingStore>,
    backends: Vec<Arc<dyn Backend>>,
    /// Names are never used twice, as the other server may be used again.
    run: u64,
    next: AtomicU64,
    /// Whether a lost reply may make an update's outcome unknown.
    pub(crate) breaks: bool,
    /// Whether small parts may be sent.
    pub(crate) small_parts: bool,
    _guard: Arc<Guard>,
}

#[derive(Default)]
struct Guard {
    _folder: Option<TempDir>,
    _server: Option<Server>,
}

/// Quick, so that a test with many faults does not take minutes.
pub(crate) fn patient() -> RetryOptions {
    let backoff = Backoff { first: Duration::from_millis(1), max: Duration::from_millis(20) };
    RetryOptions {
        backoff,
        throttled: backoff,
        hedge: HedgeOptions {
            bytes_max: 64 << 10,
            floor: Duration::from_millis(5),
            percent_max: 10,
        },
        ..RetryOptions::default()
    }
}

pub(crate) fn settings_of(server: &Server) -> S3Settings {
    S3Settings {
        endpoint: Some(server.endpoint()),
        path_style: true,
        allow_http: true,
        access_key_id: Some(ACCESS_KEY.into()),
        secret_access_key: Some(SECRET_KEY.into()),
        ..S3Settings::default()
    }
}

impl Place {
    /// The server that the environment names.
    pub(crate) fn elsewhere() -> Option<Self> {
        let get = |name: &str| std::env::var(format!("FIRN_TEST_S3_{name}")).ok();
        let endpoint = get("ENDPOINT")?;
        let settings = S3Settings {
            allow_http: endpoint.starts_with("http://"),
            endpoint: Some(endpoint),
            path_style: true,
            access_key_id: get("KEY"),
            secret_access_key: get("SECRET"),
            ..S3Settings::default()
        };
        let bucket = get("BUCKET").unwrap_or_else(|| "firn".into());
        Some(Self::Elsewhere { settings: Box::new(settings), bucket })
    }

    /// Two clients, each behind what `wrap` puts before it, making one try only.
    pub(crate) async fn stores(
        &self,
        wrap: impl Fn(Arc<dyn Backend>, u64) -> Arc<dyn Backend>,
    ) -> Stores {
        let mut guard = Guard::default();
        let mut backends: Vec<Arc<dyn Backend>> = Vec::new();
        let env = env_seeded(rand::random());
        match self {
            Self::Memory => {
                let store = MemoryStore::new();
                backends.extend([0, 1].map(|_| Arc::new(store.clone()) as Arc<dyn Backend>));
            }
            Self::Folder => {
                let folder = TempDir::new().unwrap();
                for _ in 0..2 {
                    let store = FolderStore::open(folder.path(), env.clone()).unwrap();
                    backends.push(Arc::new(store));
                }
                guard._folder = Some(folder);
            }
            Self::Server => {
                let limits = Limits { page_keys: 100, ..Limits::default() };
                let server = Server::start_with("data", "127.0.0.1:0", limits).await.unwrap();
                let (settings, prefix) = (settings_of(&server), Path::from("under/this"));
                for _ in 0..2 {
                    let store = S3Store::connect("data", &prefix, &settings).await.unwrap();
                    backends.push(Arc::new(store));
                }
                guard._server = Some(server);
            }
            Self::Elsewhere { settings, bucket } => {
                for _ in 0..2 {
                    let prefix = Path::from("firn-test");
                    let store = S3Store::connect(bucket, &prefix, settings).await.unwrap();
                    backends.push(Arc::new(store));
                }
            }
        }
        let backends: Vec<_> = backends.into_iter().zip(0..).map(|(b, n)| wrap(b, n)).collect();
        let store = |b: &Arc<dyn Backend>| {
            RetryingStore::new(Arc::clone(b), env.clone(), RetryOptions::once())
        };
        Stores {
            stores: backends.iter().map(store).collect(),
            backends,
            run: rand::random(),
            next: AtomicU64::new(0),
            breaks: false,
            small_parts: matches!(self, Self::Memory | Self::Folder),
            _guard: Arc::new(guard),
        }
    }
}

impl Stores {
    /// The same store, with retries.
    pub(crate) fn patient(&self) -> Self {
        let env = env_seeded(rand::random());
        let store =
            |b: &Arc<dyn Backend>| RetryingStore::new(Arc::clone(b), env.clone(), patient());
        Self {
            stores: self.backends.iter().map(store).collect(),
            backends: self.backends.clone(),
            run: rand::random(),
            next: AtomicU64::new(0),
            breaks: true,
            small_parts: self.small_parts,
            _guard: Arc::clone(&self._guard),
        }
    }

    pub(crate) fn one(&self) -> &RetryingStore {
        &self.stores[0]
    }

    /// A folder that nothing is in.
    pub(crate) fn fresh(&self, name: &str) -> Path {
        let n = self.next.fetch_add(1, Ordering::Relaxed);
        Path::from(format!("run-{:016x}/{n:04}-{name}", self.run))
    }
}
