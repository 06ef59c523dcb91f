//! A stream of packets in both directions, plain or compressed.

use std::io;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::BoxedStream;
use super::frame::{FRAME_MAX_BYTES, HEADER_BYTES, PacketBuffer};
use crate::compress::{COMPRESSED_HEADER_BYTES, Compression};
use crate::error::{Error, Result, SqlError};

/// What is read from the network at once, at least.
const READ_STEP_BYTES: usize = 4 << 10;
/// How far a buffer grows ahead of the bytes that a header only promises.
const READ_AHEAD_MAX_BYTES: usize = 64 << 10;
/// Buffers up to this size stay between commands.
const IDLE_BUFFER_BYTES: usize = 16 << 10;
/// A connection that has waited for so long gives its buffers back.
const REST_AFTER: Duration = Duration::from_secs(2);
/// What it reads into then: most commands are shorter.
const REST_READ_BYTES: usize = 256;
/// A response is sent in parts once it has this size.
pub(crate) const FLUSH_BYTES: usize = 64 << 10;

/// How long a peer may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeouts {
    /// For the next bytes of a packet that has begun (`net_read_timeout`).
    pub(crate) read: Duration,
    /// For taking some of what is flushed (`net_write_timeout`).
    pub(crate) write: Duration,
}

/// One connection's packets.
pub(crate) struct Channel {
    stream: BoxedStream,
    /// Received, unpacked, not consumed.
    input: BytesMut,
    /// Received in compressed form. Unused without compression.
    packed: BytesMut,
    pub(crate) output: PacketBuffer,
    compression: Option<Compression>,
    /// Sequence number of the next compressed frame.
    packed_sequence: u8,
    /// Reads no byte past the packet asked for: before a change to TLS, what
    /// follows belongs to the stream beneath.
    exact: bool,
    /// Waits for a command since [`REST_AFTER`].
    rests: bool,
    /// Longest packet that is taken, bytes.
    pub(crate) packet_max_bytes: usize,
    pub(crate) timeouts: Timeouts,
}

impl Channel {
    pub(crate) fn new(stream: BoxedStream, packet_max_bytes: usize, timeouts: Timeouts) -> Self {
        Self {
            stream,
            input: BytesMut::new(),
            packed: BytesMut::new(),
            output: PacketBuffer::default(),
            compression: None,
            packed_sequence: 0,
            exact: true,
            rests: false,
            packet_max_bytes,
            timeouts,
        }
    }

    /// Lets reads run ahead, from the end of the handshake on.
    pub(crate) fn read_ahead(&mut self) {
        self.exact = false;
    }

    /// What is sent unasked is read as the answer to the client's next command,
    /// and numbered so.
    pub(crate) fn answer_ahead(&mut self) {
        self.output.sequence = 1;
        self.packed_sequence = 1;
    }

    /// Packs everything from here on.
    pub(crate) fn compress(&mut self, compression: Compression) {
        self.compression = Some(compression);
    }

    /// Puts another stream around the present one, for TLS.
    pub(crate) async fn upgrade<F, Fut>(&mut self, wrap: F) -> Result<()>
    where
        F: FnOnce(BoxedStream) -> Fut,
        Fut: Future<Output = io::Result<BoxedStream>>,
    {
        debug_assert!(self.input.is_empty() && self.output.is_empty());
        let bare = std::mem::replace(&mut self.stream, Box::new(tokio::io::empty()));
        self.stream = wrap(bare).await?;
        Ok(())
    }

    /// Starts a new exchange: sequence numbers begin at zero again.
    pub(crate) fn reset_sequence(&mut self) {
        self.output.sequence = 0;
        self.packed_sequence = 0;
    }

    /// As [`read_packet`](Self::read_packet), between commands: while none comes
    /// the connection holds no buffers to speak of.
    pub(crate) async fn read_command(&mut self, first: Duration) -> Result<Bytes> {
        if !self.is_at_rest() || first <= REST_AFTER {
            return self.read_packet(first).await;
        }
        match self.fill(1, REST_AFTER).await {
            Err(Error::Io(error))
                if error.kind() == io::ErrorKind::TimedOut && self.is_at_rest() =>
            {
                self.input = BytesMut::new();
                self.packed = BytesMut::new();
                self.output.clear(0);
                self.rests = true;
                let filled = self.fill(1, first - REST_AFTER).await;
                self.rests = false;
                filled?;
            }
            filled => filled?,
        }
        self.read_packet(first).await
    }

