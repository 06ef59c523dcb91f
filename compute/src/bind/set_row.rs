//! UNION, INTERSECT and EXCEPT within parentheses: which of them are operands of the same
//! operation around them, so that their columns come to a type at once.

use firn_mysql_parser::ast::{Query, QueryBody, SetOp, SetOperand};

/// How rows join those before them, and whether equal ones stay; none of the first.
type Op = Option<(SetOp, bool)>;

/// The operands of a set operation from left to right, those of the same operation within
/// parentheses among them where a server takes them so. The rows are the same either way.
pub(super) fn in_a_row<'q>(
    first: &'q QueryBody,
    rest: &'q [SetOperand],
) -> Vec<(Op, &'q QueryBody)> {
    in_a_row_of(first, rest, false)
}

/// `once`: what is around counts equal rows once.
fn in_a_row_of<'q>(
    first: &'q QueryBody,
    rest: &'q [SetOperand],
    once: bool,
) -> Vec<(Op, &'q QueryBody)> {
    let mut all = Vec::with_capacity(rest.len() + 1);
    let run = run_of(rest);
    let once = once || run.iter().any(|operand| !operand.all);
    match row_within(first, once) {
        Some(row) if continues(&row, run, once) => all = row,
        _ => all.push((None, first)),
    }
    for operand in rest {
        let op = (operand.op, operand.all);
        match row_within(&operand.body, false).filter(|row| is_associative(op, row)) {
            Some(row) => all.extend(row.into_iter().map(|(inner, body)| match inner {
                None => (Some(op), body),
                // Rows that count once in the whole count once in its parts.
                Some((of, all)) => (Some((of, all && operand.all)), body),
            })),
            None => all.push((Some(op), &operand.body)),
        }
    }
    all
}

/// The operands of a set operation within parentheses, if nothing else is in them.
fn row_within(body: &QueryBody, once: bool) -> Option<Vec<(Op, &QueryBody)>> {
    let mut body = body;
    let mut parentheses = false;
    loop {
        match body {
            QueryBody::Nested(query) if is_bare(query) => body = &query.body,
            QueryBody::Set { first, rest } if parentheses => {
                return Some(in_a_row_of(first, rest, once));
            }
            _ => return None,
        }
        parentheses = true;
    }
}

fn is_bare(query: &Query) -> bool {
    query.with.is_none()
        && query.order_by.is_empty()
        && query.limit.is_none()
        && query.locking.is_empty()
        && query.into.is_none()
}

/// The operands of the first operation.
fn run_of(rest: &[SetOperand]) -> &[SetOperand] {
    let op = rest.first().map(|operand| operand.op);
    let end = rest.iter().position(|operand| Some(operand.op) != op).unwrap_or(rest.len());
    &rest[..end]
}

/// Whether the operations of a row are all of this kind.
fn are(row: &[(Op, &QueryBody)], kind: SetOp) -> bool {
    row.iter().filter_map(|(op, _)| *op).all(|(op, _)| op == kind)
}

/// Whether equal rows count once anywhere in a row.
fn is_distinct(row: &[(Op, &QueryBody)]) -> bool {
    row.iter().filter_map(|(op, _)| *op).any(|(_, all)| !all)
}

/// Whether the operands behind a row in parentheses go on with it.
fn continues(row: &[(Op, &QueryBody)], run: &[SetOperand], once: bool) -> bool {
    let Some(next) = run.first() else { return false };
    are(row, next.op)
        && match next.op {
            SetOp::Union => once || !is_distinct(row),
            SetOp::Intersect => once || is_distinct(row),
            SetOp::Except => true,
        }
}

/// Whether a row in parentheses behind an operation is part of it.
fn is_associative((op, all): (SetOp, bool), row: &[(Op, &QueryBody)]) -> bool {
    are(row, op)
        && match op {
            SetOp::Union => !all || !is_distinct(row),
            SetOp::Intersect => !all || is_distinct(row),
            SetOp::Except => false,
        }
}
