//! What a query does not read of the queries in its FROM.

use firn_mysql_semantics::expr::{Node, Op};

use super::{BoundSelect, Derived, Source, TableSource};

impl BoundSelect {
    /// Notes of constants in conditions, and in what these read of plain queries in FROM, that
    /// a server computes them once, as its errors show.
    pub(super) fn cache_constants(&mut self) {
        let mut read = vec![false; self.row_len];
        {
            let on = self.sources.iter_mut().flat_map(|source| source.on.iter_mut());
            for condition in self.filter.iter_mut().chain(on).chain(self.having.iter_mut()) {
                condition.cache_constants();
                super::columns_of(condition, &mut |place| {
                    if let Some(read) = read.get_mut(place) {
                        *read = true;
                    }
                });
            }
        }
        for source in &mut self.sources {
            let start = self.tables[source.table].start;
            let cache = |query: &mut BoundSelect| {
                let items = query.items.iter_mut().zip(&read[start..]);
                items.filter(|(_, read)| **read).for_each(|(item, _)| item.node.cache_constants());
            };
            let TableSource::Derived(rows) = &mut source.rows else { continue };
            match &mut **rows {
                Derived::Query { query, .. } if query.is_plain() => cache(query),
                Derived::Shared(shared) => shared.before_planning(|rows| match rows {
                    Derived::Query { query, .. } if query.is_plain() => cache(query),
                    _ => {}
                }),
                _ => {}
            }
        }
    }

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
        let shared = |source: &Source| match &source.rows {
            TableSource::Derived(rows) => matches!(**rows, Derived::Shared(_)),
            _ => false,
        };
        if !self.sources.iter().any(|source| plain(source) || shared(source)) {
            return;
        }
        let mut read = vec![false; self.row_len];
        self.nodes(&mut |node| reads(node, &mut read));
        for source in &self.sources {
            let start = self.tables[source.table].start;
            if let TableSource::Derived(rows) = &source.rows
                && let Derived::Shared(shared) = &**rows
            {
                shared.reads(&read[start..]);
            }
        }
        for source in self.sources.iter_mut().filter(|source| plain(source)) {
            let start = self.tables[source.table].start;
            let TableSource::Derived(rows) = &mut source.rows else { continue };
            let Derived::Query { query, .. } = &mut **rows else { continue };
            query.drop_items(&read[start..]);
        }
    }

    /// The items of a plain query of which no other reads anything are not computed.
    pub(super) fn drop_items(&mut self, read: &[bool]) {
        if !self.is_plain() || !self.order_by.is_empty() {
            return;
        }
        for (item, read) in self.items.iter_mut().zip(read) {
            if !read && !matches!(item.node.op, Op::Column(_)) {
                let ty = item.node.ty.with_nullable(true);
                item.node = Node::value(firn_mysql_semantics::Value::Null, ty);
            }
        }
    }
}
