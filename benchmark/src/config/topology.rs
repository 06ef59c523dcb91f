//! Which parts a target is made of.

use std::fmt;

use firn_engine::Options;
use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize};

use super::units;

/// Where each part runs, and how large it may be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topology {
    /// What makes commits durable.
    #[serde(default, deserialize_with = "journal")]
    pub journal: Journal,
    /// How many, with `journal: members`.
    #[serde(default = "three")]
    pub members: u32,
    /// Owner of the manifest.
    #[serde(default, deserialize_with = "storage")]
    pub storage: Storage,
    /// How many, with `storage: services`.
    #[serde(default = "one")]
    pub services: u32,
    /// Who compacts.
    #[serde(default, deserialize_with = "compaction")]
    pub compaction: Switch,
    /// How many, with `compaction: workers`.
    #[serde(default = "one")]
    pub workers: u32,
    /// Where parts are that are there already; the others are started.
    #[serde(default)]
    pub addresses: Addresses,
    /// Where blocks are read that are not cached.
    #[serde(default, deserialize_with = "blocks")]
    pub blocks: Blocks,
    /// Where files go: `folder`, `memory`, or `s3://bucket/prefix`.
    #[serde(default, deserialize_with = "object_store")]
    pub object_store: ObjectStoreAt,
    /// Whether a put is answered only when it is durable. Without, the report
    /// says so in large letters.
    #[serde(default = "yes")]
    pub sync: bool,
    /// Whether bottom-level files get a Parquet twin.
    #[serde(default)]
    pub columns: bool,
    /// Sizes of the caches.
    #[serde(default)]
    pub caches: Caches,
    /// Sizes of the memtables.
    #[serde(default)]
    pub memtables: Memtables,
}

fn yes() -> bool {
    true
}

fn one() -> u32 {
    1
}

fn three() -> u32 {
    3
}

impl Default for Topology {
    fn default() -> Self {
        Self {
            journal: Journal::default(),
            members: three(),
            storage: Storage::default(),
            services: one(),
            compaction: Switch::default(),
            workers: one(),
            addresses: Addresses::default(),
            blocks: Blocks::default(),
            object_store: ObjectStoreAt::Folder,
            sync: true,
            columns: false,
            caches: Caches::default(),
            memtables: Memtables::default(),
        }
    }
}

/// What makes commits durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Journal {
    /// A log on this machine's disk.
    #[default]
    Local,
    /// The object store itself.
    Object,
    /// Nothing: what is not flushed is lost with the process.
    Memory,
    /// The replicated journal, its members processes of their own.
    Members,
}

/// Where the owner of the manifest is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Storage {
    /// In this process.
    #[default]
    Local,
    /// In processes of its own.
    Services,
}

/// Where blocks are read that are not cached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Blocks {
    /// In the object store.
    #[default]
    Store,
    /// At the storage service, which has a cache.
    Storage,
}

/// Parts that are there already, as `HOST:PORT`. What they use is in no figure.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Addresses {
    /// Members of the journal.
    pub journal: Vec<String>,
    /// Storage services.
    pub storage: Vec<String>,
}

/// A part that may be switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Switch {
    /// In this process.
    #[default]
    Local,
    /// Not at all.
    Off,
    /// In processes of their own.
    Workers,
}

/// Where files go.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ObjectStoreAt {
    /// A folder beside the report.
    #[default]
    Folder,
    /// This process's memory.
    Memory,
    /// A bucket and a prefix, as a URL; credentials come from the environment.
    S3(String),
}

impl fmt::Display for ObjectStoreAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder => f.write_str("folder"),
            Self::Memory => f.write_str("memory"),
            Self::S3(url) => f.write_str(url),
        }
    }
}

impl Serialize for ObjectStoreAt {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// How much the caches may hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Caches {
    /// Memory for blocks, rows, filters and indexes together.
    #[serde(default = "Caches::memory_default", deserialize_with = "units::bytes")]
    pub memory: u64,
    /// The rows' share of it; a third of what filters and indexes leave, if not said.
    #[serde(default, deserialize_with = "units::some_bytes")]
    pub rows: Option<u64>,
    /// The share of filters and indexes that stay; an eighth if not said.
    #[serde(default, deserialize_with = "units::some_bytes")]
    pub pinned: Option<u64>,
    /// Local disk for blocks; 0 for none.
    #[serde(default, deserialize_with = "units::bytes")]
    pub disk: u64,
}

impl Caches {
    fn memory_default() -> u64 {
        1 << 30
    }
}

