//! A server on a database in memory, and clients that speak SQL with it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use firn_compaction::{Worker, WorkerOptions};
use firn_compute::accounts::RootLogin;
use firn_compute::memory::MemoryBudget;
use firn_compute::server::{Listener, Server, Site, listen};
use firn_compute::spill::SpillArea;
use firn_compute::txn::Limits;
use firn_engine::column::RowSchemas;
use firn_engine::manifest::LEVEL_MAX;
use firn_engine::merge::MergeContext;
use firn_engine::object::{Layout, MemoryStore, RetryOptions, RetryingStore, StoreBlocks};
use firn_engine::{Db, Env, Options, Parts};
use firn_journal::MemoryJournal;
use firn_mysql_protocol::client::{Client, ClientConfig, ResultSet};
use firn_mysql_protocol::command::ParameterValue;
use firn_mysql_protocol::server::ServerConfig;
use firn_mysql_protocol::tls::ClientTls;
use firn_mysql_protocol::{Capabilities, Error};
use firn_storage::StorageService;
use firn_storage::picker::PickerOptions;
use firn_table::{Schemas, SmallGroups};
use object_store::ObjectStore;
use object_store::path::Path;
use tokio::net::TcpStream;

/// What outlives a server: start another one on it as often as you like.
#[derive(Clone)]
pub(crate) struct World {
    env: Env,
    store: Arc<dyn ObjectStore>,
    journal: MemoryJournal,
    limits: Limits,
    /// Files are merged, each as soon as it is there.
    merging: Option<usize>,
    /// How their column copies are written.
    schemas: Arc<dyn RowSchemas>,
    /// Of files nothing stays in memory.
    forgetful: bool,
}

/// A server that runs. Dropping it stops it.
pub(crate) struct TestServer {
    listener: Listener,
    /// What all statements together have in memory.
    pub(crate) memory: Arc<MemoryBudget>,
    /// Where their temporary files are.
    pub(crate) spill: Arc<SpillArea>,
    db: Arc<Db>,
    _worker: Option<Worker>,
}

/// A connection.
pub(crate) struct TestClient(pub(crate) Client);

/// Rows as text; NULL is `None`.
pub(crate) type Rows = Vec<Vec<Option<String>>>;

impl World {
    /// An empty one.
    pub(crate) fn new() -> Self {
        let here = tokio::runtime::Handle::current();
        let env = Env::tokio(here.clone(), here);
        let store =
            RetryingStore::new(Arc::new(MemoryStore::new()), env.clone(), RetryOptions::default());
        Self {
            env,
            store: Arc::new(store),
            journal: MemoryJournal::default(),
            limits: Limits::default(),
            merging: None,
            schemas: Arc::new(Schemas),
            forgetful: false,
        }
    }

    /// The same with somebody who merges files as soon as they are there.
    pub(crate) fn merging(mut self) -> Self {
        self.merging = Some(1);
        self
    }

    /// The same with a worker that waits for so many files.
    pub(crate) fn merging_after(mut self, files: usize) -> Self {
        self.merging = Some(files);
        self
    }

    /// The same with column copies in row groups of so many rows.
    pub(crate) fn groups_of(mut self, rows: usize) -> Self {
        self.schemas = Arc::new(SmallGroups(rows));
        self
    }

    /// The same as if files were far larger than memory: nothing of them stays there.
    pub(crate) fn forgetful(mut self) -> Self {
        self.forgetful = true;
        self
    }

