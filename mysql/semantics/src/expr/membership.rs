//! IN and BETWEEN at run time.

use std::cmp::Ordering;

use super::Result;
use super::compare::{CompareOp, Comparison, order, row_truth, truth};
use super::context::{Cx, Row};
use super::eval::internal;
use super::node::Node;

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
    with: &[Comparison],
    cx: &mut Cx<'_>,
    row: Row<'_>,
) -> Result<Option<bool>> {
    let [value, list @ ..] = &*node.args else { return Err(internal()) };
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
            Some(Ordering::Equal) => return Ok(Some(!negated)),
            Some(_) => {}
            None => unknown = true,
        }
    }
    Ok(if unknown { None } else { Some(negated) })
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
