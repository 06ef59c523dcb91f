//! What to compact: L0 tiered, below it levels whose sizes follow the deepest.
//!
//! The deepest level that holds data has what size it has; each level above
//! may have a tenth of the one below. Levels that would be smaller than
//! a tenth of `base_bytes_max` are left out: L0 is merged straight into the *base*
//! level, so that a small space has one level and a large one a few (after
//! RocksDB's dynamic level sizes). This bounds space amplification at about
//! 1.1 whatever the size.
//!
//! What a space is asked to settle ([`SpaceOptions::settle_seq`]) goes down at once.
//!
//! Picking is a pure function of a version: no clock, no memory.

use std::sync::Arc;

use firn_engine::SpaceId;
use firn_engine::key::KeyRange;
#[cfg(doc)]
use firn_engine::manifest::SpaceOptions;
use firn_engine::manifest::{Job, JobInput, LEVEL_MAX, Shard, SpaceState, SstMeta, Version};

/// Each level may be so many times the one above.
const LEVEL_FACTOR: u64 = 10;

mod spread;

/// Shards of one job at most.
const SHARDS_MAX: u64 = 16;

/// Sizes that the picker aims at; bytes are of rows, as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PickerOptions {
    /// Files of L0 that call for a merge.
    pub l0_files: usize,
    /// A base level may grow to this size before another level is put above it.
    pub base_bytes_max: u64,
    /// Input of one job out of L0: two minutes of work at most on a slow core.
    pub job_bytes_max: u64,
    /// Input of one job between two sorted levels, about.
    pub level_job_bytes: u64,
    /// Input of one shard, about.
    pub shard_bytes: u64,
}

impl Default for PickerOptions {
    fn default() -> Self {
        Self {
            l0_files: 4,
            base_bytes_max: 256 << 20,
            job_bytes_max: 2 << 30,
            level_job_bytes: 256 << 20,
            shard_bytes: 128 << 20,
        }
    }
}

/// What should be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pick {
    /// Merge these; the number is the caller's to give.
    Merge(Job),
    /// Files that need no merge: nothing below overlaps them.
    Move {
        /// Their space.
        space: SpaceId,
        /// Where they are, and which.
        files: Vec<JobInput>,
        /// Where they go.
        to_level: usize,
    },
}

/// The most urgent thing to do, if anything is.
#[must_use]
pub fn pick(version: &Version, options: &PickerOptions) -> Option<Pick> {
    let mut scored: Vec<(u64, SpaceId, usize)> = Vec::new();
    for (id, space) in &version.spaces {
        scored.extend(scores(space, options).into_iter().map(|(score, level)| (score, *id, level)));
    }
    // The worst first; of equals the one with the smaller number, for determinism.
    scored.sort_by(|a, b| b.0.cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    scored.into_iter().filter(|(score, _, _)| *score >= 100).find_map(|(_, id, level)| {
        let picker = Picker::new(version, id, options)?;
        if level == 0 { picker.plan_l0() } else { picker.plan_level(level) }
    })
}

/// How urgent each level is, in per cent of its limit. For `ctl` as well.
#[must_use]
pub fn scores(space: &SpaceState, options: &PickerOptions) -> Vec<(u64, usize)> {
    let targets = Targets::of(space, options);
    let l0_bytes = space.level_bytes(0);
    let by_count = (space.l0.len() * 100 / options.l0_files.max(1)) as u64;
    let by_bytes = l0_bytes * 100 / options.base_bytes_max.max(1);
    let wanted = space.l0.iter().any(|file| space.settles(file));
    let by_wish = if wanted { 100 } else { 0 };
    let mut scores = vec![(by_count.max(by_bytes).max(by_wish), 0)];
    for level in targets.base..LEVEL_MAX {
        let bytes = space.level_bytes(level);
        scores.push((bytes * 100 / targets.bytes[level].max(1), level));
    }
    // Left over from when the base was higher up: its data has to go down.
    for level in 1..targets.base {
        if !space.level(level).is_empty() {
            scores.push((1000, level));
        }
    }
    scores
}

/// Limits of the levels.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Targets {
    /// The level that L0 is merged into.
    base: usize,
    /// By level; those above the base are zero.
    bytes: [u64; LEVEL_MAX + 1],
}

