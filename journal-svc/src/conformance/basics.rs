//! Writing, reading, trimming.

use super::*;

pub(super) async fn a_log_that_ends_for_good_leaves_nothing(mut case: Case) {
    let old = case.open(1).await;
    append(&*old, 1, 1..=5).await;
    let end = case.open(3).await;
    end.trim(Seq::MAX).await.unwrap();
    assert_dead(&*old, record(1, 6, 6, 10), ErrorKind::Fenced).await;
    drop((old, end));
    for epoch in 3..5 {
        let bounds = case.bounds().await;
        assert_eq!((bounds.bytes, bounds.trimmed), (0, bounds.last));
        case.subject.crash().await;
        assert_eq!(case.bounds().await.bytes, 0);
        // Ended again, by who does not know that it is done.
        let again = case.open(epoch).await;
        again.trim(Seq::MAX).await.unwrap();
    }
}

pub(super) async fn an_unknown_log_is_empty(case: Case) {
    assert_eq!(case.bounds().await, LogBounds::default());
    assert!(case.read(1).await.is_empty());
    assert!(case.read(1000).await.is_empty(), "positions to come are no error");
    assert_eq!(case.read_error(0).await.unwrap().kind(), ErrorKind::BadRequest);
    let writer = case.open(1).await;
    let bounds = LogBounds { epoch: Epoch(1), ..LogBounds::default() };
    assert_eq!(LogBounds { bytes: 0, ..writer.bounds() }, bounds);
}

/// Lengths around every block and buffer, down to an empty payload.
const LENS: [usize; 16] = [
    0,
    1,
    100,
    511,
    4096 - 57,
    4096 - 56,
    4096 - 55,
    4096,
    8192 - 56,
    50_000,
    (512 << 10) - 56,
    (1 << 20) - 56,
    (1 << 20) + 1,
    (2 << 20) - 56,
    (2 << 20) - 55,
    5 << 20,
];

pub(super) async fn records_read_back_as_written(case: Case) {
    let writer = case.open(3).await;
    let mut written = Vec::new();
    let mut first = 1;
    for (count, len) in LENS.into_iter().enumerate() {
        let last = first + count as u64;
        let record = record(3, first, last, len);
        writer.append(record.clone()).await.unwrap();
        written.push(record);
        first = last + 1;
    }
    let bounds = writer.bounds();
    assert_eq!(bounds, case.bounds().await);
    assert_eq!((bounds.trimmed, bounds.last, bounds.epoch), (Seq(0), Seq(first - 1), Epoch(3)));
    assert!(bounds.bytes >= LENS.iter().sum::<usize>() as u64);
    assert_eq!(case.read(1).await, written);
    for (at, r) in written.iter().enumerate() {
        for from in [r.first_seq.0, r.last_seq.0] {
            assert_eq!(case.read(from).await, written[at..], "from {from}");
        }
    }
    assert!(case.read(first).await.is_empty());
}

pub(super) async fn records_survive_a_crash(mut case: Case) {
    let mut written = Vec::new();
    for epoch in 1..=4 {
        let writer = case.open(epoch).await;
        for len in [10, 4096, 100_000] {
            let seq = written.len() as u64 + 1;
            let record = record(epoch, seq, seq, len);
            writer.append(record.clone()).await.unwrap();
            written.push(record);
        }
        drop(writer);
        case.subject.crash().await;
        let bounds = case.bounds().await;
        assert_eq!((bounds.last, bounds.epoch), (Seq(written.len() as u64), Epoch(epoch)));
        assert_eq!(case.read(1).await, written);
    }
    let writer = case.open(9).await;
    assert_eq!(writer.bounds().last, Seq(written.len() as u64));
    assert_eq!(case.read(1).await, written);
}

pub(super) async fn a_record_must_follow_the_last_one(case: Case) {
    for (epoch, bad) in [
        (1, record(1, 5, 5, 10)),
        (2, record(2, 3, 3, 10)),
        (3, record(3, 1, 1, 10)),
        (4, record(3, 4, 4, 10)),
        (5, record(6, 4, 4, 10)),
        (6, Record { last_seq: Seq(3), ..record(6, 4, 4, 10) }),
    ] {
        let writer = case.open(epoch).await;
        let last = writer.bounds().last.0;
        append(&*writer, epoch, last + 1..=3).await;
        let e = writer.append(bad).await.unwrap_err();
        assert_eq!((e.kind(), e.is_retryable()), (ErrorKind::BadRequest, false), "{e:?}");
        let good = record(epoch, 4, 4, 10);
        assert_dead(&*writer, good, ErrorKind::BadRequest).await;
        assert_eq!(seqs(&case.read(1).await), [1, 2, 3], "a refused record is not there");
    }
}

pub(super) async fn branches_are_apart(mut case: Case) {
    let journal = case.subject.journal();
    let other = BranchName::new("main-2").unwrap();
    let main = case.open(1).await;
    let writer = journal.open(&other, Epoch(7)).await.unwrap();
    append(&*main, 1, 1..=3).await;
    append(&*writer, 7, 1..=5).await;
    append(&*main, 1, 4..=4).await;
    writer.trim(Seq(5)).await.unwrap();
    drop((main, writer, journal));
    for _ in 0..2 {
        assert_eq!(seqs(&case.read(1).await), [1, 2, 3, 4]);
        assert_eq!(case.bounds().await.epoch, Epoch(1));
        let bounds = case.subject.journal().bounds(&other).await.unwrap();
        assert_eq!((bounds.last, bounds.epoch), (Seq(5), Epoch(7)));
        case.subject.crash().await;
    }
}

