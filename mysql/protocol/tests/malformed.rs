//! Clients that do not keep to the protocol.
//!
//! The random tests print their seed and take it from `FIRN_TEST_SEED`; they
//! run `FIRN_FUZZ_ROUNDS` rounds (default 2,000).

#![allow(clippy::print_stdout)]

mod support;

use std::time::{Duration, Instant};

use firn_mysql_protocol::command::{Command, Parameter, ParameterValue, encode_parameters};
use firn_mysql_protocol::handshake::{ChangeUser, Greeting, HandshakeResponse};
use firn_mysql_protocol::packet::{Decoder, PacketBuffer};
use firn_mysql_protocol::result::{Column, Date, DateTime, Time};
use firn_mysql_protocol::server::ServerConfig;
use firn_mysql_protocol::{Capabilities, ColumnType};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use support::client::{as_user, connect, with_tls};
use support::raw::{after_login, converse, error_number, response};
use support::start;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

fn seeded() -> (SmallRng, u32) {
    let read = |name: &str| std::env::var(name).ok().and_then(|v| v.parse().ok());
    let seed = read("FIRN_TEST_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    let rounds = read("FIRN_FUZZ_ROUNDS").unwrap_or(2_000);
    println!("FIRN_TEST_SEED={seed} FIRN_FUZZ_ROUNDS={rounds}");
    (SmallRng::seed_from_u64(seed), rounds as u32)
}

/// Changes a valid packet in a few places, or cuts it, or makes it longer.
fn damage(random: &mut SmallRng, packet: &[u8]) -> Vec<u8> {
    let mut out = packet.to_vec();
    for _ in 0..random.random_range(1..4) {
        let at = random.random_range(0..=out.len());
        match random.random_range(0..5) {
            0 => out.truncate(at),
            1 => out.insert(at, random.random()),
            2 if at < out.len() => out[at] = random.random(),
            3 if at < out.len() => out[at] = [0, 0x7f, 0xfb, 0xfc, 0xfd, 0xfe, 0xff][at % 7],
            _ => out.extend((0..random.random_range(0..20)).map(|_| random.random::<u8>())),
        }
    }
    out
}

/// One packet of each kind that a logged-in client sends.
fn commands() -> Vec<Vec<u8>> {
    let named = |name: &str, value| Parameter { name: name.into(), ..Parameter::new(value) };
    let date = Date { year: 2024, month: 1, day: 2 };
    let parameters = [
        named("", ParameterValue::Int(-1)),
        named("n", ParameterValue::Null),
        named("bytes", ParameterValue::Bytes(&[1; 300])),
        named("at", ParameterValue::DateTime(DateTime { date, micros: 1, ..Default::default() })),
        named("for", ParameterValue::Time(Time { hours: 30, micros: 1, ..Default::default() })),
        named("double", ParameterValue::Double(0.5)),
    ];
    let mut query = vec![0x03, parameters.len() as u8, 1];
    encode_parameters(&mut query, &parameters, true, |_| false);
    query.extend_from_slice(b"echo text");
    let mut execute = vec![0x17, 1, 0, 0, 0, 0x08, 1, 0, 0, 0, parameters.len() as u8];
    encode_parameters(&mut execute, &parameters, true, |_| false);
    let mut change = vec![0x11];
    let who = ChangeUser {
        user: b"native".to_vec(),
        auth_response: vec![1; 20],
        schema: Some(b"x".to_vec()),
        collation: Some(255),
        plugin: Some("mysql_native_password".into()),
        attributes: vec![("a".into(), "b".into())],
    };
    who.encode(ServerConfig::default().capabilities(), &mut change);
    vec![
        query,
        execute,
        change,
        b"\x02here".to_vec(),
        b"\x04t\0%".to_vec(),
        b"\x0c\x63\0\0\0".to_vec(),
        b"\x16params ? ? ?".to_vec(),
        b"\x18\x01\0\0\0\0\0long data".to_vec(),
        b"\x1a\x01\0\0\0".to_vec(),
        b"\x1b\0\0".to_vec(),
        b"\x1c\x01\0\0\0\x05\0\0\0".to_vec(),
        b"\x1f".to_vec(),
    ]
}

#[test]
fn no_parser_panics_or_takes_much_memory() {
    let (mut random, rounds) = seeded();
    let offered = ServerConfig::default().capabilities();
    let mut valid = vec![Vec::new()];
    response().encode(&mut valid[0]);
    valid.extend(commands());
    let mut greeting = Vec::new();
    Greeting {
        version: "8.4.7".into(),
        connection_id: 1,
        nonce: *b"0123456789abcdefghij",
        capabilities: offered,
        collation: 255,
        status: Default::default(),
        plugin: "caching_sha2_password".into(),
    }
    .encode(&mut greeting);
    let mut column = Vec::new();
    Column::new("name", ColumnType::VarString, 255, 10).encode(&mut column);
    valid.extend([greeting, column]);
    for round in 0..rounds * 20 {
        let packet = match round % 10 {
            0 => (0..random.random_range(0..200)).map(|_| random.random()).collect(),
            _ => {
                let which = random.random_range(0..valid.len());
                damage(&mut random, &valid[which])
            }
        };
        let capabilities = match round % 3 {
            0 => offered,
            1 => Capabilities(random.random()),
            _ => offered.without(Capabilities::QUERY_ATTRIBUTES),
        };
        let _ = HandshakeResponse::decode(&packet, capabilities);
        let _ = HandshakeResponse::is_ssl_request(&packet);
        let _ = ChangeUser::decode(&packet, capabilities);
        let _ = Greeting::decode(&packet);
        let _ = Column::decode(&mut Decoder::new(&packet));
        if let Ok(Command::Query { sql, attributes }) = Command::decode(&packet, capabilities) {
            assert!(sql.len() + attributes.len() <= packet.len());
        }
    }
}

#[tokio::test]
async fn nonsense_instead_of_a_login() {
    let (address, memory) = start(with_tls()).await;
    let mut whole = Vec::new();
    response().encode(&mut whole);
    for (payload, sequence, expected) in [
        (&b""[..], 1, Some(1043)),
        (b"GET / HTTP/1.1\r\n\r\n", 1, Some(1043)),
        (&whole[..40], 1, Some(1043)),
        (&whole, 0, Some(1156)),
        (&whole, 2, Some(1156)),
        (&whole, 1, Some(1045)),
    ] {
        let mut packet = PacketBuffer::default();
        packet.packet(payload);
        packet.bytes()[3] = sequence;
        let said = converse(address, packet.bytes()).await;
        assert_eq!(error_number(&said), expected, "{payload:?}");
    }
    // A length that lies, and one over the limit of a login.
    assert_eq!(converse(address, b"\xff\0\0\x01abc").await, b"");
    let long = [&b"\xff\xff\xfe\x01"[..], &[0; 1000]].concat();
    assert_eq!(converse(address, &long).await, b"");
    // TLS that is none.
    let mut request = Vec::new();
    HandshakeResponse { capabilities: with_tls().capabilities(), ..response() }
        .encode_ssl_request(&mut request);
    let mut packet = PacketBuffer::default();
    packet.packet(&request);
    packet.bytes()[3] = 1;
    packet.bytes().extend_from_slice(b"this is no TLS at all, not even nearly");
    converse(address, packet.bytes()).await;
    assert!(!memory.failures.lock().unwrap().is_empty());
    connect(address, &as_user("native", "secret")).await.unwrap().ping().await.unwrap();
}

#[tokio::test]
async fn random_logins_harm_nobody() {
    let (mut random, rounds) = seeded();
    let (address, memory) = start(ServerConfig::default()).await;
    let mut whole = Vec::new();
    response().encode(&mut whole);
    for _ in 0..rounds / 10 {
        let mut packet = PacketBuffer::default();
        packet.packet(&damage(&mut random, &whole));
        packet.bytes()[3] = 1;
        converse(address, packet.bytes()).await;
        memory.assert_no_panic();
    }
    connect(address, &as_user("native", "secret")).await.unwrap().ping().await.unwrap();
}

#[tokio::test]
async fn broken_commands_end_their_connection_with_an_error() {
    let (address, _) = start(ServerConfig::default()).await;
    for (bytes, expected) in [
        (&b"\x01\0\0\x05\x0e"[..], Some(1156)),
        (b"\x01\0\0\0\x17", Some(1835)),
        (b"\x02\0\0\0\x03\xff", Some(1835)),
        (b"\x05\0\0\0\x03\x01\x01\x00\x05", Some(1835)),
        (b"\x03\0\0\0\x0c\x01\x02", Some(1835)),
        (b"\x02\0\0\0\x11x", Some(1835)),
        (b"\x01\0\0\0\x99", Some(1047)),
        (b"\0\0\0\0", Some(1047)),
        // Half a packet.
        (b"\x10\0\0\0\x03", None),
        (b"\x01\0", None),
        (b"", None),
    ] {
        assert_eq!(error_number(&after_login(address, bytes).await), expected, "{bytes:?}");
    }
}

#[tokio::test]
async fn random_commands_harm_nobody() {
    let (mut random, rounds) = seeded();
    let config = ServerConfig {
        long_data_max_bytes: 1 << 20,
        packet_max_bytes: 1 << 20,
        ..ServerConfig::default()
    };
    let (address, memory) = start(config).await;
    let mut witness = connect(address, &as_user("native", "secret")).await.unwrap();
    let valid = commands();
    for _ in 0..rounds / 40 {
        let mut bytes = Vec::new();
        let mut prepare = PacketBuffer::default();
        prepare.packet(b"\x16params ? ? ?");
        bytes.extend_from_slice(prepare.bytes());
        for _ in 0..random.random_range(1..20) {
            let mut packet = PacketBuffer::default();
            let which = random.random_range(0..valid.len());
            let payload = damage(&mut random, &valid[which]);
            packet.packet(&payload);
            if random.random_range(0..30) == 0 {
                let at = random.random_range(0..4);
                packet.bytes()[at] = random.random();
            }
            bytes.extend_from_slice(packet.bytes());
        }
        after_login(address, &bytes).await;
        witness.ping().await.unwrap();
        memory.assert_no_panic();
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_says_nothing_is_cut_off() {
    let config = ServerConfig { connect_timeout: Duration::from_secs(10), ..Default::default() };
    let (client, server) = tokio::io::duplex(1 << 16);
    let began = tokio::time::Instant::now();
    let served = tokio::spawn(firn_mysql_protocol::server::serve(
        support::Memory::new(),
        config.into(),
        server,
        firn_mysql_protocol::server::Peer::unix(),
        1,
        Default::default(),
    ));
    assert!(served.await.unwrap().is_err());
    assert_eq!(began.elapsed().as_secs(), 10);
    drop(client);
}

#[tokio::test(start_paused = true)]
async fn a_login_in_drops_is_cut_off() {
    let config = ServerConfig { connect_timeout: Duration::from_secs(10), ..Default::default() };
    let (mut client, server) = tokio::io::duplex(1 << 16);
    let served = tokio::spawn(firn_mysql_protocol::server::serve(
        support::Memory::new(),
        config.into(),
        server,
        firn_mysql_protocol::server::Peer::unix(),
        1,
        Default::default(),
    ));
    let began = tokio::time::Instant::now();
    client.write_all(b"\xc8\0\0\x01").await.unwrap();
    while client.write_all(b"x").await.is_ok() && !served.is_finished() {
        tokio::time::advance(Duration::from_millis(500)).await;
        tokio::task::yield_now().await;
    }
    assert!(served.await.unwrap().is_err());
    assert!(began.elapsed() <= Duration::from_secs(11));
}

#[tokio::test]
async fn lengths_that_lie_take_no_memory() {
    let (address, _) = start(ServerConfig::default()).await;
    let began = Instant::now();
    let mut held = Vec::new();
    // A thousand promises of 16 MiB would not fit.
    for _ in 0..1000 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"\x00\x00\x01\x01a").await.unwrap();
        held.push(stream);
    }
    let resident = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = resident.split(' ').nth(1).unwrap().parse().unwrap();
    assert!(pages * 4096 < 1 << 30, "{pages} pages after {:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_stays_idle_is_told_and_cut_off() {
    let (mut client, server) = tokio::io::duplex(1 << 16);
    let served = tokio::spawn(firn_mysql_protocol::server::serve(
        support::Memory::new(),
        std::sync::Arc::new(ServerConfig::default()),
        server,
        firn_mysql_protocol::server::Peer::unix(),
        1,
        Default::default(),
    ));
    let mut login = Vec::new();
    HandshakeResponse {
        user: b"native_empty".to_vec(),
        auth_response: Vec::new(),
        capabilities: response().capabilities.without(Capabilities::ZSTD),
        ..response()
    }
    .encode(&mut login);
    let mut packet = PacketBuffer::default();
    packet.packet(&login);
    packet.bytes()[3] = 1;
    client.write_all(packet.bytes()).await.unwrap();
    let began = tokio::time::Instant::now();
    let mut said = Vec::new();
    // The clock runs on by itself while nothing happens.
    client.read_to_end(&mut said).await.unwrap();
    assert!(began.elapsed() >= Duration::from_secs(28_800));
    let text = b"#HY000The client was disconnected by the server because of inactivity.";
    assert!(said.windows(text.len()).any(|part| part == text));
    drop(client);
    assert!(served.await.unwrap().is_err());
}

#[tokio::test]
async fn prepared_statements_of_a_connection_are_bounded() {
    let config = ServerConfig { statements_max: 3, ..ServerConfig::default() };
    let (address, _) = start(config).await;
    let mut client = connect(address, &as_user("native", "secret")).await.unwrap();
    let mut last = 0;
    for _ in 0..3 {
        last = client.prepare(b"echo ?").await.unwrap().id;
    }
    let error = client.prepare(b"echo ?").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "ERROR 1461 (42000): Can't create more than max_prepared_stmt_count statements (current \
         value: 3)"
    );
    client.close_statement(last).await.unwrap();
    client.prepare(b"echo ?").await.unwrap();
}
