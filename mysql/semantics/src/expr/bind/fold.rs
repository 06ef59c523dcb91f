//! Constants that types depend on, computed while binding.

use super::Binder;
use crate::decimal::Decimal;
use crate::error::{SqlError, Warnings};
use crate::expr::context::{Cx, Nobody, Row, Settings};
use crate::expr::node::{ListReading, Node, Op};
use crate::temporal::Time;
use crate::types::{CollationId, Derivation, SqlType, TypeKind};
use crate::value::Value;

/// Functions that are constant within a statement, but not before it runs.
const OF_THE_SESSION: &[&str] = &[
    "at time zone",
    "connection_id",
    "curdate",
    "current_user",
    "curtime",
    "database",
    "from_unixtime",
    "now",
    "unix_timestamp",
    "user",
    "utc_date",
    "utc_time",
    "utc_timestamp",
    "version",
];

/// Functions that give a time today's date.
#[rustfmt::skip]
const OF_DATES: &[&str] = &[
    "convert_tz", "date", "date_format", "datediff", "dayname", "dayofmonth", "dayofweek",
    "dayofyear", "last_day", "month", "monthname", "quarter", "timestamp", "to_days",
    "to_seconds", "week", "weekday", "weekofyear", "year", "yearweek",
];

fn has_time(node: &Node) -> bool {
    node.args.iter().any(|arg| arg.ty.kind == TypeKind::Time)
}

/// The same whatever the session and the parameters are.
fn is_fixed(node: &Node) -> bool {
    let own = match &node.op {
        Op::Param(_) | Op::SystemVariable(_) => false,
        // The time of day is taken with today's date.
        Op::Extract(_) | Op::TimestampDiff(_) => !has_time(node),
        Op::DateArith { .. } => node.ty.kind == TypeKind::Time || !has_time(node),
        Op::Call(call) if OF_DATES.contains(&call.function.name) => !has_time(node),
        Op::Cast(_) => {
            node.ty.kind == TypeKind::Time || !node.ty.kind.has_date() || !has_time(node)
        }
        Op::Call(call) => !OF_THE_SESSION.contains(&call.function.name),
        _ => true,
    };
    own && node.args.iter().all(is_fixed)
}

