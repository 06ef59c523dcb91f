//! A way to a server that can be closed.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Open,
    /// Connections end, and none is made.
    Refused,
    /// Connections are made, and nothing is answered.
    Silent,
}

/// Connections to it go on to the server as long as it is open.
pub(super) struct Gate {
    address: SocketAddr,
    mode: Arc<watch::Sender<Mode>>,
    accepting: tokio::task::AbortHandle,
}

impl Gate {
    pub(super) async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mode = Arc::new(watch::Sender::new(Mode::Open));
        let seen = mode.subscribe();
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(pass(stream, server, seen.clone()));
            }
        });
        Self { address, mode, accepting: accepting.abort_handle() }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Until it ends, or the gate is closed: then it ends once that is not silent.
async fn pass(mut from: TcpStream, server: SocketAddr, mut mode: watch::Receiver<Mode>) {
    if *mode.borrow() == Mode::Open
        && let Ok(mut to) = TcpStream::connect(server).await
    {
        tokio::select! {
            // One side has ended it.
            _ = copy_bidirectional(&mut from, &mut to) => return,
            _ = mode.wait_for(|mode| *mode != Mode::Open) => {}
        }
    }
    // The gate goes with the test.
    let _ = mode.wait_for(|mode| *mode != Mode::Silent).await;
}
