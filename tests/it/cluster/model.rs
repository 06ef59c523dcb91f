//! The engine's model test, with the storage service and the worker's queue over gRPC.

use crate::model::run_with;
use crate::world::World;

use super::raft::Members;
use super::wires::Wires;

/// `FIRN_SEED=n` starts at that seed, `FIRN_SEEDS=n` runs that many.
#[test]
fn the_engine_agrees_with_a_sorted_map_over_remote_parts() {
    run_with(6, 1500, |world: World, seed| {
        // Every second run on connections that break.
        let break_one_in = if seed.is_multiple_of(2) { 400 } else { 0 };
        let wires = Wires::new(world.env.clone(), break_one_in, seed % 4);
        World { network: Some(wires), ..world }
    });
}

/// With the journal on three members as well, one of which is down now and then, having lost
/// what it had not synced.
#[test]
fn the_engine_agrees_with_a_sorted_map_over_a_journal_of_members_that_crash() {
    run_with(4, 800, |world: World, seed| {
        let break_one_in = if seed.is_multiple_of(2) { 2000 } else { 0 };
        let wires = Wires::new(world.env.clone(), break_one_in, seed % 4);
        let members = Members::start(&world.env, &wires);
        let journal = std::sync::Arc::new(members.journal());
        World { network: Some(wires), journal, ..world }
    });
}