/// Runs a node that needs no session; its warnings go to `warnings`.
fn run<T>(
    node: &Node,
    warnings: &mut Warnings,
    run: impl FnOnce(&Node, &mut Cx<'_>) -> Option<T>,
) -> Option<T> {
    if !node.is_constant() || !is_fixed(node) {
        return None;
    }
    let (settings, mut session) = (Settings::default(), Nobody);
    run(node, &mut Cx::new(&settings, &mut session, warnings))
}

/// A constant expression as an integer; `None` if it is not known yet, is NULL, or
/// fails. Its warnings come when it runs.
pub(super) fn integer(node: &Node) -> Option<i128> {
    known_integer(node).flatten()
}

/// The same, and what reading it warns of.
pub(super) fn integer_with_warnings(node: &Node) -> (Option<i128>, Vec<SqlError>) {
    let mut warnings = Warnings::default();
    let value = run(node, &mut warnings, |node, cx| node.eval_int(cx, Row::default()).ok());
    (value.flatten(), warnings.kept().iter().map(|one| one.error.clone()).collect())
}

/// Why a constant expression cannot be computed as an integer.
pub(super) fn integer_fault(node: &Node) -> Option<SqlError> {
    run(node, &mut Warnings::default(), |node, cx| node.eval_int(cx, Row::default()).err())
}

/// The same; `Some(None)` is NULL.
pub(super) fn known_integer(node: &Node) -> Option<Option<i128>> {
    run(node, &mut Warnings::default(), |node, cx| node.eval_int(cx, Row::default()).ok())
}

/// The same as a text in its own character set.
pub(super) fn text(node: &Node) -> Option<Vec<u8>> {
    run(node, &mut Warnings::default(), |node, cx| {
        node.eval_text(cx, Row::default()).ok().flatten().map(std::borrow::Cow::into_owned)
    })
}

/// The same as a double, with what reading it warns of.
pub(super) fn double(node: &Node) -> Option<(f64, Vec<SqlError>)> {
    let mut warnings = Warnings::default();
    let value =
        run(node, &mut warnings, |node, cx| node.eval_double(cx, Row::default()).ok().flatten())?;
    Some((value, warnings.kept().iter().map(|one| one.error.clone()).collect()))
}

/// The same as a time of day, as others are compared with it; `None` within is none.
pub(super) fn time(node: &Node) -> Option<(Option<Time>, Vec<SqlError>)> {
    let mut warnings = Warnings::default();
    let value = run(node, &mut warnings, |node, cx| {
        crate::expr::leaf::compared_time(node, cx, Row::default()).ok()
    })?;
    Some((value.flatten(), warnings.kept().iter().map(|one| one.error.clone()).collect()))
}

/// What reading a constant as a date warns of, where `left` is looked for among such.
pub(super) fn date_warnings(node: &Node, left: &Node, reading: ListReading) -> Vec<SqlError> {
    let mut warnings = Warnings::default();
    run(node, &mut warnings, |one, cx| {
        crate::expr::leaf::list_key(one, left, reading, cx, Row::default()).ok()
    });
    warnings.kept().iter().map(|one| one.error.clone()).collect()
}

/// The same as a decimal.
pub(super) fn decimal(node: &Node) -> Option<Decimal> {
    run(node, &mut Warnings::default(), |node, cx| {
        node.eval_decimal(cx, Row::default()).ok().flatten()
    })
}

impl Binder<'_> {
    /// Makes a constant number or time the text that it is: its length is known then.
    pub(super) fn constant_into_text(&self, node: &mut Node, collation: CollationId) {
        let Some(text) = self.constant_text(node) else { return };
        let length = text.as_ref().map_or(0, Vec::len) as u32;
        let written = crate::expr::printed(node);
        let nullable = node.ty.nullable;
        let ty = SqlType::varchar(length, collation, Derivation::Coercible).with_nullable(nullable);
        *node = Node::leaf(Op::Literal(text.map_or(Value::Null, Value::from)), ty)
            .with_ascii(true)
            .with_written(written);
    }

    /// Computes a constant that has to be converted, and gives its text, if it is known:
    /// only NULL takes its place, which has no length.
    pub(crate) fn settle_constant(&self, node: &mut Node) -> Option<Vec<u8>> {
        if let Some(text) = self.constant_text(node)? {
            return Some(text);
        }
        let written = crate::expr::printed(node);
        let mut ty = node.ty.with_nullable(true);
        ty.length = 0;
        if !ty.kind.is_string() {
            ty = SqlType::varchar(0, self.connection(), ty.derivation);
        }
        *node = Node::leaf(Op::Literal(Value::Null), ty).with_ascii(true).with_written(written);
        None
    }

    /// Computes a constant for its warnings alone, as the server does to know its type.
    pub(crate) fn warn_of_constant(&self, node: &Node) {
        if !node.is_literal() {
            self.constant_text(node);
        }
    }

    /// Computes a constant of which a server knows the value before any row: what it warns of
    /// is said once, and its value takes its place then. NULL does so only if it `may`, since
    /// one that is written is compared otherwise.
    pub(super) fn compute_early(&self, node: &mut Node, may_be_null: bool) {
        if node.is_literal() || node.ty.kind == TypeKind::Json {
            return;
        }
        let mut warnings = Warnings::default();
        let value = run(node, &mut warnings, |node, cx| {
            node.eval(cx, Row::default()).ok().map(std::borrow::Cow::into_owned)
        });
        let Some(value) = value.filter(|_| !warnings.kept().is_empty()) else { return };
        warnings.kept().iter().for_each(|one| self.warn(one.error.clone()));
        if value.is_null() && !may_be_null {
            return;
        }
        let (written, ascii) = (crate::expr::printed(node), node.ascii);
        *node = Node::leaf(Op::Literal(value), node.ty).with_ascii(ascii).with_written(written);
    }

    /// The text of a constant; `Some(None)` is NULL. What reading it warns of is warned
    /// of.
    fn constant_text(&self, node: &Node) -> Option<Option<Vec<u8>>> {
        let mut warnings = Warnings::default();
        let text = run(node, &mut warnings, |node, cx| {
            let text = node.eval_text(cx, Row::default()).ok()?;
            Some(text.map(std::borrow::Cow::into_owned))
        })?;
        warnings.kept().iter().for_each(|one| self.warn(one.error.clone()));
        Some(text)
    }
}

/// A constant that is known only when the statement runs; parameters are known
/// before that.
pub(super) fn is_late(node: &Node) -> bool {
    fn of_session(node: &Node) -> bool {
        let own = match &node.op {
            Op::SystemVariable(_) => true,
            // The database is known when a statement is resolved.
            Op::Call(call) if call.function.name == "database" => false,
            Op::Call(call) => OF_THE_SESSION.contains(&call.function.name),
            _ => false,
        };
        own || node.args.iter().any(of_session)
    }
    node.is_constant() && of_session(node)
}
