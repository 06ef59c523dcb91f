//! Servers and callers over the loopback interface.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use firn_engine::{Env, Error, ErrorKind, Result};
use firn_grpc::v1::compaction_client::CompactionClient;
use firn_grpc::v1::compaction_server::{Compaction, CompactionServer};
use firn_proto::v1 as pb;
use tonic::codegen::BoxStream;
use tonic::service::RoutesBuilder;
use tonic::{Request, Response, Status, Streaming};

use super::call::{Caller, Method};
use super::peers::Peers;
use super::serve::{Server, Serving};
use super::status::{Repeat, from_status, to_status};
use super::{TlsFiles, Trust};
use crate::config::Secret;
use crate::metrics::Registry;

type Answer = dyn Fn(u32) -> Result<(), Error> + Send + Sync;

/// Answers heartbeats as it is told, by their number.
#[derive(Clone)]
struct Told {
    answer: Arc<Answer>,
    asked: Arc<AtomicU32>,
    /// Heartbeats wait until this is told.
    gate: Option<Arc<tokio::sync::Notify>>,
}

impl Told {
    fn new(answer: impl Fn(u32) -> Result<(), Error> + Send + Sync + 'static) -> Self {
        Self { answer: Arc::new(answer), asked: Arc::default(), gate: None }
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }
}

#[tonic::async_trait]
impl Compaction for Told {
    type LeaseShardsStream = BoxStream<pb::ShardLease>;

    async fn lease_shards(
        &self,
        _: Request<Streaming<pb::LeaseShardsRequest>>,
    ) -> Result<Response<Self::LeaseShardsStream>, Status> {
        Ok(Response::new(Box::pin(futures::stream::pending())))
    }

    async fn heartbeat(
        &self,
        _: Request<pb::HeartbeatRequest>,
    ) -> Result<Response<pb::HeartbeatResponse>, Status> {
        let number = self.asked.fetch_add(1, Ordering::SeqCst);
        if let Some(gate) = &self.gate {
            gate.notified().await;
        }
        (self.answer)(number).map_err(|e| to_status(&e))?;
        Ok(Response::new(pb::HeartbeatResponse::default()))
    }

    async fn report_progress(
        &self,
        _: Request<pb::ReportProgressRequest>,
    ) -> Result<Response<pb::ReportProgressResponse>, Status> {
        Err(Status::internal("not asked here"))
    }

    async fn release(
        &self,
        _: Request<pb::ReleaseRequest>,
    ) -> Result<Response<pb::ReleaseResponse>, Status> {
        Err(Status::internal("not asked here"))
    }
}

fn any_port() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

async fn serve(told: &Told, trust: &Trust) -> Serving {
    let server = Server::bind("test", any_port(), trust).unwrap();
    serve_on(server, told).await
}

async fn serve_on(server: Server, told: &Told) -> Serving {
    let service = CompactionServer::new(told.clone());
    let add = |routes: &mut RoutesBuilder| {
        routes.add_service(service);
    };
    server.start(add).await.unwrap()
}

fn env() -> Env {
    let here = tokio::runtime::Handle::current();
    Env::tokio(here.clone(), here)
}

fn caller(addresses: &[SocketAddr], trust: &Trust) -> Caller {
    let names: Vec<_> = addresses.iter().map(ToString::to_string).collect();
    let env = env();
    Caller::new(env.clone(), Peers::new(env, &names, trust).unwrap())
}

const METHOD: Method =
    Method { what: "a heartbeat", repeat: Repeat::Safe, deadline: Duration::from_secs(20) };

async fn beat(caller: &Caller, method: Method) -> Result<pb::HeartbeatResponse> {
    caller
        .call(method, |peer, limit| async move {
            let mut request = Request::new(pb::HeartbeatRequest::default());
            request.set_timeout(limit);
            CompactionClient::new(peer).heartbeat(request).await
        })
        .await
}

