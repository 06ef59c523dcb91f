//! A store that breaks as told, for tests: errors before a request, replies
//! lost after it, delays, bodies cut short, bursts of refusals, outages.
//!
//! What breaks is decided by the environment's randomness, so that in a
//! simulation the same seed breaks the same requests.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, stream};
use object_store::multipart::PartId;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, GetResultPayload, PutMode, PutMultipartOptions, PutOptions,
    PutPayload, PutResult, Result,
};
use parking_lot::Mutex;

use super::backend::{Backend, Page, PageStart, Part};
use super::error::{Cause, StoreError};
use crate::env::Env;

/// How often what breaks, in requests per thousand.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FaultPlan {
    /// Fail, and are not carried out.
    pub errors: u32,
    /// Are carried out, and fail.
    pub lost_replies: u32,
    /// Are carried out twice, as by a proxy that repeats; the second reply is
    /// given. Not conditional updates: nothing can make that harmless.
    pub repeated: u32,
    /// Begin a burst: this and the next requests are refused.
    pub bursts: u32,
    /// Requests refused in a burst.
    pub burst_requests: u32,
    /// Reads whose body is cut short, with or without an error.
    pub cut_bodies: u32,
    /// Are delayed.
    pub delays: u32,
    /// The longest delay.
    pub delay_max: Duration,
}

impl FaultPlan {
    /// A bit of everything, `share` requests per thousand of each.
    #[must_use]
    pub fn everything(share: u32) -> Self {
        Self {
            errors: share,
            lost_replies: share,
            repeated: share,
            bursts: share / 4,
            burst_requests: 3,
            cut_bodies: share,
            delays: share,
            delay_max: Duration::from_millis(20),
        }
    }
}

/// A backend in front of another that breaks as told. Clones share everything.
#[derive(Debug, Clone)]
pub struct FaultStore {
    inner: Arc<dyn Backend>,
    env: Env,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    plan: Mutex<FaultPlan>,
    outage: AtomicBool,
    burst_left: AtomicU32,
    broken: AtomicU64,
}

/// What becomes of one request.
enum Fate {
    Fine,
    Twice,
    LoseReply,
}

impl FaultStore {
    /// In front of `inner`, breaking by `plan`.
    #[must_use]
    pub fn new(inner: Arc<dyn Backend>, env: Env, plan: FaultPlan) -> Self {
        let state = State { plan: Mutex::new(plan), ..State::default() };
        Self { inner, env, state: Arc::new(state) }
    }

    /// Breaks by another plan from now on.
    pub fn set_plan(&self, plan: FaultPlan) {
        *self.state.plan.lock() = plan;
    }

    /// While there is an outage, nothing is carried out and everything fails.
    pub fn set_outage(&self, outage: bool) {
        self.state.outage.store(outage, Relaxed);
    }

    /// Requests broken so far.
    #[must_use]
    pub fn broken(&self) -> u64 {
        self.state.broken.load(Relaxed)
    }

    fn chance(&self, per_thousand: u32) -> bool {
        per_thousand > 0 && self.env.random_u64() % 1000 < u64::from(per_thousand)
    }

    fn fail(&self, path: &Path, cause: Cause, what: &str) -> object_store::Error {
        self.state.broken.fetch_add(1, Relaxed);
        StoreError::new(cause, format!("made to: {what}")).at("faults", path)
    }

    /// Before a request.
    async fn before(&self, path: &Path) -> Result<Fate> {
        let plan = self.state.plan.lock().clone();
        if self.chance(plan.delays) && !plan.delay_max.is_zero() {
            let nanos = u64::try_from(plan.delay_max.as_nanos()).unwrap_or(u64::MAX);
            self.env.sleep(Duration::from_nanos(self.env.random_u64() % nanos)).await;
        }
        if self.state.outage.load(Relaxed) {
            return Err(self.fail(path, Cause::Unreachable, "outage"));
        }
        let burst = &self.state.burst_left;
        if burst.fetch_update(Relaxed, Relaxed, |n| n.checked_sub(1)).is_ok() {
            return Err(self.fail(path, Cause::Throttled, "burst"));
        }
        if self.chance(plan.bursts) {
            burst.store(plan.burst_requests.saturating_sub(1), Relaxed);
            return Err(self.fail(path, Cause::Throttled, "burst"));
        }
        if self.chance(plan.errors) {
            return Err(self.fail(path, Cause::Failed, "error before"));
        }
        Ok(if self.chance(plan.lost_replies) {
            Fate::LoseReply
        } else if self.chance(plan.repeated) {
            Fate::Twice
        } else {
            Fate::Fine
        })
    }

