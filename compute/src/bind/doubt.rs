//! Tables whose columns may be NULL to a client because of a subquery in the select list: one
//! that gathers rows, and takes values of the table for it. A server prepares for a subquery
//! without rows by taking these tables to have none, too.

use firn_mysql_protocol::ColumnFlags;
use firn_mysql_semantics::expr::{CompareOp, Node, Op};

use super::{BoundSelect, Derived, TableSource, columns_of};

/// Functions that have a value whatever their arguments are.
const NEVER_NULL: [&str; 7] =
    ["char", "concat_ws", "field", "interval", "isnull", "json_array", "json_object"];

impl BoundSelect {
    /// Plain columns of such tables may be NULL.
    pub(super) fn doubt_tables(&mut self) {
        if self.grouped || self.subqueries.is_empty() {
            return;
        }
        // Columns by now, and what is computed behind the subquery.
        let (mut places, mut doubted) = (Vec::new(), vec![false; self.tables.len()]);
        let mut computed = Vec::new();
        for (at, item) in self.items.iter().enumerate() {
            if item.column.is_none() && !item.node.ty.nullable {
                let of_doubted = |place| {
                    self.tables.iter().zip(&doubted).any(|(table, doubted)| {
                        let all = table.start..table.start + table.columns.len();
                        *doubted && all.contains(&place)
                    })
                };
                if is_null_of_null(&item.node, &of_doubted) {
                    computed.push(at);
                }
            }
            self.doubted_by(&item.node, &mut places);
            for place in places.drain(..) {
                let holds = |table: &&super::ScopeTable| {
                    (table.start..table.start + table.columns.len()).contains(&place)
                };
                // Tables are side by side, but for one that stands for several.
                if let Some(table) = self.tables.iter().position(|table| holds(&table)) {
                    doubted[table] |= !self.goes_on(table);
                }
            }
        }
        for (at, item) in self.items.iter_mut().enumerate() {
            let is_doubted = item.column.is_some_and(|(table, _)| doubted[table]);
            if is_doubted || computed.contains(&at) {
                item.node.ty.nullable = true;
                item.flags.set(ColumnFlags::NOT_NULL, false);
            }
        }
    }

    fn goes_on(&self, table: usize) -> bool {
        let source = self.sources.iter().find(|source| source.table == table);
        source.is_some_and(|source| super::made::goes_on(&source.rows))
    }

    /// Adds the places of the flat row that such subqueries of an expression take.
    fn doubted_by(&self, node: &Node, places: &mut Vec<usize>) {
        if let Op::Subquery { slot, .. } = &node.op
            && let Some(subquery) = self.subqueries.iter().find(|one| one.slot == *slot)
        {
            for at in subquery.query.gathered_by() {
                columns_of(&node.args[at], &mut |place| places.push(place));
            }
        }
        node.args.iter().for_each(|arg| self.doubted_by(arg, places));
    }

    /// Which of the values that it takes from the row around it, or a query within it takes,
    /// are for gathering rows. What the aggregates themselves and HAVING take does not count.
    fn gathered_by(&self) -> Vec<usize> {
        let mut places = Vec::new();
        let on = self.sources.iter().flat_map(|source| &source.on);
        let items = self.items.iter().map(|item| &item.node);
        let order = self.order_by.iter().map(|key| &key.node);
        for node in self.filter.iter().chain(on).chain(items).chain(order) {
            if !self.aggregates.is_empty() {
                columns_of(node, &mut |place| places.push(place));
            }
            self.doubted_by(node, &mut places);
        }
        for source in &self.sources {
            let TableSource::Derived(rows) = &source.rows else { continue };
            match &**rows {
                Derived::Query { query, outer, .. } => query.gathered_of(outer, &mut places),
                Derived::Set(set) => {
                    set.parts
                        .iter()
                        .for_each(|part| part.query.gathered_of(&part.outer, &mut places));
                }
                _ => {}
            }
        }
        let end = self.outer_start + self.outer.len();
        let own = places.into_iter().filter(|place| (self.outer_start..end).contains(place));
        own.map(|place| place - self.outer_start).collect()
    }

    /// The same as places of the row around, where `outer` is what it takes.
    fn gathered_of(&self, outer: &[Node], places: &mut Vec<usize>) {
        for at in self.gathered_by() {
            columns_of(&outer[at], &mut |place| places.push(place));
        }
    }
}

/// Whether an expression is NULL where a doubted column in it is.
fn is_null_of_null(node: &Node, doubted: &dyn Fn(usize) -> bool) -> bool {
    match &node.op {
        Op::Column(column) => doubted(column.index),
        Op::Arith(..)
        | Op::Negate(_)
        | Op::Bit(..)
        | Op::BitNot(_)
        | Op::Between { .. }
        | Op::In { .. }
        | Op::Like { .. }
        | Op::Not
        | Op::And
        | Op::Or
        | Op::Xor
        | Op::Cast(_)
        | Op::ToCharset { .. }
        | Op::Collate
        | Op::Extract(_) => node.args.iter().any(|arg| is_null_of_null(arg, doubted)),
        Op::Call(call) => {
            !NEVER_NULL.contains(&call.function.name)
                && node.args.iter().any(|arg| is_null_of_null(arg, doubted))
        }
        Op::Compare(op, _) => {
            *op != CompareOp::NullSafeEq
                && node.args.iter().any(|arg| is_null_of_null(arg, doubted))
        }
        _ => false,
    }
}
