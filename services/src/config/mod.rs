//! The configuration of a process: one YAML file, the environment over it,
//! and defaults sized from the machine under both.
//!
//! Every setting is one entry of the table in [`settings`]: its key, how it is
//! read, how it is shown, and what is written about it. The file, the
//! environment, `firn config` and `docs/CONFIGURATION.md` all come from there,
//! so none of them can know a key that another does not.
//!
//! A key that does not exist is an error wherever it stands. So is a value
//! that cannot be used: it is found when the process starts, not when it is
//! first needed.

mod defaults;
mod file;
mod memory;
mod print;
mod secret;
mod settings;
#[cfg(test)]
mod tests;
mod values;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use firn_engine::{BranchName, Error, ErrorKind, Result};

use crate::bytes::ByteSize;
use crate::machine::Machine;

pub use memory::{BlockShares, MemoryShares};
pub use print::reference;
pub use secret::{MASK, Secret};

/// What every variable that sets something starts with.
pub const ENV_PREFIX: &str = "FIRN_";

/// The variable that names the configuration file.
pub const ENV_FILE: &str = "FIRN_CONFIG";

/// Variables of OpenTelemetry that name the collector of traces; the first goes over the other.
const COLLECTOR_VARIABLES: [&str; 2] =
    ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];

/// The effective configuration of a process.
#[derive(Debug, Clone)]
pub struct Config {
    /// Folder of everything that this process keeps on the local disk.
    pub data_dir: PathBuf,
    /// Where the data lives.
    pub object_store: ObjectStoreConfig,
    /// The branch that is opened.
    pub branch: BranchName,
    /// What makes commits durable.
    pub journal: JournalConfig,
    /// Memory of the process: see [`MemoryShares`].
    pub memory_bytes_max: ByteSize,
    /// Local disk for cached blocks; 0 means none.
    pub disk_cache_bytes_max: ByteSize,
    /// Compaction in this process.
    pub compaction: CompactionConfig,
    /// The storage service, as a server and as seen by others.
    pub storage: StorageConfig,
    /// What every part asks of the others.
    pub rpc: RpcConfig,
    /// Where metrics, health and status are served; `None` if nowhere.
    pub http_listen: Option<SocketAddr>,
    /// Where MySQL clients connect.
    pub mysql_listen: Option<SocketAddr>,
    /// The password of a `root` that has none yet.
    pub mysql_root_password: Option<Secret>,
    /// The certificate that MySQL clients see, and its key; one is made without.
    pub mysql_tls_certificate: Option<PathBuf>,
    /// The key of that certificate.
    pub mysql_tls_key: Option<PathBuf>,
    /// Who signs certificates of MySQL clients.
    pub mysql_tls_client_ca: Option<PathBuf>,
    /// `secure_file_priv`: the folder that statements may read and write files in. `None`
    /// is none, an empty text all.
    pub mysql_secure_file_priv: Option<String>,
    /// Which log events are written; checked, see [`crate::telemetry`].
    pub log: String,
    /// How they are written.
    pub log_format: LogFormat,
    /// Which requests are traced, and where to.
    pub trace: crate::telemetry::TraceConfig,
    origins: BTreeMap<&'static str, Origin>,
}

/// Where the data lives and how it is reached.
#[derive(Debug, Clone, Default)]
pub struct ObjectStoreConfig {
    /// As written: a folder, `file:///folder`, `s3://bucket/prefix` or `memory://`.
    pub url: String,
    /// The server, if it is not AWS's.
    pub endpoint: Option<String>,
    /// The region, if the environment's is not meant.
    pub region: Option<String>,
    /// The bucket in the path of requests, not in the host's name.
    pub path_style: bool,
    /// Whether an endpoint may be plain HTTP.
    pub allow_http: bool,
    /// Both or neither; without them AWS's usual places are searched.
    pub access_key_id: Option<Secret>,
    /// See `access_key_id`.
    pub secret_access_key: Option<Secret>,
}

/// What [`ObjectStoreConfig::url`] means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A folder of this machine.
    Folder(PathBuf),
    /// A bucket, and a prefix without slashes at its ends (may be empty).
    S3 {
        /// Name of the bucket.
        bucket: String,
        /// In front of every object's name.
        prefix: String,
    },
    /// The process's memory: gone when it ends.
    Memory,
}

