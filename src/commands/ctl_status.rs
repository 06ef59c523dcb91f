//! `firn ctl status`: all parts on one screen.

use std::fmt::Write as _;

use firn_engine::Env;
use firn_engine::manifest::Version;
use firn_proto::v1::BlockCacheStatus;
use firn_services::clients::storage_status;
use firn_services::config::Config;
use serde::Serialize;

use super::ctl;
use super::journal_ctl::{self, MemberRow};
use crate::inspect::{self, JobRow, LevelRow, PinRow};
use crate::status::{self, Status};
use crate::table::{TextTable, human_bytes};

/// A storage service.
#[derive(Debug, Serialize)]
struct StorageRow {
    address: String,
    serves: bool,
    /// Time of an answer in microseconds, with making the connection.
    answer_us: Option<u64>,
    /// Branches that it is in charge of.
    in_charge: Vec<String>,
    /// Its cache of blocks.
    blocks: Option<BlocksRow>,
    error: Option<String>,
}

/// The cache of blocks of a storage service, since it started.
#[derive(Debug, Serialize)]
struct BlocksRow {
    memory_bytes: u64,
    memory_bytes_max: u64,
    disk_bytes_max: u64,
    memory_hits: u64,
    disk_hits: u64,
    /// Reads that waited for the same read of somebody else.
    shared_reads: u64,
    store_reads: u64,
    store_bytes: u64,
}

impl BlocksRow {
    fn of(status: BlockCacheStatus) -> Self {
        Self {
            memory_bytes: status.memory_bytes,
            memory_bytes_max: status.memory_bytes_max,
            disk_bytes_max: status.disk_bytes_max,
            memory_hits: status.memory_hits,
            disk_hits: status.disk_hits,
            shared_reads: status.shared_reads,
            store_reads: status.store_reads,
            store_bytes: status.store_bytes,
        }
    }

    /// `hits` of all reads in percent; `-` before the first read.
    fn share(&self, hits: u64) -> String {
        let reads = self.memory_hits + self.disk_hits + self.shared_reads + self.store_reads;
        match reads {
            0 => "-".to_owned(),
            _ => format!("{:.1} %", hits as f64 * 100.0 / reads as f64),
        }
    }
}

/// What the newest manifest says.
#[derive(Debug, Serialize)]
struct ManifestState {
    branch: String,
    version: u64,
    /// The storage service in charge.
    owner: String,
    writer: String,
    epoch: u64,
    flushed_seq: u64,
    watermark_seq: u64,
    objects_to_delete: usize,
    levels: Vec<LevelRow>,
    jobs: Vec<JobRow>,
    pins: Vec<PinRow>,
}

/// Either part of it, or why it is not known.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Known<T> {
    State(T),
    Error(String),
}

impl<T> From<firn_engine::Result<T>> for Known<T> {
    fn from(result: firn_engine::Result<T>) -> Self {
        result.map_or_else(|error| Self::Error(error.to_string()), Self::State)
    }
}

/// All that can be asked.
#[derive(Debug, Serialize)]
pub(super) struct ClusterState {
    /// The front end, asked over `http_listen`.
    database: Known<Status>,
    manifest: Known<ManifestState>,
    journal: Vec<MemberRow>,
    storage: Vec<StorageRow>,
}

impl ManifestState {
    fn of(version: &Version) -> Self {
        Self {
            branch: version.branch.to_string(),
            version: version.number.0,
            owner: version.owner_name.clone(),
            writer: version.writer.clone(),
            epoch: version.epoch.0,
            flushed_seq: version.flushed_seq.0,
            watermark_seq: version.watermark.seq.0,
            objects_to_delete: version.garbage.len(),
            levels: inspect::levels(version),
            jobs: inspect::jobs(version),
            pins: inspect::pins(version),
        }
    }
}

