//! Input that keeps to the protocol's form and means harm, or is merely odd:
//! text that is none, zero bytes, endless lists, clients that stop halfway or
//! never read. Packets that break the form are in `malformed.rs`, many
//! connections at once in `half_open.rs`.

mod support;

use std::time::Duration;

use firn_mysql_protocol::client::ClientConfig;
use firn_mysql_protocol::command::{Parameter, ParameterValue};
use firn_mysql_protocol::handshake::{ATTRIBUTES_MAX_BYTES, HandshakeResponse};
use firn_mysql_protocol::packet::put_lenenc_bytes;
use firn_mysql_protocol::server::{Peer, ServerConfig, serve};
use firn_mysql_protocol::{Capabilities, Result, command, handshake};
use support::client::{as_user, connect, number, text, with_tls};
use support::raw::{after_login, converse, error_number, framed, login, response};
use support::{Memory, start};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::task::JoinHandle;

#[tokio::test]
async fn a_user_that_is_no_utf8_is_refused_like_any_other() {
    let (address, memory) = start(ServerConfig::default()).await;
    for user in [&b"\xff\xfe"[..], b"caf\xe9", b"\xc3", b"\xed\xa0\x80", &[0xff; 10_000]] {
        let sent = login(&HandshakeResponse {
            user: user.into(),
            auth_response: Vec::new(),
            plugin: Some("caching_sha2_password".into()),
            ..response()
        });
        let said = converse(address, &sent).await;
        assert_eq!(error_number(&said), Some(1045));
        assert!(str::from_utf8(&said[7..]).is_ok() && said.len() < 400, "{said:?}");
    }
    memory.assert_no_panic();
}

#[tokio::test]
async fn a_schema_that_is_no_utf8_reaches_the_session() {
    let (address, memory) = start(ServerConfig::default()).await;
    let mut client = connect(address, &as_user("native", "secret")).await.unwrap();
    client.command(b"\x02\xff\xfe").await.unwrap();
    assert_eq!(text(&client.query_all(b"schema").await.unwrap()), "\u{fffd}\u{fffd}");
    let empty = HandshakeResponse {
        user: b"native_empty".to_vec(),
        auth_response: Vec::new(),
        schema: Some(b"\xff".to_vec()),
        capabilities: response().capabilities.without(Capabilities::ZSTD),
        ..response()
    };
    let sent = [login(&empty), framed(0, b"\x03\0\x01schema")].concat();
    let said = converse(address, &sent).await;
    assert!(said.ends_with(b"\xfe\0\0\x02\0\0\0"), "{said:?}");
    memory.assert_no_panic();
}

#[tokio::test]
async fn statements_and_values_may_be_any_bytes() {
    let (address, memory) = start(ServerConfig::default()).await;
    let mut client = connect(address, &as_user("native", "secret")).await.unwrap();
    assert_eq!(text(&client.query_all(b"echo a\0b").await.unwrap()), "a\0b");
    for sql in [&b"\xff\xfe"[..], b"\0", b"", b"\0\0\0\xc3"] {
        assert_eq!(number(&client.query_all(sql).await.unwrap_err()), 1064, "{sql:?}");
    }
    let statement = client.prepare(b"echo \xff\0?").await.unwrap();
    for value in [&b"\0"[..], b"", b"\xff\xfe\0", b"\xed\xa0\x80"] {
        let parameter = [Parameter::new(ParameterValue::Bytes(value))];
        let outcome = client.execute(&statement, &parameter, false, |_| false).await.unwrap();
        let results = client.read_all(outcome).await.unwrap();
        let values = results[0].rows[0].values(&results[0].columns).unwrap();
        assert_eq!(values, [ParameterValue::Bytes(value)]);
    }
    // Names, too.
    client.init_db("a\0b").await.unwrap();
    assert_eq!(text(&client.query_all(b"schema").await.unwrap()), "a\0b");
    memory.assert_no_panic();
}

