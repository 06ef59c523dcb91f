//! Reading a log, a few objects ahead.

use std::sync::Arc;

use bytes::Bytes;
use firn_engine::journal::{Record, RecordStream};
use firn_engine::watch;
use firn_engine::{Error, Result, Seq};
use futures::StreamExt;
use futures::stream::BoxStream;

use super::format::{Header, Kind};
use super::log::Log;
use super::survey::Survey;
use crate::trimmed;

/// Objects asked for ahead of the one that is wanted.
const AHEAD: usize = 4;

type Got = Result<Option<(Header, Bytes)>>;

struct Reader {
    log: Arc<Log>,
    changed: watch::Receiver<u64>,
    /// Seq of the next record.
    next: Seq,
    /// Whether `next` is that of the first record wanted, which may begin before it.
    first: bool,
    /// Number of the next object.
    number: u64,
    tail: bool,
    /// Objects that were there when reading began.
    ahead: BoxStream<'static, Got>,
}

pub(super) async fn stream(log: Arc<Log>, from: Seq, tail: bool) -> Result<RecordStream> {
    let changed = log.changed.subscribe();
    let survey = log.survey().await?;
    if from <= survey.trimmed {
        return Err(trimmed(&log.branch, from, survey.trimmed));
    }
    let number = first_object(&log, &survey, from).await?;
    let source = Arc::clone(&log);
    let ahead = futures::stream::iter(number..=survey.end)
        .map(move |number| {
            let log = Arc::clone(&source);
            async move { log.object(number).await }
        })
        .buffered(AHEAD)
        .boxed();
    let reader = Reader { log, changed, next: from, first: true, number, tail, ahead };
    let stream = futures::stream::unfold(Some(reader), |reader| async move {
        let mut reader = reader?;
        match reader.next().await {
            Ok(None) => None,
            Ok(Some(record)) => Some((Ok(record), Some(reader))),
            Err(e) => Some((Err(e), None)),
        }
    });
    Ok(stream.boxed())
}

/// Number of the object to begin with: that of the record that contains
/// `from`, or the one after the end.
async fn first_object(log: &Log, survey: &Survey, from: Seq) -> Result<u64> {
    if from == survey.trimmed.next() {
        return Ok(survey.start);
    }
    if from > survey.last {
        return Ok(survey.end + 1);
    }
    let numbers: Vec<u64> = survey.records.keys().copied().collect();
    let (mut before, mut at) = (0, numbers.len());
    while before < at {
        let middle = before + (at - before) / 2;
        let last = match log.header(numbers[middle]).await? {
            Some(header) if header.kind == Kind::Record => header.last,
            _ => {
                // Trimmed since the survey: it was before what is trimmed now.
                let (start, _) = log.start().await?;
                if start.start <= numbers[middle] {
                    return Err(log.corrupt(&log.path(numbers[middle]), "it is missing"));
                }
                if start.trimmed >= from {
                    return Err(trimmed(&log.branch, from, start.trimmed));
                }
                start.trimmed
            }
        };
        if last < from {
            before = middle + 1;
        } else {
            at = middle;
        }
    }
    Ok(numbers.get(at).copied().unwrap_or(survey.end + 1))
}

/// Fails if the log begins after an object by now.
async fn check_kept(log: &Log, number: u64, next: Seq) -> Result<()> {
    let (start, _) = log.start().await?;
    if start.start > number { Err(trimmed(&log.branch, next, start.trimmed)) } else { Ok(()) }
}

/// Why an object is not there that was there.
async fn missing(log: &Log, number: u64, next: Seq) -> Error {
    match check_kept(log, number, next).await {
        Err(e) => e,
        Ok(()) => log.corrupt(&log.path(number), "it is missing"),
    }
}

impl Reader {
    async fn next(&mut self) -> Result<Option<Record>> {
        loop {
            let Some((header, object)) = self.object().await? else {
                return Ok(None);
            };
            self.number += 1;
            match header.kind {
                Kind::Fence => {}
                Kind::Anew if header.last >= self.next => {
                    return Err(trimmed(&self.log.branch, self.next, header.last));
                }
                Kind::Anew => {}
                Kind::Record if header.last < self.next => {}
                Kind::Record => {
                    let path = self.log.path(header.number);
                    let record = header.decode_record(&object);
                    let record = record.map_err(|why| self.log.corrupt(&path, why))?;
                    let follows = record.first_seq == self.next
                        || (self.first && record.first_seq < self.next);
                    if !follows {
                        // Fences may stand where trimmed records were.
                        check_kept(&self.log, header.number, self.next).await?;
                        let why =
                            format!("it begins at seq {}, not {}", record.first_seq, self.next);
                        return Err(self.log.corrupt(&path, why));
                    }
                    self.first = false;
                    self.next = record.last_seq.next();
                    return Ok(Some(record));
                }
            }
        }
    }

    /// The next object; `None` at the end, unless tailing.
    async fn object(&mut self) -> Result<Option<(Header, Bytes)>> {
        if let Some(got) = self.ahead.next().await {
            return match got? {
                Some(object) => Ok(Some(object)),
                None => Err(missing(&self.log, self.number, self.next).await),
            };
        }
        if !self.tail {
            return Ok(None);
        }
        loop {
            self.changed.borrow_and_update();
            if let Some(object) = self.log.object(self.number).await? {
                return Ok(Some(object));
            }
            check_kept(&self.log, self.number, self.next).await?;
            let sleep = self.log.env.sleep(self.log.poll);
            let changed = self.changed.changed();
            futures::pin_mut!(changed);
            let _ = futures::future::select(changed, sleep).await;
        }
    }
}
