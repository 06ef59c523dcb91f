//! What is there of a log.

use std::collections::BTreeMap;

use firn_engine::journal::LogBounds;
use firn_engine::object::Layout;
use firn_engine::{Epoch, Error, ErrorKind, Result, Seq};
use futures::{StreamExt, TryStreamExt};
use object_store::UpdateVersion;

use super::format::{Header, Kind, Start};
use super::log::Log;

/// Headers read at once.
const HEADERS_AT_ONCE: usize = 16;

/// A log that is trimmed while it is looked at is looked at again so often.
const LOOKS_MAX: usize = 50;

/// What was found. Everything from `start` to `end` is there without a hole.
#[derive(Debug)]
pub(super) struct Survey {
    pub(super) stored: Start,
    pub(super) version: Option<UpdateVersion>,
    /// Number of the first kept object: as stored, or of a later new beginning.
    pub(super) start: u64,
    /// Number of the last object; `start - 1` if there is none.
    pub(super) end: u64,
    /// Highest number in use: fences may stand after a hole.
    pub(super) highest: u64,
    pub(super) trimmed: Seq,
    pub(super) last: Seq,
    pub(super) epoch: Epoch,
    /// Numbers and lengths of the kept records.
    pub(super) records: BTreeMap<u64, u64>,
    /// Records before the start that are not yet deleted.
    pub(super) garbage: Vec<u64>,
    /// Fences and beginnings after the last record.
    pub(super) marks: usize,
}

impl Survey {
    pub(super) fn bounds(&self) -> LogBounds {
        LogBounds {
            trimmed: self.trimmed,
            last: self.last,
            epoch: self.epoch,
            bytes: self.records.values().sum(),
        }
    }
}

impl Log {
    /// Looks at the log. What is found was there together at one moment, as far
    /// as records go: `live-start` was the same before and after.
    pub(super) async fn survey(&self) -> Result<Survey> {
        let mut start = self.start().await?;
        let mut missing = 0;
        for _ in 0..LOOKS_MAX {
            let looked = self.look(&start).await;
            let again = self.start().await?;
            let same = again.0 == start.0;
            start = again;
            if !same {
                missing = 0;
                continue;
            }
            if let Some(survey) = looked? {
                return Ok(survey);
            }
            // A list takes its time, and holes are filled meanwhile. But those
            // before what the first list saw are filled before the second.
            missing += 1;
            if missing > 1 {
                let path = self.path(start.0.start);
                return Err(self.corrupt(&path, "it, or one after it, is missing"));
            }
        }
        let path = self.layout.live_start(&self.branch);
        let why = format!("{path} changes faster than the log can be read");
        let why = format!("journal of {}: {why}", self.branch);
        Err(Error::new(ErrorKind::Unavailable, why).retryable())
    }

    /// `None` if objects are missing.
    async fn look(&self, start: &(Start, Option<UpdateVersion>)) -> Result<Option<Survey>> {
        let (stored, version) = start.clone();
        let found = self.list(stored.swept).await?;
        let kept = found.range(stored.start..);
        // A new beginning whose number has not made it into `live-start` yet.
        let anew = kept.clone().rfind(|(_, len)| Kind::of_len(**len) == Kind::Anew);
        let anew = anew.map(|(number, _)| *number);
        let start = anew.unwrap_or(stored.start);
        let end = (start..).zip(found.range(start..)).take_while(|(n, (m, _))| n == *m).count();
        let end = start + end as u64 - 1;
        let after = found.range(end + 1..);
        if after.clone().any(|(_, len)| Kind::of_len(*len) == Kind::Record) {
            return Ok(None);
        }
        if end < start && version.is_some() {
            // The newest object is never deleted, and is never before the start.
            return Ok(None);
        }
        let highest = found.last_key_value().map_or(end, |(number, _)| *number).max(end);
        let is_record = |len: u64| Kind::of_len(len) == Kind::Record;
        let records: BTreeMap<u64, u64> = found
            .range(start..=end.max(start))
            .filter(|(_, len)| is_record(**len))
            .map(|(number, len)| (*number, *len))
            .collect();
        let garbage = found.range(..start).filter(|(_, len)| is_record(**len));
        let garbage = garbage.map(|(number, _)| *number).collect();
        // Epochs rise from record to record, but two openings may have put
        // their fences in either order.
        let from = records.last_key_value().map_or(start, |(number, _)| *number);
        let tail: Vec<u64> = found.range(from..).map(|(number, _)| *number).collect();
        let marks = tail.len() - usize::from(!records.is_empty());
        let headers: Vec<Option<Header>> = futures::stream::iter(tail)
            .map(|number| self.header(number))
            .buffered(HEADERS_AT_ONCE)
            .try_collect()
            .await?;
        let Some(headers) = headers.into_iter().collect::<Option<Vec<_>>>() else {
            return Ok(None);
        };
        let epoch = headers.iter().map(|h| h.epoch).max().unwrap_or_default();
        let said = |h: &&Header| h.kind != Kind::Fence;
        let last = headers.iter().rev().find(said).map(|h| h.last);
        let trimmed = match anew {
            Some(number) => match headers.iter().find(|h| h.number == number) {
                Some(anew) => anew.last,
                // There are records after it.
                None => match self.header(number).await? {
                    Some(anew) => anew.last,
                    None => return Ok(None),
                },
            },
            None => stored.trimmed,
        };
        let last = last.unwrap_or(trimmed);
        Ok(Some(Survey {
            stored,
            version,
            start,
            end,
            highest,
            trimmed,
            last,
            epoch,
            records,
            garbage,
            marks,
        }))
    }

    /// Numbers and lengths of all objects from a number on.
    async fn list(&self, from: u64) -> Result<BTreeMap<u64, u64>> {
        let folder = self.layout.live_segments(&self.branch);
        let mut listed = match from.checked_sub(1) {
            Some(before) => self.store.list_with_offset(Some(&folder), &self.path(before)),
            None => self.store.list(Some(&folder)),
        };
        let mut found = BTreeMap::new();
        while let Some(object) = listed.next().await {
            let object = object.map_err(|e| self.failed("LIST", &folder, e))?;
            match Layout::parse_live_segment(&object.location) {
                Some(number) => {
                    found.insert(number, object.size);
                }
                None => tracing::warn!(path = %object.location, "not a part of the journal"),
            }
        }
        Ok(found)
    }
}
