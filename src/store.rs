//! The object store of a process, as configured.

use std::sync::Arc;

use firn_engine::object::{Layout, RetryingStore, StoreStats};
use firn_engine::{Env, Error, ErrorKind, Result};
use firn_object_store::S3Settings;
use firn_services::config::{Config, Location, Secret};
use object_store::ObjectStore;
use object_store::path::Path;

/// An object store with the names that are used in it.
#[derive(Debug, Clone)]
pub struct Store {
    /// Repeats what fails.
    pub objects: Arc<dyn ObjectStore>,
    /// Counts of requests.
    pub stats: Arc<StoreStats>,
    /// Names of objects.
    pub layout: Layout,
    /// What it is, for people; without secrets.
    pub name: String,
}

/// The URL of the configured object store, the same however it is written.
///
/// # Errors
/// As [`Config::location`]; `Unavailable` for a folder relative to one that is gone.
pub fn place(config: &Config) -> Result<String> {
    Ok(match config.location()? {
        Location::Memory => "memory://".to_owned(),
        Location::S3 { bucket, prefix } if prefix.is_empty() => format!("s3://{bucket}"),
        Location::S3 { bucket, prefix } => format!("s3://{bucket}/{prefix}"),
        Location::Folder(folder) => {
            let whole = std::path::absolute(&folder).map_err(|e| {
                let what = format!("folder {}", folder.display());
                Error::with_source(ErrorKind::Unavailable, what, e)
            })?;
            // One that is not there yet has no other name.
            whole.canonicalize().unwrap_or(whole).display().to_string()
        }
    })
}

impl Store {
    /// Opens what the configuration names, and asks it whether it is there.
    ///
    /// # Errors
    /// `BadRequest` or `Unavailable`, naming the folder or bucket and why it cannot be used.
    pub async fn open(config: &Config, env: &Env) -> Result<Self> {
        let of = &config.object_store;
        let secret = |s: &Option<Secret>| s.as_ref().map(|s| s.reveal().to_owned());
        let settings = S3Settings {
            endpoint: of.endpoint.clone(),
            region: of.region.clone(),
            path_style: of.path_style,
            allow_http: of.allow_http,
            access_key_id: secret(&of.access_key_id),
            secret_access_key: secret(&of.secret_access_key),
            session_token: None,
        };
        let store = firn_object_store::open(&of.url, &settings, env.clone()).await?;
        Ok(Self::on(store, of.url.clone()))
    }

    /// On a store that is open already; a prefix, if there is one, is the store's own.
    #[must_use]
    pub fn on(store: Arc<RetryingStore>, name: String) -> Self {
        let stats = store.stats();
        Self { objects: store, stats, layout: Layout::new(Path::default()), name }
    }
}
