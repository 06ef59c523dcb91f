//! Bugs that are planted in each protocol, to prove that the simulation can fail.
//!
//! Each is looked for in one seed after the other, up to a bound, and the seed that finds it
//! passes without it. Those of the journal and of the storage service are in their crates;
//! those of an engine's, a worker's and a client's protocols are made here, of parts that do
//! what they should not (`parts`).

mod parts;

use super::{run, run_with};

pub(crate) use parts::parts;

/// A bug, and where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Planted {
    #[default]
    Nothing,
    Journal(firn_journal::raft::Planted),
    Storage(firn_storage::Planted),
    /// The journal's members trim before the archive has the records.
    TrimBeforeArchive,
    /// An engine reads the journal before it has fenced the writer before it.
    ReplayBeforeFence,
    /// Commits are acknowledged when they are on their way to the journal.
    AckBeforeAppend,
    /// The journal's client takes what it has lost sight of for done.
    UnknownIsDone,
    /// An engine trims the journal before the manifest names the files.
    TrimBeforeCommit,
    /// Files are reported when they are on their way to the object store.
    ReportBeforeStored,
    /// Who finds the name of an object taken takes that for its own doing.
    TakenIsDone,
}

/// Seeds until the bug must have been found.
const SEEDS_MAX: u64 = 40;

fn is_found(bug: Planted) {
    for seed in 1..=SEEDS_MAX {
        if let Err(wrong) = run_with(seed, bug) {
            eprintln!("{bug:?} is found by seed {seed}: {wrong}");
            run(seed).unwrap_or_else(|wrong| panic!("FIRN_SEED={seed}, with no bug: {wrong}"));
            return;
        }
    }
    panic!("{bug:?} is not found in {SEEDS_MAX} seeds");
}

#[test]
fn a_journal_that_takes_appends_of_fenced_writers_is_found() {
    is_found(Planted::Journal(firn_journal::raft::Planted::SkipEpochCheck));
}

#[test]
fn a_journal_that_answers_before_the_majority_has_a_record_is_found() {
    is_found(Planted::Journal(firn_journal::raft::Planted::AckBeforeQuorum));
}

#[test]
fn a_journal_that_answers_before_it_has_synced_is_found() {
    is_found(Planted::Journal(firn_journal::raft::Planted::AckBeforeSync));
}

#[test]
fn storage_that_takes_flushes_of_fenced_writers_is_found() {
    is_found(Planted::Storage(firn_storage::Planted::SkipEpochCheck));
}

#[test]
fn storage_that_deletes_before_it_publishes_is_found() {
    is_found(Planted::Storage(firn_storage::Planted::DeleteBeforePublish));
}

#[test]
fn storage_that_deletes_what_is_read_is_found() {
    is_found(Planted::Storage(firn_storage::Planted::ForgetReaders));
}

#[test]
fn storage_that_gives_up_what_snapshots_see_is_found() {
    is_found(Planted::Storage(firn_storage::Planted::ForgetSnapshots));
}

#[test]
fn an_engine_that_reads_the_journal_before_it_has_fenced_the_writer_is_found() {
    is_found(Planted::ReplayBeforeFence);
}

#[test]
fn a_member_that_cuts_what_other_branches_need_is_found() {
    is_found(Planted::Journal(firn_journal::raft::Planted::CutOthersRecords));
}

#[test]
fn a_member_whose_base_is_ahead_of_its_place_is_found() {
    is_found(Planted::Journal(firn_journal::raft::Planted::BaseOfNow));
}

#[test]
fn a_member_that_forgets_who_belongs_to_its_group_is_found() {
    is_found(Planted::Journal(firn_journal::raft::Planted::ForgetMembers));
}

#[test]
fn a_journal_that_trims_before_it_has_archived_is_found() {
    is_found(Planted::TrimBeforeArchive);
}

#[test]
fn storage_that_forgets_the_readers_of_its_predecessor_is_found() {
    is_found(Planted::Storage(firn_storage::Planted::ForgetStoredLeases));
}

#[test]
fn a_branch_that_is_made_before_its_parent_keeps_its_files_is_found() {
    is_found(Planted::Storage(firn_storage::Planted::CreateBeforePin));
}

#[test]
fn storage_that_deletes_what_other_branches_need_is_found() {
    is_found(Planted::Storage(firn_storage::Planted::ForgetBranches));
}

#[test]
fn a_branch_that_is_dropped_while_it_is_made_and_leaves_its_name_is_found() {
    is_found(Planted::Storage(firn_storage::Planted::ForgetPins));
}

#[test]
fn a_branch_whose_files_go_before_it_is_dropped_is_found() {
    is_found(Planted::Storage(firn_storage::Planted::DeleteBeforeDrop));
}

#[test]
fn logs_that_stay_when_their_branches_are_dropped_are_found() {
    is_found(Planted::Storage(firn_storage::Planted::KeepLogs));
}

#[test]
fn storage_that_was_away_and_commits_to_the_past_is_found() {
    is_found(Planted::Storage(firn_storage::Planted::LiveInThePast));
}

#[test]
fn a_flush_that_is_answered_before_it_is_made_is_found() {
    is_found(Planted::Storage(firn_storage::Planted::AnswerFlushAtOnce));
}

#[test]
fn storage_that_takes_uploads_for_orphans_is_found() {
    is_found(Planted::Storage(firn_storage::Planted::ForgetUploads));
}

#[test]
fn storage_that_takes_reports_of_two_workers_for_one_shard_is_found() {
    is_found(Planted::Storage(firn_storage::Planted::TwoHolders));
}

#[test]
fn an_engine_that_acknowledges_before_the_journal_has_a_commit_is_found() {
    is_found(Planted::AckBeforeAppend);
}

#[test]
fn an_engine_that_trims_before_its_files_are_named_is_found() {
    is_found(Planted::TrimBeforeCommit);
}

#[test]
fn a_journal_s_client_that_guesses_the_fate_of_a_record_is_found() {
    is_found(Planted::UnknownIsDone);
}

#[test]
fn files_that_are_reported_before_they_are_stored_are_found() {
    is_found(Planted::ReportBeforeStored);
}

#[test]
fn two_that_both_believe_to_have_made_an_object_are_found() {
    is_found(Planted::TakenIsDone);
}