impl Default for Caches {
    fn default() -> Self {
        Self { memory: Self::memory_default(), rows: None, pinned: None, disk: 0 }
    }
}

/// How much may wait in memory to be flushed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memtables {
    /// Size of one.
    #[serde(default = "Memtables::bytes_default", deserialize_with = "units::bytes")]
    pub bytes: u64,
    /// How many at most, the one being filled included.
    #[serde(default = "Memtables::count_default")]
    pub count: usize,
}

impl Memtables {
    fn bytes_default() -> u64 {
        64 << 20
    }

    fn count_default() -> usize {
        4
    }
}

impl Default for Memtables {
    fn default() -> Self {
        Self { bytes: Self::bytes_default(), count: Self::count_default() }
    }
}

impl Topology {
    /// The engine's options for these sizes.
    #[must_use]
    pub fn engine_options(&self) -> Options {
        let memory = self.caches.memory;
        let pinned = self.caches.pinned.unwrap_or(memory / 8).min(memory);
        let rest = memory - pinned;
        let rows = self.caches.rows.unwrap_or(rest / 3).min(rest);
        Options {
            writer: "benchmark".to_owned(),
            memtable_bytes: usize::try_from(self.memtables.bytes).unwrap_or(usize::MAX),
            memtables_max: self.memtables.count,
            block_cache_bytes: rest - rows,
            row_cache_bytes: rows,
            pinned_bytes: pinned,
            ..Options::for_memory(memory)
        }
    }

    /// Whether data is still there after the target was closed and opened again.
    #[must_use]
    pub fn survives_reopen(&self) -> bool {
        self.journal != Journal::Memory && self.object_store != ObjectStoreAt::Memory
    }
}

/// A word out of a few; anything that looks like an address gets an answer of its own.
struct Words<T: 'static> {
    part: &'static str,
    words: &'static [(&'static str, T)],
}

impl<T: Copy> Visitor<'_> for Words<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<_> = self.words.iter().map(|(word, _)| *word).collect();
        write!(f, "{}", words.join(" or "))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        if let Some((_, value)) = self.words.iter().find(|(word, _)| *word == text) {
            return Ok(*value);
        }
        let words: Vec<_> = self.words.iter().map(|(word, _)| *word).collect();
        let words = words.join(" or ");
        Err(E::custom(if text.contains(':') {
            format!("{} at {text:?}: say {words} here, and where under `addresses`", self.part)
        } else {
            format!("{text:?} is no {}: use {words}", self.part)
        }))
    }

    // YAML has `off` as a boolean.
    fn visit_bool<E: Error>(self, on: bool) -> Result<T, E> {
        self.visit_str(if on { "on" } else { "off" })
    }
}

fn journal<'de, D: Deserializer<'de>>(from: D) -> Result<Journal, D::Error> {
    from.deserialize_any(Words {
        part: "journal",
        words: &[
            ("local", Journal::Local),
            ("object", Journal::Object),
            ("memory", Journal::Memory),
            ("members", Journal::Members),
        ],
    })
}

fn storage<'de, D: Deserializer<'de>>(from: D) -> Result<Storage, D::Error> {
    from.deserialize_any(Words {
        part: "storage service",
        words: &[("local", Storage::Local), ("services", Storage::Services)],
    })
}

fn blocks<'de, D: Deserializer<'de>>(from: D) -> Result<Blocks, D::Error> {
    from.deserialize_any(Words {
        part: "place of blocks",
        words: &[("store", Blocks::Store), ("storage", Blocks::Storage)],
    })
}

pub(super) fn compaction<'de, D: Deserializer<'de>>(from: D) -> Result<Switch, D::Error> {
    from.deserialize_any(Words {
        part: "compaction",
        words: &[("local", Switch::Local), ("off", Switch::Off), ("workers", Switch::Workers)],
    })
}

fn object_store<'de, D: Deserializer<'de>>(from: D) -> Result<ObjectStoreAt, D::Error> {
    struct Url;

    impl Visitor<'_> for Url {
        type Value = ObjectStoreAt;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("folder, memory or s3://bucket/prefix")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<ObjectStoreAt, E> {
            match text {
                "folder" => Ok(ObjectStoreAt::Folder),
                "memory" => Ok(ObjectStoreAt::Memory),
                url if url.strip_prefix("s3://").is_some_and(|rest| !rest.is_empty()) => {
                    Ok(ObjectStoreAt::S3(text.to_owned()))
                }
                _ => Err(E::custom(format!(
                    "{text:?} is no object store: use folder, memory or s3://bucket/prefix"
                ))),
            }
        }
    }

    from.deserialize_any(Url)
}
