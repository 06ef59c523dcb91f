//! Whether a server serves.

use std::time::Duration;

use firn_engine::{Env, Error, ErrorKind, Result};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::Trust;
use super::peers::Peers;
use super::status::{Repeat, from_status};

/// How long a server may take to answer.
const ANSWER_MAX: Duration = Duration::from_secs(3);

/// Asks the server at `address` (`HOST:PORT`) whether it takes calls; how long the answer took.
///
/// # Errors
/// Why it does not, or cannot be asked.
pub async fn probe(env: &Env, address: &str, trust: &Trust) -> Result<Duration> {
    let peers = Peers::new(env.clone(), &[address.to_owned()], trust)?;
    let begun = env.now();
    let asked = async {
        let (_, peer) = peers.current().await?;
        let answer = HealthClient::new(peer).check(HealthCheckRequest::default()).await;
        answer.map_err(|status| from_status(&status, address, Repeat::Safe))
    };
    let unavailable = |why: &str| Error::new(ErrorKind::Unavailable, format!("{address}: {why}"));
    let answer = env.timeout(ANSWER_MAX, asked).await;
    let answer = answer.unwrap_or_else(|| Err(unavailable("no answer")))?.into_inner();
    match answer.status() {
        ServingStatus::Serving => Ok(env.now().since(begun)),
        _ => Err(unavailable("it is stopping")),
    }
}
