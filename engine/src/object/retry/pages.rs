//! Lists page by page, deletes batch by batch.

use std::collections::VecDeque;
use std::sync::Arc;

use futures::stream::{self, BoxStream, StreamExt};
use object_store::path::Path;
use object_store::{ListResult, ObjectMeta, Result};

use super::attempts::Attempts;
use super::{Cause, Core, RequestKind, StoreError, cause_of};
use crate::object::backend::{DELETE_BATCH_MAX, Page, PageStart};

/// One page.
pub(super) async fn page(
    core: &Arc<Core>,
    prefix: Option<&Path>,
    delimiter: bool,
    start: &PageStart,
) -> Result<Page> {
    let root = Path::default();
    let mut tries = Attempts::new(core, RequestKind::List, prefix.unwrap_or(&root));
    loop {
        match tries.once(core.backend.list(prefix, delimiter, start.clone())).await {
            Ok(page) => return Ok(page),
            Err(e) => tries.again(e).await?,
        }
    }
}

struct Listing {
    core: Arc<Core>,
    prefix: Option<Path>,
    start: Option<PageStart>,
    ready: VecDeque<ObjectMeta>,
}

pub(super) fn list(
    core: Arc<Core>,
    prefix: Option<Path>,
    start: PageStart,
) -> BoxStream<'static, Result<ObjectMeta>> {
    let listing = Listing { core, prefix, start: Some(start), ready: VecDeque::new() };
    stream::try_unfold(listing, |mut listing| async move {
        loop {
            if let Some(object) = listing.ready.pop_front() {
                return Ok(Some((object, listing)));
            }
            let Some(start) = listing.start.take() else { return Ok(None) };
            let page = page(&listing.core, listing.prefix.as_ref(), false, &start).await?;
            listing.ready = page.objects.into();
            listing.start = page.next.map(PageStart::Continue);
        }
    })
    .boxed()
}

pub(super) async fn list_folder(core: &Arc<Core>, prefix: Option<&Path>) -> Result<ListResult> {
    let mut all = ListResult { objects: Vec::new(), common_prefixes: Vec::new() };
    let mut start = PageStart::First;
    loop {
        let page = page(core, prefix, true, &start).await?;
        all.objects.extend(page.objects);
        all.common_prefixes.extend(page.prefixes);
        match page.next {
            Some(next) => start = PageStart::Continue(next),
            None => return Ok(all),
        }
    }
}

pub(super) fn delete(
    core: Arc<Core>,
    paths: BoxStream<'static, Result<Path>>,
) -> BoxStream<'static, Result<Path>> {
    let batches = paths.chunks(DELETE_BATCH_MAX);
    batches
        .then(move |batch| {
            let core = Arc::clone(&core);
            async move { stream::iter(delete_batch(&core, batch).await) }
        })
        .flatten()
        .boxed()
}

/// Deletes a batch, again and again those that failed; the results are in the order asked.
async fn delete_batch(core: &Arc<Core>, batch: Vec<Result<Path>>) -> Vec<Result<Path>> {
    let mut results = batch;
    // Indexes of what is still to be deleted.
    let mut left: Vec<usize> = (0..results.len()).filter(|i| results[*i].is_ok()).collect();
    let paths: Vec<Path> =
        results.iter().map(|r| r.as_ref().cloned().unwrap_or_default()).collect();
    let Some(first) = left.first() else { return results };
    let mut tries = Attempts::new(core, RequestKind::Delete, &paths[*first]);
    while !left.is_empty() {
        let asked: Vec<Path> = left.iter().map(|i| paths[*i].clone()).collect();
        let reply = tries.once(core.backend.delete(&asked)).await.and_then(|reply| {
            if reply.len() == asked.len() {
                return Ok(reply);
            }
            let what = format!("{} of {} deletes were answered", reply.len(), asked.len());
            Err(StoreError::new(Cause::Failed, what).at("retried", &asked[0]))
        });
        let reply = match reply {
            Ok(reply) => reply,
            Err(e) => match tries.again(e).await {
                Ok(()) => continue,
                Err(e) => {
                    for index in left {
                        results[index] = Err(StoreError::found_in(&e).at("retried", &paths[index]));
                    }
                    return results;
                }
            },
        };
        let mut transient = None;
        let mut next = Vec::new();
        for (index, one) in left.into_iter().zip(reply) {
            match one {
                Ok(()) => {}
                Err(e) if cause_of(&e) == Cause::NotFound => {}
                Err(e) if cause_of(&e).is_transient() => {
                    transient.get_or_insert_with(|| StoreError::found_in(&e));
                    results[index] = Err(e);
                    next.push(index);
                }
                Err(e) => results[index] = Err(e),
            }
        }
        left = next;
        if let Some(e) = transient
            && tries.again(e.at("retried", &asked[0])).await.is_err()
        {
            // Each name has its own error already.
            return results;
        }
        for index in &left {
            results[*index] = Ok(paths[*index].clone());
        }
    }
    results
}
