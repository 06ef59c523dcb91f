//! From the statement to the plan.

use std::sync::Arc;

use firn_mysql_parser::ast::{AlterAction, AlterTable, ObjectName, StatementKind, TableElement};
use firn_mysql_semantics::error::{Arg, SqlError, Warnings, code};
use firn_table::descriptor::{ForeignKey, TableDescriptor, same_name};

use super::constraints::check_serving;
use super::work::{COPY_LOCKS, hindrance, needed};
use super::{Work, altered};
use crate::catalog::ddl::{Planner, TableIds, rename};
use crate::catalog::define::check_compatible;
use crate::catalog::snapshot::SchemaNames;
use crate::catalog::{CatalogChange, CatalogSnapshot, Facts, TableName};

/// LOCK=… of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AskedLock {
    /// As weak as the work allows.
    #[default]
    Default,
    /// Others read and write.
    None,
    /// Others read.
    Shared,
    /// Nobody else uses the table.
    Exclusive,
}

/// What ALTER TABLE does: from which descriptor, to which, by what work.
#[derive(Debug, Clone)]
pub struct AlterPlan {
    /// The table as it is.
    pub was: Arc<TableDescriptor>,
    /// The table as it will be: under a new id if its rows are written anew.
    pub now: Arc<TableDescriptor>,
    /// What has to be done before.
    pub work: Work,
    /// The work can be done while others write to the table.
    pub beside_writers: bool,
    /// What the statement says of locks.
    pub lock: AskedLock,
    /// Tables that refer to it, where it has another name now: as they are, and will be.
    others: Vec<(Arc<TableDescriptor>, TableDescriptor)>,
}

impl AlterPlan {
    /// The change that ends it, after the work.
    #[must_use]
    pub fn finish(&self) -> CatalogChange {
        let mut change = CatalogChange::default();
        change.change_table(&self.was, (*self.now).clone());
        for (was, now) in &self.others {
            change.change_table(was, now.clone());
        }
        change
    }

    /// Whether nothing changes at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.others.is_empty() && self.work.is_none() && {
            let mut now = (*self.now).clone();
            now.version = self.was.version;
            now == *self.was
        }
    }
}

/// The plan of ALTER TABLE, CREATE INDEX or DROP INDEX; `None` if the statement is of
/// another kind.
///
/// # Errors
/// MySQL's.
pub fn plan_alter(
    catalog: &CatalogSnapshot,
    ids: &dyn TableIds,
    statement: &StatementKind,
    facts: &Facts<'_>,
    warnings: &mut Warnings,
) -> Result<Option<AlterPlan>, SqlError> {
    let mut with_options = Vec::new();
    let mut options = |algorithm: &Option<firn_mysql_parser::ast::Ident>, lock: &Option<_>| {
        with_options.extend(algorithm.clone().map(AlterAction::Algorithm));
        with_options.extend(lock.clone().map(AlterAction::Lock));
    };
    let (name, actions): (&ObjectName, &[AlterAction]) = match statement {
        StatementKind::AlterTable(alter) => {
            let AlterTable { name, actions } = &**alter;
            (name, actions)
        }
        StatementKind::CreateIndex(create) => {
            options(&create.algorithm, &create.lock);
            with_options.push(AlterAction::Add(TableElement::Index(create.index.clone())));
            (&create.table, &with_options)
        }
        StatementKind::DropIndex(drop) => {
            options(&drop.algorithm, &drop.lock);
            with_options.push(match drop.name.as_str() {
                name if name.eq_ignore_ascii_case("PRIMARY") => AlterAction::DropPrimaryKey,
                _ => AlterAction::DropIndex(drop.name.clone()),
            });
            (&drop.table, &with_options)
        }
        _ => return Ok(None),
    };
    let name = TableName::resolve(name, facts)?;
    let mut planner = Planner { catalog, ids, facts, warnings, change: CatalogChange::default() };
    planner.check_changeable(&name.schema)?;
    let was = Arc::clone(&catalog.known_table(&name)?.descriptor);
    plan(&mut planner, &name, was, actions).map(Some)
}

