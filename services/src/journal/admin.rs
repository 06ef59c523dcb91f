//! What an operator sees of a replicated journal, and changes in it.

use std::collections::BTreeMap;
use std::time::Duration;

use firn_engine::{Env, Error, ErrorKind, Result};
use firn_grpc::v1::journal_admin_client::JournalAdminClient;
use firn_proto::v1;
use serde::{Deserialize, Serialize};
use tonic::{Response, Status};

use crate::rpc::Trust;
use crate::rpc::peers::{Peer, Peers};
use crate::rpc::status::{Repeat, from_status};

/// How long one member may take to answer.
const ANSWER_MAX: Duration = Duration::from_secs(3);
/// How long a change may take, with waiting for a learner to get the log.
const CHANGE_MAX: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(200);

/// A member as it sees itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberState {
    /// Its number.
    pub member: u64,
    /// Name of the journal.
    pub name: String,
    /// Bytes that its log takes on its disk.
    pub disk_bytes: u64,
    /// Its raft groups.
    pub groups: Vec<GroupState>,
    /// Where the members are that it knows.
    pub members: BTreeMap<u64, String>,
    /// Where it archives what it trims while it leads; empty is nowhere. Older members do
    /// not say.
    #[serde(default)]
    pub archive: Option<String>,
}

/// A raft group as one member sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupState {
    /// Its number.
    pub group: u32,
    /// Who leads; 0 if that is not known.
    pub leader: u64,
    /// Raft's term.
    pub term: u64,
    /// Last committed entry.
    pub committed: u64,
    /// Last applied entry.
    pub applied: u64,
    /// Last stored entry.
    pub last_index: u64,
    /// Last entry that was cut.
    pub base_index: u64,
    /// Bytes of records that are not trimmed.
    pub bytes: u64,
    /// Members with a vote.
    pub voters: Vec<u64>,
    /// Members without.
    pub learners: Vec<u64>,
    /// Of a leader: the last entry that each member is known to have.
    pub matched: BTreeMap<u64, u64>,
}

impl MemberState {
    /// As it is sent.
    #[must_use]
    pub fn to_proto(&self) -> v1::JournalStatusResponse {
        let groups = self.groups.iter().map(|g| v1::JournalGroup {
            group: g.group,
            leader: g.leader,
            term: g.term,
            committed: g.committed,
            applied: g.applied,
            last_index: g.last_index,
            base_index: g.base_index,
            bytes: g.bytes,
            voters: g.voters.clone(),
            learners: g.learners.clone(),
            progress: {
                let matched = g.matched.iter();
                matched.map(|(m, at)| v1::JournalProgress { member: *m, matched: *at }).collect()
            },
        });
        let members = self.members.iter();
        let members = members.map(|(m, a)| v1::JournalMember { member: *m, address: a.clone() });
        v1::JournalStatusResponse {
            member: self.member,
            name: self.name.clone(),
            disk_bytes: self.disk_bytes,
            groups: groups.collect(),
            members: members.collect(),
            archive: self.archive.clone(),
        }
    }

    /// As it was received.
    #[must_use]
    pub fn from_proto(sent: v1::JournalStatusResponse) -> Self {
        let groups = sent.groups.into_iter().map(|g| GroupState {
            group: g.group,
            leader: g.leader,
            term: g.term,
            committed: g.committed,
            applied: g.applied,
            last_index: g.last_index,
            base_index: g.base_index,
            bytes: g.bytes,
            voters: g.voters,
            learners: g.learners,
            matched: g.progress.iter().map(|p| (p.member, p.matched)).collect(),
        });
        Self {
            member: sent.member,
            name: sent.name,
            disk_bytes: sent.disk_bytes,
            groups: groups.collect(),
            members: sent.members.into_iter().map(|m| (m.member, m.address)).collect(),
            archive: sent.archive,
        }
    }
}

/// What becomes of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It gets the log, and its vote when it has it.
    Add(u64),
    /// It goes.
    Remove(u64),
    /// It leads.
    Lead(u64),
}

/// An answer of a member, or why there is none.
pub type Answer = (String, Result<MemberState>);

/// Asks the members of a journal one by one.
#[derive(Debug)]
pub struct JournalAdmin {
    env: Env,
    trust: Trust,
    addresses: Vec<String>,
}

impl JournalAdmin {
    /// The journal with members at these addresses.
    #[must_use]
    pub fn new(env: Env, addresses: Vec<String>, trust: Trust) -> Self {
        Self { env, trust, addresses }
    }

