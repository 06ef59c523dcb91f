//! The anomalies of the literature, at each level, as InnoDB shows or prevents
//! them.

use super::LEVELS;
use super::schedule::schedule;
use crate::txn::IsolationLevel::{ReadCommitted, RepeatableRead, Serializable};

/// All of them, for [`super::server`].
pub(super) const ALL: &[fn()] = &[
    dirty_writes_never_happen,
    aborted_writes_are_never_read,
    intermediate_writes_are_never_read,
    information_does_not_flow_in_circles,
    a_transaction_once_observed_does_not_vanish,
    a_predicate_read_twice,
    a_predicate_and_a_write_that_sees_more_than_the_snapshot,
    updates_of_what_was_read_without_a_lock_may_be_lost,
    updates_of_what_was_read_with_a_lock_are_not_lost,
    read_skew,
    write_skew,
    write_skew_by_inserts,
    locked_ranges_keep_inserts_out,
    ranges_are_locked_as_far_as_they_were_asked_for,
    locking_reads_wait_for_inserts_on_their_way,
    locking_reads_wait_for_rows_that_change_or_go,
    locking_reads_without_ranges_give_only_what_is_locked,
    who_is_waited_for_may_insert_into_the_range,
    a_key_is_inserted_once,
    inserts_crosswise_are_a_deadlock,
    the_one_who_wrote_least_is_the_victim,
];

#[test]
fn dirty_writes_never_happen() {
    for level in LEVELS {
        schedule(
            level,
            "1 update a 11 = ok
             2 update a 12 = blocked
             1 update b 21 = ok
             1 commit = ok
             2 goes on = ok
             2 update b 22 = ok
             2 commit = ok
             3 get a = 12
             3 get b = 22",
        );
    }
}

#[test]
fn aborted_writes_are_never_read() {
    for level in [ReadCommitted, RepeatableRead] {
        schedule(
            level,
            "1 update a 101 = ok
             2 get a = 10
             1 rollback = ok
             2 get a = 10",
        );
    }
    schedule(
        Serializable,
        "1 update a 101 = ok
         2 get a = blocked
         1 rollback = ok
         2 goes on = 10",
    );
}

#[test]
fn intermediate_writes_are_never_read() {
    let script = |then: &str| {
        "1 update a 101 = ok
         2 get a = 10
         1 update a 11 = ok
         1 commit = ok
         2 get a = "
            .to_owned()
            + then
    };
    schedule(ReadCommitted, &script("11"));
    schedule(RepeatableRead, &script("10"));
    schedule(
        Serializable,
        "1 update a 101 = ok
         2 get a = blocked
         1 update a 11 = ok
         1 commit = ok
         2 goes on = 11",
    );
}

#[test]
fn information_does_not_flow_in_circles() {
    for level in [ReadCommitted, RepeatableRead] {
        schedule(
            level,
            "1 update a 11 = ok
             2 update b 22 = ok
             1 get b = 20
             2 get a = 10
             1 commit = ok
             2 commit = ok",
        );
    }
    schedule(
        Serializable,
        "1 update a 11 = ok
         2 update b 22 = ok
         1 get b = blocked
         2 get a = deadlock
         1 goes on = 20",
    );
}

#[test]
fn a_transaction_once_observed_does_not_vanish() {
    let script = |then: &str| {
        "1 update a 11 = ok
         1 update b 19 = ok
         2 update a 12 = blocked
         1 commit = ok
         2 goes on = ok
         3 get a = 11
         2 update b 18 = ok
         3 get b = 19
         2 commit = ok
         "
        .to_owned()
            + then
    };
    schedule(ReadCommitted, &script("3 get b = 18\n3 get a = 12"));
    schedule(RepeatableRead, &script("3 get b = 19\n3 get a = 11"));
}

