//! Whether a run reached what it should.

use serde::Serialize;

use super::TargetResult;
use crate::config::{Config, Goal, Measure};
use crate::run::PhaseResult;

/// A goal and what was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GoalResult {
    /// In words: `get: operations/s, firn : rocksdb ≥ 1.2`.
    pub text: String,
    /// Firn's figure, or the ratio; `None` if it was not measured.
    pub measured: Option<f64>,
    /// Whether it is within the bounds; `None` if it was not measured.
    pub reached: Option<bool>,
}

fn measure(phase: &PhaseResult, measure: Measure) -> Option<f64> {
    if phase.error.is_some() {
        return None;
    }
    let latency = phase.latency;
    match measure {
        Measure::OpsPerS => Some(phase.ops_per_s),
        Measure::OpsPerCpuS => Some(phase.ops_per_cpu_s),
        Measure::P50Us => Some(latency?.p50_us),
        Measure::P99Us => Some(latency?.p99_us),
        Measure::P999Us => Some(latency?.p999_us),
        Measure::P999OverP50 => Some(latency?.p999_us / latency?.p50_us),
        Measure::P50OverTwoFsyncsUs => Some(latency?.p50_us - 2.0 * phase.fsync_p50_us?),
        Measure::SecondsWithoutProgress => Some(phase.seconds_without_progress as f64),
        Measure::CompactionMbPerCpuS => {
            let bytes = phase.counters.compaction_bytes_in as f64;
            (phase.cpu_s > 0.0).then(|| bytes / 1e6 / phase.cpu_s)
        }
        Measure::ElapsedMs => Some(phase.elapsed_s * 1e3),
        Measure::ResidentMib => Some(phase.resident_bytes_max as f64 / f64::from(1 << 20)),
    }
}

fn judge(goal: &Goal, targets: &[TargetResult]) -> GoalResult {
    let of = |name: &str| {
        let target = targets.iter().find(|t| t.name == name)?;
        let phase = target.phases.iter().find(|p| p.name == goal.phase)?;
        measure(phase, goal.measure).filter(|n| n.is_finite())
    };
    let own = of("firn");
    let (what, measured) = match &goal.versus {
        None => (goal.measure.label().to_owned(), own),
        Some(peer) => {
            let ratio = own.zip(of(peer)).filter(|(_, its)| *its > 0.0).map(|(own, its)| own / its);
            (format!("{}, firn : {peer}", goal.measure.label()), ratio)
        }
    };
    let bounds = [(goal.at_least, "≥"), (goal.at_most, "≤")];
    let bounds: Vec<String> =
        bounds.iter().filter_map(|(n, sign)| Some(format!("{sign} {}", (*n)?))).collect();
    let within = |n: f64| {
        goal.at_least.is_none_or(|min| n >= min) && goal.at_most.is_none_or(|max| n <= max)
    };
    GoalResult {
        text: format!("{}: {what} {}", goal.phase, bounds.join(" and ")),
        measured,
        reached: measured.map(within),
    }
}

pub(crate) fn goals(config: &Config, targets: &[TargetResult]) -> Vec<GoalResult> {
    config.goals.iter().map(|goal| judge(goal, targets)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Kind;

    fn target(name: &str, ops_per_s: f64) -> TargetResult {
        let yaml = "name: x\nphases: [{kind: get, ops: 1}]\n";
        let config = Config::parse(yaml, "x").unwrap();
        let mut phase = PhaseResult::empty(&config.phases[0]);
        phase.ops_per_s = ops_per_s;
        assert_eq!(phase.kind, Kind::Get);
        let name = name.to_owned();
        TargetResult { name, settings: vec![], open_s: 0.0, phases: vec![phase], error: None }
    }

    fn goal(versus: Option<&str>, at_least: f64) -> Goal {
        Goal {
            phase: "get".into(),
            measure: Measure::OpsPerS,
            versus: versus.map(Into::into),
            at_least: Some(at_least),
            at_most: None,
        }
    }

    #[test]
    fn a_goal_is_reached_missed_or_not_measured() {
        let targets = [target("firn", 300.0), target("rocksdb", 100.0)];
        let reached = |goal: &Goal| judge(goal, &targets).reached;
        assert_eq!(reached(&goal(None, 300.0)), Some(true));
        assert_eq!(reached(&goal(None, 301.0)), Some(false));
        assert_eq!(reached(&goal(Some("rocksdb"), 3.0)), Some(true));
        assert_eq!(reached(&goal(Some("rocksdb"), 3.1)), Some(false));
        assert_eq!(reached(&goal(Some("slatedb"), 1.0)), None);
        let latency = Goal { measure: Measure::P50Us, ..goal(None, 1.0) };
        assert_eq!(reached(&latency), None);
        let text = judge(&goal(Some("rocksdb"), 3.0), &targets).text;
        assert_eq!(text, "get: operations/s, firn : rocksdb ≥ 3");
    }

    #[test]
    fn a_failed_phase_reaches_nothing() {
        let mut failed = target("firn", 300.0);
        failed.phases[0].error = Some("broke".into());
        assert_eq!(judge(&goal(None, 1.0), &[failed]).reached, None);
    }
}
