//! Queries of views, as MySQL prints them.

use firn_mysql_parser::ast::{
    Aggregate, AggregateKind, BinaryOp, Expr, ExprKind, IndexAction, IndexHint, IndexScope, Join,
    JoinCondition, JoinKind, Literal, OrderItem, Query, QueryBody, Select, SelectItem, SetOp,
    SetOperand, TableFactor, TableRef, With,
};
use firn_mysql_semantics::expr::Settings;

use super::print::{Names, Printer};
use super::resolved::{Resolutions, ResolvedColumn};
use crate::catalog::define::charset_of;

/// The text of a query that was bound, with all of its names.
pub(crate) fn canonical_query(query: &Query, names: &Resolutions, settings: &Settings) -> String {
    text_of(query, names, settings, None)
}

/// The same as EXPLAIN notes it: SELECTs with their numbers, unless common tables are
/// numbered where they are named.
pub(crate) fn numbered_query(query: &Query, names: &Resolutions, settings: &Settings) -> String {
    let numbered = query.with.is_none().then_some(0);
    text_of(query, names, settings, numbered)
}

fn text_of(
    query: &Query,
    names: &Resolutions,
    settings: &Settings,
    numbered: Option<u64>,
) -> String {
    let mut printer = Printer {
        numbered,
        out: String::new(),
        charset: charset_of(settings.connection_collation),
        week_format: settings.week_format,
        names: Names::Query(names),
    };
    printer.query(query, true);
    printer.out
}

