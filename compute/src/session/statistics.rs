//! What sessions know of tables when they plan, and ANALYZE TABLE.

use std::sync::Arc;

use firn_engine::WriteBatch;
use firn_mysql_semantics::Value;
use firn_mysql_semantics::error::SqlError;
use firn_mysql_semantics::expr::Cx;

use super::{Session, from_engine};
use crate::bind::{BoundSelect, TableSource};
use crate::catalog::{CatalogChange, ChangeError};
use crate::plan::Learner;
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
    /// Those of which too little is known are left in `self.lacking`.
    pub(super) fn learn(&mut self, select: &mut BoundSelect, params: &[Value]) {
        if !can_differ(select) {
            return;
        }
        let db = Arc::clone(self.server.transactions.db());
        let settings = Arc::clone(&self.settings);
        let mut cx = Cx::new(&settings, &mut self.values, &mut self.warnings);
        let mut learner = Learner { db: &db, cx: &mut cx, params, missing: Vec::new() };
        learner.learn(select);
        self.lacking = learner.missing;
    }

    /// Gathers what was lacking when a statement was planned; whether there is more to plan it
    /// by now.
    pub(super) async fn gather_lacking(&mut self) -> bool {
        let mut lacking = std::mem::take(&mut self.lacking);
        let space = |table: &Arc<OpenTable>| table.descriptor().space();
        lacking.sort_by_key(space);
        lacking.dedup_by_key(|table| space(table));
        let mut more = false;
        for table in lacking {
            match gather(self.server.transactions.db(), &table, Effort::Quick).await {
                Ok(known) => {
                    table.numbers.statistics.store(Some(Arc::new(known)));
                    more = true;
                }
                // It is planned without.
                Err(error) => tracing::debug!(why = %error, "statistics cannot be gathered"),
            }
        }
        more
    }

    /// ANALYZE TABLE: gathers what is known of a table, and keeps it. Plans are made anew.
    pub(super) async fn analyze(&self, table: &OpenTable) -> Result<(), SqlError> {
        let db = self.server.transactions.db();
        let known = gather(db, table, Effort::Thorough).await;
        let known = known.map_err(|error| from_engine(&error))?;
        let mut batch = WriteBatch::new();
        let stored = store(table.descriptor().id, &known, &mut batch);
        stored.map_err(|error| from_engine(&error))?;
        table.numbers.statistics.store(Some(Arc::new(known)));
        match self.server.catalog.apply_with(&CatalogChange::default(), batch).await {
            Ok(_) => Ok(()),
            Err(ChangeError::Sql(error)) => Err(error),
            Err(ChangeError::Engine(error)) => Err(from_engine(&error)),
        }
    }
}
