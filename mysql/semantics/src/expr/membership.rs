//! IN and BETWEEN at run time.

use std::cmp::Ordering;

use smallvec::SmallVec;

use super::compare::{CompareOp, Comparison, order, row_truth, truth};
use super::context::{Cx, Row};
use super::eval::internal;
use super::node::{ListReading, Membership, Node};
use super::{Result, leaf};

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

fn among_each<'a>(
    value: &'a Node,
    list: &'a [Node],
    with: &[Comparison],
    cx: &mut Cx<'_>,
    row: Row<'a>,
) -> Result<Option<bool>> {
    if value.eval(cx, row)?.is_null() {
        // The numbers of the list are read all the same, for their warnings.
        for (one, with) in list.iter().zip(with) {
            if *with == Comparison::Double {
                one.eval_double(cx, row)?;
            }
        }
        return Ok(None);
    }
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
    let Some(value) = leaf::compared_datetime(value, deciding, with, cx, row)? else {
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

pub(super) fn in_rows(
    node: &Node,
    negated: bool,
    with: &[Box<[Comparison]>],
    cx: &mut Cx<'_>,
    row: Row<'_>,
) -> Result<Option<bool>> {
    let [value, list @ ..] = &*node.args else { return Err(internal()) };
    let mut unknown = false;
    for (one, with) in list.iter().zip(with) {
        match row_truth(CompareOp::Eq, with, value, one, cx, row)? {
            Some(true) => return Ok(Some(!negated)),
            Some(false) => {}
            None => unknown = true,
        }
    }
    Ok(if unknown { None } else { Some(negated) })
}
