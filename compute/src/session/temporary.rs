//! Temporary tables: seen by one session, in place of others of their names, until it
//! ends. No other session can use them, so nothing of them is locked.

use std::collections::BTreeMap;
use std::sync::Arc;

use firn_engine::WriteBatch;
use firn_mysql_parser::ast::{self, StatementKind as S};
use firn_mysql_semantics::error::{SqlError, code};
use firn_table::descriptor::TableDescriptor;

use super::compiled::tables_of;
use super::run::Arguments;
use super::statement::{Done, Ended, Outcome};
use super::transaction::Unit;
use super::{Session, create_as, from_engine};
use crate::bind::{BoundSelect, Statement};
use crate::catalog::{
    AlterPlan, CatalogChange, CatalogSnapshot, TableName, TemporaryTables, Work, plan_alter,
    plan_ddl,
};
use crate::execute::Result;
use crate::table::OpenTable;
use crate::txn::LockMode;

/// How often a statement is planned again because tables changed meanwhile.
const REPLANS_MAX: u32 = 100;

/// Temporary tables that one session may have.
const TABLES_MAX: usize = 4096;

/// The temporary tables of a session.
#[derive(Debug, Default)]
pub(crate) struct Temporary {
    tables: TemporaryTables,
    /// By id: compiled, with the numbers that they give.
    open: BTreeMap<u32, Arc<OpenTable>>,
    /// Some were made in the open transaction.
    created: bool,
}

impl Temporary {
    /// Whether tables were made since this was asked before: a rollback leaves them.
    pub(crate) fn take_created(&mut self) -> bool {
        std::mem::take(&mut self.created)
    }

    /// Whether there are none: the catalog is what everybody sees.
    pub(crate) fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    /// A table by its id, if it is one of these.
    pub(crate) fn open(&self, id: u32) -> Option<&Arc<OpenTable>> {
        self.open.get(&id)
    }

    /// A table by its name, if it is one of these.
    pub(crate) fn named(&self, schema: &str, name: &str) -> Option<&Arc<OpenTable>> {
        if self.tables.is_empty() {
            return None;
        }
        let table = self.tables.get(&TableName::new(schema, name))?;
        self.open.get(&table.descriptor.id)
    }

    /// The catalog as the session sees it.
    pub(crate) fn over(&self, catalog: Arc<CatalogSnapshot>) -> Arc<CatalogSnapshot> {
        if self.tables.is_empty() { catalog } else { Arc::new(self.tables.over(&catalog)) }
    }

    /// Makes a change, with the open tables of the descriptors that it brings.
    fn apply(
        &mut self,
        change: &CatalogChange,
        now: Option<Arc<OpenTable>>,
    ) -> firn_engine::Result<WriteBatch> {
        let batch = self.tables.apply(change)?;
        if let Some(now) = now {
            self.open.insert(now.descriptor().id, now);
        }
        let there: Vec<u32> = self.tables.iter().map(|(_, table)| table.descriptor.id).collect();
        self.open.retain(|id, _| there.contains(id));
        Ok(batch)
    }
}

impl Session {
    /// The catalog, with the session's own tables in it.
    pub(crate) fn seen_catalog(&self) -> Arc<CatalogSnapshot> {
        self.temporary.over(self.server.catalog.snapshot())
    }

    /// The table of a descriptor of [`Self::seen_catalog`].
    ///
    /// # Errors
    /// As compiling it.
    pub(crate) fn open_table(&self, descriptor: &Arc<TableDescriptor>) -> Result<Arc<OpenTable>> {
        match self.temporary.open(descriptor.id) {
            Some(open) => Ok(Arc::clone(open)),
            None => self.server.opened.get(descriptor),
        }
    }

    fn temporary_named(&self, name: &ast::ObjectName) -> Option<Arc<OpenTable>> {
        let schema = match &name.schema {
            Some(schema) => schema.as_str(),
            None => self.values.variables.database()?,
        };
        self.temporary.named(schema, name.name.as_str()).cloned()
    }

    /// Statements of data definition that are about temporary tables only; `None` if this
    /// one is not, or not only: what is left of it is in the second place.
    pub(super) async fn define_temporary(
        &mut self,
        statement: &S,
    ) -> std::result::Result<(Option<Outcome>, Option<S>), Ended> {
        let done = match statement {
            S::CreateTable(create) if create.temporary => {
                self.create_temporary(create).await?;
                Some(Done::default())
            }
            S::DropTable(drop) if drop.temporary || !self.temporary.is_empty() => {
                return self.drop_temporary(drop).await;
            }
            S::TruncateTable(name) if self.temporary_named(name).is_some() => {
                self.commit_open().await?;
                self.truncate_temporary(statement).await?;
                Some(Done::default())
            }
            S::AlterTable(alter) if self.temporary_named(&alter.name).is_some() => {
                Some(self.alter_temporary(statement).await?)
            }
            S::CreateIndex(create) if self.temporary_named(&create.table).is_some() => {
                Some(self.alter_temporary(statement).await?)
            }
            S::DropIndex(drop) if self.temporary_named(&drop.table).is_some() => {
                Some(self.alter_temporary(statement).await?)
            }
            _ => None,
        };
        Ok((done.map(Outcome::from), None))
    }

