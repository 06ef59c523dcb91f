//! Appends that fail.

use super::*;

pub(super) async fn a_refused_record_may_be_appended_again(mut case: Case) {
    let branch = case.branch.clone();
    let writer = case.open(1).await;
    append(&*writer, 1, 1..=2).await;
    if !case.subject.fail_next_append(&branch, AppendFault::Refused) {
        return;
    }
    let e = writer.append(record(1, 3, 3, 10)).await.unwrap_err();
    assert!(e.is_retryable(), "{e:?}");
    assert_eq!(seqs(&case.read(1).await), [1, 2], "retryable: nothing was written");
    // The same seqs may come with other contents.
    writer.append(record(1, 3, 9, 20)).await.unwrap();
    append(&*writer, 1, 10..=10).await;
    drop(writer);
    case.subject.crash().await;
    assert_eq!(seqs(&case.read(1).await), [1, 2, 3, 10]);
}

pub(super) async fn a_lost_record_ends_the_writer(case: Case) {
    fault_ends_the_writer(case, AppendFault::Lost).await;
}

pub(super) async fn a_lost_reply_ends_the_writer(case: Case) {
    fault_ends_the_writer(case, AppendFault::ReplyLost).await;
}

async fn fault_ends_the_writer(mut case: Case, fault: AppendFault) {
    let branch = case.branch.clone();
    let mut next = 1;
    for epoch in 1..=3 {
        let writer = case.open(epoch).await;
        append(&*writer, epoch, next..=next + 1).await;
        next += 2;
        if !case.subject.fail_next_append(&branch, fault) {
            return;
        }
        let e = writer.append(record(epoch, next, next, 10_000)).await.unwrap_err();
        assert!(!e.is_retryable(), "{e:?}");
        assert_dead(&*writer, record(epoch, next, next, 10), e.kind()).await;
        assert_dead(&*writer, record(epoch, next + 1, next + 1, 10), e.kind()).await;
        drop(writer);
        case.subject.crash().await;
        let records = case.read(1).await;
        let found = records.len() as u64;
        assert!((next - 1..=next).contains(&found), "{found} of {next}");
        if fault == AppendFault::ReplyLost {
            assert_eq!(found, next, "it was written");
        }
        next = found + 1;
        assert_eq!(seqs(&records), (1..next).collect::<Vec<_>>());
    }
}

/// The caller goes away in the middle of an append.
pub(super) async fn an_append_that_nobody_waits_for(mut case: Case) {
    let mut written = Vec::new();
    for epoch in 1..=10 {
        let writer = case.open(epoch).await;
        let first = writer.bounds().last.next().0;
        for r in case.read(1).await.into_iter().skip(written.len()) {
            written.push(r);
        }
        assert_eq!(first, written.len() as u64 + 1);
        let acknowledged = record(epoch, first, first, 3000);
        writer.append(acknowledged.clone()).await.unwrap();
        written.push(acknowledged);
        {
            let lost = writer.append(record(epoch, first + 1, first + 1, 20_000));
            futures::pin_mut!(lost);
            for _ in 0..epoch - 1 {
                if futures::poll!(&mut lost).is_ready() {
                    break;
                }
            }
        }
        drop(writer);
        if epoch % 2 == 0 {
            case.subject.crash().await;
        }
        let found = case.open(epoch).await.bounds().last.0;
        let acknowledged = written.len() as u64;
        assert!((acknowledged..=acknowledged + 1).contains(&found), "{found} {acknowledged}");
        assert_eq!(case.read(1).await[..written.len()], written[..]);
    }
}