    /// The next packet's payload, whole. The first byte may take `first`, each
    /// later one the read timeout.
    ///
    /// A packet over the limit is skipped and gives error 1153 as
    /// [`Error::Sql`]: the stream goes on after it.
    pub(crate) async fn read_packet(&mut self, first: Duration) -> Result<Bytes> {
        if self.input.is_empty() && self.input.capacity() > IDLE_BUFFER_BYTES {
            self.input = BytesMut::new();
        }
        let len = self.read_header(first).await?;
        if len > self.packet_max_bytes {
            return self.skip_packet(len).await;
        }
        self.fill(len, self.timeouts.read).await?;
        let payload = self.input.split_to(len);
        if len < FRAME_MAX_BYTES { Ok(payload.freeze()) } else { self.read_long(payload).await }
    }

    /// The frames that follow a full one.
    async fn read_long(&mut self, mut whole: BytesMut) -> Result<Bytes> {
        loop {
            let len = self.read_header(self.timeouts.read).await?;
            if whole.len() + len > self.packet_max_bytes {
                return self.skip_packet(len).await;
            }
            let mut left = len;
            while left > 0 {
                self.fill(1, self.timeouts.read).await?;
                let part = left.min(self.input.len());
                whole.extend_from_slice(&self.input[..part]);
                self.input.advance(part);
                left -= part;
            }
            if len < FRAME_MAX_BYTES {
                return Ok(whole.freeze());
            }
        }
    }

    /// Throws away a packet whose frame of `len` bytes comes next.
    async fn skip_packet(&mut self, mut len: usize) -> Result<Bytes> {
        loop {
            let mut left = len;
            while left > 0 {
                self.fill(1, self.timeouts.read).await?;
                let part = left.min(self.input.len());
                self.input.advance(part);
                left -= part;
            }
            if len < FRAME_MAX_BYTES {
                return Err(Error::Sql(SqlError::packet_too_large()));
            }
            len = self.read_header(self.timeouts.read).await?;
        }
    }

    /// Length of the frame whose header comes next; checks its number.
    async fn read_header(&mut self, first: Duration) -> Result<usize> {
        if self.input.is_empty() {
            self.fill(1, first).await?;
        }
        self.fill(HEADER_BYTES, self.timeouts.read).await?;
        let sequence = self.input[3];
        // In a compressed stream the outer frames are numbered and checked; the
        // numbers within are whatever the peer counted.
        if self.compression.is_none() && sequence != self.output.sequence {
            return Err(Error::Protocol(SqlError::packets_out_of_order()));
        }
        self.output.sequence = sequence.wrapping_add(1);
        let len = self.input.get_uint_le(3) as usize;
        self.input.advance(1);
        Ok(len)
    }

    /// Receives until `input` holds `len` bytes.
    async fn fill(&mut self, len: usize, limit: Duration) -> Result<()> {
        while self.input.len() < len {
            if let Some(compression) = self.compression {
                self.unpack_frame(compression, limit).await?;
            } else {
                let missing = len - self.input.len();
                let step = if self.rests { REST_READ_BYTES } else { READ_STEP_BYTES };
                let step = if self.exact { 0 } else { step };
                receive(&mut self.stream, &mut self.input, missing, step, limit).await?;
            }
        }
        Ok(())
    }

    /// Receives one compressed frame and appends what it holds to `input`.
    async fn unpack_frame(&mut self, compression: Compression, limit: Duration) -> Result<()> {
        self.fill_packed(COMPRESSED_HEADER_BYTES, limit).await?;
        let packed_len = self.packed.get_uint_le(3) as usize;
        let sequence = self.packed.get_u8();
        let plain_len = self.packed.get_uint_le(3) as usize;
        if sequence != self.packed_sequence {
            return Err(Error::Protocol(SqlError::packets_out_of_order()));
        }
        self.packed_sequence = sequence.wrapping_add(1);
        self.fill_packed(packed_len, self.timeouts.read).await?;
        let body = self.packed.split_to(packed_len);
        if plain_len == 0 {
            self.input.extend_from_slice(&body);
        } else {
            compression.unpack(&body, plain_len, &mut self.input)?;
        }
        Ok(())
    }

