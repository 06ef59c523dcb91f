//! The elastic LSM engine of Firn: an embeddable key-value store whose data
//! lives on object storage.
//!
//! # What the engine is not
//!
//! - It knows bytes, never SQL, and serves no network port.
//! - It holds no truth of its own: what is durable is in the journal and in
//!   objects named by a stored manifest. Caches may be deleted at any time.
//! - It never overwrites or renames an object, and never reads a byte from
//!   disk or network that it does not checksum.
//! - It reads no clock, no randomness and starts no task but through [`Env`].

pub mod batch;

pub mod cache;
pub mod column;
pub mod compaction;
pub mod db;
mod env;
mod error;
pub mod journal;
pub mod key;
pub mod manifest;
mod memtable;
pub mod merge;
pub mod object;
mod range_delete;
mod scan;
pub mod sst;
pub mod storage;
pub mod trace;
mod types;
mod varint;
mod view;
pub mod watch;
pub mod wire;

pub use batch::WriteBatch;
pub use compaction::Compaction;
pub use db::{Db, Options, Parts};
pub use env::{AbortTask, Clock, Env, Instant, Pace, Random, Spawn, Task, TaskClass};
pub use error::{Context, Error, ErrorKind, Result};
pub use journal::{Journal, JournalWriter};
pub use storage::Storage;
pub use types::{BranchName, Epoch, ManifestVersion, ObjectId, Seq, SpaceId};