impl Printer<'_> {
    pub(super) fn resolutions(&self) -> Option<&Resolutions> {
        match &self.names {
            Names::Query(names) => Some(names),
            Names::Table(_) => None,
        }
    }

    pub(super) fn resolved(&mut self, column: &ResolvedColumn) {
        if let Some(schema) = &column.schema {
            self.name(schema);
            self.put(".");
        }
        self.name(&column.table);
        self.put(".");
        self.name(&column.column);
    }

    /// A query; items have their names only where these are the names of columns.
    pub(super) fn query(&mut self, query: &Query, named: bool) {
        self.query_with(query, named, true);
    }

    fn query_with(&mut self, query: &Query, named: bool, limited: bool) {
        if let Some(with) = &query.with {
            self.with(with);
        }
        self.body_before(&query.body, named, &query.order_by);
        let items = match &query.body {
            QueryBody::Select(select) => &select.items[..],
            _ => &[],
        };
        self.order(&query.order_by, items, &query.body);
        if let Some(limit) = query.limit.as_ref().filter(|_| limited) {
            self.put(" limit ");
            if let Some(offset) = &limit.offset {
                self.value(offset);
                self.put(",");
            }
            self.value(&limit.rows);
        }
    }

    /// The query of EXISTS, in which a LIMIT of one row and more says nothing.
    pub(super) fn existing(&mut self, query: &Query) {
        let says_nothing = query.limit.as_ref().is_some_and(|limit| {
            limit.offset.is_none()
                && matches!(limit.rows.kind, ExprKind::Literal(Literal::Int(rows)) if rows > 0)
        });
        self.query_with(query, false, !says_nothing);
    }

    fn with(&mut self, with: &With) {
        self.put(if with.recursive { "with recursive " } else { "with " });
        for (at, table) in with.tables.iter().enumerate() {
            if at > 0 {
                self.put(", ");
            }
            self.name(table.name.as_str());
            self.names_in_parentheses(&table.columns);
            self.put(" as (");
            self.query(&table.query, true);
            self.put(")");
        }
        self.put(" ");
    }

    fn names_in_parentheses(&mut self, names: &[firn_mysql_parser::ast::Ident]) {
        for (at, name) in names.iter().enumerate() {
            self.put(if at == 0 { " (" } else { "," });
            self.name(name.as_str());
        }
        if !names.is_empty() {
            self.put(")");
        }
    }

    fn body(&mut self, body: &QueryBody, named: bool) {
        self.body_before(body, named, &[]);
    }

    /// A body with this order behind it.
    fn body_before(&mut self, body: &QueryBody, named: bool, order: &[OrderItem]) {
        match body {
            QueryBody::Select(select) => {
                self.select(select, named);
                self.windows(select, order);
            }
            QueryBody::Nested(query) => {
                self.put("(");
                self.query(query, named);
                self.put(")");
            }
            QueryBody::Values(rows) => {
                self.put("values ");
                for (at, row) in rows.iter().enumerate() {
                    self.put(if at == 0 { "row(" } else { ",row(" });
                    self.list(row);
                    self.put(")");
                }
            }
            QueryBody::Table(name) => {
                // It was bound as SELECT * FROM the table.
                let columns = self.resolutions().map(|names| names.item_of(name));
                self.begin_select();
                self.columns(&columns.unwrap_or_default(), None, named);
                self.put(" from ");
                let schema = self.resolutions().and_then(|names| names.table_of(name));
                self.table_name(schema.as_deref(), name.name.as_str());
            }
            QueryBody::Set { first, rest } => self.set(first, rest, named),
        }
    }

    fn set(&mut self, first: &QueryBody, rest: &[SetOperand], named: bool) {
        self.part(first, named);
        for (at, operand) in rest.iter().enumerate() {
            // A later UNION leaves no equal rows of these either.
            let union = |one: &SetOperand| one.op == SetOp::Union;
            let later = rest.iter().skip(at + 1).any(|one| union(one) && !one.all);
            self.put(match operand.op {
                SetOp::Union => " union ",
                SetOp::Except => " except ",
                SetOp::Intersect => " intersect ",
            });
            if operand.all && !(later && union(operand)) {
                self.put("all ");
            }
            self.part(&operand.body, named);
        }
    }

    fn part(&mut self, body: &QueryBody, named: bool) {
        let set = matches!(body, QueryBody::Set { .. });
        self.put(if set { "(" } else { "" });
        self.body(body, named);
        self.put(if set { ")" } else { "" });
    }

    fn begin_select(&mut self) {
        if let Some(number) = &mut self.numbered {
            *number += 1;
            let text = format!("/* select#{number} */ ");
            self.put(&text);
        }
        self.put("select ");
    }

    fn select(&mut self, select: &Select, named: bool) {
        self.begin_select();
        let options = &select.options;
        for (set, word) in [
            (options.straight_join, "straight_join "),
            (options.high_priority, "high_priority "),
            (options.distinct, "distinct "),
            (options.small_result, "sql_small_result "),
            (options.big_result, "sql_big_result "),
            (options.buffer_result, "sql_buffer_result "),
            (options.no_cache, "sql_no_cache "),
            (options.calc_found_rows, "sql_calc_found_rows "),
        ] {
            self.put(if set { word } else { "" });
        }
        for (at, item) in select.items.iter().enumerate() {
            if at > 0 {
                self.put(",");
            }
            let columns = self.resolutions().map(|names| names.item_of(item)).unwrap_or_default();
            let expr = match item {
                SelectItem::Expr { expr, .. } => Some(expr),
                SelectItem::All | SelectItem::AllOf(_) => None,
            };
            self.columns(&columns, expr, named);
        }
        for (at, table) in select.from.iter().enumerate() {
            if at == 0 {
                self.put(" from ");
                (1..select.from.len()).for_each(|_| self.put("("));
                self.table(table);
            } else {
                self.put(" join ");
                self.table(table);
                self.put(")");
            }
        }
        if let Some(filter) = &select.filter {
            self.put(" where ");
            self.truth(filter);
        }
        if let Some(group) = &select.group_by {
            for (at, expr) in group.items.iter().enumerate() {
                self.put(if at == 0 { " group by " } else { "," });
                self.by_place(expr, &select.items);
            }
            self.put(if group.rollup { " with rollup" } else { "" });
        }
        if let Some(having) = &select.having {
            self.put(" having ");
            self.truth(having);
        }
    }

    /// What one item of a select list is.
    fn columns(
        &mut self,
        columns: &[(Option<ResolvedColumn>, Box<str>)],
        expr: Option<&Expr>,
        named: bool,
    ) {
        for (at, (column, name)) in columns.iter().enumerate() {
            if at > 0 {
                self.put(",");
            }
            match (column, expr) {
                (Some(column), None) => self.resolved(column),
                (_, Some(expr)) => self.value(expr),
                (None, None) => {}
            }
            if named {
                self.put(" AS ");
                self.name(name);
            }
        }
    }

    /// A number in ORDER BY or GROUP BY is the item at this place.
    fn by_place(&mut self, expr: &Expr, items: &[SelectItem]) {
        let at = match &expr.kind {
            ExprKind::Literal(Literal::Int(number)) => usize::try_from(*number).ok(),
            _ => None,
        };
        let columns: Vec<(Option<ResolvedColumn>, Option<&Expr>)> = match at {
            None => return self.value(expr),
            Some(_) => items
                .iter()
                .flat_map(|item| {
                    let expr = match item {
                        SelectItem::Expr { expr, .. } => Some(expr),
                        _ => None,
                    };
                    let all = self.resolutions().map(|names| names.item_of(item));
                    all.unwrap_or_default().into_iter().map(move |(column, _)| (column, expr))
                })
                .collect(),
        };
        match at.and_then(|at| at.checked_sub(1)).and_then(|at| columns.get(at)) {
            Some((_, Some(expr))) => self.value(expr),
            Some((Some(column), None)) => self.resolved(column),
            _ => self.value(expr),
        }
    }

    fn order(&mut self, order: &[OrderItem], items: &[SelectItem], body: &QueryBody) {
        for (at, key) in order.iter().enumerate() {
            self.put(if at == 0 { " order by " } else { "," });
            match (&key.expr.kind, body) {
                // Of several queries only the names of columns are known.
                (ExprKind::Literal(Literal::Int(number)), QueryBody::Set { first, .. }) => {
                    match self.name_at(first, *number) {
                        Some(name) => self.name(&name),
                        None => self.value(&key.expr),
                    }
                }
                _ => self.by_place(&key.expr, items),
            }
            self.put(if key.descending { " desc" } else { "" });
        }
    }

    fn name_at(&self, body: &QueryBody, number: u64) -> Option<Box<str>> {
        let at = usize::try_from(number).ok()?.checked_sub(1)?;
        match body {
            QueryBody::Select(select) => {
                let names = self.resolutions()?;
                let items = select.items.iter().flat_map(|item| names.item_of(item));
                items.map(|(_, name)| name).nth(at)
            }
            QueryBody::Nested(query) => self.name_at(&query.body, number),
            QueryBody::Set { first, .. } => self.name_at(first, number),
            _ => None,
        }
    }

    fn table_name(&mut self, schema: Option<&str>, name: &str) {
        if let Some(schema) = schema.filter(|schema| !schema.is_empty()) {
            self.name(schema);
            self.put(".");
        }
        self.name(name);
    }

    fn table(&mut self, table: &TableRef) {
        match table {
            TableRef::Table(factor) => self.factor(factor),
            TableRef::Derived(derived) => {
                self.put(if derived.lateral { "lateral (" } else { "(" });
                self.query(&derived.query, true);
                self.put(") ");
                self.name(derived.alias.as_str());
                self.names_in_parentheses(&derived.columns);
            }
            TableRef::Join(join) => self.join(join),
            TableRef::List(list) => {
                (1..list.len()).for_each(|_| self.put("("));
                for (at, table) in list.iter().enumerate() {
                    self.put(if at > 0 { " join " } else { "" });
                    self.table(table);
                    self.put(if at > 0 { ")" } else { "" });
                }
            }
            TableRef::JsonTable(table) => self.json_table(table),
        }
    }

    fn factor(&mut self, factor: &TableFactor) {
        let schema = self.resolutions().and_then(|names| names.table_of(factor));
        self.table_name(schema.as_deref(), factor.name.name.as_str());
        if let Some(alias) = &factor.alias {
            self.put(" ");
            self.name(alias.as_str());
        }
        factor.hints.iter().for_each(|hint| self.hint(hint));
    }

    fn hint(&mut self, hint: &IndexHint) {
        self.put(match hint.action {
            IndexAction::Use => " USE INDEX",
            IndexAction::Force => " FORCE INDEX",
            IndexAction::Ignore => " IGNORE INDEX",
        });
        self.put(match hint.scope {
            Some(IndexScope::Join) => " FOR JOIN",
            Some(IndexScope::OrderBy) => " FOR ORDER BY",
            Some(IndexScope::GroupBy) => " FOR GROUP BY",
            None => "",
        });
        self.put(" (");
        for (at, index) in hint.indexes.iter().enumerate() {
            self.put(if at > 0 { "," } else { "" });
            if index.as_str().eq_ignore_ascii_case("primary") {
                self.put("PRIMARY");
            } else {
                self.name(index.as_str());
            }
        }
        self.put(")");
    }

    fn join(&mut self, join: &Join) {
        let swapped = join.kind == JoinKind::Right;
        let (left, right) =
            if swapped { (&join.right, &join.left) } else { (&join.left, &join.right) };
        self.put("(");
        self.table(left);
        self.put(match join.kind {
            JoinKind::Inner => " join ",
            JoinKind::Straight => " straight_join ",
            JoinKind::Left | JoinKind::Right => " left join ",
        });
        self.table(right);
        match &join.condition {
            JoinCondition::None => {}
            JoinCondition::On(condition) => {
                self.put(" on(");
                self.truth(condition);
                self.put(")");
            }
            JoinCondition::Using(_) | JoinCondition::Natural => {
                let pairs = self.resolutions().map(|names| names.join_of(join));
                self.pairs(&pairs.unwrap_or_default(), swapped);
            }
        }
        self.put(")");
    }

    fn pairs(&mut self, pairs: &[(ResolvedColumn, ResolvedColumn)], swapped: bool) {
        if pairs.is_empty() {
            return;
        }
        self.put(if pairs.len() > 1 { " on((" } else { " on(" });
        for (at, (left, right)) in pairs.iter().enumerate() {
            let (left, right) = if swapped { (right, left) } else { (left, right) };
            self.put(if at > 0 { " and (" } else { "(" });
            self.resolved(left);
            self.put(" = ");
            self.resolved(right);
            self.put(")");
        }
        self.put(if pairs.len() > 1 { "))" } else { ")" });
    }

    /// `left in (select …)` and such.
    pub(super) fn compared_with_query(&mut self, left: &Expr, word: &str, query: &Query) {
        self.value(left);
        self.put(word);
        self.put("(");
        self.query(query, false);
        self.put(")");
    }

    pub(super) fn quantified(&mut self, left: &Expr, op: BinaryOp, all: bool, query: &Query) {
        let word = match (op, all) {
            (BinaryOp::Eq, false) => " in ",
            (BinaryOp::Ne, true) => " not in ",
            (BinaryOp::Eq, true) => " = all ",
            (BinaryOp::Ne, false) => " <> any ",
            (BinaryOp::Lt, true) => " < all ",
            (BinaryOp::Lt, false) => " < any ",
            (BinaryOp::Le, true) => " <= all ",
            (BinaryOp::Le, false) => " <= any ",
            (BinaryOp::Gt, true) => " > all ",
            (BinaryOp::Gt, false) => " > any ",
            (_, true) => " >= all ",
            (_, false) => " >= any ",
        };
        self.compared_with_query(left, word, query);
    }

    pub(super) fn aggregate(&mut self, call: &Aggregate) {
        use AggregateKind as K;
        self.put(call.kind.name());
        self.put("(");
        self.put(if call.distinct { "distinct " } else { "" });
        if call.args.is_empty() {
            self.put("0");
        }
        self.list(&call.args);
        for (at, key) in call.order_by.iter().enumerate() {
            self.put(if at == 0 { " order by " } else { "," });
            self.value(&key.expr);
            self.put(if key.descending { " DESC" } else { " ASC" });
        }
        if call.kind == K::GroupConcat {
            self.put(" separator ");
            self.text(call.separator.as_deref().unwrap_or(b","), None);
        }
        self.put(")");
        if let Some(over) = &call.over {
            self.over(over);
        }
    }
}
