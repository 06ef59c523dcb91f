//! A workload over MySQL's protocol as its YAML file describes it.

use std::path::Path;

use firn_engine::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

#[path = "config_check.rs"]
mod check;

use super::shop::Shop;
use super::tpcc::Tpcc;
use super::tpch::Tpch;
use crate::config::{locate, units};

/// One workload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MysqlConfig {
    /// Names the report's files.
    pub name: String,
    /// What question the workload answers.
    #[serde(default)]
    pub about: String,
    /// Everything random follows from it.
    #[serde(default = "MysqlConfig::seed_default")]
    pub seed: u64,
    /// What is measured; figures are compared with those of the second.
    pub servers: Vec<ServerSpec>,
    /// The database that is made for the tables and dropped at the end.
    #[serde(default = "MysqlConfig::database_default")]
    pub database: String,
    /// Memory for data of each server that is started here: InnoDB's buffer
    /// pool, Firn's `memory_bytes_max`.
    #[serde(default = "MysqlConfig::memory_default", deserialize_with = "units::bytes")]
    pub memory: u64,
    /// Tables `sbtest1` and so on.
    #[serde(default = "MysqlConfig::tables_default")]
    pub tables: u32,
    /// Rows of each.
    #[serde(default = "MysqlConfig::rows_default", deserialize_with = "units::count")]
    pub rows: u64,
    /// Size of the tables of `shop_joins` and its like.
    #[serde(default)]
    pub shop: Shop,
    /// Size of the tables of `tpcc`.
    #[serde(default)]
    pub tpcc: Tpcc,
    /// Size of the tables of `tpch`, and which queries.
    #[serde(default)]
    pub tpch: Tpch,
    /// How ids spread over the rows.
    #[serde(default)]
    pub distribution: Distribution,
    /// How statements are sent.
    #[serde(default)]
    pub protocol: Protocol,
    /// Numbers of connections at once, one after the other.
    #[serde(default = "MysqlConfig::threads_default")]
    pub threads: Vec<u32>,
    /// Seconds at the start of each measurement that do not count.
    #[serde(default = "MysqlConfig::warmup_default")]
    pub warmup_s: u32,
    /// Seconds that count.
    #[serde(default = "MysqlConfig::duration_default")]
    pub duration_s: u32,
    /// How long to wait at most, before each measurement, until no server has
    /// background work left.
    #[serde(default = "MysqlConfig::settle_default")]
    pub settle_limit_s: u32,
    /// How often everything is measured, server after server; of each
    /// measurement the middle one counts.
    #[serde(default = "MysqlConfig::one")]
    pub rounds: u32,
    /// What is measured, in order.
    pub phases: Vec<Phase>,
    /// What should be reached.
    #[serde(default)]
    pub goals: Vec<Goal>,
}

/// A server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerSpec {
    /// In reports; the kind if not said.
    #[serde(default)]
    pub name: String,
    /// Where it comes from.
    pub kind: ServerKind,
    /// Of `address`: where it listens.
    #[serde(default)]
    pub address: Option<String>,
    /// Who logs in.
    #[serde(default = "ServerSpec::user_default")]
    pub user: String,
    /// The password; empty for none.
    #[serde(default, skip_serializing)]
    pub password: String,
    /// Statements with which each connection begins.
    #[serde(default)]
    pub session: Vec<String>,
    /// Of `mysqld`: more options for its command line. Of `firn`: keys of its
    /// configuration, such as `journal.kind=object`.
    #[serde(default)]
    pub options: Vec<String>,
}

/// Where a server comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ServerKind {
    /// This program, started as a process of its own on a folder of its own.
    Firn,
    /// `mysqld`, or the command in the variable `MYSQLD`, on a data directory
    /// made for the run, with commits as durable as Firn's.
    Mysqld,
    /// One that runs already.
    Address,
}

impl ServerKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Firn => "firn",
            Self::Mysqld => "mysqld",
            Self::Address => "address",
        }
    }
}

/// How ids spread over the rows, as sysbench has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Distribution {
    /// All alike.
    Uniform,
    /// Three quarters go to the hundredth of the ids in the middle, the rest
    /// falls off from the middle to both sides. What sysbench does if nothing
    /// is said.
    #[default]
    Special,
}

/// How statements are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// Prepared once for each connection, then executed.
    #[default]
    Prepared,
    /// As text, values in it.
    Text,
}

/// One thing that is measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    /// In reports; the kind if not said. Unlike every other phase's.
    #[serde(default)]
    pub name: String,
    /// What is asked.
    pub kind: Kind,
    /// Instead of the workload's.
    #[serde(default)]
    pub protocol: Option<Protocol>,
    /// Instead of the workload's.
    #[serde(default)]
    pub distribution: Option<Distribution>,
    /// Instead of the workload's.
    #[serde(default)]
    pub threads: Option<Vec<u32>>,
    /// Instead of the workload's.
    #[serde(default)]
    pub warmup_s: Option<u32>,
    /// Instead of the workload's.
    #[serde(default)]
    pub duration_s: Option<u32>,
    /// Rows of a range.
    #[serde(default = "Phase::range_default")]
    pub range_size: u32,
    /// Whether each measurement begins with new tables.
    #[serde(default)]
    pub fresh: bool,
}

