//! A store whose requests take their time, before and after they are carried out.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use firn_engine::Env;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::*;

#[derive(Debug, Clone)]
pub(super) struct SlowStore {
    inner: Arc<dyn ObjectStore>,
    env: Env,
}

impl std::fmt::Display for SlowStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("slow")
    }
}

impl SlowStore {
    pub(super) fn new(inner: Arc<dyn ObjectStore>, env: Env) -> Self {
        Self { inner, env }
    }

    async fn wait(&self) {
        let ms = match self.env.random_u64() % 100 {
            0 => 500,
            n => n % 20,
        };
        self.env.sleep(Duration::from_millis(self.env.random_u64() % (ms + 1))).await;
    }
}

#[async_trait]
impl ObjectStore for SlowStore {
    async fn put_opts(
        &self,
        path: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        self.wait().await;
        let done = self.inner.put_opts(path, payload, options).await;
        self.wait().await;
        done
    }

    async fn put_multipart_opts(
        &self,
        path: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(path, options).await
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        self.wait().await;
        let done = self.inner.get_opts(path, options).await;
        self.wait().await;
        done
    }

    fn delete_stream(
        &self,
        paths: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let this = self.clone();
        paths
            .and_then(move |path| {
                let this = this.clone();
                async move {
                    this.wait().await;
                    this.inner.delete(&path).await?;
                    Ok(path)
                }
            })
            .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.list_with_offset(prefix, &Path::default())
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        let (this, prefix, offset) = (self.clone(), prefix.cloned(), offset.clone());
        // In pages of two, with time between them.
        futures::stream::try_unfold(Some(offset), move |after| {
            let (this, prefix) = (this.clone(), prefix.clone());
            async move {
                let Some(after) = after else { return Ok::<_, Error>(None) };
                this.wait().await;
                let mut all: Vec<ObjectMeta> =
                    this.inner.list(prefix.as_ref()).try_collect().await?;
                all.retain(|o| o.location > after);
                all.sort_by(|a, b| a.location.cmp(&b.location));
                all.truncate(2);
                let next = all.last().filter(|_| all.len() == 2).map(|o| o.location.clone());
                Ok(Some((futures::stream::iter(all.into_iter().map(Ok)), next)))
            }
        })
        .try_flatten()
        .boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}
