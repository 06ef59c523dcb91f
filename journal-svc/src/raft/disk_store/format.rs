//! What stands in a segment.
//!
//! ```text
//! page 0:  magic u64 | format u32 | groups u32 | number u64 | salt u64 | first frame u64 |
//!          member u64 | length of the cluster's name u64 | name, 64 bytes | checksum u64
//! page 1…: frames, each from a page boundary, filled up to the next with zeros
//!
//! frame:   number u64 | length of its items u64 | checksum of these two u64 |
//!          checksum of the items u64 | items
//! item:    kind u8 | group u32 | length u32 | checksum u64 | a message of raft.proto
//! ```
//!
//! All integers are little-endian, all checksums XXH3-64. Those of a frame are
//! seeded with the segment's salt and the frame's place, so that what an earlier
//! use of the file left behind is never taken for a frame.

use std::ops::Range;

use prost::Message;
use raft::eraftpb::Entry;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::Identity;
use crate::disk::{PAGE, Pages, whole_pages};
use crate::raft::wire::entry_to_proto;

const MAGIC: u64 = u64::from_le_bytes(*b"FIRNRAFT");
const FORMAT: u32 = 1;
const NAME_AT: usize = 56;
/// Bytes of a cluster's name at most.
pub(super) const NAME_LEN_MAX: usize = 64;
const HEADER_LEN: usize = NAME_AT + NAME_LEN_MAX + 8;
const FRAME_HEADER_LEN: usize = 32;
const ITEM_HEADER_LEN: usize = 17;

/// Where frames begin.
pub(super) const FRAMES_AT: u64 = PAGE as u64;

fn word(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn half(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// What page 0 says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    /// Whose log it is.
    pub(super) identity: Identity,
    /// Orders the segments.
    pub(super) number: u64,
    /// Random: tells this use of the file from earlier ones.
    pub(super) salt: u64,
    /// Number of its first frame.
    pub(super) first_frame: u64,
}

impl Header {
    pub(super) fn encode(&self) -> Pages {
        let mut page = Pages::zeroed(PAGE);
        let out = page.as_mut();
        let name = self.identity.cluster.as_bytes();
        out[8..12].copy_from_slice(&FORMAT.to_le_bytes());
        out[12..16].copy_from_slice(&self.identity.groups.to_le_bytes());
        let (member, len) = (self.identity.member, name.len() as u64);
        let words = [(0, MAGIC), (16, self.number), (24, self.salt), (32, self.first_frame)];
        for (at, value) in words.into_iter().chain([(40, member), (48, len)]) {
            out[at..at + 8].copy_from_slice(&value.to_le_bytes());
        }
        out[NAME_AT..NAME_AT + name.len()].copy_from_slice(name);
        let sum = xxh3_64(&out[..HEADER_LEN - 8]);
        out[HEADER_LEN - 8..HEADER_LEN].copy_from_slice(&sum.to_le_bytes());
        page
    }

    /// # Errors
    /// What is wrong with the page, in words.
    pub(super) fn decode(page: &[u8]) -> Result<Self, String> {
        let damaged = || "its header is damaged".to_owned();
        let header: &[u8; HEADER_LEN] = page.first_chunk().ok_or_else(damaged)?;
        let word = |at| word(header, at).ok_or_else(damaged);
        let half = |at| half(header, at).ok_or_else(damaged);
        if xxh3_64(&header[..HEADER_LEN - 8]) != word(HEADER_LEN - 8)? || word(0)? != MAGIC {
            return Err(damaged());
        }
        if half(8)? != FORMAT {
            return Err(format!(
                "format {} is newer than this program, which knows {FORMAT}",
                half(8)?
            ));
        }
        let len = usize::try_from(word(48)?).ok().filter(|len| *len <= NAME_LEN_MAX);
        let name = &header[NAME_AT..NAME_AT + len.ok_or_else(damaged)?];
        let cluster = std::str::from_utf8(name).map_err(|_| damaged())?.to_owned();
        Ok(Self {
            identity: Identity { cluster, member: word(40)?, groups: half(12)? },
            number: word(16)?,
            salt: word(24)?,
            first_frame: word(32)?,
        })
    }
}

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A base from the leader: everything before goes.
    Replaced = 1,
    /// Term, vote and commit index.
    Hard = 2,
    /// An entry; those of its index and above go.
    Entry = 3,
    /// A base that has moved forward: entries up to it go.
    Cut = 4,
    /// An entry that is there already, written again to free its segment.
    Moved = 5,
    /// The base as it is, at the start of a segment.
    Base = 6,
}

impl Kind {
    fn of(byte: u8) -> Option<Self> {
        let kinds = [Self::Replaced, Self::Hard, Self::Entry, Self::Cut, Self::Moved, Self::Base];
        kinds.into_iter().find(|kind| *kind as u8 == byte)
    }

