//! What one connection does, event after event.

use std::io::Write;
use std::sync::Arc;

use firn_mysql_protocol::command::ParameterValue;

use super::text::{C_GROUPS, PAD_GROUPS, push_groups};
use super::{BEGIN, COMMIT, OfTable, POINT_SELECTS, Plan, RANDOM, RANDOM_DELTA, RANDOM_POINTS};
use crate::generate::Rng;
use crate::mysql::config::Kind;
use crate::mysql::connection::{Connection, Failure};

/// A statement of `bulk_insert` ends with the row that passes this, as sysbench's do.
const BULK_BYTES: usize = 512 << 10;

type Done = Result<(), Failure>;

/// One connection's share of a measurement.
#[derive(Debug)]
pub(crate) struct Worker {
    plan: Arc<Plan>,
    rng: Rng,
    /// Number of the connection, from 0.
    connection: u32,
    /// Rows of `bulk_insert` so far.
    bulk_rows: u64,
    c: Vec<u8>,
    pad: Vec<u8>,
    sql: Vec<u8>,
}

impl Worker {
    pub(crate) fn new(plan: Arc<Plan>, connection: u32, seed: u64) -> Self {
        let (c, pad, sql) = Default::default();
        Self { plan, rng: Rng::new(seed), connection, bulk_rows: 0, c, pad, sql }
    }

    /// One event. After a failure to be tried again the transaction is open still.
    pub(crate) async fn event(&mut self, on: &mut Connection) -> Done {
        match self.plan.kind {
            Kind::PointSelect => self.point_selects(on, 1).await,
            Kind::ReadOnly => {
                on.run(BEGIN, &[]).await?;
                self.reads(on).await?;
                on.run(COMMIT, &[]).await.map(drop)
            }
            Kind::ReadWrite => {
                on.run(BEGIN, &[]).await?;
                self.reads(on).await?;
                self.writes(on).await?;
                on.run(COMMIT, &[]).await.map(drop)
            }
            Kind::WriteOnly => {
                on.run(BEGIN, &[]).await?;
                self.writes(on).await?;
                on.run(COMMIT, &[]).await.map(drop)
            }
            Kind::UpdateIndex => self.update_index(on).await,
            Kind::UpdateNonIndex => self.update_non_index(on).await,
            Kind::Delete => {
                let (table, id) = (self.table(), self.id());
                self.by_id(on, OfTable::Delete, table, id).await
            }
            Kind::Insert => self.insert(on).await,
            Kind::BulkInsert => self.bulk_insert(on).await,
            Kind::SelectRandomPoints => self.random_points(on).await,
            Kind::SelectRandomRanges => self.random_ranges(on).await,
            // Not one of these: a plan is never made of it.
            Kind::ShopJoins
            | Kind::ShopSubqueries
            | Kind::ShopAggregates
            | Kind::Tpcc
            | Kind::Tpch => Ok(()),
        }
    }

    fn table(&mut self) -> u32 {
        self.rng.below(u64::from(self.plan.tables)) as u32
    }

    fn id(&mut self) -> i64 {
        self.plan.keys.next(&mut self.rng)
    }

    fn new_c(&mut self) {
        self.c.clear();
        push_groups(C_GROUPS, &mut self.rng, &mut self.c);
    }

    fn new_pad(&mut self) {
        self.pad.clear();
        push_groups(PAD_GROUPS, &mut self.rng, &mut self.pad);
    }

    async fn by_id(&self, on: &mut Connection, statement: OfTable, table: u32, id: i64) -> Done {
        let statement = self.plan.number(statement, table);
        on.run(statement, &[ParameterValue::Int(id)]).await.map(drop)
    }

    async fn point_selects(&mut self, on: &mut Connection, times: usize) -> Done {
        let table = self.table();
        for _ in 0..times {
            let id = self.id();
            self.by_id(on, OfTable::PointSelect, table, id).await?;
        }
        Ok(())
    }

    async fn reads(&mut self, on: &mut Connection) -> Done {
        use OfTable as T;
        self.point_selects(on, POINT_SELECTS).await?;
        for range in [T::SimpleRange, T::SumRange, T::OrderRange, T::DistinctRange] {
            let (table, id) = (self.table(), self.id());
            let to = id + self.plan.range_size - 1;
            let values = [ParameterValue::Int(id), ParameterValue::Int(to)];
            on.run(self.plan.number(range, table), &values).await?;
        }
        Ok(())
    }

    async fn writes(&mut self, on: &mut Connection) -> Done {
        self.update_index(on).await?;
        self.update_non_index(on).await?;
        let (table, id, k) = (self.table(), self.id(), self.id());
        self.by_id(on, OfTable::Delete, table, id).await?;
        self.new_c();
        self.new_pad();
        let values = [
            ParameterValue::Int(id),
            ParameterValue::Int(k),
            ParameterValue::Bytes(&self.c),
            ParameterValue::Bytes(&self.pad),
        ];
        on.run(self.plan.number(OfTable::Insert, table), &values).await.map(drop)
    }

    async fn update_index(&mut self, on: &mut Connection) -> Done {
        let (table, id) = (self.table(), self.id());
        self.by_id(on, OfTable::IndexUpdate, table, id).await
    }

    async fn update_non_index(&mut self, on: &mut Connection) -> Done {
        let (table, id) = (self.table(), self.id());
        self.new_c();
        let values = [ParameterValue::Bytes(&self.c), ParameterValue::Int(id)];
        on.run(self.plan.number(OfTable::NonIndexUpdate, table), &values).await.map(drop)
    }

    /// As text in either protocol, as sysbench has it.
    async fn insert(&mut self, on: &mut Connection) -> Done {
        let (table, k) = (self.table() + 1, self.id());
        self.new_c();
        self.new_pad();
        self.sql.clear();
        // Writing to memory does not fail.
        let _ = write!(self.sql, "INSERT INTO sbtest{table} (id, k, c, pad) VALUES (0, {k}, '");
        self.sql.extend_from_slice(&self.c);
        self.sql.extend_from_slice(b"', '");
        self.sql.extend_from_slice(&self.pad);
        self.sql.extend_from_slice(b"')");
        on.text(&self.sql).await.map(drop)
    }

    async fn bulk_insert(&mut self, on: &mut Connection) -> Done {
        self.sql.clear();
        let mut row = self.bulk_rows;
        let _ = write!(self.sql, "INSERT INTO bulk{} VALUES", self.connection + 1);
        while self.sql.len() < BULK_BYTES {
            let comma = if row == self.bulk_rows { "" } else { "," };
            row += 1;
            let _ = write!(self.sql, "{comma}({row},{row})");
        }
        on.text(&self.sql).await?;
        self.bulk_rows = row;
        Ok(())
    }

    async fn random_points(&mut self, on: &mut Connection) -> Done {
        let mut values = [ParameterValue::Null; RANDOM_POINTS];
        for value in &mut values {
            *value = ParameterValue::Int(self.id());
        }
        on.run(RANDOM, &values).await.map(drop)
    }

    async fn random_ranges(&mut self, on: &mut Connection) -> Done {
        let mut values = [ParameterValue::Null; 2 * RANDOM_POINTS];
        for range in values.chunks_exact_mut(2) {
            let from = self.id();
            range[0] = ParameterValue::Int(from);
            range[1] = ParameterValue::Int(from + RANDOM_DELTA);
        }
        on.run(RANDOM, &values).await.map(drop)
    }
}
