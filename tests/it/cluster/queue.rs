//! Workers and several storage services.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use firn_engine::compaction::{Compaction as _, LeaseToken, ShardLease};
use firn_engine::key::KeyRange;
use firn_engine::manifest::{Job, Shard, SpaceOptions};
use firn_engine::{BranchName, Env, Epoch, Seq, SpaceId};
use firn_grpc::v1::compaction_server::{Compaction, CompactionServer};
use firn_proto::v1 as pb;
use firn_services::clients::RemoteCompaction;
use firn_services::rpc::Trust;
use firn_services::rpc::peers::Peers;
use firn_services::rpc::serve::{Server, Serving};
use futures::StreamExt;
use parking_lot::Mutex;
use tonic::codegen::BoxStream;
use tonic::service::RoutesBuilder;
use tonic::{Request, Response, Status, Streaming};

use super::wires::Wires;

/// A storage service that has so much work, and counts the heartbeats.
#[derive(Clone, Default)]
struct Queue {
    work: Arc<Mutex<Vec<ShardLease>>>,
    beats: Arc<Mutex<usize>>,
}

#[tonic::async_trait]
impl Compaction for Queue {
    type LeaseShardsStream = BoxStream<pb::ShardLease>;

    async fn lease_shards(
        &self,
        _: Request<Streaming<pb::LeaseShardsRequest>>,
    ) -> Result<Response<Self::LeaseShardsStream>, Status> {
        let leases = match self.work.lock().pop() {
            Some(lease) => futures::stream::iter([Ok((&lease).into())]).boxed(),
            None => futures::stream::pending().boxed(),
        };
        Ok(Response::new(leases))
    }

    async fn heartbeat(
        &self,
        _: Request<pb::HeartbeatRequest>,
    ) -> Result<Response<pb::HeartbeatResponse>, Status> {
        *self.beats.lock() += 1;
        Ok(Response::new(pb::HeartbeatResponse::default()))
    }

    async fn report_progress(
        &self,
        _: Request<pb::ReportProgressRequest>,
    ) -> Result<Response<pb::ReportProgressResponse>, Status> {
        Ok(Response::new(pb::ReportProgressResponse {}))
    }

    async fn release(
        &self,
        _: Request<pb::ReleaseRequest>,
    ) -> Result<Response<pb::ReleaseResponse>, Status> {
        Ok(Response::new(pb::ReleaseResponse {}))
    }
}

async fn serve(wires: &Wires, address: SocketAddr, queue: &Queue) -> Serving {
    let server = Server::on(address, wires.listen(address), &Trust::default()).unwrap();
    let service = CompactionServer::new(queue.clone());
    let add = |routes: &mut RoutesBuilder| {
        routes.add_service(service);
    };
    server.start(add).await.unwrap()
}

fn lease(branch: &str) -> ShardLease {
    let token =
        LeaseToken { branch: BranchName::new(branch).unwrap(), job: 1, shard: 0, attempt: 1 };
    let job = Job {
        id: 1,
        space: SpaceId(1),
        inputs: Vec::new(),
        target_level: 6,
        bottom: true,
        watermark: Seq(1),
        shards: vec![Shard::new(KeyRange::space(SpaceId(1)))],
        parked: None,
    };
    let (inputs, options) = (Vec::new(), SpaceOptions::default());
    ShardLease { token, job: Arc::new(job), inputs, options, branch_uid: 1, epoch: Epoch(1) }
}

/// All workers waited at the first service, which had no work, while a branch that another
/// was in charge of was never merged.
#[tokio::test(start_paused = true)]
async fn a_worker_without_work_asks_the_next_service_unless_it_holds_leases() {
    let env = Env::simulated(1);
    let wires = Wires::new(env.clone(), 0, 1);
    let addresses: [SocketAddr; 2] = ["10.0.0.1:1".parse().unwrap(), "10.0.0.2:1".parse().unwrap()];
    let (first, second) = (Queue::default(), Queue::default());
    let _serving =
        [serve(&wires, addresses[0], &first).await, serve(&wires, addresses[1], &second).await];
    let names = addresses.map(|address| address.to_string());
    let network = Arc::new(wires.clone());
    let peers = Peers::on(network, env.clone(), &names, &Trust::default()).unwrap();
    let worker = RemoteCompaction::new(env.clone(), peers);
    let minutes = |n: u64| Duration::from_secs(60 * n);

    second.work.lock().push(lease("staging"));
    let leased = env.timeout(minutes(2), worker.lease("worker", 4)).await;
    let leased = leased.expect("it finds the work").unwrap().remove(0);
    assert_eq!(leased.token, lease("staging").token);

    // It stays where its lease is from, however long there is nothing else.
    let waits = env.timeout(minutes(5), worker.lease("worker", 4)).await;
    assert!(waits.is_none(), "there is no work");
    worker.heartbeat(std::slice::from_ref(&leased.token)).await.unwrap();
    assert_eq!((*first.beats.lock(), *second.beats.lock()), (0, 1));

    worker.report(&leased.token, Vec::new(), bytes::Bytes::new(), true).await.unwrap();
    first.work.lock().push(lease("main"));
    let leased = env.timeout(minutes(2), worker.lease("worker", 4)).await;
    let leased = leased.expect("it goes on to the other").unwrap().remove(0);
    assert_eq!(leased.token, lease("main").token);
}
