//! The names that a server's errors give to results of aggregates.

use firn_mysql_semantics::expr::{Node, Op};

use super::{Aggregate, AggregateFunction as F, BoundSelect, TableSource};

impl BoundSelect {
    /// Names the results of aggregates as a server's errors do, by where it keeps them: in a
    /// temporary table of groups they have no name, and with ROLLUP they are of several levels,
    /// in a table again where others are joined.
    pub(super) fn name_aggregates(&mut self, rollup: bool) {
        fn rename(node: &mut Node, own: &std::ops::Range<usize>, name: &dyn Fn(&str) -> String) {
            if let Op::Column(column) = &mut node.op
                && own.contains(&column.index)
            {
                column.name = name(&column.name).into_boxed_str();
            }
            node.args.iter_mut().for_each(|arg| rename(arg, own, name));
        }
        if self.group_by.is_empty() || !self.windows.is_empty() {
            return;
        }
        let joined = self.sources.len() > 1;
        let name: &dyn Fn(&str) -> String = match (rollup, joined) {
            (true, true) => &|name| format!("`rollup_sum_switcher({name})`"),
            (true, false) => &|name| format!("rollup_sum_switcher({name})"),
            (false, _) if self.gathers_in_table() => &|_| "???".to_owned(),
            (false, _) => return,
        };
        let own = self.aggregates_start..self.aggregates_start + self.aggregates.len();
        self.items.iter_mut().for_each(|item| rename(&mut item.node, &own, name));
        self.order_by.iter_mut().for_each(|key| rename(&mut key.node, &own, name));
    }

    /// Whether a server gathers groups in a temporary table: not where rows come in the order
    /// of a unique key, and not for aggregates that keep all values.
    fn gathers_in_table(&self) -> bool {
        let keeps = |aggregate: &Aggregate| {
            aggregate.distinct
                || matches!(aggregate.function, F::Concat | F::JsonArray | F::JsonObject)
        };
        let by_key = || {
            let ([source], Some(Op::Column(first))) =
                (&*self.sources, self.group_by.first().map(|node| &node.op))
            else {
                return false;
            };
            let TableSource::Stored(table) = &source.rows else { return false };
            let descriptor = table.descriptor();
            let at = first.index.checked_sub(self.tables[source.table].start);
            let id = at.and_then(|at| descriptor.columns.get(at)).map(|column| column.id);
            descriptor.indexes.iter().filter(|index| index.is_unique()).any(|index| {
                index.parts.len() == 1 && index.parts.first().map(|part| part.column) == id
            })
        };
        !self.aggregates.iter().any(keeps) && !by_key()
    }
}
