//! What an operator asks of a member.

use std::sync::Arc;

use firn_engine::{Error, ErrorKind};
use firn_grpc::v1::journal_admin_server::JournalAdmin;
use firn_proto::v1;
use firn_services::journal::admin::{GroupState, MemberState};
use firn_services::rpc::status::to_status;
use tonic::{Request, Response, Status};

use super::GrpcNetwork;
use crate::raft::{Accepted, Answer, DiskStore, GroupStatus, MemberChange, Node};

/// Answers for one member.
#[derive(Debug, Clone)]
pub struct AdminService {
    node: Arc<Node>,
    network: Arc<GrpcNetwork>,
    store: Arc<DiskStore>,
    archive: String,
}

impl AdminService {
    /// For the member `node`.
    #[must_use]
    pub fn new(node: Arc<Node>, network: Arc<GrpcNetwork>, store: Arc<DiskStore>) -> Self {
        Self { node, network, store, archive: String::new() }
    }

    /// Which archives what it trims at `place`, the URL of an object store.
    #[must_use]
    pub fn archiving_at(self, place: &str) -> Self {
        Self { archive: place.to_owned(), ..self }
    }

    /// Where it archives; empty is nowhere.
    pub(super) fn archive(&self) -> &str {
        &self.archive
    }

    /// How the member is.
    #[must_use]
    pub fn state(&self) -> MemberState {
        let identity = self.store.identity();
        MemberState {
            member: identity.member,
            name: identity.cluster.clone(),
            disk_bytes: self.store.disk_bytes(),
            groups: self.node.status().into_iter().map(group_state).collect(),
            members: self.network.addresses(),
            archive: Some(self.archive.clone()),
        }
    }
}

fn group_state(status: GroupStatus) -> GroupState {
    GroupState {
        group: status.group,
        leader: status.leader,
        term: status.term,
        committed: status.committed,
        applied: status.applied,
        last_index: status.last_index,
        base_index: status.base_index,
        bytes: status.bytes,
        voters: status.members.voters,
        learners: status.members.learners,
        matched: status.matched,
    }
}

fn failed(answer: &Answer, group: u32) -> Status {
    let error = |kind, why: &str| Error::new(kind, format!("raft group {group}: {why}"));
    to_status(&match answer {
        Answer::NotLeader(0) => error(ErrorKind::Retry, "this member does not lead it"),
        Answer::NotLeader(leader) => {
            error(ErrorKind::Retry, &format!("this member does not lead it, but {leader}"))
        }
        Answer::Refused(error) => error.clone(),
        Answer::Unknown => {
            error(ErrorKind::Unavailable, "this member lost the leadership meanwhile").retryable()
        }
        other => error(ErrorKind::Internal, &format!("an answer to another question: {other:?}")),
    })
}

#[tonic::async_trait]
impl JournalAdmin for AdminService {
    async fn status(
        &self,
        _: Request<v1::JournalStatusRequest>,
    ) -> Result<Response<v1::JournalStatusResponse>, Status> {
        Ok(Response::new(self.state().to_proto()))
    }

    async fn change_members(
        &self,
        request: Request<v1::ChangeMembersRequest>,
    ) -> Result<Response<v1::ChangeMembersResponse>, Status> {
        let v1::ChangeMembersRequest { group, kind, member } = request.into_inner();
        let change = match kind {
            1 => MemberChange::Learner(member),
            2 => MemberChange::Voter(member),
            3 => MemberChange::Removed(member),
            other => {
                let why = format!("unknown kind of a change of members: {other}");
                return Err(to_status(&Error::new(ErrorKind::BadRequest, why)));
            }
        };
        if kind < 3 && !self.network.addresses().contains_key(&member) {
            let why = format!("nobody knows where member {member} is: has it been started?");
            return Err(to_status(&Error::new(ErrorKind::BadRequest, why)));
        }
        match self.node.change_members(group, change).await {
            Answer::Done(Ok(Accepted::MembersChanged), _) => {
                Ok(Response::new(v1::ChangeMembersResponse {}))
            }
            other => Err(failed(&other, group)),
        }
    }

    async fn transfer(
        &self,
        request: Request<v1::TransferRequest>,
    ) -> Result<Response<v1::TransferResponse>, Status> {
        let v1::TransferRequest { group, to } = request.into_inner();
        match self.node.transfer(group, to).await {
            Answer::Done(Ok(_), _) => Ok(Response::new(v1::TransferResponse {})),
            other => Err(failed(&other, group)),
        }
    }
}
