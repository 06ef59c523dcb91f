//! Our client and our packets against a real MySQL:
//! `FIRN_MYSQL_SERVER=127.0.0.1:13306 cargo test -p firn-mysql-protocol --test real_server -- --ignored`.
//!
//! The server has an account `root` without a password. The tests make accounts
//! named `firn_protocol_…` and a database `firn_protocol`.

use std::net::SocketAddr;

use firn_mysql_protocol::auth::{AuthPlugin, caching_sha2};
use firn_mysql_protocol::client::{Client, ClientConfig, Outcome, ResultSet};
use firn_mysql_protocol::command::{Parameter, ParameterValue};
use firn_mysql_protocol::compress::Compression;
use firn_mysql_protocol::result::StateChange;
use firn_mysql_protocol::tls::ClientTls;
use firn_mysql_protocol::{Capabilities, ColumnType, Result, SqlError, StatusFlags};
use tokio::net::TcpStream;

fn server() -> SocketAddr {
    let address = std::env::var("FIRN_MYSQL_SERVER").expect("FIRN_MYSQL_SERVER is host:port");
    address.parse().unwrap()
}

fn root() -> ClientConfig {
    let capabilities = ClientConfig::default().capabilities
        | Capabilities::MULTI_STATEMENTS
        | Capabilities::LOCAL_FILES;
    ClientConfig { user: "root".into(), capabilities, ..ClientConfig::default() }
}

async fn connect(config: &ClientConfig) -> Result<Client> {
    let stream = TcpStream::connect(server()).await.unwrap();
    stream.set_nodelay(true).unwrap();
    Client::connect(stream, config).await
}

fn first(results: &[ResultSet]) -> Vec<u8> {
    let last = results.last().unwrap();
    match last.rows[0].values(&last.columns).unwrap()[0] {
        ParameterValue::Bytes(bytes) => bytes.to_vec(),
        ref other => format!("{other:?}").into_bytes(),
    }
}

#[tokio::test]
#[ignore = "needs a MySQL: FIRN_MYSQL_SERVER"]
async fn our_hashes_are_the_servers() {
    let mut client = connect(&root()).await.unwrap();
    let sql = "CREATE USER IF NOT EXISTS firn_protocol_hash; ALTER USER firn_protocol_hash \
               IDENTIFIED WITH caching_sha2_password BY 'a password ✓'; \
               SELECT authentication_string FROM mysql.user WHERE user='firn_protocol_hash'";
    client.query_all(b"SET NAMES utf8mb4").await.unwrap();
    let stored = first(&client.query_all(sql.as_bytes()).await.unwrap());
    assert!(caching_sha2::verify(&stored, "a password ✓".as_bytes()));
    assert!(!caching_sha2::verify(&stored, b"another"));

    // And the other way round.
    let ours = AuthPlugin::CachingSha2Password.stored_form(b"ours").unwrap();
    let hex: String = ours.iter().map(|byte| format!("{byte:02X}")).collect();
    let sql =
        format!("ALTER USER firn_protocol_hash IDENTIFIED WITH caching_sha2_password AS 0x{hex}");
    client.query_all(sql.as_bytes()).await.unwrap();
    for tls in [ClientTls::Required, ClientTls::Disabled] {
        for password in ["ours", "wrong"] {
            let config = ClientConfig {
                user: "firn_protocol_hash".into(),
                password: password.into(),
                tls: tls.clone(),
                allow_public_key_retrieval: true,
                ..root()
            };
            client.query_all(b"FLUSH PRIVILEGES").await.unwrap();
            match connect(&config).await {
                Ok(mut client) => {
                    assert_eq!(password, "ours");
                    client.ping().await.unwrap();
                    client.change_user("root", b"", None).await.unwrap();
                    let who = first(&client.query_all(b"SELECT CURRENT_USER()").await.unwrap());
                    assert!(who.starts_with(b"root@"));
                }
                Err(error) => {
                    assert_eq!(password, "wrong");
                    let text = error.to_string();
                    let host = text.split('\'').nth(3).unwrap();
                    let ours = SqlError::access_denied("firn_protocol_hash", host, true);
                    assert_eq!(text, ours.to_string());
                }
            }
        }
    }
}

/// Connections with and without each capability that changes the answers.
async fn every_connection() -> Vec<Client> {
    use Capabilities as C;
    let mut clients = Vec::new();
    for without in [C::EMPTY, C::DEPRECATE_EOF, C::QUERY_ATTRIBUTES | C::SESSION_TRACK] {
        for with in [C::EMPTY, C::OPTIONAL_RESULTSET_METADATA] {
            for compression in [None, Some(Compression::Zlib), Some(Compression::Zstd(3))] {
                let capabilities = root().capabilities.without(without) | with;
                let config = ClientConfig { capabilities, compression, ..root() };
                clients.push(connect(&config).await.unwrap());
            }
        }
    }
    clients
}