#[tokio::test]
async fn huge_lists_of_attributes_of_a_connection_are_refused_or_cut() {
    let (address, memory) = start(ServerConfig::default()).await;
    // The password is wrong: whoever gets that far was read.
    for (value_bytes, expected) in
        [(ATTRIBUTES_MAX_BYTES - 4, 1045), (ATTRIBUTES_MAX_BYTES - 3, 1043), (100_000, 1043)]
    {
        let attributes = vec![(String::new(), "x".repeat(value_bytes))];
        let sent = login(&HandshakeResponse { attributes, ..response() });
        assert_eq!(error_number(&converse(address, &sent).await), Some(expected));
    }
    // Short ones would take more memory than bytes: the first are kept.
    let many = (0..10_000).map(|n| (n.to_string(), String::new())).collect();
    let config = ClientConfig { attributes: many, ..as_user("native", "secret") };
    let mut client = connect(address, &config).await.unwrap();
    let who = text(&client.query_all(b"who").await.unwrap());
    assert!(who.ends_with(&format!("attributes={}", handshake::ATTRIBUTES_MAX)), "{who}");
    memory.assert_no_panic();
}

#[test]
fn attributes_of_a_connection_are_read_up_to_the_one_that_is_cut_short() {
    let attributes = vec![("a".into(), "b".into()), ("long".into(), "value".into())];
    let mut payload = Vec::new();
    let whole = HandshakeResponse { attributes, zstd_level: 3, ..response() };
    whole.encode(&mut payload);
    // The second value says that it is longer than the block.
    let at = payload.windows(6).position(|part| part == b"\x05value").unwrap();
    payload[at] = 6;
    let read = HandshakeResponse::decode(&payload, whole.capabilities).unwrap();
    assert_eq!(read.attributes, whole.attributes[..1]);
    assert_eq!(read.zstd_level, 3);
}

/// COM_QUERY `attributes` with this many attributes, all NULL, of this name.
fn query_with(count: usize, name: &[u8]) -> Vec<u8> {
    let mut query = vec![0x03, 0xfd];
    query.extend_from_slice(&(count as u32).to_le_bytes()[..3]);
    query.push(1);
    query.resize(query.len() + count.div_ceil(8), 0xff);
    query.push(1);
    for _ in 0..count {
        query.extend_from_slice(&[0x06, 0]);
        put_lenenc_bytes(&mut query, name);
    }
    query.extend_from_slice(b"warn");
    framed(0, &query)
}

#[tokio::test]
async fn huge_lists_of_attributes_of_a_query_are_refused() {
    let (address, memory) = start(ServerConfig::default()).await;
    let most = command::ATTRIBUTES_MAX;
    let longest = command::ATTRIBUTE_NAMES_MAX_BYTES;
    for (count, name_bytes, expected) in [
        (most, 0, None),
        (most, longest / most, None),
        (1, longest, None),
        (most + 1, 0, Some(1835)),
        (1_000_000, 0, Some(1835)),
        (most, longest / most + 1, Some(1835)),
        (1, longest + 1, Some(1835)),
    ] {
        let said = after_login(address, &query_with(count, &vec![b'n'; name_bytes])).await;
        assert_eq!(error_number(&said), expected, "{count} names of {name_bytes} bytes");
        assert!(!said.is_empty());
    }
    // A statement would keep them.
    let mut client = connect(address, &as_user("native", "secret")).await.unwrap();
    let statement = client.prepare(b"params ?").await.unwrap();
    let attribute = Parameter { name: vec![b'n'; 60], ..Parameter::new(ParameterValue::Null) };
    let many = vec![attribute.clone(); 1 + most];
    client.execute(&statement, &many, false, |_| false).await.unwrap();
    while client.next_row().await.unwrap().is_some() {}
    let too_many = vec![attribute; 2 + most];
    let error = client.execute(&statement, &too_many, false, |_| false).await.unwrap_err();
    assert_eq!(number(&error), 1835);
    memory.assert_no_panic();
}

