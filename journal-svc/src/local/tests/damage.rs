//! Bytes that changed, disks that fail or are full.

use super::*;
use crate::disk::sim::Fault;
use firn_engine::journal::frame;

const SEGMENT: u64 = 24 << 10;

async fn opened(disk: &SimDisk, epoch: u64) -> (LocalJournal, Arc<dyn JournalWriter>) {
    let journal = on_sim(&env(1), disk, SEGMENT);
    let writer = journal.open(&BranchName::main(), Epoch(epoch)).await.unwrap();
    (journal, writer)
}

/// Records one to ten on a disk whose power was cut, and the files they are in.
async fn ten_records() -> (SimDisk, Vec<(PathBuf, u64)>) {
    let disk = SimDisk::default();
    let (_journal, writer) = opened(&disk, 1).await;
    let mut places = Vec::new();
    for seq in 1..=10 {
        writer.append(record(1, seq, seq, 5000)).await.unwrap();
        // Two pages each: two records fill 4 of the 5 pages.
        places.push(((seq - 1) / 2 + 1, RECORD_AT[(seq as usize - 1) % 2]));
    }
    let disk = disk.after_power_cut(disk.ops(), 0, u64::MAX);
    let files: Vec<_> = disk.files(".log").into_iter().map(|(path, _)| path).collect();
    let places = places.into_iter().map(|(n, at)| (files[n as usize - 1].clone(), at));
    let places: Vec<_> = places.collect();
    (disk, places)
}

const RECORD_AT: [u64; 2] = [4096, 4096 + 8192];

