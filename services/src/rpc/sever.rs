//! Connections that can be cut off from the server's side.
//!
//! A server that has stopped waits for its calls, each of which lives in a task of its
//! connection. Those that take too long end when their connection fails.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use firn_engine::watch;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tonic::transport::server::Connected;

use super::network::Io;

/// A connection that fails once it is told to.
pub(super) struct Severable {
    stream: Box<dyn Io>,
    /// Done once it is cut, and not polled after that.
    cut: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Severable {
    /// Fails when `cut` turns true, or its sender is gone.
    pub(super) fn new(stream: Box<dyn Io>, mut cut: watch::Receiver<bool>) -> Self {
        let cut: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(async move {
            // A dropped sender means the end, too.
            let _ = cut.wait_for(|cut| *cut).await;
        });
        Self { stream, cut: Some(cut) }
    }
}

impl Connected for Severable {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

impl AsyncRead for Severable {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // A connection always waits to read, so this wakes whatever it does.
        if self.cut.as_mut().is_none_or(|cut| cut.as_mut().poll(cx).is_ready()) {
            self.cut = None;
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Severable {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
