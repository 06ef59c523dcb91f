//! In which order the windows of a query block run, and what is kept of its rows for them.

use firn_mysql_semantics::expr::{Node, Op};

use crate::bind::{AggregateFunction, Edge, OrderBy, Window, WindowFunction, Windows};

/// How the window functions of a block run.
#[derive(Debug, Default)]
pub(crate) struct WindowPlan {
    /// The orders that the rows are brought into, one after the other.
    pub(crate) sorts: Vec<WindowSort>,
    /// What is computed of each row as it comes.
    pub(crate) kept: Vec<Node>,
    /// Of each call: its operands. Those of aggregates are kept in a form of their own.
    pub(crate) operands: Vec<Vec<Operand>>,
    /// Of each window: the value of ORDER BY, where its frame goes by that.
    pub(crate) ordered: Vec<Option<Operand>>,
    /// Of each call: MIN and MAX of what the rows are in the order of.
    pub(crate) ends: Vec<Option<End>>,
}

/// An order of the rows.
#[derive(Debug)]
pub(crate) struct WindowSort {
    /// What they are compared by; they stay as they are by nothing.
    pub(crate) keys: Vec<OrderBy>,
    /// The windows that look through them then.
    pub(crate) windows: Vec<usize>,
}

/// Where a value is when the windows run.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Operand {
    /// In the flat row.
    Row(usize),
    /// Among what was kept.
    Kept(usize),
}

/// One end of the values of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The first one that is not NULL.
    First,
    /// The last one.
    Last,
}

impl WindowPlan {
    pub(super) fn new(windows: &Windows) -> Self {
        let mut this = Self { sorts: sorts(&windows.list), ..Self::default() };
        for window in &windows.list {
            let by_value = |edge: &Edge| match edge {
                Edge::Distance(distance) => distance.value.is_some(),
                Edge::Unbounded | Edge::CurrentRow => false,
            };
            let wanted = by_value(&window.frame.start) || by_value(&window.frame.end);
            let key = window.order_by.first().filter(|_| wanted);
            let operand = key.map(|key| this.keep(&key.node));
            this.ordered.push(operand);
        }
        for call in &windows.calls {
            let aggregate = matches!(call.function, WindowFunction::Aggregate(_));
            let operands = if aggregate { Vec::new() } else { call.operands() };
            let operands = operands.into_iter().map(|node| this.keep(node)).collect();
            this.operands.push(operands);
            this.ends.push(end(&call.function, windows.list.get(call.window)));
        }
        this
    }

    fn keep(&mut self, node: &Node) -> Operand {
        match &node.op {
            Op::Column(column) => Operand::Row(column.index),
            _ => {
                self.kept.push(node.clone());
                Operand::Kept(self.kept.len() - 1)
            }
        }
    }
}

/// What the rows of a window are compared by.
fn keys(window: &Window) -> Vec<OrderBy> {
    let parts = window.partition_by.iter();
    let parts = parts.map(|node| OrderBy { node: node.clone(), descending: false });
    parts.chain(window.order_by.iter().cloned()).collect()
}

/// The windows as MySQL runs them: in the order in which they are written, but the next
/// one that wants the same order of rows comes right behind.
fn sorts(list: &[Window]) -> Vec<WindowSort> {
    let sort = |window: &Window| -> Vec<String> {
        keys(window).iter().map(|key| format!("{} {:?}", key.descending, key.node)).collect()
    };
    let mut order: Vec<(usize, Vec<String>)> =
        list.iter().enumerate().map(|(at, window)| (at, sort(window))).collect();
    for at in 0..order.len() {
        let wanted = &order[at].1;
        let same = |other: &usize| !wanted.is_empty() && order[*other].1 == *wanted;
        if let Some(other) = (at + 1..order.len()).find(same) {
            order.swap(at + 1, other);
        }
    }
    let mut sorts: Vec<(Vec<String>, WindowSort)> = Vec::new();
    for (at, wanted) in order {
        match sorts.last_mut() {
            Some((last, sort)) if *last == wanted => sort.windows.push(at),
            _ => {
                let sort = WindowSort { keys: keys(&list[at]), windows: vec![at] };
                sorts.push((wanted, sort));
            }
        }
    }
    sorts.into_iter().map(|(_, sort)| sort).collect()
}

fn end(function: &WindowFunction, window: Option<&Window>) -> Option<End> {
    let WindowFunction::Aggregate(aggregate) = function else { return None };
    let least = match aggregate.function {
        AggregateFunction::Min => true,
        AggregateFunction::Max => false,
        _ => return None,
    };
    let (key, [arg]) = (window?.order_by.first()?, &*aggregate.args) else { return None };
    let same = format!("{:?}", key.node) == format!("{arg:?}");
    same.then_some(if least == key.descending { End::Last } else { End::First })
}
