//! Statements that change the catalog.
//!
//! What is open is committed first. Then, until it works: plan against the catalog as
//! it is, lock the tables that are touched, look whether the catalog is still that
//! one, and make the change. The change is one write of the engine, so a crash leaves
//! the catalog as it was or as it will be. Statements that use a table hold its lock
//! until their transaction ends, so none of them sees it change; who planned on the old
//! definition plans again.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use firn_engine::{SpaceId, WriteBatch};
use firn_mysql_parser::ast::{self, StatementKind as S};
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::Cx;
use firn_table::descriptor::{IndexId, TableDescriptor};

use super::locks::TableLocks;
use super::relations::CatalogRelations;
use super::run::Arguments;
use super::statement::{Done, Ended, Outcome};
use super::{Session, from_engine, from_transaction};
use crate::catalog::{
    AlterPlan, AskedLock, CATALOG_SPACE, CatalogChange, CatalogSnapshot, ChangeError, Facts, Work,
    auto_increment_key, forget_scratch, forget_scratch_index, plan_alter, plan_ddl,
};
use crate::execute::{self, Backfill, Made, NewKeys, Online};
use crate::server::Stage;
use crate::txn::{Interrupt, IsolationLevel, LockKey, LockMode, LockWait, OwnerId, Transaction};
use crate::variables::{GlobalVariables, id};

/// How often a change is planned again because others changed the catalog meanwhile.
const REPLANS_MAX: u32 = 100;

/// What CREATE and DROP DATABASE tell of rows: a database, the tables in it.
fn databases_affected(kind: &S, catalog: &CatalogSnapshot) -> u64 {
    match kind {
        S::CreateDatabase(_) => 1,
        S::DropDatabase { name, .. } => {
            let schema = catalog.schemas.get(name.as_str());
            schema.map_or(0, |schema| schema.relations.len() as u64)
        }
        _ => 0,
    }
}

impl Session {
    /// CREATE, ALTER, DROP and the like.
    pub(crate) async fn define(
        &mut self,
        sql: &[u8],
        statement: &ast::Statement,
        arguments: &Arguments,
    ) -> Result<Outcome, Ended> {
        if let S::CreateTable(create) = &statement.kind
            && create.temporary
            && let Some(query) = &create.query
        {
            return self.create_temporary_as(sql, create, query, arguments).await;
        }
        let (done, left) = self.define_temporary(&statement.kind).await?;
        if let Some(done) = done {
            return Ok(done);
        }
        let kind = left.as_ref().unwrap_or(&statement.kind);
        self.commit_open().await?;
        if self.table_locks == TableLocks::Everything {
            return Err(SqlError::new(code::ER_CANT_UPDATE_WITH_READLOCK, &[]).into());
        }
        if let S::CreateTable(create) = &statement.kind
            && let Some(query) = &create.query
        {
            return self.create_table_as(sql, create, query, arguments).await;
        }
        for _ in 0..REPLANS_MAX {
            let snapshot = self.server.catalog.snapshot();
            let mark = self.warnings.mark();
            let alter = self.planned(|facts, warnings, server| {
                plan_alter(&snapshot, &*server.catalog, kind, facts, warnings)
            })?;
            let done = match (alter, &statement.kind) {
                (Some(plan), _) => self.alter(&snapshot, plan).await?,
                (None, S::CreateView(view) | S::AlterView(view)) => {
                    let alter = matches!(statement.kind, S::AlterView(_));
                    let change = self.planned_view(sql, view, alter, &snapshot, arguments)?;
                    self.change(&snapshot, &change).await?.then(Done::default)
                }
                (None, _) => {
                    let change = self.planned(|facts, warnings, server| {
                        plan_ddl(&snapshot, &*server.catalog, kind, facts, warnings)
                    })?;
                    let Some(change) = change else {
                        return Err(SqlError::not_supported_yet("this statement").into());
                    };
                    let affected = databases_affected(kind, &snapshot);
                    let done = Done { affected, ..Done::default() };
                    self.change(&snapshot, &change).await?.then_some(done)
                }
            };
            if let Some(done) = done {
                self.after_change();
                return Ok(done.into());
            }
            self.warnings.rewind(mark);
        }
        Err(SqlError::new(code::ER_TABLE_DEF_CHANGED, &[]).into())
    }

