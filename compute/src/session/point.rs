//! Reads of one row, without all that other statements need.

use firn_mysql_protocol::result::{Response, Summary};

use super::compiled::{Compiled, QueryPlan};
use super::locks::TableLocks;
use super::run::Arguments;
use super::statement::{Ended, Outcome};
use super::{Session, from_engine, from_transaction};
use crate::output;
use crate::plan::PointPlan;
use crate::txn::{PlainRead, ReadMode};
use crate::variables::Counter;

impl Session {
    /// Runs a read of one row; `None` if it has to be run as all others are.
    pub(super) async fn run_point(
        &mut self,
        compiled: &Compiled,
        plan: &QueryPlan,
        arguments: &Arguments,
        response: &mut Response<'_>,
    ) -> Option<Result<Outcome, Ended>> {
        let point = plan.point.as_ref()?;
        let hot = self.values.variables.hot();
        if self.table_locks != TableLocks::None || hot.sql_select_limit == 0 {
            return None;
        }
        let space = point.table.descriptor().space();
        let key = point.key(&arguments.values)?;
        let Some(transaction) = &self.transaction else {
            if !hot.autocommit {
                return None;
            }
            // One read is a snapshot of its own.
            let row = self.server.transactions.db().get(space, &key).await;
            if self.server.catalog.epoch() != compiled.epoch {
                return None;
            }
            // It was a transaction all the same: SET TRANSACTION was about this one.
            let _ = self.values.variables.begin_transaction();
            let sent = match row {
                Ok(row) => {
                    let status = self.status_flags();
                    self.send_point(plan, point, row.as_deref(), status, response).await
                }
                Err(error) => Err(from_engine(&error).into()),
            };
            return Some(sent);
        };
        if transaction.plain_read() != PlainRead::Snapshot {
            return None;
        }
        let mut unit = self.unit();
        let result = match Box::pin(self.lock_tables(&mut unit, &compiled.tables)).await {
            Ok(true) => match unit.transaction.get(space, &key, ReadMode::Snapshot).await {
                Ok(row) => {
                    let status = self.status_flags_in(&unit);
                    self.send_point(plan, point, row.as_deref(), status, response).await
                }
                Err(error) => Err(from_transaction(&error).into()),
            },
            Ok(false) => {
                let ended = self.end_unit(unit, Ok(())).await;
                return ended.err().map(Err);
            }
            Err(error) => Err(error),
        };
        Some(self.end_unit(unit, result).await)
    }

    async fn send_point(
        &mut self,
        plan: &QueryPlan,
        point: &PointPlan,
        row: Option<&[u8]>,
        status: firn_mysql_protocol::StatusFlags,
        response: &mut Response<'_>,
    ) -> Result<Outcome, Ended> {
        self.counters.add(&self.server.counters, Counter::HandlerReadKey, 1);
        let mut rows = response.rows(&plan.columns)?;
        if let Some(row) = row {
            let reader = point.table.codec.rows().read(row).map_err(|error| from_engine(&error))?;
            let items = &plan.select.select.items;
            for ((column, writer), item) in point.columns.iter().zip(&plan.writers).zip(items) {
                let cell = reader.cell(*column).map_err(|error| from_engine(&error))?;
                output::put_cell(&mut rows, writer, &item.node, cell)?;
            }
            rows.end_row().await?;
        }
        let count = rows.count();
        rows.end(&Summary { warnings: self.warnings.packet_count(), ..Summary::new(status) })?;
        self.values.found_rows = count;
        self.values.row_count = -1;
        Ok(Outcome::Sent)
    }
}
