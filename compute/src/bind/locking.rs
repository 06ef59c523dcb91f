//! FOR UPDATE and FOR SHARE: of all tables of a query, or of those that they name.

use firn_mysql_parser::ast;
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::Result;

use super::statement::{Statement, not_yet};
use super::{Locked, ScopeTable, Source};

/// What a query locks: for update, else shared.
type Locking = Option<(bool, ast::LockWait)>;

/// Notes how each table's rows are locked, and gives what says that any are.
///
/// # Errors
/// 3568 for names of no table, 3569 for a table that two clauses lock.
pub(super) fn of_tables(
    statement: &Statement<'_>,
    clauses: &[ast::Locking],
    tables: &[ScopeTable],
    sources: &mut [Source],
) -> Result<Locking> {
    let [first, others @ ..] = clauses else { return Ok(None) };
    if clauses.iter().any(|one| one.update) {
        statement.tables.rows_are_locked();
    }
    if others.is_empty() && first.of.is_empty() {
        return Ok(Some((first.update, first.wait)));
    }
    let mut locked: Vec<Option<Locked>> = vec![None; tables.len()];
    for clause in clauses {
        let all = 0..tables.len();
        let named: Result<Vec<usize>> = clause
            .of
            .iter()
            .map(|name| {
                let found = tables.iter().position(|table| is_named(table, name));
                found.ok_or_else(|| refused(code::ER_UNRESOLVED_TABLE_LOCK, name.name.as_str()))
            })
            .collect();
        for at in if clause.of.is_empty() { all.collect() } else { named? } {
            if locked[at].replace(Locked::Own(clause.update, clause.wait)).is_some() {
                return Err(refused(code::ER_DUPLICATE_TABLE_LOCK, &tables[at].alias));
            }
        }
    }
    for source in sources {
        source.locked = locked[source.table].unwrap_or(Locked::Not);
    }
    Ok(Some((first.update, first.wait)))
}

/// The same of set operations, which have no tables of their own.
pub(super) fn of_set(statement: &Statement<'_>, clauses: &[ast::Locking]) -> Result<Locking> {
    match clauses.iter().all(|one| one.of.is_empty()) {
        true => of_tables(statement, clauses, &[], &mut []),
        false => not_yet("FOR UPDATE OF behind a set operation"),
    }
}

fn is_named(table: &ScopeTable, name: &ast::ObjectName) -> bool {
    *table.alias == *name.name.as_str()
        && name.schema.as_ref().is_none_or(|schema| *table.schema == *schema.as_str())
}

fn refused(number: u16, name: &str) -> SqlError {
    SqlError::new(number, &[(&format!("`{name}`")).into()])
}
