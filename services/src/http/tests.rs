use super::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const WAIT_MAX: Duration = Duration::from_secs(20);

fn endpoints() -> Endpoints {
    let metrics = Registry::new();
    metrics.add(|out: &mut crate::metrics::Writer| {
        out.counter("firn_x_total", "X.", &[], 7_u64);
    });
    Endpoints {
        metrics,
        readiness: Readiness::new(),
        status: Arc::new(|| serde_json::json!({ "branch": "main" })),
    }
}

async fn start(endpoints: Endpoints, limits: Limits) -> Server {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    Server::start_with(any, endpoints, limits).await.unwrap()
}

/// Everything that the server sends until it closes.
async fn read_all(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(WAIT_MAX, stream.read_to_end(&mut bytes)).await;
    // A reset tells as much as a close.
    let _ = read.expect("the server closes the connection");
    String::from_utf8(bytes).unwrap()
}

async fn exchange(server: &Server, request: &str) -> String {
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    read_all(&mut stream).await
}

async fn get(server: &Server, path: &str) -> String {
    exchange(server, &format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).await
}

#[tokio::test]
async fn every_path_answers() {
    let endpoints = endpoints();
    let server = start(endpoints.clone(), Limits::default()).await;
    assert!(get(&server, "/livez").await.starts_with("HTTP/1.1 200 OK\r\n"));
    let metrics = get(&server, "/metrics").await;
    assert!(metrics.contains("content-type: text/plain; version=0.0.4"), "{metrics}");
    assert!(metrics.ends_with("# TYPE firn_x_total counter\nfirn_x_total 7\n"), "{metrics}");
    let status = get(&server, "/status?pretty").await;
    assert!(status.ends_with("{\n  \"branch\": \"main\"\n}\n"), "{status}");
    assert!(get(&server, "/").await.starts_with("HTTP/1.1 404 "));
    let post = "POST /livez HTTP/1.1\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx";
    let refused = exchange(&server, post).await;
    assert!(refused.starts_with("HTTP/1.1 405 ") && refused.contains("allow: GET, HEAD"));
    let head = exchange(&server, "HEAD /metrics HTTP/1.0\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.0 200 OK") && head.ends_with("\r\n\r\n"), "{head}");

    endpoints.readiness.not_ready("database", "replaying\nthe journal");
    let unready = get(&server, "/readyz").await;
    assert!(unready.starts_with("HTTP/1.1 503 "), "{unready}");
    assert!(unready.ends_with("\r\n\r\ndatabase: replaying\\nthe journal\n"), "{unready}");
    endpoints.readiness.ready("database");
    assert!(get(&server, "/readyz").await.starts_with("HTTP/1.1 200 OK"));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn nonsense_is_refused_and_the_server_goes_on() {
    let server = start(endpoints(), Limits::default()).await;
    let long = format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(HEAD_BYTES_MAX));
    assert!(!exchange(&server, &long).await.contains(" 200 "));
    let many = format!("GET /livez HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(HEADERS_MAX + 1));
    assert!(!exchange(&server, &many).await.contains(" 200 "));
    assert!(!exchange(&server, "\u{1}\u{2}\u{3}\r\n\r\n").await.contains(" 200 "));
    assert!(get(&server, "/livez").await.contains(" 200 "));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn silent_connections_do_not_keep_others_out() {
    let limits =
        Limits { connections: 2, head_wait: Duration::from_millis(50), ..Limits::default() };
    let server = start(endpoints(), limits).await;
    let mut silent = Vec::new();
    for _ in 0..4 {
        let mut stream = TcpStream::connect(server.address()).await.unwrap();
        stream.write_all(b"GET /livez HTTP/1.1\r\n").await.unwrap();
        silent.push(stream);
    }
    assert!(get(&server, "/livez").await.contains(" 200 "));
    for stream in &mut silent {
        assert!(!read_all(stream).await.contains(" 200 "));
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_connection_has_an_end_even_if_it_keeps_asking() {
    let limits = Limits { connection_life: Duration::from_millis(50), ..Limits::default() };
    let server = start(endpoints(), limits).await;
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.write_all(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert!(read_all(&mut stream).await.contains(" 200 "));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn stopping_closes_idle_connections_and_the_port() {
    let server = start(endpoints(), Limits::default()).await;
    let address = server.address();
    let mut idle = TcpStream::connect(address).await.unwrap();
    idle.write_all(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut first = [0; 12];
    idle.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    tokio::time::timeout(WAIT_MAX, server.stop()).await.expect("stops").unwrap();
    read_all(&mut idle).await;
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let server = start(endpoints(), Limits::default()).await;
    let e = Server::start(server.address(), endpoints()).await.unwrap_err();
    assert_eq!(e.kind(), ErrorKind::Unavailable);
    let line = e.to_string();
    assert!(
        line.starts_with(&format!("listening on http_listen {}: ", server.address())),
        "{line}"
    );
    server.stop().await.unwrap();
}
