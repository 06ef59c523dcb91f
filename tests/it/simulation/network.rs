//! The network between processes: slow connections that break, partitions, and ends that are
//! paused or dead.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use firn_engine::{Env, TaskClass};
use firn_services::rpc::network::{Incoming, Io, Network};
use futures::StreamExt;
use futures::future::{BoxFuture, select};
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf};
use tokio::sync::{Notify, mpsc};

use super::process::Gate;
use super::trace::trace;

/// Bytes on their way at once: more than is ever sent. How many bytes a message has is not the
/// seed's alone (servers say what time it is), so nothing may depend on it.
const BUFFER: usize = 1 << 20;

/// Number of a machine; each process has its own.
pub(crate) type Machine = u8;

pub(crate) fn address(machine: Machine) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, machine)), 7400)
}

struct Listener {
    gate: Gate,
    streams: mpsc::UnboundedSender<DuplexStream>,
}

#[derive(Default)]
struct State {
    listeners: BTreeMap<SocketAddr, Listener>,
    /// Directions in which nothing gets through.
    cut: BTreeSet<(Machine, Machine)>,
    /// One chunk in so many breaks its connection; 0: none does.
    break_one_in: u64,
    delay_ms_max: u64,
}

/// All of it. Clones share it.
#[derive(Clone)]
pub(crate) struct Net {
    env: Env,
    state: Arc<Mutex<State>>,
    mended: Arc<Notify>,
}

/// What one process has of it.
#[derive(Clone)]
pub(crate) struct Plug {
    net: Net,
    machine: Machine,
    gate: Gate,
}

/// One way of a connection.
struct Way {
    net: Net,
    from: (Machine, Gate),
    to: (Machine, Gate),
}

impl Net {
    pub(crate) fn new(env: Env, break_one_in: u64, delay_ms_max: u64) -> Self {
        let state = State { break_one_in, delay_ms_max, ..State::default() };
        Self { env, state: Arc::new(Mutex::new(state)), mended: Arc::default() }
    }

    pub(crate) fn plug(&self, machine: Machine, gate: &Gate) -> Plug {
        Plug { net: self.clone(), machine, gate: gate.clone() }
    }

    /// Nothing gets from one to the other.
    pub(crate) fn cut(&self, from: Machine, to: Machine) {
        self.state.lock().cut.insert((from, to));
    }

    pub(crate) fn mend(&self, from: Machine, to: Machine) {
        self.state.lock().cut.remove(&(from, to));
        self.mended.notify_waiters();
    }

    /// No faults any more.
    pub(crate) fn heal(&self) {
        let mut state = self.state.lock();
        state.cut.clear();
        state.break_one_in = 0;
        drop(state);
        self.mended.notify_waiters();
    }

    fn below(&self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.env.random_u64() % bound }
    }

    async fn passable(&self, from: Machine, to: Machine) {
        loop {
            let mended = self.mended.notified();
            if !self.state.lock().cut.contains(&(from, to)) {
                return;
            }
            mended.await;
        }
    }
}

impl Way {
    /// Carries bytes until the connection ends or breaks, or one of its ends dies.
    async fn carry(self, mut from: ReadHalf<DuplexStream>, mut to: WriteHalf<DuplexStream>) {
        let mut chunk = Vec::with_capacity(BUFFER);
        loop {
            chunk.clear();
            let Ok(len) = from.read_buf(&mut chunk).await else { return };
            trace(&self.net.env, || format!("{} sends {}", self.from.0, self.to.0));
            let (break_one_in, delay) = {
                let state = self.net.state.lock();
                (state.break_one_in, state.delay_ms_max)
            };
            if len == 0 || (break_one_in > 0 && self.net.below(break_one_in) == 0) {
                // What was sent may have arrived.
                if self.net.below(2) == 0 {
                    let _ = to.write_all(&chunk).await;
                }
                return;
            }
            self.net.env.sleep(Duration::from_millis(self.net.below(delay + 1))).await;
            self.net.passable(self.from.0, self.to.0).await;
            self.from.1.open().await;
            self.to.1.open().await;
            if to.write_all(&chunk).await.is_err() {
                return;
            }
        }
    }
}

impl Plug {
    /// Takes the connections made to this machine.
    pub(crate) fn listen(&self) -> Incoming {
        let (streams, incoming) = mpsc::unbounded_channel();
        let listener = Listener { gate: self.gate.clone(), streams };
        self.net.state.lock().listeners.insert(address(self.machine), listener);
        let next = |mut incoming: mpsc::UnboundedReceiver<DuplexStream>| async move {
            let stream = incoming.recv().await?;
            Some((Ok(Box::new(stream) as Box<dyn Io>), incoming))
        };
        futures::stream::unfold(incoming, next).boxed()
    }

    async fn connect_to(self, to: SocketAddr) -> io::Result<Box<dyn Io>> {
        let machine = match to.ip() {
            IpAddr::V4(ip) => ip.octets()[3],
            IpAddr::V6(_) => return Err(io::ErrorKind::Unsupported.into()),
        };
        let net = self.net.clone();
        self.gate.open().await;
        net.passable(self.machine, machine).await;
        net.passable(machine, self.machine).await;
        let (ours, near) = tokio::io::duplex(BUFFER);
        let (far, theirs) = tokio::io::duplex(BUFFER);
        let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
        let other = {
            let state = net.state.lock();
            let listener = state.listeners.get(&to).ok_or_else(refused)?;
            if listener.gate.is_dead() {
                return Err(refused());
            }
            listener.streams.send(theirs).map_err(|_| refused())?;
            listener.gate.clone()
        };
        let (near_read, near_write) = tokio::io::split(near);
        let (far_read, far_write) = tokio::io::split(far);
        let (one, two) = ((self.machine, self.gate.clone()), (machine, other.clone()));
        let there = Way { net: net.clone(), from: one.clone(), to: two.clone() };
        let back = Way { net: net.clone(), from: two, to: one };
        let connection = async move {
            let there = there.carry(near_read, far_write);
            let back = back.carry(far_read, near_write);
            let (ours, theirs) = (self.gate.dead(), other.dead());
            futures::pin_mut!(there, back, ours, theirs);
            // When one way has ended so has the other, and so when one end is dead.
            let _ended = select(select(there, back), select(ours, theirs)).await;
        };
        drop(net.env.spawn(TaskClass::Foreground, "wire", connection));
        Ok(Box::new(ours) as Box<dyn Io>)
    }
}

impl Network for Plug {
    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        let address = name.parse().map_err(|_| io::Error::from(io::ErrorKind::NotFound));
        Box::pin(async move { Ok(vec![address?]) })
    }

    fn connect(&self, address: SocketAddr) -> BoxFuture<'static, io::Result<Box<dyn Io>>> {
        Box::pin(self.clone().connect_to(address))
    }
}
