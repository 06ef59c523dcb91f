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
    /// Requests to the object store.
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
        let requests = result.counters.requests.map_or(0.0, |r| {
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
