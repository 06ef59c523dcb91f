//! The owner of Firn's manifests.
//!
//! [`StorageService`] implements the engine's `Storage` and `Compaction`
//! traits in this process. It holds no truth of its own: what it knows is in
//! the manifests it stores, and several of them on one bucket do no harm,
//! since a manifest version can be created only once.
//!
//! - [`manifests`]: how a version is committed, and how the newest is found.
//! - [`picker`]: what to compact.
//! - [`queue`] and `scheduler`: who compacts it.
//! - [`gc`]: what may be deleted, and when.
//! - [`blocks`]: parts of objects, from memory and the local disk.
//! - [`rpc`]: the same for callers in other processes.

pub mod blocks;
mod branch;
mod branching;
mod depth;
pub mod gc;
mod logs;
pub mod manifests;
pub mod picker;
#[cfg(feature = "planted")]
mod planted;
pub mod queue;
mod readers;
pub mod rpc;
mod scheduler;
mod service;
mod upkeep;

pub use depth::QueueMetrics;
#[cfg(feature = "planted")]
pub use planted::Planted;
pub use service::StorageService;
