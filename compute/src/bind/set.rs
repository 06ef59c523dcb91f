//! UNION, INTERSECT and EXCEPT, VALUES, and clauses behind parentheses: one block over
//! the rows of others.

use std::sync::Arc;

use firn_mysql_parser::ast;
use firn_mysql_protocol::ColumnFlags;
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::{Binder, Column, Node, Result};
use firn_mysql_semantics::{Derivation, SqlType, TypeKind};

use super::clauses::Clauses;
use super::scope::{ScopeColumn, ScopeTable, StatementScope};
use super::statement::Statement;
use super::{
    Block, BoundSelect, Derived, Destination, Groupings, Item, JoinKind, NamedItem, Source,
    TableSource, Used, Windows,
};

/// Queries whose rows are put together, from left to right.
pub(crate) struct BoundSet {
    /// The queries.
    pub(crate) parts: Vec<SetPart>,
    /// The types of the columns.
    pub(crate) types: Vec<SqlType>,
}

/// One of the queries.
pub(crate) struct SetPart {
    /// How its rows join those before it, and whether equal ones stay; none of the first.
    pub(crate) op: Option<(ast::SetOp, bool)>,
    /// The query.
    pub(crate) query: BoundSelect,
    /// What it takes from the row around, over that row.
    pub(crate) outer: Vec<Node>,
    /// The columns in the types of the whole, over the query's own columns.
    pub(crate) columns: Vec<Node>,
}

impl BoundSet {
    pub(super) fn outer(&mut self, each: &mut dyn FnMut(&mut Node)) {
        for part in &mut self.parts {
            part.outer.iter_mut().for_each(&mut *each);
        }
    }

    pub(super) fn is_volatile(&mut self) -> bool {
        self.parts.iter_mut().any(|part| part.query.is_volatile())
    }
}

/// A query without anything behind it.
pub(super) fn bare() -> ast::Query {
    ast::Query {
        with: None,
        body: ast::QueryBody::Values(Vec::new()),
        order_by: Vec::new(),
        limit: None,
        locking: Vec::new(),
        into: None,
        span: ast::Span::default(),
    }
}

/// `SELECT items`
pub(super) fn select(items: Vec<ast::SelectItem>) -> ast::Select {
    ast::Select {
        hints: Vec::new(),
        options: ast::SelectOptions::default(),
        items,
        from: Vec::new(),
        filter: None,
        group_by: None,
        having: None,
        windows: Vec::new(),
        qualify: None,
    }
}

/// The scope between the parts of a query and what is around it.
pub(super) fn around<'a>(statement: &Statement<'a>, block: &'a Block) -> StatementScope<'a> {
    StatementScope::of_tables(*statement, block, &[], "field list")
}

impl BoundSelect {
    /// One block over the rows of `body`, with the clauses behind it.
    pub(super) fn over_parts(
        statement: &Statement<'_>,
        body: &ast::QueryBody,
        tail: &ast::Query,
    ) -> Result<Self> {
        let block = Block::default();
        let scope = around(statement, &block);
        let outer = statement.outer.is_some().then_some(&scope);
        let inner = Statement { outer, ..statement.deeper()? };
        let (rows, columns) = match body {
            ast::QueryBody::Nested(query) => {
                let mut query = Self::bind(&inner, query)?;
                query.warn_in(&block);
                let columns: Vec<ScopeColumn> =
                    query.items.iter().map(|item| column(item, item.node.ty)).collect();
                query.calc_found_rows = false;
                let outer = query.outer.iter().cloned().map(Node::column).collect();
                (Derived::Query { query: Box::new(query), outer, lateral: false }, columns)
            }
            ast::QueryBody::Values(rows) => {
                let width = rows.first().map_or(0, Vec::len);
                if let Some(at) = rows.iter().position(|row| row.len() != width) {
                    let number = code::ER_WRONG_VALUE_COUNT_ON_ROW;
                    return Err(SqlError::new(number, &[(at as u64 + 1).into()]));
                }
                let rows = rows.iter().map(|row| values(&inner, row));
                let queries = rows.map(|query| Ok((None, query?))).collect::<Result<Vec<_>>>()?;
                put_together(&inner, queries, statement.operand)?
            }
            ast::QueryBody::Set { first, rest } => {
                let mut keys = tail.order_by.iter();
                if let Some(at) = keys.position(|key| super::clauses::has_aggregate(&key.expr)) {
                    let number = code::ER_AGGREGATE_ORDER_FOR_UNION;
                    return Err(SqlError::new(number, &[(at as u64 + 1).into()]));
                }
                let mut queries: Vec<(Option<(ast::SetOp, bool)>, Self)> = Vec::new();
                for (op, body) in super::set_row::in_a_row(first, rest) {
                    let query = Self::part(&inner, body)?;
                    // A server looks at the next query only if this one fits.
                    if queries.first().is_some_and(|(_, one)| one.items.len() != query.items.len())
                    {
                        return Err(SqlError::new(code::ER_WRONG_NUMBER_OF_COLUMNS_IN_SELECT, &[]));
                    }
                    queries.push((op, query));
                }
                queries.iter_mut().for_each(|(_, query)| query.warn_in(&block));
                put_together(&inner, queries, statement.operand)?
            }
            ast::QueryBody::Select(_) | ast::QueryBody::Table(_) => {
                return Self::part(statement, body);
            }
        };
        Self::over(statement, &block, tail, rows, columns.into())
    }

