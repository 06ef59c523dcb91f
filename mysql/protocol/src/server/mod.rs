//! The server's side of a connection.

mod authenticate;
mod config;
mod connection;
mod dispatch;
mod service;
mod statements;

pub use config::{ServerConfig, VERSION_PREFIX, default_version};
pub use connection::{refuse, serve};
pub use service::{ConnectionControl, Execution, Login, Peer, Prepared, Query, Service, Session};
