//! The engine's model test, with the storage service and the worker's queue over gRPC.

use crate::model::run_with;
use crate::world::World;

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
