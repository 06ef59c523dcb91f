//! Whether a process should be sent work, and why not.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::RwLock;

type Check = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

/// Named conditions that must all hold. Cheap to clone.
#[derive(Clone, Default)]
pub struct Readiness(Arc<RwLock<BTreeMap<&'static str, Check>>>);

impl std::fmt::Debug for Readiness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.reasons()).finish()
    }
}

impl Readiness {
    /// One without conditions: ready.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a condition, or replaces the one of that name. `check` runs in
    /// every probe and must not block; its error is the reason.
    pub fn check(
        &self,
        name: &'static str,
        check: impl Fn() -> Result<(), String> + Send + Sync + 'static,
    ) {
        self.0.write().insert(name, Arc::new(check));
    }

    /// Says that a condition holds.
    pub fn ready(&self, name: &'static str) {
        self.check(name, || Ok(()));
    }

    /// Says that a condition does not hold, and why.
    pub fn not_ready(&self, name: &'static str, reason: impl Into<String>) {
        let reason = reason.into();
        self.check(name, move || Err(reason.clone()));
    }

    /// The conditions that do not hold, with their reasons; empty if ready.
    pub fn reasons(&self) -> Vec<(&'static str, String)> {
        // Not under the lock: a check may use other conditions.
        let checks = self.0.read().clone();
        checks.into_iter().filter_map(|(name, check)| Some((name, check().err()?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_condition_that_does_not_hold_is_told() {
        let readiness = Readiness::new();
        assert!(readiness.reasons().is_empty());
        readiness.not_ready("database", "replaying the journal");
        readiness.check("journal", || Err("fenced".into()));
        readiness.ready("storage");
        let told = readiness.reasons();
        let expected = [("database", "replaying the journal"), ("journal", "fenced")];
        assert_eq!(told, expected.map(|(name, why)| (name, why.to_owned())));
        readiness.ready("database");
        readiness.ready("journal");
        assert!(readiness.reasons().is_empty());
    }
}
