//! Queries and what they read from.

use super::Printer;
use super::expr::unit;
use crate::ast::{
    FileFormat, Frame, FrameBound, FrameExclude, FrameUnit, Hint, IndexAction, IndexHint,
    IndexScope, IntoClause, IntoVariable, Join, JoinCondition, JoinKind, JsonColumn, Limit,
    LockWait, Locking, OrderItem, Over, Query, QueryBody, Select, SelectItem, SetOp, TableFactor,
    TableRef, WindowSpec, With,
};

impl Printer {
    pub(super) fn query(&mut self, query: &Query) {
        self.with(query.with.as_ref());
        // INTO stands before FROM, which is allowed wherever INTO is.
        let into = query.into.as_deref();
        let late = self.body(&query.body, into);
        self.order_by(&query.order_by);
        self.limit(query.limit.as_ref());
        for locking in &query.locking {
            self.locking(locking);
        }
        if let Some(into) = late {
            self.into(into);
        }
    }

    pub(super) fn with(&mut self, with: Option<&With>) {
        let Some(with) = with else { return };
        self.word("WITH");
        self.word_if(with.recursive, "RECURSIVE");
        self.list(&with.tables, |p, table| {
            p.ident(&table.name);
            if !table.columns.is_empty() {
                p.idents(&table.columns);
            }
            p.word("AS");
            p.parens(|p| p.query(&table.query));
        });
    }

