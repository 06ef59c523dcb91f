//! Outer joins with several tables on the optional side, as `t LEFT JOIN (a JOIN b ON …) ON …`.
//!
//! The optional side becomes one query in FROM, which is read for each row before it: all
//! columns of its tables where its own conditions and the join's hold. Its columns stand
//! where those of its tables do, so names go on meaning what they did.

use std::ops::Range;
use std::sync::Arc;

use firn_mysql_semantics::expr::{Column, Node, Op, Result};

use super::from::{Derived, From, JoinKind, Source, TableSource};
use super::scope::ScopeTable;
use super::statement::{Statement, not_yet};
use super::{Block, BoundSelect, Destination, Groupings, StatementScope, Used, Windows};

/// Columns of the row around that a query in FROM takes, while its expressions move there.
struct Moved {
    /// Places of its own tables in the row around.
    places: Range<usize>,
    outer: Vec<Column>,
}

impl Moved {
    /// Makes an expression over the row around one over the query's own row.
    ///
    /// Errors: 1235 for subqueries.
    fn take(&mut self, node: &mut Node) -> Result<()> {
        if matches!(node.op, Op::Subquery { .. }) {
            return not_yet(
                "subqueries in conditions of outer joins with several tables on the optional side",
            );
        }
        let ty = node.ty;
        if let Op::Column(column) = &mut node.op {
            if self.places.contains(&column.index) {
                column.index -= self.places.start;
            } else {
                let known = self.outer.iter().position(|one| one.index == column.index);
                let at = known.unwrap_or_else(|| {
                    let (name, members) = (column.name.clone(), column.members.clone());
                    self.outer.push(Column { index: column.index, ty, name, members });
                    self.outer.len() - 1
                });
                // Behind the columns of its tables, and once more as items.
                column.index = 2 * self.places.len() + at;
            }
        }
        node.args.iter_mut().try_for_each(|arg| self.take(arg))
    }

    fn take_all(&mut self, nodes: &mut [Node]) -> Result<()> {
        nodes.iter_mut().try_for_each(|node| self.take(node))
    }
}

impl From {
    /// Puts the tables of `side` behind the others as one optional table.
    /// `places` are theirs in the flat row, `inner` what must hold among them, `on` the
    /// condition of the join.
    pub(super) fn nest(
        &mut self,
        statement: &Statement<'_>,
        block: &Block,
        side: Range<usize>,
        places: Range<usize>,
        inner: Vec<Node>,
        on: Vec<Node>,
    ) -> Result<()> {
        let mut moved = Moved { places: places.clone(), outer: Vec::new() };
        let mut filter = inner;
        filter.extend(on);
        let all = std::mem::take(&mut self.sources);
        let (mut sources, rest): (Vec<Source>, Vec<Source>) =
            all.into_iter().partition(|source| side.contains(&source.table));
        self.sources = rest;
        let views = std::mem::take(&mut self.filters);
        for (table, conditions) in views {
            if !side.contains(&table) {
                self.filters.push((table, conditions));
                continue;
            }
            match sources.iter_mut().find(|source| source.table == table) {
                Some(source) if source.kind == JoinKind::Left => source.on.extend(conditions),
                _ => filter.extend(conditions),
            }
        }
        moved.take_all(&mut filter)?;
        for source in &mut sources {
            source.table -= side.start;
            moved.take_all(&mut source.on)?;
            if let TableSource::Derived(derived) = &mut source.rows {
                let mut failed = None;
                derived.outer(&mut |node| failed = failed.take().or(moved.take(node).err()));
                failed.map_or(Ok(()), Err)?;
            }
        }
        let mut tables: Vec<ScopeTable> = self.tables[side].to_vec();
        tables.iter_mut().for_each(|table| table.start -= places.start);
        let width = places.len();
        let mut items = Vec::with_capacity(width);
        let mut columns = Vec::with_capacity(width);
        {
            let scope = StatementScope::of_tables(*statement, block, &tables, "field list");
            for (at, table) in tables.iter().enumerate() {
                // One that stands for several has no columns of its own.
                if table.start != items.len() {
                    continue;
                }
                for column in 0..table.columns.len() {
                    items.push(super::items::column_item(&scope, at, column));
                    let mut hidden = table.columns[column].clone();
                    (hidden.named, hidden.starred) = (false, false);
                    columns.push(hidden);
                }
            }
        }
        debug_assert_eq!(items.len(), width, "tables stand side by side");
        let outer_nodes = moved.outer.iter().cloned().map(Node::column).collect::<Vec<_>>();
        let query = BoundSelect {
            tables,
            sources,
            filter,
            group_by: Vec::new(),
            rollup: None,
            grouped: false,
            aggregates: Vec::new(),
            aggregates_start: width,
            groupings: Groupings::default(),
            windows: Windows::default(),
            items,
            items_start: width,
            having: None,
            order_by: Vec::new(),
            distinct: false,
            limit: None,
            calc_found_rows: false,
            locking: None,
            apart: false,
            into: Destination::Client,
            subqueries: Vec::new(),
            row_len: 2 * width + moved.outer.len(),
            outer: moved.outer,
            outer_start: 2 * width,
            warnings: Vec::new(),
        };
        let lateral = !outer_nodes.is_empty();
        let rows = Derived::Query { query: Box::new(query), outer: outer_nodes, lateral };
        let table = self.tables.len();
        self.tables.push(ScopeTable {
            schema: Arc::from(""),
            table: Arc::from(""),
            alias: Arc::from(""),
            start: places.start,
            columns: columns.into(),
            optional: true,
            merged: Vec::new(),
            used: Used::default(),
        });
        self.sources.push(Source {
            table,
            rows: TableSource::Derived(Box::new(rows)),
            kind: JoinKind::Left,
            on: Vec::new(),
            hints: Vec::new(),
            straight: false,
            after: Vec::new(),
            apart: false,
            locked: super::Locked::default(),
            known: None,
        });
        Ok(())
    }
}
