//! What is done to a target, step by step.

use serde::{Deserialize, Serialize};

use super::topology::{self, Switch};
use super::units;
use crate::generate::Distribution;

/// One step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    /// Shown in the report; the kind if not said. Unlike every other phase's.
    #[serde(default)]
    pub name: String,
    /// What it does.
    pub kind: Kind,
    /// How many of the first keys it works on; all if not said.
    #[serde(default, deserialize_with = "units::some_count")]
    pub keys: Option<u64>,
    /// How operations spread over the keys. A load has `sequential` and
    /// `uniform` (every key once, in shuffled order).
    #[serde(default = "Phase::distribution_default")]
    pub distribution: Distribution,
    /// Skew of `zipfian` and `latest`, between 0 and 1.
    #[serde(default = "Phase::theta_default")]
    pub theta: f64,
    /// Operations under way at once.
    #[serde(default = "Phase::tasks_default")]
    pub tasks: u32,
    /// Operations asked for in a second; as many as go if not said. With a rate
    /// latency counts from when an operation should have begun.
    #[serde(default)]
    pub rate: Option<Rate>,
    /// Keys put by one atomic batch.
    #[serde(default = "Phase::one")]
    pub batch: u32,
    /// Entries that a scan reads.
    #[serde(default = "Phase::scan_entries_default")]
    pub scan_entries: u32,
    /// Shares of the kinds of operations, of a `mixed` phase.
    #[serde(default)]
    pub mix: Option<Mix>,
    /// Seconds at the start that do not count.
    #[serde(default)]
    pub warmup_s: u32,
    /// Seconds that count.
    #[serde(default)]
    pub duration_s: Option<u32>,
    /// Operations after which the phase ends.
    #[serde(default, deserialize_with = "units::some_count")]
    pub ops: Option<u64>,
    /// How much of what is read is checked, byte by byte.
    #[serde(default)]
    pub verify: Verify,
    /// Of `settle`, `flush` and `reopen`: how long they may take at most.
    #[serde(default = "Phase::limit_default")]
    pub limit_s: u32,
    /// Of `reopen`: compaction from here on.
    #[serde(default, deserialize_with = "some_switch")]
    pub compaction: Option<Switch>,
}

fn some_switch<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Switch>, D::Error> {
    topology::compaction(from).map(Some)
}

impl Phase {
    fn distribution_default() -> Distribution {
        Distribution::Uniform
    }

    fn theta_default() -> f64 {
        0.99
    }

    fn tasks_default() -> u32 {
        64
    }

    fn one() -> u32 {
        1
    }

    fn scan_entries_default() -> u32 {
        100
    }

    fn limit_default() -> u32 {
        600
    }
}

/// What a phase does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Puts every key once.
    Load,
    /// Puts.
    Put,
    /// Reads single keys.
    Get,
    /// Reads a number of entries from a key on.
    Scan,
    /// Several kinds of operations at random.
    Mixed,
    /// Puts into files what is in memory.
    Flush,
    /// Waits until there is nothing left to compact.
    Settle,
    /// Closes the target in good order and opens it again.
    Reopen,
}

impl Kind {
    /// As in the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Load => "load",
            Self::Put => "put",
            Self::Get => "get",
            Self::Scan => "scan",
            Self::Mixed => "mixed",
            Self::Flush => "flush",
            Self::Settle => "settle",
            Self::Reopen => "reopen",
        }
    }

    /// Whether it is made of operations, not one step.
    #[must_use]
    pub fn has_ops(self) -> bool {
        !matches!(self, Self::Flush | Self::Settle | Self::Reopen)
    }
}

/// Operations in a second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Rate {
    /// So many.
    PerSecond(f64),
    /// A share of what an earlier phase reached on the same target.
    Of(RateOf),
}

/// See [`Rate::Of`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateOf {
    /// Name of that phase.
    pub of: String,
    /// The share; 0.7 is 70 %.
    pub share: f64,
}

/// Shares of operations; they need not add up to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mix {
    /// Puts.
    #[serde(default)]
    pub put: f64,
    /// Gets.
    #[serde(default)]
    pub get: f64,
    /// Scans.
    #[serde(default)]
    pub scan: f64,
}

/// How much of what is read is checked against what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verify {
    /// Everything.
    #[default]
    All,
    /// One read in 64.
    Sample,
    /// Nothing but whether the key is there.
    None,
}
