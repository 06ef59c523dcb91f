//! WITH ROLLUP: what is grouped by is NULL in the rows of sums.

use firn_mysql_semantics::expr::{Column, Node, Op, printed};

use super::BoundSelect;

impl BoundSelect {
    /// Makes everything behind the grouping read the values of GROUP BY from places of
    /// their own, from `start` on.
    pub(super) fn roll_up(&mut self, start: usize) {
        let groups: Vec<(String, Node)> = self
            .group_by
            .iter()
            .enumerate()
            .map(|(at, node)| (format!("{node:?}"), group(node, start + at)))
            .collect();
        for item in &mut self.items {
            replace(&mut item.node, &groups);
            // What a client is told of is no column of a table any more.
            let grouped = matches!(&item.node.op, Op::Column(column)
                if (start..start + groups.len()).contains(&column.index));
            if grouped {
                item.column = None;
            }
        }
        self.windows.nodes(&mut |node| replace(node, &groups));
        self.having.iter_mut().for_each(|node| replace(node, &groups));
        self.order_by.iter_mut().for_each(|key| replace(&mut key.node, &groups));
        self.rollup = Some(start);
    }
}

/// The value of GROUP BY in a row of the result.
fn group(node: &Node, index: usize) -> Node {
    let (name, members) = match &node.op {
        Op::Column(column) => (column.name.clone(), column.members.clone()),
        _ => (printed(node).into_boxed_str(), None),
    };
    Node::column(Column { index, ty: node.ty.with_nullable(true), name, members })
}

fn replace(node: &mut Node, groups: &[(String, Node)]) {
    let own = format!("{node:?}");
    if let Some((_, group)) = groups.iter().find(|(one, _)| *one == own) {
        *node = group.clone();
        return;
    }
    node.args.iter_mut().for_each(|arg| replace(arg, groups));
}