#[tokio::test]
#[ignore = "needs a MySQL: FIRN_MYSQL_SERVER"]
async fn results_of_a_real_server_are_read() {
    for mut client in every_connection().await {
        let results = client
            .query_all(b"SELECT 1 AS a, NULL, 'x'; DO 1; SELECT 2 UNION SELECT 3")
            .await
            .unwrap();
        assert_eq!(results.len(), 3);
        assert_eq!(results[0].columns[0].name, b"a");
        assert_eq!(results[0].columns[0].kind, ColumnType::LongLong);
        assert_eq!(results[2].rows.len(), 2);

        let big = first(&client.query_all(b"SELECT REPEAT('x', 17000000)").await.unwrap());
        assert_eq!(big.len(), 17_000_000);

        let statement = client.prepare(b"SELECT ?, ?, CAST(? AS DATETIME(6))").await.unwrap();
        assert_eq!((statement.parameters.len(), statement.columns.len()), (3, 3));
        let parameters = [
            ParameterValue::Int(-5),
            ParameterValue::Null,
            ParameterValue::Bytes(b"2024-02-29 01:02:03.000004"),
        ]
        .map(Parameter::new);
        let outcome = client.execute(&statement, &parameters, false, |_| false).await.unwrap();
        let results = client.read_all(outcome).await.unwrap();
        let values = results[0].rows[0].values(&results[0].columns).unwrap();
        assert_eq!(values[0], ParameterValue::Int(-5));
        assert_eq!(values[1], ParameterValue::Null);
        assert!(matches!(values[2], ParameterValue::DateTime(d) if d.micros == 4));

        let sql = b"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<?) \
                    SELECT i FROM n";
        let statement = client.prepare(sql).await.unwrap();
        let parameter = [Parameter::new(ParameterValue::Int(25))];
        let outcome = client.execute(&statement, &parameter, true, |_| false).await.unwrap();
        assert_eq!(outcome, Outcome::Cursor);
        let counts = [10, 10, 5];
        for count in counts {
            assert_eq!(client.fetch(statement.id, 10).await.unwrap().len(), count);
        }
        assert!(client.summary().status.contains(StatusFlags::LAST_ROW_SENT));
        let error = client.fetch(statement.id, 10).await.unwrap_err();
        assert_eq!(error.to_string(), SqlError::no_open_cursor(statement.id).to_string());

        // Another statement: after a cursor over a recursive one, 9.7 itself
        // answers the next execution with no rows and an OK packet of its own kind.
        client.close_statement(statement.id).await.unwrap();
        let statement = client.prepare(b"SELECT CONCAT(?, 'c')").await.unwrap();
        client.send_long_data(statement.id, 0, b"a").await.unwrap();
        client.send_long_data(statement.id, 0, b"b").await.unwrap();
        let parameter = [Parameter::new(ParameterValue::Bytes(b""))];
        let outcome = client.execute(&statement, &parameter, false, |_| true).await.unwrap();
        assert_eq!(first(&client.read_all(outcome).await.unwrap()), b"abc");
        client.close_statement(statement.id).await.unwrap();
        let error = client.execute(&statement, &parameter, false, |_| false).await.unwrap_err();
        let ours = SqlError::unknown_statement(statement.id);
        assert_eq!(error.to_string(), ours.to_string());

        client.query_all(b"CREATE DATABASE IF NOT EXISTS firn_protocol").await.unwrap();
        client.init_db("firn_protocol").await.unwrap();
        if client.capabilities().contains(Capabilities::SESSION_TRACK) {
            let expected = StateChange::Schema("firn_protocol".into());
            assert_eq!(client.summary().changes, [expected]);
        }
        client.reset_connection().await.unwrap();
        client.ping().await.unwrap();
        client.set_multi_statements(false).await.unwrap();
        let error = client.command(b"\x7f").await.unwrap_err();
        assert_eq!(error.to_string(), SqlError::unknown_command().to_string());
        client.quit().await.unwrap();
    }
}

#[tokio::test]
#[ignore = "needs a MySQL: FIRN_MYSQL_SERVER"]
async fn attributes_arrive_at_a_real_server() {
    let attributes = vec![("program_name".into(), "firn test".into())];
    let config = ClientConfig { attributes, ..root() };
    let mut client = connect(&config).await.unwrap();
    let sql = b"SELECT attr_value FROM performance_schema.session_connect_attrs \
                WHERE processlist_id = CONNECTION_ID() AND attr_name = 'program_name'";
    assert_eq!(first(&client.query_all(sql).await.unwrap()), b"firn test");
}
