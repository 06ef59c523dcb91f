//! How long the parts take that a database calls.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use firn_engine::journal::{Journal, JournalWriter, LogBounds, Record, RecordStream};
use firn_engine::object::{BlockSource, ByteRange, ObjectKind};
use firn_engine::{BranchName, Epoch, ObjectId, Result, Seq};
use hdrhistogram::Histogram;
use parking_lot::Mutex;

use super::latency::{Latency, histogram};

/// Latencies of calls to parts, by call. A clone is the same.
#[derive(Debug, Clone, Default)]
pub struct PartTimes(Arc<Mutex<BTreeMap<&'static str, Histogram<u64>>>>);

impl PartTimes {
    fn record(&self, call: &'static str, took: Duration) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX).max(1);
        self.0.lock().entry(call).or_insert_with(histogram).saturating_record(nanos);
    }

    /// What was recorded since the last call.
    #[must_use]
    pub fn take(&self) -> BTreeMap<&'static str, Latency> {
        let taken = std::mem::take(&mut *self.0.lock());
        taken.iter().map(|(call, histogram)| (*call, Latency::of(histogram))).collect()
    }

    /// `journal`, its appends timed.
    #[must_use]
    pub fn journal(&self, journal: Arc<dyn Journal>) -> Arc<dyn Journal> {
        Arc::new(TimedJournal { journal, times: self.clone() })
    }

    /// `blocks`, its reads timed.
    #[must_use]
    pub fn blocks(&self, blocks: Arc<dyn BlockSource>) -> Arc<dyn BlockSource> {
        Arc::new(TimedBlocks { blocks, times: self.clone() })
    }
}

#[derive(Debug)]
struct TimedJournal {
    journal: Arc<dyn Journal>,
    times: PartTimes,
}

#[async_trait]
impl Journal for TimedJournal {
    async fn open(&self, branch: &BranchName, epoch: Epoch) -> Result<Arc<dyn JournalWriter>> {
        let writer = self.journal.open(branch, epoch).await?;
        Ok(Arc::new(TimedWriter { writer, times: self.times.clone() }))
    }

    async fn bounds(&self, branch: &BranchName) -> Result<LogBounds> {
        self.journal.bounds(branch).await
    }

    async fn read(&self, branch: &BranchName, from: Seq) -> Result<RecordStream> {
        self.journal.read(branch, from).await
    }

    async fn tail(&self, branch: &BranchName, from: Seq) -> Result<RecordStream> {
        self.journal.tail(branch, from).await
    }
}

#[derive(Debug)]
struct TimedWriter {
    writer: Arc<dyn JournalWriter>,
    times: PartTimes,
}

impl TimedWriter {
    async fn timed(&self, append: impl Future<Output = Result<()>>) -> Result<()> {
        let begun = Instant::now();
        let done = append.await;
        self.times.record("journal append", begun.elapsed());
        done
    }
}

#[async_trait]
impl JournalWriter for TimedWriter {
    async fn append(&self, record: Record) -> Result<()> {
        self.timed(self.writer.append(record)).await
    }

    async fn append_alone(&self, record: Record) -> Result<()> {
        self.timed(self.writer.append_alone(record)).await
    }

    async fn trim(&self, through: Seq) -> Result<()> {
        self.writer.trim(through).await
    }

    fn bounds(&self) -> LogBounds {
        self.writer.bounds()
    }

    async fn close(&self) -> Result<()> {
        self.writer.close().await
    }
}

#[derive(Debug)]
struct TimedBlocks {
    blocks: Arc<dyn BlockSource>,
    times: PartTimes,
}

#[async_trait]
impl BlockSource for TimedBlocks {
    async fn read(
        &self,
        id: ObjectId,
        kind: ObjectKind,
        ranges: &[ByteRange],
    ) -> Result<Vec<Bytes>> {
        let begun = Instant::now();
        let read = self.blocks.read(id, kind, ranges).await;
        self.times.record("block read", begun.elapsed());
        read
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_taken_is_not_taken_again() {
        let times = PartTimes::default();
        times.record("block read", Duration::from_micros(10));
        times.record("block read", Duration::from_micros(30));
        let taken = times.take();
        assert_eq!(taken["block read"].calls, 2);
        assert!((taken["block read"].mean_us - 20.0).abs() < 0.1, "{taken:?}");
        assert!(times.take().is_empty());
    }
}