    fn checksum(self, group: u32, bytes: &[u8]) -> u64 {
        xxh3_64_with_seed(bytes, (self as u64) << 32 | u64::from(group))
    }
}

/// An item of a frame.
#[derive(Debug, Clone)]
pub(super) struct Item<'a> {
    pub(super) kind: Kind,
    pub(super) group: u32,
    /// Its message.
    pub(super) bytes: &'a [u8],
    /// Where it stands among the bytes that were given.
    pub(super) range: Range<usize>,
}

/// The item at `at`; `None` at the end.
///
/// # Errors
/// What is wrong with it.
pub(super) fn item(bytes: &[u8], at: usize) -> Result<Option<Item<'_>>, &'static str> {
    const SHORT: &str = "an item is cut off";
    if at >= bytes.len() {
        return Ok(None);
    }
    let kind = Kind::of(bytes[at]).ok_or("an item of an unknown kind")?;
    let group = half(bytes, at + 1).ok_or(SHORT)?;
    let len = half(bytes, at + 5).ok_or(SHORT)? as usize;
    let sum = word(bytes, at + 9).ok_or(SHORT)?;
    let range = at..at + ITEM_HEADER_LEN + len;
    let message = bytes.get(at + ITEM_HEADER_LEN..range.end).ok_or(SHORT)?;
    if kind.checksum(group, message) != sum {
        return Err("an item does not match its checksum");
    }
    Ok(Some(Item { kind, group, bytes: message, range }))
}

/// Items that are gathered for a frame.
#[derive(Debug, Default)]
pub(super) struct Items(Vec<u8>);

impl Items {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn put(&mut self, kind: Kind, group: u32, message: &impl Message) {
        let at = self.0.len();
        self.0.resize(at + ITEM_HEADER_LEN, 0);
        // A vector has room for everything.
        message.encode(&mut self.0).expect("a vector grows");
        let bytes = &self.0[at + ITEM_HEADER_LEN..];
        let len = u32::try_from(bytes.len()).expect("entries and bases are far below 4 GiB");
        let sum = kind.checksum(group, bytes);
        let header = &mut self.0[at..at + ITEM_HEADER_LEN];
        header[0] = kind as u8;
        header[1..5].copy_from_slice(&group.to_le_bytes());
        header[5..9].copy_from_slice(&len.to_le_bytes());
        header[9..17].copy_from_slice(&sum.to_le_bytes());
    }

    pub(super) fn put_entry(&mut self, kind: Kind, group: u32, entry: &Entry) {
        self.put(kind, group, &entry_to_proto(entry));
    }

    /// With those of `other` behind these.
    pub(super) fn append(&mut self, other: &mut Self) {
        self.0.append(&mut other.0);
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
        self.0.shrink_to(1 << 20);
    }

    /// The frame with this number, for this place.
    pub(super) fn frame(&self, number: u64, salt: u64, at: u64) -> Pages {
        let mut pages = Pages::zeroed(frame_pages(self.len()));
        let out = pages.as_mut();
        let len = self.len() as u64;
        out[0..8].copy_from_slice(&number.to_le_bytes());
        out[8..16].copy_from_slice(&len.to_le_bytes());
        let sum = xxh3_64_with_seed(&out[..16], salt.wrapping_add(at));
        out[16..24].copy_from_slice(&sum.to_le_bytes());
        out[24..32].copy_from_slice(&xxh3_64_with_seed(&self.0, sum).to_le_bytes());
        out[FRAME_HEADER_LEN..FRAME_HEADER_LEN + self.len()].copy_from_slice(&self.0);
        pages
    }
}

/// Where a frame's items stand, behind its place.
pub(super) const ITEMS_AT: u64 = FRAME_HEADER_LEN as u64;

/// Bytes of a frame with items of so many bytes.
pub(super) fn frame_pages(items_len: usize) -> usize {
    whole_pages(FRAME_HEADER_LEN + items_len)
}

/// Number and length of the items of the frame whose header `page` begins with.
pub(super) fn frame_header(page: &[u8], salt: u64, at: u64) -> Option<(u64, u64)> {
    let sum = xxh3_64_with_seed(page.get(..16)?, salt.wrapping_add(at));
    (word(page, 16)? == sum).then_some((word(page, 0)?, word(page, 8)?))
}

/// The items of the frame at the start of `bytes`, whose header was looked at,
/// if they are whole.
pub(super) fn frame_items(bytes: &[u8], items_len: u64) -> Option<&[u8]> {
    let len = usize::try_from(items_len).ok()?;
    let items = bytes.get(FRAME_HEADER_LEN..FRAME_HEADER_LEN.checked_add(len)?)?;
    (xxh3_64_with_seed(items, word(bytes, 16)?) == word(bytes, 24)?).then_some(items)
}
