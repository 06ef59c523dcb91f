//! Workloads over MySQL's protocol, on Firn and on whatever else speaks it.
//!
//! A file with the key `servers` is such a workload. The servers run side by
//! side, each with the same data, and are measured in turn: every phase with
//! every number of connections on the first server, then on the next, and all
//! of it again in the next round. What is asked follows from the seed alone.
//!
//! [`sysbench`] has the statements, tables and keys of sysbench 1.0's OLTP
//! scripts, [`shop`] joins, subqueries and aggregates over small sets, [`tpcc`] is a load after
//! TPC-C, [`tpch`] the queries of TPC-H. The client is the
//! protocol crate's: a few threads, each with a share of the connections, so that the servers
//! have the machine.

mod config;
mod connection;
mod drive;
mod filling;
mod keys;
mod process;
mod report;
mod run;
mod server;
mod shop;
mod sysbench;
mod tally;
mod tpcc;
mod tpch;

pub use config::{
    Distribution, Goal, Kind, Measure, MysqlConfig, Phase, Protocol, ServerKind, ServerSpec,
};
pub use report::{MysqlReport, Row, ServerFacts};
pub use run::{MysqlSummary, is_mysql_workload, run, run_config};
pub use shop::Shop;
pub use tpcc::{Tpcc, check_tpcc};
pub use tpch::Tpch;
