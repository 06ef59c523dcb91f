//! Figures that a run should reach.

use serde::{Deserialize, Serialize};

use super::units;

/// One figure of one phase, and what it should be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Goal {
    /// Name of the phase.
    pub phase: String,
    /// Which figure.
    pub measure: Measure,
    /// Compare with what this peer reached in the same phase: the bounds are of the
    /// ratio ours : its.
    #[serde(default)]
    pub versus: Option<String>,
    /// It should be this much or more.
    #[serde(default, deserialize_with = "units::some_number")]
    pub at_least: Option<f64>,
    /// It should be this much or less.
    #[serde(default, deserialize_with = "units::some_number")]
    pub at_most: Option<f64>,
}

/// What can be asked of a phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Operations in a second.
    OpsPerS,
    /// Operations for a second of processor time.
    OpsPerCpuS,
    /// Median latency in microseconds.
    P50Us,
    /// 99 % were faster.
    P99Us,
    /// 99.9 % were faster.
    P999Us,
    /// p99.9 divided by p50.
    P999OverP50,
    /// Of a phase of one caller's puts: the median in microseconds above two bare synced
    /// writes to the same disk, measured right before.
    P50OverTwoFsyncsUs,
    /// Whole seconds in which no operation ended.
    SecondsWithoutProgress,
    /// MB of compaction input for a second of processor time.
    CompactionMbPerCpuS,
    /// How long the phase took, in milliseconds.
    ElapsedMs,
    /// Resident memory at its highest, in MiB.
    ResidentMib,
}

impl Measure {
    /// For people.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::OpsPerS => "operations/s",
            Self::OpsPerCpuS => "operations per CPU second",
            Self::P50Us => "p50 µs",
            Self::P99Us => "p99 µs",
            Self::P999Us => "p99.9 µs",
            Self::P999OverP50 => "p99.9 / p50",
            Self::P50OverTwoFsyncsUs => "p50 over two synced writes, µs",
            Self::SecondsWithoutProgress => "seconds without progress",
            Self::CompactionMbPerCpuS => "MB of compaction input per CPU second",
            Self::ElapsedMs => "elapsed ms",
            Self::ResidentMib => "resident MiB at most",
        }
    }
}
