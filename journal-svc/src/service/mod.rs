//! The replicated journal over gRPC: what writers and readers call, and what
//! members send each other. The contract is in `proto/firn/v1/journal.proto` and
//! `raft.proto`; the client is `firn_services::journal`.

mod network;
mod server;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use network::{GrpcNetwork, PeersService};
pub use server::JournalService;

/// Who the members of a cluster are and where they are reached.
#[derive(Debug, Clone, Default)]
pub struct Cluster {
    /// Random number given to the cluster when it was founded.
    pub number: u64,
    /// `HOST:PORT` of each member by its number.
    pub members: BTreeMap<u64, String>,
}
