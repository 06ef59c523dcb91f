//! What a target has done, counted since it was opened.

use std::collections::BTreeMap;

use serde::Serialize;

/// Requests to the object store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Requests {
    /// Objects or parts stored, uploads begun and completed, copies.
    pub puts: u64,
    /// Objects or ranges read, metadata included.
    pub gets: u64,
    /// Pages listed, as a store with pages of 1,000 would.
    pub lists: u64,
    /// Objects deleted.
    pub deletes: u64,
    /// Of all these, those that failed; lost races of conditional writes as well.
    pub errors: u64,
    /// Bytes stored.
    pub bytes_put: u64,
    /// Bytes read.
    pub bytes_got: u64,
}

impl Requests {
    /// Both together.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self {
            puts: self.puts + other.puts,
            gets: self.gets + other.gets,
            lists: self.lists + other.lists,
            deletes: self.deletes + other.deletes,
            errors: self.errors + other.errors,
            bytes_put: self.bytes_put + other.bytes_put,
            bytes_got: self.bytes_got + other.bytes_got,
        }
    }

    /// What happened since `earlier`.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            puts: self.puts.saturating_sub(earlier.puts),
            gets: self.gets.saturating_sub(earlier.gets),
            lists: self.lists.saturating_sub(earlier.lists),
            deletes: self.deletes.saturating_sub(earlier.deletes),
            errors: self.errors.saturating_sub(earlier.errors),
            bytes_put: self.bytes_put.saturating_sub(earlier.bytes_put),
            bytes_got: self.bytes_got.saturating_sub(earlier.bytes_got),
        }
    }
}

/// Counters and sizes of a target.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Counters {
    /// Bytes written, by the part that wrote them (`journal`, `flush`,
    /// `compaction`, `columns`): what write amplification is made of.
    pub written: BTreeMap<&'static str, u64>,
    /// Bytes that compactions read, as stored.
    pub compaction_bytes_in: u64,
    /// Requests to the object store; `None` if there is none.
    pub requests: Option<Requests>,
    /// Other counts: hits and misses, delays.
    pub counts: BTreeMap<&'static str, u64>,
    /// Sizes now, in bytes or pieces: caches, memtables, levels.
    pub sizes: BTreeMap<&'static str, u64>,
    /// Why writers are slowed down now, if they are.
    pub pressure: Option<String>,
}

impl Counters {
    /// What was counted since `earlier`; sizes as they are now.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let less = |now: &BTreeMap<&'static str, u64>, then: &BTreeMap<&'static str, u64>| {
            let then = |key| then.get(key).copied().unwrap_or(0);
            now.iter().map(|(key, n)| (*key, n.saturating_sub(then(key)))).collect()
        };
        let requests = self.requests.map(|now| now.since(&earlier.requests.unwrap_or_default()));
        Self {
            written: less(&self.written, &earlier.written),
            compaction_bytes_in: self
                .compaction_bytes_in
                .saturating_sub(earlier.compaction_bytes_in),
            requests,
            counts: less(&self.counts, &earlier.counts),
            sizes: self.sizes.clone(),
            pressure: self.pressure.clone(),
        }
    }
}
