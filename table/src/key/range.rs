//! Ranges of keys.

use std::ops::Bound;

use bytes::Bytes;
use firn_engine::Result;
use firn_engine::key::{KeyRange, prefix_end};
use firn_mysql_semantics::Value;

use super::index::{IndexCodec, internal};
use super::part::{NOT_NULL, NULL, Part};
use crate::row::wrong_value;

impl IndexCodec {
    /// The keys of all entries of the index, or of all rows.
    #[must_use]
    pub fn all(&self) -> KeyRange {
        starting_with(self.id.0.to_be_bytes().to_vec())
    }

    /// The keys whose first parts ([`Self::key_parts`]) are `equal` (NULL is equal to
    /// NULL here) and whose next part is between `low` and `high`. The bounds are of values, whether the
    /// part is descending or not, and NULL is below all others:
    ///
    /// | condition | low | high |
    /// |---|---|---|
    /// | `a > 5` | excluded 5 | unbounded |
    /// | `a <= 5` | unbounded | included 5 |
    /// | `a <= 5 OR a IS NULL` | included NULL | included 5 |
    /// | `a IS NOT NULL` | excluded NULL | unbounded |
    /// | nothing | unbounded | unbounded |
    ///
    /// So with an upper bound and no lower one NULL is left out. Values are as the
    /// columns hold them: it is the caller who rounds `a > 2.5` for an integer.
    /// Where a part is a prefix ([`Self::is_prefix`]) the range may hold more than
    /// was asked for.
    ///
    /// # Errors
    /// `Internal` naming the column if it does not hold a value, or if there are
    /// more values than parts.
    pub fn range(
        &self,
        equal: &[Value],
        low: Bound<&Value>,
        high: Bound<&Value>,
    ) -> Result<KeyRange> {
        let mut prefix = Vec::with_capacity(32);
        prefix.extend_from_slice(&self.id.0.to_be_bytes());
        for (at, value) in equal.iter().enumerate() {
            let Some(part) = self.part(at) else {
                return Err(internal(&self.table, "more values than an index has parts"));
            };
            self.push_part(part, value, &mut prefix)?;
        }
        if matches!((low, high), (Bound::Unbounded, Bound::Unbounded)) {
            return Ok(starting_with(prefix));
        }
        let Some(part) = self.part(equal.len()) else {
            return Err(internal(&self.table, "a bound for a part that an index has not"));
        };
        self.within(part, prefix, low, high)
    }

    /// The keys whose first parts are `equal` and whose next part may be LIKE
    /// `beginning` followed by anything. The range may hold more than that: LIKE has
    /// to be looked at again. `None` if the part is no string.
    ///
    /// # Errors
    /// As [`Self::range`].
    pub fn beginning_with(&self, equal: &[Value], beginning: &[u8]) -> Result<Option<KeyRange>> {
        let whole = self.range(equal, Bound::Unbounded, Bound::Unbounded)?;
        let Some(part) = self.part(equal.len()) else {
            return Err(internal(&self.table, "LIKE for a part that an index has not"));
        };
        let mut key =
            if part.marked { mark(part, &whole.start, NOT_NULL) } else { whole.start.to_vec() };
        let found = part.push_beginning(beginning, &mut key);
        Ok(found.map(|()| starting_with(key)))
    }

    fn within(
        &self,
        part: &Part,
        prefix: Vec<u8>,
        low: Bound<&Value>,
        high: Bound<&Value>,
    ) -> Result<KeyRange> {
        let (low, high) = (loosened(part, low), loosened(part, high));
        // By values first: `below` is where keys of small values are.
        let low = match low {
            Bound::Unbounded if part.marked => Limit::After(mark(part, &prefix, NULL)),
            Bound::Unbounded => Limit::All,
            Bound::Included(value) => Limit::Before(self.with(part, value, &prefix)?),
            Bound::Excluded(value) => Limit::After(self.with(part, value, &prefix)?),
        };
        let high = match high {
            Bound::Unbounded if part.marked => Limit::After(mark(part, &prefix, NOT_NULL)),
            Bound::Unbounded => Limit::All,
            Bound::Included(value) => Limit::After(self.with(part, value, &prefix)?),
            Bound::Excluded(value) => Limit::Before(self.with(part, value, &prefix)?),
        };
        let (first, last) =
            if part.flip == 0 { (low, high) } else { (high.turned(), low.turned()) };
        let whole = starting_with(prefix);
        Ok(KeyRange {
            start: first.key(&whole).unwrap_or(whole.start.clone()),
            end: last.key_of_end(&whole),
        })
    }

    fn with(&self, part: &Part, value: &Value, prefix: &[u8]) -> Result<Vec<u8>> {
        let mut key = prefix.to_vec();
        self.push_part(part, value, &mut key)?;
        Ok(key)
    }

    fn push_part(&self, part: &Part, value: &Value, out: &mut Vec<u8>) -> Result<()> {
        if value.is_null() && !part.marked {
            // No row has it there: what is below all values will do.
            return Err(internal(&self.table, "NULL as a bound of the primary key"));
        }
        part.push(value, out).ok_or_else(|| wrong_value(&self.table, part.column))?;
        self.check_len(out.len())
    }
}

/// A place between keys.
enum Limit {
    All,
    /// Before the keys that start with this.
    Before(Vec<u8>),
    /// Behind them.
    After(Vec<u8>),
}

impl Limit {
    /// The same place if keys are read the other way round.
    fn turned(self) -> Self {
        match self {
            Self::All => Self::All,
            Self::Before(key) => Self::After(key),
            Self::After(key) => Self::Before(key),
        }
    }

    fn key(self, whole: &KeyRange) -> Option<Bytes> {
        match self {
            Self::All => None,
            Self::Before(key) => Some(key.into()),
            Self::After(key) => prefix_end(&key).or_else(|| whole.end.clone()),
        }
    }

    fn key_of_end(self, whole: &KeyRange) -> Option<Bytes> {
        match self {
            Self::All => whole.end.clone(),
            limit => limit.key(whole),
        }
    }
}

/// A prefix says nothing of what is behind it: keys equal to it stay in.
fn loosened<'v>(part: &Part, bound: Bound<&'v Value>) -> Bound<&'v Value> {
    match bound {
        Bound::Included(value) | Bound::Excluded(value) if part.is_prefix() && !value.is_null() => {
            if part.prefix_keeps_order() {
                Bound::Included(value)
            } else {
                Bound::Unbounded
            }
        }
        other => other,
    }
}

fn mark(part: &Part, prefix: &[u8], mark: u8) -> Vec<u8> {
    let mut key = prefix.to_vec();
    key.push(mark ^ part.flip);
    key
}

fn starting_with(prefix: Vec<u8>) -> KeyRange {
    let end = prefix_end(&prefix);
    KeyRange { start: prefix.into(), end }
}
