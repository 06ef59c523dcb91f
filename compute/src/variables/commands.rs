//! Which counter a statement adds to.

use firn_mysql_parser::ast::{GrantWhat, InsertSource, StatementKind, TableRef};

use super::status::Counter;

/// The `Com_…` counter of a statement; `None` for those that none is kept of.
pub fn counter_of(statement: &StatementKind) -> Option<Counter> {
    use Counter as C;
    use StatementKind as S;
    Some(match statement {
        S::Query(_) => C::ComSelect,
        S::Insert(insert) => {
            let select = matches!(insert.source, InsertSource::Query(_));
            match (insert.replace, select) {
                (false, false) => C::ComInsert,
                (false, true) => C::ComInsertSelect,
                (true, false) => C::ComReplace,
                (true, true) => C::ComReplaceSelect,
            }
        }
        S::Update(update) => match update.tables.as_slice() {
            [TableRef::Table(_)] => C::ComUpdate,
            _ => C::ComUpdateMulti,
        },
        S::Delete(delete) if delete.targets.is_empty() => C::ComDelete,
        S::Delete(_) => C::ComDeleteMulti,
        S::Call(_) => C::ComCallProcedure,
        S::Do(_) => C::ComDo,
        S::Load(_) => C::ComLoad,
        S::Explain(_) => C::ComExplainOther,
        S::Use(_) => C::ComChangeDb,
        S::CreateTable(_) => C::ComCreateTable,
        S::AlterTable(_) => C::ComAlterTable,
        S::DropTable(_) => C::ComDropTable,
        S::TruncateTable(_) => C::ComTruncate,
        S::RenameTable(_) => C::ComRenameTable,
        S::CreateIndex(_) => C::ComCreateIndex,
        S::DropIndex(_) => C::ComDropIndex,
        S::CreateDatabase(_) => C::ComCreateDb,
        S::AlterDatabase(_) => C::ComAlterDb,
        S::DropDatabase { .. } => C::ComDropDb,
        S::CreateView(_) | S::AlterView(_) => C::ComCreateView,
        S::DropView(_) => C::ComDropView,
        S::CreateUser(_) => C::ComCreateUser,
        S::AlterUser(_) => C::ComAlterUser,
        S::DropUser { .. } => C::ComDropUser,
        S::RenameUser(_) => C::ComRenameUser,
        S::CreateRole { .. } => C::ComCreateRole,
        S::DropRole { .. } => C::ComDropRole,
        S::Grant(grant) => match grant.what {
            GrantWhat::Roles(_) => C::ComGrantRoles,
            _ => C::ComGrant,
        },
        S::Revoke(revoke) => match revoke.what {
            None => C::ComRevokeAll,
            Some(GrantWhat::Roles(_)) => C::ComRevokeRoles,
            Some(_) => C::ComRevoke,
        },
        S::Set(_) | S::SetNames(_) | S::SetCharacterSet(_) | S::SetTransaction { .. } => {
            C::ComSetOption
        }
        S::SetPassword(_) => C::ComSetPassword,
        S::SetRole(_) => C::ComSetRole,
        S::Begin(_) => C::ComBegin,
        S::Commit(_) => C::ComCommit,
        S::Rollback(_) => C::ComRollback,
        S::Savepoint(_) => C::ComSavepoint,
        S::RollbackTo(_) => C::ComRollbackToSavepoint,
        S::ReleaseSavepoint(_) => C::ComReleaseSavepoint,
        S::LockTables(_) => C::ComLockTables,
        S::UnlockTables => C::ComUnlockTables,
        S::Prepare { .. } => C::ComPrepareSql,
        S::Execute { .. } => C::ComExecuteSql,
        S::Deallocate(_) => C::ComDeallocSql,
        S::AnalyzeTable(_) => C::ComAnalyze,
        S::CheckTable(_) => C::ComCheck,
        S::ChecksumTable { .. } => C::ComChecksum,
        S::OptimizeTable { .. } => C::ComOptimize,
        S::RepairTable(_) => C::ComRepair,
        S::Flush { .. } => C::ComFlush,
        S::Kill { .. } => C::ComKill,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use firn_mysql_parser::{Options, Parser};

    use super::*;

    #[test]
    fn statements_count_under_their_names() {
        for (sql, counter) in [
            ("SELECT 1", Some(Counter::ComSelect)),
            ("INSERT INTO t VALUES (1)", Some(Counter::ComInsert)),
            ("INSERT INTO t SELECT 1", Some(Counter::ComInsertSelect)),
            ("REPLACE INTO t SET a = 1", Some(Counter::ComReplace)),
            ("UPDATE t SET a = 1", Some(Counter::ComUpdate)),
            ("UPDATE t, s SET a = 1", Some(Counter::ComUpdateMulti)),
            ("DELETE FROM t", Some(Counter::ComDelete)),
            ("DELETE t FROM t JOIN s", Some(Counter::ComDeleteMulti)),
            ("SET NAMES utf8mb4", Some(Counter::ComSetOption)),
            ("GRANT r TO u", Some(Counter::ComGrantRoles)),
            ("REVOKE ALL, GRANT OPTION FROM u", Some(Counter::ComRevokeAll)),
            ("HELP 'x'", None),
        ] {
            let statement = Parser::new(Options::default()).parse(sql.as_bytes()).unwrap();
            assert_eq!(counter_of(&statement.kind), counter, "{sql}");
        }
    }
}