    /// Plans with what the session knows.
    pub(super) fn planned<T>(
        &mut self,
        plan: impl FnOnce(
            &Facts<'_>,
            &mut firn_mysql_semantics::error::Warnings,
            &crate::server::Server,
        ) -> Result<T, SqlError>,
    ) -> Result<T, SqlError> {
        let variables = &self.values.variables;
        let hot = variables.hot();
        let zone = variables.zone();
        let collation = |one: &firn_mysql_semantics::collation::Collation| {
            firn_mysql_semantics::CollationId(one.id())
        };
        let account = &self.login.account;
        let facts = Facts {
            database: variables.database(),
            settings: &self.settings,
            zone,
            now_micros: variables.statement_time_micros(),
            server_collation: collation(hot.collation_server),
            foreign_key_checks: hot.foreign_key_checks,
            require_primary_key: hot.sql_require_primary_key,
            no_engine_substitution: hot
                .sql_mode
                .has(crate::variables::SqlMode::NO_ENGINE_SUBSTITUTION),
            account: (&account.user, &account.host),
        };
        plan(&facts, &mut self.warnings, &self.server)
    }

    /// Locks what a change touches. `None` if the catalog is no longer `snapshot`.
    pub(super) async fn lock_names(
        &self,
        snapshot: &CatalogSnapshot,
        change: &CatalogChange,
        mode: LockMode,
    ) -> Result<Option<Transaction>, Ended> {
        let owner = OwnerId(u64::from(self.id));
        let interrupt: Interrupt = self.process.interrupt.clone();
        let transactions = &self.server.transactions;
        let mut locks = transactions.begin(owner, IsolationLevel::ReadCommitted, interrupt);
        let seconds = self.values.variables.hot().lock_wait_timeout;
        let wait = LockWait::For(Duration::from_secs(seconds));
        let locked = locks.lock(LockKey::Global, LockMode::IntentionExclusive, wait).await;
        locked.map_err(|error| from_transaction(&error))?;
        lock_all(&mut locks, &touched(snapshot, change), mode, wait).await?;
        let same = self.server.catalog.snapshot().version == snapshot.version;
        Ok(same.then_some(locks))
    }

    /// Makes a change; `false` if it has to be planned again.
    async fn change(
        &self,
        snapshot: &CatalogSnapshot,
        change: &CatalogChange,
    ) -> Result<bool, Ended> {
        if change.is_empty() {
            return Ok(true);
        }
        let locks = self.lock_names(snapshot, change, LockMode::Exclusive).await?;
        let Some(_locks) = locks else { return Ok(false) };
        self.applied(self.server.catalog.apply(change).await.map(drop))
    }

    pub(super) fn applied(&self, result: Result<(), ChangeError>) -> Result<bool, Ended> {
        match result {
            Ok(()) => Ok(true),
            Err(ChangeError::Sql(error)) if error.number() == code::ER_TABLE_DEF_CHANGED => {
                Ok(false)
            }
            Err(ChangeError::Sql(error)) => Err(error.into()),
            Err(ChangeError::Engine(error)) => Err(from_engine(&error).into()),
        }
    }

