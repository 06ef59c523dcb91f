//! What a storage service tells of itself.

use std::time::Duration;

use firn_engine::{Env, Error, ErrorKind, Result};
use firn_grpc::v1::storage_client::StorageClient;
use firn_proto::v1 as pb;

use crate::rpc::Trust;
use crate::rpc::peers::Peers;
use crate::rpc::status::{Repeat, from_status};

/// How long a server may take to answer.
const ANSWER_MAX: Duration = Duration::from_secs(3);

/// Asks the replica at `address` (`HOST:PORT`) what it does; how long the answer took, with
/// making the connection.
///
/// # Errors
/// Why it cannot be asked, or `Unavailable` if it does not answer in time.
pub async fn storage_status(
    env: &Env,
    address: &str,
    trust: &Trust,
) -> Result<(pb::GetStatusResponse, Duration)> {
    let peers = Peers::new(env.clone(), &[address.to_owned()], trust)?;
    let begun = env.now();
    let asked = async {
        let (_, peer) = peers.current().await?;
        let answer = StorageClient::new(peer).get_status(pb::GetStatusRequest {}).await;
        answer.map_err(|status| from_status(&status, address, Repeat::Safe))
    };
    let answer = env.timeout(ANSWER_MAX, asked).await.unwrap_or_else(|| {
        Err(Error::new(ErrorKind::Unavailable, format!("{address}: no answer")))
    })?;
    Ok((answer.into_inner(), env.now().since(begun)))
}
