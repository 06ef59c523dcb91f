//! Many connections that never log in. In a file of its own, so that no other
//! test's memory is counted.

#![allow(clippy::print_stdout)]

mod support;

use std::sync::Arc;
use std::time::Duration;

use firn_mysql_protocol::Result;
use firn_mysql_protocol::handshake::HandshakeResponse;
use firn_mysql_protocol::server::{Peer, ServerConfig, serve};
use support::Memory;
use support::client::with_tls;
use support::raw::{framed, login, response};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::task::JoinHandle;

const CONNECTIONS: usize = 10_000;
/// Of each pipe, for both directions. Their memory counts, too: what a kernel
/// holds for a socket.
const PIPE_BYTES: usize = 1 << 10;

/// Memory of this process, bytes.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

type Held = Vec<(DuplexStream, JoinHandle<Result<()>>)>;

/// Opens connections that send this and no more; gives bytes of memory for each.
async fn bytes_each(config: &Arc<ServerConfig>, sent: &[u8], held: &mut Held) -> usize {
    let memory = Memory::new();
    let before = resident();
    for id in 0..CONNECTIONS {
        let (mut client, server) = tokio::io::duplex(PIPE_BYTES);
        let (service, config) = (Arc::clone(&memory), Arc::clone(config));
        let served = serve(service, config, server, Peer::unix(), id as u32, Default::default());
        let served = tokio::spawn(served);
        let mut greeting = [0; 4];
        client.read_exact(&mut greeting).await.unwrap();
        client.write_all(sent).await.unwrap();
        tokio::task::yield_now().await;
        held.push((client, served));
    }
    resident().saturating_sub(before) / CONNECTIONS
}

#[tokio::test]
async fn half_open_connections_take_little_memory() {
    // The machine may stand still for a while without any of them being cut off.
    let config = ServerConfig { connect_timeout: Duration::from_secs(3600), ..with_tls() };
    let config = Arc::new(config);
    let mut ssl = Vec::new();
    HandshakeResponse { capabilities: config.capabilities(), ..response() }
        .encode_ssl_request(&mut ssl);
    let whole = login(&response());
    let asked = HandshakeResponse {
        user: b"sha".to_vec(),
        auth_response: vec![7; 32],
        plugin: Some("caching_sha2_password".into()),
        ..response()
    };
    // All stay until the end, so that none is given the memory of another.
    let mut held = Vec::with_capacity(5 * CONNECTIONS);
    for (stops, sent, most) in [
        ("after the greeting", Vec::new(), 12 << 10),
        ("in a packet that is said to be long", b"\xff\xff\x01\x01abc".to_vec(), 80 << 10),
        ("in a login", whole[..whole.len() - 1].to_vec(), 12 << 10),
        ("when asked for the password", login(&asked), 14 << 10),
        ("before TLS", framed(1, &ssl), 24 << 10),
    ] {
        let used = bytes_each(&config, &sent, &mut held).await;
        println!("{stops}: {used} bytes of memory per connection, pipe included");
        assert!(used < most, "{stops}: {used} bytes per connection");
    }
    for (client, served) in held {
        assert!(!served.is_finished(), "it was not half open");
        drop(client);
        assert!(served.await.unwrap().is_err());
    }
}
