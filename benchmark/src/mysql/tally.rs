//! What the connections of one client thread have counted.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

/// Longest latency told apart; longer ones count as this.
const LATENCY_MAX_NS: u64 = 600_000_000_000;

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct Tally {
    /// Nanoseconds of events.
    latencies: Histogram<u64>,
    /// The same by kind, where there are several.
    by_kind: BTreeMap<&'static str, Histogram<u64>>,
    /// Events that ended well.
    pub(crate) events: u64,
    /// Statements of theirs, and of those that were tried again.
    pub(crate) queries: u64,
    /// Events that were tried again, by the error's number.
    pub(crate) retries: BTreeMap<u16, u64>,
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LATENCY_MAX_NS, 3).expect("bounds that are in order")
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            latencies: histogram(),
            by_kind: BTreeMap::new(),
            events: 0,
            queries: 0,
            retries: BTreeMap::new(),
        }
    }
}

impl Tally {
    /// An event ended well.
    pub(crate) fn event(&mut self, kind: Option<&'static str>, latency: Duration, queries: u64) {
        let nanos = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX).max(1);
        self.latencies.saturating_record(nanos);
        if let Some(kind) = kind {
            self.by_kind.entry(kind).or_insert_with(histogram).saturating_record(nanos);
        }
        self.events += 1;
        self.queries += queries;
    }

    /// An event has to be tried again.
    pub(crate) fn retry(&mut self, error: u16) {
        *self.retries.entry(error).or_default() += 1;
    }

    /// Adds what another thread has counted.
    pub(crate) fn add(&mut self, other: &Self) {
        self.latencies.add(&other.latencies).expect("histograms of the same bounds");
        for (kind, latencies) in &other.by_kind {
            let mine = self.by_kind.entry(kind).or_insert_with(histogram);
            mine.add(latencies).expect("histograms of the same bounds");
        }
        self.events += other.events;
        self.queries += other.queries;
        for (error, n) in &other.retries {
            *self.retries.entry(*error).or_default() += n;
        }
    }

    /// The latency in microseconds that this share of the events stayed below.
    pub(crate) fn quantile_us(&self, quantile: f64) -> f64 {
        self.latencies.value_at_quantile(quantile) as f64 / 1e3
    }

    /// Events of each kind, and the latency in microseconds that half, 95 % and
    /// 99 % of them stayed below.
    pub(crate) fn by_kind(&self) -> impl Iterator<Item = (&'static str, u64, [f64; 3])> {
        self.by_kind.iter().map(|(kind, latencies)| {
            let at = |quantile| latencies.value_at_quantile(quantile) as f64 / 1e3;
            (*kind, latencies.len(), [at(0.5), at(0.95), at(0.99)])
        })
    }

    pub(crate) fn mean_us(&self) -> f64 {
        self.latencies.mean() / 1e3
    }

    pub(crate) fn max_us(&self) -> f64 {
        self.latencies.max() as f64 / 1e3
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_add_up() {
        let (mut one, mut two) = (Tally::default(), Tally::default());
        for ms in 1..=100u64 {
            one.event(Some("a"), Duration::from_millis(ms), 2);
            two.event(None, Duration::from_millis(ms), 3);
        }
        one.retry(1213);
        two.retry(1213);
        two.retry(1205);
        one.add(&two);
        assert_eq!((one.events, one.queries), (200, 500));
        assert!(one.by_kind().map(|(kind, n, _)| (kind, n)).eq([("a", 100)]));
        assert_eq!(one.retries, BTreeMap::from([(1205, 1), (1213, 2)]));
        assert!((one.quantile_us(0.95) / 95_000.0 - 1.0).abs() < 0.002);
        assert!((one.max_us() / 100_000.0 - 1.0).abs() < 0.002);
    }
}
