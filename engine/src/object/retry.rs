//! An `ObjectStore` out of a [`Backend`]: every request repeated as far as that
//! is safe, timed, limited and counted. The one home of retries.
//!
//! # What is repeated
//!
//! A try that fails with a transient [`Cause`](super::Cause) is made again
//! after a pause that doubles and is shortened by chance, until the limits of
//! its kind ([`RetryOptions`]) are reached; then the error of the last try is
//! given to the caller. A store that asks for fewer requests is another
//! matter: those refusals do not count as tries, have pauses and a time limit
//! of their own, and slow all other requests down in proportion. What cannot
//! go better next time (denied, no such bucket, disk full, bad request) is
//! never repeated.
//!
//! Reads, lists, deletes, plain puts and parts of uploads have the same effect
//! however often they are made, so they are simply made again: a page of a list
//! from where it began, a batch of deletes for those names that failed, a body
//! that broke off from the byte where it did, and only if the object is still
//! the same one. A plain put that timed out may still arrive later, after
//! a newer one; whoever cares uses a conditional put, or a name only once.
//!
//! # Conditional puts happen exactly once
//!
//! A put with `PutMode::Create` or `PutMode::Update` whose reply is lost may
//! have been carried out, and then the next try is refused because of the
//! first. So each carries an id by chance in the object's attributes, the same
//! one for all tries, and every refusal is looked into before it is believed:
//!
//! 1. Put with the id. Stored: done.
//! 2. Refused by its condition (exists, changed), or by a 409: read the
//!    attributes of what is there.
//!    - Our id: an earlier try won, although nobody told us. Done.
//!    - The condition would still hold (a 409, and nothing changed): 1 again.
//!    - Another's: refused, if this is certain. It is certain if no try failed
//!      ambiguously (a 409 is such a failure: some stores give it to a request
//!      that they took); or for a create, if what is there was made by a
//!      create; or for an update, if it was made by an update of the same
//!      version, of which only one can win. Otherwise our put may have won and
//!      been replaced since: the cause is `OutcomeUnknown`.
//! 3. Failed otherwise: 1 again, within limits. When the limits are reached
//!    and a try was ambiguous, the cause is `OutcomeUnknown`.
//!
//! A refusal is looked into even if no try failed, because a proxy on the way
//! may have sent the request twice. For a create that is certain to show. An
//! update that was sent twice and, before the look, replaced by the next one
//! is called lost: whoever updates behind such a proxy must be able to
//! recognise its own update in what follows. Calling every refusal without
//! proof unknown would make mere contention look like a fault. The condition
//! is on every try, so a try that arrives late, after its caller gave up,
//! either wins as if it had come in time or is refused: it never undoes
//! another's put. Taking the id from a clock or a counter would let two
//! processes have the same one.
//!
//! The end of an upload in parts works alike: after an ambiguous failure, or
//! when the upload is gone, the object's id tells whether it was completed.
//!
//! # Hedging
//!
//! A read of few bytes that takes longer than 98 in 100 do gets a second
//! request beside it; the first answer counts. This helps against a slow
//! server and a dead connection alike. Writes are never hedged.
//!
//! # Cancellation
//!
//! Dropping a future stops its tries. What was sent may be carried out, once.

mod attempts;
mod conditional;
mod hedge;
mod options;
mod pages;
mod read;
mod upload;

#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    CopyMode, CopyOptions, GetOptions, GetRange, GetResult, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult,
    Result, coalesce_ranges,
};
use tokio::sync::Semaphore;

pub use options::{Backoff, HedgeOptions, Limits, RetryOptions};

use self::attempts::{Attempts, Pressure};
use self::hedge::Hedge;
use super::backend::{Backend, PageStart};
use super::error::{Cause, StoreError, cause_of, with_remark};
use super::stats::{RequestKind, StoreStats};
use crate::env::Env;

/// Ranges with no more than this between them are read as one.
const COALESCE_BYTES: u64 = 32 << 10;

/// A store whose requests are repeated. Clones share everything.
#[derive(Debug, Clone)]
pub struct RetryingStore {
    core: Arc<Core>,
}

#[derive(Debug)]
struct Core {
    backend: Arc<dyn Backend>,
    env: Env,
    options: RetryOptions,
    stats: Arc<StoreStats>,
    pressure: Pressure,
    hedge: Hedge,
    in_flight: Semaphore,
}

impl RetryingStore {
    /// Makes an `ObjectStore` out of a backend.
    #[must_use]
    pub fn new(backend: Arc<dyn Backend>, env: Env, options: RetryOptions) -> Self {
        let core = Core {
            backend,
            env,
            stats: Arc::default(),
            pressure: Pressure::default(),
            hedge: Hedge::new(options.hedge),
            in_flight: Semaphore::new(options.in_flight_max.clamp(1, Semaphore::MAX_PERMITS)),
            options,
        };
        Self { core: Arc::new(core) }
    }

    /// Counts of requests, for metrics and reports.
    #[must_use]
    pub fn stats(&self) -> Arc<StoreStats> {
        Arc::clone(&self.core.stats)
    }

    /// The store that the requests go to.
    #[must_use]
    pub fn backend(&self) -> &Arc<dyn Backend> {
        &self.core.backend
    }

    /// Asks the store for one page of a list: whether it is there, and lets us in.
    ///
    /// # Errors
    /// As for a list.
    pub async fn probe(&self) -> Result<()> {
        pages::page(&self.core, None, true, &PageStart::First).await.map(drop)
    }
}

impl fmt::Display for RetryingStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.core.backend.fmt(f)
    }
}

#[async_trait]
impl ObjectStore for RetryingStore {
    async fn put_opts(
        &self,
        path: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        if options.mode != PutMode::Overwrite {
            return conditional::put(&self.core, path, payload, options).await;
        }
        let bytes = payload.content_length() as u64;
        let mut tries = Attempts::new(&self.core, RequestKind::Put, path).sending(bytes);
        loop {
            let put = self.core.backend.put(path, payload.clone(), options.clone());
            match tries.once(put).await {
                Ok(stored) => return Ok(stored),
                Err(e) => tries.again(e).await?,
            }
        }
    }

    async fn put_multipart_opts(
        &self,
        path: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        Ok(Box::new(upload::RetryingUpload::begin(&self.core, path, options).await?))
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        read::get(&self.core, path, options).await
    }

    async fn get_ranges(&self, path: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let read = |range: Range<u64>| async move {
            let range = Some(GetRange::Bounded(range));
            let options = GetOptions { range, ..GetOptions::default() };
            read::get(&self.core, path, options).await?.bytes().await
        };
        coalesce_ranges(ranges, read, COALESCE_BYTES).await
    }

    fn delete_stream(
        &self,
        paths: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        pages::delete(Arc::clone(&self.core), paths)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        pages::list(Arc::clone(&self.core), prefix.cloned(), PageStart::First)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        pages::list(Arc::clone(&self.core), prefix.cloned(), PageStart::After(offset.clone()))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        pages::list_folder(&self.core, prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let mut tries = Attempts::new(&self.core, RequestKind::Copy, to);
        loop {
            let copy = self.core.backend.copy(from, to, options.clone());
            match tries.once(copy).await {
                Ok(()) => return Ok(()),
                // A copy carries no id, so whose object is there cannot be told.
                Err(e)
                    if options.mode == CopyMode::Create
                        && tries.is_ambiguous()
                        && cause_of(&e) == Cause::Exists =>
                {
                    return Err(with_remark(&e, to, Cause::OutcomeUnknown, ""));
                }
                Err(e) => tries.again(e).await?,
            }
        }
    }
}
