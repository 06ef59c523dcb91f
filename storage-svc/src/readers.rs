//! Readers' leases, and the GC watermark that follows from them.
//!
//! A lease is known from the reader's renewals; the manifest stores what the
//! leases were when the watermark was last computed. An owner that has just
//! started takes every stored lease as renewed at that moment, so that it
//! keeps everything for a whole lease length before it forgets anyone.
//! Time decides only how long a silent reader is waited for, never what a
//! reader sees: one that was forgotten gets an error, since the watermark that
//! passed it is in the version it reads.

use std::collections::{BTreeMap, BTreeSet};

use firn_engine::manifest::{Lease, Version, Watermark};
use firn_engine::storage::LEASE_LENGTH;
use firn_engine::{Instant, ManifestVersion};

/// The readers of one branch.
#[derive(Debug, Default)]
pub(crate) struct Readers {
    live: BTreeMap<String, (Lease, Instant)>,
    /// Ended or forgotten, but still in the manifest.
    gone: BTreeSet<String>,
    #[cfg(feature = "planted")]
    pub(crate) planted: crate::Planted,
}

impl Readers {
    /// Takes in readers that the manifest knows, as if they had just renewed.
    pub(crate) fn learn(&mut self, version: &Version, now: Instant) {
        #[cfg(feature = "planted")]
        if self.planted == crate::Planted::ForgetStoredLeases {
            return;
        }
        for (holder, lease) in &version.leases {
            if !self.gone.contains(holder) && !self.live.contains_key(holder) {
                self.live.insert(holder.clone(), (*lease, now));
            }
        }
        self.gone.retain(|holder| version.leases.contains_key(holder));
    }

    /// Puts a bug in.
    #[cfg(feature = "planted")]
    pub(crate) fn plant(&mut self, bug: crate::Planted) {
        self.planted = bug;
        if bug == crate::Planted::ForgetStoredLeases {
            self.live.clear();
        }
    }

    /// Whether a reader's lease is known.
    pub(crate) fn knows(&self, holder: &str) -> bool {
        self.live.contains_key(holder)
    }

    /// A reader is alive and needs this. What it needs never goes back.
    pub(crate) fn renew(&mut self, holder: &str, lease: Lease, now: Instant) {
        let (known, at) = self.live.entry(holder.to_owned()).or_insert((lease, now));
        known.oldest_seq = known.oldest_seq.max(lease.oldest_seq);
        known.oldest_version = known.oldest_version.max(lease.oldest_version);
        *at = now;
    }

    pub(crate) fn end(&mut self, holder: &str) {
        self.live.remove(holder);
        self.gone.insert(holder.to_owned());
    }

    /// Forgets readers that have been silent for a lease length; their names.
    pub(crate) fn expire(&mut self, now: Instant) -> Vec<String> {
        let late = |at: &Instant| now.since(*at) > LEASE_LENGTH;
        let gone: Vec<_> =
            self.live.iter().filter(|(_, (_, at))| late(at)).map(|(h, _)| h.clone()).collect();
        for holder in &gone {
            self.end(holder);
        }
        gone
    }

    /// The leases as they are to be stored.
    pub(crate) fn leases(&self) -> Vec<(String, Lease)> {
        self.live.iter().map(|(holder, (lease, _))| (holder.clone(), *lease)).collect()
    }

    /// No one reads objects that only versions before this one name.
    pub(crate) fn oldest_version(&self, version: &Version) -> ManifestVersion {
        #[cfg(feature = "planted")]
        if self.planted == crate::Planted::ForgetReaders {
            return version.number;
        }
        let leased = self.live.values().map(|(lease, _)| lease.oldest_version);
        // A branch that is being made reads what its parent names.
        let pinned = version.pinned().map(|(_, point)| point.version);
        leased.chain(pinned).min().unwrap_or(version.number).min(version.number)
    }