#[test]
fn an_error_survives_the_hop_with_kind_chain_and_retryability() {
    let io = std::io::Error::other("disk on fire");
    let kinds = [
        ErrorKind::Retry,
        ErrorKind::Fenced,
        ErrorKind::BadRequest,
        ErrorKind::Corrupt,
        ErrorKind::Unavailable,
        ErrorKind::OutcomeUnknown,
        ErrorKind::Internal,
    ];
    for kind in kinds {
        let source = std::io::Error::new(io.kind(), io.to_string());
        let error = Error::with_source(kind, "PUT x", source).context("flushing");
        for error in [error.clone(), error.retryable()] {
            let read = from_status(&to_status(&error), "10.0.0.1:7", Repeat::Unsafe);
            assert_eq!(read.kind(), kind);
            assert_eq!(read.is_retryable(), error.is_retryable(), "{kind:?}");
            assert_eq!(read.to_string(), format!("10.0.0.1:7: {error}"));
        }
    }
}

#[test]
fn a_chain_too_long_for_a_header_is_cut_and_stays_an_error() {
    let mut error = Error::new(ErrorKind::Corrupt, "ü".repeat(5000));
    for n in 0..100 {
        error = error.context(format!("doing {n}"));
    }
    let status = to_status(&error);
    assert!(status.details().len() < 4096 && status.message().len() < 4096);
    let read = from_status(&status, "p", Repeat::Safe);
    assert_eq!(read.kind(), ErrorKind::Corrupt);
    assert!(read.to_string().starts_with("p: doing 99: doing 98: "), "{read}");
}

