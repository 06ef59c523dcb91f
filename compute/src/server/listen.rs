//! The port that clients come in by.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use firn_engine::{Env, Error, ErrorKind, Result, TaskClass};
use firn_mysql_protocol::server::{ConnectionControl, Peer, ServerConfig, refuse, serve};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::connections::{Seat, too_many};
use super::traffic::{Counted, Traffic};
use super::{Handle, Server};
use crate::accounts::ClientHost;
use crate::session::to_protocol;
use crate::variables::{Setting, id};

/// A port that is open.
#[derive(Debug)]
pub struct Listener {
    address: SocketAddr,
    task: firn_engine::Task<()>,
    server: Arc<Server>,
    env: Env,
}

/// Clients that are being refused at the same time; further ones are cut off.
const REFUSALS_MAX: usize = 64;

/// Time between looks whether all connections have ended.
const LOOK: Duration = Duration::from_millis(10);

impl Listener {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Until a client has asked for the end of the server: SHUTDOWN.
    pub async fn stop_asked(&self) {
        self.server.stop_asked.notified().await;
    }

    /// Takes no more clients, and ends those that are there with error 1053: at
    /// once who waits for nothing, behind their statement who wait for one, as
    /// long as that takes no longer than `grace`. Later statements are ended
    /// too; what they leave when they do not end within as much time again is
    /// cut off with the process.
    pub async fn stop(&self, grace: Duration) {
        self.task.abort();
        let all = self.server.processes.all();
        for process in &all {
            process.shut_down();
        }
        if !self.all_gone_within(grace).await {
            for process in self.server.processes.all() {
                process.shut_down_now();
            }
            if !self.all_gone_within(grace).await {
                let connections = self.server.processes.len();
                tracing::warn!(connections, "connections are cut off");
            }
        }
    }

    /// Takes no more clients and kills those that are there, without waiting.
    pub fn abort(&self) {
        self.task.abort();
        for process in self.server.processes.all() {
            process.kill(false);
        }
    }

    async fn all_gone_within(&self, limit: Duration) -> bool {
        let gone = async {
            while self.server.processes.len() > 0 {
                self.env.sleep(LOOK).await;
            }
        };
        self.env.timeout(limit, gone).await.is_some()
    }
}

/// Tells a client that there are too many, unless that is being told to many already.
fn refuse_one(env: &Env, refusals: &Arc<Semaphore>, config: Arc<ServerConfig>, stream: TcpStream) {
    let Ok(turn) = Arc::clone(refusals).try_acquire_owned() else { return };
    let refused = async move {
        if let Err(error) = refuse(&config, stream, &to_protocol(&too_many())).await {
            tracing::debug!(%error, "a client that was refused");
        }
        drop(turn);
    };
    drop(env.spawn(TaskClass::Foreground, "refusal", refused));
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
    server.globals.set(id::port, Setting::Int(u64::from(address.port())));
    let (config, spawner) = (Arc::new(config), env.clone());
    let here = Arc::clone(&server);
    let refusals = Arc::new(Semaphore::new(REFUSALS_MAX));
    let accept = async move {
        loop {
            let (stream, from) = match listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    // No more files, most likely: others have to go first.
                    tracing::warn!(%error, "a client could not be taken");
                    spawner.sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "a connection without TCP_NODELAY");
            }
            let config = Arc::clone(&config);
            let Some(seat) = Seat::take(&here) else {
                refuse_one(&spawner, &refusals, config, stream);
                continue;
            };
            let id = here.processes.next_id();
            let traffic = Arc::new(Traffic::default());
            let stream = Counted::new(stream, Arc::clone(&here), Arc::clone(&traffic));
            let service = Arc::new(Handle { server: Arc::clone(&here), seat, traffic });
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
    Ok(Listener { address, task, server, env: env.clone() })
}
