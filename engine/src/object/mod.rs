//! The object store: where everything that lasts is kept.
//!
//! The interface everywhere is [`object_store::ObjectStore`].

mod blocks;
mod layout;
mod upload;

pub use blocks::{BlockSource, ByteRange, StoreBlocks};
pub use layout::{Layout, ObjectKind};
pub use upload::Upload;

use crate::error::{Error, ErrorKind};
use object_store::path::Path;

/// An error of a store, for a caller.
#[must_use]
pub fn from_store(op: &str, path: &Path, e: object_store::Error) -> Error {
    Error::with_source(ErrorKind::Unavailable, format!("{op} {path}"), e)
}

/// Whether an error of a store says that there is no such object.
#[must_use]
pub fn is_not_found(e: &object_store::Error) -> bool {
    matches!(e, object_store::Error::NotFound { .. })
}