impl Targets {
    fn of(space: &SpaceState, options: &PickerOptions) -> Self {
        // What is to settle goes through no level between.
        let most = if space.is_settling() { u64::MAX } else { options.base_bytes_max };
        let least = options.base_bytes_max / LEVEL_FACTOR;
        let largest = (1..=LEVEL_MAX).map(|l| space.level_bytes(l)).max().unwrap_or(0);
        let mut bytes = [0; LEVEL_MAX + 1];
        let mut base = LEVEL_MAX;
        let mut size = largest.max(least);
        bytes[LEVEL_MAX] = size;
        while size > most && base > 1 {
            size /= LEVEL_FACTOR;
            base -= 1;
            bytes[base] = size.max(least);
        }
        Self { base, bytes }
    }
}

/// Picks within one space.
struct Picker<'a> {
    options: &'a PickerOptions,
    version: &'a Version,
    id: SpaceId,
    space: &'a SpaceState,
    busy: std::collections::BTreeSet<firn_engine::ObjectId>,
    /// Target levels and key ranges of the space's open jobs.
    running: Vec<(usize, KeyRange)>,
}

impl<'a> Picker<'a> {
    fn new(version: &'a Version, id: SpaceId, options: &'a PickerOptions) -> Option<Self> {
        let space = version.space(id)?;
        let jobs = version.jobs.values().filter(|j| j.space == id);
        let range = |j: &Arc<Job>| {
            let ranges = j.shards.iter().map(|s| s.range.clone());
            ranges.reduce(|a, b| a.union(&b)).map(|r| (j.target_level, r))
        };
        let running = jobs.filter_map(range).collect();
        Some(Self { options, version, id, space, busy: version.busy_inputs(), running })
    }

    fn is_busy(&self, file: &SstMeta) -> bool {
        self.busy.contains(&file.id)
    }

    /// The oldest files of L0 and all of the base level that they overlap. Data that is left
    /// over above the base is older than L0: nothing passes it.
    fn plan_l0(&self) -> Option<Pick> {
        let base = Targets::of(self.space, self.options).base;
        let left_over = (1..base).find(|level| !self.space.level(*level).is_empty());
        let base = left_over.unwrap_or(base);
        let mut chosen: Vec<&Arc<SstMeta>> = Vec::new();
        let mut bytes = 0;
        // Oldest first, without a gap: what stays must be newer than what goes.
        for file in self.space.l0.iter().rev() {
            if self.is_busy(file)
                || (bytes + file.bytes > self.options.job_bytes_max && !chosen.is_empty())
            {
                break;
            }
            bytes += file.bytes;
            chosen.push(file);
        }
        let range = hull(&chosen)?;
        if let Some(moved) = self.try_move(0, &chosen, base) {
            return Some(moved);
        }
        let below = self.space.overlapping(base, &range);
        self.merge(0, &chosen, base, below)
    }

    /// A run of neighbouring files, from the one that drags least along with it.
    fn plan_level(&self, level: usize) -> Option<Pick> {
        let files = self.space.level(level);
        let below = level + 1;
        let weight = |file: &Arc<SstMeta>| {
            let under: u64 =
                self.space.overlapping(below, &file.range).iter().map(|f| f.bytes).sum();
            // Deletions are worth taking down: what they hide goes with them.
            let gain = file.bytes + 4 * file.bytes * file.deletes / file.entries.max(1);
            under * 1000 / gain.max(1)
        };
        let free = files.iter().enumerate().filter(|(_, f)| !self.is_busy(f));
        let mut starts: Vec<_> = free.map(|(i, f)| (weight(f), i)).collect();
        starts.sort_unstable();
        starts.into_iter().find_map(|(_, start)| {
            let mut chosen = Vec::new();
            let mut bytes = 0;
            for file in &files[start..] {
                let under = self.space.overlapping(below, &file.range);
                let more = file.bytes + under.iter().map(|f| f.bytes).sum::<u64>();
                let blocked = self.is_busy(file) || under.iter().any(|f| self.is_busy(f));
                if blocked || (bytes + more > self.options.level_job_bytes && !chosen.is_empty()) {
                    break;
                }
                bytes += more;
                chosen.push(file);
            }
            let range = hull(&chosen)?;
            if let Some(moved) = self.try_move(level, &chosen, below) {
                return Some(moved);
            }
            self.merge(level, &chosen, below, self.space.overlapping(below, &range))
        })
    }