    /// What binding it has to warn of becomes the block's.
    pub(super) fn warn_in(&mut self, block: &Block) {
        std::mem::take(&mut self.warnings).into_iter().for_each(|warning| block.warn(warning));
    }

    /// One of the queries of a set operation.
    pub(super) fn part(statement: &Statement<'_>, body: &ast::QueryBody) -> Result<Self> {
        Self::body(&Statement { operand: true, ..*statement }, body, &bare())
    }

    /// `SELECT * FROM rows` with the clauses of `tail`.
    fn over(
        statement: &Statement<'_>,
        block: &Block,
        tail: &ast::Query,
        rows: Derived,
        columns: Arc<[ScopeColumn]>,
    ) -> Result<Self> {
        let width = columns.len();
        let nameless: Arc<str> = Arc::from("");
        let tables = vec![ScopeTable {
            schema: Arc::clone(&nameless),
            table: Arc::clone(&nameless),
            alias: nameless,
            start: 0,
            columns,
            optional: false,
            merged: Vec::new(),
            used: Used::default(),
        }];
        let items: Vec<Item> = {
            let scope = StatementScope::of_tables(*statement, block, &tables, "field list");
            let item = |at| {
                let item = super::items::column_item(&scope, 0, at);
                Item { column: None, flags: ColumnFlags::EMPTY, ..item }
            };
            (0..width).map(item).collect()
        };
        let named: Vec<NamedItem> = items
            .iter()
            .enumerate()
            .map(|(at, item)| NamedItem {
                name: item.name.clone(),
                ty: item.node.ty,
                members: item.members.clone(),
                place: width + at,
                aliased: true,
                column: Some((0, at)),
            })
            .collect();
        // Only the names of the result can be used behind it.
        for key in &tail.order_by {
            if let ast::ExprKind::Column(name) = &key.expr.kind
                && let Some(qualifier) = &name.qualifier
            {
                let names = [qualifier.table.as_str().into(), "global ORDER clause".into()];
                return Err(SqlError::new(code::ER_TABLENAME_NOT_ALLOWED_HERE, &names));
            }
        }
        let scope = StatementScope {
            items: &named,
            ..StatementScope::of_tables(*statement, block, &[], "order clause")
        };
        let nothing = select(Vec::new());
        let mut clauses = Clauses::bind(statement, &scope, &nothing, tail, &items, width)?;
        clauses.warnings.extend(block.take_warnings());
        let source = Source {
            known: None,
            table: 0,
            rows: TableSource::Derived(Box::new(rows)),
            kind: JoinKind::Inner,
            on: Vec::new(),
            hints: Vec::new(),
            straight: false,
            after: Vec::new(),
            apart: false,
            locked: super::Locked::default(),
        };
        let outer = block.take_outer();
        let outer_start = width * 2;
        let mut this = Self {
            tables,
            sources: vec![source],
            filter: Vec::new(),
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
            order_by: clauses.order_by,
            distinct: false,
            limit: clauses.limit,
            calc_found_rows: false,
            locking: super::locking::of_set(statement, &tail.locking)?,
            apart: false,
            into: Destination::bind(tail.into.as_deref())?,
            subqueries: block.take_subqueries(),
            row_len: outer_start + outer.len(),
            outer,
            outer_start,
            warnings: clauses.warnings,
        };
        this.nodes(&mut |node| super::block::place_outer(node, outer_start));
        Ok(this)
    }
}