/// What makes commits durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalConfig {
    /// Which implementation, unless there are `addresses`.
    pub kind: JournalKind,
    /// Whether its records are also kept in the object store.
    pub archive: bool,
    /// Where others find the replicated journal: `HOST:PORT` each. Empty: there is none.
    pub addresses: Vec<String>,
    /// Where `firn journal` listens.
    pub listen: SocketAddr,
    /// Number of the member that `firn journal` runs.
    pub member: Option<u64>,
    /// `HOST:PORT` of all members by number.
    pub members: BTreeMap<u64, String>,
    /// Whether this member comes to a journal that exists.
    pub join: bool,
    /// Name of the replicated journal.
    pub name: String,
    /// Its raft groups.
    pub groups: u32,
}

impl Default for JournalConfig {
    fn default() -> Self {
        Self {
            kind: JournalKind::Local,
            archive: false,
            addresses: Vec::new(),
            listen: SocketAddr::from(([127, 0, 0, 1], 7402)),
            member: None,
            members: BTreeMap::new(),
            join: false,
            name: "firn".to_owned(),
            groups: 1,
        }
    }
}

/// Implementations of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JournalKind {
    /// Files under `data_dir`, synced.
    Local,
    /// Objects in the object store.
    Object,
    /// Memory: a crash loses what was not flushed.
    Memory,
}

/// Compaction in this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompactionConfig {
    /// Pieces of work at once.
    pub concurrency: usize,
}

/// The storage service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageConfig {
    /// Where `firn storage` listens.
    pub listen: SocketAddr,
    /// Where others find it: `HOST:PORT` each. Empty: it runs in this process.
    pub addresses: Vec<String>,
    /// Where those who find it elsewhere read blocks.
    pub blocks: BlocksFrom,
}

/// Where a process reads blocks that its own caches have not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlocksFrom {
    /// From the storage service and its cache; from the object store while it is away.
    Service,
    /// From the object store.
    Store,
}

/// How parts know each other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RpcConfig {
    /// What every call must carry.
    pub token: Option<Secret>,
    /// Who signs the certificates; all three or none.
    pub tls_ca: Option<PathBuf>,
    /// This process's certificate.
    pub tls_certificate: Option<PathBuf>,
    /// Its key.
    pub tls_key: Option<PathBuf>,
}

impl RpcConfig {
    /// For servers and callers.
    #[must_use]
    pub fn trust(&self) -> crate::rpc::Trust {
        let files = (self.tls_ca.clone(), self.tls_certificate.clone(), self.tls_key.clone());
        let tls = match files {
            (Some(ca), Some(certificate), Some(key)) => {
                Some(crate::rpc::TlsFiles { ca, certificate, key })
            }
            _ => None,
        };
        crate::rpc::Trust { token: self.token.clone(), tls }
    }
}

/// How log events are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// An option of the command line that sets a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    /// As it is written: `--data-dir`.
    pub option: &'static str,
    /// The key that it sets.
    pub key: &'static str,
    /// Its value.
    pub value: String,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// This file.
    File(PathBuf),
    /// This variable.
    Environment(String),
    /// This option of the command line.
    Argument(&'static str),
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Environment(name) => write!(f, "environment, {name}"),
            Self::Argument(option) => write!(f, "command line, {option}"),
        }
    }
}

impl Config {
    /// Reads the configuration: defaults, then the file, then the environment.
    ///
    /// `file` is the one named on the command line; without it the one that
    /// `FIRN_CONFIG` names is read, and without that none. `env` is
    /// [`std::env::vars_os`]. Nothing is created or opened but that file.
    ///
    /// # Errors
    /// [`ErrorKind::BadRequest`] for a key that does not exist, a value that
    /// cannot be used or two that contradict each other;
    /// [`ErrorKind::Unavailable`] if the file cannot be read.
    pub fn load(
        file: Option<&Path>,
        env: impl IntoIterator<Item = (OsString, OsString)>,
        machine: &Machine,
    ) -> Result<Self> {
        Self::load_with(file, env, &[], machine)
    }

