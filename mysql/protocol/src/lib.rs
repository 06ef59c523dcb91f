//! MySQL's client/server protocol, for servers, clients and proxies.
//!
//! * [`server`]: [`server::serve`] runs one connection against a
//!   [`server::Service`], which knows accounts and opens a
//!   [`server::Session`] for each login. Sessions carry out commands and write
//!   their answers into a [`result::Response`].
//! * [`client`]: [`client::Client`] logs in and sends commands.
//! * [`packet`], [`handshake`], [`command`], [`result`]: the packets themselves,
//!   read and written, for both.
//! * [`auth`], [`tls`], [`compress`]: passwords, encryption, compression.
//!
//! Integers on the wire are little endian. Text is in whatever character set
//! the session has agreed on: this crate passes it on.
//!
//! A malformed packet never panics and never takes more memory than it has
//! bytes, up to a factor: it gives MySQL's error, and the connection ends.
#![forbid(unsafe_code)]

pub mod auth;
pub mod client;
pub mod command;
pub mod compress;
mod error;
mod flags;
pub mod handshake;
pub mod packet;
pub mod result;
pub mod server;
pub mod tls;
mod x509;

pub use error::{Error, Result, SqlError};
pub use flags::{Capabilities, ColumnFlags, ColumnType, CommandByte, StatusFlags};
