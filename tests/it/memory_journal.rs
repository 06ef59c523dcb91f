//! A journal in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use firn_engine::journal::{Journal, JournalWriter, LogBounds, Record, RecordStream};
use firn_engine::{BranchName, Epoch, Error, ErrorKind, Result, Seq};
use futures::StreamExt;
use parking_lot::Mutex;

#[derive(Debug, Default)]
struct Log {
    bounds: LogBounds,
    records: Vec<Record>,
}

/// Logs by branch; lives on when the database is closed.
#[derive(Debug, Default, Clone)]
pub(crate) struct MemoryJournal(Arc<Mutex<BTreeMap<BranchName, Log>>>);

#[derive(Debug)]
struct Writer {
    logs: MemoryJournal,
    branch: BranchName,
    epoch: Epoch,
}

#[async_trait]
impl Journal for MemoryJournal {
    async fn open(&self, branch: &BranchName, epoch: Epoch) -> Result<Arc<dyn JournalWriter>> {
        let mut logs = self.0.lock();
        let log = logs.entry(branch.clone()).or_default();
        if epoch < log.bounds.epoch {
            return Err(Error::new(ErrorKind::Fenced, "older epoch"));
        }
        log.bounds.epoch = epoch;
        Ok(Arc::new(Writer { logs: self.clone(), branch: branch.clone(), epoch }))
    }

    async fn bounds(&self, branch: &BranchName) -> Result<LogBounds> {
        Ok(self.0.lock().get(branch).map(|l| l.bounds).unwrap_or_default())
    }

    async fn read(&self, branch: &BranchName, from: Seq) -> Result<RecordStream> {
        let logs = self.0.lock();
        let records = logs.get(branch).map(|l| l.records.clone()).unwrap_or_default();
        let wanted = records.into_iter().filter(move |r| r.last_seq >= from).map(Ok);
        Ok(futures::stream::iter(wanted.collect::<Vec<_>>()).boxed())
    }

    async fn tail(&self, branch: &BranchName, from: Seq) -> Result<RecordStream> {
        self.read(branch, from).await
    }
}

#[async_trait]
impl JournalWriter for Writer {
    async fn append(&self, record: Record) -> Result<()> {
        let mut logs = self.logs.0.lock();
        let log = logs.entry(self.branch.clone()).or_default();
        if log.bounds.epoch != self.epoch {
            return Err(Error::new(ErrorKind::Fenced, "fenced"));
        }
        if log.bounds.last != Seq::ZERO {
            assert_eq!(record.first_seq, log.bounds.last.next());
        }
        log.bounds.last = record.last_seq;
        log.bounds.bytes += record.payload.len() as u64;
        log.records.push(record);
        Ok(())
    }

    async fn trim(&self, through: Seq) -> Result<()> {
        let mut logs = self.logs.0.lock();
        let log = logs.entry(self.branch.clone()).or_default();
        if log.bounds.epoch != self.epoch {
            return Err(Error::new(ErrorKind::Fenced, "fenced"));
        }
        log.records.retain(|r| r.last_seq > through);
        log.bounds.trimmed = log.bounds.trimmed.max(through);
        log.bounds.last = log.bounds.last.max(through);
        Ok(())
    }

    fn bounds(&self) -> LogBounds {
        self.logs.0.lock()[&self.branch].bounds
    }
}
