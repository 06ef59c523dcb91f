//! `sql_safe_updates`: nobody changes all of a table by mistake.

use firn_mysql_semantics::Value;
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::Op;

use super::Session;
use crate::plan::SelectPlan;

impl Session {
    /// Refuses to change tables of which all rows are looked at, without a LIMIT, if the
    /// session is careful. `targets` are the steps whose rows change.
    ///
    /// # Errors
    /// 1175
    pub(super) fn refuse_unsafe(
        &self,
        rows: &SelectPlan,
        targets: &[usize],
    ) -> Result<(), SqlError> {
        if !self.values.variables.hot().sql_safe_updates || rows.select.limit.is_some() {
            return Ok(());
        }
        let never = |node: &firn_mysql_semantics::expr::Node| {
            matches!(node.op, Op::Literal(Value::Int(0) | Value::UInt(0) | Value::Null))
        };
        if rows.constant.iter().any(never) {
            return Ok(());
        }
        let whole = |step: &usize| {
            let access = rows.steps.get(*step).and_then(|step| step.access.as_ref());
            access.is_none_or(|access| access.parts.is_empty())
        };
        match targets.iter().any(whole) {
            true => Err(SqlError::new(code::ER_UPDATE_WITHOUT_KEY_IN_SAFE_MODE, &["".into()])),
            false => Ok(()),
        }
    }
}
