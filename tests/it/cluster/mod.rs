//! The parts as services: over a simulated network, and as processes.

mod archive;
mod branches;
mod journal;
mod local;
mod model;
mod processes;
mod queue;
pub(crate) mod raft;
mod rounds;
mod traces;
pub(crate) mod wires;
mod wrong;
