//! What of a call is the same for all rows.

use firn_mysql_semantics::Value;
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::{Cx, Node, Op, Row};

use super::super::Result;
use crate::bind::{WindowCall, WindowFunction};

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fixed {
    /// Nothing.
    None,
    /// NTILE: the number of groups. LAG and LEAD: the distance. NTH_VALUE: which one,
    /// counted from 1.
    Count(u64),
    /// NTH_VALUE of no row.
    Never,
}

/// 1210 for a parameter whose type is not the one that it was prepared for.
pub(super) fn not_for_execute() -> SqlError {
    SqlError::new(code::ER_WRONG_ARGUMENTS, &["EXECUTE".into()])
}

/// A whole number; `None` of NULL.
fn count(node: &Node, name: &str, cx: &mut Cx<'_>, row: Row<'_>) -> Result<Option<u64>> {
    let wrong = || SqlError::new(code::ER_WRONG_ARGUMENTS, &[name.into()]);
    match &*node.eval(cx, row)? {
        Value::Null => Ok(None),
        Value::Int(number) => u64::try_from(*number).map(Some).map_err(|_| wrong()),
        Value::UInt(number) if i64::try_from(*number).is_ok() => Ok(Some(*number)),
        Value::UInt(_) => Err(wrong()),
        _ if matches!(node.op, Op::Param(_)) => Err(not_for_execute()),
        _ => Err(wrong()),
    }
}

impl Fixed {
    /// What a call says.
    ///
    /// # Errors
    /// 1210 for numbers that cannot be.
    pub(super) fn of(call: &WindowCall, cx: &mut Cx<'_>, row: Row<'_>) -> Result<Self> {
        let wrong = |name: &str| Err(SqlError::new(code::ER_WRONG_ARGUMENTS, &[name.into()]));
        Ok(match &call.function {
            WindowFunction::Ntile(groups) => match count(groups, "ntile", cx, row)? {
                None | Some(0) => return wrong("ntile"),
                Some(groups) => Self::Count(groups),
            },
            WindowFunction::Nth(_, at) => match count(at, "nth_value", cx, row)? {
                None => Self::Never,
                Some(0) => return wrong("nth_value"),
                Some(at) => Self::Count(at),
            },
            WindowFunction::Shift { lead, distance, .. } => {
                let name = if *lead { "lead" } else { "lag" };
                match distance {
                    None => Self::Count(1),
                    Some(distance) => match count(distance, name, cx, row)? {
                        None => return wrong(name),
                        Some(distance) => Self::Count(distance),
                    },
                }
            }
            _ => Self::None,
        })
    }
}
