//! Who may write.

use super::*;

pub(super) async fn a_newer_epoch_ends_the_older_writer(mut case: Case) {
    let old = case.open(1).await;
    append(&*old, 1, 1..=3).await;
    let new = case.open(2).await;
    assert_eq!((new.bounds().last, new.bounds().epoch), (Seq(3), Epoch(2)));
    assert_dead(&*old, record(1, 4, 4, 10), ErrorKind::Fenced).await;
    append(&*new, 2, 4..=5).await;
    assert_dead(&*old, record(1, 6, 6, 10), ErrorKind::Fenced).await;
    let records = case.read(1).await;
    assert_eq!(seqs(&records), [1, 2, 3, 4, 5]);
    assert_eq!(records[4], record(2, 5, 5, 100));
    drop((old, new));
    case.subject.crash().await;
    assert_eq!(case.read(1).await, records);
    assert_eq!(case.bounds().await.epoch, Epoch(2));
}

pub(super) async fn an_older_epoch_cannot_open(mut case: Case) {
    drop(case.open(5).await);
    for _ in 0..2 {
        let opened = case.subject.journal().open(&case.branch, Epoch(4)).await;
        assert_eq!(opened.expect_err("fenced").kind(), ErrorKind::Fenced);
        // The epoch was durable before the opening returned.
        case.subject.crash().await;
    }
    let writer = case.open(5).await;
    append(&*writer, 5, 1..=1).await;
}

pub(super) async fn the_same_epoch_again_ends_the_earlier_writer(case: Case) {
    let first = case.open(1).await;
    append(&*first, 1, 1..=2).await;
    let second = case.open(1).await;
    append(&*second, 1, 3..=3).await;
    // A remote writer knows only what it wrote itself.
    assert_dead(&*first, record(1, 3, 3, 10), ErrorKind::Fenced).await;
    append(&*second, 1, 4..=4).await;
    assert_eq!(seqs(&case.read(1).await), [1, 2, 3, 4]);
}

pub(super) async fn a_fenced_writer_trims_nothing(case: Case) {
    let old = case.open(1).await;
    append(&*old, 1, 1..=5).await;
    let new = case.open(2).await;
    for through in [3, 5, 100, u64::MAX] {
        assert_eq!(old.trim(Seq(through)).await.unwrap_err().kind(), ErrorKind::Fenced);
    }
    assert_eq!(case.bounds().await.trimmed, Seq(0));
    assert_eq!(seqs(&case.read(1).await), [1, 2, 3, 4, 5]);
    append(&*new, 2, 6..=6).await;
}

pub(super) async fn racing_openers_leave_one_writer(case: Case) {
    let mut last = 0;
    for round in 0..10 {
        let epochs: Vec<u64> = (1..=4).map(|n| 10 * round + n).collect();
        let journal = case.subject.journal();
        let opens = epochs.iter().map(|&epoch| {
            let (journal, branch) = (Arc::clone(&journal), case.branch.clone());
            case.env.spawn(firn_engine::TaskClass::Foreground, "opener", async move {
                let writer = journal.open(&branch, Epoch(epoch)).await.ok()?;
                let next = writer.bounds().last.next().0;
                let written = writer.append(record(epoch, next, next, 10)).await.is_ok();
                Some((epoch, writer, written.then_some(next)))
            })
        });
        let done = futures::future::join_all(opens.collect::<Vec<_>>()).await;
        let done: Vec<_> = done.into_iter().map(Option::unwrap).collect();
        let records = case.read(last + 1).await;
        let expected: Vec<u64> = (last + 1..).take(records.len()).collect();
        assert_eq!(seqs(&records), expected, "no gaps");
        for (epoch, _, written) in done.iter().flatten() {
            if let Some(seq) = written {
                let found = &records[(seq - last - 1) as usize];
                assert_eq!(*found, record(*epoch, *seq, *seq, 10), "what was acknowledged");
            }
        }
        last += records.len() as u64;
        let newest = *epochs.last().unwrap();
        for (epoch, writer, _) in done.into_iter().flatten() {
            let next = writer.bounds().last.next().0;
            let appended = writer.append(record(epoch, next, next, 10)).await;
            if epoch == newest {
                appended.unwrap();
            } else {
                assert_eq!(appended.unwrap_err().kind(), ErrorKind::Fenced);
            }
        }
        last += 1;
        assert_eq!(case.bounds().await.last, Seq(last));
        assert_eq!(case.bounds().await.epoch, Epoch(newest));
    }
}

/// A writer appends as fast as it can while it is taken over: what it was told
/// is in the log is there for the new writer, and nothing comes after.
pub(super) async fn what_a_fenced_writer_was_told_is_true(case: Case) {
    let mut last = 0;
    for epoch in 1..=20 {
        let old = case.open(2 * epoch).await;
        let (told, mut hear) = firn_engine::watch::channel(last);
        let writing = {
            let (old, env) = (Arc::clone(&old), case.env.clone());
            case.env.spawn(firn_engine::TaskClass::Foreground, "old", async move {
                for seq in last + 1.. {
                    if let Err(e) = old.append(record(2 * epoch, seq, seq, 100)).await {
                        assert_eq!(e.kind(), ErrorKind::Fenced, "{e:?}");
                        return;
                    }
                    told.send_replace(seq);
                    env.yield_now().await;
                }
            })
        };
        within(&case.env, hear.wait_for(|seq| *seq >= last + epoch)).await.unwrap();
        let new = case.open(2 * epoch + 1).await;
        let found = new.bounds().last.0;
        within(&case.env, writing).await.expect("the old writer noticed");
        let told = *hear.borrow();
        assert!(found >= told, "seq {told} was acknowledged, the new writer found {found}");
        let records = case.read(1).await;
        assert_eq!(records.len() as u64, found, "nothing came in after the opening");
        append(&*new, 2 * epoch + 1, found + 1..=found + 1).await;
        last = found + 1;
    }
}
