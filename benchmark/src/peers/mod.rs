//! The peers that the same phases run on: same keys, same values, same cache
//! sizes, same durability. Their settings are what their own documentation
//! advises for such a machine, and stand in every report.

#[cfg(feature = "peers")]
mod rocks;
#[cfg(feature = "peers")]
mod slate;

use std::path::Path;
use std::sync::Arc;

use firn_engine::Result;
#[cfg(not(feature = "peers"))]
use firn_engine::{Error, ErrorKind};

use crate::config::{Peer, Topology};
use crate::engine::Target;

/// Opens a peer with settings that match the topology.
#[cfg(feature = "peers")]
pub(crate) async fn open(peer: Peer, topology: &Topology, dir: &Path) -> Result<Arc<dyn Target>> {
    match peer {
        Peer::Rocksdb => rocks::open(topology, dir).await,
        Peer::Slatedb => slate::open(topology, dir).await,
    }
}

/// Refuses: this build has no peers.
#[cfg(not(feature = "peers"))]
pub(crate) async fn open(peer: Peer, _topology: &Topology, _dir: &Path) -> Result<Arc<dyn Target>> {
    let why = format!("{} is not in this build", peer.as_str());
    Err(Error::new(ErrorKind::BadRequest, why))
}

#[cfg(all(test, feature = "peers"))]
mod tests;
