//! Who is alone, and whose append it was.

use tracing::span::{Attributes, Id, Record as Values};

use super::*;

#[test]
fn a_writer_is_alone_after_some_groups_of_its_own() {
    let mut solitude = Solitude::default();
    for group in 1..=2 * ALONE_AFTER {
        solitude.waited();
        assert_eq!(solitude.comes(1), group >= ALONE_AFTER, "group {group}");
    }
    // Another one committed meanwhile.
    solitude.waited();
    assert!(!solitude.comes(2));
    solitude.waited();
    assert!(!solitude.comes(1));
    for _ in 0..ALONE_AFTER {
        solitude.waited();
        solitude.comes(1);
    }
    // A commit was there already when the one before was done.
    assert!(!solitude.comes(1));
}

#[test]
fn groups_are_gathered_while_the_journal_is_what_is_waited_for() {
    let us = Duration::from_micros;
    let mut rhythm = Rhythm::default();
    let mut say = |append, finish_all| {
        for _ in 0..64 {
            rhythm.appended(us(append));
            rhythm.finished(us(finish_all), 256);
        }
        rhythm.gathers(128, 128)
    };
    assert!(say(600, 500));
    assert!(say(300, 500), "it does not change to and fro");
    assert!(!say(200, 500));
    assert!(!say(300, 500), "nor back");
    assert!(say(600, 500));
    // Too few, and too many.
    assert!(!rhythm.gathers(3, 2));
    assert!(!rhythm.gathers(1000, 1000));
    // Writers that do not come back are not waited for, for a while.
    assert!(rhythm.gathers(128, 0));
    rhythm.gathered(128, 64);
    assert!(rhythm.gathers(128, 0));
    rhythm.gathered(128, 63);
    let rested = (0..1000).take_while(|_| !rhythm.gathers(128, 0)).count();
    assert_eq!(rested, GATHER_REST as usize);
}

/// Parents and links of spans, by their numbers.
#[derive(Debug, Clone, Default)]
struct Spans(Arc<Mutex<SpansInner>>);

#[derive(Debug, Default)]
struct SpansInner {
    made: Vec<(&'static str, Option<u64>)>,
    links: Vec<(u64, u64)>,
}

impl tracing::Subscriber for Spans {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut spans = self.0.lock();
        spans.made.push((span.metadata().name(), span.parent().map(|id| id.into_u64())));
        Id::from_u64(spans.made.len() as u64)
    }

    fn record_follows_from(&self, span: &Id, follows: &Id) {
        self.0.lock().links.push((span.into_u64(), follows.into_u64()));
    }

    fn record(&self, _: &Id, _: &Values<'_>) {}
    fn event(&self, _: &tracing::Event<'_>) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[test]
fn the_append_of_a_group_is_the_first_traced_commits_and_linked_to_by_the_others() {
    let spans = Spans::default();
    tracing::subscriber::with_default(spans.clone(), || {
        let commit = || new_span!(None, "commit");
        let mut group = Group { traced: vec![commit(), commit(), commit()], ..Group::default() };
        let record = Record {
            epoch: crate::types::Epoch(1),
            first_seq: Seq(1),
            last_seq: Seq(5),
            unix_ms: 0,
            payload: Bytes::new(),
        };
        assert!(!group.append_span(&record).is_none());
        // Commits do not wait for the group's end to end.
        assert!(group.traced.is_empty());
        assert!(Group::default().append_span(&record).is_none());
    });
    let spans = spans.0.lock();
    let commit = ("commit", None);
    assert_eq!(spans.made, [commit, commit, commit, ("journal append", Some(1))]);
    assert_eq!(spans.links, [(2, 4), (3, 4)]);
}
