//! Packets written by hand.

use std::net::SocketAddr;

use firn_mysql_protocol::Capabilities;
use firn_mysql_protocol::client::{Client, ClientConfig};
use firn_mysql_protocol::handshake::HandshakeResponse;
use firn_mysql_protocol::packet::PacketBuffer;
use firn_mysql_protocol::server::ServerConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::client::as_user;

/// A packet with this sequence number.
pub fn framed(sequence: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = PacketBuffer::default();
    packet.packet(payload);
    packet.bytes()[3] = sequence;
    std::mem::take(packet.bytes())
}

/// The first packet of a client that logs in like this.
pub fn login(response: &HandshakeResponse) -> Vec<u8> {
    let mut payload = Vec::new();
    response.encode(&mut payload);
    framed(1, &payload)
}

/// A login of the account `native`, with everything in it and a wrong password.
pub fn response() -> HandshakeResponse {
    HandshakeResponse {
        capabilities: ServerConfig::default().capabilities().without(Capabilities::COMPRESS),
        packet_max_bytes: 1 << 24,
        collation: 255,
        user: b"native".to_vec(),
        auth_response: vec![7; 20],
        schema: Some(b"here".to_vec()),
        plugin: Some("mysql_native_password".into()),
        attributes: vec![("a".into(), "b".into()), ("long".into(), "x".repeat(300))],
        zstd_level: 3,
    }
}

/// Writes packets and reads until the server closes; gives what it said last.
pub async fn converse(address: SocketAddr, packets: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut greeting = [0; 4];
    stream.read_exact(&mut greeting).await.unwrap();
    let len = u32::from_le_bytes([greeting[0], greeting[1], greeting[2], 0]);
    let mut body = vec![0; len as usize];
    stream.read_exact(&mut body).await.unwrap();
    stream.write_all(packets).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut said = Vec::new();
    // A reset instead of an end is the server's right.
    let _ = stream.read_to_end(&mut said).await;
    said
}

/// Number in an ERR packet, if this begins with one.
pub fn error_number(said: &[u8]) -> Option<u16> {
    match said {
        [_, _, _, _, 0xff, low, high, ..] => Some(u16::from_le_bytes([*low, *high])),
        _ => None,
    }
}

/// A client whose packets are our own from the end of its login on.
pub async fn logged_in(address: SocketAddr, capabilities: Capabilities) -> (Client, TcpStream) {
    // The client is logged in through a pipe that is then cut open.
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let server = TcpStream::connect(address).await.unwrap();
    let config = ClientConfig { capabilities, ..as_user("native", "secret") };
    let (mut theirs_read, mut theirs_write) = tokio::io::split(theirs);
    let (mut server_read, mut server_write) = server.into_split();
    let mut login = Box::pin(Client::connect(ours, &config));
    let (mut up, mut down) = ([0; 4096], [0; 4096]);
    let client = loop {
        tokio::select! {
            client = &mut login => break client.unwrap(),
            len = theirs_read.read(&mut up) => {
                server_write.write_all(&up[..len.unwrap()]).await.unwrap();
            }
            len = server_read.read(&mut down) => {
                theirs_write.write_all(&down[..len.unwrap()]).await.unwrap();
            }
        }
    };
    drop(login);
    (client, server_read.reunite(server_write).unwrap())
}

/// Sends bytes after a login, ends sending, and gives all answers.
pub async fn after_login(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let capabilities = ClientConfig::default().capabilities | Capabilities::MULTI_STATEMENTS;
    let (_client, mut stream) = logged_in(address, capabilities).await;
    let _ = stream.write_all(bytes).await;
    let _ = stream.shutdown().await;
    let mut said = Vec::new();
    let _ = stream.read_to_end(&mut said).await;
    said
}
