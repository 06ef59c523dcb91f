//! SELECT, bound.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use firn_mysql_parser::{Options, Parser, ast};
use firn_mysql_protocol::ColumnFlags;
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::{Binder, Column, Node, Op, Result};
use firn_mysql_semantics::value::Bytes;

use super::from::From;
use super::statement::{Statement, not_yet};
use super::{
    Aggregate, Block, BoundSubquery, Destination, GroupingScope, Groupings, ItemNames, NamedItem,
    ScopeTable, Source, StatementScope, TableSource, WindowScope, Windowing, Windows, conjuncts,
};
use crate::accounts::{Command, Privileges};
use crate::catalog::ResolvedColumn;

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

/// An item of the select list.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    /// What is computed.
    pub(crate) node: Node,
    /// The column's name in the result.
    pub(crate) name: Box<str>,
    /// Of a plain column: which one of which table.
    pub(crate) column: Option<(usize, usize)>,
    /// Of ENUM and SET.
    pub(crate) members: Option<Arc<[Bytes]>>,
    /// What the client is told beside the type.
    pub(crate) flags: ColumnFlags,
    /// Numbers are shown with zeros in front, up to this many digits.
    pub(crate) zerofill: Option<u8>,
    pub(crate) aliased: bool,
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
            From::bind(statement, &block, &select.from)?;
        if select.options.straight_join {
            sources.iter_mut().for_each(|source| source.straight = true);
        }
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
        let mut warnings = Vec::new();
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
        this.name_aggregates(rollup);
        if rollup {
            this.roll_up(groups_start);
        }
        this.locking = locking(statement, &query.locking)?;
        this.into = Destination::bind(query.into.as_deref())?;
        Ok(this)
    }
}

impl BoundSelect {
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

