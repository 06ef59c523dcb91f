//! The suite that every journal passes: the contract of
//! [`firn_engine::journal`] as tests.
//!
//! An implementation says how to make a fresh journal and how to crash it, by
//! [`Subject`], and calls [`run`]. Seeds are printed; `FIRN_SEED` repeats one.

#![expect(clippy::print_stderr, reason = "seeds and cases are printed")]
#![expect(clippy::missing_panics_doc, reason = "panicking is how a test fails")]

mod basics;
mod faults;
mod fencing;
mod model;
mod tails;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use firn_engine::journal::{Journal, JournalWriter, LogBounds, Record, RecordStream};
use firn_engine::{BranchName, Env, Epoch, Error, ErrorKind, Result, Seq};
use futures::StreamExt;
use futures::future::BoxFuture;

use crate::AppendFault;

/// Longest wait for something that must happen.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// A journal under test, with what it keeps over a crash.
#[async_trait]
pub trait Subject: Send + Sync {
    /// The journal, as it is open now.
    fn journal(&self) -> Arc<dyn Journal>;

    /// Ends the process that holds the journal, without warning, and opens it
    /// again from what was durable.
    async fn crash(&mut self);

    /// Makes the next append fail; `false` if that cannot be done here.
    fn fail_next_append(&mut self, branch: &BranchName, fault: AppendFault) -> bool;

    /// Whether trimmed positions can still be read.
    fn reads_trimmed(&self) -> bool {
        false
    }
}

/// Makes subjects that share nothing.
pub type Fresh<'a> = &'a (dyn Fn() -> BoxFuture<'static, Box<dyn Subject>> + Send + Sync);

/// Runs the whole suite. `rounds` is how often the randomised parts run.
pub async fn run(env: &Env, fresh: Fresh<'_>, rounds: u64) {
    macro_rules! cases {
        ($($module:ident::$case:ident),* $(,)?) => {$(
            eprintln!(concat!("  ", stringify!($module), "::", stringify!($case)));
            let case = $module::$case(Case::new(env, fresh).await);
            assert!(env.timeout(2 * WAIT_MAX, case).await.is_some(), "hangs");
        )*};
    }
    cases![
        basics::an_unknown_log_is_empty,
        basics::records_read_back_as_written,
        basics::records_survive_a_crash,
        basics::a_record_must_follow_the_last_one,
        basics::branches_are_apart,
        basics::trimming_keeps_the_rest,
        basics::trimming_to_the_end_empties_the_log,
        basics::trimming_past_the_end_moves_the_start,
        basics::a_kept_position_is_read_while_writing,
        fencing::a_newer_epoch_ends_the_older_writer,
        fencing::an_older_epoch_cannot_open,
        fencing::the_same_epoch_again_ends_the_earlier_writer,
        fencing::a_fenced_writer_trims_nothing,
        basics::a_log_that_ends_for_good_leaves_nothing,
        fencing::racing_openers_leave_one_writer,
        fencing::what_a_fenced_writer_was_told_is_true,
        tails::tails_see_everything_in_order,
        tails::a_tail_waits_for_a_position_to_come,
        tails::tails_go_on_under_a_new_writer,
        tails::a_tail_that_falls_behind_says_so,
        faults::a_refused_record_may_be_appended_again,
        faults::a_lost_record_ends_the_writer,
        faults::a_lost_reply_ends_the_writer,
        faults::an_append_that_nobody_waits_for,
    ];
    for _ in 0..rounds {
        let seed = match std::env::var("FIRN_SEED") {
            Ok(text) => text.parse().expect("FIRN_SEED is a number"),
            Err(_) => env.random_u64(),
        };
        eprintln!("  model, FIRN_SEED={seed}");
        let case = model::run(Case::new(env, fresh).await, seed);
        assert!(env.timeout(2 * WAIT_MAX, case).await.is_some(), "hangs");
    }
}

/// What a case works with.
struct Case {
    env: Env,
    subject: Box<dyn Subject>,
    branch: BranchName,
}

impl Case {
    async fn new(env: &Env, fresh: Fresh<'_>) -> Self {
        Self { env: env.clone(), subject: fresh().await, branch: BranchName::main() }
    }

    async fn open(&self, epoch: u64) -> Arc<dyn JournalWriter> {
        self.subject.journal().open(&self.branch, Epoch(epoch)).await.unwrap()
    }

    async fn bounds(&self) -> LogBounds {
        self.subject.journal().bounds(&self.branch).await.unwrap()
    }

    /// Everything from `from` to the end.
    async fn read(&self, from: u64) -> Vec<Record> {
        let stream = self.subject.journal().read(&self.branch, Seq(from)).await.unwrap();
        let records: Vec<Result<Record>> = within(&self.env, stream.collect()).await;
        records.into_iter().map(Result::unwrap).collect()
    }

    /// The error of a read, from the call or from inside the stream.
    async fn read_error(&self, from: u64) -> Option<Error> {
        match self.subject.journal().read(&self.branch, Seq(from)).await {
            Ok(stream) => {
                let records: Vec<Result<Record>> = within(&self.env, stream.collect()).await;
                records.into_iter().find_map(Result::err)
            }
            Err(e) => Some(e),
        }
    }

    async fn tail(&self, from: u64) -> RecordStream {
        self.subject.journal().tail(&self.branch, Seq(from)).await.unwrap()
    }
}

/// A record that says what it is in its payload.
fn record(epoch: u64, first: u64, last: u64, len: usize) -> Record {
    let mut payload = format!("{epoch}/{first}-{last}/").into_bytes();
    let mut state = first.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    while payload.len() < len {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        payload.extend_from_slice(&state.to_le_bytes());
    }
    payload.truncate(len);
    Record {
        epoch: Epoch(epoch),
        first_seq: Seq(first),
        last_seq: Seq(last),
        unix_ms: 1_700_000_000_000 + first,
        payload: Bytes::from(payload),
    }
}

/// Records of one seq each, appended.
async fn append(writer: &dyn JournalWriter, epoch: u64, seqs: std::ops::RangeInclusive<u64>) {
    for seq in seqs {
        writer.append(record(epoch, seq, seq, 100)).await.unwrap();
    }
}

async fn within<T>(env: &Env, work: impl Future<Output = T>) -> T {
    env.timeout(WAIT_MAX, work).await.expect("in time")
}

fn seqs(records: &[Record]) -> Vec<u64> {
    records.iter().map(|r| r.first_seq.0).collect()
}

/// What a dead writer says: the same on every call.
async fn assert_dead(writer: &dyn JournalWriter, next: Record, kind: ErrorKind) {
    for _ in 0..2 {
        let e = writer.append(next.clone()).await.unwrap_err();
        assert_eq!((e.kind(), e.is_retryable()), (kind, false), "append: {e:?}");
        let e = writer.trim(Seq(1)).await.unwrap_err();
        assert_eq!((e.kind(), e.is_retryable()), (kind, false), "trim: {e:?}");
    }
}
