//! What a space says of its rows.
//!
//! ```text
//! version u8 = 1, kind u8, [rows], low half of XXH3-64 of all that u32 LE
//! ```
//!
//! *rows* is there for a table (`columns/stored.rs`).
//!
//! The bytes are kept in the manifest for as long as the space exists, so an
//! older program may meet those of a newer one: it refuses them by name.

use std::sync::Arc;

use bytes::Bytes;
use firn_engine::{Error, ErrorKind, Result};
use xxhash_rust::xxh3::xxh3_64;

use crate::columns::stored;
use crate::descriptor::TableDescriptor;

/// Newest version that this program reads and writes.
const VERSION: u8 = 1;

const SUM_LEN: usize = 4;

/// How the values of a space are rows.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum RowDescription {
    /// Values mean nothing more than their bytes.
    KeyValue,
    /// Values are rows of a table.
    Table(TableRows),
}

/// What a table's space says of its rows; of the table no more than that.
#[derive(Debug, Clone, PartialEq)]
pub struct TableRows {
    pub(crate) table: Arc<TableDescriptor>,
    stored: Bytes,
}

impl RowDescription {
    const KEY_VALUE: u8 = 1;
    const TABLE: u8 = 2;

    /// That of a table. It changes when columns are added, dropped or changed, and
    /// has to be declared anew before the first row of the new layout is written.
    ///
    /// # Errors
    /// `BadRequest` if it takes more than 64 KiB to describe the rows: the space is
    /// then declared without a description, and there are no column copies.
    pub fn table(table: &TableDescriptor) -> Result<Self> {
        let (stored, table) = stored::reduced(table)?;
        Ok(Self::Table(TableRows { table, stored: stored.into() }))
    }

    /// As it is stored with the space, in `SpaceOptions::row_schema`.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let (kind, rows) = match self {
            Self::KeyValue => (Self::KEY_VALUE, &[][..]),
            Self::Table(rows) => (Self::TABLE, &rows.stored[..]),
        };
        let mut bytes = vec![VERSION, kind];
        bytes.extend_from_slice(rows);
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
            [VERSION, Self::TABLE, rows @ ..] => match stored::decode(rows) {
                Some(table) => Ok(Self::Table(TableRows {
                    table: Arc::new(table),
                    stored: Bytes::copy_from_slice(rows),
                })),
                None => Err(refuse("its list of columns is garbled".into())),
            },
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
