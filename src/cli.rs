//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use firn_services::config::Argument;

/// A MySQL-compatible database whose data lives on object storage.
#[derive(Debug, Parser)]
#[command(name = "firn", version, propagate_version = true)]
pub struct Cli {
    /// Configuration file; `FIRN_CONFIG` names one as well
    #[arg(long, short, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// End as on SIGTERM when standard input ends: for processes of a local cluster
    #[arg(long, global = true, hide = true)]
    pub until_stdin_ends: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a database with all its parts in this process until told to stop
    ///
    /// Without options: data in ./firn-data, MySQL clients on 127.0.0.1:3306,
    /// metrics, health and status over HTTP on 127.0.0.1:7400. Prints how to
    /// connect when it is ready. Options go over configuration and environment.
    Up(UpArgs),
    /// Run the MySQL front end alone, with journal and storage service elsewhere
    ///
    /// It keeps nothing on the local disk but a cache: where one is lost, another
    /// started anywhere takes the branch over with everything that was committed.
    Compute(ComputeArgs),
    /// Run one member of the replicated journal
    ///
    /// The others find it under its number in --members; three members go on when
    /// one of them is lost. Its log is in --data-dir.
    Journal(JournalArgs),
    /// Run the storage service alone: manifests, jobs, garbage collection, blocks
    ///
    /// Other parts call it over gRPC; any number of replicas may serve one
    /// object store. It keeps nothing on the local disk but a cache.
    Storage(StorageArgs),
    /// Run a compaction worker alone: it asks the storage service for work
    ///
    /// Any number may run and may be stopped at any time; what one was doing
    /// goes on elsewhere. It keeps nothing on the local disk.
    Compaction(CompactionArgs),
    /// Run the phases of a benchmark and write a report
    Bench(BenchArgs),
    /// Look for missing, corrupt and orphaned objects; beside a running database if need be
    Scrub(ScrubArgs),
    /// Print the effective configuration, secrets masked
    Config,
    /// Show the insides of a database
    Ctl(CtlArgs),
}

/// Arguments of `firn up`.
#[derive(Debug, Clone, Default, Args)]
pub struct UpArgs {
    /// Folder of the journal, the disk cache and, without --object-store, the objects
    #[arg(long, value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,
    /// Where MySQL clients connect
    #[arg(long, value_name = "HOST:PORT")]
    pub mysql_addr: Option<String>,
    /// Where metrics, health and status are served, or `none`
    #[arg(long, value_name = "HOST:PORT")]
    pub http_addr: Option<String>,
    /// Where the data lives: a folder, or s3://bucket/prefix with credentials
    /// from the environment or wherever AWS's tools look for them
    #[arg(long, value_name = "URL")]
    pub object_store: Option<String>,
    /// Run every part as a process of its own: three members of the journal, two
    /// storage services, two compaction workers and the front end
    #[arg(long)]
    pub cluster: bool,
    /// The branch that is opened; `main` if nothing else is said
    #[arg(long, value_name = "NAME")]
    pub branch: Option<String>,
    /// What makes commits durable: `local`, files in the data folder; or
    /// `object`, the object store, for machines whose disk does not outlive them
    #[arg(long, value_name = "KIND")]
    pub journal: Option<String>,
}

impl UpArgs {
    /// The keys of the configuration that they set.
    #[must_use]
    pub fn settings(&self) -> Vec<Argument> {
        let folder = self.data_dir.as_ref().map(|folder| folder.display().to_string());
        set([
            ("--data-dir", "data_dir", folder),
            ("--mysql-addr", "mysql_listen", self.mysql_addr.clone()),
            ("--http-addr", "http_listen", self.http_addr.clone()),
            ("--object-store", "object_store.url", self.object_store.clone()),
            ("--branch", "branch", self.branch.clone()),
            ("--journal", "journal.kind", self.journal.clone()),
        ])
    }
}

/// Arguments of `firn compute`.
#[derive(Debug, Clone, Args)]
pub struct ComputeArgs {
    /// Where the members of the journal are; several with commas between
    #[arg(long, value_name = "HOST:PORT")]
    pub journal_addr: Option<String>,
    /// Where the storage service is; several with commas between
    #[arg(long, value_name = "HOST:PORT")]
    pub storage_addr: Option<String>,
    /// The branch that is opened; `main` if nothing else is said
    #[arg(long, value_name = "NAME")]
    pub branch: Option<String>,
    /// Folder of the disk cache
    #[arg(long, value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,
    /// Where MySQL clients connect
    #[arg(long, value_name = "HOST:PORT")]
    pub mysql_addr: Option<String>,
    /// Where metrics, health and status are served, or `none`
    #[arg(long, value_name = "HOST:PORT")]
    pub http_addr: Option<String>,
    /// Where the data lives: a folder, or s3://bucket/prefix
    #[arg(long, value_name = "URL")]
    pub object_store: Option<String>,
}