/// `VALUES ROW(…)` is a SELECT without a table for each row.
fn values(statement: &Statement<'_>, row: &[ast::Expr]) -> Result<BoundSelect> {
    let item = |(at, expr): (usize, &ast::Expr)| {
        let text = format!("column_{at}");
        let name = ast::Ident { text: text.as_str().into(), span: ast::Span::default() };
        ast::SelectItem::Expr { expr: expr.clone(), alias: Some(name) }
    };
    let items = row.iter().enumerate().map(item).collect();
    BoundSelect::block(statement, &bare(), &select(items))
}

fn column(item: &Item, ty: SqlType) -> ScopeColumn {
    ScopeColumn {
        printed: None,
        name: Arc::from(&*item.name),
        ty,
        members: item.members.clone(),
        flags: ColumnFlags::EMPTY,
        zerofill: item.zerofill,
        named: true,
        starred: true,
        origin: None,
    }
}

/// A column of a query's result.
pub(super) fn placeholder(item: &Item, index: usize) -> Node {
    Node::column(Column {
        index,
        ty: item.node.ty,
        name: item.name.clone(),
        members: item.members.clone(),
    })
}

/// The queries of a set operation, their columns brought to the types in common.
fn put_together(
    statement: &Statement<'_>,
    queries: Vec<(Option<(ast::SetOp, bool)>, BoundSelect)>,
    operand: bool,
) -> Result<(Derived, Vec<ScopeColumn>)> {
    // Rows of VALUES join by UNION ALL.
    let with_op = |(at, (op, query))| match (at, op) {
        (0, _) => (None, query),
        (_, None) => (Some((ast::SetOp::Union, true)), query),
        (_, op) => (op, query),
    };
    let queries: Vec<_> = queries.into_iter().enumerate().map(with_op).collect();
    let (set, columns) = merged(&Statement { operand, ..*statement }, queries)?;
    Ok((Derived::Set(set), columns))
}

/// The columns `at` of all queries, and the type that they have in common. A run of one
/// operation agrees on a type before it meets the next. Texts of several collations are in
/// none, which is an error where the whole ends so; a run or an `operand` of another operation
/// then takes any.
fn common_type(
    binder: &Binder<'_>,
    operand: bool,
    queries: &[(Option<(ast::SetOp, bool)>, BoundSelect)],
    at: usize,
) -> Result<(Vec<Node>, SqlType)> {
    let mut args: Vec<Node> = Vec::with_capacity(queries.len());
    let mut run = None;
    for (next, (op, query)) in queries.iter().enumerate() {
        let op = op.map(|(op, _)| op);
        if run.is_some() && (op != run || is_apart(queries, next)) {
            let ty = reconciled(binder, met(binder, &mut args)?);
            args = args.into_iter().map(|arg| as_common(arg, ty)).collect();
        }
        run = op;
        let mut arg = placeholder(&query.items[at], at);
        if is_of_nulls(query, at) {
            arg.ty = SqlType::NULL;
        }
        args.push(arg);
    }
    let ty = met(binder, &mut args)?;
    if operand {
        return Ok((args, reconciled(binder, ty)));
    }
    if ty.kind.is_string() && ty.derivation == Derivation::None {
        return Err(SqlError::illegal_mix_of_collations("UNION"));
    }
    Ok((args, ty))
}

/// A type whose collations could not be reconciled, as one that yields to any other.
fn reconciled(binder: &Binder<'_>, mut ty: SqlType) -> SqlType {
    if ty.kind.is_string() && ty.derivation == Derivation::None {
        (ty.collation, ty.derivation) = (binder.connection(), Derivation::Coercible);
    }
    ty
}

/// Whether the queries before `at` agree on a type before they meet this one, which is of the
/// same operation: in a run of nothing but INTERSECT ALL, and where UNION ALL alone is left.
fn is_apart(queries: &[(Option<(ast::SetOp, bool)>, BoundSelect)], at: usize) -> bool {
    let Some(Some((op, all))) = queries.get(at).map(|(op, _)| *op) else { return false };
    let is = |(other, _): &&(Option<(ast::SetOp, bool)>, BoundSelect)| {
        other.is_some_and(|(other, _)| other == op)
    };
    let keeps =
        |(other, _): &(Option<(ast::SetOp, bool)>, BoundSelect)| other.is_some_and(|(_, all)| all);
    let mut before = queries[..at].iter().rev().take_while(is);
    let mut behind = queries[at..].iter().take_while(is);
    match op {
        ast::SetOp::Intersect => all && before.all(keeps) && behind.all(keeps),
        ast::SetOp::Union => before.next().is_some_and(|one| !keeps(one)) && behind.all(keeps),
        ast::SetOp::Except => false,
    }
}

