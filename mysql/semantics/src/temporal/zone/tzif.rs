//! The tz database's binary form (RFC 9636), as far as offsets need it.

use super::rule::Rule;

/// Year after the last one whose rules are followed.
const END_YEAR: i64 = 2038;
/// Changes from here on, 2038-01-01, are left out, as MySQL's tables do.
const END_SECONDS: i64 = 2_145_916_800;

/// The changes of offset of a zone.
pub(super) struct Transitions {
    /// Seconds of UTC, and the offset from then on; ascending.
    pub(super) changes: Vec<(i64, i32)>,
    /// The offset before the first of them.
    pub(super) before: i32,
}

struct Header {
    version: u8,
    utc_flags: usize,
    standard_flags: usize,
    leaps: usize,
    times: usize,
    types: usize,
    chars: usize,
}

/// Takes bytes off the front.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(head)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn header(&mut self) -> Option<Header> {
        let magic = self.take(4)?;
        let version = self.take(1)?[0];
        self.take(15)?;
        let mut count = || Some(u32::from_be_bytes(self.array()?) as usize);
        let header = Header {
            version,
            utc_flags: count()?,
            standard_flags: count()?,
            leaps: count()?,
            times: count()?,
            types: count()?,
            chars: count()?,
        };
        (magic == b"TZif").then_some(header)
    }
}

impl Transitions {
    /// Reads a file of version 2 or later; `None` if it is not one.
    pub(super) fn read(data: &[u8]) -> Option<Self> {
        let mut reader = Reader(data);
        // The first block is that of 32-bit readers.
        let old = reader.header()?;
        if old.version == 0 {
            return None;
        }
        reader.take(
            old.times * 5
                + old.types * 6
                + old.chars
                + old.leaps * 8
                + old.standard_flags
                + old.utc_flags,
        )?;
        let header = reader.header()?;
        let mut times = Vec::with_capacity(header.times.min(data.len()));
        for _ in 0..header.times {
            times.push(i64::from_be_bytes(reader.array()?));
        }
        let kinds = reader.take(header.times)?;
        let mut types = Vec::with_capacity(header.types.min(data.len()));
        for _ in 0..header.types {
            let offset = i32::from_be_bytes(reader.array()?);
            let [daylight, _name] = reader.array()?;
            types.push((offset, daylight != 0));
        }
        reader.take(header.chars + header.leaps * 12 + header.standard_flags + header.utc_flags)?;
        let mut changes = Vec::with_capacity(times.len() + 80);
        for (time, kind) in times.into_iter().zip(kinds) {
            changes.push((time, types.get(usize::from(*kind))?.0));
        }
        changes.retain(|(time, _)| *time < END_SECONDS);
        let before = types.iter().find(|(_, daylight)| !daylight).or(types.first())?.0;
        let footer = reader.0.strip_prefix(b"\n")?.strip_suffix(b"\n")?;
        if let Some(rule) = Rule::parse(footer) {
            let last = changes.last().map_or(i64::MIN, |(time, _)| *time);
            let first_year = 1970 + last.max(0) / 31_556_952 - 1;
            for year in first_year..END_YEAR {
                changes.extend(rule.changes_of(year).into_iter().filter(|(time, _)| *time > last));
            }
        }
        Some(Self { changes, before })
    }
}
