//! The table of settings: the one place that knows every key.

use std::net::SocketAddr;
use std::path::PathBuf;

use firn_engine::BranchName;

use super::{Config, JournalKind, Location, LogFormat, MASK, Secret};
use crate::bytes::ByteSize;

/// Longest value in bytes: no setting needs more.
const VALUE_LEN_MAX: usize = 4096;

/// One key of the configuration.
pub(super) struct Setting {
    /// With a dot between levels.
    pub(super) key: &'static str,
    /// What may be written, for people.
    pub(super) values: &'static str,
    /// What holds if it is not set, for people.
    pub(super) default: &'static str,
    /// What it does, for people.
    pub(super) about: &'static str,
    /// Reads a value. The error says why not, without the key.
    pub(super) set: fn(&mut Config, &str) -> Result<(), String>,
    /// The effective value as it would be written; `None` if there is none.
    pub(super) get: fn(&Config) -> Option<String>,
}

impl Setting {
    /// The variable that sets it.
    pub(super) fn variable(&self) -> String {
        format!("{}{}", super::ENV_PREFIX, self.key.to_uppercase().replace('.', "__"))
    }
}

pub(super) fn find(key: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.key == key)
}

/// Keys that have keys below them.
pub(super) fn is_group(key: &str) -> bool {
    let below = |s: &Setting| s.key.strip_prefix(key).is_some_and(|rest| rest.starts_with('.'));
    SETTINGS.iter().any(below)
}

pub(super) fn keys() -> impl Iterator<Item = String> {
    SETTINGS.iter().map(|s| s.key.to_owned())
}

pub(super) fn variables() -> impl Iterator<Item = String> {
    SETTINGS.iter().map(Setting::variable)
}

/// Variables with our prefix that are not meant for us: what Kubernetes puts
/// into every container for a Service whose name starts with `firn`
/// (`FIRN_SERVICE_HOST`, `FIRN_PORT_7400_TCP_ADDR`), and switches of the tests.
pub(super) fn is_foreign_variable(name: &str) -> bool {
    let ours = find(&name.trim_start_matches(super::ENV_PREFIX).to_lowercase().replace("__", "."));
    let service = name.ends_with("_SERVICE_HOST")
        || name.contains("_SERVICE_PORT")
        || name.ends_with("_PORT")
        || ["_TCP", "_UDP", "_SCTP"].iter().any(|p| name.contains("_PORT_") && name.contains(p));
    let tests = ["FIRN_REWRITE", "FIRN_SEED", "FIRN_SEEDS"].contains(&name)
        || ["FIRN_TEST_", "FIRN_CRASH_", "FIRN_CI_"].iter().any(|p| name.starts_with(p));
    ours.is_none() && (service || tests)
}

/// Says that a key does not exist, and which one may have been meant.
pub(super) fn unknown(key: &str, known: impl Iterator<Item = String>) -> String {
    // A key is no essay: do not compare one.
    let known = known.take(if key.len() > 256 { 0 } else { usize::MAX });
    let near = known.map(|k| (edits(key, &k), k)).min();
    match near {
        Some((distance, k)) if distance <= 2.max(key.len() / 4) => {
            format!("unknown key {key:?}; did you mean {k:?}?")
        }
        _ => format!("unknown key {key:?}"),
    }
}

