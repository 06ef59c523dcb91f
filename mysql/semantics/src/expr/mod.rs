//! Expressions: from the parser's tree to a typed tree, and running that over rows.
//!
//! [`Binder::bind`] resolves names, derives each node's type, collation and
//! nullability as MySQL's column metadata has them, and chooses how operands are
//! compared and computed. The [`Node`] that comes out is its own program:
//! [`Node::run`] evaluates it over one [`Row`]. What it wants to know of the
//! session it asks a [`Session`]; warnings go to the [`Cx`].

pub(crate) mod arith;
mod bind;
mod cast;
pub(crate) mod coercion;
pub(crate) mod compare;
mod context;
mod domain;
mod eval;
mod interval;
pub(crate) mod json;
mod kept;
pub(crate) mod leaf;
mod membership;
mod node;
mod operand;
mod print;
mod quiet;
pub(crate) mod string_number;
mod subquery;

pub use arith::{ArithOp, BitOp, Domain};
pub(crate) use bind::Site;
pub use bind::{Binder, Column, NoColumns, Scope};
pub use cast::CastTarget;
pub(crate) use coercion::Coll;
pub use compare::{CompareOp, Comparison};
pub use context::{Apart, Cx, Nobody, Request, Row, Session, Settings};
pub use eval::Out;
pub(crate) use eval::int_in;
pub use interval::Unit;
pub use json::{document_argument, stored_document};
pub use node::{
    CallOp, ColumnOp, ExtremeDates, ListReading, Membership, Node, Op, RowColumn, RowMembership,
};
pub use operand::{compared_value, like_beginning};
pub use subquery::Wanted;

use std::borrow::Cow;

use crate::decimal::Decimal;
use crate::error::SqlError;
use crate::types::{CollationId, SqlType};

/// What binding and running give.
pub type Result<T> = std::result::Result<T, SqlError>;

/// An expression as error texts print it.
#[must_use]
pub fn printed(node: &Node) -> String {
    print::expression(node)
}

/// A literal of a string as error texts print it where it has an introducer.
pub(crate) fn printed_literal(node: &Node, charset: &str) -> String {
    print::introduced(node, charset)
}

/// A function's view of its call: its operands are evaluated when it asks.
pub(crate) struct Call<'a> {
    pub(crate) node: &'a Node,
    pub(crate) call: &'a CallOp,
    pub(crate) row: Row<'a>,
}

impl<'a> Call<'a> {
    pub(crate) fn len(&self) -> usize {
        self.node.args.len()
    }

    pub(crate) fn ty(&self) -> &'a SqlType {
        &self.node.ty
    }

    pub(crate) fn arg(&self, at: usize) -> Option<&'a Node> {
        self.node.args.get(at)
    }

    pub(crate) fn collation(&self) -> CollationId {
        self.call.collation
    }

    pub(crate) fn extra(&self) -> u64 {
        self.call.extra
    }

    /// The collation an operand's text has.
    pub(crate) fn text_collation(&self, at: usize) -> CollationId {
        match self.arg(at) {
            Some(arg) if arg.ty.kind.is_string() => arg.ty.collation,
            Some(arg) if arg.ty.kind == crate::types::TypeKind::Json => CollationId::UTF8MB4_BIN,
            _ => CollationId::BINARY,
        }
    }

    /// The same for messages: numbers and times are ASCII.
    pub(crate) fn text_collation_shown(&self, at: usize) -> CollationId {
        match self.arg(at) {
            Some(arg) if arg.ty.kind.is_string() => arg.ty.collation,
            Some(arg) if arg.ty.kind == crate::types::TypeKind::Bit => CollationId::BINARY,
            _ => leaf::ASCII,
        }
    }

    pub(crate) fn domain(&self, at: usize) -> Domain {
        self.arg(at).map_or(Domain::Int, Node::numeric_domain)
    }

    pub(crate) fn is_null(&self, at: usize, cx: &mut Cx<'_>) -> Result<bool> {
        match self.arg(at) {
            Some(arg) => Ok(arg.eval(cx, self.row)?.is_null()),
            None => Ok(true),
        }
    }

    pub(crate) fn text(&self, at: usize, cx: &mut Cx<'_>) -> Result<Option<Cow<'a, [u8]>>> {
        match self.arg(at) {
            Some(arg) => arg.eval_text(cx, self.row),
            None => Ok(None),
        }
    }

    pub(crate) fn int(&self, at: usize, cx: &mut Cx<'_>) -> Result<Option<i128>> {
        match self.arg(at) {
            Some(arg) => arg.eval_int(cx, self.row),
            None => Ok(None),
        }
    }

    pub(crate) fn double(&self, at: usize, cx: &mut Cx<'_>) -> Result<Option<f64>> {
        match self.arg(at) {
            Some(arg) => arg.eval_double(cx, self.row),
            None => Ok(None),
        }
    }

    pub(crate) fn decimal(&self, at: usize, cx: &mut Cx<'_>) -> Result<Option<Decimal>> {
        match self.arg(at) {
            Some(arg) => arg.eval_decimal(cx, self.row),
            None => Ok(None),
        }
    }
}