/// Asks every part that the configuration names. What does not answer is shown as such.
pub(super) async fn gather(config: &Config, env: &Env) -> ClusterState {
    let database = ctl::ask(config).into();
    let manifest = ctl::newest(config, env).await.map(|version| ManifestState::of(&version)).into();
    let journal = match journal_ctl::admin(config, env) {
        Ok(admin) => journal_ctl::rows(&admin.states().await),
        // There is none: the database has a journal of its own.
        Err(_) => Vec::new(),
    };
    let mut storage = Vec::new();
    for address in &config.storage.addresses {
        let mut row = StorageRow {
            address: address.clone(),
            serves: false,
            answer_us: None,
            in_charge: Vec::new(),
            blocks: None,
            error: None,
        };
        match storage_status(env, address, &config.rpc.trust()).await {
            Ok((status, time)) => {
                row.serves = true;
                row.answer_us = time.as_micros().try_into().ok();
                row.in_charge = status.in_charge;
                row.blocks = status.blocks.map(BlocksRow::of);
            }
            Err(error) => row.error = Some(error.to_string()),
        }
        storage.push(row);
    }
    ClusterState { database, manifest, journal, storage }
}

impl ClusterState {
    /// For people.
    pub(super) fn text(&self) -> String {
        let mut out = String::new();
        match &self.database {
            Known::Error(why) => line(&mut out, format_args!("database  not known: {why}")),
            Known::State(db) => {
                let state = db.failure.as_deref().unwrap_or("open");
                line(
                    &mut out,
                    format_args!(
                        "database  branch {}, {state}: epoch {}, seq {}, {} behind in files, \
                         {} in memtables, {} in the journal",
                        db.branch,
                        db.epoch,
                        db.last_seq,
                        db.last_seq.saturating_sub(db.flushed_seq),
                        human_bytes(db.memtable_bytes),
                        human_bytes(db.journal_bytes),
                    ),
                );
                if db.write_pressure > 0.0 {
                    let (slowed, why) = (db.write_pressure * 100.0, &db.write_pressure_reason);
                    line(
                        &mut out,
                        format_args!("          writers slowed by {slowed:.0} %: {why}"),
                    );
                }
            }
        }
        match &self.manifest {
            Known::Error(why) => line(&mut out, format_args!("manifest  not known: {why}")),
            Known::State(m) => line(
                &mut out,
                format_args!(
                    "manifest  version {}, seq {}, watermark {}, {} objects to delete; storage: {}; \
                     writer: {}",
                    m.version,
                    m.flushed_seq,
                    m.watermark_seq,
                    m.objects_to_delete,
                    m.owner,
                    m.writer
                ),
            ),
        }
        if !self.journal.is_empty() {
            table(&mut out, &journal_ctl::table(&self.journal));
        }
        if !self.storage.is_empty() {
            let mut rows = TextTable::new(&[
                "storage",
                ">answer",
                "in charge of",
                ">blocks",
                ">memory",
                ">disk",
                ">store",
                "error",
            ]);
            for row in &self.storage {
                let time = row.answer_us.map(|us| format!("{}.{} ms", us / 1000, us % 1000 / 100));
                let error = row.error.clone().unwrap_or_default();
                let of = |text: &dyn Fn(&BlocksRow) -> String| {
                    row.blocks.as_ref().map_or_else(|| "-".to_owned(), text)
                };
                rows.row(vec![
                    row.address.clone(),
                    time.unwrap_or_else(|| "-".into()),
                    row.in_charge.join(", "),
                    of(&|b| human_bytes(b.memory_bytes)),
                    of(&|b| b.share(b.memory_hits)),
                    of(&|b| b.share(b.disk_hits)),
                    of(&|b| b.share(b.store_reads)),
                    error,
                ]);
            }
            table(&mut out, &rows);
        }
        if let Known::State(manifest) = &self.manifest {
            table(&mut out, &inspect::levels_table(&manifest.levels));
            if !manifest.jobs.is_empty() {
                table(&mut out, &inspect::jobs_table(&manifest.jobs));
            }
            table(&mut out, &inspect::pins_table(&manifest.pins));
        }
        if let Known::State(db) = &self.database {
            table(&mut out, &status::caches_table(&db.caches));
        }
        out
    }
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // A string takes everything.
    let _ = writeln!(out, "{text}");
}

fn table(out: &mut String, table: &TextTable) {
    line(out, format_args!("\n{}", table.to_string().trim_end()));
}
