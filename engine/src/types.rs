//! The words everything else is written in.

use std::fmt;

/// A commit's number: the MVCC timestamp, the journal position and the
/// replication position of a branch, strictly increasing from 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Seq(pub u64);

impl Seq {
    /// Before the first commit.
    pub const ZERO: Self = Self(0);
    /// After every commit.
    pub const MAX: Self = Self(u64::MAX);

    /// The seq that follows.
    ///
    /// # Panics
    /// At the end of the number space, which no branch can reach.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.checked_add(1).expect("2^64 commits"))
    }

    /// The seq before, or zero.
    #[must_use]
    pub fn prev(self) -> Self {
        Self(self.0.saturating_sub(1))
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seq {}", self.0)
    }
}

/// How often a branch has been taken for writing. Whoever shows an older
/// epoch than the journal or the manifest knows is fenced.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Epoch(pub u64);

impl Epoch {
    /// Before the first writer.
    pub const ZERO: Self = Self(0);

    /// The epoch of the next writer.
    ///
    /// # Panics
    /// At the end of the number space.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.checked_add(1).expect("2^64 writers"))
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "epoch {}", self.0)
    }
}

/// Number of a stored manifest of a branch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ManifestVersion(pub u64);

impl ManifestVersion {
    /// The version that follows.
    ///
    /// # Panics
    /// At the end of the number space.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.checked_add(1).expect("2^64 manifests"))
    }
}

impl fmt::Display for ManifestVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for ManifestVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "manifest {}", self.0)
    }
}

/// Name of a branch: one timeline of the database, and a part of object names.
///
/// Names are never used again, so that nothing of a dropped branch can come to light in
/// another: not its manifests, not the records of its journal. What people call a branch can
/// be used again. The first branch called `dev` is named `dev`, the next `dev.2`, then `dev.3`,
/// and each is made when the one before has been dropped.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BranchName(std::sync::Arc<str>);

impl BranchName {
    /// Longest of what people call a branch, in bytes.
    pub const LEN_MAX: usize = 64;

    /// The branch that every database has.
    #[must_use]
    pub fn main() -> Self {
        Self("main".into())
    }

    /// Checks a name: 1 to 64 of `a-z A-Z 0-9 _ -`, starting with a letter or digit; then,
    /// for a branch that is not the first of that name, a dot and its number.
    ///
    /// # Errors
    /// `BadRequest` that shows the name and the rule.
    pub fn new(name: &str) -> crate::Result<Self> {
        let (called, number) = match name.split_once('.') {
            Some((called, number)) => (called, Some(number)),
            None => (name, None),
        };
        let legal = |c: u8| c.is_ascii_alphanumeric() || c == b'_' || c == b'-';
        let starts_well = called.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric);
        // Only the canonical spelling, so that one branch has one name.
        let counts = |text: &str| {
            text.parse().is_ok_and(|number: u64| number >= 2 && number.to_string() == text)
        };
        if !starts_well
            || called.len() > Self::LEN_MAX
            || !called.bytes().all(legal)
            || !number.is_none_or(counts)
        {
            return Err(crate::Error::bad_request(format!(
                "branch name {name:?}: must be 1 to {} of a-z A-Z 0-9 _ -, and start with a letter or digit",
                Self::LEN_MAX
            )));
        }
        Ok(Self(name.into()))
    }

    /// What people call it, which others may have been called before it: the name without its
    /// number.
    #[must_use]
    pub fn called(&self) -> Self {
        match self.0.split_once('.') {
            Some((called, _)) => Self(called.into()),
            None => self.clone(),
        }
    }

    /// How many have been called so up to this one.
    #[must_use]
    pub fn number(&self) -> u64 {
        let number = self.0.split_once('.').and_then(|(_, number)| number.parse().ok());
        number.unwrap_or(1)
    }

    /// The name of the next that is called so.
    #[must_use]
    pub fn following(&self) -> Self {
        Self(format!("{}.{}", self.called(), self.number() + 1).into())
    }

    /// The name of the one before that was called so; `None` for the first.
    #[must_use]
    pub fn preceding(&self) -> Option<Self> {
        match self.number() {
            1 => None,
            2 => Some(self.called()),
            number => Some(Self(format!("{}.{}", self.called(), number - 1).into())),
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BranchName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for BranchName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "branch {}", self.0)
    }
}

