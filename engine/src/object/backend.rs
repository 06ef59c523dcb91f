//! What a store has to bring: single requests.
//!
//! `object_store::ObjectStore` hides requests behind streams and uploads: a
//! list is many pages, a part of an upload cannot be sent again by its number.
//! A [`Backend`] has exactly the requests that a store charges for, so that
//! [`RetryingStore`](super::RetryingStore), which makes an `ObjectStore` out of
//! any backend, can count each and repeat each.
//!
//! # What every backend promises
//!
//! - An object appears whole, or not at all, and durable before the reply.
//! - `PutMode::Create` and `PutMode::Update` decide atomically, among all
//!   clients of the store; of many creates, one wins.
//! - A request makes one try; it neither repeats nor hides failures.
//! - Errors carry a [`Cause`](super::Cause).
//! - Attributes come back as they were given, if [`Backend::keeps_attributes`].
//! - Dropping a request's future leaves what it asked for done or not done, never half done.

use std::fmt::{Debug, Display};

use async_trait::async_trait;
use object_store::multipart::PartId;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ObjectMeta, PutMultipartOptions, PutOptions, PutPayload,
    PutResult, Result,
};

/// Objects deleted with one request at most.
pub const DELETE_BATCH_MAX: usize = 1000;

/// Where a page of a list begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PageStart {
    /// At the first name.
    First,
    /// After this name, whether it exists or not.
    After(Path),
    /// Where another page ended: its [`Page::next`].
    Continue(String),
}

/// One page of a list.
#[derive(Debug, Default)]
pub struct Page {
    /// Objects in the order of their names' bytes.
    pub objects: Vec<ObjectMeta>,
    /// With a delimiter: folders that have objects somewhere in them, in any order.
    pub prefixes: Vec<Path>,
    /// How to ask for the next page; `None` if this is the last.
    pub next: Option<String>,
}

/// One part of an upload.
#[derive(Debug, Clone)]
pub struct Part {
    /// Its number, from 0.
    pub index: usize,
    /// Bytes in the parts before it.
    pub offset: u64,
    /// Its bytes.
    pub payload: PutPayload,
}

/// Single requests to a store.
#[async_trait]
pub trait Backend: Debug + Display + Send + Sync + 'static {
    /// Stores an object.
    ///
    /// # Errors
    /// `Exists` for a create, `Precondition` for an update that lost.
    async fn put(&self, path: &Path, payload: PutPayload, options: PutOptions)
    -> Result<PutResult>;

    /// Reads an object, a range of it, or only what is known about it.
    ///
    /// # Errors
    /// `NotFound`; `BadRequest` for a range outside of it.
    async fn get(&self, path: &Path, options: GetOptions) -> Result<GetResult>;

    /// Lists what is under `prefix`, which counts as a folder.
    ///
    /// # Errors
    /// `NoBucket`, but not when nothing is there.
    async fn list(&self, prefix: Option<&Path>, delimiter: bool, start: PageStart) -> Result<Page>;

    /// Deletes at most [`DELETE_BATCH_MAX`] objects. An object that is not
    /// there is deleted. The result has one entry per path.
    ///
    /// # Errors
    /// When the request as a whole fails; some may have been deleted.
    async fn delete(&self, paths: &[Path]) -> Result<Vec<Result<()>>>;

    /// Copies within the store.
    ///
    /// # Errors
    /// `NotSupported` by stores that cannot.
    async fn copy(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()>;

    /// Begins an upload in parts and names it.
    ///
    /// # Errors
    /// As [`Self::put`].
    async fn create_upload(&self, path: &Path, options: PutMultipartOptions) -> Result<String>;

    /// Sends a part; sent again, it replaces the one before.
    ///
    /// # Errors
    /// `NotFound` if there is no such upload (any more).
    async fn put_part(&self, path: &Path, upload: &str, part: Part) -> Result<PartId>;

    /// Makes the object out of its parts.
    ///
    /// # Errors
    /// `NotFound` if there is no such upload (any more).
    async fn complete_upload(
        &self,
        path: &Path,
        upload: &str,
        parts: Vec<PartId>,
    ) -> Result<PutResult>;

    /// Gives an upload up. One that is not there is given up.
    ///
    /// # Errors
    /// As any request.
    async fn abort_upload(&self, path: &Path, upload: &str) -> Result<()>;

    /// Whether attributes given with an object are kept. Without them, a
    /// conditional write whose reply was lost cannot be resolved.
    fn keeps_attributes(&self) -> bool {
        true
    }
}
