//! How long writes stood still.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use super::load::{Ack, WRITERS};

/// Times by what was done to whom.
#[derive(Default)]
pub(super) struct Outages(BTreeMap<String, Vec<(Duration, Duration)>>);

impl Outages {
    /// `outage` is until writes that began after the fault were acknowledged, `longest` the
    /// longest pause of a writer in the round.
    pub(super) fn add(&mut self, what: String, outage: Duration, longest: Duration) {
        self.0.entry(what).or_default().push((outage, longest));
    }
}

/// The longest time without an acknowledgement to a writer, behind `since`. Of the first
/// writer nothing counts: it waits for answers that may not come.
pub(super) fn longest_gap(since: Instant, acks: &[Ack]) -> Duration {
    let mut longest = Duration::ZERO;
    for writer in 1..WRITERS {
        let mut last = since;
        for ack in acks.iter().filter(|ack| ack.writer == writer && ack.at > since) {
            longest = longest.max(ack.at - last);
            last = ack.at;
        }
    }
    longest
}

/// The value below which a share of them lies.
fn quantile(sorted: &[Duration], share: f64) -> Duration {
    let at = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(at.saturating_sub(1)).copied().unwrap_or_default()
}

impl fmt::Display for Outages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<40} {:>5} {:>8} {:>8} {:>8}  pause:",
            "seconds", "times", "p50", "p99", "max"
        )?;
        for (what, times) in &self.0 {
            write!(f, "{what:<40} {:>5}", times.len())?;
            for of in [|t: &(Duration, Duration)| t.0, |t: &(Duration, Duration)| t.1] {
                let mut sorted: Vec<Duration> = times.iter().map(of).collect();
                sorted.sort();
                for share in [0.5, 0.99, 1.0] {
                    write!(f, " {:>8.2}", quantile(&sorted, share).as_secs_f64())?;
                }
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
