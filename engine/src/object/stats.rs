//! Counts of what was asked of an object store, and what it gave.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Kinds of requests, as stores charge for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RequestKind {
    /// An object or a part of it.
    Get,
    /// What is known about an object.
    Head,
    /// One page of a list.
    List,
    /// A whole object.
    Put,
    /// A part of an object.
    PutPart,
    /// The beginning or the end of an object in parts.
    Multipart,
    /// One to a thousand objects deleted, or an upload given up.
    Delete,
    /// A copy within the store.
    Copy,
}

impl RequestKind {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 8] = [
        Self::Get,
        Self::Head,
        Self::List,
        Self::Put,
        Self::PutPart,
        Self::Multipart,
        Self::Delete,
        Self::Copy,
    ];

    /// A short stable name, for metrics and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Head => "head",
            Self::List => "list",
            Self::Put => "put",
            Self::PutPart => "put_part",
            Self::Multipart => "multipart",
            Self::Delete => "delete",
            Self::Copy => "copy",
        }
    }
}

#[derive(Debug, Default)]
struct Counters {
    requests: AtomicU64,
    errors: AtomicU64,
    retries: AtomicU64,
    throttled: AtomicU64,
    sent_bytes: AtomicU64,
    received_bytes: AtomicU64,
    nanos: AtomicU64,
}

/// Running counts of one store.
#[derive(Debug, Default)]
pub struct StoreStats {
    kinds: [Counters; RequestKind::ALL.len()],
    hedges: AtomicU64,
    hedges_won: AtomicU64,
    resolved: AtomicU64,
}

impl StoreStats {
    fn of(&self, kind: RequestKind) -> &Counters {
        &self.kinds[kind as usize]
    }

    pub(super) fn request(&self, kind: RequestKind, sent_bytes: u64) {
        let counters = self.of(kind);
        counters.requests.fetch_add(1, Relaxed);
        counters.sent_bytes.fetch_add(sent_bytes, Relaxed);
    }

    pub(super) fn reply(&self, kind: RequestKind, took: Duration, error: bool, throttled: bool) {
        let counters = self.of(kind);
        counters.nanos.fetch_add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), Relaxed);
        counters.errors.fetch_add(error.into(), Relaxed);
        counters.throttled.fetch_add(throttled.into(), Relaxed);
    }

    pub(super) fn received(&self, kind: RequestKind, bytes: u64) {
        self.of(kind).received_bytes.fetch_add(bytes, Relaxed);
    }

    pub(super) fn retry(&self, kind: RequestKind) {
        self.of(kind).retries.fetch_add(1, Relaxed);
    }

    pub(super) fn hedge(&self) {
        self.hedges.fetch_add(1, Relaxed);
    }

    pub(super) fn hedge_won(&self) {
        self.hedges_won.fetch_add(1, Relaxed);
    }

    pub(super) fn resolved(&self) {
        self.resolved.fetch_add(1, Relaxed);
    }

    /// The counts now. Each is exact; together they are of about one moment.
    #[must_use]
    pub fn snapshot(&self) -> StoreSnapshot {
        StoreSnapshot {
            kinds: RequestKind::ALL.map(|kind| {
                let c = self.of(kind);
                RequestCounts {
                    kind,
                    requests: c.requests.load(Relaxed),
                    errors: c.errors.load(Relaxed),
                    retries: c.retries.load(Relaxed),
                    throttled: c.throttled.load(Relaxed),
                    sent_bytes: c.sent_bytes.load(Relaxed),
                    received_bytes: c.received_bytes.load(Relaxed),
                    time: Duration::from_nanos(c.nanos.load(Relaxed)),
                }
            }),
            hedges: self.hedges.load(Relaxed),
            hedges_won: self.hedges_won.load(Relaxed),
            resolved: self.resolved.load(Relaxed),
        }
    }
}

/// Counts of one kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestCounts {
    /// Which.
    pub kind: RequestKind,
    /// Requests sent, repeated and hedged ones too: what a store charges for.
    pub requests: u64,
    /// Those that failed, with "no such object" and lost conditions.
    pub errors: u64,
    /// Requests that repeat another.
    pub retries: u64,
    /// Those that the store refused because there were too many.
    pub throttled: u64,
    /// Bytes of objects sent.
    pub sent_bytes: u64,
    /// Bytes of objects received.
    pub received_bytes: u64,
    /// Time that requests took, added up.
    pub time: Duration,
}

/// Counts of one store at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreSnapshot {
    /// By kind, in the order of [`RequestKind::ALL`].
    pub kinds: [RequestCounts; RequestKind::ALL.len()],
    /// Second requests sent because the first was slow.
    pub hedges: u64,
    /// Those that answered first.
    pub hedges_won: u64,
    /// Conditional writes that were found to have succeeded by their id.
    pub resolved: u64,
}

impl StoreSnapshot {
    /// Counts of a kind.
    #[must_use]
    pub fn of(&self, kind: RequestKind) -> &RequestCounts {
        &self.kinds[kind as usize]
    }

    /// What happened since `earlier`.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let mut delta = *self;
        for (now, then) in delta.kinds.iter_mut().zip(&earlier.kinds) {
            now.requests = now.requests.saturating_sub(then.requests);
            now.errors = now.errors.saturating_sub(then.errors);
            now.retries = now.retries.saturating_sub(then.retries);
            now.throttled = now.throttled.saturating_sub(then.throttled);
            now.sent_bytes = now.sent_bytes.saturating_sub(then.sent_bytes);
            now.received_bytes = now.received_bytes.saturating_sub(then.received_bytes);
            now.time = now.time.saturating_sub(then.time);
        }
        delta.hedges = delta.hedges.saturating_sub(earlier.hedges);
        delta.hedges_won = delta.hedges_won.saturating_sub(earlier.hedges_won);
        delta.resolved = delta.resolved.saturating_sub(earlier.resolved);
        delta
    }

    /// Requests that stores charge at the price of a PUT.
    #[must_use]
    pub fn billed_as_put(&self) -> u64 {
        use RequestKind::*;
        [List, Put, PutPart, Multipart, Copy].iter().map(|k| self.of(*k).requests).sum()
    }

    /// Requests that stores charge at the price of a GET.
    #[must_use]
    pub fn billed_as_get(&self) -> u64 {
        [RequestKind::Get, RequestKind::Head].iter().map(|k| self.of(*k).requests).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_numbered_as_they_are_listed() {
        for (index, kind) in RequestKind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, index);
        }
    }

    #[test]
    fn a_delta_has_only_what_came_after() {
        let stats = StoreStats::default();
        stats.request(RequestKind::Put, 10);
        let then = stats.snapshot();
        stats.request(RequestKind::Put, 5);
        stats.request(RequestKind::Head, 0);
        stats.reply(RequestKind::Put, Duration::from_millis(2), true, true);
        let delta = stats.snapshot().since(&then);
        let put = delta.of(RequestKind::Put);
        assert_eq!((put.requests, put.sent_bytes, put.errors, put.throttled), (1, 5, 1, 1));
        assert_eq!(put.time, Duration::from_millis(2));
        assert_eq!((delta.billed_as_put(), delta.billed_as_get()), (1, 1));
    }
}