#[test]
fn a_predicate_read_twice() {
    let script = |then: &str| {
        "1 range a z = a:10 b:20
         2 insert c 30 = ok
         2 commit = ok
         1 range a z = "
            .to_owned()
            + then
    };
    schedule(ReadCommitted, &script("a:10 b:20 c:30"));
    schedule(RepeatableRead, &script("a:10 b:20"));
    schedule(
        Serializable,
        "1 range a z = a:10 b:20
         2 insert c 30 = blocked
         1 range a z = a:10 b:20
         1 commit = ok
         2 goes on = ok",
    );
}

#[test]
fn a_predicate_and_a_write_that_sees_more_than_the_snapshot() {
    schedule(
        RepeatableRead,
        "1 range a z = a:10 b:20
         2 insert c 30 = ok
         2 update a 12 = ok
         2 commit = ok
         1 range a z for-update = a:12 b:20 c:30
         1 update c 31 = ok
         1 range a z = a:10 b:20 c:31",
    );
}

#[test]
fn updates_of_what_was_read_without_a_lock_may_be_lost() {
    for level in [ReadCommitted, RepeatableRead] {
        schedule(
            level,
            "1 get a = 10
             2 get a = 10
             1 update a 11 = ok
             2 update a 12 = blocked
             1 commit = ok
             2 goes on = ok
             2 commit = ok
             3 get a = 12",
        );
    }
    schedule(
        Serializable,
        "1 get a = 10
         2 get a = 10
         1 update a 11 = blocked
         2 update a 12 = deadlock
         1 goes on = ok
         1 commit = ok
         3 get a = 11",
    );
}

#[test]
fn updates_of_what_was_read_with_a_lock_are_not_lost() {
    for level in LEVELS {
        schedule(
            level,
            "1 get a for-update = 10
             2 get a for-update = blocked
             1 update a 11 = ok
             1 commit = ok
             2 goes on = 11
             2 update a 12 = ok
             2 commit = ok
             3 get a = 12",
        );
    }
}

#[test]
fn read_skew() {
    let script = |then: &str| {
        "1 get a = 10
         2 get a = 10
         2 get b = 20
         2 update a 12 = ok
         2 update b 18 = ok
         2 commit = ok
         1 get b = "
            .to_owned()
            + then
    };
    schedule(ReadCommitted, &script("18"));
    schedule(RepeatableRead, &script("20"));
    // Locking reads see the newest at this level: so does InnoDB.
    schedule(RepeatableRead, &script("20\n1 get b for-share = 18"));
    schedule(
        Serializable,
        "1 get a = 10
         2 update a 12 = blocked
         1 get b = 20
         1 commit = ok
         2 goes on = ok",
    );
}

#[test]
fn write_skew() {
    for level in [ReadCommitted, RepeatableRead] {
        schedule(
            level,
            "1 range a b = a:10 b:20
             2 range a b = a:10 b:20
             1 update a 11 = ok
             2 update b 21 = ok
             1 commit = ok
             2 commit = ok",
        );
    }
    schedule(
        Serializable,
        "1 range a b = a:10 b:20
         2 range a b = a:10 b:20
         1 update a 11 = blocked
         2 update b 21 = deadlock
         1 goes on = ok",
    );
}

#[test]
fn write_skew_by_inserts() {
    for level in [ReadCommitted, RepeatableRead] {
        schedule(
            level,
            "1 range c z = none
             2 range c z = none
             1 insert d 1 = ok
             2 insert e 1 = ok
             1 commit = ok
             2 commit = ok",
        );
    }
    schedule(
        Serializable,
        "1 range c z = none
         2 range c z = none
         1 insert d 1 = blocked
         2 insert e 1 = deadlock
         1 goes on = ok",
    );
}

