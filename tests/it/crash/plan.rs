//! What the writers of a crash test write: a function of seed, task and step
//! alone, so that what must be there after `n` steps needs no record of them.
//!
//! Step `i` of a task is one batch:
//! - three counters are set to `i`: a batch that is half there shows;
//! - row `i` of the task's log is added;
//! - in one of four steps, row `i - DELETE_BACK` is deleted;
//! - every [`TRIM_EVERY`] steps all rows but the last [`WINDOW`] are deleted as a range;
//! - every [`LARGE_EVERY`] steps, unless rows are deleted as a range, it is written as a
//!   transaction larger than memory: to files first, which are then committed.

use std::collections::BTreeMap;

use firn_engine::{Result, SpaceId, WriteBatch};

/// Where the tasks write.
pub(crate) const SPACE: SpaceId = SpaceId(7);

/// Counters of a task.
pub(crate) const COUNTERS: u8 = 3;

const WINDOW: u64 = 200;
const TRIM_EVERY: u64 = 16;
const DELETE_BACK: u64 = 5;
const LARGE_EVERY: u64 = 37;

/// One writer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) task: u8,
}

fn mix(mut x: u64) -> u64 {
    // SplitMix64's finaliser.
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

impl Plan {
    fn chance(self, step: u64, salt: u64) -> u64 {
        mix(self.seed ^ mix(step ^ mix(u64::from(self.task) << 8 | salt)))
    }

    pub(crate) fn counter(self, n: u8) -> Vec<u8> {
        vec![b'c', self.task, n]
    }

    pub(crate) fn log_prefix(self) -> Vec<u8> {
        vec![b'l', self.task]
    }

    fn row(self, step: u64) -> Vec<u8> {
        [&self.log_prefix()[..], &step.to_be_bytes()].concat()
    }

    fn value(self, step: u64) -> Vec<u8> {
        let len = match self.chance(step, 1) % 100 {
            0 => 40_000,
            1..10 => 2_000,
            n => n as usize * 3,
        };
        let mut value = Vec::with_capacity(len + 8);
        let mut word = self.chance(step, 2);
        while value.len() < len {
            word = mix(word.wrapping_add(1));
            // Half of the bytes can be compressed away.
            value.extend_from_slice(&(word & 0xffff_ffff).to_le_bytes());
        }
        value.truncate(len);
        value
    }

    fn deletes(self, step: u64) -> bool {
        step > DELETE_BACK && self.chance(step, 3).is_multiple_of(4)
    }

    /// First row that the range deletions up to `step` left.
    fn first_kept(step: u64) -> u64 {
        (step / TRIM_EVERY * TRIM_EVERY).saturating_sub(WINDOW).max(1)
    }

    /// What a step changes; steps count from 1.
    fn changes(self, step: u64) -> Vec<Change> {
        let counter = |n| Change::Put(self.counter(n), step.to_le_bytes().to_vec());
        let mut changes: Vec<_> = (0..COUNTERS).map(counter).collect();
        changes.push(Change::Put(self.row(step), self.value(step)));
        if self.deletes(step) {
            changes.push(Change::Delete(self.row(step - DELETE_BACK)));
        }
        if step.is_multiple_of(TRIM_EVERY) {
            changes.push(Change::DeleteRange(self.row(0), self.row(Self::first_kept(step))));
        }
        changes
    }

    /// The batch of a step.
    pub(crate) fn batch(self, step: u64) -> Result<WriteBatch> {
        let mut batch = WriteBatch::new();
        for change in self.changes(step) {
            match change {
                Change::Put(key, value) => batch.put(SPACE, &key, &value)?,
                Change::Delete(key) => batch.delete(SPACE, &key)?,
                Change::DeleteRange(start, end) => batch.delete_range(SPACE, &start, Some(&end))?,
            }
        }
        Ok(batch)
    }

    /// The writes of a step that go to files first, by their keys; `None` if they do not.
    pub(crate) fn large(self, step: u64) -> Option<BTreeMap<Vec<u8>, Option<Vec<u8>>>> {
        if !step.is_multiple_of(LARGE_EVERY) || step.is_multiple_of(TRIM_EVERY) {
            return None;
        }
        let write = |change| match change {
            Change::Put(key, value) => Some((key, Some(value))),
            Change::Delete(key) => Some((key, None)),
            Change::DeleteRange(..) => None,
        };
        self.changes(step).into_iter().map(write).collect()
    }

    /// All rows of the log after `steps` steps, in order.
    pub(crate) fn rows_after(self, steps: u64) -> Vec<(Vec<u8>, Vec<u8>)> {
        (Self::first_kept(steps)..=steps)
            .filter(|row| row + DELETE_BACK > steps || !self.deletes(row + DELETE_BACK))
            .map(|row| (self.row(row), self.value(row)))
            .collect()
    }
}

enum Change {
    Put(Vec<u8>, Vec<u8>),
    Delete(Vec<u8>),
    DeleteRange(Vec<u8>, Vec<u8>),
}

#[test]
fn rows_are_those_that_the_changes_leave() {
    let plan = Plan { seed: 5, task: 3 };
    let mut rows = std::collections::BTreeMap::new();
    for step in 1..=700 {
        for change in plan.changes(step) {
            match change {
                Change::Put(key, value) => drop(rows.insert(key, value)),
                Change::Delete(key) => drop(rows.remove(&key)),
                Change::DeleteRange(start, end) => rows.retain(|k, _| *k < start || *k >= end),
            }
        }
        let want = plan.rows_after(step);
        let prefix = plan.log_prefix();
        let got: Vec<_> = rows.iter().filter(|(k, _)| k.starts_with(&prefix)).collect();
        assert_eq!(got.len(), want.len(), "after step {step}");
        assert!(got.iter().zip(&want).all(|(g, w)| (g.0, g.1) == (&w.0, &w.1)), "after {step}");
    }
}
