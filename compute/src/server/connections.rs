//! How many clients may be connected: `max_connections`, and one more for an administrator.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use firn_mysql_semantics::error::{SqlError, code};

use super::Server;
use crate::accounts::Access;
use crate::variables::{Counter, id};

/// Connections that are there, from before their login.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    now: AtomicU64,
    most: AtomicU64,
}

impl Connections {
    /// How many there are.
    pub(crate) fn now(&self) -> u64 {
        self.now.load(Ordering::Relaxed)
    }

    /// The most that there were at once.
    pub(crate) fn most(&self) -> u64 {
        self.most.load(Ordering::Relaxed)
    }
}

/// The place of one connection. Dropping it gives it back.
#[derive(Debug)]
pub(super) struct Seat {
    server: Arc<Server>,
    /// Its client was let in once: another one on the same connection is.
    admitted: AtomicBool,
}

/// 1040.
pub(super) fn too_many() -> SqlError {
    SqlError::new(code::ER_CON_COUNT_ERROR, &[])
}

impl Seat {
    /// A place for one more; `None` if there are more than `max_connections` already.
    pub(super) fn take(server: &Arc<Server>) -> Option<Self> {
        let max = server.globals.get(id::max_connections).as_u64();
        let Connections { now, most } = &server.connections;
        let one_more = |now: u64| (now <= max).then_some(now + 1);
        match now.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more) {
            Ok(before) => {
                most.fetch_max(before + 1, Ordering::Relaxed);
                Some(Self { server: Arc::clone(server), admitted: AtomicBool::new(false) })
            }
            Err(_) => {
                server.counters.add(Counter::ConnectionErrorsMaxConnections, 1);
                None
            }
        }
    }

    /// Lets a client in who has proved who it is.
    ///
    /// # Errors
    /// 1040 if the last place is for an administrator, and it is none.
    pub(super) fn admit(&self, access: &Access) -> Result<(), SqlError> {
        if self.admitted.load(Ordering::Relaxed) {
            return Ok(());
        }
        let server = &self.server;
        let max = server.globals.get(id::max_connections).as_u64();
        if server.connections.now() > max && !access.has_any(&["SUPER", "CONNECTION_ADMIN"]) {
            server.counters.add(Counter::ConnectionErrorsMaxConnections, 1);
            return Err(too_many());
        }
        self.admitted.store(true, Ordering::Relaxed);
        Ok(())
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.server.connections.now.fetch_sub(1, Ordering::Relaxed);
    }
}
