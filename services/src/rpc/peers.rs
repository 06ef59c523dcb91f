//! The servers that a caller may ask: names with ports, each of which may stand for several
//! addresses.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use firn_engine::{Env, Error, ErrorKind, Instant, Result};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

use super::Trust;
use super::auth::Sender;
use super::network::{Network, Tcp};

/// How long a connection may take to be made.
const CONNECT_MAX: Duration = Duration::from_secs(2);
const KEEPALIVE_EVERY: Duration = Duration::from_secs(5);
const KEEPALIVE_WAIT: Duration = Duration::from_secs(5);
/// Names are looked up again after a failure, but not more often than this.
const RESOLVE_EVERY: Duration = Duration::from_secs(1);
/// How long looking up all names may take.
const RESOLVE_MAX: Duration = Duration::from_secs(5);
/// Addresses that are kept.
const ADDRESSES_MAX: usize = 64;

/// A connection that carries the token.
pub type Peer = InterceptedService<Channel, Sender>;

/// See the module.
pub struct Peers {
    env: Env,
    network: Arc<dyn Network>,
    /// As configured.
    names: Vec<String>,
    tls: Option<ClientTlsConfig>,
    sender: Sender,
    known: Mutex<Known>,
}

/// One address of a name.
#[derive(Clone)]
struct Server {
    name: String,
    address: String,
    peer: Peer,
}

#[derive(Default)]
struct Known {
    /// What the names stood for when they were looked up last.
    peers: Vec<Server>,
    /// Which one is asked.
    current: usize,
    resolved_at: Option<Instant>,
}

impl std::fmt::Debug for Peers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Peers({})", self.names.join(", "))
    }
}

/// Reads a PEM file.
pub(super) fn read_pem(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path)
        .map_err(|e| Error::with_source(ErrorKind::BadRequest, path.display().to_string(), e))
}

/// Whether this may name servers: `HOST:PORT`.
pub(crate) fn is_name(name: &str) -> bool {
    let port = name.rsplit_once(':').filter(|(host, _)| !host.is_empty());
    port.is_some_and(|(_, port)| port.parse::<u16>().is_ok())
}

impl Peers {
    /// Those that `names` (`HOST:PORT`) stand for. Nothing is connected yet.
    ///
    /// # Errors
    /// `BadRequest` if there is no name, one is malformed, or a certificate or the token
    /// cannot be used.
    pub fn new(env: Env, names: &[String], trust: &Trust) -> Result<Self> {
        Self::on(Arc::new(Tcp), env, names, trust)
    }