    /// Where the watermark can be, and who holds it there. Never behind where it is.
    pub(crate) fn watermark(&self, version: &Version) -> Watermark {
        // Without readers, the next one starts at what is in files.
        let mut lowest = Watermark { seq: version.flushed_seq, holder: "flushed files".into() };
        #[cfg(feature = "planted")]
        if self.planted == crate::Planted::ForgetSnapshots {
            lowest.seq = lowest.seq.max(version.watermark.seq);
            return lowest;
        }
        let mut readers = self.live.iter();
        if let Some((holder, (lease, _))) = readers.next() {
            lowest = Watermark { seq: lease.oldest_seq, holder: format!("reader {holder}") };
        }
        for (holder, (lease, _)) in readers {
            if lease.oldest_seq < lowest.seq {
                lowest = Watermark { seq: lease.oldest_seq, holder: format!("reader {holder}") };
            }
        }
        for (name, snapshot) in &version.snapshots {
            if snapshot.seq < lowest.seq {
                lowest = Watermark { seq: snapshot.seq, holder: format!("snapshot {name}") };
            }
        }
        for (name, point) in version.pinned() {
            if point.seq < lowest.seq {
                lowest = Watermark { seq: point.seq, holder: format!("{name:?}, being made") };
            }
        }
        if lowest.seq < version.watermark.seq {
            lowest.seq = version.watermark.seq;
        }
        lowest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use firn_engine::manifest::SnapshotMeta;
    use firn_engine::{BranchName, Seq};

    fn lease(seq: u64, version: u64) -> Lease {
        Lease { oldest_seq: Seq(seq), oldest_version: ManifestVersion(version) }
    }

    fn version() -> Version {
        let mut version = Version::empty(BranchName::main());
        version.number = ManifestVersion(20);
        version.flushed_seq = Seq(100);
        version
    }

    #[test]
    fn the_slowest_holds_the_watermark_and_is_named() {
        let mut version = version();
        let mut readers = Readers::default();
        assert_eq!(readers.watermark(&version).seq, Seq(100));
        readers.renew("a", lease(150, 18), Instant(0));
        assert_eq!(readers.watermark(&version).seq, Seq(150), "ahead of the files");
        readers.renew("b", lease(120, 19), Instant(0));
        let held = readers.watermark(&version);
        assert_eq!((held.seq, held.holder.as_str()), (Seq(120), "reader b"));
        assert_eq!(readers.oldest_version(&version), ManifestVersion(18));
        let meta = SnapshotMeta { seq: Seq(60), created_unix_ms: 0 };
        version.snapshots.insert("monday".into(), meta);
        let held = readers.watermark(&version);
        assert_eq!((held.seq, held.holder.as_str()), (Seq(60), "snapshot monday"));
        version.watermark.seq = Seq(80);
        assert_eq!(readers.watermark(&version).seq, Seq(80), "it never goes back");
    }

    #[test]
    fn a_restarted_owner_keeps_everything_for_one_lease_length() {
        let mut version = version();
        version.leases.insert("a".into(), lease(50, 3));
        let start = Instant(1_000_000_000_000);
        let mut readers = Readers::default();
        readers.learn(&version, start);
        assert_eq!(readers.watermark(&version).seq, Seq(50));
        assert!(readers.expire(start.after(LEASE_LENGTH)).is_empty());
        let later = start.after(LEASE_LENGTH).after(std::time::Duration::from_nanos(1));
        assert_eq!(readers.expire(later), ["a"]);
        readers.learn(&version, later);
        assert!(!readers.knows("a"), "the manifest still has it, but it is gone");
    }

    #[test]
    fn a_late_message_does_not_move_a_lease_back() {
        let mut readers = Readers::default();
        readers.renew("a", lease(150, 18), Instant(0));
        readers.renew("a", lease(140, 12), Instant(5));
        assert_eq!(readers.leases(), [("a".to_owned(), lease(150, 18))]);
    }
}
