//! Records that their caller writes.

use firn_engine::journal::{LogBounds, RecordStream};

use super::*;

/// A journal whose every caller is alone.
#[derive(Debug)]
pub(super) struct Alone<T>(pub(super) T);

#[async_trait]
impl Journal for Alone<LocalJournal> {
    async fn open(&self, branch: &BranchName, epoch: Epoch) -> Result<Arc<dyn JournalWriter>> {
        Ok(Arc::new(Alone(self.0.open(branch, epoch).await?)))
    }

    async fn bounds(&self, branch: &BranchName) -> Result<LogBounds> {
        self.0.bounds(branch).await
    }

    async fn read(&self, branch: &BranchName, from: Seq) -> Result<RecordStream> {
        self.0.read(branch, from).await
    }

    async fn tail(&self, branch: &BranchName, from: Seq) -> Result<RecordStream> {
        self.0.tail(branch, from).await
    }
}

#[async_trait]
impl JournalWriter for Alone<Arc<dyn JournalWriter>> {
    async fn append(&self, record: Record) -> Result<()> {
        self.0.append_alone(record).await
    }

    async fn trim(&self, through: Seq) -> Result<()> {
        self.0.trim(through).await
    }

    fn bounds(&self) -> LogBounds {
        self.0.bounds()
    }

    async fn close(&self) -> Result<()> {
        self.0.close().await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_alone_writes_on_its_own_thread_where_there_is_room() {
    let env = env(1);
    let disk = SimDisk::default();
    let journal = on_sim(&env, &disk, 24 << 10);
    let writer = journal.open(&BranchName::main(), Epoch(1)).await.unwrap();
    // How long the disk takes is not known yet.
    writer.append_alone(record(1, 1, 1, 100)).await.unwrap();
    assert_ne!(disk.thread(), Some(std::thread::current().id()));
    let mut here = 0;
    for seq in 2..40 {
        let (record, other) = (record(1, seq, seq, 4000), disk.thread());
        writer.append_alone(record).await.unwrap();
        here += usize::from(disk.thread() == Some(std::thread::current().id()));
        assert!(other.is_some());
    }
    // Not where a record found no room, and not where a write took its time.
    assert!((1..38).contains(&here), "{here} of 38");
    writer.append(record(1, 40, 40, 100)).await.unwrap();
    assert_ne!(disk.thread(), Some(std::thread::current().id()));
    assert_eq!(read_all(&journal).await.unwrap().len(), 40);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_alone_is_fenced_and_told_of_a_failed_write() {
    let env = env(1);
    let disk = SimDisk::default();
    let journal = Alone(on_sim(&env, &disk, 24 << 10));
    let main = BranchName::main();
    let old = journal.open(&main, Epoch(1)).await.unwrap();
    for seq in 1..4 {
        old.append(record(1, seq, seq, 10)).await.unwrap();
    }
    let new = journal.open(&main, Epoch(2)).await.unwrap();
    let refused = old.append(record(1, 4, 4, 10)).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Fenced, "{refused}");
    for seq in 4..8 {
        new.append(record(2, seq, seq, 10)).await.unwrap();
    }
    disk.fail_next_write(crate::disk::sim::Fault::WriteFails);
    let failed = new.append(record(2, 8, 8, 10)).await.unwrap_err();
    let again = new.append(record(2, 8, 8, 10)).await.unwrap_err();
    assert!(!failed.is_retryable() && again.to_string() == failed.to_string(), "{failed} {again}");
    assert_eq!(read_all(&journal.0).await.unwrap().len(), 7);
}
