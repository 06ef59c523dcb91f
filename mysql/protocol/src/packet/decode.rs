//! Reads the parts of a packet. Every read is checked against what is there.

use crate::error::{Error, Result};

/// A reading position in the payload of a packet.
#[derive(Clone, Copy, Debug)]
pub struct Decoder<'a> {
    rest: &'a [u8],
}

impl<'a> Decoder<'a> {
    /// Starts at the first byte of `payload`.
    pub const fn new(payload: &'a [u8]) -> Self {
        Self { rest: payload }
    }

    /// What was not read yet.
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Whether nothing is left.
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next `len` bytes.
    pub fn bytes(&mut self, len: usize) -> Result<&'a [u8]> {
        let (head, rest) = self.rest.split_at_checked(len).ok_or_else(Error::malformed)?;
        self.rest = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (head, rest) = self.rest.split_first_chunk::<N>().ok_or_else(Error::malformed)?;
        self.rest = rest;
        Ok(*head)
    }

    /// One byte.
    pub fn u8(&mut self) -> Result<u8> {
        Ok(self.array::<1>()?[0])
    }

    /// Two bytes, little endian.
    pub fn u16(&mut self) -> Result<u16> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    /// Three bytes, little endian.
    pub fn u24(&mut self) -> Result<u32> {
        let [a, b, c] = self.array()?;
        Ok(u32::from_le_bytes([a, b, c, 0]))
    }

    /// Four bytes, little endian.
    pub fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    /// Eight bytes, little endian.
    pub fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// A length-encoded integer; `None` is the NULL of a text row.
    pub fn lenenc_or_null(&mut self) -> Result<Option<u64>> {
        Ok(Some(match self.u8()? {
            small @ 0..=0xfa => u64::from(small),
            0xfb => return Ok(None),
            0xfc => u64::from(self.u16()?),
            0xfd => u64::from(self.u24()?),
            0xfe => self.u64()?,
            0xff => return Err(Error::malformed()),
        }))
    }

    /// A length-encoded integer.
    pub fn lenenc(&mut self) -> Result<u64> {
        self.lenenc_or_null()?.ok_or_else(Error::malformed)
    }

    /// A string behind its length-encoded length.
    pub fn lenenc_bytes(&mut self) -> Result<&'a [u8]> {
        let len = self.lenenc()?;
        self.bytes(usize::try_from(len).map_err(|_| Error::malformed())?)
    }

    /// A string up to a zero byte, which is taken and not given.
    pub fn zero_terminated(&mut self) -> Result<&'a [u8]> {
        let end = self.rest.iter().position(|&b| b == 0).ok_or_else(Error::malformed)?;
        let text = self.bytes(end)?;
        self.u8()?;
        Ok(text)
    }

    /// As [`zero_terminated`](Self::zero_terminated), or all of the rest if
    /// there is no zero byte: some clients leave out the last one.
    pub fn zero_terminated_or_rest(&mut self) -> &'a [u8] {
        match self.zero_terminated() {
            Ok(text) => text,
            Err(_) => self.take_rest(),
        }
    }

    /// All that is left.
    pub fn take_rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }
}
