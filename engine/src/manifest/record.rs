//! Manifests as objects.
//!
//! `<prefix>/branches/<branch>/manifest/<version:020>.pb` holds
//!
//! ```text
//! magic "FIRNMANI" | format u32 LE | length u32 LE | ManifestRecord | XXH3-64 LE
//! ```
//!
//! with the checksum over everything before it. Every record holds the edits
//! that made its version; every [`STATE_EVERY`]th also holds the state after
//! them. So a reader that knows the newest version needs only one round of
//! parallel reads, of at most [`STATE_EVERY`] objects.

use bytes::{BufMut, Bytes, BytesMut};
use firn_proto::v1 as pb;
use prost::Message;
use xxhash_rust::xxh3::xxh3_64;

use super::{Edit, Version};
use crate::error::{Context, Error, ErrorKind, Result};
use crate::types::{BranchName, ManifestVersion};

/// Every so many versions the whole state is stored with the edits.
pub const STATE_EVERY: u64 = 32;

const MAGIC: &[u8; 8] = b"FIRNMANI";
/// 2: files of which only the entries up to a seq count, and branches; a program that knows
/// neither must not read them.
const FORMAT: u32 = 2;
const HEADER_LEN: usize = 16;
const TRAILER_LEN: usize = 8;

/// One stored manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Which version it made.
    pub number: ManifestVersion,
    /// Random id of the attempt to store it.
    pub commit_id: u64,
    /// When, in milliseconds since 1970, for people.
    pub unix_ms: u64,
    /// What it changed.
    pub edits: Vec<Edit>,
    /// The state after `edits`; always there where [`has_state`] says so.
    pub state: Option<Version>,
}

/// Whether this version's record holds the whole state.
#[must_use]
pub fn has_state(number: ManifestVersion) -> bool {
    number.0.is_multiple_of(STATE_EVERY)
}

/// The oldest record that is needed to know `number`'s state.
#[must_use]
pub fn base_of(number: ManifestVersion) -> ManifestVersion {
    // Version 1 follows the empty state, which is nowhere stored.
    ManifestVersion((number.0 - number.0 % STATE_EVERY).max(1))
}

impl Record {
    /// The object's bytes.
    #[must_use]
    pub fn encode(&self, branch: &BranchName) -> Bytes {
        assert!(self.state.is_some() || !has_state(self.number), "state where it belongs");
        let record = pb::ManifestRecord {
            branch: branch.as_str().to_owned(),
            version: self.number.0,
            commit_id: self.commit_id,
            unix_ms: self.unix_ms,
            edits: self.edits.iter().map(Into::into).collect(),
            state: self.state.as_ref().map(Into::into),
        };
        let len = record.encoded_len();
        let mut out = BytesMut::with_capacity(HEADER_LEN + len + TRAILER_LEN);
        out.put_slice(MAGIC);
        out.put_u32_le(FORMAT);
        out.put_u32_le(u32::try_from(len).expect("a manifest is below 4 GiB"));
        record.encode(&mut out).expect("the buffer grows as needed");
        out.put_u64_le(xxh3_64(&out));
        out.freeze()
    }

    /// A record that only holds a state: a copy of what other records lead to.
    #[must_use]
    pub fn of_state(version: &Version) -> Self {
        let state = Some(version.clone());
        Self { number: version.number, commit_id: 0, unix_ms: 0, edits: Vec::new(), state }
    }

    /// Reads an object's bytes; `branch` and `number` are what its name says.
    ///
    /// # Errors
    /// `Unavailable` for a format that this program is too old for, `Corrupt`
    /// for anything else that is not what [`Self::encode`] wrote.
    pub fn decode(branch: &BranchName, number: ManifestVersion, bytes: &Bytes) -> Result<Self> {
        let record = Self::decode_any(branch, bytes).context(|| format!("{number:?}"))?;
        if record.number != number {
            return Err(Error::corrupt(format!(
                "{number:?}: it says that it is {:?}",
                record.number
            )));
        }
        if record.state.is_none() && has_state(number) {
            return Err(Error::corrupt(format!("{number:?}: its state is missing")));
        }
        Ok(record)
    }

    /// As [`Self::decode`], for an object whose name does not say which version it is.
    ///
    /// # Errors
    /// As [`Self::decode`].
    pub fn decode_any(branch: &BranchName, bytes: &Bytes) -> Result<Self> {
        let corrupt = |why: &str| Error::corrupt(format!("{branch:?}: {why}"));
        let header = bytes.get(..HEADER_LEN).ok_or_else(|| corrupt("cut short"))?;
        if &header[..8] != MAGIC {
            return Err(corrupt("it is not a manifest"));
        }
        let word = |at: usize| u32::from_le_bytes(header[at..at + 4].try_into().expect("four"));
        let (format, len) = (word(8), word(12) as usize);
        if format > FORMAT {
            return Err(Error::new(
                ErrorKind::Unavailable,
                format!(
                    "{branch:?}: written in format {format} by a newer Firn; this one knows up to {FORMAT}"
                ),
            ));
        }
        if bytes.len() != HEADER_LEN + len + TRAILER_LEN {
            return Err(corrupt("cut short"));
        }
        let body = bytes.slice(..HEADER_LEN + len);
        let sum = u64::from_le_bytes(bytes[HEADER_LEN + len..].try_into().expect("eight"));
        if xxh3_64(&body) != sum {
            return Err(corrupt("its checksum does not match"));
        }
        let record = pb::ManifestRecord::decode(body.slice(HEADER_LEN..))
            .map_err(|e| Error::with_source(ErrorKind::Corrupt, format!("{branch:?}"), e))?;
        if record.branch != branch.as_str() {
            return Err(corrupt(&format!("it says that it is of {:?}", record.branch)));
        }
        let number = ManifestVersion(record.version);
        let state = record
            .state
            .map(|state| Version::from_state(branch.clone(), number, state))
            .transpose()?;
        Ok(Self {
            number,
            commit_id: record.commit_id,
            unix_ms: record.unix_ms,
            edits: record.edits.into_iter().map(TryInto::try_into).collect::<Result<_>>()?,
            state,
        })
    }

    /// The state that the newest of `records` leads to. They are consecutive
    /// and start at [`base_of`] the newest.
    ///
    /// # Errors
    /// `Corrupt` if they do not fit together.
    pub fn replay(branch: &BranchName, records: Vec<Self>) -> Result<Version> {
        let mut state: Option<Version> = None;
        for record in records {
            let next = match (record.state, state) {
                (Some(full), _) => full,
                (None, previous) => {
                    let previous = match previous {
                        Some(previous) => previous,
                        None if record.number.0 == 1 => Version::empty(branch.clone()),
                        None => {
                            return Err(Error::corrupt(format!(
                                "{branch:?} {:?}: the state before it is missing",
                                record.number
                            )));
                        }
                    };
                    previous.apply(&record.edits).map_err(|e| {
                        Error::with_source(
                            ErrorKind::Corrupt,
                            format!("{branch:?} {:?}: its edits do not fit", record.number),
                            e,
                        )
                    })?
                }
            };
            if next.number != record.number {
                return Err(Error::corrupt(format!(
                    "{branch:?}: {:?} follows {:?}",
                    record.number, next.number
                )));
            }
            state = Some(next);
        }
        state.ok_or_else(|| Error::corrupt(format!("{branch:?}: no manifest")))
    }
}
