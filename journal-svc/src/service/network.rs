//! Messages between members: one stream from each to each.
//!
//! Nothing here carries safety. A message that finds its queue full, or its
//! connection gone, is dropped, and raft sends it again.
//!
//! Where the members are is known from the configuration, and from the members
//! themselves: each connects to all that it knows and says who and where it is.
//! One that joins thus only has to know those that are there already.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use firn_engine::watch;
use firn_engine::{Env, Error, ErrorKind, Result, Task, TaskClass};
use firn_grpc::v1::journal_peers_client::JournalPeersClient;
use firn_grpc::v1::journal_peers_server::JournalPeers;
use firn_proto::v1;
use firn_services::rpc::Trust;
use firn_services::rpc::network::{Network as Wires, Tcp};
use firn_services::rpc::peers::Peers;
use firn_services::rpc::status::{Repeat, from_status, to_status};
use futures::channel::mpsc;
use futures::{StreamExt, TryStreamExt};
use parking_lot::Mutex;
use tonic::codegen::BoxStream;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::{Request, Response, Status, Streaming};

use super::Cluster;
use crate::raft::{Message, Network, Node, message_from_proto, message_to_proto};

/// Messages that wait for a connection.
const QUEUE_MAX: usize = 1024;
const PAUSE_FIRST: Duration = Duration::from_millis(20);
const PAUSE_MAX: Duration = Duration::from_secs(1);
/// Members that are known.
const MEMBERS_MAX: usize = 64;

/// Headers of a connection: number and address of who makes it.
const MEMBER_HEADER: &str = "firn-member";
const ADDRESS_HEADER: &str = "firn-address";
/// The number of its disk: two processes with one number have different ones.
const DISK_HEADER: &str = "firn-disk";

type Queue = Arc<Mutex<mpsc::Sender<v1::RaftEnvelope>>>;

/// A member that is known.
#[derive(Debug)]
struct Known {
    address: String,
    /// `None` for oneself.
    link: Option<(Queue, Task<()>)>,
}

/// Connections to the other members.
pub struct GrpcNetwork {
    wires: Arc<dyn Wires>,
    env: Env,
    cluster: u64,
    own: u64,
    disk: Option<u64>,
    /// Disks of the members that have connected.
    disks: Mutex<BTreeMap<u64, u64>>,
    trust: Trust,
    known: Mutex<BTreeMap<u64, Known>>,
    node: watch::Sender<Weak<Node>>,
}

impl std::fmt::Debug for GrpcNetwork {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "GrpcNetwork of member {}", self.own)
    }
}

impl GrpcNetwork {
    /// Connects to all members but `own`, and again whenever a connection is lost.
    ///
    /// # Errors
    /// `BadRequest` for addresses or certificates that cannot be.
    pub fn connect(env: &Env, cluster: &Cluster, own: u64, trust: &Trust) -> Result<Self> {
        Self::connect_on(Arc::new(Tcp), env, cluster, own, trust)
    }

