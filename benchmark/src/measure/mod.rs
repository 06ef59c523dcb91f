//! What is measured, and how.

mod counters;
pub mod cpu;
mod latency;
mod machine;
mod store;

pub use counters::{Counters, Requests};
pub use latency::{Latency, Op, Recorded, Recorder};
pub use machine::Machine;
pub use store::{Meter, Metered};
