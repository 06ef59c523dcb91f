//! Defaults sized from the machine, and what must fit together.

use std::path::Path;

use firn_engine::{BranchName, Error, ErrorKind, Result};

use super::{
    BlocksFrom, CompactionConfig, Config, JournalConfig, Location, LogFormat, ObjectStoreConfig,
    Origin, RpcConfig, StorageConfig, settings,
};
use crate::bytes::ByteSize;
use crate::machine::{DiskSpace, Machine};

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// The disk cache keeps an index in memory: with blocks of 16 KiB and about
/// 100 bytes for each, 20 times the memory setting costs an eighth of it more.
const DISK_CACHE_PER_MEMORY: u64 = 20;

/// 40 %: on a small machine everything else needs the rest. Never below what the setting itself accepts.
fn memory_default(usable_bytes: u64) -> ByteSize {
    let share = usable_bytes / 5 * 2;
    ByteSize((share / MIB * MIB).max(256 * MIB))
}

/// Half of the free disk, where files of the cache itself count as free:
/// otherwise the default would shrink with every restart. In whole GiB, so that
/// other files on the disk do not change it each time. None on a disk that has
/// no GiB to give.
fn disk_cache_default(space: DiskSpace, cache_bytes: u64, memory: ByteSize) -> ByteSize {
    let half = space.free_bytes.saturating_add(cache_bytes).min(space.total_bytes) / 2;
    let bound = memory.0.saturating_mul(DISK_CACHE_PER_MEMORY);
    ByteSize(half.min(bound) / GIB * GIB)
}

impl Config {
    /// What holds if nothing is set; values that follow from others come in `finish`.
    pub(super) fn unset(machine: &Machine) -> Self {
        Self {
            data_dir: "./firn-data".into(),
            object_store: ObjectStoreConfig::default(),
            branch: BranchName::main(),
            journal: JournalConfig::default(),
            memory_bytes_max: memory_default(machine.memory_usable_bytes()),
            disk_cache_bytes_max: ByteSize(0),
            compaction: CompactionConfig { concurrency: machine.cores.saturating_sub(1).max(1) },
            storage: StorageConfig {
                listen: std::net::SocketAddr::from(([127, 0, 0, 1], 7401)),
                addresses: Vec::new(),
                blocks: BlocksFrom::Service,
            },
            rpc: RpcConfig::default(),
            http_listen: Some(std::net::SocketAddr::from(([127, 0, 0, 1], 7400))),
            mysql_listen: Some(std::net::SocketAddr::from(([127, 0, 0, 1], 3306))),
            mysql_root_password: None,
            mysql_tls_certificate: None,
            mysql_tls_key: None,
            mysql_tls_client_ca: None,
            mysql_secure_file_priv: None,
            log: "info".to_owned(),
            log_format: LogFormat::Text,
            trace: crate::telemetry::TraceConfig { endpoint: None, share: 0.01 },
            origins: std::collections::BTreeMap::new(),
        }
    }

    /// Fills in what follows from other values and checks that they fit together.
    pub(super) fn finish(&mut self, machine: &Machine) -> Result<()> {
        let is_set = |c: &Self, key| c.origins.contains_key(key);
        if !is_set(self, "object_store.url") {
            self.object_store.url = self.data_dir.join("objects").display().to_string();
        }
        if !is_set(self, "object_store.path_style") {
            self.object_store.path_style = self.object_store.endpoint.is_some();
        }
        if !is_set(self, "disk_cache_bytes_max") {
            let space = machine.disk_space(&self.data_dir)?;
            let used =
                folder_bytes(&self.cache_dir()) + folder_bytes(&self.storage_dir().join("cache"));
            self.disk_cache_bytes_max = disk_cache_default(space, used, self.memory_bytes_max);
        }
        self.check_rpc()?;
        self.check_object_store()
    }

    /// Says what is wrong with a key, and where it was set.
    fn refuse(&self, key: &str, why: &str) -> Error {
        let line = match self.origins.get(key) {
            None | Some(Origin::Default) => format!("{key}: {why}"),
            Some(origin) => format!("{origin}: {key}: {why}"),
        };
        Error::new(ErrorKind::BadRequest, line)
    }