impl ComputeArgs {
    /// The keys of the configuration that they set.
    #[must_use]
    pub fn settings(&self) -> Vec<Argument> {
        let folder = self.data_dir.as_ref().map(|folder| folder.display().to_string());
        set([
            ("--journal-addr", "journal.addresses", self.journal_addr.clone()),
            ("--storage-addr", "storage.addresses", self.storage_addr.clone()),
            ("--branch", "branch", self.branch.clone()),
            ("--data-dir", "data_dir", folder),
            ("--mysql-addr", "mysql_listen", self.mysql_addr.clone()),
            ("--http-addr", "http_listen", self.http_addr.clone()),
            ("--object-store", "object_store.url", self.object_store.clone()),
        ])
    }
}

/// Arguments of `firn journal`.
#[derive(Debug, Clone, Default, Args)]
pub struct JournalArgs {
    /// Number of this member
    #[arg(long, value_name = "NUMBER")]
    pub member: Option<u64>,
    /// All members, this one included: 1=HOST:PORT,2=HOST:PORT,3=HOST:PORT
    #[arg(long, value_name = "MEMBERS")]
    pub members: Option<String>,
    /// Wait with an empty folder to be added to a journal that exists
    #[arg(long)]
    pub join: bool,
    /// Where the other parts and members call it
    #[arg(long, value_name = "HOST:PORT")]
    pub listen: Option<String>,
    /// Folder of its log
    #[arg(long, value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,
    /// Where the archive goes, if `journal.archive` is set: a folder, or s3://bucket/prefix
    #[arg(long, value_name = "URL")]
    pub object_store: Option<String>,
    /// Where metrics, health and status are served, or `none`
    #[arg(long, value_name = "HOST:PORT")]
    pub http_addr: Option<String>,
}

impl JournalArgs {
    /// The keys of the configuration that they set.
    #[must_use]
    pub fn settings(&self) -> Vec<Argument> {
        let folder = self.data_dir.as_ref().map(|folder| folder.display().to_string());
        set([
            ("--member", "journal.member", self.member.map(|member| member.to_string())),
            ("--members", "journal.members", self.members.clone()),
            ("--join", "journal.join", self.join.then(|| "true".to_owned())),
            ("--object-store", "object_store.url", self.object_store.clone()),
            ("--listen", "journal.listen", self.listen.clone()),
            ("--data-dir", "data_dir", folder),
            ("--http-addr", "http_listen", self.http_addr.clone()),
        ])
    }
}

/// Arguments of `firn storage`.
#[derive(Debug, Clone, Default, Args)]
pub struct StorageArgs {
    /// Where the other parts call it
    #[arg(long, value_name = "HOST:PORT")]
    pub listen: Option<String>,
    /// Folder of the disk cache
    #[arg(long, value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,
    /// Where metrics, health and status are served, or `none`
    #[arg(long, value_name = "HOST:PORT")]
    pub http_addr: Option<String>,
    /// Where the data lives: a folder, or s3://bucket/prefix
    #[arg(long, value_name = "URL")]
    pub object_store: Option<String>,
}

impl StorageArgs {
    /// The keys of the configuration that they set.
    #[must_use]
    pub fn settings(&self) -> Vec<Argument> {
        let folder = self.data_dir.as_ref().map(|folder| folder.display().to_string());
        set([
            ("--listen", "storage.listen", self.listen.clone()),
            ("--data-dir", "data_dir", folder),
            ("--http-addr", "http_listen", self.http_addr.clone()),
            ("--object-store", "object_store.url", self.object_store.clone()),
        ])
    }
}

/// Arguments of `firn compaction`.
#[derive(Debug, Clone, Default, Args)]
pub struct CompactionArgs {
    /// Where the storage service is; several with commas between
    #[arg(long, value_name = "HOST:PORT")]
    pub storage_addr: Option<String>,
    /// Where metrics, health and status are served, or `none`
    #[arg(long, value_name = "HOST:PORT")]
    pub http_addr: Option<String>,
    /// Where the data lives: a folder, or s3://bucket/prefix
    #[arg(long, value_name = "URL")]
    pub object_store: Option<String>,
}

impl CompactionArgs {
    /// The keys of the configuration that they set.
    #[must_use]
    pub fn settings(&self) -> Vec<Argument> {
        set([
            ("--storage-addr", "storage.addresses", self.storage_addr.clone()),
            ("--http-addr", "http_listen", self.http_addr.clone()),
            ("--object-store", "object_store.url", self.object_store.clone()),
        ])
    }
}