/// A server at the other end of a pipe that holds `pipe_bytes` on the way.
fn serve_pipe(config: ServerConfig, pipe_bytes: usize) -> (DuplexStream, JoinHandle<Result<()>>) {
    let (client, server) = tokio::io::duplex(pipe_bytes);
    // Not a Unix socket, over which a password may come as it is.
    let peer = Peer { host: "127.0.0.1".into(), address: None, port: 1, local: false };
    let control = Default::default();
    (client, tokio::spawn(serve(Memory::new(), config.into(), server, peer, 1, control)))
}

#[tokio::test(start_paused = true)]
async fn a_login_that_stops_anywhere_is_cut_off_in_time() {
    let mut ssl = Vec::new();
    HandshakeResponse { capabilities: with_tls().capabilities(), ..response() }
        .encode_ssl_request(&mut ssl);
    let ssl = framed(1, &ssl);
    let sha = HandshakeResponse {
        user: b"sha".to_vec(),
        auth_response: vec![7; 32],
        plugin: Some("caching_sha2_password".into()),
        ..response()
    };
    let whole = login(&response());
    for (stops, sent) in [
        ("in a header", whole[..3].to_vec()),
        ("in a packet", whole[..60].to_vec()),
        ("before TLS", ssl.clone()),
        ("within TLS", [&ssl[..], b"\x16\x03\x01\x02\0\x01\0\x01"].concat()),
        (
            "when asked for another plugin",
            login(&HandshakeResponse { user: b"native".to_vec(), ..sha.clone() }),
        ),
        ("when asked for the password", login(&sha)),
        ("after the key", [&login(&sha)[..], &framed(3, b"\x02")].concat()),
    ] {
        let (mut client, served) = serve_pipe(with_tls(), 1 << 16);
        let began = tokio::time::Instant::now();
        client.write_all(&sent).await.unwrap();
        let mut said = Vec::new();
        client.read_to_end(&mut said).await.unwrap();
        assert_eq!(began.elapsed().as_secs(), 10, "{stops}");
        assert!(served.await.unwrap().is_err(), "{stops}");
    }
}

/// A client that is logged in, whose next command is `sql`.
async fn ask(config: ServerConfig, sql: &[u8]) -> (DuplexStream, JoinHandle<Result<()>>) {
    let (mut client, served) = serve_pipe(config, 4096);
    let empty = HandshakeResponse {
        user: b"native_empty".to_vec(),
        auth_response: Vec::new(),
        capabilities: response().capabilities.without(Capabilities::ZSTD),
        ..response()
    };
    let query = [b"\x03\0\x01", sql].concat();
    client.write_all(&[login(&empty), framed(0, &query)].concat()).await.unwrap();
    (client, served)
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_reads_is_cut_off() {
    for sql in [&b"rows 1000000"[..], b"bytes 1000000"] {
        let (client, served) = ask(ServerConfig::default(), sql).await;
        let began = tokio::time::Instant::now();
        let error = served.await.unwrap().unwrap_err();
        assert_eq!(error.to_string(), "connection: write timed out");
        assert_eq!(began.elapsed().as_secs(), 60);
        drop(client);
    }
}

#[tokio::test(start_paused = true)]
async fn a_large_value_on_a_slow_line_is_not_cut_off() {
    let (mut client, served) = ask(ServerConfig::default(), b"bytes 100000").await;
    let began = tokio::time::Instant::now();
    let (mut part, mut received) = ([0; 1024], 0);
    // The greeting and so on take less than 1000 bytes.
    while received < 100_000 {
        tokio::time::advance(Duration::from_secs(10)).await;
        let len = client.read(&mut part).await.unwrap();
        assert!(len > 0, "cut off after {received} bytes");
        received += len;
    }
    assert!(began.elapsed() > Duration::from_secs(900));
    drop(client);
    assert!(served.await.unwrap().is_err() || received > 100_000);
}
