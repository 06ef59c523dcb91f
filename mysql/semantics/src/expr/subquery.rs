//! Subqueries within expressions.
//!
//! An expression cannot read tables. Where its value depends on a subquery whose
//! result is not there yet, the evaluation stops with an error and leaves in the [`Cx`]
//! which one is wanted, and for which values. Whoever runs the statement computes that,
//! gives it to the [`Cx`], and evaluates the expression again: so a subquery is run only
//! where its value is asked for.

use super::Result;
use super::context::{Cx, Row};
use super::node::{Node, Op, SubqueryColumn};
use crate::error::{SqlError, code};
use crate::types::{CollationId, Derivation, SqlType, TypeKind};
use crate::value::Value;

/// A subquery whose result an evaluation asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// Which of the statement's.
    pub slot: usize,
    /// The values of its operands: what it takes from the row around it.
    pub operands: Vec<Value>,
}

/// The results of a statement's subqueries, each the last that was computed.
#[derive(Debug, Default)]
pub(crate) struct Results {
    /// By slot: the operands that it was computed for, and the values of its columns.
    known: Vec<Option<(Vec<Value>, Vec<Value>)>>,
    wanted: Option<Wanted>,
}

impl Cx<'_> {
    /// The subquery at which the last evaluation stopped, if it did.
    pub fn take_wanted(&mut self) -> Option<Wanted> {
        self.subqueries.wanted.take()
    }

    /// Gives the result of a subquery: a value for each of its columns.
    pub fn answer(&mut self, wanted: Wanted, columns: Vec<Value>) {
        let known = &mut self.subqueries.known;
        if known.len() <= wanted.slot {
            known.resize_with(wanted.slot + 1, || None);
        }
        if let Some(one) = known.get_mut(wanted.slot) {
            *one = Some((wanted.operands, columns));
        }
    }

    /// Has a subquery computed anew when it is asked for next.
    pub fn forget(&mut self, slot: usize) {
        if let Some(known) = self.subqueries.known.get_mut(slot) {
            *known = None;
        }
    }
}

impl Node {
    /// A column of the result of the subquery in `slot`, for the values of `operands`: what the
    /// subquery's `item` gives, in its only row if it has no table (`one_row`).
    pub fn subquery(
        (slot, column): (usize, usize),
        ty: SqlType,
        operands: Vec<Node>,
        item: &Node,
        one_row: bool,
    ) -> Node {
        // A server takes the only row's expression for the subquery.
        let is_named = one_row || matches!(&item.op, Op::Column(one) if one.name.ends_with('`'));
        let known = SubqueryColumn {
            one_row,
            truth: one_row && super::json::is_truth(item),
            source: is_named.then(|| super::json::source_name(item).into()),
        };
        Node::new(Op::Subquery { slot, column, known }, ty, operands)
    }

    /// EXISTS, IN, ANY and ALL over the subquery in `slot`.
    pub fn subquery_truth(slot: usize, nullable: bool, operands: Vec<Node>) -> Node {
        let known = SubqueryColumn { one_row: false, truth: true, source: None };
        let ty = SqlType::truth().with_nullable(nullable);
        Node::new(Op::Subquery { slot, column: 0, known }, ty, operands)
    }

    /// A row of expressions.
    pub fn row(items: Vec<Node>) -> Node {
        Node::new(Op::Row, SqlType::truth(), items)
    }

    /// NOT of a truth.
    pub fn negated(self) -> Node {
        super::bind::negation(self)
    }

    /// The value of `operand` as one of the type `ty`, as COALESCE gives it.
    pub fn as_type(operand: Node, ty: SqlType) -> Node {
        Node::new(Op::Coalesce, ty, vec![operand])
    }

    /// The same as a BINARY of this many bytes: zeros fill it up.
    pub fn as_binary(operand: Node, bytes: u32) -> Node {
        let mut ty = SqlType::varchar(bytes, CollationId::BINARY, Derivation::Implicit);
        ty.kind = TypeKind::Char;
        ty.nullable = operand.ty.nullable;
        Node::new(Op::Cast(super::CastTarget::Binary { bytes: Some(bytes) }), ty, vec![operand])
    }

    pub(super) fn result_of_subquery(
        &self,
        slot: usize,
        column: usize,
        cx: &mut Cx<'_>,
        row: Row<'_>,
    ) -> Result<Value> {
        let mut operands = Vec::with_capacity(self.args.len());
        for operand in &self.args {
            operands.push(operand.eval(cx, row)?.into_owned());
        }
        if let Some(Some((of, columns))) = cx.subqueries.known.get(slot)
            && *of == operands
        {
            return Ok(columns.get(column).cloned().unwrap_or(Value::Null));
        }
        cx.subqueries.wanted = Some(Wanted { slot, operands });
        let why = "the result of a subquery is not known";
        Err(SqlError::with_message(code::ER_UNKNOWN_ERROR, why))
    }
}
