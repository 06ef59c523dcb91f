//! Transactions in a simulated world.

mod bank;
mod basics;
mod cancel;
mod history;
mod journal;
mod schedule;
mod schedules;
mod server;
mod settling;
mod spill;
mod writes;

use std::sync::Arc;
use std::time::Duration;

use firn_engine::{Db, SpaceId};

use super::{
    Interrupt, IsolationLevel, Limits, LockWait, OwnerId, Transaction, TransactionManager,
};
use crate::testing::World;

pub(super) const SPACE: SpaceId = SpaceId(2000);
pub(super) const LEVELS: [IsolationLevel; 3] =
    [IsolationLevel::ReadCommitted, IsolationLevel::RepeatableRead, IsolationLevel::Serializable];
pub(super) const WAIT: LockWait = LockWait::For(Duration::from_secs(50));

/// A manager over what is in `world`.
pub(super) async fn open(world: &World) -> Arc<TransactionManager> {
    over(world, world.open().await)
}

pub(super) fn over(world: &World, db: Arc<Db>) -> Arc<TransactionManager> {
    TransactionManager::new(db, world.env.clone(), Limits::default())
}

pub(super) fn begin(
    manager: &Arc<TransactionManager>,
    session: u64,
    level: IsolationLevel,
) -> Transaction {
    manager.begin(OwnerId(session), level, Interrupt::default())
}