async fn error_of(disk: &SimDisk) -> Option<Error> {
    let journal = on_sim(&env(1), disk, SEGMENT);
    let error = read_all(&journal).await.err();
    let opened = journal.open(&BranchName::main(), Epoch(9)).await;
    match &error {
        Some(_) => assert_eq!(opened.err().map(|e| e.kind()), Some(ErrorKind::Corrupt)),
        None => drop(opened.unwrap()),
    }
    error
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damage_before_the_tail_is_an_error_that_says_where() {
    let (disk, places) = ten_records().await;
    assert_eq!(read_all(&on_sim(&env(1), &disk, SEGMENT)).await.unwrap().len(), 10);
    for (i, (path, at)) in places.iter().enumerate() {
        let at = *at as usize;
        for what in ["bit", "zeros", "header", "payload"] {
            let disk = disk.copy();
            disk.damage(path, |bytes| match what {
                "bit" => bytes[at + 30] ^= 4,
                "zeros" => bytes[at..at + 8192].fill(0),
                "header" => bytes[at..at + frame::HEADER_LEN].fill(0xff),
                _ => bytes[at + 4200] ^= 1,
            });
            let error = error_of(&disk).await;
            if i == 9 {
                // The last one may be a torn write: it is cut. But no torn
                // write makes a header of another seq.
                assert_eq!(error.is_some(), what == "bit", "{error:?}");
                continue;
            }
            let error = error.unwrap_or_else(|| panic!("record {i}, {what}: not noticed"));
            let text = error.to_string();
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{text}");
            assert!(text.contains(&path.display().to_string()), "{text}: not {}", path.display());
            assert!(text.contains(&format!("offset {at}")), "{text}: not {at}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damage_to_several_records_or_a_missing_file_is_noticed() {
    let (disk, places) = ten_records().await;
    for from in 0..9 {
        let disk = disk.copy();
        for (path, at) in &places[from..9] {
            let at = *at as usize;
            disk.damage(path, |bytes| bytes[at..at + 8192].fill(0));
        }
        assert_eq!(error_of(&disk).await.unwrap().kind(), ErrorKind::Corrupt, "from {from}");
    }
    for gone in 1..4 {
        let disk = disk.copy();
        disk.remove(&places[gone * 2].0).unwrap();
        assert_eq!(error_of(&disk).await.unwrap().kind(), ErrorKind::Corrupt, "file {gone}");
    }
    for (path, _) in places {
        let disk = disk.copy();
        disk.damage(&path, |bytes| bytes[20] ^= 1);
        let error = error_of(&disk).await.unwrap();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert!(error.to_string().contains("header is damaged"), "{error}");
    }
}

/// After an end in good order, or any opening, the last record is not a tail.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damage_to_the_last_record_is_noticed_once_the_log_was_sealed() {
    for sealed in [true, false] {
        let disk = SimDisk::default();
        let (journal, writer) = opened(&disk, 1).await;
        writer.append(record(1, 1, 1, 100)).await.unwrap();
        writer.append(record(1, 2, 2, 100)).await.unwrap();
        drop(writer);
        if sealed {
            let log = journal.log(&BranchName::main()).await.unwrap();
            let env = env(1);
            // Its end shows as the empty segment that says so.
            let end = async {
                while log.state.lock().kept.len() < 2 {
                    env.yield_now().await;
                }
            };
            env.timeout(Duration::from_secs(30), end).await.expect("sealed");
        } else {
            drop(journal.open(&BranchName::main(), Epoch(2)).await.unwrap());
        }
        let disk = disk.copy();
        let path = disk.files(".log").remove(0).0;
        disk.damage(&path, |bytes| bytes[8192 + 60] ^= 1);
        let error = error_of(&disk).await.expect("noticed");
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert!(error.to_string().contains("offset 8192"), "{error}");
    }
}

/// A recycled file still has the records of its earlier use.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recycled_blocks_are_not_taken_for_records() {
    let disk = SimDisk::default();
    let (journal, writer) = opened(&disk, 1).await;
    let mut created = 0;
    for seq in 1..=200 {
        writer.append(record(1, seq, seq, 5000)).await.unwrap();
        if seq % 10 == 0 {
            writer.trim(Seq(seq - 3)).await.unwrap();
            created = disk.files("").len();
        }
        if seq % 7 == 0 {
            let crashed = disk.after_power_cut(disk.ops(), 0, u64::MAX);
            let records = read_all(&on_sim(&env(1), &crashed, SEGMENT)).await.unwrap();
            assert_eq!(records.last().unwrap().first_seq, Seq(seq));
        }
    }
    assert!(created < 20, "files are used again: {created}");
    drop((journal, writer));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_write_ends_the_journal_until_it_is_opened_anew() {
    for fault in [Fault::WriteFails, Fault::WriteFailsLate] {
        let disk = SimDisk::default();
        let (journal, writer) = opened(&disk, 1).await;
        writer.append(record(1, 1, 1, 100)).await.unwrap();
        disk.fail_next_write(fault);
        let error = writer.append(record(1, 2, 2, 100)).await.unwrap_err();
        assert!(!error.is_retryable() && error.to_string().contains("writing"), "{error:?}");
        let again = writer.append(record(1, 2, 2, 100)).await.unwrap_err();
        assert_eq!(again.to_string(), error.to_string());
        // Not even by a new writer: the disk is not to be trusted by this process.
        let opened = journal.open(&BranchName::main(), Epoch(2)).await;
        assert_eq!(opened.unwrap_err().to_string(), error.to_string());
        assert_eq!(read_all(&journal).await.unwrap().len(), 1, "what was durable can be read");
        let journal = on_sim(&env(1), &disk.copy(), SEGMENT);
        let writer = journal.open(&BranchName::main(), Epoch(2)).await.unwrap();
        let found = if fault == Fault::WriteFails { 1 } else { 2 };
        assert_eq!(writer.bounds().last, Seq(found));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_records_and_loses_nothing() {
    let disk = SimDisk::default();
    // One to write, one made ahead of time.
    disk.set_room(Some(2));
    let (_journal, writer) = opened(&disk, 1).await;
    writer.append(record(1, 1, 1, 100)).await.unwrap();
    let mut last = 1;
    let error = loop {
        match writer.append(record(1, last + 1, last + 1, 5000)).await {
            Ok(()) => last += 1,
            Err(e) => break e,
        }
        assert!(last < 100, "two segments at most");
    };
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Unavailable, true));
    assert!(error.to_string().contains("no room for a new file"), "{error}");
    let again = writer.append(record(1, last + 1, last + 1, 5000)).await.unwrap_err();
    assert!(again.is_retryable());
    // Trimming gives room: files are used again.
    writer.trim(Seq(last - 1)).await.unwrap();
    let next = record(1, last + 1, last + 1, 5000);
    let writing = async {
        while let Err(e) = writer.append(next.clone()).await {
            assert!(e.is_retryable(), "{e:?}");
            tokio::task::yield_now().await;
        }
    };
    env(1).timeout(Duration::from_secs(30), writing).await.expect("room");
    // Opening anew on a full disk.
    let disk = disk.after_power_cut(disk.ops(), 0, u64::MAX);
    disk.set_room(Some(0));
    let journal = on_sim(&env(1), &disk, SEGMENT);
    assert_eq!(read_all(&journal).await.unwrap().last(), Some(&next));
    disk.set_room(None);
    let writer = journal.open(&BranchName::main(), Epoch(2)).await.unwrap();
    writer.append(record(2, last + 2, last + 2, 100)).await.unwrap();
}

/// The next writer found the segment that a refused one had ordered, and stopped.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_that_was_refused_a_record_leaves_nothing_behind() {
    let disk = SimDisk::default();
    let (journal, _) = opened(&disk, 1).await;
    for epoch in 2..60 {
        let writer = journal.open(&BranchName::main(), Epoch(epoch)).await.unwrap();
        let refused = writer.append(record(epoch, 77, 77, 10)).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::BadRequest);
    }
    let writer = journal.open(&BranchName::main(), Epoch(60)).await.unwrap();
    writer.append(record(60, 1, 1, 10)).await.unwrap();
    assert!(disk.files("").len() < 20, "{:?}", disk.files(""));
}

#[tokio::test]
async fn impossible_sizes_are_refused() {
    for segment_bytes in [0, 4096, 10_000] {
        let folder = Folder { path: PathBuf::from("journal"), _lock: None };
        let options = LocalOptions { segment_bytes, spares_max: 2 };
        let opened = LocalJournal::on(env(1), Arc::new(SimDisk::default()), folder, options);
        assert_eq!(opened.unwrap_err().kind(), ErrorKind::BadRequest);
    }
}
