//! Messages between members: one stream from each to each.
//!
//! Nothing here carries safety. A message that finds its queue full, or its
//! connection gone, is dropped, and raft sends it again.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use firn_engine::{Env, Error, ErrorKind, Result, Task, TaskClass};
use firn_grpc::v1::journal_peers_client::JournalPeersClient;
use firn_grpc::v1::journal_peers_server::JournalPeers;
use firn_proto::v1;
use firn_services::rpc::Trust;
use firn_services::rpc::peers::Peers;
use firn_services::rpc::status::to_status;
use futures::channel::mpsc;
use futures::{StreamExt, TryStreamExt};
use parking_lot::Mutex;
use tokio::sync::watch;
use tonic::codegen::BoxStream;
use tonic::{Request, Response, Status, Streaming};

use super::Cluster;
use crate::raft::{Message, Network, Node, message_from_proto, message_to_proto};

/// Messages that wait for a connection.
const QUEUE_MAX: usize = 1024;
const PAUSE_FIRST: Duration = Duration::from_millis(20);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// Connections to the other members.
#[derive(Debug)]
pub struct GrpcNetwork {
    cluster: u64,
    queues: BTreeMap<u64, Arc<Mutex<mpsc::Sender<v1::RaftEnvelope>>>>,
    node: watch::Sender<Weak<Node>>,
    _tasks: Vec<Task<()>>,
}

impl GrpcNetwork {
    /// Connects to all members but `own`, and again whenever a connection is lost.
    ///
    /// # Errors
    /// `BadRequest` for addresses or certificates that cannot be.
    pub fn connect(env: &Env, cluster: &Cluster, own: u64, trust: &Trust) -> Result<Self> {
        let (node, nodes) = watch::channel(Weak::new());
        let (mut queues, mut tasks) = (BTreeMap::new(), Vec::new());
        for (member, address) in cluster.members.iter().filter(|(member, _)| **member != own) {
            let peers = Peers::new(env.clone(), std::slice::from_ref(address), trust)?;
            // Replaced by the first connection.
            let queue = Arc::new(Mutex::new(mpsc::channel(0).0));
            queues.insert(*member, Arc::clone(&queue));
            let link =
                Link { env: env.clone(), member: *member, peers, queue, node: nodes.clone() };
            tasks.push(env.spawn(TaskClass::Foreground, "raft-link", link.run()));
        }
        Ok(Self { cluster: cluster.number, queues, node, _tasks: tasks })
    }

    /// Says who wants to know that a member cannot be reached.
    pub fn tell(&self, node: &Arc<Node>) {
        self.node.send_replace(Arc::downgrade(node));
    }
}

impl Network for GrpcNetwork {
    fn send(&self, to: u64, group: u32, message: Message) {
        let Some(queue) = self.queues.get(&to) else { return };
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
    queue: Arc<Mutex<mpsc::Sender<v1::RaftEnvelope>>>,
    node: watch::Receiver<Weak<Node>>,
}

impl Link {
    async fn run(self) {
        let mut pause = PAUSE_FIRST;
        loop {
            let begun = self.env.now();
            let error = self.exchange().await;
            tracing::debug!(member = self.member, %error, "the connection to a member ended");
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
        let (sender, messages) = mpsc::channel(QUEUE_MAX);
        *self.queue.lock() = sender;
        let ended = async {
            let answers = JournalPeersClient::new(peer).exchange(messages).await?;
            answers.into_inner().message().await
        };
        let ended = ended.await;
        self.peers.failed(&address).await;
        match ended {
            Ok(_) => Error::new(ErrorKind::Unavailable, "the member ended the connection"),
            Err(status) => Error::with_source(ErrorKind::Unavailable, address, status),
        }
    }
}

/// Takes messages from other members.
#[derive(Debug, Clone)]
pub struct PeersService {
    node: Arc<Node>,
    cluster: u64,
}

impl PeersService {
    /// For the member `node` of the cluster with this number.
    #[must_use]
    pub fn new(node: Arc<Node>, cluster: u64) -> Self {
        Self { node, cluster }
    }
}

impl PeersService {
    async fn take(self, mut messages: Streaming<v1::RaftEnvelope>) -> Result<(), Status> {
        while let Some(envelope) = messages.message().await? {
            if envelope.cluster != self.cluster {
                let why = format!(
                    "this is a member of cluster {:016x}, not of {:016x}",
                    self.cluster, envelope.cluster
                );
                return Err(to_status(&Error::new(ErrorKind::BadRequest, why)));
            }
            let message = envelope.message.ok_or_else(|| Status::invalid_argument("no message"))?;
            let message = message_from_proto(message).map_err(|e| to_status(&e))?;
            self.node.receive(envelope.group, message).await;
        }
        Ok(())
    }
}

#[tonic::async_trait]
impl JournalPeers for PeersService {
    type ExchangeStream = BoxStream<v1::ExchangeResponse>;

    async fn exchange(
        &self,
        request: Request<Streaming<v1::RaftEnvelope>>,
    ) -> Result<Response<Self::ExchangeStream>, Status> {
        // The messages are taken while the answer, of which there is none, is waited for:
        // a stream may take as long as it likes.
        let taking = self.clone().take(request.into_inner());
        let ended = futures::stream::once(taking).map_ok(|()| v1::ExchangeResponse {});
        Ok(Response::new(ended.boxed()))
    }
}
