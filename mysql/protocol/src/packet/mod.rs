//! Packets: their parts, their frames, and the stream that carries them.

mod channel;
mod decode;
mod encode;
mod frame;

pub(crate) use channel::{Channel, FLUSH_BYTES, Timeouts};
pub use decode::Decoder;
pub use encode::{put_lenenc, put_lenenc_bytes, put_zero_terminated};
pub use frame::{FRAME_MAX_BYTES, HEADER_BYTES, PacketBuffer};

use tokio::io::{AsyncRead, AsyncWrite};

/// What a connection runs over: TCP, a Unix socket, a pipe in memory.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A stream whose kind no longer matters.
pub type BoxedStream = Box<dyn Stream>;