    /// ALTER TABLE, with its work on rows; `None` if it has to be planned again.
    async fn alter(
        &mut self,
        snapshot: &CatalogSnapshot,
        plan: AlterPlan,
    ) -> Result<Option<Done>, Ended> {
        if plan.is_empty() {
            let warnings = self.warnings.total();
            let info = format!("Records: 0  Duplicates: 0  Warnings: {warnings}");
            return Ok(Some(Done { info, ..Done::default() }));
        }
        let finish = plan.finish();
        let online = plan.beside_writers
            && !plan.work.is_none()
            && matches!(plan.lock, AskedLock::Default | AskedLock::None);
        // While rows are read or copied, others may read them, too.
        let mode = match plan.work.is_none() || online || plan.lock == AskedLock::Exclusive {
            true => LockMode::Exclusive,
            false => LockMode::Shared,
        };
        let locks = self.lock_names(snapshot, &finish, mode).await?;
        let Some(mut locks) = locks else { return Ok(None) };
        let parents = self.lock_parents(snapshot, &plan, &mut locks).await?;
        self.keep_scratch(&plan).await?;
        let mut affected = 0;
        if !plan.work.is_none() {
            let interrupt = locks.interrupt().clone();
            let tables = touched(snapshot, &finish);
            let seconds = self.values.variables.hot().lock_wait_timeout;
            let wait = LockWait::For(Duration::from_secs(seconds));
            let held = Held { locks: &mut locks, tables: &tables, wait, online };
            let done = self.work(&plan, &interrupt, &parents, Some(held)).await;
            self.process.progress.leave();
            affected = done?;
            if !same_children(snapshot, &self.server.catalog.snapshot(), &plan.was) {
                self.give_up(&plan).await?;
                return Err(SqlError::new(code::ER_TABLE_DEF_CHANGED, &[]).into());
            }
        }
        let mut batch = WriteBatch::new();
        self.number_on(&plan, &mut batch).await?;
        let applied = self.server.catalog.apply_with(&finish, batch).await;
        let applied = self.applied(applied.map(drop));
        if matches!(applied, Ok(false)) {
            // Nothing of it was written. Otherwise, that may not be known.
            self.give_up(&plan).await?;
        }
        if !applied? {
            return Err(SqlError::new(code::ER_TABLE_DEF_CHANGED, &[]).into());
        }
        match &plan.work {
            Work::Scan { fill, .. } if !fill.is_empty() => {
                let open = self.server.opened.get(&plan.now)?;
                open.numbers.made_indexes(fill, self.server.transactions.db().last_seq().0);
            }
            _ => {}
        }
        // MySQL counts rows only where it copies a table while nobody writes.
        let checked = matches!(&plan.work, Work::Scan { checks, .. } if !checks.is_empty());
        let copied = (plan.work == Work::Copy || checked) && !online;
        let affected = if copied { affected } else { 0 };
        let warnings = self.warnings.total();
        let info = format!("Records: {affected}  Duplicates: 0  Warnings: {warnings}");
        Ok(Some(Done { affected, info, ..Done::default() }))
    }

    /// Keeps the parents of new foreign keys from being changed while rows are checked.
    async fn lock_parents(
        &self,
        snapshot: &CatalogSnapshot,
        plan: &AlterPlan,
        locks: &mut Transaction,
    ) -> Result<Vec<SpaceId>, Ended> {
        let mut parents = Vec::new();
        if plan.work.is_none() {
            return Ok(parents);
        }
        let seconds = self.values.variables.hot().lock_wait_timeout;
        let wait = LockWait::For(Duration::from_secs(seconds));
        for key in plan.now.foreign_keys.iter().filter(|key| !plan.was.foreign_keys.contains(key)) {
            let parent = snapshot.table(&key.parent_schema, &key.parent_table);
            let Some(parent) = parent.filter(|parent| parent.descriptor.id != plan.was.id) else {
                continue;
            };
            let id = LockKey::Table(u64::from(parent.descriptor.id));
            let locked = locks.lock(id, LockMode::Shared, wait).await;
            locked.map_err(|error| from_transaction(&error))?;
            parents.push(parent.descriptor.space());
        }
        parents.push(plan.was.space());
        Ok(parents)
    }

