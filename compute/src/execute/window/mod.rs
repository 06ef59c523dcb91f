//! Window functions over the rows of a query block.
//!
//! The rows come in one by one, with what the windows need of each computed at once. When
//! all are there they are put in the order of the first window, its partitions are gone
//! through, and so on with the next; the results go to their places in the flat rows.

mod fixed;
mod frames;
mod function;
mod moving;

use firn_mysql_semantics::Value;
use firn_mysql_semantics::expr::{Cx, Row};

use self::fixed::Fixed;
use self::frames::Frames;
use self::function::Computed;
use super::aggregate::Operands;
use super::gathered::Gathered;
use super::select::bytes_of;
use super::subquery::Subqueries;
use super::view::View;
use super::{Result, sort_key};
use crate::bind::{WindowFunction, Windows};
use crate::plan::{Operand, SelectPlan, WindowPlan};

/// Rows between two looks whether the statement is to end.
const CHECK_ROWS: usize = 4096;

/// A row with what the windows need of it.
pub(super) struct Kept {
    /// The flat row.
    pub(super) row: Vec<Value>,
    /// For each order of the rows.
    keys: Vec<Key>,
    values: Vec<Value>,
    /// Of each call: what the row gives to it, if it is an aggregate's.
    aggregates: Vec<Option<Operands>>,
    /// What all of it takes in memory, roughly.
    pub(super) bytes: usize,
}

/// What a row is compared by.
struct Key {
    bytes: Box<[u8]>,
    /// Where the part that PARTITION BY says ends, for each window of this order.
    partitions: Vec<usize>,
}

impl Kept {
    fn value(&self, operand: Operand) -> &Value {
        let value = match operand {
            Operand::Row(place) => self.row.get(place),
            Operand::Kept(at) => self.values.get(at),
        };
        value.unwrap_or(&Value::Null)
    }
}

/// The window functions of a block that runs.
pub(super) struct WindowRun<'p> {
    windows: &'p Windows,
    plan: &'p WindowPlan,
    params: &'p [Value],
    /// Of each call and each window: what is the same for all rows.
    fixed: Vec<Fixed>,
    edges: Vec<frames::Edges>,
    /// Sums of floating point numbers are added up anew for each frame.
    precise: bool,
    rows: Vec<Kept>,
}

impl<'p> WindowRun<'p> {
    /// A run without rows yet.
    ///
    /// # Errors
    /// Those of evaluating what is the same for all rows; 1210 and 3586 for what cannot be.
    pub(super) async fn begin(
        plan: &'p SelectPlan,
        params: &'p [Value],
        row: &[Value],
        subqueries: &mut Subqueries<'p>,
        view: &mut View<'_>,
        cx: &mut Cx<'p>,
    ) -> Result<Self> {
        let windows = &plan.select.windows;
        let mut fixed = Vec::with_capacity(windows.calls.len());
        let mut edges = Vec::with_capacity(windows.list.len());
        let columns = Row { columns: row, params };
        for window in &windows.list {
            edges
                .push(subqueries.run(view, cx, |cx| frames::Edges::of(window, cx, columns)).await?);
        }
        for call in &windows.calls {
            fixed.push(subqueries.run(view, cx, |cx| Fixed::of(call, cx, columns)).await?);
        }
        let precise = cx.session.system_variable("windowing_use_high_precision");
        let precise = precise.is_none_or(|(value, _)| value != Value::Int(0));
        let plan = &plan.windows;
        Ok(Self { windows, plan, params, fixed, edges, precise, rows: Vec::new() })
    }

    /// Keeps a row. Gives the bytes that it takes.
    pub(super) fn keep(&mut self, kept: Kept) -> usize {
        let bytes = kept.bytes;
        self.rows.push(kept);
        bytes
    }

    /// Forgets the rows.
    pub(super) fn clear(&mut self) {
        self.rows.clear();
    }

