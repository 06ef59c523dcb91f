//! What a statement does as it runs, for EXPLAIN ANALYZE.

use std::collections::BTreeMap;
use std::time::Duration;

use firn_engine::{Env, Instant};

/// A part of a plan whose rows are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    /// Rows of a step's table.
    Access,
    /// Those of them that its conditions leave.
    Filter,
    /// Those of it and all steps before, joined.
    Join,
    /// Groups.
    Groups,
    /// Rows that HAVING leaves.
    Having,
    /// Rows in order.
    Sort,
    /// Rows of a block.
    Result,
    /// Rows that are kept for others to read.
    Made,
}

/// A part of a plan: where it is in memory, and which.
pub(crate) type PartKey = (usize, Part);

/// Rows and times of one part.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Stage {
    /// How often it began.
    pub(crate) loops: u64,
    /// Rows that it gave.
    pub(crate) rows: u64,
    /// Time until it was done, of all loops.
    pub(crate) spent: Duration,
    /// Time until it had a row, of all loops.
    pub(crate) first: Duration,
    before: Duration,
    waits: bool,
}

/// What was measured.
#[derive(Debug)]
pub(crate) struct Measures {
    env: Env,
    stages: BTreeMap<PartKey, Stage>,
}

/// What stands for a part of a plan.
fn place<T>(part: &T) -> usize {
    std::ptr::from_ref(part).addr()
}

impl Measures {
    pub(crate) fn new(env: Env) -> Self {
        Self { env, stages: BTreeMap::new() }
    }

    /// The time.
    pub(crate) fn now(&self) -> Instant {
        self.env.now()
    }

    /// Time since then.
    pub(crate) fn since(&self, then: Instant) -> Duration {
        self.env.now().since(then)
    }

    /// A part begins, once more.
    pub(crate) fn begin<T>(&mut self, of: &T, part: Part) {
        let stage = self.stages.entry((place(of), part)).or_default();
        stage.loops += 1;
        stage.before = stage.spent;
        stage.waits = true;
    }

    /// A part took time.
    pub(crate) fn spend<T>(&mut self, of: &T, part: Part, time: Duration) {
        self.stages.entry((place(of), part)).or_default().spent += time;
    }

    /// A part gave rows.
    pub(crate) fn rows<T>(&mut self, of: &T, part: Part, rows: u64) {
        let stage = self.stages.entry((place(of), part)).or_default();
        stage.rows += rows;
        if stage.waits && rows > 0 {
            stage.waits = false;
            stage.first += stage.spent.saturating_sub(stage.before);
        }
    }

    /// What is known of a part.
    pub(crate) fn stage(&self, key: PartKey) -> Option<Stage> {
        let stage = self.stages.get(&key).copied().filter(|stage| stage.loops > 0)?;
        // Without a row the first is when it was done.
        let first = if stage.rows == 0 { stage.spent } else { stage.first };
        Some(Stage { first, ..stage })
    }
}