    /// One request that can be made again: `make` makes it.
    async fn request<T, F>(&self, path: &Path, make: impl Fn() -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        self.request_as(path, true, make).await
    }

    async fn request_as<T, F>(
        &self,
        path: &Path,
        may_repeat: bool,
        make: impl Fn() -> F,
    ) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        let fate = self.before(path).await?;
        let reply = make().await;
        match fate {
            Fate::Twice if may_repeat => {
                self.state.broken.fetch_add(1, Relaxed);
                make().await
            }
            Fate::Fine | Fate::Twice => reply,
            Fate::LoseReply => Err(self.fail(path, Cause::Failed, "lost reply")),
        }
    }

    /// Cuts the body of a reply, if chance has it.
    async fn cut(&self, path: &Path, reply: GetResult) -> Result<GetResult> {
        let plan = self.state.plan.lock().clone();
        if !self.chance(plan.cut_bodies) || reply.range.is_empty() {
            return Ok(reply);
        }
        let (meta, range, attributes) =
            (reply.meta.clone(), reply.range.clone(), reply.attributes.clone());
        let body = reply.bytes().await?;
        let kept = usize::try_from(self.env.random_u64() % body.len() as u64).unwrap_or(0);
        let mut chunks: Vec<Result<Bytes>> = vec![Ok(body.slice(..kept))];
        let e = self.fail(path, Cause::Failed, "cut body");
        if self.chance(500) {
            chunks.push(Err(e));
        }
        let payload = GetResultPayload::Stream(stream::iter(chunks).boxed());
        Ok(GetResult { payload, meta, range, attributes })
    }
}

impl fmt::Display for FaultStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with faults", self.inner)
    }
}

#[async_trait]
impl Backend for FaultStore {
    async fn put(
        &self,
        path: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let put = || self.inner.put(path, payload.clone(), options.clone());
        let update = matches!(options.mode, PutMode::Update(_));
        self.request_as(path, !update, put).await
    }

    async fn get(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        let reply = self.request(path, || self.inner.get(path, options.clone())).await?;
        if options.head { Ok(reply) } else { self.cut(path, reply).await }
    }

    async fn list(&self, prefix: Option<&Path>, delimiter: bool, start: PageStart) -> Result<Page> {
        let path = prefix.cloned().unwrap_or_default();
        self.request(&path, || self.inner.list(prefix, delimiter, start.clone())).await
    }

    async fn delete(&self, paths: &[Path]) -> Result<Vec<Result<()>>> {
        let path = paths.first().cloned().unwrap_or_default();
        let mut replies = self.request(&path, || self.inner.delete(paths)).await?;
        // One name of a batch fails by itself.
        let errors = self.state.plan.lock().errors;
        if self.chance(errors)
            && let Some(last) = replies.last_mut()
        {
            *last = Err(self.fail(&path, Cause::Failed, "one of a batch"));
        }
        Ok(replies)
    }

    async fn copy(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.request(to, || self.inner.copy(from, to, options.clone())).await
    }

    async fn create_upload(&self, path: &Path, options: PutMultipartOptions) -> Result<String> {
        self.request(path, || self.inner.create_upload(path, options.clone())).await
    }

    async fn put_part(&self, path: &Path, upload: &str, part: Part) -> Result<PartId> {
        self.request(path, || self.inner.put_part(path, upload, part.clone())).await
    }

    async fn complete_upload(
        &self,
        path: &Path,
        upload: &str,
        parts: Vec<PartId>,
    ) -> Result<PutResult> {
        self.request(path, || self.inner.complete_upload(path, upload, parts.clone())).await
    }

    async fn abort_upload(&self, path: &Path, upload: &str) -> Result<()> {
        self.request(path, || self.inner.abort_upload(path, upload)).await
    }

    fn keeps_attributes(&self) -> bool {
        self.inner.keeps_attributes()
    }
}