/// Whether the column `at` of a set of queries is NULL in all of them. Such a set within
/// another is nothing but NULL, whatever it is to a client.
fn is_of_nulls(query: &BoundSelect, at: usize) -> bool {
    query.sources.iter().any(|source| {
        matches!(&source.rows, TableSource::Derived(rows)
            if matches!(&**rows, Derived::Set(set) if set.types[at].kind == TypeKind::Null))
    })
}

/// A column in the type of the whole; bits are their number in all but TEXT and BLOB.
fn as_common(arg: Node, ty: SqlType) -> Node {
    let arg = match arg.ty.kind {
        TypeKind::Bit if ty.kind != TypeKind::Bit && !ty.kind.is_text() => {
            let number = SqlType::bigint(arg.ty.length).with_unsigned(true);
            Node::as_type(arg, number.with_nullable(true))
        }
        _ => arg,
    };
    if ty.kind == TypeKind::Char && ty.collation.is_binary() {
        return Node::as_binary(arg, ty.length);
    }
    Node::as_type(arg, ty)
}

fn met(binder: &Binder<'_>, args: &mut [Node]) -> Result<SqlType> {
    let mut ty = binder.merged(args, "UNION")?;
    if matches!(ty.kind, TypeKind::Enum | TypeKind::Set) {
        ty.kind = TypeKind::Varchar;
    }
    Ok(ty)
}

/// Whether a column of the whole may be NULL: in UNION if any query's may, in INTERSECT if all
/// may, in EXCEPT if the first one may.
fn is_nullable(queries: &[(Option<(ast::SetOp, bool)>, BoundSelect)], at: usize) -> bool {
    queries.iter().fold(true, |whole, (op, query)| {
        let own = query.items[at].node.ty.nullable;
        match op {
            None => own,
            Some((ast::SetOp::Union, _)) => whole || own,
            Some((ast::SetOp::Intersect, _)) => whole && own,
            Some((ast::SetOp::Except, _)) => whole,
        }
    })
}

/// A set of queries with the columns that they have in common.
///
/// # Errors
/// 1222 if they have different numbers of columns.
pub(super) fn merged(
    statement: &Statement<'_>,
    queries: Vec<(Option<(ast::SetOp, bool)>, BoundSelect)>,
) -> Result<(BoundSet, Vec<ScopeColumn>)> {
    let Some((_, first)) = queries.first() else {
        return Err(SqlError::new(code::ER_NO_TABLES_USED, &[]));
    };
    let width = first.items.len();
    if queries.iter().any(|(_, query)| query.items.len() != width) {
        return Err(SqlError::new(code::ER_WRONG_NUMBER_OF_COLUMNS_IN_SELECT, &[]));
    }
    let nothing = firn_mysql_semantics::expr::NoColumns;
    let binder = Binder::new(statement.settings, &nothing, statement.params);
    let mut columns = Vec::with_capacity(width);
    let mut types = Vec::with_capacity(width);
    let mut converted: Vec<Vec<Node>> = queries.iter().map(|_| Vec::new()).collect();
    for at in 0..width {
        let (args, mut ty) = common_type(&binder, statement.operand, &queries, at)?;
        ty.nullable = is_nullable(&queries, at);
        if !statement.operand {
            ty = ty.as_stored();
        }
        for (list, arg) in converted.iter_mut().zip(args) {
            list.push(as_common(arg, ty));
        }
        let item = &first.items[at];
        types.push(ty);
        let ty = match ty.kind {
            TypeKind::Null if queries.len() == 1 => SqlType::NULL_COLUMN,
            TypeKind::Null => SqlType::NULL_STRING,
            _ => ty,
        };
        columns.push(ScopeColumn { members: None, zerofill: None, ..column(item, ty) });
    }
    let parts = queries.into_iter().zip(converted).map(|((op, query), columns)| {
        let outer = query.outer.iter().cloned().map(Node::column).collect();
        SetPart { op, query, outer, columns }
    });
    Ok((BoundSet { parts: parts.collect(), types }, columns))
}
