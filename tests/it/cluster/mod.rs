//! The parts as services: over a simulated network, and as processes.

mod model;
mod processes;
pub(crate) mod wires;
