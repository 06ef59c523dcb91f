//! What a query does not read of the queries in its FROM.

use firn_mysql_semantics::expr::{Node, Op};

use super::{BoundSelect, Derived, Source, TableSource};

impl BoundSelect {
    /// What nobody reads of the rows of plain queries in FROM is not computed.
    pub(super) fn drop_unread(&mut self) {
        fn reads(node: &Node, read: &mut [bool]) {
            if let Op::Column(column) = &node.op
                && let Some(place) = read.get_mut(column.index)
            {
                *place = true;
            }
            node.args.iter().for_each(|arg| reads(arg, read));
        }
        let plain = |source: &Source| match &source.rows {
            TableSource::Derived(rows) => match &**rows {
                Derived::Query { query, .. } => query.is_plain(),
                _ => false,
            },
            _ => false,
        };
        if !self.sources.iter().any(plain) {
            return;
        }
        let mut read = vec![false; self.row_len];
        self.nodes(&mut |node| reads(node, &mut read));
        for source in self.sources.iter_mut().filter(|source| plain(source)) {
            let start = self.tables[source.table].start;
            let TableSource::Derived(rows) = &mut source.rows else { continue };
            let Derived::Query { query, .. } = &mut **rows else { continue };
            if !query.order_by.is_empty() {
                continue;
            }
            for (at, item) in query.items.iter_mut().enumerate() {
                if !read[start + at] && !matches!(item.node.op, Op::Column(_)) {
                    let ty = item.node.ty.with_nullable(true);
                    item.node = Node::value(firn_mysql_semantics::Value::Null, ty);
                }
            }
        }
    }
}
