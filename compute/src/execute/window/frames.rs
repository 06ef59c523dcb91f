//! Which rows of a partition count for each of its rows.

use firn_mysql_semantics::Value;
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::{Cx, Op, Row};

use super::super::Result;
use super::Kept;
use super::fixed::not_for_execute;
use crate::bind::{Distance, Edge, Frame, Window};
use crate::plan::Operand;

/// Rows of a partition, from one to before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) from: usize,
    pub(super) to: usize,
}

/// How far the edges of a window's frame are away, in rows; of RANGE none.
pub(super) struct Edges {
    start: Option<usize>,
    end: Option<usize>,
}

impl Edges {
    /// The distances, looked at.
    ///
    /// # Errors
    /// 3586 for those that are NULL, negative or no whole numbers; 1210 for parameters of
    /// another type.
    pub(super) fn of(window: &Window, cx: &mut Cx<'_>, row: Row<'_>) -> Result<Self> {
        let mut edge = |edge: &Edge| match edge {
            Edge::Distance(distance) => rows_of(window, distance, cx, row),
            Edge::Unbounded | Edge::CurrentRow => Ok(None),
        };
        Ok(Self { start: edge(&window.frame.start)?, end: edge(&window.frame.end)? })
    }
}

fn rows_of(
    window: &Window,
    distance: &Distance,
    cx: &mut Cx<'_>,
    row: Row<'_>,
) -> Result<Option<usize>> {
    let illegal = || SqlError::new(code::ER_WINDOW_FRAME_ILLEGAL, &[(&*window.name).into()]);
    let value = distance.amount.eval(cx, row)?;
    if distance.value.is_some() {
        // How it is added decides what of it counts; it must not lead the other way.
        let negative = match &*value {
            Value::Null => return Err(illegal()),
            Value::Int(number) => *number < 0,
            Value::Decimal(number) => number.is_negative(),
            Value::Float(number) => *number < 0.0,
            Value::Double(number) => *number < 0.0,
            Value::Bytes(text) => text.trim_ascii_start().starts_with(b"-"),
            _ => false,
        };
        return if negative { Err(illegal()) } else { Ok(None) };
    }
    match &*value {
        Value::Int(number) => {
            let rows = u64::try_from(*number).map_err(|_| illegal())?;
            Ok(Some(usize::try_from(rows).unwrap_or(usize::MAX)))
        }
        Value::UInt(rows) => Ok(Some(usize::try_from(*rows).unwrap_or(usize::MAX))),
        Value::Null => Err(illegal()),
        _ if matches!(distance.amount.op, Op::Param(_)) => Err(not_for_execute()),
        _ => Err(illegal()),
    }
}

/// Of each row: the rows that are equal to it in the window's order.
pub(super) fn peers(part: &[Kept], sort: usize) -> Vec<Extent> {
    let mut peers = Vec::with_capacity(part.len());
    let mut from = 0;
    while from < part.len() {
        let own = &part[from].keys[sort].bytes;
        let same = part[from..].iter().take_while(|row| row.keys[sort].bytes == *own);
        let to = from + same.count();
        peers.resize(to, Extent { from, to });
        from = to;
    }
    peers
}

/// The frames of one window.
pub(super) struct Frames<'r> {
    pub(super) frame: &'r Frame,
    pub(super) edges: &'r Edges,
    /// The value of ORDER BY, where an edge goes by that.
    pub(super) value: Option<Operand>,
    pub(super) sort: usize,
    pub(super) params: &'r [Value],
}