#[test]
fn a_status_of_the_transport_means_what_the_call_allows() {
    let of = |status: Status, repeat| {
        let error = from_status(&status, "p", repeat);
        (error.kind(), error.is_retryable())
    };
    let lost = || Status::unknown("connection reset");
    assert_eq!(of(lost(), Repeat::Safe), (ErrorKind::Unavailable, true));
    assert_eq!(of(lost(), Repeat::Unsafe), (ErrorKind::OutcomeUnknown, false));
    let away = || Status::unavailable("broken pipe");
    assert_eq!(of(away(), Repeat::Unsafe), (ErrorKind::OutcomeUnknown, false));
    let shed = Status::resource_exhausted("full");
    assert_eq!(of(shed, Repeat::Unsafe), (ErrorKind::Retry, true));
    let older = from_status(&Status::unimplemented("no such method"), "p", Repeat::Safe);
    assert_eq!(older.kind(), ErrorKind::BadRequest);
    assert!(older.to_string().contains("may be older"), "{older}");
    // Details that are not ours are not trusted.
    let foreign = Status::with_details(tonic::Code::Unknown, "x", vec![0xff; 9].into());
    assert_eq!(of(foreign, Repeat::Safe), (ErrorKind::Unavailable, true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_may_succeed_is_tried_again_and_the_rest_is_not() {
    let told = Told::new(|n| match n {
        0 => Err(Error::new(ErrorKind::Retry, "busy")),
        1 => Err(Error::new(ErrorKind::Unavailable, "moving").retryable()),
        2 => Ok(()),
        _ => Err(Error::new(ErrorKind::Fenced, "a newer writer has the branch")),
    });
    let serving = serve(&told, &Trust::default()).await;
    let caller = caller(&[serving.address()], &Trust::default());
    beat(&caller, METHOD).await.unwrap();
    assert_eq!(told.asked(), 3);
    let error = beat(&caller, METHOD).await.unwrap_err();
    assert_eq!((error.kind(), told.asked()), (ErrorKind::Fenced, 4));
    let expected = format!("a heartbeat: {}: a newer writer has the branch", serving.address());
    assert_eq!(error.to_string(), expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn when_one_address_is_dead_another_is_asked() {
    let told = Told::new(|_| Ok(()));
    let living = serve(&told, &Trust::default()).await;
    let dead = serve(&told, &Trust::default()).await;
    let addresses = [dead.address(), living.address()];
    let caller = caller(&addresses, &Trust::default());
    beat(&caller, METHOD).await.unwrap();
    assert!(dead.stop(Duration::from_secs(10)).await);
    for _ in 0..3 {
        beat(&caller, METHOD).await.unwrap();
    }
    assert_eq!(told.asked(), 4);
    // And none at all is an error within the deadline, which names an address.
    living.stop(Duration::from_secs(10)).await;
    let method = Method { deadline: Duration::from_millis(300), ..METHOD };
    let error = beat(&caller, method).await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Unavailable, true));
    assert!(error.to_string().contains("127.0.0.1:"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_call_that_may_not_be_made_twice_is_reported_as_unknown() {
    let gate = Arc::new(tokio::sync::Notify::new());
    let told = Told { gate: Some(gate), ..Told::new(|_| Ok(())) };
    let serving = serve(&told, &Trust::default()).await;
    let caller = caller(&[serving.address()], &Trust::default());
    let method = Method { repeat: Repeat::Unsafe, deadline: Duration::from_millis(200), ..METHOD };
    let error = beat(&caller, method).await.unwrap_err();
    assert_eq!((error.kind(), told.asked()), (ErrorKind::OutcomeUnknown, 1));
    // One that never reached a server is known not to have happened.
    let address = serving.address();
    drop(serving);
    let nobody = self::caller(&[address], &Trust::default());
    let error = loop {
        let error = beat(&nobody, method).await.unwrap_err();
        // The port is closed when the server's task has ended.
        if error.kind() != ErrorKind::OutcomeUnknown {
            break error;
        }
    };
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Unavailable, true), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_outage_is_not_met_with_more_calls_than_the_budget() {
    let told = Told::new(|_| Err(Error::new(ErrorKind::Retry, "busy")));
    let serving = serve(&told, &Trust::default()).await;
    let caller = caller(&[serving.address()], &Trust::default());
    let method = Method { deadline: Duration::from_millis(100), ..METHOD };
    for _ in 0..80 {
        beat(&caller, method).await.unwrap_err();
    }
    // Each call once, and as many retries as the budget had at the start.
    assert_eq!(told.asked(), 180);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn calls_over_the_limit_are_turned_away_as_ones_to_make_again() {
    let gate = Arc::new(tokio::sync::Notify::new());
    let told = Told { gate: Some(Arc::clone(&gate)), ..Told::new(|_| Ok(())) };
    let server = Server::bind("test", any_port(), &Trust::default()).unwrap().calls_max(1);
    let registry = Registry::new();
    server.register(&registry);
    let serving = serve_on(server, &told).await;
    let first = Arc::new(caller(&[serving.address()], &Trust::default()));
    let waiting = tokio::spawn({
        let first = Arc::clone(&first);
        async move { beat(&first, METHOD).await }
    });
    while told.asked() == 0 {
        tokio::task::yield_now().await;
    }
    let method = Method { deadline: Duration::from_millis(1), ..METHOD };
    let second = caller(&[serving.address()], &Trust::default());
    let error = loop {
        let error = beat(&second, method).await.unwrap_err();
        // Connecting may take longer than such a deadline.
        if error.kind() == ErrorKind::Retry {
            break error;
        }
    };
    assert!(error.is_retryable());
    gate.notify_one();
    waiting.await.unwrap().unwrap();
    let text = registry.render();
    let path = "method=\"/firn.v1.Compaction/Heartbeat\"";
    assert!(text.contains(&format!("firn_rpc_errors_total{{{path}}} ")), "{text}");
    assert!(text.contains("\nfirn_rpc_in_flight 0\n"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn only_who_knows_the_token_is_heard() {
    let with = |token: &str| Trust { token: Some(Secret::new(token)), tls: None };
    let told = Told::new(|_| Ok(()));
    let serving = serve(&told, &with("s3cret")).await;
    beat(&caller(&[serving.address()], &with("s3cret")), METHOD).await.unwrap();
    for (trust, says) in [
        (Trust::default(), "sends no token"),
        (with("s3cre"), "is not this cluster's"),
        (with("s3cret2"), "is not this cluster's"),
    ] {
        let error = beat(&caller(&[serving.address()], &trust), METHOD).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadRequest);
        assert!(error.to_string().contains(says), "{error}");
        assert!(!error.to_string().contains("s3cre"), "{error}");
    }
    assert_eq!(told.asked(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn stopping_lets_calls_end_and_drops_those_that_do_not() {
    let gate = Arc::new(tokio::sync::Notify::new());
    let told = Told { gate: Some(Arc::clone(&gate)), ..Told::new(|_| Ok(())) };
    for ends in [true, false] {
        let serving = serve(&told, &Trust::default()).await;
        let before = told.asked();
        let caller = caller(&[serving.address()], &Trust::default());
        let method = Method { repeat: Repeat::Unsafe, ..METHOD };
        let call = tokio::spawn(async move { beat(&caller, method).await });
        while told.asked() == before {
            tokio::task::yield_now().await;
        }
        if ends {
            gate.notify_one();
            assert!(serving.stop(Duration::from_secs(20)).await);
            call.await.unwrap().unwrap();
        } else {
            assert!(!serving.stop(Duration::from_millis(50)).await);
            let error = call.await.unwrap().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::OutcomeUnknown, "{error}");
        }
    }
}

#[tokio::test]
async fn addresses_that_cannot_be_are_named() {
    let env = env();
    for name in ["host", "host:", "host:port", "host:70000", ":7401"] {
        let names = [name.to_owned()];
        let error = Peers::new(env.clone(), &names, &Trust::default()).unwrap_err();
        assert_eq!(error.to_string(), format!("address {name:?}: must be HOST:PORT"));
    }
    assert!(Peers::new(env, &[], &Trust::default()).is_err());
}

/// Certificates in a folder: one authority, and what it has signed.
struct Authority {
    dir: tempfile::TempDir,
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let ca = params.self_signed(&key).unwrap();
        std::fs::write(dir.path().join("ca.pem"), ca.pem()).unwrap();
        Self { dir, issuer: rcgen::Issuer::new(params, key) }
    }

    fn trust(&self, host: &str) -> Trust {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec![host.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let path = |name: &str| self.dir.path().join(format!("{host}-{name}.pem"));
        std::fs::write(path("certificate"), certificate.pem()).unwrap();
        std::fs::write(path("key"), key.serialize_pem()).unwrap();
        let ca = self.dir.path().join("ca.pem");
        let tls = TlsFiles { ca, certificate: path("certificate"), key: path("key") };
        Trust { token: None, tls: Some(tls) }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn both_sides_ask_for_a_certificate_of_the_same_authority() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let told = Told::new(|_| Ok(()));
    let serving = serve(&told, &ours.trust("127.0.0.1")).await;
    let address = [serving.address()];
    beat(&caller(&address, &ours.trust("client.example")), METHOD).await.unwrap();
    let method = Method { deadline: Duration::from_millis(200), ..METHOD };
    for trust in [theirs.trust("client.example"), Trust::default()] {
        let error = beat(&caller(&address, &trust), method).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    }
    // A server that claims to be another one is not spoken to.
    let elsewhere = serve(&told, &ours.trust("elsewhere.example")).await;
    let client = caller(&[elsewhere.address()], &ours.trust("client.example"));
    let error = beat(&client, method).await.unwrap_err();
    assert!(error.to_string().contains("certificate"), "{error}");
    assert_eq!(told.asked(), 1);
    // A file that is missing is named.
    let mut trust = ours.trust("127.0.0.1");
    trust.tls.as_mut().unwrap().key = "/nowhere/key.pem".into();
    let error = Server::bind("test", any_port(), &trust).unwrap_err();
    assert!(error.to_string().starts_with("/nowhere/key.pem: "), "{error}");
}
