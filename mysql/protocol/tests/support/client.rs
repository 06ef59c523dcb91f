//! Clients of the server in memory.

use std::net::SocketAddr;

use firn_mysql_protocol::client::{Client, ClientConfig, ResultSet};
use firn_mysql_protocol::command::ParameterValue;
use firn_mysql_protocol::server::ServerConfig;
use firn_mysql_protocol::tls::{ClientTls, ServerTls};
use firn_mysql_protocol::{Error, Result};
use tokio::net::TcpStream;

pub fn as_user(user: &str, password: &str) -> ClientConfig {
    ClientConfig {
        user: user.into(),
        password: password.into(),
        tls: ClientTls::Disabled,
        allow_public_key_retrieval: true,
        ..ClientConfig::default()
    }
}

pub async fn connect(address: SocketAddr, config: &ClientConfig) -> Result<Client> {
    let stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    Client::connect(stream, config).await
}

pub fn with_tls() -> ServerConfig {
    ServerConfig {
        tls: Some(ServerTls::generated(&["localhost"]).unwrap()),
        ..ServerConfig::default()
    }
}

pub fn number(error: &Error) -> u16 {
    match error {
        Error::Sql(error) | Error::Protocol(error) => error.number,
        _ => 0,
    }
}

/// The single text value of a result.
pub fn text(results: &[ResultSet]) -> String {
    let values = results[0].rows[0].values(&results[0].columns).unwrap();
    match values[0] {
        ParameterValue::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        ref other => format!("{other:?}"),
    }
}
