//! What sessions know of tables when they plan, and ANALYZE TABLE.

use std::sync::Arc;

use firn_engine::WriteBatch;
use firn_mysql_semantics::Value;
use firn_mysql_semantics::error::SqlError;
use firn_mysql_semantics::expr::Cx;

use super::{Session, from_engine};
use crate::bind::{BoundSelect, TableSource};
use crate::catalog::{CatalogChange, ChangeError};
use crate::plan::{Lacking, Learner};
use crate::statistics::{Effort, gather, store};
use crate::table::OpenTable;

/// Whether what is known of tables can make the plan another.
fn can_differ(select: &BoundSelect) -> bool {
    match &*select.sources {
        [] => !select.subqueries.is_empty(),
        [source] => {
            !matches!(source.rows, TableSource::Virtual(_)) || !select.subqueries.is_empty()
        }
        _ => true,
    }
}

impl Session {
    /// Looks up what is known of the tables of a query, for these values of its parameters.
    /// What would have to be read for more is left in `self.lacking`.
    pub(super) fn learn(&mut self, select: &mut BoundSelect, params: &[Value]) {
        if !can_differ(select) {
            return;
        }
        let db = Arc::clone(self.server.transactions.db());
        let settings = Arc::clone(&self.settings);
        let mut cx = Cx::new(&settings, &mut self.values, &mut self.warnings);
        let (lacking, counted) = (Lacking::default(), &self.counted);
        let mut learner = Learner { db: &db, cx: &mut cx, params, counted, lacking };
        learner.learn(select);
        self.lacking = learner.lacking;
    }

    /// As [`Self::learn`], for the rows that a statement changes, or puts into a table. Rows of
    /// one table alone are searched by an index wherever that can be, so that few are locked.
    pub(super) fn learn_for_change(&mut self, select: &mut BoundSelect, params: &[Value]) {
        if select.sources.len() > 1 || select.is_nested() {
            self.learn(select, params);
        }
    }

    /// Gathers what was lacking when a statement was planned; whether there is more to plan it
    /// by now. Entries that were counted are known for this statement alone.
    pub(super) async fn gather_lacking(&mut self) -> bool {
        match self.lacking.is_empty() {
            true => false,
            false => Box::pin(self.gather_what_lacks()).await,
        }
    }

    async fn gather_what_lacks(&mut self) -> bool {
        let Lacking { mut tables, ranges } = std::mem::take(&mut self.lacking);
        let db = self.server.transactions.db();
        let space = |table: &Arc<OpenTable>| table.descriptor().space();
        tables.sort_by_key(space);
        tables.dedup_by_key(|table| space(table));
        let mut more = false;
        // What cannot be read is planned without.
        for table in tables {
            match gather(db, &table, Effort::Quick).await {
                Ok(known) => {
                    table.numbers.has_gathered(&known);
                    more = true;
                }
                Err(error) => tracing::debug!(why = %error, "statistics cannot be gathered"),
            }
        }
        for (space, range) in ranges {
            match db.read_estimate(space, &range).await {
                Ok(count) => {
                    self.counted.push((space, range, count));
                    more = true;
                }
                Err(error) => tracing::debug!(why = %error, "indexes cannot be read"),
            }
        }
        more
    }

    /// ANALYZE TABLE: gathers what is known of a table, and keeps it. Plans are made anew.
    pub(super) async fn analyze(&self, table: &OpenTable) -> Result<(), SqlError> {
        let db = self.server.transactions.db();
        let known = gather(db, table, Effort::Thorough).await;
        let known = known.map_err(|error| from_engine(&error))?;
        table.numbers.has_gathered(&known);
        self.keep_statistics(table).await
    }

    /// Stores what is known of a table. Plans are made anew.
    pub(super) async fn keep_statistics(&self, table: &OpenTable) -> Result<(), SqlError> {
        let _one = table.numbers.keeping_statistics.lock().await;
        let Some(known) = table.numbers.statistics.load_full() else { return Ok(()) };
        let mut batch = WriteBatch::new();
        let stored = store(table.descriptor().id, &known, &mut batch);
        stored.map_err(|error| from_engine(&error))?;
        match self.server.catalog.apply_with(&CatalogChange::default(), batch).await {
            Ok(_) => Ok(()),
            Err(ChangeError::Sql(error)) => Err(error),
            Err(ChangeError::Engine(error)) => Err(from_engine(&error)),
        }
    }
}
