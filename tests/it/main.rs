//! The parts together.

#![expect(clippy::print_stderr, reason = "failing seeds are printed")]

mod cache;
mod memory_journal;
mod model;
mod world;
