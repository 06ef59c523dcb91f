//! The parts as services, over a simulated network.

mod model;
pub(crate) mod wires;