    async fn create_temporary(
        &mut self,
        create: &ast::CreateTable,
    ) -> std::result::Result<(), Ended> {
        self.room_for_temporary()?;
        let catalog = self.server.catalog.snapshot();
        let tables = std::mem::take(&mut self.temporary.tables);
        let planned = self.planned(|facts, warnings, server| {
            tables.plan_create(&catalog, &*server.catalog, create, facts, warnings)
        });
        self.temporary.tables = tables;
        let change = planned?;
        let Some(descriptor) = change.created().next().cloned() else { return Ok(()) };
        // What a crash leaves of it goes with the next start.
        let kept = self.server.catalog.keep_scratch(descriptor.id).await;
        kept.map_err(|error| from_engine(&error))?;
        self.apply_temporary(&change, Some(&descriptor)).await
    }

    /// Whether there may be one more.
    fn room_for_temporary(&self) -> std::result::Result<(), SqlError> {
        match self.temporary.open.len() < TABLES_MAX {
            true => Ok(()),
            false => Err(SqlError::new(code::ER_OUT_OF_RESOURCES, &[])),
        }
    }

    /// CREATE TEMPORARY TABLE … SELECT. The rows are of the open transaction, the table is
    /// not: a rollback leaves it empty.
    pub(super) async fn create_temporary_as(
        &mut self,
        sql: &[u8],
        create: &ast::CreateTable,
        query: &ast::Query,
        arguments: &Arguments,
    ) -> std::result::Result<Outcome, Ended> {
        self.refuse_in_read_only()?;
        self.room_for_temporary()?;
        let (mut unit, mut made) = (self.unit(), None);
        let filled = self.fill_temporary(sql, create, query, arguments, &mut unit, &mut made).await;
        let ended = self.end_unit(unit, filled).await;
        if let (Err(_), Some(made)) = (&ended, made) {
            self.drop_one_temporary(&made).await?;
        }
        ended
    }

    /// Makes the table, which is told in `made`, and writes its rows.
    async fn fill_temporary(
        &mut self,
        sql: &[u8],
        create: &ast::CreateTable,
        query: &ast::Query,
        arguments: &Arguments,
        unit: &mut Unit,
        made: &mut Option<Arc<TableDescriptor>>,
    ) -> std::result::Result<Outcome, Ended> {
        for _ in 0..REPLANS_MAX {
            let mark = self.warnings.mark();
            let catalog = self.server.catalog.snapshot();
            let bind = |statement: &Statement<'_>| BoundSelect::bind(statement, query);
            let select = self.bind(sql, &arguments.types, bind)?;
            let tables = std::mem::take(&mut self.temporary.tables);
            let planned = self.planned(|facts, warnings, server| {
                let ids = &*server.catalog;
                let columns = create_as::result_columns(&select);
                tables.plan_create_as(&catalog, ids, create, &columns, facts, warnings)
            });
            self.temporary.tables = tables;
            let change = planned?;
            let Some(descriptor) = change.created().next().cloned() else {
                return Ok(Done::default().into());
            };
            let numbers = Arc::default();
            let open = Arc::new(OpenTable::temporary(Arc::clone(&descriptor), numbers)?);
            let plan = create_as::filling(create, select, &open)?;
            let read = plan.query.iter().flat_map(tables_of);
            let read: Vec<_> = read.map(|table| (table, LockMode::RowsLocked)).collect();
            if !self.lock_tables(unit, &read).await? {
                self.warnings.rewind(mark);
                continue;
            }
            let kept = self.server.catalog.keep_scratch(descriptor.id).await;
            kept.map_err(|error| from_engine(&error))?;
            self.apply_open_temporary(&change, Some(open)).await?;
            unit.transaction.cover(descriptor.space());
            *made = Some(descriptor);
            return self.run_insert(&plan, arguments, unit).await;
        }
        Err(SqlError::new(code::ER_TABLE_DEF_CHANGED, &[]).into())
    }

    async fn drop_one_temporary(
        &mut self,
        descriptor: &TableDescriptor,
    ) -> std::result::Result<(), Ended> {
        let name = TableName::new(&descriptor.schema, &descriptor.name);
        let Some(change) = self.temporary.tables.plan_drop(&name) else { return Ok(()) };
        if let Some(transaction) = &mut self.transaction {
            transaction.forget_space(descriptor.space());
        }
        self.apply_temporary(&change, None).await
    }

