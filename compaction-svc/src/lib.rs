//! Stateless workers that run Firn's compactions.
//!
//! A [`Worker`] pulls shards from a queue (the scheduler in this process, or a
//! client of the storage service), merges them, and reports. It keeps nothing
//! on disk and may be killed at any byte: what it had reported stays, the rest
//! is done again by another.

mod worker;

pub use worker::{Worker, WorkerOptions};