    /// As [`Self::new`], over another network.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn on(
        network: Arc<dyn Network>,
        env: Env,
        names: &[String],
        trust: &Trust,
    ) -> Result<Self> {
        if names.is_empty() {
            return Err(Error::new(ErrorKind::BadRequest, "no address is given"));
        }
        if let Some(name) = names.iter().find(|name| !is_name(name)) {
            let why = format!("address {name:?}: must be HOST:PORT");
            return Err(Error::new(ErrorKind::BadRequest, why));
        }
        let tls = match &trust.tls {
            None => None,
            Some(tls) => {
                let identity = Identity::from_pem(read_pem(&tls.certificate)?, read_pem(&tls.key)?);
                let ca = Certificate::from_pem(read_pem(&tls.ca)?);
                Some(ClientTlsConfig::new().identity(identity).ca_certificate(ca))
            }
        };
        let sender = Sender::new(trust.token.as_ref())?;
        Ok(Self { env, network, names: names.to_vec(), tls, sender, known: Mutex::default() })
    }

    /// The addresses as configured, for people.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The one to ask now, with its address.
    ///
    /// # Errors
    /// `Unavailable` if no name can be looked up.
    pub async fn current(&self) -> Result<(String, Peer)> {
        if let Some(peer) = self.known.lock().peer() {
            return Ok(peer);
        }
        self.resolve().await?;
        let none = || Error::new(ErrorKind::Unavailable, "no address is known").retryable();
        self.known.lock().peer().ok_or_else(none)
    }

    /// `address` did not answer: the next one is asked from now on, and names are looked up
    /// anew once all had their turn.
    pub async fn failed(&self, address: &str) {
        let look_up = {
            let mut known = self.known.lock();
            // Somebody else may have gone on already.
            if known.peer().is_some_and(|(current, _)| current == address) {
                known.current += 1;
            }
            let due = known.resolved_at.is_none_or(|at| self.env.now().since(at) >= RESOLVE_EVERY);
            if known.current >= known.peers.len() {
                known.current = 0;
                due
            } else {
                false
            }
        };
        if look_up && let Err(error) = self.resolve().await {
            // What was known before is asked again.
            tracing::debug!(%error, "looking up {}", self.names.join(", "));
        }
    }

    /// Whether two names or addresses stand for one server, as far as is known.
    #[must_use]
    pub fn same(&self, one: &str, other: &str) -> bool {
        let is = |server: &Server, name| server.address == name || server.name == name;
        let known = self.known.lock();
        one == other || known.peers.iter().any(|server| is(server, one) && is(server, other))
    }

    /// Asks `address` from now on, a name or an address that a server has named. One that is
    /// not known is looked up and counts as one of ours until names are looked up anew; `false`
    /// if that is not possible.
    pub async fn prefer(&self, address: &str) -> bool {
        if self.known.lock().prefer(address) {
            return true;
        }
        if !is_name(address) || self.known.lock().peers.len() >= ADDRESSES_MAX {
            return false;
        }
        let found = self.env.timeout(RESOLVE_MAX, self.network.resolve(address)).await;
        let Some(Ok(found)) = found else { return false };
        let added = found.first().and_then(|to| self.connect(address, *to).ok());
        let mut known = self.known.lock();
        known.peers.extend(added);
        known.prefer(address)
    }

    async fn resolve(&self) -> Result<()> {
        let late = || {
            let names = self.names.join(", ");
            let why = format!("looking up {names}: no answer within {} s", RESOLVE_MAX.as_secs());
            Error::new(ErrorKind::Unavailable, why).retryable()
        };
        self.env.timeout(RESOLVE_MAX, self.look_up()).await.unwrap_or_else(|| Err(late()))
    }

    async fn look_up(&self) -> Result<()> {
        let mut found: Vec<(String, SocketAddr)> = Vec::new();
        let mut failure = None;
        for name in &self.names {
            match self.network.resolve(name).await {
                Ok(addresses) => {
                    found.extend(addresses.into_iter().map(|address| (name.clone(), address)));
                }
                Err(e) => {
                    let what = format!("looking up {name}");
                    failure = Some(Error::with_source(ErrorKind::Unavailable, what, e).retryable());
                }
            }
        }
        found.truncate(ADDRESSES_MAX);
        if let (true, Some(failure)) = (found.is_empty(), failure) {
            return Err(failure);
        }
        let peers: Result<Vec<_>> =
            found.into_iter().map(|(name, address)| self.connect(&name, address)).collect();
        let peers = peers?;
        let mut known = self.known.lock();
        known.resolved_at = Some(self.env.now());
        let addresses = |peers: &[Server]| -> Vec<String> {
            peers.iter().map(|peer| peer.address.clone()).collect()
        };
        if addresses(&known.peers) != addresses(&peers) {
            // Connections to addresses that stay are kept.
            let kept = |new: Server| {
                let old = known.peers.iter().find(|old| old.address == new.address);
                old.cloned().unwrap_or(new)
            };
            let peers: Vec<_> = peers.into_iter().map(kept).collect();
            known.peers = peers;
            known.current = 0;
        }
        Ok(())
    }

    fn connect(&self, name: &str, address: SocketAddr) -> Result<Server> {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let malformed = |e| Error::with_source(ErrorKind::BadRequest, format!("address {name}"), e);
        let mut endpoint = Endpoint::from_shared(format!("{scheme}://{address}"))
            .map_err(malformed)?
            .connect_timeout(CONNECT_MAX)
            .http2_keep_alive_interval(KEEPALIVE_EVERY)
            .keep_alive_timeout(KEEPALIVE_WAIT)
            .keep_alive_while_idle(true);
        if let Some(tls) = &self.tls {
            // The certificate is for the name, not for the address.
            let host = name.rsplit_once(':').map_or(name, |(host, _)| host);
            let host = host.trim_start_matches('[').trim_end_matches(']');
            endpoint = endpoint.tls_config(tls.clone().domain_name(host)).map_err(malformed)?;
        }
        let network = Arc::clone(&self.network);
        let connector = tower::service_fn(move |_| {
            let connection = network.connect(address);
            async move { connection.await.map(TokioIo::new) }
        });
        let channel = endpoint.connect_with_connector_lazy(connector);
        let peer = InterceptedService::new(channel, self.sender.clone());
        Ok(Server { name: name.to_owned(), address: address.to_string(), peer })
    }
}

impl Known {
    fn peer(&self) -> Option<(String, Peer)> {
        self.peers.get(self.current).map(|server| (server.address.clone(), server.peer.clone()))
    }

    fn prefer(&mut self, name: &str) -> bool {
        let at = self.peers.iter().position(|known| known.address == name || known.name == name);
        self.current = at.unwrap_or(self.current);
        at.is_some()
    }
}