/// Levenshtein's distance in bytes, whatever the case.
fn edits(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let replaced = diagonal + usize::from(!x.eq_ignore_ascii_case(&y));
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

/// Reads where objects are.
pub(super) fn location(url: &str) -> Result<Location, String> {
    let Some((scheme, rest)) = url.split_once("://") else {
        return Ok(Location::Folder(PathBuf::from(url)));
    };
    if rest.contains('@') {
        // Not shown: what is in front of the sign may be a password.
        return Err("must hold no credentials: set access_key_id and secret_access_key".into());
    }
    match scheme {
        "file" if rest.starts_with('/') => Ok(Location::Folder(PathBuf::from(rest))),
        "file" => Err(format!("{url:?}: a folder's URL has three slashes: file:///folder")),
        "memory" if rest.is_empty() => Ok(Location::Memory),
        "memory" => Err(format!("{url:?}: nothing may follow memory://")),
        "s3" => {
            let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
            let legal = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            if bucket.is_empty() || !bucket.chars().all(legal) {
                return Err(format!("{url:?}: must be s3://bucket or s3://bucket/prefix"));
            }
            let prefix = prefix.trim_matches('/').to_owned();
            if prefix.split('/').any(|part| part == ".." || part == ".")
                || prefix.contains("//")
                || prefix.contains(['?', '#'])
            {
                return Err(format!("{url:?}: the prefix must be plain names between slashes"));
            }
            Ok(Location::S3 { bucket: bucket.to_owned(), prefix })
        }
        _ => Err(format!("{url:?}: must be a folder, file://, s3:// or memory://")),
    }
}

fn text(value: &str) -> Result<String, String> {
    if value.len() > VALUE_LEN_MAX {
        return Err(format!("must be at most {VALUE_LEN_MAX} bytes, is {}", value.len()));
    }
    if value.chars().any(char::is_control) {
        return Err("must not hold control characters".into());
    }
    Ok(value.to_owned())
}

fn flag(value: &str) -> Result<bool, String> {
    match value {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(format!("must be true or false, is {value:?}")),
    }
}

fn one_of<T: Copy>(value: &str, choices: &[(&str, T)]) -> Result<T, String> {
    choices.iter().find(|(name, _)| *name == value).map(|(_, choice)| *choice).ok_or_else(|| {
        let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
        format!("must be one of {}, is {value:?}", names.join(", "))
    })
}

fn name_of<T: Copy + PartialEq>(value: T, choices: &[(&str, T)]) -> Option<String> {
    choices.iter().find(|(_, choice)| *choice == value).map(|(name, _)| (*name).to_owned())
}

/// Never shows the value, not even in an error.
fn secret(value: &str) -> Result<Option<Secret>, String> {
    if value == MASK {
        return Err("is the mask that `firn config` prints in place of the secret".into());
    }
    Ok(Some(Secret::new(text(value)?)))
}

fn endpoint(value: &str) -> Result<String, String> {
    let rest = value.strip_prefix("https://").or_else(|| value.strip_prefix("http://"));
    match rest {
        Some(host) if host.contains('@') => Err("must hold no credentials".into()),
        Some(host) if !host.is_empty() => text(value),
        _ => Err(format!("must start with https:// or http://, is {value:?}")),
    }
}

fn listen(value: &str, example: &str) -> Result<SocketAddr, String> {
    let why = || format!("must be an address and a port, such as {example}; is {value:?}");
    value.parse().map_err(|_| why())
}

fn listen_or_none(value: &str, port: &str) -> Result<Option<SocketAddr>, String> {
    if value == "none" {
        return Ok(None);
    }
    let address = value.parse().map_err(|_| {
        format!("must be an address and a port, such as 127.0.0.1:{port} or [::]:{port}, or none; is {value:?}")
    });
    address.map(Some)
}

/// Addresses of servers that one setting may name.
const ADDRESSES_MAX: usize = 64;

fn addresses(value: &str) -> Result<Vec<String>, String> {
    let names: Vec<String> = text(value)?.split(',').map(|name| name.trim().to_owned()).collect();
    if names.len() > ADDRESSES_MAX {
        return Err(format!("must be at most {ADDRESSES_MAX} addresses, is {}", names.len()));
    }
    match names.iter().find(|name| !crate::rpc::peers::is_name(name)) {
        Some(name) => Err(format!("must be HOST:PORT, is {name:?}")),
        None => Ok(names),
    }
}

const JOURNALS: [(&str, JournalKind); 3] = [
    ("local", JournalKind::Local),
    ("object", JournalKind::Object),
    ("memory", JournalKind::Memory),
];
const FORMATS: [(&str, LogFormat); 2] = [("text", LogFormat::Text), ("json", LogFormat::Json)];

/// Less memory than this holds no useful cache beside the memtables.
const MEMORY_MIN: ByteSize = ByteSize(64 << 20);
/// Less disk than this holds nothing: the cache evicts in pieces of 16 MiB.
const DISK_CACHE_MIN: ByteSize = ByteSize(256 << 20);
const COMPACTION_CONCURRENCY_MAX: usize = 1024;

/// In the order in which they are printed: keys of one group stand together.
pub(super) const SETTINGS: &[Setting] = &[
    Setting {
        key: "data_dir",
        values: "a folder",
        default: "`./firn-data`",
        about: "Everything that this process keeps on the local disk: the local journal, the disk cache and, unless `object_store.url` says otherwise, the objects. A relative path starts where the process was started. One process at a time.",
        set: |c, v| text(v).map(|v| c.data_dir = v.into()),
        get: |c| Some(c.data_dir.display().to_string()),
    },
    Setting {
        key: "object_store.url",
        values: "a folder, `file:///folder`, `s3://bucket/prefix` or `memory://`",
        default: "the folder `objects` in `data_dir`",
        about: "Where the data lives. `memory://` is gone when the process ends.",
        set: |c, v| {
            location(v)?;
            text(v).map(|v| c.object_store.url = v)
        },
        get: |c| Some(c.object_store.url.clone()),
    },
    Setting {
        key: "object_store.endpoint",
        values: "a URL",
        default: "AWS's for the region",
        about: "The server of an S3-compatible store.",
        set: |c, v| endpoint(v).map(|v| c.object_store.endpoint = Some(v)),
        get: |c| c.object_store.endpoint.clone(),
    },
    Setting {
        key: "object_store.region",
        values: "a name",
        default: "AWS's usual places: environment, profile, instance",
        about: "The region of the bucket.",
        set: |c, v| text(v).map(|v| c.object_store.region = Some(v)),
        get: |c| c.object_store.region.clone(),
    },
    Setting {
        key: "object_store.path_style",
        values: "`true` or `false`",
        default: "`true` if `object_store.endpoint` is set",
        about: "Whether the bucket stands in the path of requests, as most servers but AWS's want it, or in the host's name.",
        set: |c, v| flag(v).map(|v| c.object_store.path_style = v),
        get: |c| Some(c.object_store.path_style.to_string()),
    },
    Setting {
        key: "object_store.allow_http",
        values: "`true` or `false`",
        default: "`false`",
        about: "Whether the endpoint may be plain HTTP: then data and requests cross the network in the clear.",
        set: |c, v| flag(v).map(|v| c.object_store.allow_http = v),
        get: |c| Some(c.object_store.allow_http.to_string()),
    },
    Setting {
        key: "object_store.access_key_id",
        values: "text, masked when shown",
        default: "AWS's usual places: environment, profile, instance",
        about: "Set both parts of the key or neither. Better in the environment than in a file.",
        set: |c, v| secret(v).map(|v| c.object_store.access_key_id = v),
        get: |c| c.object_store.access_key_id.as_ref().map(|_| MASK.to_owned()),
    },
    Setting {
        key: "object_store.secret_access_key",
        values: "text, masked when shown",
        default: "AWS's usual places: environment, profile, instance",
        about: "See `object_store.access_key_id`.",
        set: |c, v| secret(v).map(|v| c.object_store.secret_access_key = v),
        get: |c| c.object_store.secret_access_key.as_ref().map(|_| MASK.to_owned()),
    },
    Setting {
        key: "branch",
        values: "a name of `a-z A-Z 0-9 _ -`, at most 64 bytes",
        default: "`main`",
        about: "The timeline of the database that is opened.",
        set: |c, v| BranchName::new(v).map(|v| c.branch = v).map_err(|e| e.to_string()),
        get: |c| Some(c.branch.to_string()),
    },
    Setting {
        key: "journal.kind",
        values: "`local`, `object` or `memory`",
        default: "`local`",
        about: "What makes commits durable: files in `data_dir`, synced; objects in the object store, for machines whose disk does not outlive them, at a higher latency; or nothing until the next flush.",
        set: |c, v| one_of(v, &JOURNALS).map(|v| c.journal.kind = v),
        get: |c| name_of(c.journal.kind, &JOURNALS),
    },
    Setting {
        key: "journal.archive",
        values: "`true` or `false`",
        default: "`false`",
        about: "Whether the journal's records are also kept in the object store after their data was flushed.",
        set: |c, v| flag(v).map(|v| c.journal.archive = v),
        get: |c| Some(c.journal.archive.to_string()),
    },
    Setting {
        key: "memory_bytes_max",
        values: "bytes, such as `4 GiB`",
        default: "40 % of the memory that the process may use, its control group's limit included",
        about: "Memory for memtables and caches together, at least 64 MiB. Requests and compaction need some beside it.",
        set: |c, v| v.parse().and_then(|v| at_least(v, MEMORY_MIN)).map(|v| c.memory_bytes_max = v),
        get: |c| Some(c.memory_bytes_max.to_string()),
    },
    Setting {
        key: "disk_cache_bytes_max",
        values: "bytes, such as `100 GiB`; `0` means none",
        default: "half of the free disk under `data_dir`, at most 20 times `memory_bytes_max`",
        about: "Local disk for cached blocks, at least 256 MiB if any. The cache survives restarts and may be deleted between them.",
        set: |c, v| {
            let size = v.parse::<ByteSize>()?;
            let size = if size.0 == 0 { size } else { at_least(size, DISK_CACHE_MIN)? };
            c.disk_cache_bytes_max = size;
            Ok(())
        },
        get: |c| Some(c.disk_cache_bytes_max.to_string()),
    },
    Setting {
        key: "compaction.concurrency",
        values: "a number",
        default: "one less than the cores, at least 1",
        about: "Pieces of compaction work that this process does at once, each on one core.",
        set: |c, v| {
            let n =
                v.parse::<usize>().ok().filter(|n| (1..=COMPACTION_CONCURRENCY_MAX).contains(n));
            let why = || format!("must be between 1 and {COMPACTION_CONCURRENCY_MAX}, is {v:?}");
            c.compaction.concurrency = n.ok_or_else(why)?;
            Ok(())
        },
        get: |c| Some(c.compaction.concurrency.to_string()),
    },
    Setting {
        key: "storage.listen",
        values: "address and port",
        default: "`127.0.0.1:7401`",
        about: "Where `firn storage` is called by the other parts. On other addresses than loopback set `rpc.token` or certificates.",
        set: |c, v| listen(v, "127.0.0.1:7401").map(|v| c.storage.listen = v),
        get: |c| Some(c.storage.listen.to_string()),
    },
    Setting {
        key: "storage.addresses",
        values: "`HOST:PORT`, several with commas between",
        default: "none: a storage service runs in the process itself",
        about: "Where the other parts find the storage service. A name may stand for several replicas; each caller uses one and goes on to the next when it does not answer.",
        set: |c, v| addresses(v).map(|v| c.storage.addresses = v),
        get: |c| (!c.storage.addresses.is_empty()).then(|| c.storage.addresses.join(",")),
    },
    Setting {
        key: "rpc.token",
        values: "text, masked when shown",
        default: "none: whoever reaches a port may call it",
        about: "What every part sends with its calls to others and asks of its callers: the same text in all of a cluster. A secret: better in the environment than in a file.",
        set: |c, v| secret(v).map(|v| c.rpc.token = v),
        get: |c| c.rpc.token.as_ref().map(|_| MASK.to_owned()),
    },
    Setting {
        key: "rpc.tls_ca",
        values: "a PEM file",
        default: "none: calls cross the network in the clear",
        about: "Who signs the certificates of a cluster's parts. With it, `rpc.tls_certificate` and `rpc.tls_key` every call is encrypted, and both sides show a certificate of this authority.",
        set: |c, v| text(v).map(|v| c.rpc.tls_ca = Some(v.into())),
        get: |c| c.rpc.tls_ca.as_ref().map(|path| path.display().to_string()),
    },
    Setting {
        key: "rpc.tls_certificate",
        values: "a PEM file",
        default: "none",
        about: "This process's certificate. That of a server names the host under which it is called.",
        set: |c, v| text(v).map(|v| c.rpc.tls_certificate = Some(v.into())),
        get: |c| c.rpc.tls_certificate.as_ref().map(|path| path.display().to_string()),
    },
    Setting {
        key: "rpc.tls_key",
        values: "a PEM file",
        default: "none",
        about: "The key of `rpc.tls_certificate`.",
        set: |c, v| text(v).map(|v| c.rpc.tls_key = Some(v.into())),
        get: |c| c.rpc.tls_key.as_ref().map(|path| path.display().to_string()),
    },
    Setting {
        key: "http_listen",
        values: "address and port, or `none`",
        default: "`127.0.0.1:7400`",
        about: "Where `/metrics`, `/livez`, `/readyz` and `/status` are served. They show no data but have no authentication.",
        set: |c, v| listen_or_none(v, "7400").map(|v| c.http_listen = v),
        get: |c| Some(c.http_listen.map_or_else(|| "none".to_owned(), |a| a.to_string())),
    },
    Setting {
        key: "mysql_listen",
        values: "address and port, or `none`",
        default: "`127.0.0.1:3306`",
        about: "Where MySQL clients connect.",
        set: |c, v| listen_or_none(v, "3306").map(|v| c.mysql_listen = v),
        get: |c| Some(c.mysql_listen.map_or_else(|| "none".to_owned(), |a| a.to_string())),
    },
    Setting {
        key: "mysql_root_password",
        values: "text",
        default: "none",
        about: "The password that `root` gets if it has none yet; from then on it may come from anywhere. Later changes are made by `ALTER USER`. Without it, the `root` of a new database has no password and comes from this machine alone, and `mysql_listen` must be a loopback address as long as that is so. A secret: better in the environment than in a file.",
        set: |c, v| secret(v).map(|v| c.mysql_root_password = v),
        get: |c| c.mysql_root_password.as_ref().map(|_| MASK.to_owned()),
    },
    Setting {
        key: "log",
        values: "a level, or `target=level` pairs with commas between",
        default: "`info`",
        about: "Which events are logged. Levels are `off`, `error`, `warn`, `info`, `debug` and `trace`, targets the modules of the code: `info,firn_engine=debug`.",
        set: |c, v| {
            crate::telemetry::check_filter(v)?;
            text(v).map(|v| c.log = v)
        },
        get: |c| Some(c.log.clone()),
    },
    Setting {
        key: "log_format",
        values: "`text` or `json`",
        default: "`text`",
        about: "Whether log events are lines for people or JSON objects. They go to standard error.",
        set: |c, v| one_of(v, &FORMATS).map(|v| c.log_format = v),
        get: |c| name_of(c.log_format, &FORMATS),
    },
];

fn at_least(size: ByteSize, min: ByteSize) -> Result<ByteSize, String> {
    if size < min { Err(format!("must be at least {min}, is {size}")) } else { Ok(size) }
}
