//! Packets on their way out: one buffer, many packets, each behind its header.

/// The longest payload of one frame. A packet of this size or more continues in
/// the next frame; a shorter frame ends it.
pub const FRAME_MAX_BYTES: usize = 0xff_ffff;

/// Three bytes of length, one of sequence number.
pub const HEADER_BYTES: usize = 4;

/// A write buffer that holds whole packets until they are flushed.
///
/// Write a packet with [`begin`](Self::begin), any appends to
/// [`bytes`](Self::bytes), and [`end`](Self::end).
#[derive(Debug, Default)]
pub struct PacketBuffer {
    bytes: Vec<u8>,
    /// Where the header of the packet in work stands.
    start: usize,
    /// Sequence number of the next frame.
    pub(crate) sequence: u8,
}

impl PacketBuffer {
    /// Leaves room for the header of a new packet.
    pub fn begin(&mut self) {
        self.start = self.bytes.len();
        self.bytes.extend_from_slice(&[0; HEADER_BYTES]);
    }

    /// All that waits to be flushed, with the packet in work at its end.
    pub fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Bytes that wait to be flushed.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing waits to be flushed.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Payload of the packet in work so far, bytes.
    pub fn payload_len(&self) -> usize {
        self.bytes.len() - self.start - HEADER_BYTES
    }

    /// Payload of the packet in work so far.
    pub fn payload(&self) -> &[u8] {
        &self.bytes[self.start + HEADER_BYTES..]
    }

    /// Completes the packet: its header, and more frames if it is long.
    pub fn end(&mut self) {
        let payload = self.payload_len();
        if payload < FRAME_MAX_BYTES {
            self.put_header(self.start, payload);
        } else {
            self.split(payload);
        }
    }

    /// Completes the packet as a record: behind its length, in no frames. For
    /// packets that are kept, not sent.
    pub(crate) fn end_record(&mut self, len: u32) {
        self.bytes[self.start..self.start + HEADER_BYTES].copy_from_slice(&len.to_le_bytes());
    }

    /// Gives up the packet in work.
    pub fn abandon(&mut self) {
        self.bytes.truncate(self.start);
    }

    /// One packet with this payload.
    pub fn packet(&mut self, payload: &[u8]) {
        self.begin();
        self.bytes.extend_from_slice(payload);
        self.end();
    }

    fn put_header(&mut self, at: usize, len: usize) {
        let [a, b, c, _] = (len as u32).to_le_bytes();
        self.bytes[at..at + HEADER_BYTES].copy_from_slice(&[a, b, c, self.sequence]);
        self.sequence = self.sequence.wrapping_add(1);
    }

    /// Moves the frames of a long packet apart, the last one first, and puts
    /// the headers between them.
    fn split(&mut self, payload: usize) {
        let extra = payload / FRAME_MAX_BYTES;
        let first = self.start + HEADER_BYTES;
        self.bytes.resize(self.bytes.len() + extra * HEADER_BYTES, 0);
        for frame in (1..=extra).rev() {
            let from = first + frame * FRAME_MAX_BYTES;
            let len = (payload - frame * FRAME_MAX_BYTES).min(FRAME_MAX_BYTES);
            self.bytes.copy_within(from..from + len, from + frame * HEADER_BYTES);
        }
        for frame in 0..=extra {
            let at = self.start + frame * (FRAME_MAX_BYTES + HEADER_BYTES);
            let len = (payload - frame * FRAME_MAX_BYTES).min(FRAME_MAX_BYTES);
            self.put_header(at, len);
        }
    }

    /// Takes what waits, keeping its allocation for later if it is not large.
    pub(crate) fn clear(&mut self, keep_bytes: usize) {
        self.bytes.clear();
        self.start = 0;
        if self.bytes.capacity() > keep_bytes {
            self.bytes = Vec::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads frames as a receiver would.
    fn join(mut bytes: &[u8]) -> (Vec<u8>, usize) {
        let (mut whole, mut frames) = (Vec::new(), 0);
        loop {
            let len = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], 0]) as usize;
            assert_eq!(usize::from(bytes[3]), frames);
            whole.extend_from_slice(&bytes[4..4 + len]);
            bytes = &bytes[4 + len..];
            frames += 1;
            if len < FRAME_MAX_BYTES {
                assert!(bytes.is_empty());
                return (whole, frames);
            }
        }
    }

    #[test]
    fn long_packets_are_split_at_the_frame_size() {
        for (len, frames) in [
            (0, 1),
            (1, 1),
            (FRAME_MAX_BYTES - 1, 1),
            (FRAME_MAX_BYTES, 2),
            (FRAME_MAX_BYTES + 1, 2),
            (2 * FRAME_MAX_BYTES, 3),
            (2 * FRAME_MAX_BYTES + 77, 3),
        ] {
            let payload: Vec<u8> = (0..len).map(|i| (i % 251) as u8).collect();
            let mut buffer = PacketBuffer::default();
            buffer.packet(&payload);
            let (joined, count) = join(buffer.bytes());
            assert!(joined == payload, "{len} bytes came out changed");
            assert_eq!(count, frames, "{len} bytes");
        }
    }

    #[test]
    fn sequence_numbers_wrap() {
        let mut buffer = PacketBuffer { sequence: 255, ..Default::default() };
        buffer.packet(b"a");
        buffer.packet(b"b");
        assert_eq!(&buffer.bytes()[..], b"\x01\0\0\xffa\x01\0\0\0b");
    }
}