    /// AUTO_INCREMENT goes on in a copy, and begins anew where the statement says so.
    async fn number_on(&self, plan: &AlterPlan, batch: &mut WriteBatch) -> Result<(), Ended> {
        let was = self.server.opened.get(&plan.was)?;
        let next = was.numbers.next_auto_increment.load(Ordering::Relaxed);
        let (kept, now) = (auto_increment_key(plan.was.id), auto_increment_key(plan.now.id));
        let said = plan.now.auto_increment_min != plan.was.auto_increment_min;
        let done = if said {
            was.numbers.forget_auto_increment();
            batch.delete(CATALOG_SPACE, &kept)
        } else if plan.was.id == plan.now.id {
            Ok(())
        } else if next != 0 {
            batch.put(CATALOG_SPACE, &now, &next.to_be_bytes())
        } else {
            let stored = self.server.transactions.db().get(CATALOG_SPACE, &kept).await;
            match stored.map_err(|error| from_engine(&error))? {
                Some(next) => batch.put(CATALOG_SPACE, &now, &next),
                None => Ok(()),
            }
        };
        let done = done.and_then(|()| {
            for index in filled(&plan.work) {
                forget_scratch_index(plan.now.id, *index, batch)?;
            }
            match plan.was.id == plan.now.id {
                true => Ok(()),
                false => forget_scratch(plan.now.id, batch),
            }
        });
        done.map_err(|error| from_engine(&error).into())
    }

    /// Before rows or entries are written that the catalog does not name yet.
    async fn keep_scratch(&self, plan: &AlterPlan) -> Result<(), Ended> {
        let catalog = &self.server.catalog;
        let kept = match &plan.work {
            Work::Copy => catalog.keep_scratch(plan.now.id).await,
            work if filled(work).is_empty() => Ok(()),
            work => catalog.keep_scratch_indexes(plan.now.id, filled(work)).await,
        };
        kept.map_err(|error| from_engine(&error).into())
    }

    /// Deletes what was made for a change that does not come about.
    async fn give_up(&self, plan: &AlterPlan) -> Result<(), Ended> {
        let deleted = async {
            let mut batch = WriteBatch::new();
            if plan.work == Work::Copy {
                batch.delete_range(plan.now.space(), &[], None)?;
                forget_scratch(plan.now.id, &mut batch)?;
            }
            for index in filled(&plan.work) {
                let start = index.0.to_be_bytes();
                let end = firn_engine::key::prefix_end(&start);
                batch.delete_range(plan.now.space(), &start, end.as_deref())?;
                forget_scratch_index(plan.now.id, *index, &mut batch)?;
            }
            self.server.transactions.db().write(&batch).await.map(drop)
        };
        deleted.await.map_err(|error| from_engine(&error).into())
    }

    /// Brings rows and indexes into the form of the new descriptor: beside writers, or while
    /// nobody else writes. `parents` are the spaces of tables that are locked as well. On
    /// return what is held is held exclusively; after an error what was made is deleted.
    pub(super) async fn work(
        &mut self,
        plan: &AlterPlan,
        interrupt: &Interrupt,
        parents: &[SpaceId],
        held: Option<Held<'_>>,
    ) -> Result<u64, Ended> {
        let was = self.open_table(&plan.was)?;
        let now = self.server.opened.compile(&plan.now)?;
        let zone = self.values.variables.zone().clone();
        let storing = execute::Storing { altering: true, ..self.storing(&zone, false, true) };
        let settings = Arc::clone(&self.settings);
        let (server, process) = (Arc::clone(&self.server), Arc::clone(&self.process));
        let relations = CatalogRelations::new(self);
        let checks = self.values.variables.hot().foreign_key_checks;
        let new_keys = plan.now.foreign_keys.iter();
        let new_keys = new_keys.filter(|key| checks && !plan.was.foreign_keys.contains(key));
        let new_keys: Vec<String> = new_keys.map(|key| key.name.clone()).collect();
        let log_bytes_max = online_log_bytes_max(&self.server.globals);
        let mut cx = Cx::new(&settings, &mut self.values, &mut self.warnings);
        let made = match &plan.work {
            Work::None => return Ok(0),
            Work::Scan { fill, checks, .. } => Made::Entries(fill, checks),
            Work::Copy => {
                let declared = server.catalog.declare_rows(None, &plan.now).await;
                declared.map_err(|error| from_engine(&error))?;
                Made::Rows(&storing)
            }
        };
        let backfill = Backfill {
            manager: &server.transactions,
            interrupt,
            was: &was,
            now: &now,
            made,
            keys: NewKeys { names: &new_keys, relate: &relations, locked: parents },
            progress: &process.progress,
            env: &server.env,
        };
        let done = do_work(&backfill, held, log_bytes_max, &mut cx).await;
        if done.is_err() {
            backfill.clear().await?;
        }
        Ok(done?)
    }

