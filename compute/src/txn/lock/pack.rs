//! When a lock set packs its rows and inserts: see [`super::packed`].

use std::collections::BTreeMap;

use bytes::Bytes;
use firn_engine::SpaceId;
use firn_engine::key::KeyRange;

use super::LOCK_BYTES;
use super::key::{LockKey, LockMode};
use super::ranges::RUN_INSERTS;
use super::set::{Held, LockSet};
use crate::txn::error::Result;

/// How many locks of each space are packed, and what they need.
#[derive(Debug, Default)]
pub(super) struct Packed {
    pub(super) rows: BTreeMap<SpaceId, usize>,
    pub(super) inserts: BTreeMap<SpaceId, usize>,
    pub(super) bytes: BTreeMap<SpaceId, usize>,
    /// At how many that are not packed it is done again.
    pub(super) rows_at: usize,
    pub(super) inserts_at: usize,
}

impl Packed {
    pub(super) fn len(&self) -> usize {
        self.rows.values().sum::<usize>() + self.inserts.values().sum::<usize>()
    }
}

/// Memory for one range that has inserts, in bytes, roughly.
const RUN_BYTES: usize = 192;

pub(super) fn key_bytes(key: &LockKey) -> usize {
    match key {
        LockKey::Row(_, key) | LockKey::Database(key) | LockKey::Name(key) => {
            LOCK_BYTES + key.len()
        }
        LockKey::Table(_) | LockKey::Global => LOCK_BYTES,
    }
}

pub(super) fn range_bytes(range: &KeyRange) -> usize {
    LOCK_BYTES + range.start.len() + range.end.as_ref().map_or(0, Bytes::len)
}

impl LockSet {
    /// A packed key that is in its queue again is as any other, but never given back: it
    /// stays among those that are packed.
    pub(super) fn keep(&mut self, key: LockKey, mode: LockMode) -> Result<()> {
        self.table.count(1)?;
        self.add_bytes(key_bytes(&key));
        self.keys.insert(key, Held { mode, times: 1 });
        Ok(())
    }

    /// Packs all rows.
    pub(super) fn pack_rows(&mut self) {
        let rows: Vec<(LockKey, LockMode)> = self
            .keys
            .extract_if(.., |key, _| matches!(key, LockKey::Row(..)))
            .map(|(key, held)| (key, held.mode))
            .collect();
        let mut of_mode: BTreeMap<(SpaceId, LockMode), Vec<Bytes>> = BTreeMap::new();
        let mut less = 0;
        self.table.uncount(rows.len());
        for (key, mode) in rows {
            less += key_bytes(&key);
            if let LockKey::Row(space, key) = key {
                of_mode.entry((space, mode)).or_default().push(key);
            }
        }
        self.memory.shrink(less);
        for ((space, mode), keys) in of_mode {
            let mut more = 0;
            // Who wants one of them waits no longer than for some.
            for some in keys.chunks(256) {
                more += self.table.pack(self.who, space, mode, some);
            }
            self.add_bytes(more);
            *self.packed.bytes.entry(space).or_default() += more;
            *self.packed.rows.entry(space).or_default() += keys.len();
        }
        self.packed.rows_at = self.keys.len() + self.table.limits.pack_at.max(1);
    }

    /// Packs all inserts.
    pub(super) fn pack_inserts(&mut self) {
        let mut inserts = std::mem::take(&mut self.inserts);
        inserts.sort();
        self.table.uncount(inserts.len());
        let less: usize = inserts.iter().map(|(_, key)| LOCK_BYTES + key.len()).sum();
        self.memory.shrink(less);
        for of_space in inserts.chunk_by(|a, b| a.0 == b.0) {
            let Some(space) = of_space.first().map(|(space, _)| *space) else { continue };
            let keys: Vec<Bytes> = of_space.iter().map(|(_, key)| key.clone()).collect();
            self.table.with_ranges(space, |ranges| ranges.pack_inserts(self.who, &keys));
            let more = keys.len().div_ceil(RUN_INSERTS) * RUN_BYTES;
            self.add_bytes(more);
            *self.packed.bytes.entry(space).or_default() += more;
            *self.packed.inserts.entry(space).or_default() += keys.len();
        }
    }
}
