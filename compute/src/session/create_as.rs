//! CREATE TABLE … SELECT.
//!
//! The rows are written to the new table's own space first, where nobody looks: the
//! catalog does not have the table yet. Then the table is put into the catalog by one
//! write. What a failure leaves behind is deleted; a crash leaves rows of a table that
//! never was, under an id that is not given again.

use std::sync::Arc;
use std::time::Duration;

use firn_mysql_parser::ast;
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::Cx;

use super::compiled::tables_of;
use super::relations::CatalogRelations;
use super::run::Arguments;
use super::statement::{Done, Ended, Outcome};
use super::{Session, from_engine, from_transaction};
use crate::bind::{BoundInsert, BoundSelect, InsertSource, TableSource};
use crate::catalog::{ResultColumn, plan_create_table_as};
use crate::execute::{self, InsertPlan, Reading, View};
use crate::table::OpenTable;
use crate::txn::{IsolationLevel, LockKey, LockMode, LockWait, OwnerId};

/// How often the statement is planned again because tables changed meanwhile.
const REPLANS_MAX: u32 = 100;

impl Session {
    /// CREATE TABLE … SELECT, behind the commit that it implies.
    pub(super) async fn create_table_as(
        &mut self,
        sql: &[u8],
        create: &ast::CreateTable,
        query: &ast::Query,
        arguments: &Arguments,
    ) -> Result<Outcome, Ended> {
        for _ in 0..REPLANS_MAX {
            let mark = self.warnings.mark();
            if let Some(done) = self.try_create_as(sql, create, query, arguments).await? {
                return Ok(done.into());
            }
            self.warnings.rewind(mark);
        }
        Err(SqlError::new(code::ER_TABLE_DEF_CHANGED, &[]).into())
    }

    /// `None` if it has to be planned again.
    async fn try_create_as(
        &mut self,
        sql: &[u8],
        create: &ast::CreateTable,
        query: &ast::Query,
        arguments: &Arguments,
    ) -> Result<Option<Done>, Ended> {
        let snapshot = self.server.catalog.snapshot();
        let types = &arguments.types;
        let select = self.bind(sql, types, |statement| BoundSelect::bind(statement, query))?;
        let change = {
            let stored = |table: usize| {
                let source = select.sources.iter().find(|source| source.table == table)?;
                match &source.rows {
                    TableSource::Stored(open) => Some(open),
                    _ => None,
                }
            };
            let result: Vec<ResultColumn<'_>> = select
                .items
                .iter()
                .map(|item| ResultColumn {
                    name: &item.name,
                    ty: item.node.ty,
                    base: item.column.and_then(|(table, column)| {
                        stored(table).map(|open| &open.descriptor().columns[column])
                    }),
                })
                .collect();
            self.planned(|facts, warnings, server| {
                plan_create_table_as(&snapshot, &*server.catalog, create, &result, facts, warnings)
            })?
        };
        let Some(descriptor) = change.created().next().cloned() else {
            return Ok(Some(Done::default()));
        };
        let locks = self.lock_names(&snapshot, &change, LockMode::Exclusive).await?;
        let Some(_locks) = locks else { return Ok(None) };
        let kept = self.server.catalog.keep_ids().await;
        kept.map_err(|error| from_engine(&error))?;
        let table = self.server.opened.compile(&descriptor)?;
        let columns: Vec<usize> =
            select.items.iter().filter_map(|item| descriptor.column_named(&item.name)).collect();
        let ignore = create.duplicates == Some(ast::Duplicates::Ignore);
        let plan = InsertPlan::new(BoundInsert {
            table: Arc::clone(&table),
            columns,
            source: InsertSource::Query(Box::new(select)),
            replace: create.duplicates == Some(ast::Duplicates::Replace),
            ignore,
            on_duplicate: Vec::new(),
            beside: Vec::new(),
            subqueries: Vec::new(),
            checks: Vec::new(),
            warnings: Vec::new(),
        })?;
        let filled = self.fill_new(&plan, &table, ignore, arguments).await;
        let filled = match filled {
            Ok(Some(records)) => {
                let applied = self.server.catalog.apply(&change).await.map(drop);
                self.applied(applied).map(|applied| applied.then_some(records))
            }
            other => other,
        };
        if !matches!(filled, Ok(Some(_))) {
            let space = descriptor.space();
            let deleted = self.server.transactions.db().delete_range(space, &[], None).await;
            deleted.map_err(|error| from_engine(&error))?;
        }
        let Some(affected) = filled? else { return Ok(None) };
        self.values.row_count = affected.cast_signed();
        let warnings = self.warnings.total();
        let info = format!("Records: {affected}  Duplicates: 0  Warnings: {warnings}");
        Ok(Some(Done { affected, info, ..Done::default() }))
    }

    /// Writes the rows; `None` if one of the tables that are read is another by now.
    async fn fill_new(
        &mut self,
        plan: &InsertPlan,
        table: &OpenTable,
        ignore: bool,
        arguments: &Arguments,
    ) -> Result<Option<u64>, Ended> {
        let owner = OwnerId(u64::from(self.id));
        let interrupt = self.process.interrupt.clone();
        let isolation = IsolationLevel::RepeatableRead;
        let mut transaction = self.server.transactions.begin(owner, isolation, interrupt);
        transaction.cover(table.descriptor().space());
        let seconds = self.values.variables.hot().lock_wait_timeout;
        let wait = LockWait::For(Duration::from_secs(seconds));
        let read = plan.query.as_ref().map(tables_of).unwrap_or_default();
        for one in &read {
            self.may_use(one, false)?;
            let key = LockKey::Table(u64::from(one.descriptor().id));
            let locked = transaction.lock(key, LockMode::IntentionShared, wait).await;
            locked.map_err(|error| from_transaction(&error))?;
        }
        let now = self.server.catalog.snapshot();
        let same = read.iter().all(|one| {
            let descriptor = one.descriptor();
            now.table_by_id(descriptor.id)
                .is_some_and(|now| now.descriptor.version == descriptor.version)
        });
        if !same {
            return Ok(None);
        }
        let zone = self.values.variables.zone().clone();
        let storing = self.storing(&zone, ignore, false);
        let settings = Arc::clone(&self.settings);
        let relations = CatalogRelations::new(self);
        let reading = Reading::Locking(LockMode::Exclusive);
        let mut view = View::new(&mut transaction, reading, self.lock_wait()).relating(&relations);
        let mut cx = Cx::new(&settings, &mut self.values, &mut self.warnings);
        let params = &arguments.values;
        let mut done = execute::Inserted::default();
        execute::insert(plan, &storing, params, &mut view, &mut cx, &mut done).await?;
        transaction.commit().await.map_err(|error| from_transaction(&error))?;
        Ok(Some(done.affected(false)))
    }
}
