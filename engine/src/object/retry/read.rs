//! Reads: small ones hedged, long ones resumed where they broke off.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::future::{Either, select};
use futures::stream::BoxStream;
use futures::{StreamExt, stream};
use object_store::path::Path;
use object_store::{
    Attributes, GetOptions, GetRange, GetResult, GetResultPayload, ObjectMeta, Result,
};

use super::attempts::Attempts;
use super::conditional::PutId;
use super::{Cause, Core, RequestKind, StoreError, cause_of};

/// Bodies up to this size are read within the try, so that a short object is
/// read again as a whole rather than continued.
const WHOLE_BYTES_MAX: u64 = 1 << 20;

pub(super) async fn get(core: &Arc<Core>, path: &Path, options: GetOptions) -> Result<GetResult> {
    let bytes = match &options.range {
        Some(GetRange::Bounded(range)) => range.end.saturating_sub(range.start),
        Some(GetRange::Suffix(bytes)) => *bytes,
        Some(GetRange::Offset(_)) | None => u64::MAX,
    };
    let mut result = if options.head {
        head(core, path, &options).await?
    } else if core.hedge.applies(bytes) {
        small(core, path, &options, bytes).await?
    } else {
        any(core, path, options).await?
    };
    PutId::strip_from(&mut result.attributes);
    Ok(result)
}

async fn head(core: &Arc<Core>, path: &Path, options: &GetOptions) -> Result<GetResult> {
    let mut tries = Attempts::new(core, RequestKind::Head, path);
    loop {
        match tries.once(core.backend.get(path, options.clone())).await {
            Ok(reply) => return Ok(reply),
            Err(e) => tries.again(e).await?,
        }
    }
}

/// A reply taken apart.
struct Reply {
    meta: ObjectMeta,
    range: Range<u64>,
    attributes: Attributes,
}

impl Reply {
    fn with(self, stream: BoxStream<'static, Result<Bytes>>) -> GetResult {
        let Self { meta, range, attributes } = self;
        GetResult { payload: GetResultPayload::Stream(stream), meta, range, attributes }
    }
}

