//! Connections that are open, for SHOW PROCESSLIST and KILL.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use firn_engine::Instant;
use firn_mysql_protocol::server::ConnectionControl;
use parking_lot::Mutex;

use super::progress::Progress;
use super::traffic::Traffic;
use crate::txn::{Interrupt, Why};

/// One connection.
#[derive(Debug)]
pub(crate) struct Process {
    /// Its number.
    pub(crate) id: u32,
    /// Who.
    pub(crate) user: String,
    /// From where, with the port.
    pub(crate) host: String,
    /// What it does.
    pub(crate) now: Mutex<Doing>,
    /// Ends a statement.
    pub(crate) interrupt: Interrupt,
    /// Ends the connection.
    pub(crate) control: ConnectionControl,
    /// How far a long statement is.
    pub(crate) progress: Progress,
    /// What has passed through its connection.
    pub(crate) traffic: Arc<Traffic>,
}

/// What a connection does.
#[derive(Debug, Clone)]
pub(crate) struct Doing {
    /// The current database.
    pub(crate) database: Option<String>,
    /// `Query`, `Sleep`, …
    pub(crate) command: &'static str,
    /// Since when.
    pub(crate) since: Instant,
    /// The statement; empty if there is none.
    statement: String,
}

/// Longer statements are not kept whole, in bytes.
const STATEMENT_BYTES_MAX: usize = 64 << 10;

/// Memory that is kept for the next statement, in bytes.
const STATEMENT_BYTES_KEPT: usize = 1 << 10;

impl Doing {
    /// Nothing, since `since`.
    pub(crate) fn nothing(since: Instant) -> Self {
        Self { database: None, command: "Sleep", since, statement: String::new() }
    }

    /// The statement, if there is one.
    pub(crate) fn statement(&self) -> Option<&str> {
        (!self.statement.is_empty()).then_some(&*self.statement)
    }

    /// What is being carried out from now on.
    pub(crate) fn set_statement(&mut self, sql: &[u8]) {
        if self.statement.capacity() > STATEMENT_BYTES_KEPT {
            self.statement = String::new();
        }
        self.statement.clear();
        let shown = &sql[..sql.len().min(STATEMENT_BYTES_MAX)];
        self.statement.push_str(&String::from_utf8_lossy(shown));
    }
}

/// All connections.
#[derive(Debug, Default)]
pub(crate) struct Processes {
    list: Mutex<BTreeMap<u32, Arc<Process>>>,
    next: AtomicU32,
}

impl Processes {
    /// A number for a new connection.
    pub(crate) fn next_id(&self) -> u32 {
        self.next.fetch_add(1, Ordering::Relaxed).wrapping_add(8)
    }

    /// Adds a connection.
    pub(crate) fn add(&self, process: Arc<Process>) {
        self.list.lock().insert(process.id, process);
    }

    /// Takes a connection out.
    pub(crate) fn remove(&self, id: u32) {
        self.list.lock().remove(&id);
    }

    /// One connection.
    pub(crate) fn get(&self, id: u32) -> Option<Arc<Process>> {
        self.list.lock().get(&id).cloned()
    }

    /// All connections.
    pub(crate) fn all(&self) -> Vec<Arc<Process>> {
        self.list.lock().values().cloned().collect()
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.list.lock().len()
    }
}

impl Process {
    /// The server stops: the connection ends as soon as no statement runs.
    pub(crate) fn shut_down(&self) {
        self.control.shut_down();
    }

    /// The server stops: what still runs has to end.
    pub(crate) fn shut_down_now(&self) {
        self.interrupt.set(Why::Shutdown);
        self.control.shut_down();
    }

    /// KILL, or KILL QUERY.
    pub(crate) fn kill(&self, query: bool) {
        if query {
            self.interrupt.set(Why::Query);
        } else {
            self.interrupt.set(Why::Connection);
            self.control.kill();
        }
    }
}