    /// Forgets tables that are gone.
    fn after_change(&self) {
        let catalog = self.server.opened.forget_gone(|| self.server.catalog.snapshot());
        // The current database may be one of them.
        let gone = self.values.variables.database().is_some_and(|name| {
            crate::information_schema::database_collation(&catalog, name).is_none()
        });
        if gone {
            self.process.now.lock().database = None;
        }
    }
}

/// Tables that a statement holds while it works.
pub(super) struct Held<'a> {
    locks: &'a mut Transaction,
    tables: &'a [LockKey],
    wait: LockWait,
    /// Others may write meanwhile.
    online: bool,
}

async fn do_work(
    backfill: &Backfill<'_>,
    held: Option<Held<'_>>,
    log_bytes_max: usize,
    cx: &mut Cx<'_>,
) -> execute::Result<u64> {
    // What an earlier try has left.
    backfill.begin_clean().await?;
    let Some(held) = held else {
        let snapshot = backfill.manager.db().snapshot();
        return backfill.all(&snapshot, cx).await;
    };
    let (progress, env) = (backfill.progress, backfill.env);
    let Held { locks, tables, wait, online } = held;
    if !online {
        progress.enter(env.now(), Stage::Copy, backfill.estimated_rows());
        let snapshot = backfill.manager.db().snapshot();
        let rows = backfill.all(&snapshot, cx).await?;
        progress.enter(env.now(), Stage::WaitForTable, 0);
        lock_all(locks, tables, LockMode::Exclusive, wait).await?;
        return Ok(rows);
    }
    let mut build = Online::begin(*backfill, log_bytes_max);
    for table in tables {
        locks.downgrade(table, LockMode::IntentionShared);
    }
    build.build(cx).await?;
    progress.enter(env.now(), Stage::WaitForTable, 0);
    lock_all(locks, tables, LockMode::Exclusive, wait).await?;
    build.finish(cx).await?;
    Ok(0)
}

/// Locks tables one after the other.
async fn lock_all(
    locks: &mut Transaction,
    tables: &[LockKey],
    mode: LockMode,
    wait: LockWait,
) -> execute::Result<()> {
    for table in tables {
        let locked = locks.lock(table.clone(), mode, wait).await;
        locked.map_err(|error| from_transaction(&error))?;
    }
    Ok(())
}

/// The tables that a change touches, in one order, so that two changes do not wait for each
/// other.
fn touched(snapshot: &CatalogSnapshot, change: &CatalogChange) -> Vec<LockKey> {
    let names = change.names().filter_map(|(schema, name)| snapshot.table(schema, name));
    let ids: BTreeSet<u32> = names.map(|table| table.descriptor.id).collect();
    ids.into_iter().map(|id| LockKey::Table(u64::from(id))).collect()
}

/// Indexes whose entries are made.
fn filled(work: &Work) -> &[IndexId] {
    match work {
        Work::Scan { fill, .. } => fill,
        _ => &[],
    }
}

/// Whether the same foreign keys refer to a table as when its change was planned.
fn same_children(then: &CatalogSnapshot, now: &CatalogSnapshot, table: &TableDescriptor) -> bool {
    let of = |catalog: &CatalogSnapshot| {
        let children = catalog.referring(&table.schema, &table.name);
        children.map(|(child, key)| (child.descriptor.id, key.clone())).collect::<Vec<_>>()
    };
    of(then) == of(now)
}

/// `innodb_online_alter_log_max_size`, in bytes.
fn online_log_bytes_max(globals: &GlobalVariables) -> usize {
    let bytes = globals.get(id::innodb_online_alter_log_max_size).as_u64();
    usize::try_from(bytes).unwrap_or(usize::MAX)
}