#[test]
fn locked_ranges_keep_inserts_out() {
    for level in [RepeatableRead, Serializable] {
        schedule(
            level,
            "1 range a m for-update = a:10 b:20
             2 insert c 1 = blocked
             1 range a m for-update = a:10 b:20
             1 insert d 1 = ok
             1 commit = ok
             2 goes on = ok",
        );
    }
    schedule(
        ReadCommitted,
        "1 range a m for-update = a:10 b:20
         2 insert c 1 = ok
         2 commit = ok
         1 range a m for-update = a:10 b:20 c:1",
    );
}

/// What lies behind it is free; InnoDB locks up to the next row.
#[test]
fn ranges_are_locked_as_far_as_they_were_asked_for() {
    for level in [RepeatableRead, Serializable] {
        schedule(
            level,
            "1 range a m for-update = a:10 b:20
             2 insert n 1 = ok | blocked",
        );
    }
}

/// READ COMMITTED, too, waits for rows that are being inserted: what it then
/// sees is committed.
#[test]
fn locking_reads_wait_for_inserts_on_their_way() {
    for level in LEVELS {
        schedule(
            level,
            "1 insert c 30 = ok
             2 range a z for-share = blocked
             1 insert d 40 = ok
             1 commit = ok
             2 goes on = a:10 b:20 c:30 d:40",
        );
        schedule(
            level,
            "1 insert c 30 = ok
             2 range a z for-share = blocked
             1 rollback = ok
             2 goes on = a:10 b:20",
        );
    }
}

#[test]
fn locking_reads_wait_for_rows_that_change_or_go() {
    for level in LEVELS {
        schedule(
            level,
            "1 delete a = ok
             1 update b 21 = ok
             2 range a z for-update = blocked
             1 commit = ok
             2 goes on = b:21",
        );
    }
}

/// What came while the second look was waited for is not locked, so it is not seen.
#[test]
fn locking_reads_without_ranges_give_only_what_is_locked() {
    schedule(
        ReadCommitted,
        "1 update b 21 = ok
         2 range b z for-update = blocked
         3 insert c 30 = ok
         3 commit = ok
         3 update c 31 = ok
         1 commit = ok
         2 goes on = blocked
         4 insert d 40 = ok
         4 commit = ok
         3 commit = ok
         2 goes on = b:21 c:31 | b:21 c:31 d:40
         4 update d 41 = ok | blocked",
    );
}

/// A range is locked after its rows, so that who holds a row may insert beside it.
#[test]
fn who_is_waited_for_may_insert_into_the_range() {
    for level in LEVELS {
        schedule(
            level,
            "1 update b 21 = ok
             2 range a z for-share = blocked
             1 insert c 30 = ok
             1 commit = ok
             2 goes on = a:10 b:21 c:30",
        );
    }
}

#[test]
fn a_key_is_inserted_once() {
    for level in LEVELS {
        schedule(
            level,
            "1 insert c 1 = ok
             2 insert c 2 = blocked
             1 commit = ok
             2 goes on = duplicate
             2 rollback = ok
             1 delete c = ok
             2 insert c 3 = blocked
             1 insert c 4 = ok
             1 delete c = ok
             1 commit = ok
             2 goes on = ok
             2 commit = ok
             3 get c = 3",
        );
    }
}

/// Both wait for the other's insert; the second, which has written as much, goes.
#[test]
fn inserts_crosswise_are_a_deadlock() {
    for level in LEVELS {
        schedule(
            level,
            "1 insert c 1 = ok
             2 insert d 2 = ok
             1 insert d 1 = blocked
             2 insert c 2 = deadlock
             1 goes on = ok
             1 commit = ok
             3 range c d = c:1 d:1",
        );
    }
}

#[test]
fn the_one_who_wrote_least_is_the_victim() {
    for level in LEVELS {
        schedule(
            level,
            "1 update a 11 = ok
             2 insert c 2 = ok
             2 insert d 2 = ok
             2 update b 22 = ok
             1 update b 12 = blocked
             2 update a 21 = ok
             1 goes on = deadlock
             2 commit = ok
             1 get a = 21",
        );
    }
}
