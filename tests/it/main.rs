//! The parts together.

mod memory_journal;
mod model;
mod world;
