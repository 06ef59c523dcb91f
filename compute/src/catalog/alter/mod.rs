//! ALTER TABLE, CREATE INDEX and DROP INDEX.
//!
//! A plan says what the table will be, and what has to be done with its rows before
//! that: nothing, if old rows can be read by the new descriptor; entries of new indexes
//! made and rows checked, beside writes; or all rows written anew under a new id.

mod columns;
mod constraints;
mod plan;
mod work;

pub use plan::{AlterPlan, AskedLock, plan_alter};
pub use work::Work;
pub(super) use work::gone;

use firn_mysql_parser::ast::{AlterAction, Ident, TableElement};
use firn_mysql_semantics::error::{Arg, SqlError, Warnings, code};
use firn_table::descriptor::{TableDescriptor, same_name};

use super::Facts;
use super::define::{Builder, TakenNames, alter_collation, apply_options, check_visible_primary};

/// What a list of actions asks for beside a new descriptor.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// RENAME TO
    pub(super) rename: Option<firn_mysql_parser::ast::ObjectName>,
    /// FORCE: write the rows anew.
    pub(super) force: bool,
    /// ALGORITHM=INSTANT
    pub(super) instant: bool,
    /// ALGORITHM=COPY
    pub(super) copy: bool,
    /// LOCK=…
    pub(super) lock: AskedLock,
}

/// The descriptor after all actions.
pub(super) fn altered(
    table: &TableDescriptor,
    actions: &[AlterAction],
    facts: &Facts<'_>,
    taken: &dyn TakenNames,
    warnings: &mut Warnings,
) -> Result<(TableDescriptor, Asked), SqlError> {
    let mut asked = Asked::default();
    let mut start = table.clone();
    options(&mut start, actions, facts, &mut asked, warnings)?;
    let mut builder = Builder::new(start, facts, taken, warnings);
    for action in actions {
        columns::read_types(&mut builder, action)?;
    }
    columns::check_some_left(table, actions)?;
    columns::check_once(table, actions)?;
    // What goes away goes first: names become free.
    for action in actions {
        constraints::drop(&mut builder, table, action)?;
    }
    let going: Vec<&Ident> = actions
        .iter()
        .filter_map(|action| match action {
            AlterAction::DropColumn(name) => Some(name),
            _ => None,
        })
        .collect();
    columns::drop(&mut builder, &going)?;
    constraints::check_named(table, actions)?;
    let renames = columns::renames(&builder.table, actions)?;
    for action in actions {
        columns::change(&mut builder, table, action)?;
    }
    columns::check_renames(&builder.table, &renames)?;
    for action in actions {
        columns::add(&mut builder, action)?;
    }
    for action in actions {
        match action {
            AlterAction::Add(element) if !matches!(element, TableElement::Column(_)) => {
                builder.element(element)?;
            }
            AlterAction::AddElements(elements) => {
                for element in elements {
                    if !matches!(element, TableElement::Column(_)) {
                        builder.element(element)?;
                    }
                }
            }
            _ => {}
        }
    }
    if !builder.table.columns.iter().any(|column| !column.hidden) {
        return Err(SqlError::new(code::ER_CANT_REMOVE_ALL_FIELDS, &[]));
    }
    let mut after = builder.finish()?;
    // Names are those of before: an index is made invisible under its old one.
    for action in actions {
        constraints::adjust(&mut after, action)?;
    }
    check_visible_primary(&after)?;
    for action in actions {
        constraints::rename_index(&mut after, action)?;
    }
    Ok((after, asked))
}

/// Options and what is asked for as a whole.
fn options(
    table: &mut TableDescriptor,
    actions: &[AlterAction],
    facts: &Facts<'_>,
    asked: &mut Asked,
    warnings: &mut Warnings,
) -> Result<(), SqlError> {
    for action in actions {
        match action {
            AlterAction::Option(option) => {
                let options = std::slice::from_ref(option);
                if let Some(collation) = alter_collation(options, warnings)? {
                    columns::keep_collations(table, collation);
                }
                apply_options(table, options, facts, warnings)?;
            }
            AlterAction::ConvertCharset { charset, collation } => {
                columns::convert(table, charset.as_ref(), collation.as_ref(), facts, warnings)?;
            }
            AlterAction::Rename(name) => asked.rename = Some(name.clone()),
            AlterAction::Force => asked.force = true,
            AlterAction::Algorithm(name) => match name.as_str().to_ascii_uppercase().as_str() {
                "INSTANT" => asked.instant = true,
                "COPY" => asked.copy = true,
                "DEFAULT" | "INPLACE" => {}
                _ => {
                    let number = code::ER_UNKNOWN_ALTER_ALGORITHM;
                    return Err(SqlError::new(number, &[name.as_str().into()]));
                }
            },
            AlterAction::Lock(name) => {
                asked.lock = match name.as_str().to_ascii_uppercase().as_str() {
                    "DEFAULT" => AskedLock::Default,
                    "NONE" => AskedLock::None,
                    "SHARED" => AskedLock::Shared,
                    "EXCLUSIVE" => AskedLock::Exclusive,
                    _ => {
                        let number = code::ER_UNKNOWN_ALTER_LOCK;
                        return Err(SqlError::new(number, &[name.as_str().into()]));
                    }
                };
            }
            AlterAction::DisableKeys | AlterAction::EnableKeys => {
                let args = [Arg::Str(&table.name)];
                warnings.note(SqlError::new(code::ER_ILLEGAL_HA, &args));
            }
            AlterAction::DiscardTablespace | AlterAction::ImportTablespace => {
                return Err(SqlError::not_supported_yet("TABLESPACE"));
            }
            AlterAction::SecondaryLoad(_) | AlterAction::SecondaryUnload(_) => {
                return Err(SqlError::not_supported_yet("SECONDARY_LOAD"));
            }
            AlterAction::PartitionBy(_) => {
                return Err(SqlError::not_supported_yet("PARTITION BY"));
            }
            AlterAction::RemovePartitioning
            | AlterAction::AddPartitions { .. }
            | AlterAction::AddPartitionCount { .. }
            | AlterAction::DropPartitions(_)
            | AlterAction::CoalescePartitions { .. }
            | AlterAction::ReorganizePartitions { .. }
            | AlterAction::ExchangePartition { .. }
            | AlterAction::Partitions { .. } => {
                return Err(SqlError::new(code::ER_PARTITION_MGMT_ON_NONPARTITIONED, &[]));
            }
            _ => {}
        }
    }
    Ok(())
}

/// A column's place, by a name that ALTER TABLE gives.
///
/// Errors: 1054.
fn place(table: &TableDescriptor, name: &Ident) -> Result<usize, SqlError> {
    table
        .column_named(name.as_str())
        .ok_or_else(|| SqlError::unknown_column(name.as_str(), &table.name))
}

/// 1091
fn cannot_drop(name: &str) -> SqlError {
    SqlError::new(code::ER_CANT_DROP_FIELD_OR_KEY, &[name.into()])
}

/// An index's place by its name.
fn index_place(table: &TableDescriptor, name: &str) -> Option<usize> {
    table.indexes.iter().position(|index| same_name(&index.name, name))
}
