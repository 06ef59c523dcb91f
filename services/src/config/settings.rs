//! The table of settings: the one place that knows every key.

use firn_engine::BranchName;

use super::values::{
    addresses, at_least, endpoint, flag, listen, listen_or_none, location, members, name_of,
    number, one_of, secret, text,
};
use super::{BlocksFrom, Config, JournalKind, LogFormat, MASK};
use crate::bytes::ByteSize;

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

/// Longest name of a journal in bytes.
const JOURNAL_NAME_MAX: usize = 64;

/// Raft groups of a replicated journal.
const GROUPS_MAX: u32 = 256;

const JOURNALS: [(&str, JournalKind); 3] = [
    ("local", JournalKind::Local),
    ("object", JournalKind::Object),
    ("memory", JournalKind::Memory),
];
const BLOCKS: [(&str, BlocksFrom); 2] =
    [("service", BlocksFrom::Service), ("store", BlocksFrom::Store)];
const FORMATS: [(&str, LogFormat); 2] = [("text", LogFormat::Text), ("json", LogFormat::Json)];

/// Less memory than this leaves nothing for caches beside what a process needs itself.
const MEMORY_MIN: ByteSize = ByteSize(256 << 20);
/// Less disk than this holds nothing: the cache evicts in pieces of 16 MiB.
const DISK_CACHE_MIN: ByteSize = ByteSize(256 << 20);
const COMPACTION_CONCURRENCY_MAX: usize = 1024;