    /// Names the results of aggregates as a server's errors do, by where it keeps them: in a
    /// temporary table of groups they have no name, and with ROLLUP they are of several levels,
    /// in a table again where others are joined.
    fn name_aggregates(&mut self, rollup: bool) {
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
        use super::AggregateFunction as F;
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

    /// What nobody reads of the rows of plain queries in FROM is not computed.
    fn drop_unread(&mut self) {
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
                super::Derived::Query { query, .. } => query.is_plain(),
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
            let super::Derived::Query { query, .. } = &mut **rows else { continue };
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
                _ => {}
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

pub(super) fn locking(
    statement: &Statement<'_>,
    list: &[ast::Locking],
) -> Result<Option<(bool, ast::LockWait)>> {
    match list {
        [] => Ok(None),
        [one] if one.of.is_empty() => {
            if one.update {
                statement.tables.rows_are_locked();
            }
            Ok(Some((one.update, one.wait)))
        }
        _ => not_yet("FOR UPDATE OF"),
    }
}

fn select_list(
    statement: &Statement<'_>,
    scope: &StatementScope<'_>,
    binder: &Binder<'_>,
    list: &[ast::SelectItem],
) -> Result<Vec<Item>> {
    let mut items: Vec<Item> = Vec::with_capacity(list.len());
    for item in list {
        let before = items.len();
        match item {
            ast::SelectItem::All => {
                if scope.tables.is_empty() {
                    return Err(SqlError::new(code::ER_NO_TABLES_USED, &[]));
                }
                let every = |table: &ScopeTable| table.used.every_column(Privileges::SELECT);
                scope.tables.iter().for_each(every);
                star(scope, &mut items);
            }
            ast::SelectItem::AllOf(name) => {
                let wanted = |table: &ScopeTable| {
                    table.alias.as_ref() == name.name.as_str()
                        && name.schema.as_ref().is_none_or(|s| table.schema.as_ref() == s.as_str())
                };
                let Some(table) = scope.tables.iter().position(wanted) else {
                    return Err(SqlError::new(
                        code::ER_BAD_TABLE_ERROR,
                        &[name.name.as_str().into()],
                    ));
                };
                scope.tables[table].used.every_column(Privileges::SELECT);
                for (column, definition) in scope.tables[table].columns.iter().enumerate() {
                    if definition.starred {
                        items.push(column_item(scope, table, column));
                    }
                }
            }
            ast::SelectItem::Expr { expr, alias } => {
                items.push(expression(statement, scope, binder, expr, alias.as_ref())?);
            }
        }
        if let Some(names) = statement.names {
            names.item(item, items[before..].iter().map(|item| told(scope, item)).collect());
        }
    }
    Ok(items)
}

/// An item as the query of a view keeps it.
fn told(scope: &StatementScope<'_>, item: &Item) -> (Option<ResolvedColumn>, Box<str>) {
    let column = item.column.map(|(table, column)| scope.tables[table].resolved(column));
    (column, item.name.clone())
}

/// `*`: columns that USING has merged stand once, and first.
fn star(scope: &StatementScope<'_>, items: &mut Vec<Item>) {
    let mut columns = Vec::new();
    for (table, definition) in scope.tables.iter().enumerate() {
        for (column, one) in definition.columns.iter().enumerate() {
            if one.starred && !definition.merged.contains(&column) {
                columns.push((table, column));
            }
        }
    }
    columns.sort_by_key(|(table, column)| scope.block.star_place(*table, *column));
    items.extend(columns.into_iter().map(|(table, column)| column_item(scope, table, column)));
}

pub(super) fn column_item(scope: &StatementScope<'_>, table: usize, column: usize) -> Item {
    let known = scope.column_at(table, column);
    let definition = &scope.tables[table].columns[column];
    let members = known.members.clone();
    let node = Node::column(known);
    Item {
        node,
        name: Box::from(&*definition.name),
        column: Some((table, column)),
        members,
        flags: definition.flags,
        zerofill: definition.zerofill,
        aliased: false,
    }
}

fn expression(
    statement: &Statement<'_>,
    scope: &StatementScope<'_>,
    binder: &Binder<'_>,
    expr: &ast::Expr,
    alias: Option<&ast::Ident>,
) -> Result<Item> {
    let mut item = match &expr.kind {
        ast::ExprKind::Column(name) => match scope.find(name)? {
            Some((table, column)) => {
                scope.note(name, table, column);
                scope.tables[table].used.column(column, Privileges::SELECT);
                let mut item = column_item(scope, table, column);
                // These tell their names as they have them, whatever was written.
                if &*scope.tables[table].schema != "information_schema" {
                    item.name = Box::from(name.name.as_str());
                }
                item
            }
            None => computed(binder.bind(expr)?, name_of(statement, expr)),
        },
        _ => computed(binder.bind(expr)?, name_of(statement, expr)),
    };
    if let Some(alias) = alias {
        item.name = Box::from(alias.as_str());
        item.aliased = true;
    }
    Ok(item)
}

fn computed(node: Node, name: String) -> Item {
    let members = match &node.op {
        Op::Column(column) => column.members.clone(),
        _ => None,
    };
    Item {
        node,
        name: name.into_boxed_str(),
        column: None,
        members,
        flags: ColumnFlags::EMPTY,
        zerofill: None,
        aliased: false,
    }
}

/// The value of the first of several pieces of a string; `None` if there is one.
fn first_piece(text: &str) -> Option<String> {
    let quote = text.chars().next().filter(|first| matches!(first, '\'' | '"'))?;
    let mut rest = text.char_indices().skip(1).peekable();
    let end = loop {
        let (at, one) = rest.next()?;
        match one {
            '\\' => drop(rest.next()?),
            _ if one == quote && rest.peek().is_some_and(|(_, next)| *next == quote) => {
                rest.next();
            }
            _ if one == quote => break at + 1,
            _ => {}
        }
    };
    if text.get(end..)?.trim().is_empty() {
        return None;
    }
    let piece = Parser::new(Options::default()).parse_expr(text.get(..end)?.as_bytes()).ok()?;
    match piece.kind {
        ast::ExprKind::Literal(ast::Literal::Text(text)) => {
            Some(String::from_utf8_lossy(&text.value).into_owned())
        }
        _ => None,
    }
}

/// Where the name of a column that has no alias is cut, bytes.
const NAME_BYTES_MAX: usize = 255;

/// The name of a result's column that has no alias: a string's value, else the
/// expression as it was written.
fn name_of(statement: &Statement<'_>, expr: &ast::Expr) -> String {
    let mut name = match &expr.kind {
        ast::ExprKind::Literal(ast::Literal::Text(text)) if text.charset.is_none() => {
            let whole = || String::from_utf8_lossy(&text.value).into_owned();
            let text = first_piece(&statement.text_of(expr.span)).unwrap_or_else(whole);
            text.trim_start().to_owned()
        }
        ast::ExprKind::Literal(ast::Literal::Null) => "NULL".to_owned(),
        _ => statement.text_of(expr.span),
    };
    // Names are of the utf8mb3 character set.
    if name.chars().any(|c| u32::from(c) > 0xffff) {
        name = name.chars().map(|c| if u32::from(c) > 0xffff { '?' } else { c }).collect();
    }
    name.truncate(name.floor_char_boundary(NAME_BYTES_MAX));
    name
}