    /// What is kept of a flat row, but for the row itself.
    ///
    /// # Errors
    /// Those of evaluating expressions.
    pub(super) fn of_row(&self, row: &[Value], cx: &mut Cx<'p>) -> Result<Kept> {
        let from = Row { columns: row, params: self.params };
        let mut bytes = 0;
        let mut keys = Vec::with_capacity(self.plan.sorts.len());
        for sort in &self.plan.sorts {
            let (mut key, mut ends) = (Vec::new(), Vec::with_capacity(sort.keys.len() + 1));
            ends.push(0);
            for one in &sort.keys {
                let value = one.node.eval(cx, from)?;
                sort_key::push_order(&value, &one.node.ty, one.descending, &mut key);
                ends.push(key.len());
            }
            let parted = |window: &usize| {
                let parts = self.windows.list[*window].partition_by.len();
                ends.get(parts).copied().unwrap_or(key.len())
            };
            let partitions: Vec<usize> = sort.windows.iter().map(parted).collect();
            bytes += key.len() + 64 + partitions.len() * size_of::<usize>();
            keys.push(Key { bytes: key.into_boxed_slice(), partitions });
        }
        let kept = self.plan.kept.iter().map(|node| Ok(node.eval(cx, from)?.into_owned()));
        let values = kept.collect::<Result<Vec<Value>>>()?;
        bytes += bytes_of(&values);
        let mut aggregates = Vec::with_capacity(self.windows.calls.len());
        for call in &self.windows.calls {
            aggregates.push(match &call.function {
                WindowFunction::Aggregate(aggregate) => aggregate.operands(cx, from)?,
                _ => None,
            });
        }
        let operands = |one: &Option<Operands>| one.as_ref().map_or(0, Operands::bytes);
        bytes += aggregates.iter().map(operands).sum::<usize>();
        bytes += aggregates.len() * size_of::<Option<Operands>>();
        Ok(Kept { row: Vec::new(), keys, values, aggregates, bytes })
    }

    /// All rows with the results of the functions, in the order of the window that ran last.
    /// `bytes` are those that the statement has gathered.
    ///
    /// # Errors
    /// Those of evaluating expressions, 1038 if it takes too much, 1317.
    pub(super) fn finish(
        mut self,
        view: &View<'_>,
        cx: &mut Cx<'p>,
        memory: &mut Gathered,
        bytes: usize,
    ) -> Result<Vec<Kept>> {
        let mut rows = std::mem::take(&mut self.rows);
        let mut given = 0;
        // What is made beside the rows: peers and frames.
        let beside = rows.len() * size_of::<frames::Extent>() * 2;
        for (at, sort) in self.plan.sorts.iter().enumerate() {
            if !sort.keys.is_empty() {
                rows.sort_by(|a, b| a.keys[at].bytes.cmp(&b.keys[at].bytes));
            }
            for (which, window) in sort.windows.iter().enumerate() {
                let mut from = 0;
                while from < rows.len() {
                    view.check()?;
                    let own = partition(&rows[from], at, which);
                    let same = |row: &&Kept| partition(row, at, which) == own;
                    let len = rows[from..].iter().take_while(same).count();
                    let part = &mut rows[from..from + len];
                    memory.set(bytes + given + beside)?;
                    given += self.window(*window, at, part, view, cx, &mut |more| {
                        memory.set(bytes + given + beside + more)
                    })?;
                    from += len;
                }
            }
        }
        let own = |row: &mut Kept| row.keys = Vec::new();
        rows.iter_mut().for_each(own);
        Ok(rows)
    }

    /// The functions of one window over one partition. Gives the bytes of their results.
    fn window(
        &self,
        window: usize,
        sort: usize,
        part: &mut [Kept],
        view: &View<'_>,
        cx: &mut Cx<'p>,
        takes: &mut dyn FnMut(usize) -> Result<()>,
    ) -> Result<usize> {
        let frames = Frames {
            frame: &self.windows.list[window].frame,
            edges: &self.edges[window],
            value: self.plan.ordered[window],
            sort,
            params: self.params,
        };
        let peers = frames::peers(part, sort);
        let calls = self.windows.calls.iter().enumerate();
        let calls: Vec<_> = calls.filter(|(_, call)| call.window == window).collect();
        let framed = calls.iter().any(|(_, call)| function::is_framed(&call.function));
        let extents = if framed { frames.extents(part, &peers, cx)? } else { Vec::new() };
        let mut bytes = 0;
        for (at, call) in calls {
            let mut computed = Computed::new(self, at, call, part);
            for row in 0..part.len() {
                if row % CHECK_ROWS == CHECK_ROWS - 1 {
                    view.check()?;
                }
                let extent = extents.get(row).copied().unwrap_or(peers[row]);
                let value = computed.at(part, row, peers[row], extent, view, cx)?;
                if let Value::Bytes(text) = &value
                    && text.len() > 16
                {
                    bytes += text.len();
                    part[row].bytes += text.len();
                    takes(bytes)?;
                }
                let place = self.windows.start + at;
                if let Some(place) = part[row].row.get_mut(place) {
                    *place = value;
                }
            }
        }
        Ok(bytes)
    }
}

/// What PARTITION BY says of a row.
fn partition(row: &Kept, sort: usize, window: usize) -> &[u8] {
    let key = &row.keys[sort];
    &key.bytes[..key.partitions[window]]
}
