//! The way from a process to the object store: slow in both directions. What was sent arrives,
//! whether its sender still waits, is paused or has died; so a request may come very late, and
//! a list may tell what was there long ago.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use firn_engine::Env;
use firn_engine::object::{Backend, Cause, Page, PageStart, Part, cause_of};
use futures::future::BoxFuture;
use object_store::multipart::PartId;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, PutMultipartOptions, PutOptions, PutPayload, PutResult,
    Result,
};

use super::planted::Planted;
use super::process::Gate;
use super::trace::trace;

/// Usual time of one way, at most.
const WAY_MS: u64 = 15;
/// One way in so many takes long, at most [`LONG_MS`].
const LONG_ONE_IN: u64 = 300;
const LONG_MS: u64 = 20_000;

/// Requests of one process.
#[derive(Clone)]
pub(crate) struct Uplink {
    world: Env,
    gate: Gate,
    way: Gate,
    calm: Arc<AtomicBool>,
    store: Arc<dyn Backend>,
    pub(crate) planted: Planted,
}

impl Uplink {
    /// Nothing passes while `way` is paused, and no request takes long once it is `calm`.
    pub(crate) fn new(
        world: &Env,
        gate: &Gate,
        way: &Gate,
        calm: &Arc<AtomicBool>,
        store: Arc<dyn Backend>,
    ) -> Self {
        let (world, gate, way) = (world.clone(), gate.clone(), way.clone());
        Self { world, gate, way, calm: Arc::clone(calm), store, planted: Planted::Nothing }
    }

    fn time(&self) -> Duration {
        let below = |bound| self.world.random_u64() % bound;
        let long = below(LONG_ONE_IN) == 0 && !self.calm.load(Ordering::Relaxed);
        Duration::from_millis(below(if long { LONG_MS } else { WAY_MS }))
    }

    async fn request<T: Send + 'static>(
        &self,
        what: impl std::fmt::Display,
        make: impl FnOnce(Arc<dyn Backend>) -> BoxFuture<'static, Result<T>> + Send + 'static,
    ) -> Result<T> {
        self.gate.open().await;
        self.way.open().await;
        let (there, back) = (self.time(), self.time());
        trace(&self.world, || what);
        let (world, store) = (self.world.clone(), Arc::clone(&self.store));
        let carried = tokio::spawn(async move {
            world.sleep(there).await;
            let reply = make(store).await;
            world.sleep(back).await;
            reply
        });
        let Ok(reply) = carried.await else { std::future::pending().await };
        self.way.open().await;
        self.gate.open().await;
        reply
    }
}

impl fmt::Debug for Uplink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the way to {}", self.store)
    }
}

impl fmt::Display for Uplink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.store.fmt(f)
    }
}

#[async_trait]
impl Backend for Uplink {
    async fn put(
        &self,
        path: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let (bug, done) = (self.planted, || Ok(PutResult { e_tag: None, version: None }));
        let is_file = !path.as_ref().ends_with(".pb");
        let path = path.clone();
        let this = self.clone();
        let put = async move {
            let stored = this.request(format!("put {path}"), |s| {
                Box::pin(async move { s.put(&path, payload, options).await })
            });
            stored.await
        };
        if bug == Planted::ReportBeforeStored && is_file {
            drop(tokio::spawn(put));
            return done();
        }
        match put.await {
            Err(e) if bug == Planted::TakenIsDone && cause_of(&e) == Cause::Exists => done(),
            put => put,
        }
    }

    async fn get(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        let path = path.clone();
        self.request(format!("get {path}"), |s| {
            Box::pin(async move { s.get(&path, options).await })
        })
        .await
    }

    async fn list(&self, prefix: Option<&Path>, delimiter: bool, start: PageStart) -> Result<Page> {
        let prefix = prefix.cloned();
        self.request("list", move |s| {
            Box::pin(async move { s.list(prefix.as_ref(), delimiter, start).await })
        })
        .await
    }

    async fn delete(&self, paths: &[Path]) -> Result<Vec<Result<()>>> {
        let paths = paths.to_vec();
        self.request(format!("delete {}", paths.len()), |s| {
            Box::pin(async move { s.delete(&paths).await })
        })
        .await
    }

    async fn copy(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let (from, to) = (from.clone(), to.clone());
        self.request("copy", |s| Box::pin(async move { s.copy(&from, &to, options).await })).await
    }

    async fn create_upload(&self, path: &Path, options: PutMultipartOptions) -> Result<String> {
        let path = path.clone();
        self.request(format!("create_upload {path}"), |s| {
            Box::pin(async move { s.create_upload(&path, options).await })
        })
        .await
    }

    async fn put_part(&self, path: &Path, upload: &str, part: Part) -> Result<PartId> {
        let (path, upload) = (path.clone(), upload.to_owned());
        self.request(format!("put_part {path}"), |s| {
            Box::pin(async move { s.put_part(&path, &upload, part).await })
        })
        .await
    }

    async fn complete_upload(
        &self,
        path: &Path,
        upload: &str,
        parts: Vec<PartId>,
    ) -> Result<PutResult> {
        let (path, upload) = (path.clone(), upload.to_owned());
        self.request(format!("complete_upload {path}"), |s| {
            Box::pin(async move { s.complete_upload(&path, &upload, parts).await })
        })
        .await
    }

    async fn abort_upload(&self, path: &Path, upload: &str) -> Result<()> {
        let (path, upload) = (path.clone(), upload.to_owned());
        self.request(format!("abort_upload {path}"), |s| {
            Box::pin(async move { s.abort_upload(&path, &upload).await })
        })
        .await
    }
}