pub(super) async fn trimming_keeps_the_rest(mut case: Case) {
    let writer = case.open(1).await;
    let written: Vec<_> = (0..20).map(|i| record(1, 2 * i + 1, 2 * i + 2, 30_000)).collect();
    for record in &written {
        writer.append(record.clone()).await.unwrap();
    }
    let mut trimmed_before = Seq(0);
    // Trimming again, or less, changes nothing.
    for through in [7u64, 7, 3, 20, 39] {
        writer.trim(Seq(through)).await.unwrap();
        let bounds = writer.bounds();
        assert!(bounds.trimmed <= Seq(through.max(20)), "{bounds:?} after {through}");
        assert!(bounds.trimmed >= trimmed_before, "{bounds:?} after {through}");
        assert_eq!(bounds.last, Seq(40));
        trimmed_before = bounds.trimmed;
        let kept = through.max(20) + 1;
        let at = written.partition_point(|r| r.last_seq.0 < kept);
        assert_eq!(case.read(kept).await, written[at..], "from {kept}");
        // What is not said to be trimmed can be read, whatever was asked.
        let at = written.partition_point(|r| r.last_seq <= bounds.trimmed);
        assert_eq!(case.read(bounds.trimmed.0 + 1).await, written[at..]);
        if !case.subject.reads_trimmed() && bounds.trimmed > Seq(0) {
            let e = case.read_error(bounds.trimmed.0).await.expect("trimmed");
            assert_eq!(e.kind(), ErrorKind::BadRequest, "{e:?}");
        }
        if through >= 39 {
            break;
        }
    }
    drop(writer);
    case.subject.crash().await;
    let bounds = case.bounds().await;
    assert!(bounds.trimmed <= Seq(39) && bounds.last == Seq(40), "{bounds:?}");
    assert_eq!(case.read(40).await, written[19..]);
    let writer = case.open(2).await;
    append(&*writer, 2, 41..=42).await;
    assert_eq!(seqs(&case.read(39).await), [39, 41, 42]);
}

pub(super) async fn trimming_to_the_end_empties_the_log(mut case: Case) {
    let mut last = 0;
    for epoch in 1..=3 {
        let writer = case.open(epoch).await;
        assert_eq!(writer.bounds().last, Seq(last));
        append(&*writer, epoch, last + 1..=last + 5).await;
        last += 5;
        writer.trim(Seq(last)).await.unwrap();
        assert_eq!(writer.bounds().last, Seq(last));
        assert!(case.read(last + 1).await.is_empty());
        append(&*writer, epoch, last + 1..=last + 1).await;
        last += 1;
        assert_eq!(seqs(&case.read(last).await), [last]);
        writer.trim(Seq(last)).await.unwrap();
        drop(writer);
        case.subject.crash().await;
        let bounds = case.bounds().await;
        assert_eq!((bounds.last, bounds.epoch), (Seq(last), Epoch(epoch)));
    }
}

pub(super) async fn trimming_past_the_end_moves_the_start(mut case: Case) {
    // On an empty log, as a database does whose journal was lost.
    let writer = case.open(1).await;
    writer.trim(Seq(100)).await.unwrap();
    let bounds = writer.bounds();
    assert_eq!((bounds.trimmed, bounds.last), (Seq(100), Seq(100)));
    append(&*writer, 1, 101..=110).await;
    // On one with records.
    writer.trim(Seq(200)).await.unwrap();
    let bounds = writer.bounds();
    assert_eq!((bounds.trimmed, bounds.last), (Seq(200), Seq(200)));
    assert!(case.read(201).await.is_empty());
    drop(writer);
    case.subject.crash().await;
    let bounds = case.bounds().await;
    assert_eq!((bounds.trimmed, bounds.last, bounds.epoch), (Seq(200), Seq(200), Epoch(1)));
    let writer = case.open(2).await;
    append(&*writer, 2, 201..=203).await;
    drop(writer);
    case.subject.crash().await;
    assert_eq!(seqs(&case.read(201).await), [201, 202, 203]);
    assert_eq!(case.bounds().await.trimmed, Seq(200));
    let writer = case.open(2).await;
    let e = writer.append(record(2, 203, 203, 1)).await.unwrap_err();
    assert_eq!(e.kind(), ErrorKind::BadRequest);
}

pub(super) async fn a_kept_position_is_read_while_writing(case: Case) {
    let writer = case.open(1).await;
    append(&*writer, 1, 1..=50).await;
    // The reader's position: what is before it may go.
    let reading = std::sync::atomic::AtomicU64::new(1);
    let order = std::sync::atomic::Ordering::SeqCst;
    let write = async {
        for seq in 51..=300 {
            writer.append(record(1, seq, seq, seq as usize * 100)).await.unwrap();
            if seq % 20 == 0 {
                writer.trim(Seq(reading.load(order) - 1)).await.unwrap();
            }
            case.env.yield_now().await;
        }
    };
    let read = async {
        loop {
            case.env.yield_now().await;
            let last = case.bounds().await.last.0;
            let from = last.saturating_sub(60).max(1);
            reading.store(from, order);
            let mut next = from;
            let stream = case.subject.journal().read(&case.branch, Seq(from)).await.unwrap();
            for got in within(&case.env, stream.collect::<Vec<_>>()).await {
                let got = got.unwrap();
                assert_eq!(got.first_seq, Seq(next));
                assert_eq!(got, record(1, next, next, got.payload.len()));
                next += 1;
            }
            assert!(next > last, "a read sees what was durable when it began");
            if last == 300 {
                return;
            }
        }
    };
    futures::join!(write, read);
}
