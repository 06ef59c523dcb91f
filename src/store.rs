//! The object store of a process, as configured.

use std::sync::Arc;

use firn_engine::object::{Backend, Layout, MemoryStore, RetryOptions, RetryingStore, StoreStats};
use firn_engine::{Env, Error, ErrorKind, Result};
use firn_object_store::FolderStore;
use firn_services::config::{Config, Location};
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

impl Store {
    /// Opens what the configuration names, and asks it whether it is there.
    ///
    /// # Errors
    /// `BadRequest` or `Unavailable`, naming the folder or bucket and why it cannot be used.
    pub async fn open(config: &Config, env: &Env) -> Result<Self> {
        let (backend, layout): (Arc<dyn Backend>, _) = match config.location()? {
            Location::Folder(folder) => {
                (Arc::new(FolderStore::open(&folder, env.clone())?), Layout::new(Path::default()))
            }
            Location::Memory => (Arc::new(MemoryStore::new()), Layout::new(Path::default())),
            Location::S3 { .. } => {
                let why = "object_store.url: s3:// is not supported yet";
                return Err(Error::new(ErrorKind::BadRequest, why));
            }
        };
        Ok(Self::on(backend, env, layout, config.object_store.url.clone()))
    }

    /// On a store that is open already.
    #[must_use]
    pub fn on(backend: Arc<dyn Backend>, env: &Env, layout: Layout, name: String) -> Self {
        let store = RetryingStore::new(backend, env.clone(), RetryOptions::default());
        let stats = store.stats();
        Self { objects: Arc::new(store), stats, layout, name }
    }
}
