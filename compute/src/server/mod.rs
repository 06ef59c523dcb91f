//! What all sessions share, and how clients come in.

mod connections;
mod failures;
mod files;
mod listen;
mod login;
mod opened;
mod process;
mod progress;
mod site;
mod traffic;
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

pub(crate) use connections::Connections;
pub(crate) use failures::Failures;
pub(crate) use files::{
    EE_CANT_CREATE_FILE, EE_READ, EE_WRITE, Files, Reading as FileReading, failed,
};
pub use listen::{Listener, listen};
pub(crate) use opened::OpenedTables;
pub(crate) use process::{Doing, Process, Processes};
pub(crate) use progress::{Progress, Stage};
pub use site::Site;
pub(crate) use traffic::Traffic;
pub(crate) use usage::{LimitedUse, Usage};

use self::connections::Seat;
use crate::accounts::{AccountName, Accounts, RootLogin};
use crate::catalog::{Catalog, StoredAccounts};
use crate::memory::MemoryBudget;
use crate::plan_cache::PlanCache;
use crate::session::{Compiled, Services, Session, SessionValues, to_protocol};
use crate::spill::SpillArea;
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
    /// Files that statements read and write.
    pub(crate) files: Files,
    pub(crate) processes: Processes,
    pub(crate) connections: Connections,
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
        let opened = OpenedTables::knowing(crate::statistics::load(&db).await?);
        let transactions = TransactionManager::spilling(db, env.clone(), limits, site.area()?);
        Ok(Arc::new(Self {
            started: env.now(),
            env,
            catalog: Arc::new(catalog),
            opened,
            plans: PlanCache::default(),
            transactions,
            globals: Arc::new(site.variables()),
            files: Files::new(site.secure_file_priv.as_deref(), &site.data_dir),
            processes: Processes::default(),
            connections: Connections::default(),
            accounts,
            usage: Usage::default(),
            failures: Failures::default(),
            counters: ServerCounters::default(),
            stop_asked: Notify::new(),
        }))
    }

    /// What all statements together have in memory.
    #[must_use]
    pub fn memory(&self) -> &Arc<MemoryBudget> {
        self.transactions.memory()
    }

    /// Where statements have their temporary files.
    #[must_use]
    pub fn spill_area(&self) -> &Arc<SpillArea> {
        self.transactions.spill_area()
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

    /// The same in milliseconds.
    pub(crate) fn uptime_ms(&self) -> u64 {
        let uptime = self.env.now().since(self.started).as_millis();
        u64::try_from(uptime).unwrap_or(u64::MAX)
    }
}

/// The server as one connection knows it.
#[derive(Debug)]
struct Handle {
    server: Arc<Server>,
    seat: Seat,
    traffic: Arc<Traffic>,
}

impl Service for Handle {
    type Session = Session;

    async fn lookup(&self, user: &str, peer: &Peer) -> Result<Option<Account>, ProtocolError> {
        Ok(self.server.accounts.directory().lookup(user, &login::host_of(peer)))
    }

    fn proved(&self, account: &Account, peer: &Peer, right: bool) -> Result<(), ProtocolError> {
        let name = AccountName::new(&account.user, &account.host);
        let directory = self.server.accounts.directory();
        let Some(record) = directory.get(&name) else { return Ok(()) };
        let uptime_ms = self.server.uptime_ms();
        let told = self.server.failures.proved(&name, record, &peer.host, right, uptime_ms);
        told.map_err(|error| to_protocol(&error))
    }

    async fn open(&self, login: Login) -> Result<Session, ProtocolError> {
        let server = Arc::clone(&self.server);
        let rights = server.admit(&login).map_err(|error| to_protocol(&error))?;
        self.seat.admit(&rights.access).map_err(|error| to_protocol(&error))?;
        server.counters.add(Counter::Connections, 1);
        let process = Arc::new(Process {
            id: login.connection_id,
            user: login.user.clone(),
            host: format!("{}:{}", login.peer.host, login.peer.port),
            now: Mutex::new(Doing::nothing(server.env.now())),
            interrupt: Interrupt::default(),
            control: login.control.clone(),
            progress: Progress::default(),
            traffic: Arc::clone(&self.traffic),
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
            server.files.clone(),
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
