//! `firn compute`: the MySQL front end with its parts elsewhere.

use firn_engine::{Error, ErrorKind, Result};
use firn_services::config::{Config, Origin};
use firn_services::runtime::Runtimes;
use firn_services::shutdown::Shutdown;

use super::up;

pub(super) async fn run(config: &Config, runtimes: &Runtimes, shutdown: &Shutdown) -> Result<()> {
    let missing = [
        (config.journal.addresses.is_empty(), "journal.addresses", "--journal-addr"),
        (config.storage.addresses.is_empty(), "storage.addresses", "--storage-addr"),
    ];
    if let Some((_, key, option)) = missing.into_iter().find(|(missing, ..)| *missing) {
        let why = format!(
            "{key} is not set: `firn compute` has no such part of its own; say where it is with \
             {option} HOST:PORT, or run `firn up`"
        );
        return Err(Error::new(ErrorKind::BadRequest, why));
    }
    if config.origin("object_store.url") == Some(&Origin::Default) {
        let why = "object_store.url is not set: `firn compute` keeps no data of its own; say \
                   where the storage service has it with --object-store URL";
        return Err(Error::new(ErrorKind::BadRequest, why));
    }
    up::run(config, runtimes, shutdown, up::Merges::Elsewhere).await
}