    /// As [`Self::connect`], over another network.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub fn connect_on(
        wires: Arc<dyn Wires>,
        env: &Env,
        cluster: &Cluster,
        own: u64,
        trust: &Trust,
    ) -> Result<Self> {
        let network = Self {
            wires,
            env: env.clone(),
            cluster: cluster.number,
            own,
            disk: cluster.disk,
            disks: Mutex::default(),
            trust: trust.clone(),
            known: Mutex::default(),
            node: watch::Sender::new(Weak::new()),
        };
        if let Some(address) = cluster.members.get(&own) {
            let known = Known { address: address.clone(), link: None };
            network.known.lock().insert(own, known);
        }
        for (member, address) in cluster.members.iter().filter(|(member, _)| **member != own) {
            network.learn(*member, address)?;
        }
        Ok(network)
    }

    /// Connects to a member, unless that is done already.
    fn learn(&self, member: u64, address: &str) -> Result<()> {
        let mut known = self.known.lock();
        if member == self.own || known.contains_key(&member) || known.len() >= MEMBERS_MAX {
            return Ok(());
        }
        let (wires, names) = (Arc::clone(&self.wires), [address.to_owned()]);
        let peers = Peers::on(wires, self.env.clone(), &names, &self.trust)?;
        // Replaced by the first connection.
        let queue: Queue = Arc::new(Mutex::new(mpsc::channel(0).0));
        let from = known.get(&self.own).and_then(|own| own.address.parse().ok());
        let link = Link {
            env: self.env.clone(),
            member,
            peers,
            queue: Arc::clone(&queue),
            node: self.node.subscribe(),
            cluster: self.cluster,
            own: self.own,
            disk: self.disk,
            from,
        };
        let task = self.env.spawn(TaskClass::Foreground, "raft-link", link.run());
        known.insert(member, Known { address: address.to_owned(), link: Some((queue, task)) });
        Ok(())
    }

    /// Whether `member`, which connects from the disk `disk`, is who it says.
    fn recognise(&self, member: u64, disk: u64) -> Result<()> {
        let refused = |why: String| Err(Error::new(ErrorKind::BadRequest, why));
        if member == self.own && self.disk.is_some_and(|own| own != disk) {
            let why = format!("this is member {member}: two processes have its number");
            return refused(why);
        }
        let mut disks = self.disks.lock();
        if !disks.contains_key(&member) && disks.len() >= MEMBERS_MAX {
            return refused(format!("there are {MEMBERS_MAX} members already"));
        }
        if *disks.entry(member).or_insert(disk) == disk {
            return Ok(());
        }
        refused(format!(
            "member {member} is known here with another disk: two processes have its number, or \
             its disk was replaced. A member with a new disk needs a new number"
        ))
    }

    /// Where the members are, as far as that is known.
    #[must_use]
    pub fn addresses(&self) -> BTreeMap<u64, String> {
        let known = self.known.lock();
        known.iter().map(|(member, known)| (*member, known.address.clone())).collect()
    }

    /// Says who wants to know that a member cannot be reached.
    pub fn tell(&self, node: &Arc<Node>) {
        self.node.send_replace(Arc::downgrade(node));
    }
}

impl Drop for GrpcNetwork {
    fn drop(&mut self) {
        for known in self.known.lock().values() {
            if let Some((_, task)) = &known.link {
                task.abort();
            }
        }
    }
}

impl Network for GrpcNetwork {
    fn send(&self, to: u64, group: u32, message: Message) {
        let queue = match self.known.lock().get(&to) {
            Some(Known { link: Some((queue, _)), .. }) => Arc::clone(queue),
            _ => return,
        };
        match message_to_proto(&message) {
            Ok(message) => {
                let cluster = self.cluster;
                let envelope = v1::RaftEnvelope { cluster, group, message: Some(message) };
                // Full, or no connection: raft sends again.
                let _ = queue.lock().try_send(envelope);
            }
            Err(error) => tracing::error!(%error, "a message between members is not sent"),
        }
    }
}

/// The connection to one member.
struct Link {
    env: Env,
    member: u64,
    peers: Peers,
    queue: Queue,
    node: watch::Receiver<Weak<Node>>,
    cluster: u64,
    own: u64,
    disk: Option<u64>,
    /// Where this member is, if that is known.
    from: Option<MetadataValue<Ascii>>,
}

