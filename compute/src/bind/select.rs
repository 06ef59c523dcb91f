//! SELECT, bound.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use firn_mysql_parser::ast;
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::{Binder, Column, Node, Op, Result};

use super::from::From;
use super::items::select_list;
use super::statement::Statement;
use super::{
    Aggregate, Block, BoundSubquery, Destination, GroupingScope, Groupings, Item, ItemNames,
    NamedItem, ScopeTable, Source, StatementScope, TableSource, WindowScope, Windowing, Windows,
    conjuncts,
};
use crate::accounts::Command;
use crate::hints;

/// A SELECT of one query block.
pub(crate) struct BoundSelect {
    /// What names mean.
    pub(crate) tables: Vec<ScopeTable>,
    /// What is read, in order.
    pub(crate) sources: Vec<Source>,
    /// Conditions that AND joins.
    pub(crate) filter: Vec<Node>,
    /// GROUP BY.
    pub(crate) group_by: Vec<Node>,
    /// WITH ROLLUP: the place of the first value of GROUP BY in rows of the result.
    pub(crate) rollup: Option<usize>,
    /// Rows are gathered: there is a GROUP BY or an aggregate.
    pub(crate) grouped: bool,
    /// Aggregates.
    pub(crate) aggregates: Vec<Aggregate>,
    /// Place of the first aggregate's result.
    pub(crate) aggregates_start: usize,
    /// Calls of GROUPING.
    pub(crate) groupings: Groupings,
    /// Window functions.
    pub(crate) windows: Windows,
    /// The select list.
    pub(crate) items: Vec<Item>,
    /// Place of the first item's value.
    pub(crate) items_start: usize,
    /// HAVING.
    pub(crate) having: Option<Node>,
    /// ORDER BY.
    pub(crate) order_by: Vec<OrderBy>,
    /// DISTINCT
    pub(crate) distinct: bool,
    /// LIMIT
    pub(crate) limit: Option<LimitBound>,
    /// SQL_CALC_FOUND_ROWS
    pub(crate) calc_found_rows: bool,
    /// FOR UPDATE and FOR SHARE.
    pub(crate) locking: Option<(bool, ast::LockWait)>,
    /// It stands in FROM or is a common table: what a query around it locks is not what it
    /// reads.
    pub(crate) apart: bool,
    /// Where its rows go.
    pub(crate) into: Destination,
    /// Subqueries in its expressions.
    pub(crate) subqueries: Vec<BoundSubquery>,
    /// What it takes from the row around it, if it is a subquery.
    pub(crate) outer: Vec<Column>,
    /// Place of the first value taken from there.
    pub(crate) outer_start: usize,
    /// Places of the flat row.
    pub(crate) row_len: usize,
    /// Deprecated forms.
    pub(crate) warnings: Vec<SqlError>,
}

/// A key of ORDER BY.
#[derive(Debug, Clone)]
pub(crate) struct OrderBy {
    /// What is compared.
    pub(crate) node: Node,
    /// DESC
    pub(crate) descending: bool,
}

/// LIMIT: numbers, or parameters.
#[derive(Debug, Clone)]
pub(crate) struct LimitBound {
    /// At most so many rows.
    pub(crate) rows: Node,
    /// After so many others.
    pub(crate) offset: Option<Node>,
    /// How many that is together, for the values that it is planned with.
    pub(crate) about: Option<f64>,
}

impl BoundSelect {
    /// Binds a query. What is of several blocks becomes one block over the others' rows.
    ///
    /// # Errors
    /// MySQL's for unknown names and wrong types; 1235 for what is not built yet.
    pub(crate) fn bind(statement: &Statement<'_>, query: &ast::Query) -> Result<Self> {
        match &query.with {
            Some(with) => super::with::bind(statement, with, &mut |inner| {
                Self::body(inner, &query.body, query)
            }),
            None => Self::body(statement, &query.body, query),
        }
    }

