//! On the disk of this machine, and the suite.

use super::alone::Alone;
use super::*;
use crate::AppendFault;
use crate::conformance::{Subject, run};
use crate::disk::sim::Fault;
use futures::FutureExt;

struct Simulated {
    env: Env,
    disk: SimDisk,
    journal: LocalJournal,
    /// All its writers are.
    alone: bool,
}

#[async_trait]
impl Subject for Simulated {
    fn journal(&self) -> Arc<dyn Journal> {
        match self.alone {
            true => Arc::new(Alone(self.journal.clone())),
            false => Arc::new(self.journal.clone()),
        }
    }

    async fn crash(&mut self) {
        let disk = self.disk.after_power_cut(self.disk.ops(), 0, self.env.random_u64());
        self.disk.power_off();
        self.journal = on_sim(&self.env, &disk, 64 << 10);
        self.disk = disk;
    }

    fn fail_next_append(&mut self, _: &BranchName, fault: AppendFault) -> bool {
        match fault {
            // Only when there is no room: see `a_full_disk_refuses_records_and_loses_nothing`.
            AppendFault::Refused => return false,
            AppendFault::Lost => self.disk.fail_next_write(Fault::WriteFails),
            AppendFault::ReplyLost => self.disk.fail_next_write(Fault::WriteFailsLate),
        }
        true
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_simulated_disk_conforms() {
    conforms_simulated(false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_simulated_disk_conforms_where_callers_write() {
    conforms_simulated(true).await;
}

async fn conforms_simulated(alone: bool) {
    let handle = tokio::runtime::Handle::current();
    let env = Env::tokio(handle.clone(), handle);
    let fresh = || {
        let env = env.clone();
        async move {
            let disk = SimDisk::default();
            let journal = on_sim(&env, &disk, 64 << 10);
            Box::new(Simulated { env, disk, journal, alone }) as Box<dyn Subject>
        }
        .boxed()
    };
    run(&env, &fresh, 10).await;
}

struct Real {
    env: Env,
    dir: tempfile::TempDir,
    options: LocalOptions,
    journal: Option<LocalJournal>,
}

#[async_trait]
impl Subject for Real {
    fn journal(&self) -> Arc<dyn Journal> {
        Arc::new(self.journal.clone().unwrap())
    }

    async fn crash(&mut self) {
        // In good order, in fact: the simulated disk has the crashes.
        self.journal = None;
        let opened = LocalJournal::open(self.env.clone(), self.dir.path(), self.options.clone());
        self.journal = Some(opened.await.unwrap());
    }

    fn fail_next_append(&mut self, _: &BranchName, _: AppendFault) -> bool {
        false
    }
}

async fn conforms_in(base: &std::path::Path) {
    let handle = tokio::runtime::Handle::current();
    let env = Env::tokio(handle.clone(), handle);
    let fresh = || {
        let (env, base) = (env.clone(), base.to_path_buf());
        async move {
            let dir = tempfile::tempdir_in(base).unwrap();
            let options = LocalOptions { segment_bytes: 1 << 20, spares_max: 2 };
            let mut real = Real { env, dir, options, journal: None };
            real.crash().await;
            Box::new(real) as Box<dyn Subject>
        }
        .boxed()
    };
    run(&env, &fresh, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_disk_conforms() {
    conforms_in(&std::env::temp_dir()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_system_in_memory_conforms() {
    if std::path::Path::new("/dev/shm").is_dir() {
        conforms_in(std::path::Path::new("/dev/shm")).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_longest_record_is_written_and_read() {
    let disk = SimDisk::default();
    let journal = on_sim(&env(1), &disk, 1 << 20);
    let main = BranchName::main();
    let writer = journal.open(&main, Epoch(1)).await.unwrap();
    writer.append(record(1, 1, 1, 10)).await.unwrap();
    let len = firn_engine::journal::PAYLOAD_LEN_MAX;
    let longest = Record { payload: vec![7; len].into(), ..record(1, 2, 9, 0) };
    writer.append(longest.clone()).await.unwrap();
    writer.append(record(1, 10, 10, 10)).await.unwrap();
    let read = read_all(&journal).await.unwrap();
    assert_eq!(read.len(), 3);
    assert!(read[1] == longest);
    drop(read);
    let journal = on_sim(&env(1), &disk.copy(), 1 << 20);
    let writer = journal.open(&main, Epoch(2)).await.unwrap();
    assert_eq!(writer.bounds().last, Seq(10));
    let over = Record { payload: vec![7; len + 1].into(), ..record(2, 11, 11, 0) };
    assert_eq!(writer.append(over).await.unwrap_err().kind(), ErrorKind::BadRequest);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_in_use_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let env = env(1);
    let first = LocalJournal::open(env.clone(), dir.path(), LocalOptions::default()).await.unwrap();
    let second = LocalJournal::open(env.clone(), dir.path(), LocalOptions::default()).await;
    let error = second.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains(dir.path().to_str().unwrap()), "{error}");
    drop(first);
    LocalJournal::open(env, dir.path(), LocalOptions::default()).await.unwrap();
}