fn plan(
    planner: &mut Planner<'_>,
    name: &TableName,
    was: Arc<TableDescriptor>,
    actions: &[AlterAction],
) -> Result<AlterPlan, SqlError> {
    let (catalog, facts) = (planner.catalog, planner.facts);
    let taken = SchemaNames {
        schema: catalog.schema(&name.schema).map(|schema| &**schema),
        except: &name.name,
    };
    let (mut now, asked) = altered(&was, actions, facts, &taken, planner.warnings)?;
    let referring: Vec<(Arc<TableDescriptor>, ForeignKey)> = catalog
        .referring(&name.schema, &name.name)
        .map(|(child, key)| (Arc::clone(&child.descriptor), key.clone()))
        .collect();
    let own: Vec<ForeignKey> = now
        .foreign_keys
        .iter()
        .map(|key| {
            let itself = key.parent_schema == was.schema && key.parent_table == was.name;
            let old = was.foreign_keys.contains(key);
            if itself && old { renamed_parents(key, &was, &now) } else { key.clone() }
        })
        .collect();
    now.foreign_keys = own;
    if facts.foreign_key_checks {
        check_parts_of_keys(&was, &now, &referring, catalog)?;
        let theirs = referring.iter().filter(|(child, _)| child.id != was.id);
        let keys: Vec<_> = theirs.map(|(_, key)| renamed_parents(key, &was, &now)).collect();
        check_serving(&was, &now, &keys)?;
    }
    let new_keys = now.foreign_keys.iter().any(|key| !was.foreign_keys.contains(key));
    if new_keys {
        planner.check_parents(&now)?;
    }
    let work = needed(&was, &mut now, &asked, facts)?;
    if asked.instant && !work.is_none() {
        return Err(SqlError::new(
            code::ER_ALTER_OPERATION_NOT_SUPPORTED,
            &["ALGORITHM=INSTANT".into(), "ALGORITHM=COPY/INPLACE".into()],
        ));
    }
    let hindrance = match &work {
        Work::None => None,
        _ if asked.copy => Some(COPY_LOCKS),
        work => hindrance(&was, &now, work),
    };
    if let (Some(reason), AskedLock::None) = (hindrance, asked.lock) {
        let (what, instead) = ("LOCK=NONE".into(), "LOCK=SHARED".into());
        return Err(if reason.is_empty() {
            SqlError::new(code::ER_ALTER_OPERATION_NOT_SUPPORTED, &[what, instead])
        } else {
            let number = code::ER_ALTER_OPERATION_NOT_SUPPORTED_REASON;
            SqlError::new(number, &[what, reason.into(), instead])
        });
    }
    if work == Work::Copy {
        now.id = planner.ids.next_table_id()?;
        // All rows will be of one layout.
        now.layouts = vec![now.wanted_layout()];
        for column in &mut now.columns {
            column.instant_default = None;
        }
    }
    let mut others: Vec<(Arc<TableDescriptor>, TableDescriptor)> = Vec::new();
    for (child, _) in referring.iter().filter(|(child, _)| child.id != was.id) {
        let mut after = (**child).clone();
        for key in &mut after.foreign_keys {
            if key.parent_schema == was.schema && key.parent_table == was.name {
                *key = renamed_parents(key, &was, &now);
            }
        }
        let known = others.iter().any(|(other, _)| other.id == child.id);
        if after != **child && !known {
            others.push((Arc::clone(child), after));
        }
    }
    if let Some(to) = &asked.rename {
        let to = TableName::resolve(to, facts)?;
        if to != *name {
            planner.check_changeable(&to.schema)?;
            let mut after = catalog.clone();
            // Under its old name first, as it will be.
            after.remove(&name.schema, &name.name);
            after.put_table(Arc::new(now.clone()));
            for (_, child) in &others {
                after.put_table(Arc::new(child.clone()));
            }
            rename(&mut after, name, &to)?;
            if let Some(renamed) = after.table(&to.schema, &to.name) {
                now = (*renamed.descriptor).clone();
            }
            others.clear();
            for (child, _) in referring.iter().filter(|(child, _)| child.id != was.id) {
                let known = others.iter().any(|(other, _)| other.id == child.id);
                if let Some(found) = after.table_by_id(child.id)
                    && !known
                {
                    others.push((Arc::clone(child), (*found.descriptor).clone()));
                }
            }
        }
    }
    now.version = was.version + 1;
    let beside_writers = hindrance.is_none();
    let (now, lock) = (Arc::new(now), asked.lock);
    Ok(AlterPlan { was, now, work, beside_writers, lock, others })
}

/// Columns of foreign keys fit each other still, and stay.
///
/// Errors: 1829, 3780.
fn check_parts_of_keys(
    was: &TableDescriptor,
    now: &TableDescriptor,
    referring: &[(Arc<TableDescriptor>, ForeignKey)],
    catalog: &CatalogSnapshot,
) -> Result<(), SqlError> {
    for (child, key) in referring.iter().filter(|(child, _)| child.id != was.id) {
        let lost = was.columns.iter().find(|column| {
            now.column(column.id).is_none()
                && key.parent_columns.iter().any(|name| same_name(name, &column.name))
        });
        if let Some(column) = lost {
            let args = [Arg::Str(&column.name), Arg::Str(&key.name), Arg::Str(&child.name)];
            return Err(SqlError::new(code::ER_FK_COLUMN_CANNOT_DROP_CHILD, &args));
        }
        let renamed = renamed_parents(key, was, now);
        check_compatible(child, &renamed, now)?;
    }
    for key in &now.foreign_keys {
        let itself = key.parent_schema == was.schema && key.parent_table == was.name;
        let parent = catalog.table(&key.parent_schema, &key.parent_table);
        let parent = if itself { Some(now) } else { parent.map(|table| &*table.descriptor) };
        if let Some(parent) = parent {
            check_compatible(now, key, parent)?;
        }
    }
    Ok(())
}

/// A foreign key to the table, by the names that its columns have now.
fn renamed_parents(key: &ForeignKey, was: &TableDescriptor, now: &TableDescriptor) -> ForeignKey {
    let mut key = key.clone();
    for name in &mut key.parent_columns {
        let column = was.columns.iter().find(|column| same_name(&column.name, name));
        if let Some(after) = column.and_then(|column| now.column(column.id)) {
            after.name.clone_into(name);
        }
    }
    key
}