    /// Binds a body with the clauses that stand behind it.
    pub(super) fn body(
        statement: &Statement<'_>,
        body: &ast::QueryBody,
        query: &ast::Query,
    ) -> Result<Self> {
        let select = match body {
            ast::QueryBody::Select(select) => select,
            ast::QueryBody::Nested(inner)
                if query.order_by.is_empty()
                    && query.limit.is_none()
                    && query.locking.is_empty()
                    && query.into.is_none() =>
            {
                return Self::bind(statement, inner);
            }
            ast::QueryBody::Table(name) => return Self::table(statement, query, name),
            ast::QueryBody::Nested(_) | ast::QueryBody::Values(_) | ast::QueryBody::Set { .. } => {
                return Self::over_parts(statement, body, query);
            }
        };
        Self::block(&statement.commanding(Command::READ), query, select)
    }

    /// `TABLE t` is `SELECT * FROM t`.
    fn table(
        statement: &Statement<'_>,
        query: &ast::Query,
        name: &ast::ObjectName,
    ) -> Result<Self> {
        let factor = ast::TableFactor {
            name: name.clone(),
            partitions: Vec::new(),
            alias: None,
            hints: Vec::new(),
            sample: None,
        };
        let select = ast::Select {
            hints: Vec::new(),
            options: ast::SelectOptions::default(),
            items: vec![ast::SelectItem::All],
            from: vec![ast::TableRef::Table(Box::new(factor))],
            filter: None,
            group_by: None,
            having: None,
            windows: Vec::new(),
            qualify: None,
        };
        let bound = Self::block(statement, query, &select)?;
        if let Some(names) = statement.names {
            let column = |item: &Item| {
                let column = item.column.map(|(table, at)| bound.tables[table].resolved(at));
                (column, item.name.clone())
            };
            names.item(name, bound.items.iter().map(column).collect());
            let schema = bound.tables.first().map(|table| Arc::clone(&table.schema));
            names.table(name, schema.unwrap_or_else(|| Arc::from("")));
        }
        Ok(bound)
    }

