//! sysbench 1.0's OLTP workloads: its tables, its statements, its events.

mod event;
mod schema;
mod text;

pub(crate) use event::Worker;
pub(crate) use schema::{cleanup, create, prepare, prepare_bulk};

use std::sync::Arc;

use super::config::{Kind, MysqlConfig, Phase};
use super::connection::Statement;
use super::keys::Keys;

/// Statements that stand in the list once.
pub(super) const BEGIN: usize = 0;
pub(super) const COMMIT: usize = 1;
/// Those that search through `sbtest1` alone.
pub(super) const RANDOM: usize = 2;
/// Where the statements of each table begin.
const FIRST: usize = 3;

/// Values of an IN list, and ranges of a `select_random_ranges`.
pub(super) const RANDOM_POINTS: usize = 10;
/// How far such a range goes beyond its first value.
pub(super) const RANDOM_DELTA: i64 = 5;
/// Rows that go by their id in a transaction that reads.
pub(super) const POINT_SELECTS: usize = 10;

/// Statements of which there is one for each table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OfTable {
    PointSelect,
    SimpleRange,
    SumRange,
    OrderRange,
    DistinctRange,
    IndexUpdate,
    NonIndexUpdate,
    Delete,
    Insert,
}

impl OfTable {
    fn sql(self, table: u32) -> String {
        match self {
            Self::PointSelect => format!("SELECT c FROM sbtest{table} WHERE id=?"),
            Self::SimpleRange => format!("SELECT c FROM sbtest{table} WHERE id BETWEEN ? AND ?"),
            Self::SumRange => format!("SELECT SUM(k) FROM sbtest{table} WHERE id BETWEEN ? AND ?"),
            Self::OrderRange => {
                format!("SELECT c FROM sbtest{table} WHERE id BETWEEN ? AND ? ORDER BY c")
            }
            Self::DistinctRange => {
                format!("SELECT DISTINCT c FROM sbtest{table} WHERE id BETWEEN ? AND ? ORDER BY c")
            }
            Self::IndexUpdate => format!("UPDATE sbtest{table} SET k=k+1 WHERE id=?"),
            Self::NonIndexUpdate => format!("UPDATE sbtest{table} SET c=? WHERE id=?"),
            Self::Delete => format!("DELETE FROM sbtest{table} WHERE id=?"),
            Self::Insert => {
                format!("INSERT INTO sbtest{table} (id, k, c, pad) VALUES (?, ?, ?, ?)")
            }
        }
    }
}

/// What the connections of one measurement ask.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(super) kind: Kind,
    pub(super) tables: u32,
    pub(super) range_size: i64,
    pub(super) keys: Keys,
    groups: Vec<OfTable>,
    statements: Arc<[Statement]>,
}

impl Plan {
    pub(crate) fn new(config: &MysqlConfig, phase: &Phase) -> Self {
        let groups = groups(phase.kind);
        let random = match phase.kind {
            Kind::SelectRandomPoints => {
                let list = ["?"; RANDOM_POINTS].join(", ");
                format!("SELECT id, k, c, pad FROM sbtest1 WHERE k IN ({list})")
            }
            Kind::SelectRandomRanges => {
                let list = ["k BETWEEN ? AND ?"; RANDOM_POINTS].join(" OR ");
                format!("SELECT count(k) FROM sbtest1 WHERE {list}")
            }
            _ => "SELECT 1".to_owned(),
        };
        let once = ["BEGIN".to_owned(), "COMMIT".to_owned(), random];
        let of_tables =
            groups.iter().flat_map(|group| (1..=config.tables).map(|table| group.sql(table)));
        Self {
            kind: phase.kind,
            tables: config.tables,
            range_size: i64::from(phase.range_size),
            keys: Keys::new(phase.distribution.unwrap_or(config.distribution), config.rows),
            statements: once.into_iter().chain(of_tables).map(Statement::new).collect(),
            groups,
        }
    }

    pub(crate) fn statements(&self) -> Arc<[Statement]> {
        Arc::clone(&self.statements)
    }

    /// The number of a statement of a table; tables count from 0.
    pub(super) fn number(&self, statement: OfTable, table: u32) -> usize {
        let group = self.groups.iter().position(|group| *group == statement).unwrap_or(0);
        FIRST + group * self.tables as usize + table as usize
    }
}

fn groups(kind: Kind) -> Vec<OfTable> {
    use OfTable as T;
    let reads =
        [T::PointSelect, T::SimpleRange, T::SumRange, T::OrderRange, T::DistinctRange].to_vec();
    let writes = [T::IndexUpdate, T::NonIndexUpdate, T::Delete, T::Insert];
    match kind {
        Kind::PointSelect => vec![T::PointSelect],
        Kind::ReadOnly => reads,
        Kind::ReadWrite => reads.into_iter().chain(writes).collect(),
        Kind::WriteOnly => writes.to_vec(),
        Kind::UpdateIndex => vec![T::IndexUpdate],
        Kind::UpdateNonIndex => vec![T::NonIndexUpdate],
        Kind::Delete => vec![T::Delete],
        Kind::Insert
        | Kind::BulkInsert
        | Kind::SelectRandomPoints
        | Kind::SelectRandomRanges
        | Kind::ShopJoins
        | Kind::ShopSubqueries
        | Kind::ShopAggregates
        | Kind::Tpcc
        | Kind::Tpch => Vec::new(),
    }
}