/// Those options that were given.
fn set<const N: usize>(
    options: [(&'static str, &'static str, Option<String>); N],
) -> Vec<Argument> {
    let given = options
        .into_iter()
        .filter_map(|(option, key, value)| Some(Argument { option, key, value: value? }));
    given.collect()
}

/// Arguments of `firn bench`.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// What to run
    #[arg(value_name = "FILE.yaml")]
    pub file: PathBuf,
    /// Folder for the reports
    #[arg(long, value_name = "FOLDER", default_value = "bench-results")]
    pub out: PathBuf,
}

/// Arguments of `firn scrub`.
#[derive(Debug, Args)]
pub struct ScrubArgs {
    /// Compare names and sizes only, and read no file
    #[arg(long)]
    pub quick: bool,
    /// Delete the objects that nothing can ever name
    #[arg(long)]
    pub delete_orphans: bool,
}

/// Arguments of `firn ctl`.
#[derive(Debug, Args)]
pub struct CtlArgs {
    /// Print JSON instead of a table
    #[arg(long, global = true)]
    pub json: bool,
    /// Where the members of the replicated journal are; several with commas between
    #[arg(long, global = true, value_name = "HOST:PORT")]
    pub journal_addr: Option<String>,
    /// Where the storage service is; several with commas between
    #[arg(long, global = true, value_name = "HOST:PORT")]
    pub storage_addr: Option<String>,
    /// The branch that is meant; `main` if nothing else is said
    #[arg(long, global = true, value_name = "NAME")]
    pub branch: Option<String>,
    /// What to show.
    #[command(subcommand)]
    pub what: CtlWhat,
}

/// What `firn ctl` shows.
#[derive(Debug, Clone, Subcommand)]
pub enum CtlWhat {
    /// All parts on one screen: database, manifest, journal, storage, caches
    Status,
    /// Files and bytes of each level of each space
    Levels,
    /// Every file
    Files,
    /// Compactions that are planned, running or parked
    Jobs,
    /// What keeps old versions and objects: watermark, snapshots, readers
    Pins,
    /// Snapshots: what was visible at a moment, kept under a name
    Snapshot {
        /// What to do.
        #[command(subcommand)]
        what: SnapshotWhat,
    },
    /// Branches: databases of their own that begin as another was at a moment
    Branch {
        /// What to do.
        #[command(subcommand)]
        what: BranchWhat,
    },
    /// Caches of the running process, asked over its `http_listen`
    Caches,
    /// Members of the replicated journal: who they are, who leads, who lags
    Journal {
        /// What to do.
        #[command(subcommand)]
        what: JournalWhat,
    },
}

/// What `firn ctl snapshot` does.
#[derive(Debug, Clone, Subcommand)]
pub enum SnapshotWhat {
    /// Keep what is committed now, or was at --at, until the snapshot is dropped
    Create {
        /// Its name
        name: String,
        /// The commit that it shows, instead of the last one
        #[arg(long, value_name = "SEQ")]
        at: Option<u64>,
    },
    /// Show the snapshots of the branch
    List,
    /// End a snapshot
    Drop {
        /// Its name
        name: String,
    },
}

/// What `firn ctl branch` does.
#[derive(Debug, Clone, Subcommand)]
pub enum BranchWhat {
    /// Make a branch of --branch, of what is committed now, or was at --at or --snapshot
    ///
    /// No data are copied. `firn up --branch NAME` or `firn compute --branch NAME` opens it;
    /// what is written to either is not seen by the other.
    Create {
        /// Its name, which no branch had before
        name: String,
        /// The commit that it begins with, instead of the last one
        #[arg(long, value_name = "SEQ", conflicts_with = "snapshot")]
        at: Option<u64>,
        /// The snapshot that it begins with
        #[arg(long, value_name = "NAME")]
        snapshot: Option<String>,
    },
    /// Show all branches
    List,
    /// End a branch; what it alone needed is deleted in time
    Drop {
        /// Its name
        name: String,
        /// Also while somebody writes it: they are refused from now on
        #[arg(long)]
        force: bool,
    },
}

/// What `firn ctl journal` does.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum JournalWhat {
    /// Show the members
    Status,
    /// Make a running member part of the journal: it learns the log, then gets its vote
    Add {
        /// Its number
        member: u64,
    },
    /// Take a member out, whether it runs or not
    Remove {
        /// Its number
        member: u64,
    },
    /// Let a member lead
    Transfer {
        /// Its number
        member: u64,
    },
}

impl CtlArgs {
    /// The keys of the configuration that they set.
    #[must_use]
    pub fn settings(&self) -> Vec<Argument> {
        set([
            ("--journal-addr", "journal.addresses", self.journal_addr.clone()),
            ("--storage-addr", "storage.addresses", self.storage_addr.clone()),
            ("--branch", "branch", self.branch.clone()),
        ])
    }
}