impl Frames<'_> {
    /// The frame of each row. Neither end ever goes back from one row to the next.
    ///
    /// # Errors
    /// Those of computing where an edge is: 1690.
    pub(super) fn extents(
        &self,
        part: &[Kept],
        peers: &[Extent],
        cx: &mut Cx<'_>,
    ) -> Result<Vec<Extent>> {
        let len = part.len();
        let mut extents = Vec::with_capacity(len);
        let (mut start, mut end) = (0, 0);
        for (row, peers) in peers.iter().enumerate() {
            let from = match (&self.frame.start, self.edges.start) {
                (Edge::Unbounded, _) => 0,
                (Edge::CurrentRow, _) if self.frame.rows => row,
                (Edge::CurrentRow, _) => peers.from,
                (Edge::Distance(one), Some(rows)) if one.following => row.saturating_add(rows),
                (Edge::Distance(_), Some(rows)) => row.saturating_sub(rows),
                (Edge::Distance(one), None) => match self.bound(one, part, row, cx)? {
                    None => peers.from,
                    Some(bound) => {
                        while start < len && self.is_before(one, &part[start], &bound, cx)? {
                            start += 1;
                        }
                        start
                    }
                },
            };
            let to = match (&self.frame.end, self.edges.end) {
                (Edge::Unbounded, _) => len,
                (Edge::CurrentRow, _) if self.frame.rows => row + 1,
                (Edge::CurrentRow, _) => peers.to,
                (Edge::Distance(one), Some(rows)) if one.following => {
                    row.saturating_add(rows).saturating_add(1)
                }
                (Edge::Distance(_), Some(rows)) => (row + 1).saturating_sub(rows),
                (Edge::Distance(one), None) => match self.bound(one, part, row, cx)? {
                    None => peers.to,
                    Some(bound) => {
                        while end < len && !self.is_behind(one, part, end, &bound, cx)? {
                            end += 1;
                        }
                        end
                    }
                },
            };
            let from = from.min(len);
            extents.push(Extent { from, to: to.clamp(from, len) });
        }
        Ok(extents)
    }

    fn own<'k>(&self, row: &'k Kept) -> &'k Value {
        self.value.map_or(&Value::Null, |operand| row.value(operand))
    }

    /// Where an edge is for a row; `None` for one without a value, whose frame goes by its
    /// equals.
    fn bound(
        &self,
        edge: &Distance,
        part: &[Kept],
        row: usize,
        cx: &mut Cx<'_>,
    ) -> Result<Option<Value>> {
        let own = self.own(&part[row]);
        let Some(value) = edge.value.as_ref().filter(|_| !own.is_null()) else { return Ok(None) };
        let columns = [own.clone()];
        let row = Row { columns: &columns, params: self.params };
        Ok(Some(value.bound.eval(cx, row)?.into_owned()))
    }

    fn is_outside(
        &self,
        edge: &Distance,
        own: &Value,
        bound: &Value,
        cx: &mut Cx<'_>,
    ) -> Result<bool> {
        let Some(value) = &edge.value else { return Ok(false) };
        let columns = [own.clone(), bound.clone()];
        let row = Row { columns: &columns, params: self.params };
        Ok(value.outside.eval_truth(cx, row)? == Some(true))
    }

    /// Whether a row lies before where frames begin. NULLs come first, or last.
    fn is_before(
        &self,
        edge: &Distance,
        row: &Kept,
        bound: &Value,
        cx: &mut Cx<'_>,
    ) -> Result<bool> {
        match self.own(row) {
            Value::Null => Ok(self.nulls_first(row)),
            own => self.is_outside(edge, own, bound, cx),
        }
    }

    /// Whether a row lies behind where frames end.
    fn is_behind(
        &self,
        edge: &Distance,
        part: &[Kept],
        row: usize,
        bound: &Value,
        cx: &mut Cx<'_>,
    ) -> Result<bool> {
        match self.own(&part[row]) {
            Value::Null => Ok(!self.nulls_first(&part[row])),
            own => self.is_outside(edge, own, bound, cx),
        }
    }

    /// Of a row whose value is NULL: whether it comes before those that have one.
    fn nulls_first(&self, row: &Kept) -> bool {
        // The key of a NULL is one byte, turned over where the order is descending.
        row.keys[self.sort].bytes.last() == Some(&0)
    }
}