    fn check_rpc(&self) -> Result<()> {
        let files = [
            ("rpc.tls_ca", &self.rpc.tls_ca),
            ("rpc.tls_certificate", &self.rpc.tls_certificate),
            ("rpc.tls_key", &self.rpc.tls_key),
        ];
        let set = files.iter().find(|(_, file)| file.is_some());
        let missing = files.iter().find(|(_, file)| file.is_none());
        if let (Some((set, _)), Some((missing, _))) = (set, missing) {
            return Err(self.refuse(set, &format!("is set, but {missing} is not")));
        }
        Ok(())
    }

    fn check_object_store(&self) -> Result<()> {
        let bad = |key: &str, why: String| Err(self.refuse(key, &why));
        let store = &self.object_store;
        if !matches!(self.location()?, Location::S3 { .. }) {
            // Someone who sets these believes to be talking to a server.
            let only_s3 =
                |key: &&str| *key != "object_store.url" && key.starts_with("object_store.");
            if let Some(key) = settings::SETTINGS
                .iter()
                .map(|s| s.key)
                .filter(only_s3)
                .find(|key| self.origins.contains_key(key))
            {
                return bad(key, format!("has no meaning for object_store.url {:?}", store.url));
            }
        }
        if let Some(endpoint) = &store.endpoint
            && endpoint.starts_with("http://")
            && !store.allow_http
        {
            let why = format!(
                "{endpoint:?} is plain HTTP: set object_store.allow_http: true or use https://"
            );
            return bad("object_store.endpoint", why);
        }
        match (&store.access_key_id, &store.secret_access_key) {
            (Some(_), None) => bad(
                "object_store.access_key_id",
                "is set, but object_store.secret_access_key is not".to_owned(),
            ),
            (None, Some(_)) => bad(
                "object_store.secret_access_key",
                "is set, but object_store.access_key_id is not".to_owned(),
            ),
            _ => Ok(()),
        }
    }
}

/// Bytes that the files of a folder occupy; what cannot be looked at counts as nothing.
fn folder_bytes(folder: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    // A cache is a few files in one folder, perhaps one level deeper.
    fn sum(folder: &Path, depth: usize) -> u64 {
        let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
        let bytes = entries.flatten().map(|entry| match entry.metadata() {
            Ok(m) if m.is_file() => m.blocks() * 512,
            Ok(m) if m.is_dir() && depth > 0 => sum(&entry.path(), depth - 1),
            _ => 0,
        });
        bytes.sum()
    }
    sum(folder, 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_two_fifths_but_never_too_little_to_start() {
        assert_eq!(memory_default(10 * GIB), ByteSize(4 * GIB));
        assert_eq!(memory_default(1000 * MIB), ByteSize(400 * MIB));
        assert_eq!(memory_default(MIB), ByteSize(256 * MIB));
        assert_eq!(memory_default(u64::MAX).0 % MIB, 0);
    }

    #[test]
    fn the_disk_cache_does_not_shrink_by_being_used() {
        let memory = ByteSize(64 * GIB);
        let total = 100 * GIB;
        let before = DiskSpace { total_bytes: total, free_bytes: 80 * GIB };
        let first = disk_cache_default(before, 0, memory);
        assert_eq!(first, ByteSize(40 * GIB));
        let full = DiskSpace { total_bytes: total, free_bytes: 40 * GIB };
        assert_eq!(disk_cache_default(full, first.0, memory), first);
    }

    #[test]
    fn the_disk_cache_is_bounded_by_memory_and_off_on_a_small_disk() {
        let space = |free_bytes| DiskSpace { total_bytes: u64::MAX, free_bytes };
        assert_eq!(disk_cache_default(space(u64::MAX), 9, ByteSize(GIB)), ByteSize(20 * GIB));
        assert_eq!(disk_cache_default(space(2 * GIB - 1), 0, ByteSize(GIB)), ByteSize(0));
    }

    #[test]
    fn bytes_of_a_folder_are_what_its_files_occupy() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(folder_bytes(&dir.path().join("missing")), 0);
        std::fs::create_dir(dir.path().join("deeper")).unwrap();
        std::fs::write(dir.path().join("a"), [1; 4096]).unwrap();
        std::fs::write(dir.path().join("deeper/b"), [1; 4096]).unwrap();
        let bytes = folder_bytes(dir.path());
        assert!((8192..1 << 20).contains(&bytes), "{bytes}");
    }
}
