//! The client mysql_async against our server in memory:
//! `cargo test --locked` in `mysql/protocol/clients`, which is no member of the workspace.

#[path = "../../tests/support/mod.rs"]
mod support;

use std::net::SocketAddr;

use firn_mysql_protocol::server::ServerConfig;
use mysql_async::prelude::Queryable;
use mysql_async::{Compression, Conn, Error, OptsBuilder, Params, Row, SslOpts, Value};
use support::client::with_tls;
use support::start;

fn as_user(address: SocketAddr, user: &str, password: &str) -> OptsBuilder {
    OptsBuilder::default()
        .ip_or_hostname("127.0.0.1")
        .tcp_port(address.port())
        .user(Some(user))
        .pass(Some(password))
        // What it would ask the server for when it connects.
        .prefer_socket(false)
        .max_allowed_packet(Some(64 << 20))
        .wait_timeout(Some(28_800))
}

fn any_certificate() -> SslOpts {
    SslOpts::default().with_danger_accept_invalid_certs(true)
}

async fn one(conn: &mut Conn, sql: &str) -> String {
    conn.query_first(sql).await.unwrap().unwrap()
}

fn number(error: &Error) -> u16 {
    match error {
        Error::Server(error) => error.code,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn mysql_async_logs_in_in_every_way() {
    let (address, _) = start(with_tls()).await;
    // Twice: the second time from the cache.
    for _ in 0..2 {
        for tls in [false, true] {
            let ssl = tls.then(any_certificate);
            for (user, password) in
                [("sha", "secret"), ("native", "secret"), ("empty", ""), ("native_empty", "")]
            {
                let opts = as_user(address, user, password).ssl_opts(ssl.clone());
                let mut conn = Conn::new(opts).await.unwrap();
                let who = one(&mut conn, "who").await;
                assert!(who.starts_with(&format!("{user}|tls={tls}")), "{who}");
                conn.disconnect().await.unwrap();
            }
            for (user, password) in [("sha", "wrong"), ("native", "wrong"), ("nobody", "x")] {
                let opts = as_user(address, user, password).ssl_opts(ssl.clone());
                assert_eq!(number(&Conn::new(opts).await.unwrap_err()), 1045);
            }
        }
    }
}

#[tokio::test]
async fn mysql_async_reads_every_type_as_text_and_in_binary() {
    let (address, _) = start(ServerConfig::default()).await;
    let mut conn = Conn::new(as_user(address, "native", "secret")).await.unwrap();
    let text: Row = conn.query_first("types").await.unwrap().unwrap();
    let binary: Row = conn.exec_first("types", ()).await.unwrap().unwrap();
    assert_eq!(text.len(), support::types::columns().len());
    for (name, expected) in [
        ("tiny", Value::Int(-128)),
        ("utiny", Value::Int(255)),
        ("big", Value::Int(i64::MIN)),
        ("ubig", Value::UInt(u64::MAX)),
        ("float", Value::Float(-1.5)),
        ("double", Value::Double(f64::MAX)),
        ("date", Value::Date(2024, 2, 29, 0, 0, 0, 0)),
        ("time", Value::Time(true, 34, 22, 59, 59, 1)),
        ("datetime", Value::Date(2024, 2, 29, 23, 59, 58, 999_999)),
        ("varchar", Value::from("snowman ☃ 🎿")),
        ("blob", Value::Bytes((0..=255).collect())),
        ("enum", Value::from("medium")),
    ] {
        let value: Value = binary.get(name).unwrap();
        assert_eq!(value, expected, "{name}");
    }
    assert_eq!(text.get::<i64, _>("big"), Some(i64::MIN));
    assert_eq!(text.get::<u64, _>("ubig"), Some(u64::MAX));
    assert_eq!(text.get::<String, _>("char").as_deref(), Some("fixed ✓"));
    assert_eq!(text.get::<String, _>("time").as_deref(), Some("-838:59:59.000001"));
    let nulls: Row = conn.exec_first("nulls", ()).await.unwrap().unwrap();
    assert!(nulls.unwrap().iter().all(|value| *value == Value::NULL));
}

#[tokio::test]
async fn mysql_async_sends_parameters_of_every_type() {
    let (address, _) = start(ServerConfig::default()).await;
    let mut conn = Conn::new(as_user(address, "native", "secret")).await.unwrap();
    let values = vec![
        Value::NULL,
        Value::Int(i64::MIN),
        Value::UInt(u64::MAX),
        Value::Double(0.1),
        Value::Bytes(b"\0\xff".to_vec()),
        Value::Date(2024, 2, 29, 1, 2, 3, 4),
        Value::Time(true, 1, 2, 3, 4, 5),
    ];
    let sql = "echo ? ? ? ? ? ? ?";
    let row: Row = conn.exec_first(sql, Params::Positional(values.clone())).await.unwrap().unwrap();
    assert_eq!(row.unwrap(), values);
    let long = "x".repeat(20 << 20);
    let len: String = conn.exec_first("length ?", (long,)).await.unwrap().unwrap();
    assert_eq!(len, (20 << 20).to_string());
}

#[tokio::test]
async fn mysql_async_reads_small_and_large_results_plain_and_packed() {
    let (address, _) = start(ServerConfig::default()).await;
    for compression in [None, Some(Compression::fast())] {
        let opts = as_user(address, "native", "secret").compression(compression);
        let mut conn = Conn::new(opts).await.unwrap();
        for count in [0, 1, 1000, 100_000] {
            let rows: Vec<(u64, String)> = conn.query(format!("rows {count}")).await.unwrap();
            assert_eq!(rows.len(), count);
            assert!(rows.iter().zip(0..).all(|((id, _), n)| *id == n));
        }
        for len in [0, 250, 65_536, (1 << 24) - 1, 17 << 20] {
            assert_eq!(one(&mut conn, &format!("bytes {len}")).await.len(), len);
        }
    }
}

#[tokio::test]
async fn mysql_async_uses_the_other_commands() {
    let (address, _) = start(ServerConfig::default()).await;
    let opts = as_user(address, "native", "secret").db_name(Some("here"));
    let mut conn = Conn::new(opts).await.unwrap();
    conn.ping().await.unwrap();
    assert_eq!(one(&mut conn, "schema").await, "here");
    conn.query_drop("affected 7").await.unwrap();
    assert_eq!((conn.affected_rows(), conn.last_insert_id()), (7, Some(8)));
    let mut results = conn.query_iter("echo a; echo b; warn").await.unwrap();
    for expected in ["a", "b"] {
        assert_eq!(results.collect::<String>().await.unwrap(), [expected]);
    }
    results.drop_result().await.unwrap();
    assert_eq!(conn.get_warnings(), 3);
    for (sql, expected) in [("error", 1146), ("fail_in_row", 1317), ("nonsense", 1064)] {
        assert_eq!(number(&conn.query_drop(sql).await.unwrap_err()), expected);
    }
    assert!(conn.reset().await.unwrap());
    assert_eq!(one(&mut conn, "schema").await, "");
    conn.disconnect().await.unwrap();
}

#[tokio::test]
async fn mysql_async_reads_our_column_definitions_as_we_meant_them() {
    let (address, _) = start(ServerConfig::default()).await;
    let mut conn = Conn::new(as_user(address, "native", "secret")).await.unwrap();
    for (sql, ours) in
        [("types", support::types::columns()), ("rows 1", support::types::row_columns().to_vec())]
    {
        let row: Row = conn.query_first(sql).await.unwrap().unwrap();
        assert_eq!(row.columns_ref().len(), ours.len());
        for (read, meant) in row.columns_ref().iter().zip(&ours) {
            assert_eq!(read.schema_ref(), meant.schema);
            assert_eq!(read.table_ref(), meant.table);
            assert_eq!(read.org_table_ref(), meant.org_table);
            assert_eq!(read.name_ref(), meant.name);
            assert_eq!(read.org_name_ref(), meant.org_name);
            assert_eq!(read.character_set(), meant.collation);
            assert_eq!(read.column_length(), meant.length);
            assert_eq!(read.column_type() as u8, meant.kind as u8);
            assert_eq!(read.flags().bits(), meant.flags.0);
            assert_eq!(read.decimals(), meant.decimals);
        }
    }
}
