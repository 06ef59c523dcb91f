//! What an operator does with a cluster that runs: members of the journal come, as learners
//! first, and go, leadership is handed over, and orphans are looked for. One thing at a time,
//! in small steps: each looks at the members as whoever leads has applied them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use firn_engine::Instant;
use firn_journal::raft::{GroupStatus, MemberChange, Node};

use super::cluster::{Cluster, FOUNDERS, GROUPS, JOURNALS, STORAGES};
use super::network::Machine;

/// Between two steps.
const STEP: Duration = Duration::from_millis(700);
/// How long anything may take when nothing is wrong any more.
const CALM_MAX: Duration = Duration::from_secs(600);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Goal {
    Rest,
    Add(Machine),
    Remove(Machine),
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Operator {
    next: Instant,
    goal: Goal,
    /// Machines that have been hired.
    hired: usize,
    /// Removed, and switched off at some time.
    removed: Vec<(Instant, Machine)>,
    /// Whether members come and go in this run.
    changes: bool,
    /// A leader in its term, and the last entry that it had when it was looked at first:
    /// once it has applied that, it knows the members.
    looked: BTreeMap<u32, (Machine, u64, u64)>,
    /// Members that came or went.
    pub(crate) changed: u64,
}

impl Operator {
    pub(crate) fn new(changes: bool) -> Self {
        Self {
            next: Instant(0),
            goal: Goal::Rest,
            hired: FOUNDERS.len(),
            removed: Vec::new(),
            changes,
            looked: BTreeMap::new(),
            changed: 0,
        }
    }

    /// One more step, if it is time.
    pub(crate) async fn step(&mut self, cluster: &mut Cluster) {
        let now = cluster.env.now();
        if now < self.next {
            return;
        }
        self.next = now.after(STEP);
        while let Some(at) = self.removed.iter().position(|(at, _)| *at <= now) {
            cluster.dismiss(self.removed.swap_remove(at).1);
        }
        match self.goal {
            Goal::Rest => self.choose(cluster).await,
            Goal::Add(machine) => {
                if self.all_groups(cluster, |status| Self::add(status, machine)) {
                    self.reached();
                }
            }
            Goal::Remove(machine) => {
                if self.all_groups(cluster, |status| Self::remove(status, machine)) {
                    // It may go on asking for votes for a long time.
                    let long = if cluster.below(2) == 0 { 300_000 } else { 5000 };
                    let after = Duration::from_millis(cluster.below(long));
                    self.removed.push((now.after(after), machine));
                    self.reached();
                }
            }
        }
    }

    fn reached(&mut self) {
        self.goal = Goal::Rest;
        self.changed += 1;
    }

    async fn choose(&mut self, cluster: &mut Cluster) {
        let gone = |machine: &Machine| self.removed.iter().any(|(_, removed)| removed == machine);
        let members: Vec<_> = cluster.journals().iter().filter(|m| !gone(m)).copied().collect();
        let any = members[cluster.below(members.len() as u64) as usize];
        match cluster.below(40) {
            0 | 1 => {
                let group = cluster.below(GROUPS.into()) as u32;
                if let Some((leader, node, _)) = leader(cluster, group) {
                    let handed = async move { drop(node.transfer(group, any.into()).await) };
                    cluster.on(leader, handed);
                }
            }
            2 => {
                let machine = STORAGES[cluster.below(STORAGES.len() as u64) as usize];
                if let Some(storage) = cluster.storage(machine).map(Arc::clone) {
                    // What fails is tried again some other time.
                    cluster.on(machine, async move { drop(storage.delete_orphans().await) });
                }
            }
            3..6 if self.changes && members.len() > FOUNDERS.len() => {
                self.goal = Goal::Remove(any);
                self.looked.clear();
            }
            3..6 if self.changes && self.hired < JOURNALS.len() => {
                let machine = JOURNALS[self.hired];
                self.hired += 1;
                self.goal = Goal::Add(machine);
                self.looked.clear();
                if let Err(error) = cluster.hire(machine).await {
                    cluster.verdict.fail(format!("machine {machine} does not start: {error:?}"));
                }
            }
            _ => {}
        }
    }

    /// What is left to be done in a group; `None` if nothing is.
    fn add(status: &GroupStatus, machine: Machine) -> Option<Step> {
        let (member, members) = (u64::from(machine), &status.members);
        match (members.voters.contains(&member), members.learners.contains(&member)) {
            (true, _) => None,
            (false, true) => Some(Step::Change(MemberChange::Voter(member))),
            (false, false) => Some(Step::Change(MemberChange::Learner(member))),
        }
    }

    fn remove(status: &GroupStatus, machine: Machine) -> Option<Step> {
        let (member, members) = (u64::from(machine), &status.members);
        if !members.voters.contains(&member) && !members.learners.contains(&member) {
            return None;
        }
        if status.leader == member {
            let other = members.voters.iter().find(|voter| **voter != member)?;
            return Some(Step::HandTo(*other));
        }
        Some(Step::Change(MemberChange::Removed(member)))
    }

    /// Asks for what is left to be done in each group; true if it is known that nothing is.
    fn all_groups(
        &mut self,
        cluster: &Cluster,
        left: impl Fn(&GroupStatus) -> Option<Step>,
    ) -> bool {
        let mut done = 0;
        for group in 0..GROUPS {
            let Some((machine, node, status)) = leader(cluster, group) else { continue };
            let looked = self.looked.entry(group).or_default();
            if (looked.0, looked.1) != (machine, status.term) {
                *looked = (machine, status.term, status.last_index);
            }
            if status.applied < looked.2 {
                continue;
            }
            let Some(step) = left(&status) else {
                done += 1;
                continue;
            };
            cluster.on(machine, async move {
                // Whether it took effect shows at the next look.
                drop(match step {
                    Step::Change(change) => node.change_members(group, change).await,
                    Step::HandTo(other) => node.transfer(group, other).await,
                });
            });
        }
        done == GROUPS
    }

    /// Ends what was begun, when nothing is wrong any more: who is no member is switched off.
    pub(crate) async fn finish(&mut self, cluster: &mut Cluster) -> Result<(), String> {
        let until = cluster.env.now().after(CALM_MAX);
        self.changes = false;
        while self.goal != Goal::Rest {
            if cluster.env.now() > until {
                return Err(format!("{:?} of the journal is not done", self.goal));
            }
            cluster.env.sleep(STEP).await;
            self.step(cluster).await;
        }
        for (_, machine) in std::mem::take(&mut self.removed) {
            cluster.dismiss(machine);
        }
        Ok(())
    }
}

enum Step {
    Change(MemberChange),
    HandTo(u64),
}

/// Who leads a group, as far as anybody says so, in the newest term.
fn leader(cluster: &Cluster, group: u32) -> Option<(Machine, Arc<Node>, GroupStatus)> {
    let nodes = cluster.journals().iter().filter_map(|m| Some((*m, cluster.node(*m)?)));
    let statuses = nodes.filter_map(|(machine, node)| {
        let status = node.status().into_iter().find(|status| status.group == group)?;
        (status.leader == u64::from(machine)).then(|| (machine, Arc::clone(node), status))
    });
    statuses.max_by_key(|(_, _, status)| status.term)
}
