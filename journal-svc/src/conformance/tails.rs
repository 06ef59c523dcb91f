//! Readers that wait for more.

use super::*;

async fn next(case: &Case, tail: &mut RecordStream) -> Option<Result<Record>> {
    within(&case.env, tail.next()).await
}

pub(super) async fn tails_see_everything_in_order(case: Case) {
    let writer = case.open(1).await;
    append(&*writer, 1, 1..=10).await;
    let mut tails = Vec::new();
    for from in [1u64, 5, 10, 11, 30] {
        let (mut tail, env) = (case.tail(from).await, case.env.clone());
        tails.push(case.env.spawn(firn_engine::TaskClass::Foreground, "tail", async move {
            for seq in from..=200 {
                let got = within(&env, tail.next()).await.unwrap().unwrap();
                assert_eq!(got, record(1, seq, seq, got.payload.len()));
            }
        }));
    }
    for seq in 11..=200 {
        writer.append(record(1, seq, seq, 40 * seq as usize)).await.unwrap();
    }
    for tail in tails {
        tail.await.expect("all of it");
    }
}

pub(super) async fn a_tail_waits_for_a_position_to_come(case: Case) {
    // Of a log that does not exist yet.
    let mut tail = case.tail(3).await;
    assert!(futures::poll!(tail.next()).is_pending());
    let writer = case.open(1).await;
    append(&*writer, 1, 1..=2).await;
    assert!(futures::poll!(tail.next()).is_pending());
    writer.append(record(1, 3, 7, 10)).await.unwrap();
    assert_eq!(next(&case, &mut tail).await.unwrap().unwrap(), record(1, 3, 7, 10));
    // A position inside a record gets the whole record.
    let mut inside = case.tail(5).await;
    assert_eq!(next(&case, &mut inside).await.unwrap().unwrap(), record(1, 3, 7, 10));
}

pub(super) async fn tails_go_on_under_a_new_writer(case: Case) {
    let mut tail = case.tail(1).await;
    let mut seq = 0;
    for epoch in 1..=5 {
        let writer = case.open(epoch).await;
        append(&*writer, epoch, seq + 1..=seq + 3).await;
        for _ in 0..3 {
            seq += 1;
            let got = next(&case, &mut tail).await.unwrap().unwrap();
            assert_eq!(got, record(epoch, seq, seq, 100));
        }
    }
}

pub(super) async fn a_tail_that_falls_behind_says_so(case: Case) {
    let writer = case.open(1).await;
    append(&*writer, 1, 1..=3).await;
    let mut tail = case.tail(1).await;
    assert_eq!(next(&case, &mut tail).await.unwrap().unwrap().first_seq, Seq(1));
    append(&*writer, 1, 4..=6).await;
    writer.trim(Seq(1000)).await.unwrap();
    append(&*writer, 1, 1001..=1002).await;
    // It may still have what it was about to give, but never skips.
    let mut expected = 2;
    loop {
        match next(&case, &mut tail).await.expect("an error before the end") {
            Ok(got) => assert_eq!(got, record(1, expected, expected, 100)),
            Err(e) => {
                assert_eq!(e.kind(), ErrorKind::BadRequest, "{e:?}");
                break;
            }
        }
        expected += 1;
        assert!(expected <= 7, "there is nothing between 6 and 1001");
    }
    assert!(next(&case, &mut tail).await.is_none(), "the stream ends with its error");
    let mut fresh = case.tail(1001).await;
    assert_eq!(next(&case, &mut fresh).await.unwrap().unwrap().first_seq, Seq(1001));
}
