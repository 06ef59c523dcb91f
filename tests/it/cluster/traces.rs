//! Traces over all parts, as a collector gets them.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use firn_mysql_protocol::client::Client;
use firn_mysql_protocol::command::{Parameter, ParameterValue};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tonic::{Request, Response, Status};

use crate::wire::server::{Server, WAIT_MAX, client, firn};

/// A span with who made it.
#[derive(Debug, Clone)]
struct Span {
    service: String,
    pid: i64,
    trace: String,
    id: String,
    parent: String,
    name: String,
    failed: bool,
}

/// Keeps what it gets.
#[derive(Debug, Clone)]
struct Collector(Arc<watch::Sender<Vec<Span>>>);

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        for resource in request.into_inner().resource_spans {
            let attributes = resource.resource.unwrap_or_default().attributes;
            let of = |key: &str| {
                let found = attributes.iter().find(|attribute| attribute.key == key);
                found.and_then(|attribute| attribute.value.clone()?.value)
            };
            let Some(Value::StringValue(service)) = of("service.name") else {
                return Err(Status::invalid_argument("no service.name"));
            };
            let Some(Value::IntValue(pid)) = of("process.pid") else {
                return Err(Status::invalid_argument("no process.pid"));
            };
            let spans = resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
            let spans = spans.map(|span| Span {
                service: service.clone(),
                pid,
                trace: hex(&span.trace_id),
                id: hex(&span.span_id),
                parent: hex(&span.parent_span_id),
                failed: span.status.is_some_and(|status| status.code == 2),
                name: span.name,
            });
            self.0.send_modify(|all| all.extend(spans));
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Collector {
    async fn start() -> (Self, SocketAddr) {
        let collector = Self(Arc::new(watch::Sender::new(Vec::new())));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let incoming = tonic::transport::server::TcpIncoming::from(listener);
        let service = TraceServiceServer::new(collector.clone());
        let server = tonic::transport::Server::builder().add_service(service);
        tokio::spawn(server.serve_with_incoming(incoming));
        (collector, address)
    }

    /// Waits until `found` finds what it looks for in what came.
    async fn wait<T>(&self, what: &str, found: impl Fn(&[Span]) -> Option<T>) -> T {
        let mut spans = self.0.subscribe();
        let wait = async {
            loop {
                if let Some(found) = found(&spans.borrow_and_update()) {
                    return found;
                }
                spans.changed().await.unwrap();
            }
        };
        let waited = tokio::time::timeout(WAIT_MAX, wait).await;
        waited.unwrap_or_else(|_| panic!("no {what} in {:#?}", self.0.borrow()))
    }
}

fn up(folder: &Path, collector: SocketAddr, share: &str, cluster: &[&str]) -> Server {
    let dir = folder.join("data");
    let args = ["up", "--data-dir", dir.to_str().unwrap(), "--mysql-addr", "127.0.0.1:0"];
    let mut command = firn(folder, &[&args[..], &["--http-addr", "none"], cluster].concat());
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{collector}"));
    command.env("FIRN_TRACE__SHARE", share);
    Server::start_as(command, &folder.join("stderr"))
}

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CLIENT: &str = "00f067aa0ba902b7";

/// Runs a statement as a client that traces it.
async fn traced(client: &mut Client, sql: &str) {
    let parent = format!("00-{TRACE}-{CLIENT}-01");
    let attribute = Parameter {
        name: b"traceparent".to_vec(),
        kind: firn_mysql_protocol::ColumnType::VarString,
        value: ParameterValue::Bytes(parent.as_bytes()),
    };
    client.query_with_attributes(sql.as_bytes(), &[attribute]).await.unwrap();
}

/// The only span of this name below `parent`.
fn below<'a>(spans: &'a [Span], parent: &str, name: &str) -> Option<&'a Span> {
    let mut found = spans.iter().filter(|span| span.parent == parent && span.name == name);
    let first = found.next()?;
    assert!(found.next().is_none(), "{spans:#?}");
    Some(first)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_follows_an_insert_to_all_members_and_a_flush_to_the_object_store() {
    let dir = tempfile::tempdir().unwrap();
    let (collector, address) = Collector::start().await;
    let server = up(dir.path(), address, "1", &["--cluster"]);
    let mut client = client(server.address(), None).await.unwrap();
    for sql in ["CREATE DATABASE d", "CREATE TABLE d.t (id INT PRIMARY KEY)"] {
        client.query_all(sql.as_bytes()).await.unwrap();
    }
    traced(&mut client, "INSERT INTO d.t VALUES (1), (2), (3)").await;
    let whole = |spans: &[Span]| {
        let spans: Vec<_> = spans.iter().filter(|span| span.trace == TRACE).cloned().collect();
        let query = below(&spans, CLIENT, "query")?;
        let commit = below(&spans, &query.id, "commit")?;
        let append = below(&spans, &commit.id, "journal append")?;
        let raft = below(&spans, &append.id, "raft append")?;
        let writes: Vec<_> = spans.iter().filter(|span| span.name == "raft log write").collect();
        if writes.len() < 3 {
            return None;
        }
        for span in [query, commit, append] {
            assert_eq!((&*span.service, span.pid), ("firn-compute", query.pid), "{spans:#?}");
        }
        // The leader and its followers, each in a process of its own.
        assert_eq!(raft.service, "firn-journal");
        let members: BTreeSet<_> = writes.iter().map(|span| span.pid).collect();
        assert!(members.len() == 3 && members.contains(&raft.pid), "{spans:#?}");
        assert!(writes.iter().all(|span| span.parent == raft.id && span.trace == TRACE));
        assert!(spans.iter().all(|span| !span.failed), "{spans:#?}");
        Some(())
    };
    collector.wait("whole trace of the insert", whole).await;

    // A branch is made of what is in files: the writer is asked to flush.
    let args = ["--config", "data/cluster.yaml", "ctl", "branch", "create", "other"];
    let out = firn(dir.path(), &args).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let flushed = |spans: &[Span]| {
        let flush = spans.iter().find(|span| span.name == "flush" && span.parent.is_empty())?;
        let spans: Vec<_> = spans.iter().filter(|s| s.trace == flush.trace).cloned().collect();
        // One for each file, and each space has files of its own.
        let puts = |parent: &Span| -> Vec<i64> {
            let of = |span: &&Span| span.parent == parent.id && span.name == "object store put";
            spans.iter().filter(of).map(|span| span.pid).collect()
        };
        let files = puts(flush);
        assert!(files.iter().all(|pid| *pid == flush.pid), "{spans:#?}");
        let call = below(&spans, &flush.id, "committing a flush")?;
        let served = below(&spans, &call.id, "firn.v1.Storage/CommitFlush")?;
        assert_eq!((&*served.service, &*flush.service), ("firn-storage", "firn-compute"));
        let manifest = puts(served);
        assert!(manifest.iter().all(|pid| *pid == served.pid), "{spans:#?}");
        (!files.is_empty() && !manifest.is_empty()).then_some(())
    };
    collector.wait("whole trace of a flush", flushed).await;
    drop(client);
    server.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_what_is_asked_for_is_traced_and_the_last_spans_are_sent() {
    let dir = tempfile::tempdir().unwrap();
    let (collector, address) = Collector::start().await;
    let server = up(dir.path(), address, "0", &[]);
    let mut client = client(server.address(), None).await.unwrap();
    for sql in ["CREATE DATABASE d", "CREATE TABLE d.t (id INT PRIMARY KEY)"] {
        client.query_all(sql.as_bytes()).await.unwrap();
    }
    traced(&mut client, "INSERT INTO d.t VALUES (1), (2), (3)").await;
    client.query_all(b"INSERT INTO d.t VALUES (4)").await.unwrap();
    drop(client);
    // What waits is sent at the end.
    server.stop();
    let spans = collector.0.borrow().clone();
    assert!(spans.iter().all(|span| span.trace == TRACE), "{spans:#?}");
    let names: Vec<_> = spans.iter().map(|span| &*span.name).collect();
    assert_eq!(names.iter().filter(|name| **name == "query").count(), 1, "{names:?}");
    assert!(names.contains(&"journal append"), "{names:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_is_away_is_one_warning_and_nobody_waits() {
    let dir = tempfile::tempdir().unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = listener.local_addr().unwrap();
    drop(listener);
    let server = up(dir.path(), nobody, "1", &[]);
    let mut client = client(server.address(), None).await.unwrap();
    for sql in ["CREATE DATABASE d", "CREATE TABLE d.t (id INT PRIMARY KEY)"] {
        client.query_all(sql.as_bytes()).await.unwrap();
    }
    for id in 0..2000 {
        let sql = format!("INSERT INTO d.t VALUES ({id})");
        client.query_all(sql.as_bytes()).await.unwrap();
    }
    drop(client);
    server.stop();
    let log = std::fs::read_to_string(dir.path().join("stderr")).unwrap();
    let warnings: Vec<_> = log.lines().filter(|line| line.contains("WARN")).collect();
    assert_eq!(warnings.len(), 1, "{log}");
    assert!(warnings[0].contains("traces are not taken"), "{log}");
    assert!(!log.contains("ERROR"), "{log}");
}