impl Link {
    async fn run(self) {
        let mut pause = PAUSE_FIRST;
        let mut told = String::new();
        loop {
            let begun = self.env.now();
            let error = self.exchange().await;
            let why = error.to_string();
            if why == told {
                tracing::debug!(member = self.member, %error, "no connection to a member");
            } else {
                tracing::warn!(member = self.member, %error, "no connection to a member");
                told = why;
            }
            let node = self.node.borrow().upgrade();
            if let Some(node) = node {
                node.unreachable(self.member).await;
            }
            if self.env.now().since(begun) > PAUSE_MAX {
                pause = PAUSE_FIRST;
            }
            self.env.sleep(self.env.jittered(pause)).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// Sends until the connection is lost.
    async fn exchange(&self) -> Error {
        let (address, peer) = match self.peers.current().await {
            Ok(current) => current,
            Err(e) => return e,
        };
        let (mut sender, messages) = mpsc::channel(QUEUE_MAX);
        // A message of nothing, so that the other one learns who is there.
        let cluster = self.cluster;
        let hello = v1::RaftEnvelope { cluster, ..v1::RaftEnvelope::default() };
        let _ = sender.try_send(hello);
        *self.queue.lock() = sender;
        let mut request = Request::new(messages);
        request.metadata_mut().insert(MEMBER_HEADER, self.own.into());
        if let Some(disk) = self.disk {
            request.metadata_mut().insert(DISK_HEADER, disk.into());
        }
        if let Some(from) = &self.from {
            request.metadata_mut().insert(ADDRESS_HEADER, from.clone());
        }
        let ended = async {
            let answers = JournalPeersClient::new(peer).exchange(request).await?;
            answers.into_inner().message().await
        };
        let ended = ended.await;
        self.peers.failed(&address).await;
        match ended {
            Ok(_) => Error::new(ErrorKind::Unavailable, "the member ended the connection"),
            Err(status) => from_status(&status, &address, Repeat::Safe),
        }
    }
}

/// Takes messages from other members.
#[derive(Debug, Clone)]
pub struct PeersService {
    node: Arc<Node>,
    network: Arc<GrpcNetwork>,
}

impl PeersService {
    /// For the member `node`, which sends over `network`.
    #[must_use]
    pub fn new(node: Arc<Node>, network: Arc<GrpcNetwork>) -> Self {
        Self { node, network }
    }

    async fn take(
        self,
        from: Option<(u64, String)>,
        mut messages: Streaming<v1::RaftEnvelope>,
    ) -> Result<(), Status> {
        let mut from = from;
        while let Some(envelope) = messages.message().await? {
            let cluster = self.network.cluster;
            if envelope.cluster != cluster {
                let why = format!(
                    "this is a member of cluster {cluster:016x}, not of {:016x}",
                    envelope.cluster
                );
                return Err(to_status(&Error::new(ErrorKind::BadRequest, why)));
            }
            if let Some((member, address)) = from.take() {
                self.network.learn(member, &address).map_err(|e| to_status(&e))?;
            }
            // What only says who is there.
            let Some(message) = envelope.message else { continue };
            let message = message_from_proto(message).map_err(|e| to_status(&e))?;
            self.node.receive(envelope.group, message).await;
        }
        Ok(())
    }
}

/// Who makes the connection, and where it is.
fn introduced(request: &Request<Streaming<v1::RaftEnvelope>>) -> Option<(u64, String)> {
    let header = |name| request.metadata().get(name)?.to_str().ok();
    let member = header(MEMBER_HEADER)?.parse().ok()?;
    Some((member, header(ADDRESS_HEADER)?.to_owned()))
}

#[tonic::async_trait]
impl JournalPeers for PeersService {
    type ExchangeStream = BoxStream<v1::ExchangeResponse>;

    async fn exchange(
        &self,
        request: Request<Streaming<v1::RaftEnvelope>>,
    ) -> Result<Response<Self::ExchangeStream>, Status> {
        let from = introduced(&request);
        let number = |name| request.metadata().get(name)?.to_str().ok()?.parse().ok();
        if let (Some(member), Some(disk)) = (number(MEMBER_HEADER), number(DISK_HEADER)) {
            self.network.recognise(member, disk).map_err(|e| to_status(&e))?;
        }
        // The messages are taken while the answer, of which there is none, is waited for:
        // a stream may take as long as it likes.
        let taking = self.clone().take(from, request.into_inner());
        let ended = futures::stream::once(taking).map_ok(|()| v1::ExchangeResponse {});
        Ok(Response::new(ended.boxed()))
    }
}
