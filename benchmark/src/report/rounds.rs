//! One result out of several rounds: for each phase the middle one.

use super::TargetResult;
use crate::run::PhaseResult;

/// What a phase is ranked by: more is better for operations, less for waiting.
fn rank(phase: &PhaseResult) -> f64 {
    if phase.ops > 0 { phase.ops_per_s } else { -phase.elapsed_s }
}

/// Joins the rounds of one target. A round that failed is the result, so that
/// nothing of it is hidden.
pub(crate) fn middle(mut rounds: Vec<TargetResult>) -> Option<TargetResult> {
    let failed = |target: &TargetResult| {
        target.error.is_some() || target.phases.iter().any(|p| p.error.is_some())
    };
    if let Some(at) = rounds.iter().position(failed) {
        return Some(rounds.swap_remove(at));
    }
    if rounds.len() < 2 {
        return rounds.pop();
    }
    let places = rounds.iter().map(|round| round.phases.len()).min()?;
    let phases = (0..places).map(|place| {
        let mut results: Vec<&PhaseResult> = rounds.iter().map(|r| &r.phases[place]).collect();
        let all = results.iter().map(|p| if p.ops > 0 { p.ops_per_s } else { p.elapsed_s });
        let all = all.collect();
        results.sort_by(|a, b| rank(a).total_cmp(&rank(b)));
        let mut middle = results[(results.len() - 1) / 2].clone();
        middle.rounds = all;
        middle
    });
    let phases = phases.collect();
    let mut opens: Vec<f64> = rounds.iter().map(|round| round.open_s).collect();
    opens.sort_by(f64::total_cmp);
    let open_s = opens[(opens.len() - 1) / 2];
    let first = rounds.swap_remove(0);
    Some(TargetResult { phases, open_s, ..first })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn round(ops_per_s: f64, elapsed_s: f64, error: Option<&str>) -> TargetResult {
        let yaml = "name: x\nphases: [{kind: get, ops: 1}, {kind: settle}]\n";
        let config = Config::parse(yaml, "x").unwrap();
        let mut get = PhaseResult::empty(&config.phases[0]);
        (get.ops, get.ops_per_s) = (1, ops_per_s);
        let mut settle = PhaseResult::empty(&config.phases[1]);
        settle.elapsed_s = elapsed_s;
        settle.error = error.map(Into::into);
        let phases = vec![get, settle];
        TargetResult {
            name: "firn".into(),
            settings: vec![],
            open_s: elapsed_s,
            phases,
            error: None,
        }
    }

    #[test]
    fn the_middle_one_stands_for_all() {
        let rounds = vec![round(10.0, 3.0, None), round(30.0, 1.0, None), round(20.0, 2.0, None)];
        let joined = middle(rounds).unwrap();
        assert_eq!(joined.phases[0].ops_per_s, 20.0);
        assert_eq!(joined.phases[0].rounds, [10.0, 30.0, 20.0]);
        assert_eq!((joined.phases[1].elapsed_s, joined.open_s), (2.0, 2.0));
        // Of two the worse.
        let joined = middle(vec![round(10.0, 3.0, None), round(30.0, 1.0, None)]).unwrap();
        assert_eq!((joined.phases[0].ops_per_s, joined.phases[1].elapsed_s), (10.0, 3.0));
    }

    #[test]
    fn one_round_is_itself_and_a_failed_one_is_not_hidden() {
        assert!(middle(vec![round(10.0, 3.0, None)]).unwrap().phases[0].rounds.is_empty());
        let rounds = vec![round(10.0, 3.0, None), round(5.0, 3.0, Some("broke"))];
        assert_eq!(middle(rounds).unwrap().phases[1].error.as_deref(), Some("broke"));
        assert!(middle(vec![]).is_none());
    }
}
