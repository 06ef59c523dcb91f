//! What a run would cost, from a small table of prices.

use serde::{Deserialize, Serialize};

use crate::run::PhaseResult;

/// Prices in US dollars; the defaults are about those of one large cloud for
/// its cheapest machines and its standard object store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Prices {
    /// One core for an hour.
    pub core_hour: f64,
    /// 1,000 writes, copies or lists.
    pub thousand_puts: f64,
    /// 1,000 reads.
    pub thousand_gets: f64,
    /// 1 GB stored for a month.
    pub gb_month: f64,
}

impl Default for Prices {
    fn default() -> Self {
        Self { core_hour: 0.036, thousand_puts: 0.005, thousand_gets: 0.0004, gb_month: 0.023 }
    }
}

/// Dollars for a million operations of a phase, and to keep what is stored.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Cost {
    /// Cores that were busy, the runner's share included.
    pub cpu_per_million_ops: f64,
    /// Requests to the object store, those of the parts' own processes included.
    pub requests_per_million_ops: f64,
    /// Both.
    pub per_million_ops: f64,
    /// What is stored at the end, for a month.
    pub storage_per_month: f64,
}

impl Cost {
    /// The cost of a phase; `None` if it had no operations.
    pub(crate) fn of(result: &PhaseResult, prices: &Prices) -> Option<Self> {
        if result.ops == 0 {
            return None;
        }
        let millions = result.ops as f64 / 1e6;
        let cpu = result.cpu_s / 3600.0 * prices.core_hour / millions;
        let requests = result.requests().map_or(0.0, |r| {
            let puts = (r.puts + r.lists) as f64 * prices.thousand_puts;
            (puts + r.gets as f64 * prices.thousand_gets) / 1e3 / millions
        });
        let stored = result.stored_bytes.unwrap_or(0) as f64 / 1e9;
        Some(Self {
            cpu_per_million_ops: cpu,
            requests_per_million_ops: requests,
            per_million_ops: cpu + requests,
            storage_per_month: stored * prices.gb_month,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::measure::Requests;

    #[test]
    fn requests_of_processes_of_their_own_are_paid_for_as_well() {
        let prices = Prices { thousand_puts: 5.0, thousand_gets: 0.5, ..Prices::default() };
        let text = "name: x\nphases:\n  - kind: load\n";
        let config = Config::parse(text, "w.yaml").expect("a workload");
        let mut phase = PhaseResult::empty(&config.phases[0]);
        phase.ops = 1_000_000;
        phase.counters.requests = Some(Requests { puts: 1000, ..Requests::default() });
        let cost = |phase: &PhaseResult| {
            Cost::of(phase, &prices).map(|cost| cost.requests_per_million_ops)
        };
        assert_eq!(cost(&phase), Some(5.0));
        for (part, puts, gets) in [("storage-1", 1000, 0), ("compaction-1", 0, 4000)] {
            let of = Requests { puts, gets, ..Requests::default() };
            phase.requests_by_process.insert(part.to_owned(), of);
        }
        assert_eq!(cost(&phase), Some(5.0 + 5.0 + 2.0));
    }
}