/// A key space: one table with its indexes, or one collection of plain keys.
/// It is the first four bytes, big-endian, of every user key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SpaceId(pub u32);

impl SpaceId {
    /// Bytes that the space takes in front of each key.
    pub const LEN: usize = 4;

    /// The prefix of all user keys of this space.
    #[must_use]
    pub fn prefix(self) -> [u8; Self::LEN] {
        self.0.to_be_bytes()
    }

    /// The space that a user key belongs to; `None` if it is too short to have one.
    #[must_use]
    pub fn of(user_key: &[u8]) -> Option<Self> {
        user_key.first_chunk().map(|prefix| Self(u32::from_be_bytes(*prefix)))
    }
}

impl fmt::Display for SpaceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for SpaceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "space {}", self.0)
    }
}

/// Names one immutable object. Never reused: the counter only grows within a
/// branch, the epoch tells apart two writers that counted alike, and the
/// branch's random number tells apart branches that share a folder.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ObjectId {
    /// Random number given to the branch at its creation.
    pub branch: u64,
    /// Counts the objects of the branch.
    pub counter: u64,
    /// Epoch of the writer, or of the job's scheduler, that made it.
    pub epoch: Epoch,
}

impl fmt::Display for ObjectId {
    /// As in object names: `<branch:016x><counter:016x>-<epoch:08x>`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}{:016x}-{:08x}", self.branch, self.counter, self.epoch.0)
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "object {self}")
    }
}

impl std::str::FromStr for ObjectId {
    type Err = crate::Error;

    fn from_str(text: &str) -> crate::Result<Self> {
        let parse = || {
            let (id, epoch) = text.split_once('-')?;
            let hex = |s: &str| u64::from_str_radix(s, 16).ok();
            let id = Self {
                branch: hex(id.get(..16)?)?,
                counter: hex(id.get(16..)?)?,
                epoch: Epoch(hex(epoch)?),
            };
            // Only the canonical spelling, so that one object has one name.
            (id.to_string() == text).then_some(id)
        };
        parse().ok_or_else(|| {
            crate::Error::bad_request(format!("{text:?} is not an object id (<32 hex>-<8 hex>)"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn object_ids_print_and_parse() {
        let id = ObjectId { branch: 0xabc, counter: 77, epoch: Epoch(3) };
        assert_eq!(id.to_string(), "0000000000000abc000000000000004d-00000003");
        assert_eq!(id.to_string().parse::<ObjectId>().unwrap(), id);
        for bad in ["", "12-3", "0000000000000abc000000000000004d-3", "zz", "0-0"] {
            assert!(bad.parse::<ObjectId>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn branch_names_are_checked() {
        assert!(BranchName::new("main").is_ok());
        assert!(BranchName::new("pr-17_b").is_ok());
        for bad in ["", "-x", "a/b", "..", &"x".repeat(65), "ü"] {
            assert!(BranchName::new(bad).is_err(), "{bad:?}");
        }
        for bad in ["a.", "a.1", "a.02", "a.2.3", ".2", "a.x", "a.+2", "a.99999999999999999999"] {
            assert!(BranchName::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn branches_that_are_called_the_same_have_numbers() {
        let first = BranchName::new(&"x".repeat(64)).unwrap();
        let second = first.following();
        let third = second.following();
        assert_eq!(third.to_string(), format!("{first}.3"));
        assert_eq!(BranchName::new(third.as_str()).unwrap(), third);
        assert_eq!((first.number(), second.number(), third.number()), (1, 2, 3));
        assert_eq!(third.preceding().unwrap(), second);
        assert_eq!(second.preceding().unwrap(), first);
        assert_eq!(first.preceding(), None);
        assert_eq!((first.called(), third.called()), (first.clone(), first));
    }
}
