//! Which statements cannot be prepared.

use firn_mysql_parser::ast::{ExplainTarget, Show, StatementKind as S};
use firn_mysql_semantics::error::{SqlError, code};

/// Refuses what MySQL does not prepare.
///
/// # Errors
/// 1295.
pub(crate) fn check(kind: &S) -> Result<(), SqlError> {
    let refused = match kind {
        S::Show(show) => matches!(
            **show,
            Show::Warnings(_) | Show::Errors(_) | Show::CountWarnings | Show::CountErrors
        ),
        S::Explain(explain) => matches!(explain.target, ExplainTarget::Connection(_)),
        S::Begin(_)
        | S::Savepoint(_)
        | S::RollbackTo(_)
        | S::ReleaseSavepoint(_)
        | S::Xa(_)
        | S::Use(_)
        | S::Help(_)
        | S::AlterDatabase(_)
        | S::AlterView(_)
        | S::CreateRole { .. }
        | S::DropRole { .. }
        | S::CheckTable(_)
        | S::LockTables(_)
        | S::UnlockTables
        | S::LockInstance
        | S::UnlockInstance
        | S::Prepare { .. }
        | S::Execute { .. }
        | S::Deallocate(_)
        | S::Load(_)
        | S::Handler(_)
        | S::CreateTrigger(_)
        | S::DropTrigger { .. }
        | S::CreateRoutine(_)
        | S::AlterRoutine(_)
        | S::DropRoutine { .. }
        | S::PurgeLogs(_)
        | S::GetDiagnostics(_)
        | S::Signal(_)
        | S::Resignal(_)
        | S::Restart
        | S::Shutdown
        | S::Clone(_)
        | S::CreateServer { .. }
        | S::ImportTable(_)
        | S::AlterResourceGroup(_)
        | S::CreateTablespace(_) => true,
        _ => false,
    };
    if refused { Err(SqlError::new(code::ER_UNSUPPORTED_PS, &[])) } else { Ok(()) }
}
