//! What must hold, whatever happens.

use std::collections::BTreeMap;

use firn_engine::journal::Record;
use firn_engine::{BranchName, Seq};
use xxhash_rust::xxh3::xxh3_64;

use super::{Ticket, World};
use crate::raft::Entry;

#[derive(Debug, Default)]
struct Branch {
    /// Acknowledged records by their first seq, with the generation of their writer.
    acked: BTreeMap<Seq, (u64, Record)>,
    /// Acknowledged openings by generation, with where the log ended.
    opened: BTreeMap<u64, Seq>,
    /// The highest seq that anybody asked to trim.
    trimmed: Seq,
}

#[derive(Debug)]
pub(super) struct Checks {
    /// Whether an acknowledgement is checked against the disks at once. Without,
    /// only what writers and readers can see is checked.
    pub(super) disks: bool,
    branches: BTreeMap<BranchName, Branch>,
    /// Term and content of each applied entry, by group and index.
    applied: BTreeMap<(u32, u64), (u64, u64)>,
    leaders: BTreeMap<(u32, u64), u64>,
    pub(super) appends: u64,
    pub(super) openings: u64,
}

impl Default for Checks {
    fn default() -> Self {
        Self {
            disks: true,
            branches: BTreeMap::new(),
            applied: BTreeMap::new(),
            leaders: BTreeMap::new(),
            appends: 0,
            openings: 0,
        }
    }
}

impl Checks {
    fn branch(&mut self, branch: &BranchName) -> &mut Branch {
        self.branches.entry(branch.clone()).or_default()
    }

    /// The last acknowledged seq.
    pub(super) fn acked(&mut self, branch: &BranchName) -> Seq {
        let acked = &self.branch(branch).acked;
        acked.last_key_value().map_or(Seq::ZERO, |(_, (_, record))| record.last_seq)
    }

    pub(super) fn asked_to_trim(&mut self, branch: &BranchName, through: Seq) {
        let branch = self.branch(branch);
        branch.trimmed = branch.trimmed.max(through);
    }

    /// The same entry everywhere.
    pub(super) fn applied(&mut self, member: u64, group: u32, entry: &Entry) {
        let content = (entry.term, xxh3_64(&entry.data) ^ xxh3_64(&entry.context));
        let known = *self.applied.entry((group, entry.index)).or_insert(content);
        let index = entry.index;
        assert_eq!(
            known, content,
            "member {member} applies another entry {index} of group {group}"
        );
    }

    /// One leader in a term.
    pub(super) fn leads(&mut self, group: u32, term: u64, member: u64) {
        let known = *self.leaders.entry((group, term)).or_insert(member);
        assert_eq!(known, member, "two leaders in term {term} of group {group}");
    }

    /// What is acknowledged is on a majority of disks.
    pub(super) fn majority(&self, at: (u64, u64), durable: usize, voters: usize) {
        if self.disks {
            assert!(durable * 2 > voters, "entry {at:?} is on {durable} disks of {voters}");
        }
    }

    pub(super) fn opened(&mut self, branch: &BranchName, ticket: Ticket, last: Seq) {
        self.openings += 1;
        let known = *self.branch(branch).opened.entry(ticket.generation).or_insert(last);
        assert!(last >= known, "the log ended at {known} and then at {last}");
        self.one_writer(branch);
    }

    pub(super) fn appended(&mut self, branch: &BranchName, ticket: Ticket, record: Record) {
        self.appends += 1;
        let acked = &mut self.branch(branch).acked;
        let known = acked.entry(record.first_seq).or_insert((ticket.generation, record.clone()));
        assert_eq!(*known, (ticket.generation, record), "two records at one seq");
        self.one_writer(branch);
    }

