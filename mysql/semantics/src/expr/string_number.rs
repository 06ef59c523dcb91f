//! Strings as numbers where they are not read as texts: those that functions of
//! dates make, those that CASE and its like choose among other types, and those of
//! which the server does not say that they are no numbers.

use std::cmp::Ordering;

use super::Result;
use super::compare::{self, Comparison};
use super::context::{Cx, Row};
use super::eval::internal;
use super::kept::KEPT_ABOVE;
use super::node::{ExtremeDates, Node, Op};
use crate::temporal::{TimeOrDateTime, parse_time};
use crate::types::TypeKind;
use crate::value::{Bytes, Value};

/// Where the number of a string comes from.
pub(super) enum Source<'a> {
    /// NULL, or no branch at all.
    Null,
    /// From this operand, as it is.
    Operand(&'a Node),
    /// From the text, without a warning.
    Text(Bytes),
    /// From a date or time.
    Temporal(Value),
    /// From a number.
    Whole(u64),
    /// From the extreme of the operands as numbers.
    ExtremeOfNumbers { greatest: bool },
}

/// The number that the bits of the largest date make: 16383-15-31.
const NO_DATE: u64 = 163_831_531;

impl Node {
    /// The number of a string comes from where; `None` for strings that are read.
    pub(super) fn number_source<'a>(
        &'a self,
        cx: &mut Cx<'_>,
        row: Row<'a>,
    ) -> Result<Option<Source<'a>>> {
        if !self.ty.kind.is_string() || self.height > KEPT_ABOVE {
            return Ok(None);
        }
        Ok(Some(match &self.op {
            Op::If | Op::Case { .. } | Op::CaseOf { .. } => match self.branch(cx, row)? {
                Some(branch) => Source::Operand(branch),
                None => Source::Null,
            },
            Op::Call(call) if call.function.name == "elt" => {
                let [at, branches @ ..] = &*self.args else { return Err(internal()) };
                let at = at.eval_int(cx, row)?.and_then(|at| usize::try_from(at).ok());
                match at.and_then(|at| at.checked_sub(1)).and_then(|at| branches.get(at)) {
                    Some(branch) => Source::Operand(branch),
                    None => Source::Null,
                }
            }
            // What is kept of a row that was read says nothing of texts that are no numbers.
            Op::Subquery { known, .. } if !known.one_row => self.quiet_text(cx, row)?,
            Op::Coalesce | Op::Bit(_, true) | Op::BitNot(true) => self.quiet_text(cx, row)?,
            Op::Extreme { greatest, dates: Some(dates), .. } => {
                extreme_date(self, *greatest, dates, cx, row)?
            }
            Op::Extreme { greatest, .. } => {
                let clock = |arg: &Node| matches!(arg.ty.kind, TypeKind::Time | TypeKind::Year);
                if self.args.iter().any(clock) {
                    Source::ExtremeOfNumbers { greatest: *greatest }
                } else {
                    self.quiet_text(cx, row)?
                }
            }
            _ if self.computes_time() => match &*self.eval(cx, row)? {
                Value::Bytes(text) => match temporal_of(text) {
                    Some(value) => Source::Temporal(value),
                    None => Source::Text(text.clone()),
                },
                _ => Source::Null,
            },
            _ => return Ok(None),
        }))
    }

    fn quiet_text(&self, cx: &mut Cx<'_>, row: Row<'_>) -> Result<Source<'_>> {
        Ok(match &*self.eval(cx, row)? {
            Value::Bytes(text) => Source::Text(text.clone()),
            _ => Source::Null,
        })
    }

    /// It adds to a time, or reads one in a format. As an integer it is rounded as a
    /// number, not as a time.
    pub(crate) fn computes_time(&self) -> bool {
        match &self.op {
            Op::DateArith { .. } => true,
            Op::Call(call) => match call.function.name {
                "addtime" | "subtime" | "str_to_date" => true,
                "timestamp" => self.args.len() == 2,
                _ => false,
            },
            _ => false,
        }
    }

    /// What a string is read from as a date or time: IF and CASE hand on the branch
    /// that they take. `None` is NULL.
    pub(crate) fn read_from<'a>(
        &'a self,
        cx: &mut Cx<'_>,
        row: Row<'a>,
    ) -> Result<Option<&'a Node>> {
        match &self.op {
            Op::If | Op::Case { .. } | Op::CaseOf { .. }
                if self.ty.kind.is_string() && self.height <= KEPT_ABOVE =>
            {
                match self.branch(cx, row)? {
                    Some(branch) => branch.read_from(cx, row),
                    None => Ok(None),
                }
            }
            _ => Ok(Some(self)),
        }
    }

    /// GREATEST and LEAST of dates: integers of their own.
    pub(super) fn is_extreme_of_dates(&self) -> bool {
        matches!(&self.op, Op::Extreme { dates: Some(_), .. }) && self.ty.kind.is_string()
    }

    /// The branch that IF or CASE takes.
    fn branch<'a>(&'a self, cx: &mut Cx<'_>, row: Row<'a>) -> Result<Option<&'a Node>> {
        let args = &self.args;
        match &self.op {
            Op::If => {
                let [condition, yes, no] = &**args else { return Err(internal()) };
                Ok(Some(if condition.eval_truth(cx, row)? == Some(true) { yes } else { no }))
            }
            Op::Case { otherwise } => {
                for pair in args.chunks(2) {
                    match pair {
                        [condition, value] if condition.eval_truth(cx, row)? == Some(true) => {
                            return Ok(Some(value));
                        }
                        [value] if *otherwise => return Ok(Some(value)),
                        _ => {}
                    }
                }
                Ok(None)
            }
            Op::CaseOf { otherwise, with } => {
                let [operand, rest @ ..] = &**args else { return Err(internal()) };
                for (at, pair) in rest.chunks(2).enumerate() {
                    match pair {
                        [when, value] => {
                            let with = with.get(at).copied().ok_or_else(internal)?;
                            let order = compare::order(with, operand, when, cx, row)?;
                            if order == Some(Ordering::Equal) {
                                return Ok(Some(value));
                            }
                        }
                        [value] if *otherwise => return Ok(Some(value)),
                        _ => {}
                    }
                }
                Ok(None)
            }
            _ => Ok(None),
        }
    }
}

