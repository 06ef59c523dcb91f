//! The replicated journal over gRPC: what writers and readers call, and what
//! members send each other. The contract is in `proto/firn/v1/journal.proto` and
//! `raft.proto`; the client is `firn_services::journal`.

mod admin;
mod led;
mod network;
mod server;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use firn_engine::Env;
use firn_grpc::v1::journal_admin_server::JournalAdminServer;
use firn_grpc::v1::journal_peers_server::JournalPeersServer;
use firn_grpc::v1::journal_server::JournalServer;
use tonic::service::RoutesBuilder;

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::ArchivePlace;
use crate::raft::Node;

pub use admin::AdminService;
pub use network::{GrpcNetwork, PeersService};
pub use server::JournalService;

/// Who the members of a cluster are and where they are reached.
#[derive(Debug, Clone, Default)]
pub struct Cluster {
    /// Tells it from others: members of another number are turned away.
    pub number: u64,
    /// `HOST:PORT` of each member by its number.
    pub members: BTreeMap<u64, String>,
    /// What tells the disk of the member that says so from all others, if it has one.
    pub disk: Option<u64>,
}

impl Cluster {
    /// The cluster of this name with so many raft groups.
    #[must_use]
    pub fn named(name: &str, groups: u32, members: BTreeMap<u64, String>) -> Self {
        Self { number: xxh3_64_with_seed(name.as_bytes(), groups.into()), members, disk: None }
    }

    /// Said by the member whose disk has this number.
    #[must_use]
    pub fn on_disk(self, number: u64) -> Self {
        Self { disk: Some(number), ..self }
    }
}

/// Adds everything that a member answers. With `archive` it stores what it trims as
/// long as it leads.
pub fn add_to(
    routes: &mut RoutesBuilder,
    env: &Env,
    node: &Arc<Node>,
    network: &Arc<GrpcNetwork>,
    admin: AdminService,
    archive: Option<ArchivePlace>,
) {
    let journal = JournalService::new(env.clone(), Arc::clone(node), Arc::clone(network));
    let journal = match archive {
        Some(place) => journal.archiving(place, admin.archive()),
        None => journal,
    };
    let peers = PeersService::new(Arc::clone(node), Arc::clone(network));
    routes
        .add_service(JournalServer::new(journal))
        .add_service(JournalPeersServer::new(peers))
        .add_service(JournalAdminServer::new(admin));
}
