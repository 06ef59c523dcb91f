//! A network in memory: connections that are slow, break in the middle of a message, and
//! cannot be made while nobody listens. A machine may fall silent for ever.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use firn_engine::{Env, TaskClass};
use firn_services::rpc::network::{Incoming, Io, Network};
use futures::StreamExt;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf};
use tokio::sync::mpsc;

/// Bytes on their way at once.
const BUFFER: usize = 64 << 10;

type Listener = mpsc::UnboundedSender<DuplexStream>;

/// See the module. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Wires {
    env: Env,
    listeners: Arc<Mutex<BTreeMap<SocketAddr, Listener>>>,
    silent: Arc<Mutex<BTreeSet<SocketAddr>>>,
    /// One chunk in so many breaks its connection; 0: none does.
    break_one_in: u64,
    delay_ms_max: u64,
}

impl Wires {
    pub(crate) fn new(env: Env, break_one_in: u64, delay_ms_max: u64) -> Self {
        Self { env, listeners: Arc::default(), silent: Arc::default(), break_one_in, delay_ms_max }
    }

    /// Takes the connections made to `address`, instead of whoever did so before.
    pub(crate) fn listen(&self, address: SocketAddr) -> Incoming {
        let (listener, incoming) = mpsc::unbounded_channel();
        self.listeners.lock().insert(address, listener);
        let next = |mut incoming: mpsc::UnboundedReceiver<DuplexStream>| async move {
            let stream = incoming.recv().await?;
            Some((Ok(Box::new(stream) as Box<dyn Io>), incoming))
        };
        futures::stream::unfold(incoming, next).boxed()
    }

    /// From now on nothing comes from `address`, not even the end of a connection.
    pub(crate) fn silence(&self, address: SocketAddr) {
        self.silent.lock().insert(address);
    }

    async fn unless_silent(&self, address: SocketAddr) {
        if self.silent.lock().contains(&address) {
            std::future::pending().await
        }
    }

    fn below(&self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.env.random_u64() % bound }
    }

    /// Carries bytes one way until the connection to `address` ends or breaks.
    async fn carry(
        self,
        address: SocketAddr,
        mut from: ReadHalf<DuplexStream>,
        mut to: WriteHalf<DuplexStream>,
    ) {
        let mut chunk = vec![0; 4096];
        loop {
            let read = from.read(&mut chunk).await;
            self.unless_silent(address).await;
            let Ok(len) = read else { return };
            let breaks = self.break_one_in > 0 && self.below(self.break_one_in) == 0;
            if len == 0 || breaks {
                // Some of what was sent may have arrived.
                let arrived = usize::try_from(self.below(len as u64 + 1)).unwrap_or(0);
                let _ = to.write_all(&chunk[..arrived]).await;
                return;
            }
            self.env.sleep(Duration::from_millis(self.below(self.delay_ms_max + 1))).await;
            self.unless_silent(address).await;
            if to.write_all(&chunk[..len]).await.is_err() {
                return;
            }
        }
    }
}

impl Network for Wires {
    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        let address = name.parse().map_err(|_| io::Error::from(io::ErrorKind::NotFound));
        Box::pin(async move { Ok(vec![address?]) })
    }

    fn connect(&self, address: SocketAddr) -> BoxFuture<'static, io::Result<Box<dyn Io>>> {
        let wires = self.clone();
        Box::pin(async move {
            wires.unless_silent(address).await;
            let (ours, near) = tokio::io::duplex(BUFFER);
            let (far, theirs) = tokio::io::duplex(BUFFER);
            let listener = wires.listeners.lock().get(&address).cloned();
            let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
            listener.ok_or_else(refused)?.send(theirs).map_err(|_| refused())?;
            let (near_read, near_write) = tokio::io::split(near);
            let (far_read, far_write) = tokio::io::split(far);
            let both = {
                let wires = wires.clone();
                async move {
                    let there = wires.clone().carry(address, near_read, far_write);
                    let back = wires.carry(address, far_read, near_write);
                    futures::pin_mut!(there, back);
                    // When one way has ended so has the other.
                    futures::future::select(there, back).await;
                }
            };
            drop(wires.env.spawn(TaskClass::Foreground, "wire", both));
            Ok(Box::new(ours) as Box<dyn Io>)
        })
    }
}