    /// Binds one block; of `query` only what stands behind it.
    pub(super) fn block(
        statement: &Statement<'_>,
        query: &ast::Query,
        select: &ast::Select,
    ) -> Result<Self> {
        let block = Block::default();
        if select.qualify.is_some() {
            let number = code::ER_SUPPORTED_ONLY_WITH_HYPERGRAPH;
            return Err(SqlError::new(number, &["QUALIFY clause".into()]));
        }
        let From { tables, mut sources, conditions, len, .. } =
            From::bind(statement, &block, &select.from)
                .map_err(|error| Self::before_on(statement, select).unwrap_or(error))?;
        if select.options.straight_join {
            sources.iter_mut().for_each(|source| source.straight = true);
        }
        let hinted = hints::block::carry_out(&select.hints, statement.sql, &tables, &mut sources);
        let aggregates_start = len;
        let (aggregates, groupings) = (RefCell::new(Vec::new()), RefCell::new(Vec::new()));
        // Aggregates, calls of GROUPING and window functions come before the items in the
        // flat row.
        let counts = Counts::of(select, query);
        let groupings_start = aggregates_start + counts.aggregates;
        let windows_start = groupings_start + counts.groupings;
        let items_start = windows_start + counts.windows;
        let windows = WindowScope::new(&select.windows, windows_start);
        let of_rows = StatementScope::of_tables(*statement, &block, &tables, "field list");
        let of_groups = GroupingScope { calls: &groupings, start: groupings_start };
        let mut scope = StatementScope {
            aggregates: Some(&aggregates),
            aggregates_start,
            groupings: Some(of_groups),
            windowing: Windowing::Allowed(&windows),
            ..of_rows
        };
        let mut warnings = hinted;
        let items = {
            let binder = Binder::new(statement.settings, &scope, statement.params);
            let items = select_list(statement, &scope, &binder, &select.items)?;
            warnings.extend(binder.take_warnings());
            items
        };
        let named: Vec<NamedItem> = items
            .iter()
            .enumerate()
            .map(|(at, item)| NamedItem {
                name: item.name.clone(),
                ty: item.node.ty,
                members: item.members.clone(),
                place: items_start + at,
                aliased: item.aliased || item.column.is_none(),
                column: item.column,
            })
            .collect();

        let mut filter = conditions;
        if let Some(condition) = &select.filter {
            let rows = StatementScope {
                aggregates: None,
                groupings: None,
                windowing: Windowing::Refused,
                clause: Cell::new("where clause"),
                item_names: Cell::new(ItemNames::Hidden),
                ..scope
            };
            let binder = Binder::new(statement.settings, &rows, statement.params);
            conjuncts(binder.bind(condition)?, &mut filter);
            warnings.extend(binder.take_warnings());
            scope = StatementScope {
                aggregates: Some(&aggregates),
                groupings: Some(of_groups),
                windowing: Windowing::Allowed(&windows),
                ..rows
            };
        }
        scope.items = &named;
        let binder_scope = scope;
        let clauses = super::clauses::Clauses::bind(
            statement,
            &binder_scope,
            select,
            query,
            &items,
            items_start,
        )?;
        warnings.extend(clauses.warnings);
        let windows = windows.bind(&binder_scope, items.iter().map(|item| &item.node))?;
        warnings.extend(block.take_warnings());

        let aggregates = aggregates.into_inner();
        debug_assert!(aggregates_start + aggregates.len() <= groupings_start);
        debug_assert!(windows_start + windows.calls.len() <= items_start);
        let groupings =
            Groupings::new(&groupings.into_inner(), groupings_start, &clauses.group_by)?;
        let grouped = select.group_by.is_some() || !aggregates.is_empty() || clauses.having_groups;
        if items.is_empty() {
            return Err(SqlError::new(code::ER_NO_TABLES_USED, &[]));
        }
        let rollup = select.group_by.as_ref().is_some_and(|group| group.rollup);
        let groups_start = items_start + items.len();
        let groups = if rollup { clauses.group_by.len() } else { 0 };
        let outer_start = groups_start + groups;
        let outer = block.take_outer();
        let row_len = outer_start + outer.len();
        let mut this = Self {
            tables,
            sources,
            filter,
            group_by: clauses.group_by,
            rollup: None,
            grouped,
            aggregates,
            aggregates_start,
            groupings,
            windows,
            items,
            items_start,
            having: clauses.having,
            order_by: clauses.order_by,
            distinct: select.options.distinct,
            limit: clauses.limit,
            calc_found_rows: select.options.calc_found_rows,
            locking: None,
            apart: false,
            into: Destination::Client,
            subqueries: block.take_subqueries(),
            outer,
            outer_start,
            row_len,
            warnings,
        };
        this.nodes(&mut |node| super::block::place_outer(node, outer_start));
        this.doubt_tables();
        super::distinct::tell_constants(&mut this);
        if statement.full_group {
            super::full_group::check(&this, rollup)?;
        }
        this.windows.drop_unused();
        this.drop_unread();
        this.cache_constants();
        this.name_aggregates(rollup);
        if rollup {
            this.roll_up(groups_start);
        }
        this.number_extremes();
        this.locking =
            super::locking::of_tables(statement, &query.locking, &this.tables, &mut this.sources)?;
        this.into = Destination::bind(query.into.as_deref())?;
        Ok(this)
    }
}

impl BoundSelect {
    /// The error of the select list or of WHERE, which a server binds before ON.
    fn before_on(statement: &Statement<'_>, select: &ast::Select) -> Option<SqlError> {
        let mut select = ast::Select { group_by: None, having: None, ..select.clone() };
        let mut found = false;
        select.from.iter_mut().for_each(|item| found |= drop_conditions(item));
        if !found {
            return None;
        }
        // Whatever else is wrong in FROM comes first.
        From::bind(statement, &Block::default(), &select.from).ok()?;
        let statement = Statement { full_group: false, ..*statement };
        let error = Self::block(&statement, &super::set::bare(), &select).err();
        // There is no GROUP BY, which comes behind ON.
        error.filter(|error| error.number() != code::ER_INVALID_GROUP_FUNC_USE)
    }

    /// Calls `each` with every expression of the block over its flat row.
    pub(crate) fn nodes(&mut self, each: &mut dyn FnMut(&mut Node)) {
        self.filter.iter_mut().for_each(&mut *each);
        self.group_by.iter_mut().for_each(&mut *each);
        for aggregate in &mut self.aggregates {
            aggregate.args.iter_mut().for_each(&mut *each);
            aggregate.order_by.iter_mut().for_each(|key| each(&mut key.node));
        }
        self.windows.nodes(each);
        self.items.iter_mut().for_each(|item| each(&mut item.node));
        self.having.iter_mut().for_each(&mut *each);
        self.order_by.iter_mut().for_each(|key| each(&mut key.node));
        for source in &mut self.sources {
            source.on.iter_mut().for_each(&mut *each);
            if let TableSource::Derived(derived) = &mut source.rows {
                derived.outer(each);
            }
        }
    }