    /// The same with other limits of transactions.
    pub(crate) fn limited(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Starts a server on what is there.
    pub(crate) async fn start(&self) -> TestServer {
        self.start_as(&RootLogin::Developer, ServerConfig::default()).await.expect("a server")
    }

    /// The same, told this of itself.
    pub(crate) async fn start_at(&self, site: &Site) -> TestServer {
        let (root, config) = (RootLogin::Developer, ServerConfig::default());
        self.start_with(&root, config, site).await.expect("a server")
    }

    /// The same with another way in for `root`, and other settings.
    pub(crate) async fn start_as(
        &self,
        root: &RootLogin,
        config: ServerConfig,
    ) -> firn_engine::Result<TestServer> {
        self.start_with(root, config, &Site::default()).await
    }

    async fn start_with(
        &self,
        root: &RootLogin,
        config: ServerConfig,
        site: &Site,
    ) -> firn_engine::Result<TestServer> {
        let layout = Layout::new(Path::from("db"));
        let storage = StorageService::start(
            self.env.clone(),
            "storage in a test",
            Arc::clone(&self.store),
            layout.clone(),
            PickerOptions { l0_files: self.merging.unwrap_or(4), ..PickerOptions::default() },
        );
        let mut options = Options::for_memory(64 << 20);
        if self.forgetful {
            (options.pinned_bytes, options.block_cache_bytes) = (0, 0);
        }
        let worker = self.merging.map(|_| {
            let context = MergeContext {
                env: self.env.clone(),
                store: Arc::clone(&self.store),
                layout: layout.clone(),
                blocks: Arc::new(StoreBlocks::new(Arc::clone(&self.store), layout.clone())),
                schemas: Arc::clone(&self.schemas),
                // Tables have several.
                file_bytes_max: 256 << 10,
            };
            let options = WorkerOptions { name: "worker".into(), concurrency: 1 };
            Worker::start(Arc::clone(&storage) as _, context, options)
        });
        let parts = Parts {
            env: self.env.clone(),
            journal: Arc::new(self.journal.clone()),
            storage,
            store: Arc::clone(&self.store),
            layout: layout.clone(),
            blocks: Arc::new(StoreBlocks::new(Arc::clone(&self.store), layout)),
            disk_cache: None,
        };
        let db = Db::open(parts, options).await.expect("a database in memory opens");
        let (db, env) = (Arc::new(db), self.env.clone());
        let server = Server::open_with(Arc::clone(&db), env, root, self.limits, site).await?;
        let here = SocketAddr::from(([127, 0, 0, 1], 0));
        let (memory, spill) = (Arc::clone(server.memory()), Arc::clone(server.spill_area()));
        let listener = listen(server, &self.env, here, config).await?;
        Ok(TestServer { listener, memory, spill, db, _worker: worker })
    }
}

impl TestServer {
    /// Puts everything into files, and waits until those are merged, so that all tables have
    /// column copies of all that was written till now.
    pub(crate) async fn copied(&self) {
        let limit = Duration::from_secs(60);
        self.db.flush(limit).await.expect("a flush");
        let merged = async {
            loop {
                let version = self.db.version();
                let low = version.files().all(|(level, _)| level == LEVEL_MAX);
                if low && version.jobs.is_empty() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(limit, merged).await.expect("files are merged");
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    /// Another connection, without a database.
    pub(crate) async fn client(&self) -> TestClient {
        self.try_client(None).await.expect("root gets in")
    }

    /// Another connection that begins in a database.
    pub(crate) async fn try_client(&self, schema: Option<&str>) -> Result<TestClient, Error> {
        self.try_config(ClientConfig { schema: schema.map(str::to_owned), ..config() }).await
    }

    /// Another connection of some account.
    pub(crate) async fn try_user(&self, user: &str, password: &str) -> Result<TestClient, Error> {
        let (user, password) = (user.into(), password.into());
        self.try_config(ClientConfig { user, password, ..config() }).await
    }

    /// Another connection with these settings.
    pub(crate) async fn try_config(&self, config: ClientConfig) -> Result<TestClient, Error> {
        let stream = TcpStream::connect(self.listener.address()).await?;
        Ok(TestClient(Client::connect(stream, &config).await?))
    }
}

/// What clients connect with: as `root`, several statements at once, without TLS.
pub(crate) fn config() -> ClientConfig {
    ClientConfig {
        user: "root".into(),
        tls: ClientTls::Disabled,
        capabilities: ClientConfig::default().capabilities
            | Capabilities::MULTI_STATEMENTS
            | Capabilities::LOCAL_FILES,
        allow_public_key_retrieval: true,
        ..ClientConfig::default()
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

/// A server on an empty database, and a client in the database `t`.
pub(crate) async fn start() -> (TestServer, TestClient) {
    let server = World::new().start().await;
    let mut client = server.client().await;
    client.run("CREATE DATABASE t; USE t").await;
    (server, client)
}

impl TestClient {
    /// Runs statements; the last one's result.
    ///
    /// # Panics
    /// With the statement and the error, if there is one.
    pub(crate) async fn result(&mut self, sql: &str) -> ResultSet {
        let results = self.0.query_all(sql.as_bytes()).await;
        let mut results = results.unwrap_or_else(|error| panic!("{sql}: {error}"));
        results.pop().unwrap_or_default()
    }

    /// Runs statements without a look at what they give.
    pub(crate) async fn run(&mut self, sql: &str) {
        self.result(sql).await;
    }

    /// The rows of the last of some statements.
    pub(crate) async fn rows(&mut self, sql: &str) -> Rows {
        let result = self.result(sql).await;
        rows_of(&result)
    }

    /// The rows as lines: values between bars, NULL as `NULL`.
    pub(crate) async fn lines(&mut self, sql: &str) -> Vec<String> {
        lines_of(&self.rows(sql).await)
    }

    /// The first value of the first row.
    pub(crate) async fn value(&mut self, sql: &str) -> Option<String> {
        self.rows(sql).await.swap_remove(0).swap_remove(0)
    }

    /// Number and text of the error that a statement gives.
    pub(crate) async fn error(&mut self, sql: &str) -> (u16, String) {
        match self.0.query_all(sql.as_bytes()).await {
            Err(Error::Sql(error)) => (error.number, error.message.into_owned()),
            Err(error) => panic!("{sql}: {error}"),
            Ok(_) => panic!("{sql}: no error"),
        }
    }
}

/// Rows as lines: values between bars, NULL as `NULL`.
pub(crate) fn lines_of(rows: &Rows) -> Vec<String> {
    let cell = |value: &Option<String>| value.as_deref().unwrap_or("NULL").to_owned();
    rows.iter().map(|row| row.iter().map(cell).collect::<Vec<_>>().join("|")).collect()
}

/// Rows as text.
pub(crate) fn rows_of(result: &ResultSet) -> Rows {
    let text = |value: ParameterValue<'_>| match value {
        ParameterValue::Null => None,
        ParameterValue::Bytes(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        other => panic!("text rows have texts: {other:?}"),
    };
    let row = |row: &firn_mysql_protocol::client::Row| {
        let values = row.values(&result.columns).expect("a row of these columns");
        values.into_iter().map(text).collect()
    };
    result.rows.iter().map(row).collect()
}

/// Names of a result's columns.
pub(crate) fn names_of(result: &ResultSet) -> Vec<String> {
    let name = |column: &firn_mysql_protocol::result::Column| {
        String::from_utf8_lossy(&column.name).into_owned()
    };
    result.columns.iter().map(name).collect()
}

/// Number and text of the error that refuses a client.
pub(crate) fn refused(result: Result<TestClient, Error>) -> (u16, String) {
    match result {
        Err(Error::Sql(error)) => (error.number, error.message.into_owned()),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it got in"),
    }
}