/// A time or date as functions of times print it.
pub(crate) fn temporal_of(text: &[u8]) -> Option<Value> {
    match parse_time(text).value? {
        // A date alone is read as a time, if a wrong one.
        TimeOrDateTime::Time(_) if text.iter().skip(1).any(|byte| *byte == b'-') => {
            let parsed = crate::temporal::parse_datetime(text, Default::default());
            parsed.value.map(|value| Value::Date(value.date()))
        }
        TimeOrDateTime::Time(time) => Some(Value::Time(time)),
        TimeOrDateTime::DateTime(value) => Some(Value::DateTime(value)),
    }
}

fn extreme_date<'a>(
    node: &Node,
    greatest: bool,
    dates: &ExtremeDates,
    cx: &mut Cx<'_>,
    row: Row<'_>,
) -> Result<Source<'a>> {
    let best = compare::best_date(node, greatest, dates, cx, row)?;
    Ok(match best {
        None => Source::Null,
        Some(Some(value)) if dates.date_only => Source::Temporal(Value::Date(value.date())),
        Some(Some(value)) => Source::Temporal(Value::DateTime(value)),
        Some(None) => Source::Whole(if dates.date_only { NO_DATE } else { 0 }),
    })
}

/// The operand that is the extreme as a number.
pub(super) fn extreme_of_numbers<'a>(
    node: &'a Node,
    greatest: bool,
    by: Comparison,
    cx: &mut Cx<'_>,
    row: Row<'a>,
) -> Result<Option<&'a Node>> {
    let mut best: Option<&Node> = None;
    for arg in &node.args {
        let better = match best {
            None => true,
            Some(best) => match compare::order(by, arg, best, cx, row)? {
                None => return Ok(None),
                Some(order) if greatest => order.is_gt(),
                Some(order) => order.is_lt(),
            },
        };
        if better {
            best = Some(arg);
        }
    }
    Ok(best)
}