    /// Whether it gives the rows of its tables one by one, as they come: a server merges it
    /// into the query around it.
    pub(crate) fn is_plain(&self) -> bool {
        let asks = |item: &Item| matches!(item.node.op, Op::Subquery { .. });
        !self.grouped
            && !self.distinct
            && self.having.is_none()
            && self.limit.is_none()
            && self.windows.is_empty()
            && !self.sources.is_empty()
            && !self.items.iter().any(asks)
            && !self.sources.iter().any(|source| match &source.rows {
                TableSource::Derived(rows) => matches!(**rows, super::Derived::Set(_)),
                _ => false,
            })
    }

    /// There are so many more places of tables, in front of what is computed of them. The
    /// expressions are the caller's to change.
    pub(crate) fn make_room(&mut self, places: usize) {
        self.aggregates_start += places;
        self.groupings.make_room(places);
        self.windows.start += places;
        self.items_start += places;
        self.outer_start += places;
        self.row_len += places;
    }

    /// Whether there are queries within it.
    pub(crate) fn is_nested(&self) -> bool {
        let derived = |source: &Source| matches!(source.rows, TableSource::Derived(_));
        !self.subqueries.is_empty() || self.sources.iter().any(derived)
    }

    /// Whether it may give something else each time it runs.
    pub(super) fn is_volatile(&mut self) -> bool {
        fn volatile(node: &Node) -> bool {
            let own = match &node.op {
                Op::Call(call) => !call.function.deterministic,
                Op::UserVariable(_) | Op::Assign(_) => true,
                _ => false,
            };
            own || node.args.iter().any(volatile)
        }
        let mut any = self.subqueries.iter().any(|one| one.volatile);
        self.nodes(&mut |node| any |= volatile(node));
        for source in &mut self.sources {
            if let TableSource::Derived(derived) = &mut source.rows {
                any |= derived.is_volatile();
            }
        }
        any
    }
}

/// What of one query block has places in the flat row, counted before it is bound.
#[derive(Default)]
struct Counts {
    aggregates: usize,
    groupings: usize,
    windows: usize,
}

impl Counts {
    fn of(select: &ast::Select, query: &ast::Query) -> Self {
        let mut this = Self::default();
        let mut each = |expr: &ast::Expr| {
            super::clauses::walk(expr, &mut |expr| match &expr.kind {
                ast::ExprKind::Aggregate(call) if call.over.is_some() => this.windows += 1,
                ast::ExprKind::Aggregate(_) => this.aggregates += 1,
                ast::ExprKind::Call(call) if call.window.is_some() => this.windows += 1,
                ast::ExprKind::Call(call) if call.name.as_str() == "grouping" => {
                    this.groupings += 1;
                }
                _ => this.aggregates += super::outer_aggregate::aggregates_within(expr),
            });
        };
        for item in &select.items {
            if let ast::SelectItem::Expr { expr, .. } = item {
                each(expr);
            }
        }
        select.group_by.iter().flat_map(|group| &group.items).for_each(&mut each);
        select.having.iter().for_each(&mut each);
        let windows = select.windows.iter();
        windows.flat_map(|(_, spec)| super::clauses::window_exprs(spec)).for_each(&mut each);
        query.order_by.iter().for_each(|item| each(&item.expr));
        this
    }
}

/// Leaves joins without what stands behind ON; whether there was any.
fn drop_conditions(item: &mut ast::TableRef) -> bool {
    match item {
        ast::TableRef::Join(join) => {
            let mut found = drop_conditions(&mut join.left);
            found |= drop_conditions(&mut join.right);
            if let ast::JoinCondition::On(condition) = &mut join.condition {
                condition.kind = ast::ExprKind::Literal(ast::Literal::Bool(true));
                found = true;
            }
            found
        }
        ast::TableRef::List(list) => {
            let mut found = false;
            list.iter_mut().for_each(|item| found |= drop_conditions(item));
            found
        }
        _ => false,
    }
}
