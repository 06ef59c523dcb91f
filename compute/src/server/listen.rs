//! The port that clients come in by.

use std::net::SocketAddr;
use std::sync::Arc;

use firn_engine::{Env, Error, ErrorKind, Result, TaskClass};
use firn_mysql_protocol::server::{ConnectionControl, Peer, ServerConfig, serve};
use tokio::net::TcpListener;

use super::{Handle, Server};
use crate::accounts::ClientHost;

/// A port that is open.
#[derive(Debug)]
pub struct Listener {
    address: SocketAddr,
    task: firn_engine::Task<()>,
    server: Arc<Server>,
}

impl Listener {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more clients, and ends those that are there.
    pub fn stop(&self) {
        self.task.abort();
        for process in self.server.processes.all() {
            process.kill(false);
        }
    }
}

/// Opens a port and serves whoever comes.
///
/// # Errors
/// `BadRequest` naming the address, if it cannot be had.
pub async fn listen(
    server: Arc<Server>,
    env: &Env,
    address: SocketAddr,
    config: ServerConfig,
) -> Result<Listener> {
    let listener = TcpListener::bind(address).await.map_err(|error| {
        Error::new(ErrorKind::BadRequest, format!("MySQL port {address}: {error}"))
    })?;
    let address = listener.local_addr().map_err(|error| {
        Error::new(ErrorKind::Internal, format!("MySQL port {address}: {error}"))
    })?;
    let (config, spawner) = (Arc::new(config), env.clone());
    let handle = Arc::new(Handle(Arc::clone(&server)));
    let accept = async move {
        loop {
            let (stream, from) = match listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    // No more files, most likely: others have to go first.
                    tracing::warn!(%error, "a client could not be taken");
                    spawner.sleep(std::time::Duration::from_millis(100)).await;
                    continue;
                }
            };
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "a connection without TCP_NODELAY");
            }
            let id = handle.0.processes.next_id();
            let (service, config) = (Arc::clone(&handle), Arc::clone(&config));
            let host = ClientHost::of_address(from.ip()).shown();
            let peer = Peer { host, ..Peer::from(from) };
            let connection = async move {
                let control = ConnectionControl::default();
                let ended = serve(service, config, stream, peer, id, control).await;
                if let Err(error) = ended {
                    tracing::debug!(connection = id, %error, "a connection has ended");
                }
            };
            // The task ends with its connection; nobody waits for it.
            drop(spawner.spawn(TaskClass::Foreground, "connection", connection));
        }
    };
    let task = env.spawn(TaskClass::Foreground, "MySQL port", accept);
    Ok(Listener { address, task, server })
}