/// In the order in which they are printed: keys of one group stand together.
pub(super) const SETTINGS: &[Setting] = &[
    Setting {
        key: "data_dir",
        values: "a folder",
        default: "`./firn-data`",
        about: "Everything that this process keeps on the local disk: the local journal, the disk cache, temporary files of queries and, unless `object_store.url` says otherwise, the objects. A relative path starts where the process was started. One process at a time.",
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
        about: "Whether the journal's records are also kept in the object store after their data was flushed. The leader of the replicated journal does that itself: set it, and the object store, for its members as well as for those who read.",
        set: |c, v| flag(v).map(|v| c.journal.archive = v),
        get: |c| Some(c.journal.archive.to_string()),
    },
    Setting {
        key: "journal.addresses",
        values: "`HOST:PORT`, several with commas between",
        default: "none: `journal.kind` says which journal there is",
        about: "Where the members of the replicated journal are found, which `firn journal` runs. Any of them may be asked; name all. Then `journal.kind` does not count.",
        set: |c, v| addresses(v).map(|v| c.journal.addresses = v),
        get: |c| (!c.journal.addresses.is_empty()).then(|| c.journal.addresses.join(",")),
    },
    Setting {
        key: "journal.listen",
        values: "address and port",
        default: "`127.0.0.1:7402`",
        about: "Where `firn journal` is called by the other parts and by the other members. On other addresses than loopback set `rpc.token` or certificates.",
        set: |c, v| listen(v, "127.0.0.1:7402").map(|v| c.journal.listen = v),
        get: |c| Some(c.journal.listen.to_string()),
    },
    Setting {
        key: "journal.member",
        values: "a number from 1",
        default: "none: `firn journal` must be told",
        about: "The number of the member that `firn journal` runs. A number whose disk was lost is never used again: remove that member and add another one under a new number.",
        set: |c, v| number(v, 1, u64::MAX).map(|v| c.journal.member = Some(v)),
        get: |c| c.journal.member.map(|member| member.to_string()),
    },
    Setting {
        key: "journal.members",
        values: "`NUMBER=HOST:PORT`, several with commas between",
        default: "none: `firn journal` must be told",
        about: "All members of the replicated journal and where each is reached by the others, this one included. Those named at the very first start begin it together, so the list must then be the same for all. Later the journal itself knows who belongs to it, and this only says where they are.",
        set: |c, v| members(v).map(|v| c.journal.members = v),
        get: |c| {
            let members = c.journal.members.iter().map(|(number, at)| format!("{number}={at}"));
            let members: Vec<String> = members.collect();
            (!members.is_empty()).then(|| members.join(","))
        },
    },
    Setting {
        key: "journal.join",
        values: "`true` or `false`",
        default: "`false`",
        about: "Whether this member comes to a journal that exists: then an empty folder waits until `firn ctl journal add` makes it a member, and does not begin a journal.",
        set: |c, v| flag(v).map(|v| c.journal.join = v),
        get: |c| Some(c.journal.join.to_string()),
    },
    Setting {
        key: "journal.name",
        values: "text of at most 64 bytes",
        default: "`firn`",
        about: "The name of the replicated journal, the same for all its members. A member refuses a folder and the calls of members under another name.",
        set: |c, v| match v.len() {
            1..=JOURNAL_NAME_MAX => text(v).map(|v| c.journal.name = v),
            len => Err(format!("must be 1 to {JOURNAL_NAME_MAX} bytes, is {len}")),
        },
        get: |c| Some(c.journal.name.clone()),
    },
    Setting {
        key: "journal.groups",
        values: "a number from 1 to 256",
        default: "`1`",
        about: "Raft groups over which the branches' logs are spread, the same for all members. Never changes.",
        set: |c, v| number(v, 1, GROUPS_MAX).map(|v| c.journal.groups = v),
        get: |c| Some(c.journal.groups.to_string()),
    },
    Setting {
        key: "memory_bytes_max",
        values: "bytes, such as `4 GiB`",
        default: "40 % of the memory that the process may use, its control group's limit included",
        about: "Memory that the process keeps to, at least 256 MiB. A quarter is for what statements and transactions keep until they end: writes that are not committed, locks, rows that are sorted; past it transactions and what queries gather go to files, and what cannot gets error 1038, 1041 or 1206. An eighth and 96 MiB are left for merges, requests and the process itself; memtables and caches have the rest.",
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
        key: "storage.blocks",
        values: "`service` or `store`",
        default: "`service`",
        about: "Where a process whose storage service is elsewhere reads what its own caches have not: from that service and its cache, or from the object store. While no service answers it reads from the object store in any case.",
        set: |c, v| one_of(v, &BLOCKS).map(|v| c.storage.blocks = v),
        get: |c| name_of(c.storage.blocks, &BLOCKS),
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
        key: "mysql_tls_certificate",
        values: "a PEM file",
        default: "none: one is made that nobody signed",
        about: "The certificate that MySQL clients see, behind it those up to its authority.",
        set: |c, v| text(v).map(|v| c.mysql_tls_certificate = Some(v.into())),
        get: |c| c.mysql_tls_certificate.as_ref().map(|path| path.display().to_string()),
    },
    Setting {
        key: "mysql_tls_key",
        values: "a PEM file",
        default: "none",
        about: "The key of `mysql_tls_certificate`.",
        set: |c, v| text(v).map(|v| c.mysql_tls_key = Some(v.into())),
        get: |c| c.mysql_tls_key.as_ref().map(|path| path.display().to_string()),
    },
    Setting {
        key: "mysql_tls_client_ca",
        values: "a PEM file",
        default: "none: clients are not asked for certificates",
        about: "Who signs the certificates of MySQL clients, which they show for accounts with `REQUIRE X509`, `SUBJECT` or `ISSUER`. It needs `mysql_tls_certificate` and `mysql_tls_key`.",
        set: |c, v| text(v).map(|v| c.mysql_tls_client_ca = Some(v.into())),
        get: |c| c.mysql_tls_client_ca.as_ref().map(|path| path.display().to_string()),
    },
    Setting {
        key: "mysql_secure_file_priv",
        values: "a folder, `any`, or `none`",
        default: "`none`",
        about: "Where `LOAD DATA INFILE`, `SELECT … INTO OUTFILE` and `LOAD_FILE` may read and write files of this machine, for accounts with the privilege `FILE`: `secure_file_priv` in MySQL, where `none` is `NULL` and `any` is empty. The folder must be there.",
        set: |c, v| {
            let folder = match v {
                "none" => None,
                "any" => Some(String::new()),
                "" => return Err("must be a folder, any, or none".into()),
                folder => Some(text(folder)?),
            };
            c.mysql_secure_file_priv = folder;
            Ok(())
        },
        get: |c| {
            Some(match c.mysql_secure_file_priv.as_deref() {
                None => "none".to_owned(),
                Some("") => "any".to_owned(),
                Some(folder) => folder.to_owned(),
            })
        },
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
    Setting {
        key: "trace.endpoint",
        values: "a URL, or `none`",
        default: "`OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` or `OTEL_EXPORTER_OTLP_ENDPOINT` of the environment; without either there are no traces",
        about: "The collector to which traces are sent, by OTLP over gRPC: `http://localhost:4317`. They follow a statement through all parts, to the journal's members and the requests to the object store. While the collector is away spans are lost, and nobody waits. `OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` count as everywhere.",
        set: |c, v| {
            c.trace.endpoint = if v == "none" { None } else { Some(endpoint(v)?) };
            Ok(())
        },
        get: |c| Some(c.trace.endpoint.clone().unwrap_or_else(|| "none".to_owned())),
    },
    Setting {
        key: "trace.share",
        values: "a number from 0 to 1",
        default: "`0.01`",
        about: "Which part of the statements and flushes is traced, by chance. A client that traces a statement itself, and says so in the query attribute `traceparent`, has it traced in any case.",
        set: |c, v| {
            let share = v.parse::<f64>().ok().filter(|share| (0.0..=1.0).contains(share));
            c.trace.share =
                share.ok_or_else(|| format!("must be a number from 0 to 1, is {v:?}"))?;
            Ok(())
        },
        get: |c| Some(c.trace.share.to_string()),
    },
];
