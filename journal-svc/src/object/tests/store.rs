//! A store that fails one put of a record as told.

use std::sync::Arc;

use async_trait::async_trait;
use firn_engine::object::{Cause, StoreError};
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::*;
use parking_lot::Mutex;

use crate::AppendFault;

#[derive(Debug, Clone)]
pub(super) struct OneFault {
    inner: Arc<dyn ObjectStore>,
    fault: Arc<Mutex<Option<AppendFault>>>,
}

impl std::fmt::Display for OneFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("one fault")
    }
}

impl OneFault {
    pub(super) fn new(inner: Arc<dyn ObjectStore>) -> Self {
        Self { inner, fault: Arc::default() }
    }

    pub(super) fn fail_next_record(&self, fault: AppendFault) {
        *self.fault.lock() = Some(fault);
    }
}

#[async_trait]
impl ObjectStore for OneFault {
    async fn put_opts(
        &self,
        path: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let is_record = payload.content_length() > 64;
        let fault = if is_record { self.fault.lock().take() } else { None };
        let fail = |cause| Err(StoreError::new(cause, "as told").at("test", path));
        match fault {
            Some(AppendFault::Refused) => fail(Cause::Unreachable),
            Some(AppendFault::Lost) => fail(Cause::Timeout),
            Some(AppendFault::ReplyLost) => {
                self.inner.put_opts(path, payload, options).await?;
                fail(Cause::OutcomeUnknown)
            }
            None => self.inner.put_opts(path, payload, options).await,
        }
    }

    async fn put_multipart_opts(
        &self,
        path: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(path, options).await
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(path, options).await
    }

    fn delete_stream(
        &self,
        paths: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(paths)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list_with_offset(prefix, offset)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}