    /// As [`load`](Self::load), and what the command line says goes over all.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn load_with(
        file: Option<&Path>,
        env: impl IntoIterator<Item = (OsString, OsString)>,
        arguments: &[Argument],
        machine: &Machine,
    ) -> Result<Self> {
        let mut variables = BTreeMap::new();
        let mut named = None;
        let mut collectors = [None, None];
        for (name, value) in env {
            if let Some(at) = COLLECTOR_VARIABLES.iter().position(|known| name == *known) {
                collectors[at] = value.into_string().ok().filter(|value| !value.is_empty());
                continue;
            }
            let Some(name) = name.to_str().filter(|n| n.starts_with(ENV_PREFIX)) else { continue };
            if name == ENV_FILE {
                named = Some(PathBuf::from(value)).filter(|path| !path.as_os_str().is_empty());
            } else if !settings::is_foreign_variable(name) {
                let value = value.into_string().map_err(|_| {
                    Error::new(ErrorKind::BadRequest, format!("{name}: the value is not UTF-8"))
                })?;
                variables.insert(name.to_owned(), value);
            }
        }

        let mut config = Self::unset(machine);
        for (name, value) in COLLECTOR_VARIABLES.iter().zip(collectors).rev() {
            let Some(value) = value else { continue };
            let bad =
                |why| Error::new(ErrorKind::BadRequest, format!("environment: {name}: {why}"));
            config.trace.endpoint = Some(values::endpoint(&value).map_err(bad)?);
            config.origins.insert("trace.endpoint", Origin::Environment((*name).to_owned()));
        }
        if let Some(path) = file.map(Path::to_owned).or(named) {
            file::read(&path, &mut config)?;
        }
        for (name, value) in variables {
            config.set_from_variable(&name, &value)?;
        }
        for argument in arguments {
            config.set_from_argument(argument)?;
        }
        config.finish(machine)?;
        Ok(config)
    }

    /// The configuration that nothing but `data_dir` is set in, for embedding and tests.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] if the disk under `data_dir` cannot be looked at.
    pub fn with_data_dir(data_dir: &Path, machine: &Machine) -> Result<Self> {
        let mut config = Self::unset(machine);
        data_dir.clone_into(&mut config.data_dir);
        config.finish(machine)?;
        Ok(config)
    }

    /// Where the value of a key comes from; `None` if there is no such key.
    pub fn origin(&self, key: &str) -> Option<&Origin> {
        settings::find(key)?;
        Some(self.origins.get(key).unwrap_or(&Origin::Default))
    }

    /// Folder of the local journal.
    pub fn journal_dir(&self) -> PathBuf {
        self.data_dir.join("journal")
    }

    /// Folder of the disk cache. It may be deleted while the process is stopped.
    pub fn cache_dir(&self) -> PathBuf {
        self.data_dir.join("cache")
    }

    /// Folder of what `firn storage` keeps on the disk: a cache, which it goes without where
    /// another process has the folder.
    pub fn storage_dir(&self) -> PathBuf {
        self.data_dir.join("storage")
    }

    /// Where the objects are; checked when the configuration was read.
    ///
    /// # Errors
    /// [`ErrorKind::BadRequest`] if `object_store.url` was changed to what is no such place.
    pub fn location(&self) -> Result<Location> {
        values::location(&self.object_store.url)
            .map_err(|why| Error::new(ErrorKind::BadRequest, format!("object_store.url: {why}")))
    }

    fn set_from_argument(&mut self, argument: &Argument) -> Result<()> {
        let Argument { option, key, value } = argument;
        let bad = |why| Error::new(ErrorKind::BadRequest, format!("{option}: {why}"));
        let setting = settings::find(key).ok_or_else(|| {
            Error::new(ErrorKind::Internal, format!("{option} is for no key: {key}"))
        })?;
        (setting.set)(self, value).map_err(bad)?;
        self.origins.insert(setting.key, Origin::Argument(option));
        Ok(())
    }

    fn set_from_variable(&mut self, name: &str, value: &str) -> Result<()> {
        let bad = |why| Error::new(ErrorKind::BadRequest, format!("environment: {name}: {why}"));
        let key = name.trim_start_matches(ENV_PREFIX).to_lowercase().replace("__", ".");
        let setting = settings::find(&key)
            .filter(|setting| setting.variable() == name)
            .ok_or_else(|| bad(settings::unknown(name, settings::variables())))?;
        // What a template left empty is not set.
        if value.is_empty() {
            return Ok(());
        }
        (setting.set)(self, value).map_err(bad)?;
        self.origins.insert(setting.key, Origin::Environment(name.to_owned()));
        Ok(())
    }
}
