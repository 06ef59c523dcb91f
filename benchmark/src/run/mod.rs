//! Running phases and taking their measure.

mod pacer;
mod phase;
mod runner;
mod sampler;
mod work;
mod worker;

pub use phase::PhaseResult;
pub use runner::{Summary, run, run_config};
pub(crate) use sampler::PROCESS;
pub use sampler::Point;
pub use work::Work;
pub use worker::{run_tasks, run_threads};