    async fn drop_temporary(
        &mut self,
        drop: &ast::DropTable,
    ) -> std::result::Result<(Option<Outcome>, Option<S>), Ended> {
        let (own, others): (Vec<_>, Vec<_>) =
            drop.tables.iter().cloned().partition(|name| self.temporary_named(name).is_some());
        if own.is_empty() && !drop.temporary {
            return Ok((None, None));
        }
        let others = S::DropTable(ast::DropTable { tables: others, ..drop.clone() });
        let S::DropTable(rest) = &others else { return Ok((None, None)) };
        let left = !rest.tables.is_empty();
        if left && drop.temporary {
            // Notes, or the error that none of them is there.
            let catalog = self.server.catalog.snapshot();
            self.planned(|facts, warnings, server| {
                plan_ddl(&catalog, &*server.catalog, &others, facts, warnings)
            })?;
        }
        for name in own {
            let Some(table) = self.temporary_named(&name) else { continue };
            let descriptor = Arc::clone(table.descriptor());
            self.drop_one_temporary(&descriptor).await?;
        }
        if left && !drop.temporary {
            return Ok((None, Some(others)));
        }
        if !drop.temporary {
            self.commit_open().await?;
        }
        Ok((Some(Done::default().into()), None))
    }

    async fn truncate_temporary(&mut self, statement: &S) -> std::result::Result<(), Ended> {
        let catalog = self.seen_catalog();
        let change = self.planned(|facts, warnings, server| {
            plan_ddl(&catalog, &*server.catalog, statement, facts, warnings)
        })?;
        let Some(change) = change else { return Ok(()) };
        let now = change.described().cloned();
        if let Some(now) = &now {
            let kept = self.server.catalog.keep_scratch(now.id).await;
            kept.map_err(|error| from_engine(&error))?;
        }
        self.apply_temporary(&change, now.as_ref()).await
    }

    async fn alter_temporary(&mut self, statement: &S) -> std::result::Result<Done, Ended> {
        self.commit_open().await?;
        let catalog = self.seen_catalog();
        let plan: Option<AlterPlan> = self.planned(|facts, warnings, server| {
            plan_alter(&catalog, &*server.catalog, statement, facts, warnings)
        })?;
        let Some(plan) = plan.filter(|plan| !plan.is_empty()) else { return Ok(Done::default()) };
        if plan.now.foreign_keys.len() > plan.was.foreign_keys.len() {
            return Err(SqlError::new(code::ER_CANNOT_ADD_FOREIGN, &[]).into());
        }
        let now = Arc::clone(&plan.now);
        if now.id != plan.was.id {
            let kept = self.server.catalog.keep_scratch(now.id).await;
            kept.map_err(|error| from_engine(&error))?;
        }
        let interrupt = self.process.interrupt.clone();
        let mut affected = 0;
        if !plan.work.is_none() {
            affected = self.work(&plan, &interrupt, &[], None).await?;
        }
        self.apply_temporary(&plan.finish(), Some(&now)).await?;
        let affected = if plan.work == Work::Copy { affected } else { 0 };
        let warnings = self.warnings.total();
        let info = format!("Records: {affected}  Duplicates: 0  Warnings: {warnings}");
        Ok(Done { affected, info, ..Done::default() })
    }

    async fn apply_temporary(
        &mut self,
        change: &CatalogChange,
        now: Option<&Arc<TableDescriptor>>,
    ) -> std::result::Result<(), Ended> {
        let open = match now {
            Some(now) => {
                // A table that stays goes on counting.
                let numbers = self.temporary.open(now.id).map(|open| Arc::clone(&open.numbers));
                Some(Arc::new(OpenTable::temporary(Arc::clone(now), numbers.unwrap_or_default())?))
            }
            None => None,
        };
        self.apply_open_temporary(change, open).await
    }

    async fn apply_open_temporary(
        &mut self,
        change: &CatalogChange,
        open: Option<Arc<OpenTable>>,
    ) -> std::result::Result<(), Ended> {
        let open_transaction = self.explicit || !self.values.variables.hot().autocommit;
        self.temporary.created |= open_transaction && change.created().next().is_some();
        let mut batch = self.temporary.apply(change, open).map_err(|error| from_engine(&error))?;
        for gone in change.gone() {
            crate::catalog::forget_scratch(gone, &mut batch)
                .map_err(|error| from_engine(&error))?;
        }
        let written = self.server.transactions.db().write(&batch).await;
        written.map(drop).map_err(|error| from_engine(&error).into())
    }

    /// Drops all of them: the session ends, or begins anew.
    pub(super) async fn drop_all_temporary(&mut self) {
        if self.temporary.is_empty() {
            return;
        }
        let change = self.temporary.tables.plan_drop_all();
        if let Err(Ended::Sql(error)) = self.apply_temporary(&change, None).await {
            // The next start takes away what is left.
            tracing::warn!(%error, "temporary tables were not deleted");
        }
    }
}
