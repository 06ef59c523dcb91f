//! CREATE TABLE … SELECT.
//!
//! The rows are written to the new table's own space first, where nobody looks: the
//! catalog does not have the table yet. Then the table is put into the catalog by one
//! write. What a failure leaves behind is deleted, what a crash leaves by the next start.

use std::sync::Arc;
use std::time::Duration;

use firn_engine::WriteBatch;
use firn_mysql_parser::ast;
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::Cx;

use super::compiled::tables_of;
use super::relations::CatalogRelations;
use super::run::Arguments;
use super::statement::{Done, Ended, Outcome};
use super::{Session, from_engine, from_transaction};
use crate::bind::{BoundInsert, BoundSelect, InsertSource, TableSource};
use crate::catalog::{ResultColumn, forget_scratch, plan_create_table_as};
use crate::execute::{self, InsertPlan, Reading, View};
use crate::table::OpenTable;
use crate::txn::{IsolationLevel, LockKey, LockMode, LockWait, OwnerId};

/// How often the statement is planned again because tables changed meanwhile.
const REPLANS_MAX: u32 = 100;

/// The columns of a query's result.
pub(super) fn result_columns(select: &BoundSelect) -> Vec<ResultColumn<'_>> {
    let stored = |table: usize| {
        let source = select.sources.iter().find(|source| source.table == table)?;
        match &source.rows {
            TableSource::Stored(open) => Some(open),
            _ => None,
        }
    };
    select
        .items
        .iter()
        .map(|item| ResultColumn {
            name: &item.name,
            ty: item.node.ty,
            base: item.column.and_then(|(table, column)| {
                stored(table).map(|open| &open.descriptor().columns[column])
            }),
        })
        .collect()
}

/// The INSERT of a query's rows into the table that was made of it.
pub(super) fn filling(
    create: &ast::CreateTable,
    select: BoundSelect,
    table: &Arc<OpenTable>,
) -> Result<InsertPlan, SqlError> {
    let descriptor = table.descriptor();
    let columns = select.items.iter().filter_map(|item| descriptor.column_named(&item.name));
    let columns = columns.collect();
    InsertPlan::new(BoundInsert {
        table: Arc::clone(table),
        columns,
        source: InsertSource::Query(Box::new(select)),
        replace: create.duplicates == Some(ast::Duplicates::Replace),
        ignore: create.duplicates == Some(ast::Duplicates::Ignore),
        on_duplicate: Vec::new(),
        subqueries: Vec::new(),
        checks: Vec::new(),
        warnings: Vec::new(),
    })
}

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
        let change = self.planned(|facts, warnings, server| {
            let result = result_columns(&select);
            plan_create_table_as(&snapshot, &*server.catalog, create, &result, facts, warnings)
        })?;
        let Some(descriptor) = change.created().next().cloned() else {
            return Ok(Some(Done::default()));
        };
        let locks = self.lock_names(&snapshot, &change, LockMode::Exclusive).await?;
        let Some(_locks) = locks else { return Ok(None) };
        let catalog = &self.server.catalog;
        catalog.keep_scratch(descriptor.id).await.map_err(|error| from_engine(&error))?;
        let declared = catalog.declare_rows(None, &descriptor).await;
        declared.map_err(|error| from_engine(&error))?;
        let table = self.server.opened.compile(&descriptor)?;
        let plan = filling(create, select, &table)?;
        let ignore = plan.insert.ignore;
        let filled = self.fill_new(&plan, &table, ignore, arguments).await;
        // The note goes with the write that makes the table, or that takes its rows away.
        let mut batch = WriteBatch::new();
        forget_scratch(descriptor.id, &mut batch).map_err(|error| from_engine(&error))?;
        let filled = match filled {
            Ok(Some(done)) => {
                let applied = self.server.catalog.apply_with(&change, batch.clone()).await;
                self.applied(applied.map(drop)).map(|applied| applied.then_some(done))
            }
            other => other,
        };
        if !matches!(filled, Ok(Some(_))) {
            let deleted = batch.delete_range(descriptor.space(), &[], None);
            deleted.map_err(|error| from_engine(&error))?;
            let deleted = self.server.transactions.db().write(&batch).await;
            deleted.map_err(|error| from_engine(&error))?;
        }
        let Some(done) = filled? else { return Ok(None) };
        let affected = done.affected(false);
        self.values.row_count = affected.cast_signed();
        let info = format!(
            "Records: {}  Duplicates: {}  Warnings: {}",
            done.records,
            done.duplicates(false, ignore),
            self.warnings.total()
        );
        Ok(Some(Done { affected, info, ..Done::default() }))
    }

    /// Writes the rows; `None` if one of the tables that are read is another by now.
    async fn fill_new(
        &mut self,
        plan: &InsertPlan,
        table: &OpenTable,
        ignore: bool,
        arguments: &Arguments,
    ) -> Result<Option<execute::Inserted>, Ended> {
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
        Ok(Some(done))
    }
}
