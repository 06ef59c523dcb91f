//! The peers that the same phases run on.

use std::path::Path;
use std::sync::Arc;

use firn_engine::{Error, ErrorKind, Result};

use crate::config::{Peer, Topology};
use crate::engine::Target;

/// Opens a peer with settings that match the topology.
pub(crate) async fn open(peer: Peer, _topology: &Topology, _dir: &Path) -> Result<Arc<dyn Target>> {
    let why = format!("{} is not in this build", peer.as_str());
    Err(Error::new(ErrorKind::BadRequest, why))
}
