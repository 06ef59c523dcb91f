//! Conditions taken apart.

use firn_mysql_semantics::expr::{CompareOp, Node, Op};

/// The conditions that AND joins, each by itself.
pub(crate) fn conjuncts(condition: Node, out: &mut Vec<Node>) {
    if matches!(condition.op, Op::And) {
        for part in condition.args {
            conjuncts(part, out);
        }
    } else if !columns_apart(&condition, out) {
        out.push(condition);
    }
}

/// `(a, b) = (1, 2)` as `a = 1` and `b = 2`, compared as the rows would be: where only what is
/// true counts, they say the same. `false` for what is no such condition.
fn columns_apart(condition: &Node, out: &mut Vec<Node>) -> bool {
    let (Op::CompareRows(CompareOp::Eq, with), [left, right]) = (&condition.op, &*condition.args)
    else {
        return false;
    };
    let rows = matches!(left.op, Op::Row) && matches!(right.op, Op::Row);
    if !rows || left.args.len() != with.len() || right.args.len() != with.len() {
        return false;
    }
    for (with, (left, right)) in with.iter().zip(left.args.iter().zip(&right.args)) {
        let mut one = condition.clone();
        one.op = Op::Compare(CompareOp::Eq, *with);
        one.args = Box::new([left.clone(), right.clone()]);
        out.push(one);
    }
    true
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
