//! Taking a log: survey, fence, fill, look again (see [`super`]).

use std::sync::Arc;

use firn_engine::{Epoch, Error, ErrorKind, Result, Seq};
use futures::{StreamExt, TryStreamExt};

use super::format::{Header, Kind};
use super::log::{Created, Log};
use super::survey::Survey;
use super::writer::ObjectWriter;
use crate::fenced;

/// Openings that race each other, or a busy writer, try so often.
const TRIES_MAX: u32 = 64;

/// Fences are put at most this far ahead: 2 to this power.
const AHEAD_POWER_MAX: u32 = 6;

/// Creates sent at once.
const FILLS_AT_ONCE: usize = 16;

pub(super) async fn open(log: Arc<Log>, epoch: Epoch) -> Result<ObjectWriter> {
    let writer = log.env.random_u64();
    for attempt in 0..TRIES_MAX {
        let survey = log.survey().await?;
        if survey.epoch > epoch {
            return Err(fenced(&log.branch, epoch, survey.epoch));
        }
        let ahead = 1 << attempt.min(AHEAD_POWER_MAX);
        let target = (survey.end + ahead).max(survey.highest + 1);
        let fence = |number| Header { kind: Kind::Fence, number, writer, epoch, last: Seq::ZERO };
        let put = async |number| {
            let header = fence(number);
            log.create(&header, header.mark(&log.branch)).await
        };
        if put(target).await? == Created::Taken {
            continue;
        }
        let filled: Vec<Option<Header>> = futures::stream::iter(survey.end + 1..target)
            .map(async |number| match put(number).await? {
                Created::Yes => Ok(None),
                Created::Taken => log.header(number).await,
            })
            .buffer_unordered(FILLS_AT_ONCE)
            .try_collect()
            .await?;
        if let Some(other) = filled.iter().flatten().map(|h| h.epoch).find(|e| *e > epoch) {
            return Err(fenced(&log.branch, epoch, other));
        }
        let start = log.start().await?.0;
        if start.start > target {
            continue;
        }
        let survey = if target == survey.end + 1 && start == survey.stored {
            fence_added(survey, epoch)
        } else {
            log.survey().await?
        };
        if survey.epoch > epoch {
            return Err(fenced(&log.branch, epoch, survey.epoch));
        }
        assert!(survey.end >= target, "there is no hole before the fence");
        log.wake();
        return ObjectWriter::begin(log, epoch, writer, survey, target).await;
    }
    let why = format!("journal of {}: {TRIES_MAX} tries to take it were overtaken", log.branch);
    Err(Error::new(ErrorKind::Unavailable, why).retryable())
}

/// What a survey would find after a fence was added right at the end.
fn fence_added(mut survey: Survey, epoch: Epoch) -> Survey {
    survey.end += 1;
    survey.highest = survey.highest.max(survey.end);
    survey.epoch = epoch;
    survey.marks += 1;
    survey
}
