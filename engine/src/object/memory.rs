//! A store in memory: for tests, and for databases that need not last.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt};
use object_store::memory::InMemory;
use object_store::multipart::PartId;
use object_store::path::Path;
use object_store::{
    Attributes, CopyOptions, GetOptions, GetResult, GetResultPayload, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use parking_lot::Mutex;

use super::backend::{Backend, Page, PageStart, Part};
use super::error::{Cause, StoreError};

/// Objects in a page. Small, so that tests see lists of more than one page.
const PAGE_OBJECTS_MAX: usize = 100;

/// Objects in memory. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    objects: InMemory,
    uploads: Arc<Mutex<Uploads>>,
}

#[derive(Debug, Default)]
struct Uploads {
    last: u64,
    open: BTreeMap<String, Upload>,
}

#[derive(Debug, Default)]
struct Upload {
    attributes: Attributes,
    parts: BTreeMap<usize, PutPayload>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Uploads begun and neither completed nor given up.
    #[must_use]
    pub fn open_uploads(&self) -> usize {
        self.uploads.lock().open.len()
    }
}

impl fmt::Display for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("memory:")
    }
}

fn no_upload(path: &Path, upload: &str) -> object_store::Error {
    StoreError::new(Cause::NotFound, format!("no upload {upload}")).at("memory", path)
}

#[async_trait]
impl Backend for MemoryStore {
    async fn put(
        &self,
        path: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        self.objects.put_opts(path, payload, options).await
    }

    async fn get(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        let range = options.range.clone();
        let found = self.objects.get_opts(path, GetOptions { range: None, ..options }).await?;
        let Some(range) = range else { return Ok(found) };
        let range = range
            .as_range(found.meta.size)
            .map_err(|e| StoreError::new(Cause::BadRequest, e.to_string()).at("memory", path))?;
        let (meta, attributes) = (found.meta.clone(), found.attributes.clone());
        // It fits: the range is within what is in memory.
        let part = found.bytes().await?.slice(range.start as usize..range.end as usize);
        let payload = GetResultPayload::Stream(futures::stream::iter([Ok(part)]).boxed());
        Ok(GetResult { payload, meta, range, attributes })
    }

    async fn list(&self, prefix: Option<&Path>, delimiter: bool, start: PageStart) -> Result<Page> {
        if delimiter {
            let all = self.objects.list_with_delimiter(prefix).await?;
            return Ok(Page { objects: all.objects, prefixes: all.common_prefixes, next: None });
        }
        let mut objects: Vec<_> = match start {
            PageStart::First => self.objects.list(prefix),
            PageStart::After(path) => self.objects.list_with_offset(prefix, &path),
            PageStart::Continue(last) => self.objects.list_with_offset(prefix, &Path::parse(last)?),
        }
        .try_collect()
        .await?;
        let more = objects.len() > PAGE_OBJECTS_MAX;
        objects.truncate(PAGE_OBJECTS_MAX);
        let next = objects.last().filter(|_| more).map(|last| last.location.to_string());
        Ok(Page { objects, prefixes: Vec::new(), next })
    }

    async fn delete(&self, paths: &[Path]) -> Result<Vec<Result<()>>> {
        let paths = futures::stream::iter(paths.to_vec()).map(Ok).boxed();
        Ok(self.objects.delete_stream(paths).map(|r| r.map(drop)).collect().await)
    }

    async fn copy(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.objects.copy_opts(from, to, options).await
    }

    async fn create_upload(&self, _: &Path, options: PutMultipartOptions) -> Result<String> {
        let mut uploads = self.uploads.lock();
        uploads.last += 1;
        let id = uploads.last.to_string();
        let upload = Upload { attributes: options.attributes, parts: BTreeMap::new() };
        uploads.open.insert(id.clone(), upload);
        Ok(id)
    }

    async fn put_part(&self, path: &Path, upload: &str, part: Part) -> Result<PartId> {
        let mut uploads = self.uploads.lock();
        let open = uploads.open.get_mut(upload).ok_or_else(|| no_upload(path, upload))?;
        open.parts.insert(part.index, part.payload);
        Ok(PartId { content_id: part.index.to_string() })
    }

    async fn complete_upload(
        &self,
        path: &Path,
        upload: &str,
        parts: Vec<PartId>,
    ) -> Result<PutResult> {
        let removed = self.uploads.lock().open.remove(upload);
        let removed = removed.ok_or_else(|| no_upload(path, upload))?;
        let stored = removed.parts.len();
        if stored != parts.len() || removed.parts.keys().copied().ne(0..stored) {
            let what = format!("upload {upload} has {stored} of {} parts", parts.len());
            return Err(StoreError::new(Cause::BadRequest, what).at("memory", path));
        }
        let whole: PutPayload = removed.parts.into_values().flatten().collect();
        let options = PutOptions::from(removed.attributes);
        self.objects.put_opts(path, whole, options).await
    }

    async fn abort_upload(&self, _: &Path, upload: &str) -> Result<()> {
        self.uploads.lock().open.remove(upload);
        Ok(())
    }
}
