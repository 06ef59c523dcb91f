//! What goes wrong, and what people do meanwhile.

use super::{Happening, Member, MemberChange, Millis, NODES, VOTERS, World};

#[derive(Debug)]
pub(super) struct Nemesis {
    /// Milliseconds from one strike to the next, at most.
    wait_max: Millis,
    /// Whether members come and go.
    changes: bool,
    pub(super) stopped: bool,
    changes_made: u64,
}

impl Nemesis {
    pub(super) fn new(chance: &mut super::Chance) -> Self {
        Self {
            wait_max: [300, 1500, 5000][chance.below(3) as usize],
            changes: chance.permille(500),
            stopped: false,
            changes_made: 0,
        }
    }
}

impl World {
    pub(super) fn strike(&mut self) {
        if self.nemesis.stopped {
            return;
        }
        let wait = self.chance.between(50, self.nemesis.wait_max);
        self.at(wait, Happening::Nemesis);
        let id = self.chance.between(1, NODES);
        match self.chance.below(12) {
            0 | 1 => self.crash(id),
            2 | 3 => {
                for id in 1..=NODES {
                    if self.nodes[&id].member.is_none() {
                        self.start(id);
                    }
                }
            }
            4 => self.nodes.get_mut(&id).unwrap().paused = true,
            5 => {
                for id in 1..=NODES {
                    self.nodes.get_mut(&id).unwrap().paused = false;
                    self.work(id);
                }
            }
            6 => {
                // One member alone, in one direction or both.
                let (out, back) = (self.chance.permille(700), self.chance.permille(700));
                for other in (1..=NODES).filter(|other| *other != id) {
                    self.cut.extend(out.then_some((id, other)));
                    self.cut.extend(back.then_some((other, id)));
                }
            }
            7 => self.cut.clear(),
            8 => {
                // The leader of the first group.
                if let Some(leader) = self.leader(0) {
                    self.crash(leader);
                }
            }
            _ => self.change_members(),
        }
    }

    /// A member that leads a group, or believes so.
    pub(super) fn leader(&self, group: u32) -> Option<u64> {
        let leads = |id: u64, member: &Member| member.status()[group as usize].leader == id;
        let nodes = self.nodes.iter();
        nodes
            .filter_map(|(id, node)| Some((*id, node.member.as_ref()?)))
            .find(|(id, member)| leads(*id, member))
            .map(|(id, _)| id)
    }

    fn change_members(&mut self) {
        let group = u32::try_from(self.chance.below(u64::from(super::GROUPS))).unwrap();
        let Some(leader) = self.leader(group) else { return };
        let other = self.chance.between(1, NODES);
        let what = self.chance.below(4);
        let node = self.nodes.get_mut(&leader).unwrap();
        if node.batch.is_some() || node.paused {
            return;
        }
        let member = node.member.as_mut().unwrap();
        let members = member.status()[group as usize].members.clone();
        if what == 0 || !self.nemesis.changes {
            // It may refuse: the other may have no vote.
            let _ = member.transfer(group, other);
        } else {
            let voter = members.voters.contains(&other);
            let change = match (voter, members.learners.contains(&other)) {
                (true, _) if members.voters.len() > VOTERS.len() => MemberChange::Removed(other),
                (true, _) => return,
                (false, true) => MemberChange::Voter(other),
                (false, false) => MemberChange::Learner(other),
            };
            // Nobody waits for the answer.
            if member.change_members(u64::MAX, group, change).is_ok() {
                self.nemesis.changes_made += 1;
            }
        }
        self.work(leader);
    }

    pub(super) fn changes_made(&self) -> u64 {
        self.nemesis.changes_made
    }

    /// Everything works again.
    pub(super) fn heal(&mut self) {
        self.nemesis.stopped = true;
        (self.loss, self.doubling, self.delay_max) = (0, 0, 5);
        self.cut.clear();
        for id in 1..=NODES {
            let node = self.nodes.get_mut(&id).unwrap();
            node.paused = false;
            if node.member.is_none() {
                self.start(id);
            }
            self.work(id);
        }
    }
}
