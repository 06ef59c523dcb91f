//! Conditions taken apart.

use firn_mysql_semantics::expr::{Node, Op};

/// The conditions that AND joins, each by itself.
pub(crate) fn conjuncts(condition: Node, out: &mut Vec<Node>) {
    if matches!(condition.op, Op::And) {
        for part in condition.args {
            conjuncts(part, out);
        }
    } else {
        out.push(condition);
    }
}

/// Calls `each` with the place of every column that an expression reads.
pub(crate) fn columns_of(node: &Node, each: &mut impl FnMut(usize)) {
    if let Op::Column(column) = &node.op {
        each(column.index);
    }
    for arg in &node.args {
        columns_of(arg, each);
    }
}
