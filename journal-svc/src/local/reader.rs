//! Reading records while they are written.
//!
//! A reader knows the next seq it wants and the place after the last record it
//! gave. Under the log's lock it asks how far records reach, and reads only up
//! to there: what it reads never changes, since a segment that a reader holds
//! is not recycled. Trimmed segments are not looked for any more.

use std::collections::VecDeque;
use std::sync::Arc;

use firn_engine::journal::{Record, RecordStream};
use firn_engine::watch;
use firn_engine::{Error, ErrorKind, Result, Seq, TaskClass};
use futures::StreamExt;

use super::log::{Log, Place};
use super::segment::Window;

/// Records are read ahead up to this many bytes.
const AHEAD_BYTES: u64 = 1 << 20;

struct Reader {
    log: Arc<Log>,
    changed: watch::Receiver<u64>,
    next: Seq,
    /// Last seq to give.
    end: Seq,
    ahead: VecDeque<Record>,
    place: Option<(Window, u64)>,
}

/// Records from the one that contains `from`, up to the end or for ever.
pub(super) fn stream(log: Arc<Log>, from: Seq, tail: bool) -> Result<RecordStream> {
    // Says at once if the position is trimmed.
    log.place(from)?;
    let end = if tail { Seq::MAX } else { log.bounds().last };
    let (changed, ahead) = (log.changed.subscribe(), VecDeque::new());
    let reader = Reader { log, changed, next: from, end, ahead, place: None };
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

impl Reader {
    async fn next(&mut self) -> Result<Option<Record>> {
        loop {
            if let Some(record) = self.ahead.pop_front() {
                self.next = record.last_seq.next();
                return Ok(Some(record));
            }
            if self.next > self.end {
                return Ok(None);
            }
            self.changed.borrow_and_update();
            if let Some((window, at, end)) = self.find()? {
                self.read(window, at, end).await?;
            } else if self.changed.changed().await.is_err() {
                return Ok(None);
            }
        }
    }

    /// Where to read on, and how far.
    fn find(&mut self) -> Result<Option<(Window, u64, u64)>> {
        if let Some((window, at)) = self.place.take() {
            let number = window.segment().header.number;
            let state = self.log.state.lock();
            let kept = state.kept.iter().find(|k| k.segment.header.number == number);
            if let Some(kept) = kept
                && at < kept.end
            {
                return Ok(Some((window, at, kept.end)));
            }
        }
        let place = self.log.place(self.next)?;
        Ok(place.map(|Place { segment, at, end }| (Window::new(segment), at, end)))
    }

    async fn read(&mut self, mut window: Window, mut at: u64, end: u64) -> Result<()> {
        let next = self.next;
        let work = move || {
            let (mut records, begin) = (VecDeque::new(), at);
            while at < end && (records.is_empty() || at - begin < AHEAD_BYTES) {
                let path = &window.segment().path;
                let damage = format!("{} at offset {at}", path.display());
                let record = window.record(at, end).map_err(|e| {
                    Error::with_source(ErrorKind::Unavailable, format!("reading {damage}"), e)
                })?;
                let (record, after) = record.map_err(|why| {
                    Error::new(
                        ErrorKind::Corrupt,
                        format!("{damage}: a record is damaged: {why:?}"),
                    )
                })?;
                at = after;
                if record.last_seq >= next {
                    records.push_back(record);
                }
            }
            Ok((records, window, at))
        };
        let done = self.log.env.blocking(TaskClass::Foreground, "journal-read", work).await;
        let done = done.unwrap_or_else(|| {
            Err(Error::new(ErrorKind::Unavailable, "reading was stopped: shutting down"))
        });
        let doing = |e: Error| e.context(format!("journal of {}", self.log.branch));
        let (records, window, at) = done.map_err(doing)?;
        if let Some(first) = records.front()
            && first.first_seq > next
        {
            let why = format!(
                "journal of {}: {} goes from seq {} to {}",
                self.log.branch,
                window.segment().path.display(),
                next.prev(),
                first.first_seq
            );
            return Err(Error::new(ErrorKind::Corrupt, why));
        }
        self.ahead = records;
        self.place = Some((window, at));
        Ok(())
    }
}
