//! How connections are made: TCP, or whatever a simulation has in its place.

use std::io;
use std::net::SocketAddr;

use firn_engine::{Error, ErrorKind, Result};
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tonic::transport::server::TcpIncoming;

/// A connection.
pub trait Io: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Io for T {}

/// Connections that come in.
pub type Incoming = BoxStream<'static, io::Result<Box<dyn Io>>>;

/// Makes connections.
pub trait Network: Send + Sync + 'static {
    /// The addresses that `name` (`HOST:PORT`) stands for.
    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>>;

    /// Connects.
    fn connect(&self, address: SocketAddr) -> BoxFuture<'static, io::Result<Box<dyn Io>>>;
}

/// The real one.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tcp;

impl Network for Tcp {
    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        Box::pin(async move { Ok(tokio::net::lookup_host(name).await?.collect()) })
    }

    fn connect(&self, address: SocketAddr) -> BoxFuture<'static, io::Result<Box<dyn Io>>> {
        Box::pin(async move {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            Ok(Box::new(stream) as Box<dyn Io>)
        })
    }
}

impl Tcp {
    /// Listens on `address` (port 0: any that is free); `setting` names where the address
    /// comes from, for the error.
    ///
    /// # Errors
    /// `Unavailable` if the address cannot be listened on.
    pub fn listen(setting: &str, address: SocketAddr) -> Result<(SocketAddr, Incoming)> {
        let failed = |e: io::Error| {
            let doing = format!("listening on {setting} {address}");
            Error::with_source(ErrorKind::Unavailable, doing, e)
        };
        let incoming = TcpIncoming::bind(address).map_err(failed)?.with_nodelay(Some(true));
        let address = incoming.local_addr().map_err(failed)?;
        let boxed = |stream: io::Result<TcpStream>| stream.map(|s| Box::new(s) as Box<dyn Io>);
        Ok((address, incoming.map(boxed).boxed()))
    }
}