    /// Gives back what is to be printed behind everything else.
    fn body<'q>(
        &mut self,
        body: &QueryBody,
        into: Option<&'q IntoClause>,
    ) -> Option<&'q IntoClause> {
        match body {
            QueryBody::Select(select) => {
                self.select(select, into);
                return None;
            }
            QueryBody::Values(rows) => {
                self.word("VALUES");
                self.list(rows, |p, row| {
                    p.word("ROW");
                    p.paren_list(row, Self::expr);
                });
            }
            QueryBody::Table(name) => {
                self.word("TABLE");
                self.object(name);
            }
            QueryBody::Nested(query) => self.parens(|p| p.query(query)),
            QueryBody::Set { first, rest } => {
                // An INTERSECT below a UNION needs no parentheses.
                self.body(first, None);
                for (i, operand) in rest.iter().enumerate() {
                    self.word(match operand.op {
                        SetOp::Union => "UNION",
                        SetOp::Except => "EXCEPT",
                        SetOp::Intersect => "INTERSECT",
                    });
                    self.word_if(operand.all, "ALL");
                    let last = i + 1 == rest.len();
                    let late = self.body(&operand.body, into.filter(|_| last));
                    if last {
                        return late;
                    }
                }
            }
        }
        into
    }

    fn select(&mut self, select: &Select, into: Option<&IntoClause>) {
        self.word("SELECT");
        self.hints(&select.hints);
        let options = select.options;
        self.word_if(options.all, "ALL");
        self.word_if(options.distinct, "DISTINCT");
        self.word_if(options.high_priority, "HIGH_PRIORITY");
        self.word_if(options.straight_join, "STRAIGHT_JOIN");
        self.word_if(options.small_result, "SQL_SMALL_RESULT");
        self.word_if(options.big_result, "SQL_BIG_RESULT");
        self.word_if(options.buffer_result, "SQL_BUFFER_RESULT");
        self.word_if(options.no_cache, "SQL_NO_CACHE");
        self.word_if(options.calc_found_rows, "SQL_CALC_FOUND_ROWS");
        self.list(&select.items, |p, item| match item {
            SelectItem::All => p.word("*"),
            SelectItem::AllOf(name) => {
                p.object(name);
                p.put(".*");
            }
            SelectItem::Expr { expr, alias } => {
                p.expr(expr);
                p.alias(alias.as_ref());
            }
        });
        if let Some(into) = into {
            self.into(into);
        }
        if !select.from.is_empty() {
            self.word("FROM");
            self.tables(&select.from);
        }
        self.filter(select.filter.as_ref());
        if let Some(group_by) = &select.group_by {
            self.word("GROUP BY");
            self.exprs(&group_by.items);
            self.word_if(group_by.rollup, "WITH ROLLUP");
        }
        if let Some(having) = &select.having {
            self.word("HAVING");
            self.expr(having);
        }
        if !select.windows.is_empty() {
            self.word("WINDOW");
            self.list(&select.windows, |p, (name, spec)| {
                p.ident(name);
                p.word("AS");
                p.window_spec(spec);
            });
        }
        if let Some(qualify) = &select.qualify {
            self.word("QUALIFY");
            self.expr(qualify);
        }
    }

    pub(super) fn hints(&mut self, hints: &[Hint]) {
        if hints.is_empty() {
            return;
        }
        self.word("/*+");
        for hint in hints {
            match &hint.name {
                Some(name) => {
                    self.word(name);
                    self.put("(");
                    self.put(&hint.body);
                    self.put(")");
                }
                None => self.word(&hint.body),
            }
        }
        self.word("*/");
    }

    pub(super) fn alias(&mut self, alias: Option<&crate::ast::Ident>) {
        if let Some(alias) = alias {
            self.word("AS");
            self.ident(alias);
        }
    }

    pub(super) fn filter(&mut self, filter: Option<&crate::ast::Expr>) {
        if let Some(filter) = filter {
            self.word("WHERE");
            self.expr(filter);
        }
    }

    pub(super) fn order_by(&mut self, items: &[OrderItem]) {
        if !items.is_empty() {
            self.word("ORDER BY");
            self.list(items, |p, item| {
                p.expr(&item.expr);
                p.word_if(item.descending, "DESC");
            });
        }
    }

    pub(super) fn limit(&mut self, limit: Option<&Limit>) {
        if let Some(limit) = limit {
            self.word("LIMIT");
            match &limit.offset {
                // Parameters have to keep their order.
                Some(offset) if offset.span.start < limit.rows.span.start => {
                    self.expr(offset);
                    self.put(",");
                    return self.expr(&limit.rows);
                }
                _ => self.expr(&limit.rows),
            }
            if let Some(offset) = &limit.offset {
                self.word("OFFSET");
                self.expr(offset);
            }
        }
    }

    fn locking(&mut self, locking: &Locking) {
        self.word(if locking.update { "FOR UPDATE" } else { "FOR SHARE" });
        if !locking.of.is_empty() {
            self.word("OF");
            self.list(&locking.of, Self::object);
        }
        self.word(match locking.wait {
            LockWait::Wait => "",
            LockWait::NoWait => "NOWAIT",
            LockWait::SkipLocked => "SKIP LOCKED",
        });
    }

    fn into(&mut self, into: &IntoClause) {
        self.word("INTO");
        match into {
            IntoClause::Outfile { file, charset, format } => {
                self.word_string("OUTFILE", Some(file));
                if let Some(charset) = charset {
                    self.word("CHARACTER SET");
                    self.ident(charset);
                }
                self.file_format(format);
            }
            IntoClause::Dumpfile(file) => self.word_string("DUMPFILE", Some(file)),
            IntoClause::Variables(variables) => {
                self.list(variables, |p, variable| match variable {
                    IntoVariable::User(name) => p.user_variable(&name.text),
                    IntoVariable::Local(name) => p.ident(name),
                })
            }
        }
    }

    pub(super) fn file_format(&mut self, format: &FileFormat) {
        if format.fields_terminated.is_some()
            || format.enclosed.is_some()
            || format.escaped.is_some()
        {
            self.word("FIELDS");
            self.word_string("TERMINATED BY", format.fields_terminated.as_ref());
            self.word_if(format.optionally_enclosed, "OPTIONALLY");
            self.word_string("ENCLOSED BY", format.enclosed.as_ref());
            self.word_string("ESCAPED BY", format.escaped.as_ref());
        }
        if format.lines_starting.is_some() || format.lines_terminated.is_some() {
            self.word("LINES");
            self.word_string("STARTING BY", format.lines_starting.as_ref());
            self.word_string("TERMINATED BY", format.lines_terminated.as_ref());
        }
    }

    pub(super) fn tables(&mut self, tables: &[TableRef]) {
        self.list(tables, Self::table_ref);
    }

    fn table_ref(&mut self, table: &TableRef) {
        match table {
            TableRef::Table(factor) => self.table_factor(factor),
            TableRef::Derived(derived) => {
                self.word_if(derived.lateral, "LATERAL");
                self.parens(|p| p.query(&derived.query));
                self.alias(Some(&derived.alias));
                if !derived.columns.is_empty() {
                    self.idents(&derived.columns);
                }
            }
            TableRef::JsonTable(table) => {
                self.word("JSON_TABLE(");
                self.expr(&table.expr);
                self.put(", ");
                self.expr(&table.path);
                self.json_columns(&table.columns);
                self.put(")");
                self.alias(Some(&table.alias));
            }
            TableRef::Join(join) => self.join(join),
            TableRef::List(tables) => self.paren_list(tables, Self::table_ref),
        }
    }

    fn join(&mut self, join: &Join) {
        self.table_ref(&join.left);
        self.word_if(join.condition == JoinCondition::Natural, "NATURAL");
        self.word(match join.kind {
            JoinKind::Inner => "JOIN",
            JoinKind::Straight => "STRAIGHT_JOIN",
            JoinKind::Left => "LEFT JOIN",
            JoinKind::Right => "RIGHT JOIN",
        });
        if matches!(join.right, TableRef::Join(_)) {
            self.parens(|p| p.table_ref(&join.right));
        } else {
            self.table_ref(&join.right);
        }
        match &join.condition {
            JoinCondition::None | JoinCondition::Natural => {}
            JoinCondition::On(expr) => {
                self.word("ON");
                self.expr(expr);
            }
            JoinCondition::Using(columns) => {
                self.word("USING");
                self.idents(columns);
            }
        }
    }

    fn table_factor(&mut self, factor: &TableFactor) {
        self.object(&factor.name);
        if !factor.partitions.is_empty() {
            self.word("PARTITION");
            self.idents(&factor.partitions);
        }
        self.alias(factor.alias.as_ref());
        if let Some(sample) = &factor.sample {
            self.word("TABLESAMPLE");
            self.word(if sample.system { "SYSTEM" } else { "BERNOULLI" });
            self.parens(|p| p.expr(&sample.percent));
        }
        for hint in &factor.hints {
            self.index_hint(hint);
        }
    }

    fn index_hint(&mut self, hint: &IndexHint) {
        self.word(match hint.action {
            IndexAction::Use => "USE INDEX",
            IndexAction::Force => "FORCE INDEX",
            IndexAction::Ignore => "IGNORE INDEX",
        });
        self.word(match hint.scope {
            None => "",
            Some(IndexScope::Join) => "FOR JOIN",
            Some(IndexScope::OrderBy) => "FOR ORDER BY",
            Some(IndexScope::GroupBy) => "FOR GROUP BY",
        });
        self.idents(&hint.indexes);
    }

    fn json_columns(&mut self, columns: &[JsonColumn]) {
        self.word("COLUMNS");
        self.paren_list(columns, |p, column| match column {
            JsonColumn::Ordinality(name) => {
                p.ident(name);
                p.word("FOR ORDINALITY");
            }
            JsonColumn::Path { name, data_type, collation, exists, path, on_empty, on_error } => {
                p.ident(name);
                p.data_type(data_type);
                if let Some(collation) = collation {
                    p.word("COLLATE");
                    p.ident(collation);
                }
                p.word_if(*exists, "EXISTS");
                p.word("PATH");
                p.expr(path);
                p.json_on(on_empty.as_ref(), "EMPTY");
                p.json_on(on_error.as_ref(), "ERROR");
            }
            JsonColumn::Nested { path, columns } => {
                p.word("NESTED PATH");
                p.expr(path);
                p.json_columns(columns);
            }
        });
    }

    pub(super) fn over(&mut self, over: &Over) {
        self.word("OVER");
        match over {
            Over::Name(name) => self.ident(name),
            Over::Window(spec) => self.window_spec(spec),
        }
    }

    fn window_spec(&mut self, spec: &WindowSpec) {
        self.parens(|p| {
            if let Some(base) = &spec.base {
                p.ident(base);
            }
            if !spec.partition_by.is_empty() {
                p.word("PARTITION BY");
                p.exprs(&spec.partition_by);
            }
            p.order_by(&spec.order_by);
            if let Some(frame) = &spec.frame {
                p.frame(frame);
            }
        });
    }

    fn frame(&mut self, frame: &Frame) {
        self.word(match frame.unit {
            FrameUnit::Rows => "ROWS",
            FrameUnit::Range => "RANGE",
            FrameUnit::Groups => "GROUPS",
        });
        self.word_if(frame.end.is_some(), "BETWEEN");
        self.frame_bound(&frame.start);
        if let Some(end) = &frame.end {
            self.word("AND");
            self.frame_bound(end);
        }
        self.word(match frame.exclude {
            None => "",
            Some(FrameExclude::CurrentRow) => "EXCLUDE CURRENT ROW",
            Some(FrameExclude::Group) => "EXCLUDE GROUP",
            Some(FrameExclude::Ties) => "EXCLUDE TIES",
            Some(FrameExclude::NoOthers) => "EXCLUDE NO OTHERS",
        });
    }

    fn frame_bound(&mut self, bound: &FrameBound) {
        let (distance, of, word) = match bound {
            FrameBound::UnboundedPreceding => return self.word("UNBOUNDED PRECEDING"),
            FrameBound::UnboundedFollowing => return self.word("UNBOUNDED FOLLOWING"),
            FrameBound::CurrentRow => return self.word("CURRENT ROW"),
            FrameBound::Preceding(distance, of) => (distance, of, "PRECEDING"),
            FrameBound::Following(distance, of) => (distance, of, "FOLLOWING"),
        };
        self.word_if(of.is_some(), "INTERVAL");
        self.expr(distance);
        if let Some(of) = of {
            self.word(unit(*of));
        }
        self.word(word);
    }
}