    /// Files that overlap nothing at the target may just go there; but the
    /// bottom has no deletions, and column copies where there is a schema.
    fn try_move(&self, level: usize, chosen: &[&Arc<SstMeta>], to_level: usize) -> Option<Pick> {
        let range = hull(chosen)?;
        let bottom = self.is_bottom(to_level, &range);
        let plain = |f: &&Arc<SstMeta>| f.deletes == 0 && f.range_deletes == 0;
        let apart = chosen
            .iter()
            .enumerate()
            .all(|(i, a)| chosen[i + 1..].iter().all(|b| !a.range.overlaps(&b.range)));
        let free = self.space.overlapping(to_level, &range).is_empty();
        let copied = bottom && !self.space.options.row_schema.is_empty();
        if !apart || !free || copied || self.collides(to_level, &range) {
            return None;
        }
        if bottom && !chosen.iter().all(plain) {
            return None;
        }
        let files = chosen.iter().map(|f| JobInput { level, id: f.id }).collect();
        Some(Pick::Move { space: self.id, files, to_level })
    }

    fn collides(&self, level: usize, range: &KeyRange) -> bool {
        self.running.iter().any(|(target, other)| *target == level && other.overlaps(range))
    }

    /// Whether nothing older than the target level lies in the range.
    fn is_bottom(&self, target: usize, range: &KeyRange) -> bool {
        (target + 1..=LEVEL_MAX).all(|level| self.space.overlapping(level, range).is_empty())
    }

    fn merge(
        &self,
        level: usize,
        chosen: &[&Arc<SstMeta>],
        target_level: usize,
        below: &[Arc<SstMeta>],
    ) -> Option<Pick> {
        let all: Vec<&Arc<SstMeta>> = chosen.iter().copied().chain(below).collect();
        let range = hull(&all)?;
        if below.iter().any(|f| self.is_busy(f)) || self.collides(target_level, &range) {
            return None;
        }
        let upper = chosen.iter().map(|f| JobInput { level, id: f.id });
        let lower = below.iter().map(|f| JobInput { level: target_level, id: f.id });
        Some(Pick::Merge(Job {
            id: self.version.next_job,
            space: self.id,
            inputs: upper.chain(lower).collect(),
            target_level,
            bottom: self.is_bottom(target_level, &range),
            watermark: self.version.watermark.seq,
            shards: shards(&range, chosen, below, self.options.shard_bytes),
            parked: None,
        }))
    }
}

fn hull(files: &[&Arc<SstMeta>]) -> Option<KeyRange> {
    files.iter().map(|f| f.range.clone()).reduce(|a, b| a.union(&b))
}

/// Cuts the range into parts of about the same input: where files of the sorted level below
/// begin, which says where the data is and has each of them read once. Without one, files lie
/// above each other, and their keys are taken to be spread evenly between their ends.
fn shards(
    range: &KeyRange,
    upper: &[&Arc<SstMeta>],
    lower: &[Arc<SstMeta>],
    shard_bytes: u64,
) -> Vec<Shard> {
    let total: u64 = upper.iter().map(|f| f.bytes).chain(lower.iter().map(|f| f.bytes)).sum();
    let wanted = (total / shard_bytes.max(1)).clamp(1, SHARDS_MAX);
    let cuts = match lower.is_empty() {
        true => spread::cuts(range, upper, wanted),
        false => beginnings(range, lower, wanted),
    };
    let mut start = range.start.clone();
    let mut shards = Vec::new();
    for cut in cuts {
        let cut = bytes::Bytes::from(cut);
        shards.push(Shard::new(KeyRange { start, end: Some(cut.clone()) }));
        start = cut;
    }
    shards.push(Shard::new(KeyRange { start, end: range.end.clone() }));
    shards
}

/// Beginnings of files of a sorted level that cut it into parts of about the same size.
fn beginnings(range: &KeyRange, lower: &[Arc<SstMeta>], wanted: u64) -> Vec<Vec<u8>> {
    let mut edges: Vec<(&[u8], u64)> =
        lower.iter().map(|f| (&f.range.start[..], f.bytes)).collect();
    edges.sort_unstable();
    let weight: u64 = edges.iter().map(|(_, bytes)| bytes).sum();
    let mut cuts = Vec::new();
    let mut before = 0;
    for (start, bytes) in edges {
        let due = weight * (cuts.len() as u64 + 1) / wanted;
        let last = cuts.last().map_or(&range.start[..], |c: &Vec<u8>| &c[..]);
        if before >= due && start > last && cuts.len() as u64 + 1 < wanted {
            cuts.push(start.to_vec());
        }
        before += bytes;
    }
    cuts
}

#[cfg(test)]
mod tests;