    async fn ask<T, F>(
        &self,
        address: &str,
        call: impl FnOnce(JournalAdminClient<Peer>) -> F,
    ) -> Result<T>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let peers = Peers::new(self.env.clone(), &[address.to_owned()], &self.trust)?;
        let answer = async {
            let (_, peer) = peers.current().await?;
            let answer = call(JournalAdminClient::new(peer)).await;
            answer.map_err(|status| from_status(&status, address, Repeat::Safe))
        };
        let late =
            || Error::new(ErrorKind::Unavailable, format!("{address}: no answer")).retryable();
        let answer = self.env.timeout(ANSWER_MAX, answer).await;
        Ok(answer.unwrap_or_else(|| Err(late()))?.into_inner())
    }

    /// Asks all members: those at the addresses, and those that they know.
    pub async fn states(&self) -> Vec<Answer> {
        let mut answers: Vec<Answer> = Vec::new();
        let mut to_ask = self.addresses.clone();
        while let Some(address) = to_ask.pop() {
            if answers.iter().any(|(asked, _)| *asked == address) {
                continue;
            }
            let state = self
                .ask(&address, |mut client| async move {
                    client.status(v1::JournalStatusRequest {}).await
                })
                .await
                .map(MemberState::from_proto);
            if let Ok(state) = &state {
                // The same member may be known under two names.
                let known =
                    |answer: &Answer| answer.1.as_ref().is_ok_and(|s| s.member == state.member);
                if answers.iter().any(known) {
                    continue;
                }
                let known: Vec<u64> =
                    answers.iter().filter_map(|(_, s)| Some(s.as_ref().ok()?.member)).collect();
                let others =
                    state.members.iter().filter(|(m, _)| **m != state.member && !known.contains(m));
                to_ask.extend(others.map(|(_, address)| address.clone()));
            }
            answers.push((address, state));
        }
        answers.sort_by_key(|(address, state)| {
            (state.as_ref().map_or(u64::MAX, |s| s.member), address.clone())
        });
        answers
    }

    /// Whether the members that answer archive where `here` does; empty is nowhere.
    ///
    /// # Errors
    /// `BadRequest` if this reads an archive that one of them does not write.
    pub async fn check_archive(&self, here: &str) -> Result<()> {
        for (address, state) in self.states().await {
            // Who does not answer now is asked again with every trim.
            let Ok(MemberState { member, archive: Some(there), .. }) = state else { continue };
            if there == here {
                continue;
            }
            let who = format!("the journal's member {member} at {address}");
            let why = match (here, &*there) {
                ("", there) => {
                    tracing::warn!(
                        "{who} archives at {there}, and journal.archive is not set here: what \
                         is archived cannot be read here"
                    );
                    continue;
                }
                (here, "") => format!(
                    "journal.archive is set here, at {here}, and not for {who}: set it for all \
                     members as well, or not here"
                ),
                (here, there) => {
                    format!("journal.archive: this reads at {here}, and {who} archives at {there}")
                }
            };
            return Err(Error::new(ErrorKind::BadRequest, why));
        }
        Ok(())
    }

    /// The leader of every group, with its address.
    async fn leaders(&self) -> Result<Vec<(String, GroupState)>> {
        let states = self.states().await;
        let answered: Vec<(&String, &MemberState)> = states
            .iter()
            .filter_map(|(address, state)| Some((address, state.as_ref().ok()?)))
            .collect();
        let groups = answered.iter().map(|(_, state)| state.groups.len()).max().unwrap_or(0);
        if groups == 0 {
            let error = states.into_iter().find_map(|(_, state)| state.err());
            let none = || Error::new(ErrorKind::Unavailable, "no member answers");
            return Err(error.unwrap_or_else(none));
        }
        let mut leaders = Vec::new();
        for number in 0..groups {
            // Of two that think so the one of the later term does.
            let led = answered.iter().filter_map(|(address, state)| {
                let group = state.groups.get(number)?;
                (group.leader == state.member).then(|| ((*address).clone(), group.clone()))
            });
            let leader = led.max_by_key(|(_, group)| group.term).ok_or_else(|| {
                let why = format!("raft group {number} has no leader that answers");
                Error::new(ErrorKind::Unavailable, why).retryable()
            })?;
            leaders.push(leader);
        }
        Ok(leaders)
    }

    /// One step of a change in every group; whether it is done.
    async fn step(&self, change: Change) -> Result<bool> {
        let mut done = true;
        for (address, group) in self.leaders().await? {
            let number = group.group;
            let (Change::Add(member) | Change::Remove(member) | Change::Lead(member)) = &change;
            let voter = group.voters.contains(member);
            let learner = group.learners.contains(member);
            let (kind, member) = match change {
                Change::Add(_) if voter => continue,
                Change::Add(member) if learner => (2, member),
                Change::Add(member) => (1, member),
                Change::Remove(_) if !voter && !learner => continue,
                Change::Remove(member) if group.leader != member => (3, member),
                Change::Lead(member) if group.leader == member => continue,
                Change::Remove(_) | Change::Lead(_) => {
                    let to = match change {
                        Change::Lead(member) => Some(member),
                        _ => group
                            .voters
                            .iter()
                            .copied()
                            .filter(|v| *v != group.leader)
                            .max_by_key(|voter| group.matched.get(voter).copied().unwrap_or(0)),
                    };
                    let Some(to) = to else {
                        let why = format!("raft group {number}: its only voter cannot go");
                        return Err(Error::new(ErrorKind::BadRequest, why));
                    };
                    let request = v1::TransferRequest { group: number, to };
                    self.ask(&address, |mut c| async move { c.transfer(request).await }).await?;
                    done = false;
                    continue;
                }
            };
            done = false;
            let request = v1::ChangeMembersRequest { group: number, kind, member };
            self.ask(&address, |mut c| async move { c.change_members(request).await }).await?;
        }
        Ok(done)
    }

    /// Makes a change in every group, and waits until it is made. Made again, it goes on
    /// where it stood.
    ///
    /// # Errors
    /// `BadRequest` for a change that cannot be made; the last reason if it takes too long.
    pub async fn change(&self, change: Change) -> Result<()> {
        let begun = self.env.now();
        loop {
            let error = match self.step(change).await {
                Ok(true) => return Ok(()),
                Ok(false) => None,
                Err(e) if e.is_retryable() => Some(e),
                Err(e) => return Err(e),
            };
            if self.env.now().since(begun) >= CHANGE_MAX {
                let late = || Error::new(ErrorKind::Unavailable, "the change is not made yet");
                return Err(error.unwrap_or_else(late));
            }
            self.env.sleep(PAUSE).await;
        }
    }
}
