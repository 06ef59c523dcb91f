//! The memory of a plan: out of what its statement may have.

use std::fmt;

use datafusion_common::{DataFusionError, Result};
use datafusion_execution::memory_pool::{MemoryLimit, MemoryPool, MemoryReservation};
use parking_lot::Mutex;

use crate::memory::Charge;

/// What the operators of one plan have together.
#[derive(Debug)]
pub(super) struct StatementPool {
    charge: Mutex<Charge>,
    bytes_max: usize,
}

impl StatementPool {
    /// At most `bytes_max` bytes, of a budget.
    pub(super) fn new(charge: Charge, bytes_max: usize) -> Self {
        Self { charge: Mutex::new(charge), bytes_max }
    }
}

impl fmt::Display for StatementPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} bytes", self.reserved(), self.bytes_max)
    }
}

impl MemoryPool for StatementPool {
    fn name(&self) -> &str {
        "statement"
    }

    fn grow(&self, _: &MemoryReservation, additional: usize) {
        self.charge.lock().grow_anyway(additional);
    }

    fn shrink(&self, _: &MemoryReservation, shrink: usize) {
        self.charge.lock().shrink(shrink);
    }

    fn try_grow(&self, _: &MemoryReservation, additional: usize) -> Result<()> {
        let mut charge = self.charge.lock();
        let fits = charge.bytes().saturating_add(additional) <= self.bytes_max;
        if fits && charge.grow(additional).is_ok() {
            return Ok(());
        }
        Err(DataFusionError::ResourcesExhausted("the statement has no more memory".to_owned()))
    }

    fn reserved(&self) -> usize {
        self.charge.lock().bytes()
    }

    fn memory_limit(&self) -> MemoryLimit {
        MemoryLimit::Finite(self.bytes_max)
    }
}
