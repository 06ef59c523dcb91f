//! Where blocks come from when no cache has them.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use object_store::ObjectStore;

use super::{Layout, ObjectKind, from_store};
use crate::error::Result;
use crate::types::ObjectId;

/// Bytes `offset` to `offset + len` of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteRange {
    /// First byte.
    pub offset: u64,
    /// Number of bytes.
    pub len: u64,
}

/// Reads parts of objects: straight from the object store, or through the
/// storage service and its cache.
#[async_trait]
pub trait BlockSource: Debug + Send + Sync + 'static {
    /// Reads ranges of an object, in the order given. The bytes are as stored:
    /// whoever asked verifies their checksums.
    ///
    /// # Errors
    /// `Corrupt` if the object is missing: it was named by a manifest.
    async fn read(
        &self,
        id: ObjectId,
        kind: ObjectKind,
        ranges: &[ByteRange],
    ) -> Result<Vec<Bytes>>;
}

/// Straight from the object store.
#[derive(Debug)]
pub struct StoreBlocks {
    store: Arc<dyn ObjectStore>,
    layout: Layout,
}

impl StoreBlocks {
    /// From objects named by `layout`.
    #[must_use]
    pub fn new(store: Arc<dyn ObjectStore>, layout: Layout) -> Self {
        Self { store, layout }
    }
}

#[async_trait]
impl BlockSource for StoreBlocks {
    async fn read(
        &self,
        id: ObjectId,
        kind: ObjectKind,
        ranges: &[ByteRange],
    ) -> Result<Vec<Bytes>> {
        let path = self.layout.object(id, kind);
        let ranges: Vec<_> = ranges.iter().map(|r| r.offset..r.offset + r.len).collect();
        let read = self.store.get_ranges(&path, &ranges).await;
        read.map_err(|e| from_store("GET", &path, e))
    }
}
