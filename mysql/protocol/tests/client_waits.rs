//! Servers that answer late, halfway or never, as our client sees them.

mod support;

use std::io;
use std::time::Duration;

use firn_mysql_protocol::client::{Client, ClientConfig};
use firn_mysql_protocol::handshake::Greeting;
use firn_mysql_protocol::server::ServerConfig;
use firn_mysql_protocol::{Error, StatusFlags};
use support::client::as_user;
use support::raw::framed;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::timeout;

/// OK without anything to say.
const OK: &[u8] = b"\0\0\0\x02\0\0\0";

async fn read_packet(stream: &mut DuplexStream) {
    let len = stream.read_u32_le().await.unwrap() & 0xff_ffff;
    let mut payload = vec![0; len as usize];
    stream.read_exact(&mut payload).await.unwrap();
}

/// A client that is logged in, and the server's end of its pipe.
async fn logged_in(config: ClientConfig) -> (Client, DuplexStream) {
    let (ours, mut server) = tokio::io::duplex(1 << 16);
    let mut greeting = Vec::new();
    Greeting {
        version: "8.4.7".into(),
        connection_id: 1,
        nonce: *b"0123456789abcdefghij",
        capabilities: ServerConfig::default().capabilities(),
        collation: 255,
        status: StatusFlags::AUTOCOMMIT,
        plugin: "caching_sha2_password".into(),
    }
    .encode(&mut greeting);
    server.write_all(&framed(0, &greeting)).await.unwrap();
    server.write_all(&framed(2, OK)).await.unwrap();
    let client = Client::connect(ours, &config).await.unwrap();
    read_packet(&mut server).await;
    (client, server)
}

fn in_five_seconds() -> ClientConfig {
    ClientConfig { answer_timeout: Duration::from_secs(5), ..as_user("native", "x") }
}

/// The kind and text of an error of the connection.
fn io_error<T>(result: Result<T, Error>) -> (io::ErrorKind, String) {
    match result {
        Err(Error::Io(error)) => (error.kind(), error.to_string()),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("no error"),
    }
}

async fn assert_unusable(client: &mut Client) {
    let text = "an earlier call on this connection failed or was dropped";
    let expected = (io::ErrorKind::NotConnected, text.to_owned());
    assert_eq!(io_error(client.ping().await), expected);
    assert_eq!(io_error(client.next_row().await), expected);
    assert_eq!(io_error(client.command(b"\x0e").await), expected);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_is_given_up() {
    let (mut client, server) = logged_in(in_five_seconds()).await;
    let began = tokio::time::Instant::now();
    let error = io_error(client.query_all(b"select 1").await);
    let text = "no answer from the server within 5s".to_owned();
    assert_eq!(error, (io::ErrorKind::TimedOut, text));
    assert_eq!(began.elapsed().as_secs(), 5);
    assert_unusable(&mut client).await;
    drop(server);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stops_within_a_packet_is_given_up() {
    let config = ClientConfig { read_timeout: Duration::from_secs(2), ..in_five_seconds() };
    let (mut client, mut server) = logged_in(config).await;
    server.write_all(b"\x07\0\0\x01\0\0").await.unwrap();
    let began = tokio::time::Instant::now();
    assert_eq!(io_error(client.ping().await), (io::ErrorKind::TimedOut, "read timed out".into()));
    assert_eq!(began.elapsed().as_secs(), 2);
    assert_unusable(&mut client).await;
}

#[tokio::test(start_paused = true)]
async fn each_packet_of_an_answer_has_its_own_time() {
    let (mut client, mut server) = logged_in(in_five_seconds()).await;
    let answers = tokio::spawn(async move {
        let column = b"\x03def\0\0\0\x01c\0\x0c\xff\0\x04\0\0\0\xfd\0\0\0\0\0";
        let rows = [&b"\x01"[..], column, b"\x01a", b"\x01b", b"\xfe\0\0\x02\0\0\0"];
        for (sequence, payload) in (1..).zip(rows) {
            tokio::time::sleep(Duration::from_secs(4)).await;
            server.write_all(&framed(sequence, payload)).await.unwrap();
        }
        server
    });
    assert_eq!(client.query_all(b"select c").await.unwrap()[0].rows.len(), 2);
    drop(answers.await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_is_not_taken_for_that_of_the_next_command() {
    let (mut client, mut server) = logged_in(ClientConfig::default()).await;
    let dropped = timeout(Duration::from_secs(1), client.query_all(b"update")).await;
    assert!(dropped.is_err());
    server.write_all(&framed(1, OK)).await.unwrap();
    assert_unusable(&mut client).await;
}

#[tokio::test]
async fn an_answer_that_makes_no_sense_ends_the_use_of_the_connection() {
    let (mut client, mut server) = logged_in(ClientConfig::default()).await;
    // One column, whose definition is cut short; then a fine OK.
    for (sequence, payload) in [(1, &b"\x01"[..]), (2, b"\x03de"), (1, OK)] {
        server.write_all(&framed(sequence, payload)).await.unwrap();
    }
    assert!(matches!(client.query(b"select 1").await, Err(Error::Protocol(_))));
    assert_unusable(&mut client).await;
}

#[tokio::test]
async fn an_error_of_the_server_leaves_the_connection_usable() {
    let (mut client, mut server) = logged_in(ClientConfig::default()).await;
    for payload in [&b"\xff\x28\x04#42000no"[..], OK] {
        server.write_all(&framed(1, payload)).await.unwrap();
    }
    assert!(matches!(client.query(b"nonsense").await, Err(Error::Sql(e)) if e.number == 1064));
    client.ping().await.unwrap();
}