    async fn fill_packed(&mut self, len: usize, limit: Duration) -> Result<()> {
        if self.packed.is_empty() && self.packed.capacity() > IDLE_BUFFER_BYTES {
            self.packed = BytesMut::new();
        }
        while self.packed.len() < len {
            let missing = len - self.packed.len();
            let step = if self.rests { REST_READ_BYTES } else { READ_STEP_BYTES };
            receive(&mut self.stream, &mut self.packed, missing, step, limit).await?;
        }
        Ok(())
    }

    /// Sends everything that was written.
    pub(crate) async fn flush(&mut self) -> Result<()> {
        if self.output.is_empty() {
            return Ok(());
        }
        let written = match self.compression {
            None => send(&mut self.stream, self.output.bytes(), self.timeouts.write).await,
            Some(compression) => {
                let plain = self.output.bytes();
                let packed = compression.pack(plain, &mut self.packed_sequence)?;
                send(&mut self.stream, &packed, self.timeouts.write).await
            }
        };
        self.output.clear(FLUSH_BYTES * 2);
        written
    }

    /// Sends what was written if it is much.
    pub(crate) async fn flush_if_large(&mut self) -> Result<()> {
        if self.output.len() >= FLUSH_BYTES { self.flush().await } else { Ok(()) }
    }

    /// Sends the rest of an exchange and gives large buffers back.
    pub(crate) async fn finish_exchange(&mut self) -> Result<()> {
        self.flush().await?;
        self.output.clear(IDLE_BUFFER_BYTES);
        Ok(())
    }

    /// Whether no part of a packet has been received that is not consumed.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.input.is_empty() && self.packed.is_empty()
    }

    /// Ends the stream in order: whatever was sent is still read by the peer,
    /// because its own unread packets are received for a bounded while.
    pub(crate) async fn close(&mut self, linger: Duration) {
        const DRAIN_MAX_BYTES: usize = 16 << 20;
        if timeout(linger, self.stream.shutdown()).await.is_err() {
            return;
        }
        let drain = async {
            let mut scrap = [0; 4096];
            let mut left = DRAIN_MAX_BYTES;
            while left > 0 {
                match self.stream.read(&mut scrap).await {
                    Ok(0) | Err(_) => break,
                    Ok(len) => left = left.saturating_sub(len),
                }
            }
        };
        // A peer that neither reads nor closes is left alone after the linger.
        let _ = timeout(linger, drain).await;
    }
}

/// Receives some bytes. `missing` are wanted, and there is room for `step`; no
/// more than are wanted are taken if that is 0.
async fn receive(
    stream: &mut BoxedStream,
    into: &mut BytesMut,
    missing: usize,
    step: usize,
    limit: Duration,
) -> Result<()> {
    // Grows with what has arrived, not with what was promised.
    let grow = missing.min(READ_AHEAD_MAX_BYTES.max(into.len()));
    into.reserve(grow.max(step));
    let read = async {
        if step == 0 {
            stream.take(missing as u64).read_buf(into).await
        } else {
            stream.read_buf(into).await
        }
    };
    let len = timeout(limit, read).await.map_err(|_| timed_out("read"))??;
    if len == 0 {
        return Err(Error::Io(io::ErrorKind::UnexpectedEof.into()));
    }
    Ok(())
}

/// Sends all of it. The limit is for each part that the peer takes: a large
/// value may need longer than that on a slow line.
async fn send(stream: &mut BoxedStream, mut bytes: &[u8], limit: Duration) -> Result<()> {
    while !bytes.is_empty() {
        let write = timeout(limit, stream.write(bytes)).await;
        let len = write.map_err(|_| timed_out("write"))??;
        if len == 0 {
            return Err(Error::Io(io::ErrorKind::WriteZero.into()));
        }
        bytes = &bytes[len..];
    }
    Ok(timeout(limit, stream.flush()).await.map_err(|_| timed_out("write"))??)
}

fn timed_out(what: &str) -> Error {
    Error::Io(io::Error::new(io::ErrorKind::TimedOut, format!("{what} timed out")))
}