    /// Once an opening is acknowledged, nothing from older ones gets behind it.
    fn one_writer(&mut self, branch: &BranchName) {
        let branch = self.branch(branch);
        for (generation, last) in &branch.opened {
            // The newest few records are enough: older ones were looked at before.
            for (by, record) in branch.acked.values().rev().take(20) {
                if by < generation {
                    assert!(
                        record.last_seq <= *last,
                        "seq {} of generation {by} is behind the opening {generation} at {last}",
                        record.first_seq
                    );
                } else {
                    assert!(record.first_seq > *last || by > generation, "in front of its opening");
                }
            }
        }
    }

    /// A read has all that was acknowledged before it was asked for, in order.
    pub(super) fn read(
        &mut self,
        name: &BranchName,
        from: Seq,
        acked: Seq,
        records: Result<Vec<Record>, Seq>,
    ) {
        let branch = self.branch(name);
        let records = match records {
            Ok(records) => records,
            Err(trimmed) => {
                assert!(trimmed >= from && trimmed <= branch.trimmed, "trimmed to {trimmed}");
                return;
            }
        };
        let mut next: Option<Seq> = None;
        for record in &records {
            assert_eq!(record.first_seq, next.unwrap_or(record.first_seq), "a gap");
            next = Some(record.last_seq.next());
            if let Some((_, known)) = branch.acked.get(&record.first_seq) {
                assert_eq!(known, record, "not what was acknowledged");
            }
        }
        let last = records.last().map_or(from.prev(), |record| record.last_seq);
        assert!(last >= acked || from > acked, "reads to {last}, acknowledged to {acked}");
        if let Some(first) = records.first() {
            assert!(first.first_seq <= from, "asked from {from}, got {}", first.first_seq);
        }
    }
}

impl World {
    /// After [`World::heal`] and some time: the members agree, nothing is lost.
    pub(super) fn check_end(&mut self) {
        for group in 0..super::GROUPS {
            let leader = self.leader(group).expect("a leader");
            let status =
                |id: u64| self.nodes[&id].member.as_ref().unwrap().status()[group as usize].clone();
            let members = status(leader).members;
            for id in members.voters.iter().chain(&members.learners) {
                let (theirs, leaders) = (status(*id), status(leader));
                assert_eq!(
                    (theirs.applied, theirs.term, theirs.members),
                    (leaders.applied, leaders.term, members.clone()),
                    "member {id} of group {group}"
                );
            }
            let names: Vec<BranchName> = self.checks.branches.keys().cloned().collect();
            for name in names {
                let member = self.nodes[&leader].member.as_ref().unwrap();
                if member.group_of(&name) == group {
                    let everybody = members.voters.iter().chain(&members.learners).copied();
                    self.check_log(&name, &everybody.collect::<Vec<_>>());
                }
            }
        }
    }

    fn check_log(&mut self, name: &BranchName, members: &[u64]) {
        let mut logs = Vec::new();
        for id in members {
            let member = self.nodes[id].member.as_ref().unwrap();
            let bounds = member.bounds(name);
            let reader = member.reader(name);
            let found = member.find(name, bounds.trimmed.next(), u64::MAX).unwrap();
            let records: Vec<Record> =
                found.iter().map(|kept| reader.read(kept).unwrap()).collect();
            logs.push((bounds, records));
        }
        let (bounds, records) = &logs[0];
        for (id, log) in members.iter().zip(&logs) {
            assert!(*log == logs[0], "member {id} has another log of {name}");
        }
        let branch = self.checks.branch(name);
        assert!(bounds.trimmed <= branch.trimmed, "{bounds:?}, asked for {}", branch.trimmed);
        let (mut next, mut epoch) = (bounds.trimmed.next(), None);
        for record in records {
            assert_eq!(record.first_seq, next, "a gap in {name}");
            assert!(epoch.is_none_or(|epoch| epoch <= record.epoch), "epochs go back");
            (next, epoch) = (record.last_seq.next(), Some(record.epoch));
        }
        for (first, (_, record)) in &branch.acked {
            if *first > bounds.trimmed {
                let at = records.partition_point(|r| r.first_seq < *first);
                assert_eq!(records.get(at), Some(record), "acknowledged, and not in {name}");
            }
        }
    }
}
