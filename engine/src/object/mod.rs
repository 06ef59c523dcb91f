//! The object store: where everything that lasts is kept.
//!
//! The interface everywhere is [`object_store::ObjectStore`].

//! A store brings single requests ([`Backend`]); [`RetryingStore`] makes an
//! `ObjectStore` of them, and is where repeating, limiting and counting is done.
//! [`MemoryStore`] is a backend, [`FaultStore`] one that breaks another.

mod backend;
mod blocks;
mod error;
mod faults;
mod layout;
mod memory;
mod retry;
mod stats;
mod upload;

pub use backend::{Backend, DELETE_BATCH_MAX, Page, PageStart, Part};
pub use blocks::{BlockSource, ByteRange, StoreBlocks};
pub use error::{Cause, StoreError, cause_of, from_store, is_not_found, store_error};
pub use faults::{FaultPlan, FaultStore};
pub use layout::{Layout, ObjectKind};
pub use memory::MemoryStore;
pub use retry::{Backoff, HedgeOptions, Limits, RetryOptions, RetryingStore};
pub use stats::{RequestCounts, RequestKind, StoreSnapshot, StoreStats};
pub use upload::Upload;
