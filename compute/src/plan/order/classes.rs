//! Columns that conditions say to be equal to each other.

use firn_mysql_semantics::expr::{CompareOp, Node, Op};

/// Places of columns that are equal to each other.
#[derive(Default)]
pub(super) struct Classes(Vec<Vec<usize>>);

impl Classes {
    /// Puts two into one class: its number, once all are put together.
    pub(super) fn join(&mut self, one: usize, other: usize) -> usize {
        let of = |place: usize, all: &[Vec<usize>]| all.iter().position(|all| all.contains(&place));
        match (of(one, &self.0), of(other, &self.0)) {
            (Some(one), Some(other)) if one == other => one,
            (Some(one), Some(other)) => {
                let (first, second) = (one.min(other), one.max(other));
                let more = self.0.remove(second);
                self.0[first].extend(more);
                first
            }
            (Some(class), None) => {
                self.0[class].push(other);
                class
            }
            (None, Some(class)) => {
                self.0[class].push(one);
                class
            }
            (None, None) => {
                self.0.push(vec![one, other]);
                self.0.len() - 1
            }
        }
    }
}

/// The columns that a condition says to be equal.
pub(super) fn equal_columns(node: &Node) -> Option<(usize, usize)> {
    let (Op::Compare(CompareOp::Eq, _), [one, other]) = (&node.op, &*node.args) else {
        return None;
    };
    match (&one.op, &other.op) {
        (Op::Column(one), Op::Column(other)) => Some((one.index, other.index)),
        _ => None,
    }
}