/// sysbench's scripts, without their `oltp_`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// One row by its id.
    PointSelect,
    /// A transaction of ten point selects and four ranges.
    ReadOnly,
    /// The same, and what `write_only` does.
    ReadWrite,
    /// A transaction of two updates, a delete and an insert.
    WriteOnly,
    /// One row's indexed column.
    UpdateIndex,
    /// One row's column without an index.
    UpdateNonIndex,
    /// One row.
    Insert,
    /// One row by its id.
    Delete,
    /// Many small rows by each statement, into a table for each connection.
    BulkInsert,
    /// Rows by ten values of an indexed column.
    SelectRandomPoints,
    /// A count over ten short ranges of an indexed column.
    SelectRandomRanges,
    /// Joins of two to five tables by their keys, each of a few rows. Not of sysbench.
    ShopJoins,
    /// IN, EXISTS, values of subqueries and queries in FROM over the same tables.
    ShopSubqueries,
    /// Sums, counts and groups of some dozens of rows of the same tables.
    ShopAggregates,
    /// A load after TPC-C, not of sysbench; its consistency conditions are
    /// checked behind it.
    Tpcc,
    /// The queries of TPC-H, one after the other on one connection; answers are compared.
    Tpch,
}

impl Kind {
    /// As in the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PointSelect => "point_select",
            Self::ReadOnly => "read_only",
            Self::ReadWrite => "read_write",
            Self::WriteOnly => "write_only",
            Self::UpdateIndex => "update_index",
            Self::UpdateNonIndex => "update_non_index",
            Self::Insert => "insert",
            Self::Delete => "delete",
            Self::BulkInsert => "bulk_insert",
            Self::SelectRandomPoints => "select_random_points",
            Self::SelectRandomRanges => "select_random_ranges",
            Self::ShopJoins => "shop_joins",
            Self::ShopSubqueries => "shop_subqueries",
            Self::ShopAggregates => "shop_aggregates",
            Self::Tpcc => "tpcc",
            Self::Tpch => "tpch",
        }
    }

    /// Of the tables of a shop.
    pub(crate) fn is_of_shop(self) -> bool {
        matches!(self, Self::ShopJoins | Self::ShopSubqueries | Self::ShopAggregates)
    }
}

/// One figure of one phase, and what it should be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Goal {
    /// Name of the phase.
    pub phase: String,
    /// With so many connections.
    pub threads: u32,
    /// Which figure of the first server.
    pub measure: Measure,
    /// Bounds are of the ratio to that server's figure.
    #[serde(default)]
    pub versus: Option<String>,
    /// It should be this much or more.
    #[serde(default, deserialize_with = "units::some_number")]
    pub at_least: Option<f64>,
    /// It should be this much or less.
    #[serde(default, deserialize_with = "units::some_number")]
    pub at_most: Option<f64>,
}

/// What can be asked of a phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Events in a second: transactions, or statements that are their own.
    EventsPerS,
    /// Median latency of an event in microseconds.
    P50Us,
    /// 95 % were faster.
    P95Us,
    /// 99 % were faster.
    P99Us,
    /// Processor time of the server for a query, in microseconds.
    ServerCpuUsPerQuery,
    /// Resident memory of the server at its highest, in MiB.
    ResidentMib,
    /// Median latency of an event above that of a bare synced write to the server's disk,
    /// in microseconds. Of a server that the run started, with one connection.
    P50OverFsyncUs,
}

impl Measure {
    /// As in the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EventsPerS => "events_per_s",
            Self::P50Us => "p50_us",
            Self::P95Us => "p95_us",
            Self::P99Us => "p99_us",
            Self::ServerCpuUsPerQuery => "server_cpu_us_per_query",
            Self::ResidentMib => "resident_mib",
            Self::P50OverFsyncUs => "p50_over_fsync_us",
        }
    }
}

impl ServerSpec {
    fn user_default() -> String {
        "root".to_owned()
    }
}

impl Phase {
    fn range_default() -> u32 {
        100
    }
}

impl MysqlConfig {
    fn seed_default() -> u64 {
        1
    }

    fn one() -> u32 {
        1
    }

    fn database_default() -> String {
        "sbtest".to_owned()
    }

    fn memory_default() -> u64 {
        1 << 30
    }

    fn tables_default() -> u32 {
        8
    }

    fn rows_default() -> u64 {
        100_000
    }

    fn threads_default() -> Vec<u32> {
        vec![1, 8, 32, 128]
    }

    fn warmup_default() -> u32 {
        3
    }

    fn duration_default() -> u32 {
        10
    }

    fn settle_default() -> u32 {
        30
    }

    /// Reads a file.
    ///
    /// # Errors
    /// `BadRequest`, with file, line and key, if it is not a workload that can be run.
    pub fn read(path: &Path) -> Result<(Self, String)> {
        let text = crate::config::file::text_of(path)?;
        let config = Self::parse(&text, &path.display().to_string())?;
        Ok((config, text))
    }

    /// Reads text; `source` stands for the file's name in errors.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn parse(text: &str, source: &str) -> Result<Self> {
        let mut config: Self = crate::config::file::from_yaml(text, source)?;
        for phase in &mut config.phases {
            if phase.name.is_empty() {
                phase.name = phase.kind.as_str().to_owned();
            }
        }
        for server in &mut config.servers {
            if server.name.is_empty() {
                server.name = server.kind.as_str().to_owned();
            }
        }
        check::check(&config).map_err(|fault| {
            let path: Vec<&str> = fault.path.iter().map(String::as_str).collect();
            let line = locate::line_of(text, &path);
            let message = format!("{source}:{line}: {}: {}", path.join("."), fault.why);
            Error::new(ErrorKind::BadRequest, message)
        })?;
        Ok(config)
    }

    /// Whether any phase is of a kind like this.
    pub(crate) fn has(&self, kind: impl Fn(Kind) -> bool) -> bool {
        self.phases.iter().any(|phase| kind(phase.kind))
    }

    /// Numbers of connections of a phase.
    #[must_use]
    pub fn threads_of<'a>(&'a self, phase: &'a Phase) -> &'a [u32] {
        phase.threads.as_ref().unwrap_or(&self.threads)
    }
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
