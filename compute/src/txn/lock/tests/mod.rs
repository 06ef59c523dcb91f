//! The lock table, by cases and against a model.

mod cases;
mod model;
mod packed;
mod ranges;
mod threads;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::{LockLimits, LockSet, LockTable, LockWait, OwnerId, Request};
use crate::memory::MemoryBudget;
use crate::testing::World;
use crate::txn::Interrupt;

type BoxFuture<T> = Pin<Box<dyn Future<Output = T>>>;

const WAIT: LockWait = LockWait::For(Duration::from_secs(50));

fn table(world: &World) -> Arc<LockTable> {
    packing(world, 1000)
}

/// Sets with so many rows pack them.
fn packing(world: &World, pack_at: usize) -> Arc<LockTable> {
    let limits = LockLimits { per_set: 100, total: 1000, pack_at };
    LockTable::new(world.env.clone(), limits, MemoryBudget::new(16 << 20))
}

fn set(table: &Arc<LockTable>, owner: u64) -> LockSet {
    LockSet::new(Arc::clone(table), OwnerId(owner))
}

fn request(interrupt: &Interrupt, wait: LockWait, weight: u64) -> Request<'_> {
    Request { wait, interrupt, weight }
}

fn poll<T>(future: &mut BoxFuture<T>) -> Option<T> {
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => Some(result),
        Poll::Pending => None,
    }
}
