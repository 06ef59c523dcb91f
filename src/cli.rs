//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// A MySQL-compatible database whose data lives on object storage.
#[derive(Debug, Parser)]
#[command(name = "firn", version, propagate_version = true)]
pub struct Cli {
    /// Configuration file; `FIRN_CONFIG` names one as well
    #[arg(long, short, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a database with all its parts in this process until told to stop
    ///
    /// MySQL clients connect to `mysql_listen`; metrics, health and status are
    /// served over HTTP at `http_listen`.
    Up,
    /// Run the phases of a benchmark and write a report
    Bench(BenchArgs),
    /// Look for missing, corrupt and orphaned objects; beside a running database if need be
    Scrub(ScrubArgs),
    /// Print the effective configuration, secrets masked
    Config,
    /// Show the insides of a database
    Ctl(CtlArgs),
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
    /// What to show.
    #[command(subcommand)]
    pub what: CtlWhat,
}

/// What `firn ctl` shows.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum CtlWhat {
    /// Files and bytes of each level of each space
    Levels,
    /// Every file
    Files,
    /// Compactions that are planned, running or parked
    Jobs,
    /// What keeps old versions and objects: watermark, snapshots, readers
    Pins,
    /// Caches of the running process, asked over its `http_listen`
    Caches,
}
