//! What all sessions share, and how clients come in.

mod failures;
mod listen;
mod login;
mod opened;
mod process;
mod progress;
mod site;
mod usage;

use std::sync::Arc;

use firn_engine::{Db, Env, Error, ErrorKind, Instant};
use firn_mysql_protocol::SqlError as ProtocolError;
use firn_mysql_protocol::auth::Account;
use firn_mysql_protocol::server::{Login, Peer, Service};
use firn_mysql_semantics::collation::Collation;
use firn_mysql_semantics::error::SqlError;
use parking_lot::Mutex;
use tokio::sync::Notify;

pub(crate) use failures::Failures;
pub use listen::{Listener, listen};
pub(crate) use opened::OpenedTables;
pub(crate) use process::{Doing, Process, Processes};
pub(crate) use progress::{Progress, Stage};
pub use site::Site;
pub(crate) use usage::{LimitedUse, Usage};

use crate::accounts::{AccountName, Accounts, RootLogin};
use crate::catalog::{Catalog, StoredAccounts};
use crate::plan_cache::PlanCache;
use crate::session::{Compiled, Services, Session, SessionValues, to_protocol};
use crate::txn::{Interrupt, Limits, LockSet, OwnerId, TransactionManager};
use crate::variables::{Counter, GlobalVariables, ServerCounters, SessionVariables};

/// A MySQL server on an open database.
pub struct Server {
    pub(crate) env: Env,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) opened: OpenedTables,
    pub(crate) plans: PlanCache<Compiled>,
    pub(crate) transactions: Arc<TransactionManager>,
    pub(crate) globals: Arc<GlobalVariables>,
    pub(crate) processes: Processes,
    pub(crate) accounts: Accounts,
    pub(crate) usage: Usage,
    pub(crate) failures: Failures,
    /// What SHOW GLOBAL STATUS counts.
    pub(crate) counters: ServerCounters,
    started: Instant,
    /// SHUTDOWN was carried out.
    stop_asked: Notify,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Server with {} connections", self.processes.len())
    }
}

impl Server {
    /// A server on a database that nobody else writes to, and how its `root` gets in.
    ///
    /// # Errors
    /// The engine's, if the catalog cannot be read; `BadRequest` for a `root` that must
    /// have a password and has none.
    pub async fn open(db: Arc<Db>, env: Env, root: &RootLogin) -> firn_engine::Result<Arc<Self>> {
        Self::open_with(db, env, root, Limits::default(), &Site::default()).await
    }

    /// As [`Self::open`], with other limits of transactions, and what it is told of itself.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn open_with(
        db: Arc<Db>,
        env: Env,
        root: &RootLogin,
        limits: Limits,
        site: &Site,
    ) -> firn_engine::Result<Arc<Self>> {
        let catalog = Catalog::open(Arc::clone(&db)).await?;
        let stored = Arc::new(StoredAccounts::new(Arc::clone(&db)));
        let accounts = Accounts::open(stored, root, env.unix_ms()).await.map_err(|error| {
            Error::new(ErrorKind::BadRequest, format!("accounts: {}", error.message()))
        })?;
        let transactions = TransactionManager::new(db, env.clone(), limits);
        Ok(Arc::new(Self {
            started: env.now(),
            env,
            catalog: Arc::new(catalog),
            opened: OpenedTables::default(),
            plans: PlanCache::default(),
            transactions,
            globals: Arc::new(site.variables()),
            processes: Processes::default(),
            accounts,
            usage: Usage::default(),
            failures: Failures::default(),
            counters: ServerCounters::default(),
            stop_asked: Notify::new(),
        }))
    }

    /// SHUTDOWN: whoever runs the server is told to end it.
    pub(crate) fn ask_to_stop(&self) {
        self.stop_asked.notify_one();
    }

    /// Locks of a session beyond its transactions.
    pub(crate) fn lock_set(&self, connection: u32) -> LockSet {
        self.transactions.lock_set(OwnerId(u64::from(connection)))
    }

    /// Statements since the start.
    pub(crate) fn questions(&self) -> u64 {
        self.counters.get(Counter::Questions)
    }

    /// Seconds since the start.
    pub(crate) fn uptime_seconds(&self) -> u64 {
        self.env.now().since(self.started).as_secs()
    }
}

/// The server as connections know it. A handle, since sessions keep the server.
#[derive(Debug, Clone)]
pub struct Handle(pub Arc<Server>);

impl Service for Handle {
    type Session = Session;

    async fn lookup(&self, user: &str, peer: &Peer) -> Result<Option<Account>, ProtocolError> {
        Ok(self.0.accounts.directory().lookup(user, &login::host_of(peer)))
    }

    fn proved(&self, account: &Account, peer: &Peer, right: bool) -> Result<(), ProtocolError> {
        let name = AccountName::new(&account.user, &account.host);
        let directory = self.0.accounts.directory();
        let Some(record) = directory.get(&name) else { return Ok(()) };
        let now_ms = self.0.env.unix_ms();
        let told = self.0.failures.proved(&name, record, &peer.host, right, now_ms);
        told.map_err(|error| to_protocol(&error))
    }

    async fn open(&self, login: Login) -> Result<Session, ProtocolError> {
        let server = Arc::clone(&self.0);
        let rights = server.admit(&login).map_err(|error| to_protocol(&error))?;
        server.counters.add(Counter::Connections, 1);
        let process = Arc::new(Process {
            id: login.connection_id,
            user: login.user.clone(),
            host: format!("{}:{}", login.peer.host, login.peer.port),
            now: Mutex::new(Doing::nothing(server.env.now())),
            interrupt: Interrupt::default(),
            control: login.control.clone(),
            progress: Progress::default(),
        });
        let id = u64::from(login.connection_id);
        let mut variables = SessionVariables::new(Arc::clone(&server.globals), id);
        if let Some(collation) = Collation::by_id(login.collation) {
            variables.set_handshake_collation(collation);
        }
        let user = format!("{}@{}", login.user, login.peer.host);
        let account = format!("{}@{}", login.account.user, login.account.host);
        let services = Services::new(
            server.env.clone(),
            &server.transactions,
            login.connection_id,
            process.interrupt.clone(),
        );
        let values =
            SessionValues::new(server.env.clone(), variables, &user, &account).served_by(services);
        let schema = login.schema.clone();
        let process_of = Arc::clone(&process);
        let mut session = Session::new(Arc::clone(&server), login, values, process_of, rights);
        if let Some(schema) = schema {
            session.open_schema(&schema).await.map_err(|error: SqlError| to_protocol(&error))?;
        }
        server.processes.add(process);
        Ok(session)
    }
}
