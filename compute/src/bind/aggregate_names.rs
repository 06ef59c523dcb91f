//! The names that a server's errors give to results of aggregates.

use firn_mysql_semantics::expr::{Node, Op};
use firn_mysql_semantics::{SqlType, TypeKind};

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
        !self.keeps_values() && !by_key()
    }

    /// Whether an aggregate keeps all values of a group: a server sorts rows then.
    pub(crate) fn keeps_values(&self) -> bool {
        let keeps = |aggregate: &Aggregate| {
            aggregate.distinct
                || matches!(aggregate.function, F::Concat | F::JsonArray | F::JsonObject)
        };
        self.aggregates.iter().any(keeps)
    }

    /// Whether MIN or MAX is kept as what it is computed to be, not as what the column is: for
    /// columns of a plain query in FROM, in a table of groups.
    pub(crate) fn is_extreme_of_merged(&self, aggregate: &Aggregate) -> bool {
        let extreme = matches!(aggregate.function, F::Min | F::Max);
        let Some(Op::Column(of)) = aggregate.args.first().map(|arg| &arg.op) else { return false };
        let table = self.table_of(of.index);
        extreme
            && !self.group_by.is_empty()
            && self.rollup.is_none()
            && !self.keeps_values()
            && !self.groups_are_of_merged_key()
            && table.is_some_and(|table| self.is_merged(table))
    }

    fn table_of(&self, place: usize) -> Option<usize> {
        let holds = |table: &super::ScopeTable| {
            (table.start..table.start + table.columns.len()).contains(&place)
        };
        self.tables.iter().position(holds)
    }

    /// Whether the first of GROUP BY is a unique key of the one table of the one query in FROM.
    fn groups_are_of_merged_key(&self) -> bool {
        let ([_], Some(Op::Column(first))) =
            (&*self.sources, self.group_by.first().map(|node| &node.op))
        else {
            return false;
        };
        let Some(table) = self.table_of(first.index) else { return false };
        let mut is_key = false;
        let Some(source) = self.sources.iter().find(|source| source.table == table) else {
            return false;
        };
        super::made::of_plain(&source.rows, &mut |query| {
            let item = query.items.get(first.index - self.tables[table].start);
            let ([inner], Some(Op::Column(column))) =
                (&*query.sources, item.map(|item| &item.node.op))
            else {
                return;
            };
            let TableSource::Stored(stored) = &inner.rows else { return };
            let descriptor = stored.descriptor();
            let at = column.index.checked_sub(query.tables[inner.table].start);
            let id = at.and_then(|at| descriptor.columns.get(at)).map(|column| column.id);
            is_key = descriptor.indexes.iter().filter(|index| index.is_unique()).any(|index| {
                index.parts.len() == 1 && index.parts.first().map(|part| part.column) == id
            });
        });
        is_key
    }

    /// MIN and MAX of BIT are numbers where they are kept so.
    pub(super) fn number_extremes(&mut self) {
        let places: Vec<usize> = self
            .aggregates
            .iter()
            .enumerate()
            .filter(|(_, one)| {
                one.args.first().is_some_and(|arg| arg.ty.kind == TypeKind::Bit)
                    && self.is_extreme_of_merged(one)
            })
            .map(|(at, _)| self.aggregates_start + at)
            .collect();
        if places.is_empty() {
            return;
        }
        fn number(node: &mut Node, places: &[usize]) {
            if let Op::Column(column) = &node.op
                && places.contains(&column.index)
            {
                let nullable = node.ty.nullable;
                node.ty =
                    SqlType::bigint(node.ty.length).with_unsigned(true).with_nullable(nullable);
            }
            node.args.iter_mut().for_each(|arg| number(arg, places));
        }
        self.items.iter_mut().for_each(|item| number(&mut item.node, &places));
        self.order_by.iter_mut().for_each(|key| number(&mut key.node, &places));
        self.having.iter_mut().for_each(|having| number(having, &places));
    }
}
