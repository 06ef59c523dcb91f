//! IN and BETWEEN at run time.

use std::borrow::Cow;
use std::cmp::Ordering;

use smallvec::SmallVec;

use super::compare::{CompareOp, Comparison, order, truth};
use super::context::{Cx, Row};
use super::eval::internal;
use super::node::{ListReading, Membership, Node, RowColumn, RowMembership};
use super::{Result, leaf};
use crate::decimal::Decimal;
use crate::temporal::{DateTime, Time};
use crate::types::CollationId;

pub(super) fn between(
    node: &Node,
    negated: bool,
    low: Comparison,
    high: Comparison,
    cx: &mut Cx<'_>,
    row: Row<'_>,
) -> Result<Option<bool>> {
    let [value, least, most] = &*node.args else { return Err(internal()) };
    let above = truth(CompareOp::Ge, low, value, least, cx, row)?;
    let below = truth(CompareOp::Le, high, value, most, cx, row)?;
    let inside = match (above, below) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    };
    Ok(inside.map(|inside| inside != negated))
}

pub(super) fn in_list(
    node: &Node,
    negated: bool,
    how: &Membership,
    cx: &mut Cx<'_>,
    row: Row<'_>,
) -> Result<Option<bool>> {
    let [value, list @ ..] = &*node.args else { return Err(internal()) };
    let found = match how {
        Membership::Each(with) => among_each(value, list, with, cx, row)?,
        Membership::DatesAs(deciding) => {
            let deciding = node.args.get(*deciding).ok_or_else(internal)?;
            among_dates(value, list, deciding, cx, row)?
        }
        Membership::Constants(reading) => among_constants(value, list, *reading, cx, row)?,
    };
    Ok(found.map(|found| found != negated))
}

fn among_each(
    value: &Node,
    list: &[Node],
    with: &[Comparison],
    cx: &mut Cx<'_>,
    row: Row<'_>,
) -> Result<Option<bool>> {
    if value.is_null_literal() {
        return Ok(None);
    }
    if value.eval(cx, row)?.is_null() {
        // The list is read all the same, for its warnings.
        for (one, with) in list.iter().zip(with) {
            match with {
                Comparison::Double => drop(one.eval_double(cx, row)?),
                Comparison::LenientDateTime => {
                    leaf::compared_datetime(one, value, *with, cx, row)?;
                }
                Comparison::Time => drop(leaf::compared_time(one, cx, row)?),
                Comparison::Decimal => drop(one.eval_decimal(cx, row)?),
                Comparison::Int | Comparison::Wrapped => drop(one.eval_int(cx, row)?),
                _ => {}
            }
        }
        return Ok(None);
    }
    // Beside many, what has to be computed is so once.
    let computed = (list.len() > 2 && value.height > 0).then(|| value.as_computed(cx, row));
    let computed = computed.transpose()?;
    let value = computed.as_ref().unwrap_or(value);
    let mut unknown = false;
    for (one, with) in list.iter().zip(with) {
        match order(*with, value, one, cx, row)? {
            Some(Ordering::Equal) => return Ok(Some(true)),
            Some(_) => {}
            None => unknown = true,
        }
    }
    Ok(if unknown { None } else { Some(false) })
}

fn among_dates(
    value: &Node,
    list: &[Node],
    deciding: &Node,
    cx: &mut Cx<'_>,
    row: Row<'_>,
) -> Result<Option<bool>> {
    let with = Comparison::LenientDateTime;
    if value.is_null_literal() {
        return Ok(None);
    }
    let Some(value) = leaf::compared_datetime(value, deciding, with, cx, row)? else {
        // The list is read all the same, for its warnings.
        for one in list {
            leaf::compared_datetime(one, deciding, with, cx, row)?;
        }
        return Ok(None);
    };
    let mut unknown = false;
    for one in list {
        match leaf::compared_datetime(one, deciding, with, cx, row)? {
            Some(one) if one == value => return Ok(Some(true)),
            Some(_) => {}
            None => unknown = true,
        }
    }
    Ok(if unknown { None } else { Some(false) })
}

/// Reads all of the list, and then the value, which is NULL alone where it is NULL,
/// not where it cannot be read.
fn among_constants(
    value: &Node,
    list: &[Node],
    reading: ListReading,
    cx: &mut Cx<'_>,
    row: Row<'_>,
) -> Result<Option<bool>> {
    let mut keys: SmallVec<[i128; 8]> = SmallVec::new();
    let mut unknown = false;
    for one in list {
        if one.eval(cx, row)?.is_null() {
            unknown = true;
        } else if let Some(key) = leaf::list_key(one, value, reading, cx, row)? {
            keys.push(key);
        }
    }
    if value.eval(cx, row)?.is_null() {
        return Ok(None);
    }
    match leaf::list_key(value, value, reading, cx, row)? {
        Some(key) if keys.contains(&key) => Ok(Some(true)),
        _ => Ok(if unknown { None } else { Some(false) }),
    }
}

