//! Values of high expressions, kept while the expression around them is evaluated.
//!
//! Many operators look at an operand more than once: as NULL, as a number, as a text.
//! Within each other that would take time that grows with a power of the depth.

use std::collections::HashMap;

use super::context::{Cx, Row};
use super::node::Node;
use super::{Out, Result};
use crate::value::Value;

/// Expressions up to this height are evaluated as often as they are asked.
pub(super) const KEPT_ABOVE: u16 = 4;

/// Of all values that are kept together.
const LIMIT_BYTES: usize = 16 << 20;

/// The values, by the nodes' addresses, which stay while the tree is borrowed.
#[derive(Default)]
pub(crate) struct Kept {
    values: HashMap<usize, Value>,
    bytes: usize,
    /// How many high expressions are being evaluated within each other.
    nesting: usize,
}

impl Node {
    /// Its value in its place.
    pub(super) fn as_computed(&self, cx: &mut Cx<'_>, row: Row<'_>) -> Result<Node> {
        let value = self.eval(cx, row)?.into_owned();
        Ok(Node::value(value, self.ty).with_ascii(self.ascii))
    }

    /// The value, computed once while the outermost high expression is evaluated.
    #[cold]
    pub(super) fn eval_once<'a>(&'a self, cx: &mut Cx<'_>, row: Row<'a>) -> Result<Out<'a>> {
        if cx.kept.nesting == 0 {
            cx.kept.values.clear();
            cx.kept.bytes = 0;
        }
        let key = std::ptr::from_ref(self) as usize;
        if let Some(value) = cx.kept.values.get(&key) {
            return Ok(Out::Owned(value.clone()));
        }
        cx.kept.nesting += 1;
        let value = self.compute(cx, row);
        cx.kept.nesting -= 1;
        let value = value?;
        let bytes = match &*value {
            Value::Bytes(bytes) => bytes.len(),
            _ => 0,
        };
        if cx.kept.bytes + bytes <= LIMIT_BYTES {
            cx.kept.bytes += bytes;
            cx.kept.values.insert(key, (*value).clone());
        }
        Ok(value)
    }
}
