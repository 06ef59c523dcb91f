//! What a space says of its rows.
//!
//! ```text
//! version u8 = 1, kind u8, low half of XXH3-64 of both u32 LE
//! ```
//!
//! The bytes are kept in the manifest for as long as the space exists, so an
//! older program may meet those of a newer one: it refuses them by name.

use bytes::Bytes;
use firn_engine::{Error, ErrorKind, Result};
use xxhash_rust::xxh3::xxh3_64;

/// Newest version that this program reads and writes.
const VERSION: u8 = 1;

const SUM_LEN: usize = 4;

/// How the values of a space are rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RowDescription {
    /// Values mean nothing more than their bytes.
    KeyValue,
}

impl RowDescription {
    const KEY_VALUE: u8 = 1;

    /// As it is stored with the space, in `SpaceOptions::row_schema`.
    #[must_use]
    pub fn encode(self) -> Bytes {
        let kind = match self {
            Self::KeyValue => Self::KEY_VALUE,
        };
        let mut bytes = vec![VERSION, kind];
        let sum = checksum(&bytes);
        bytes.extend_from_slice(&sum);
        bytes.into()
    }

    /// From its stored form.
    ///
    /// # Errors
    /// `BadRequest`, naming what is wrong: a version or kind of a newer
    /// program, or bytes that never were a description.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let refuse = |why: String| Error::new(ErrorKind::BadRequest, format!("row schema: {why}"));
        let Some((&version, _)) = bytes.split_first() else {
            return Err(refuse("it is empty".into()));
        };
        // Before the checksum: a newer version may have put it elsewhere.
        if version != VERSION {
            return Err(refuse(format!(
                "its version is {version}, and this program knows version {VERSION} only"
            )));
        }
        let Some((body, sum)) = bytes.split_last_chunk::<SUM_LEN>() else {
            return Err(refuse("it is cut short".into()));
        };
        if checksum(body) != *sum {
            return Err(refuse("its checksum does not match".into()));
        }
        match body {
            [VERSION, Self::KEY_VALUE] => Ok(Self::KeyValue),
            [VERSION, kind, ..] => Err(refuse(format!("its kind {kind} is unknown"))),
            _ => Err(refuse("it is cut short".into())),
        }
    }
}

fn checksum(bytes: &[u8]) -> [u8; SUM_LEN] {
    (xxh3_64(bytes) as u32).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(bytes: &[u8]) -> String {
        let e = RowDescription::decode(bytes).unwrap_err();
        assert_eq!(e.kind(), ErrorKind::BadRequest);
        e.to_string()
    }

    #[test]
    fn reads_back() {
        let stored = RowDescription::KeyValue.encode();
        assert_eq!(RowDescription::decode(&stored).unwrap(), RowDescription::KeyValue);
    }

    #[test]
    fn the_stored_form_stays_as_it_is() {
        assert_eq!(RowDescription::KeyValue.encode()[..2], [1, 1]);
        let sum = xxh3_64(&[1, 1]).to_le_bytes();
        assert_eq!(RowDescription::KeyValue.encode()[2..], sum[..4]);
    }

    #[test]
    fn an_unknown_version_is_named() {
        assert!(refused(&[7, 1, 2, 3]).contains("version is 7"));
        assert!(refused(&[2]).contains("version is 2"));
    }

    #[test]
    fn an_unknown_kind_is_named() {
        let mut bytes = vec![1, 9];
        bytes.extend_from_slice(&checksum(&[1, 9]));
        assert!(refused(&bytes).contains("kind 9"));
    }

    #[test]
    fn every_changed_bit_and_every_cut_is_noticed() {
        let stored = RowDescription::KeyValue.encode();
        for bit in 0..stored.len() * 8 {
            let mut bad = stored.to_vec();
            bad[bit / 8] ^= 1 << (bit % 8);
            refused(&bad);
        }
        for len in 0..stored.len() {
            refused(&stored[..len]);
        }
    }
}