/// A value as a column of rows is compared.
enum Key<'a> {
    Int(i64),
    Decimal(Decimal),
    Double(f64),
    Text(CollationId, Cow<'a, [u8]>),
    DateTime(DateTime),
    Time(Option<Time>),
}

impl Key<'_> {
    fn equals(&self, other: &Key<'_>) -> bool {
        match (self, other) {
            (Key::Int(a), Key::Int(b)) => a == b,
            (Key::Decimal(a), Key::Decimal(b)) => a == b,
            (Key::Double(a), Key::Double(b)) => a == b,
            (Key::Text(coll, a), Key::Text(_, b)) => leaf::compare_text(*coll, a, b).is_eq(),
            (Key::DateTime(a), Key::DateTime(b)) => a == b,
            (Key::Time(a), Key::Time(b)) => a == b,
            _ => false,
        }
    }
}

/// `node` in a column of rows; `None` is NULL. Warnings of dates name `beside`.
fn key<'a>(
    with: Comparison,
    node: &'a Node,
    beside: &Node,
    cx: &mut Cx<'_>,
    row: Row<'a>,
) -> Result<Option<Key<'a>>> {
    Ok(match with {
        Comparison::Decimal => node.eval_decimal(cx, row)?.map(Key::Decimal),
        Comparison::Double => node.eval_double(cx, row)?.map(Key::Double),
        Comparison::Text(coll) => node.eval_text(cx, row)?.map(|text| Key::Text(coll, text)),
        Comparison::LenientDateTime => {
            match leaf::compared_datetime(node, beside, with, cx, row)? {
                Some(value) => Some(Key::DateTime(value)),
                // A number that is no date equals none.
                None if node.numeric_class().is_some() && !node.eval(cx, row)?.is_null() => {
                    Some(Key::Time(None))
                }
                None => None,
            }
        }
        Comparison::Time => leaf::compared_time(node, cx, row)?.map(Key::Time),
        #[allow(clippy::cast_possible_truncation, reason = "64 bits are meant")]
        _ => node.eval_int(cx, row)?.map(|value| Key::Int(value as i64)),
    })
}

/// The value that the row `of` has in a column.
fn of_column<'a>(
    node: &Node,
    column: &RowColumn,
    at: usize,
    of: &'a Node,
    cx: &mut Cx<'_>,
    row: Row<'a>,
) -> Result<Option<Key<'a>>> {
    let named = node.args.get(column.dates).and_then(|row| row.args.get(at));
    let one = of.args.get(at).ok_or_else(internal)?;
    key(column.with, one, named.unwrap_or(one), cx, row)
}

fn row_nullable(of: &Node) -> bool {
    of.args.iter().any(|arg| arg.ty.nullable)
}

pub(super) fn in_rows(
    node: &Node,
    negated: bool,
    how: &RowMembership,
    cx: &mut Cx<'_>,
    row: Row<'_>,
) -> Result<Option<bool>> {
    let [value, list @ ..] = &*node.args else { return Err(internal()) };
    let columns = || how.columns.iter().enumerate();
    // Constants are read before they are compared, all of them: for NULL at first.
    let mut constants = Vec::new();
    if how.constants {
        let mut known = !row_nullable(value);
        for one in list
            .iter()
            .flat_map(|other| &other.args)
            .filter(|one| one.ty.nullable || !one.is_literal())
        {
            known &= !one.eval(cx, row)?.is_null();
        }
        for other in list.iter().filter(|_| known) {
            for (at, column) in columns() {
                constants.push(of_column(node, column, at, other, cx, row)?);
            }
        }
    }
    if !how.constants {
        for other in list {
            other.compute_constants(cx, row)?;
        }
    }
    let mut constants = constants.into_iter();
    // So are the value's columns.
    let mut own = Vec::with_capacity(how.columns.len());
    for (at, column) in columns() {
        own.push(of_column(node, column, at, value, cx, row)?);
    }
    let mut unknown = false;
    for other in list {
        let known_row: Vec<_> = constants.by_ref().take(how.columns.len()).collect();
        let mut known_row = known_row.into_iter();
        let (mut same, mut known) = (true, true);
        for (at, column) in columns() {
            let ours = own.get(at).ok_or_else(internal)?;
            let literal = value.args.get(at).is_some_and(Node::is_null_literal);
            let theirs = match known_row.next() {
                Some(key) => key,
                None if literal => None,
                None => of_column(node, column, at, other, cx, row)?,
            };
            match (ours, theirs) {
                (Some(ours), Some(theirs)) if ours.equals(&theirs) => {}
                (Some(_), Some(_)) => {
                    same = false;
                    break;
                }
                _ => known = false,
            }
        }
        match (same, known) {
            (true, true) => return Ok(Some(!negated)),
            (true, false) => unknown = true,
            (false, _) => {}
        }
    }
    Ok(if unknown { None } else { Some(negated) })
}
