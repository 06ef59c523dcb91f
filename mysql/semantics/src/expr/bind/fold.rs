//! Constants that types depend on, computed while binding.

use crate::error::Warnings;
use crate::expr::context::{Cx, Row, Session, Settings};
use crate::expr::node::{Node, Op};
use crate::types::SqlType;
use crate::value::Value;

/// Functions that are constant within a statement, but not before it runs.
const OF_THE_SESSION: &[&str] = &[
    "connection_id",
    "curdate",
    "current_user",
    "curtime",
    "database",
    "now",
    "unix_timestamp",
    "user",
    "utc_date",
    "utc_time",
    "utc_timestamp",
    "version",
];

/// No session at all.
struct Nobody;

impl Session for Nobody {
    fn user_variable(&self, _: &str) -> Option<(Value, SqlType)> {
        None
    }
    fn set_user_variable(&mut self, _: &str, _: Value, _: SqlType) {}
    fn system_variable(&self, _: &str) -> Option<(Value, SqlType)> {
        None
    }
    fn statement_time_micros(&self) -> i64 {
        0
    }
    fn clock_micros(&self) -> i64 {
        0
    }
    fn zone_offset_seconds(&self, _: i64) -> i32 {
        0
    }
    fn random_seeds(&mut self) -> (u32, u32) {
        (0, 0)
    }
    fn connection_id(&self) -> u64 {
        0
    }
    fn user(&self) -> Box<str> {
        "".into()
    }
    fn current_user(&self) -> Box<str> {
        "".into()
    }
    fn last_insert_id(&self) -> u64 {
        0
    }
    fn set_last_insert_id(&mut self, _: u64) {}
    fn row_count(&self) -> i64 {
        0
    }
    fn found_rows(&self) -> u64 {
        0
    }
    fn version(&self) -> Box<str> {
        "".into()
    }
}

/// The same whatever the session and the parameters are.
fn is_fixed(node: &Node) -> bool {
    let own = match &node.op {
        Op::Param(_) | Op::SystemVariable(_) => false,
        // The time of day is taken with today's date.
        Op::Extract(_) | Op::TimestampDiff(_) | Op::DateArith { .. } => false,
        Op::Call(call) => !OF_THE_SESSION.contains(&call.function.name),
        _ => true,
    };
    own && node.args.iter().all(is_fixed)
}

/// A constant expression as an integer; `None` if it is not known yet, is NULL, or
/// fails. Its warnings come when it runs.
pub(super) fn integer(node: &Node) -> Option<i128> {
    if !node.is_constant() || !is_fixed(node) {
        return None;
    }
    let (settings, mut warnings, mut session) = (Settings::default(), Warnings::default(), Nobody);
    let mut cx = Cx::new(&settings, &mut session, &mut warnings);
    node.eval_int(&mut cx, Row::default()).ok().flatten()
}
