//! Backends that misbehave in one way each.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use object_store::multipart::PartId;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, PutMultipartOptions, PutOptions, PutPayload, PutResult,
    Result,
};

use super::super::{RetryOptions, RetryingStore};
use super::update;
use crate::env::Env;
use crate::object::{Backend, Cause, MemoryStore, Page, PageStart, Part, StoreError};
use object_store::ObjectStore as _;

/// A backend that answers puts as a script says, before or after doing them.
#[derive(Debug)]
pub(super) struct Scripted {
    pub(super) inner: MemoryStore,
    /// For each put in turn.
    script: parking_lot::Mutex<Vec<Step>>,
    pub(super) puts: AtomicU32,
    traceable: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Step {
    /// As it is.
    Do,
    /// Do it, then say this.
    DoAndSay(Cause),
    /// Say this without doing it.
    Say(Cause),
    /// Do it, then another writer replaces the result, then say this.
    DoReplaceAndSay(Cause),
    /// Another writer creates it first; then say this without doing it.
    OtherAndSay(Cause),
    /// Never answer.
    Hang,
}

impl Scripted {
    pub(super) fn store(env: &Env, script: &[Step]) -> (Arc<Self>, RetryingStore) {
        Self::with(env, script, true)
    }

    pub(super) fn with(env: &Env, script: &[Step], traceable: bool) -> (Arc<Self>, RetryingStore) {
        let mut script = script.to_vec();
        script.reverse();
        let scripted = Arc::new(Self {
            inner: MemoryStore::new(),
            script: parking_lot::Mutex::new(script),
            puts: AtomicU32::new(0),
            traceable,
        });
        let store =
            RetryingStore::new(Arc::clone(&scripted) as _, env.clone(), RetryOptions::default());
        (scripted, store)
    }
}

impl fmt::Display for Scripted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("scripted")
    }
}

#[async_trait]
impl Backend for Scripted {
    async fn put(&self, path: &Path, payload: PutPayload, o: PutOptions) -> Result<PutResult> {
        self.puts.fetch_add(1, Ordering::Relaxed);
        let say = |cause| Err(StoreError::new(cause, "scripted").at("scripted", path));
        let step = self.script.lock().pop().unwrap_or(Step::Do);
        match step {
            Step::Do => self.inner.put(path, payload, o).await,
            Step::DoAndSay(cause) => {
                self.inner.put(path, payload, o).await?;
                say(cause)
            }
            Step::DoReplaceAndSay(cause) => {
                let mine = self.inner.put(path, payload, o).await?;
                let other = RetryingStore::new(
                    Arc::new(self.inner.clone()),
                    Env::simulated(99),
                    RetryOptions::default(),
                );
                other.put_opts(path, "replaced".into(), update(&mine)).await?;
                say(cause)
            }
            Step::OtherAndSay(cause) => {
                let other = RetryingStore::new(
                    Arc::new(self.inner.clone()),
                    Env::simulated(98),
                    RetryOptions::default(),
                );
                let mode = PutOptions { mode: o.mode.clone(), ..PutOptions::default() };
                other.put_opts(path, "other".into(), mode).await?;
                say(cause)
            }
            Step::Say(cause) => say(cause),
            Step::Hang => futures::future::pending().await,
        }
    }
    async fn get(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        self.inner.get(path, options).await
    }
    async fn list(&self, prefix: Option<&Path>, d: bool, start: PageStart) -> Result<Page> {
        self.inner.list(prefix, d, start).await
    }
    async fn delete(&self, paths: &[Path]) -> Result<Vec<Result<()>>> {
        self.inner.delete(paths).await
    }
    async fn copy(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy(from, to, options).await
    }
    async fn create_upload(&self, path: &Path, o: PutMultipartOptions) -> Result<String> {
        self.inner.create_upload(path, o).await
    }
    async fn put_part(&self, path: &Path, upload: &str, part: Part) -> Result<PartId> {
        self.inner.put_part(path, upload, part).await
    }
    async fn complete_upload(
        &self,
        path: &Path,
        upload: &str,
        parts: Vec<PartId>,
    ) -> Result<PutResult> {
        self.inner.complete_upload(path, upload, parts).await
    }
    async fn abort_upload(&self, path: &Path, upload: &str) -> Result<()> {
        self.inner.abort_upload(path, upload).await
    }
    fn keeps_attributes(&self) -> bool {
        self.traceable
    }
}

/// A store that answers reads at speeds set from outside.
#[derive(Debug)]
pub(super) struct Slow {
    pub(super) inner: MemoryStore,
    pub(super) env: Env,
    pub(super) reads: AtomicU32,
    /// Every how many reads one is slow; 0 for never.
    pub(super) slow_every: AtomicU32,
}

impl fmt::Display for Slow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("slow")
    }
}

#[async_trait]
impl Backend for Slow {
    async fn get(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        let n = self.reads.fetch_add(1, Ordering::Relaxed);
        let every = self.slow_every.load(Ordering::Relaxed);
        let slow = every > 0 && n.is_multiple_of(every);
        self.env.sleep(Duration::from_millis(if slow { 3000 } else { 10 })).await;
        self.inner.get(path, options).await
    }
    async fn put(&self, path: &Path, payload: PutPayload, o: PutOptions) -> Result<PutResult> {
        self.inner.put(path, payload, o).await
    }
    async fn list(&self, prefix: Option<&Path>, d: bool, start: PageStart) -> Result<Page> {
        self.inner.list(prefix, d, start).await
    }
    async fn delete(&self, paths: &[Path]) -> Result<Vec<Result<()>>> {
        self.inner.delete(paths).await
    }
    async fn copy(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy(from, to, options).await
    }
    async fn create_upload(&self, path: &Path, o: PutMultipartOptions) -> Result<String> {
        self.inner.create_upload(path, o).await
    }
    async fn put_part(&self, path: &Path, upload: &str, part: Part) -> Result<PartId> {
        self.inner.put_part(path, upload, part).await
    }
    async fn complete_upload(&self, p: &Path, u: &str, parts: Vec<PartId>) -> Result<PutResult> {
        self.inner.complete_upload(p, u, parts).await
    }
    async fn abort_upload(&self, path: &Path, upload: &str) -> Result<()> {
        self.inner.abort_upload(path, upload).await
    }
}