enum Payload {
    Whole(Bytes),
    Stream(BoxStream<'static, Result<Bytes>>),
}

/// One try, with its body if that is small.
async fn fetch(core: &Core, path: &Path, options: &GetOptions) -> Result<(Reply, Payload)> {
    let reply = core.backend.get(path, options.clone()).await?;
    let (meta, range) = (reply.meta.clone(), reply.range.clone());
    let head = Reply { meta, range, attributes: reply.attributes.clone() };
    let expected = head.range.end.saturating_sub(head.range.start);
    if expected > WHOLE_BYTES_MAX.max(core.options.hedge.bytes_max) {
        return Ok((head, Payload::Stream(reply.into_stream())));
    }
    let body = reply.bytes().await?;
    if body.len() as u64 != expected {
        return Err(short(path, body.len() as u64, expected));
    }
    core.stats.received(RequestKind::Get, expected);
    Ok((head, Payload::Whole(body)))
}

fn short(path: &Path, got: u64, expected: u64) -> object_store::Error {
    let what = format!("{got} of {expected} bytes came");
    StoreError::new(Cause::Failed, what).at("retried", path)
}

/// A read that is known to be small.
async fn small(
    core: &Arc<Core>,
    path: &Path,
    options: &GetOptions,
    bytes: u64,
) -> Result<GetResult> {
    let mut tries = Attempts::new(core, RequestKind::Get, path).fetching(bytes);
    loop {
        let started = core.env.now();
        match hedged(core, &tries, path, options).await {
            Ok((reply, payload)) => {
                core.hedge.learn(core.env.now().since(started));
                return Ok(reply.with(match payload {
                    Payload::Whole(body) => stream::iter([Ok(body)]).boxed(),
                    Payload::Stream(stream) => stream,
                }));
            }
            Err(e) => tries.again(e).await?,
        }
    }
}

async fn hedged(
    core: &Core,
    tries: &Attempts,
    path: &Path,
    options: &GetOptions,
) -> Result<(Reply, Payload)> {
    let first = tries.once(fetch(core, path, options));
    let Some(threshold) = core.hedge.threshold() else { return first.await };
    futures::pin_mut!(first);
    let first = match select(first, core.env.sleep(threshold)).await {
        Either::Left((reply, _)) => return reply,
        Either::Right(((), first)) => first,
    };
    if !core.hedge.take() {
        return first.await;
    }
    core.stats.hedge();
    let second = tries.once(fetch(core, path, options));
    futures::pin_mut!(second);
    match select(first, second).await {
        Either::Left((Err(e), second)) if cause_of(&e).is_transient() => second.await,
        Either::Left((reply, _)) => reply,
        Either::Right((Err(e), first)) if cause_of(&e).is_transient() => first.await,
        Either::Right((reply, _)) => {
            core.stats.hedge_won();
            reply
        }
    }
}

/// A body of any length; a long one is given on as it comes.
async fn any(core: &Arc<Core>, path: &Path, options: GetOptions) -> Result<GetResult> {
    let mut tries = Attempts::new(core, RequestKind::Get, path).fetching(WHOLE_BYTES_MAX);
    let (reply, payload) = loop {
        match tries.once(fetch(core, path, &options)).await {
            Ok(fetched) => break fetched,
            Err(e) => tries.again(e).await?,
        }
    };
    let stream = match payload {
        Payload::Whole(body) => return Ok(reply.with(stream::iter([Ok(body)]).boxed())),
        Payload::Stream(stream) => stream,
    };
    let body = Body {
        core: Arc::clone(core),
        path: path.clone(),
        e_tag: reply.meta.e_tag.clone(),
        options,
        at: reply.range.start,
        end: reply.range.end,
        stream,
        tries,
    };
    let stream = stream::try_unfold(body, |mut body| async move {
        Ok(body.next().await?.map(|chunk| (chunk, body)))
    });
    Ok(reply.with(stream.boxed()))
}

/// A body that is asked for again from where it broke off.
struct Body {
    core: Arc<Core>,
    path: Path,
    e_tag: Option<String>,
    options: GetOptions,
    at: u64,
    end: u64,
    stream: BoxStream<'static, Result<Bytes>>,
    tries: Attempts,
}

impl Body {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            let limit = self.core.options.read.try_time;
            let next = self.core.env.timeout(limit, self.stream.next()).await;
            let e = match next {
                Some(Some(Ok(chunk))) if self.at + chunk.len() as u64 <= self.end => {
                    self.at += chunk.len() as u64;
                    self.core.stats.received(RequestKind::Get, chunk.len() as u64);
                    self.tries.progress();
                    return Ok(Some(chunk));
                }
                Some(Some(Ok(_))) => {
                    let what = format!("more than the {} bytes asked for came", self.end);
                    StoreError::new(Cause::Damaged, what).at("retried", &self.path)
                }
                Some(Some(Err(e))) => e,
                Some(None) if self.at == self.end => return Ok(None),
                Some(None) => short(&self.path, self.at, self.end),
                None => {
                    let what = format!("the body stalled for {} ms", limit.as_millis());
                    StoreError::new(Cause::Timeout, what).at("retried", &self.path)
                }
            };
            self.resume(e).await?;
        }
    }

    async fn resume(&mut self, e: object_store::Error) -> Result<()> {
        self.tries.again(e).await?;
        loop {
            if self.at == self.end {
                self.stream = stream::empty().boxed();
                return Ok(());
            }
            let options = GetOptions {
                range: Some(GetRange::Bounded(self.at..self.end)),
                // The rest of another version would be the rest of nothing.
                if_match: self.e_tag.clone(),
                if_none_match: None,
                if_modified_since: None,
                if_unmodified_since: None,
                ..self.options.clone()
            };
            match self.tries.once(self.core.backend.get(&self.path, options)).await {
                Ok(reply) if reply.range.start == self.at => {
                    self.stream = reply.into_stream();
                    return Ok(());
                }
                Ok(reply) => {
                    let what = format!("asked from byte {}, got {}", self.at, reply.range.start);
                    let e = StoreError::new(Cause::Damaged, what).at("retried", &self.path);
                    self.tries.again(e).await?;
                }
                Err(e) if cause_of(&e) == Cause::Precondition => {
                    let e = StoreError::new(Cause::Failed, "it was replaced while being read");
                    return Err(e.at("retried", &self.path));
                }
                Err(e) => self.tries.again(e).await?,
            }
        }
    }
}
