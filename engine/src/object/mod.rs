//! The object store: where everything that lasts is kept.
//!
//! The interface everywhere is [`object_store::ObjectStore`].

mod layout;

pub use layout::{Layout, ObjectKind};
