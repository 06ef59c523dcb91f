//! An object store that counts what is asked of it.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, UploadPart,
};

use super::Requests;

/// Objects on one page of a list, as S3 has it.
const PAGE: u64 = 1000;

/// Counts of requests, shared by whoever makes them.
#[derive(Debug, Default)]
pub struct Meter {
    puts: AtomicU64,
    gets: AtomicU64,
    listed: AtomicU64,
    lists: AtomicU64,
    deletes: AtomicU64,
    errors: AtomicU64,
    bytes_put: AtomicU64,
    bytes_got: AtomicU64,
}

fn add(counter: &AtomicU64, n: u64) {
    counter.fetch_add(n, Ordering::Relaxed);
}

impl Meter {
    /// A write of `bytes`.
    pub fn put(&self, bytes: u64) {
        add(&self.puts, 1);
        add(&self.bytes_put, bytes);
    }

    /// A read.
    pub fn get(&self) {
        add(&self.gets, 1);
    }

    /// Bytes that a read gave.
    pub fn got(&self, bytes: u64) {
        add(&self.bytes_got, bytes);
    }

    /// A list was begun.
    pub fn list(&self) {
        add(&self.lists, 1);
    }

    /// An object was listed.
    pub fn listed(&self) {
        if (self.listed.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(PAGE) {
            self.list();
        }
    }

    /// An object was deleted.
    pub fn delete(&self) {
        add(&self.deletes, 1);
    }

    /// Counts the result if it is an error.
    pub fn check<T, E>(&self, result: Result<T, E>) -> Result<T, E> {
        if result.is_err() {
            add(&self.errors, 1);
        }
        result
    }

    /// Counts so far.
    #[must_use]
    pub fn requests(&self) -> Requests {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Requests {
            puts: get(&self.puts),
            gets: get(&self.gets),
            lists: get(&self.lists),
            deletes: get(&self.deletes),
            errors: get(&self.errors),
            bytes_put: get(&self.bytes_put),
            bytes_got: get(&self.bytes_got),
        }
    }
}

/// A store whose requests are counted.
#[derive(Debug)]
pub struct Metered {
    inner: Arc<dyn ObjectStore>,
    meter: Arc<Meter>,
}

impl Metered {
    /// Counts what goes to `inner`.
    #[must_use]
    pub fn new(inner: Arc<dyn ObjectStore>) -> Arc<Self> {
        Arc::new(Self { inner, meter: Arc::default() })
    }

    /// The counts.
    #[must_use]
    pub fn meter(&self) -> &Arc<Meter> {
        &self.meter
    }

    /// Bytes of all objects there are, garbage included. Not counted itself.
    ///
    /// # Errors
    /// When the store cannot be listed.
    pub async fn stored_bytes(&self) -> Result<u64> {
        self.inner.list(None).try_fold(0, |sum, object| async move { Ok(sum + object.size) }).await
    }
}

impl fmt::Display for Metered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

#[async_trait]
impl ObjectStore for Metered {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        self.meter.put(payload.content_length() as u64);
        self.meter.check(self.inner.put_opts(location, payload, options).await)
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.meter.put(0);
        let upload = self.meter.check(self.inner.put_multipart_opts(location, options).await)?;
        Ok(Box::new(MeteredUpload { inner: upload, meter: Arc::clone(&self.meter) }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let head = options.head;
        self.meter.get();
        let result = self.meter.check(self.inner.get_opts(location, options).await)?;
        if !head {
            self.meter.got(result.range.end - result.range.start);
        }
        Ok(result)
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        // The store decides how many requests this is; one a range is the most.
        for _ in ranges {
            self.meter.get();
        }
        let parts = self.meter.check(self.inner.get_ranges(location, ranges).await)?;
        self.meter.got(parts.iter().map(|part| part.len() as u64).sum());
        Ok(parts)
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let meter = Arc::clone(&self.meter);
        let deleted = self.inner.delete_stream(locations);
        deleted
            .map(move |result| {
                meter.delete();
                meter.check(result)
            })
            .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.meter.list();
        let meter = Arc::clone(&self.meter);
        let listed = self.inner.list(prefix);
        listed
            .map(move |result| {
                meter.listed();
                meter.check(result)
            })
            .boxed()
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        self.meter.list();
        let meter = Arc::clone(&self.meter);
        let listed = self.inner.list_with_offset(prefix, offset);
        listed
            .map(move |result| {
                meter.listed();
                meter.check(result)
            })
            .boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.meter.list();
        self.meter.check(self.inner.list_with_delimiter(prefix).await)
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.meter.put(0);
        self.meter.check(self.inner.copy_opts(from, to, options).await)
    }
}

#[derive(Debug)]
struct MeteredUpload {
    inner: Box<dyn MultipartUpload>,
    meter: Arc<Meter>,
}

#[async_trait]
impl MultipartUpload for MeteredUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        self.meter.put(data.content_length() as u64);
        let part = self.inner.put_part(data);
        let meter = Arc::clone(&self.meter);
        Box::pin(async move { meter.check(part.await) })
    }

    async fn complete(&mut self) -> Result<PutResult> {
        self.meter.put(0);
        self.meter.check(self.inner.complete().await)
    }

    async fn abort(&mut self) -> Result<()> {
        self.meter.check(self.inner.abort().await)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use object_store::ObjectStoreExt;
    use object_store::memory::InMemory;

    #[tokio::test]
    async fn every_request_is_counted() {
        let store = Metered::new(Arc::new(InMemory::new()));
        let path = Path::from("a/b");
        store.put(&path, "12345".into()).await.unwrap();
        assert_eq!(store.get(&path).await.unwrap().bytes().await.unwrap().len(), 5);
        store.get_range(&path, 1..3).await.unwrap();
        store.head(&path).await.unwrap();
        assert!(store.get(&Path::from("missing")).await.is_err());
        let mut upload = store.put_multipart(&Path::from("c")).await.unwrap();
        upload.put_part("123".into()).await.unwrap();
        upload.complete().await.unwrap();
        assert_eq!(store.stored_bytes().await.unwrap(), 8);
        assert_eq!(store.list(None).count().await, 2);
        store.delete(&path).await.unwrap();
        let want = Requests {
            puts: 4,
            gets: 4,
            lists: 1,
            deletes: 1,
            errors: 1,
            bytes_put: 8,
            bytes_got: 7,
        };
        assert_eq!(store.meter().requests(), want);
    }
}
