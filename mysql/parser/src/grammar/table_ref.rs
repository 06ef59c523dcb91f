//! FROM: tables, derived tables, joins.

use super::Grammar;
use super::expr::level;
use crate::ast::{
    Derived, Ident, IndexAction, IndexHint, IndexScope, Join, JoinCondition, JoinKind, JsonColumn,
    JsonTable, Query, TableFactor, TableRef, TableSample,
};
use crate::error::{ErrorKind, Result};
use crate::lexer::T;

/// What stood in parentheses in FROM.
enum TableGroup {
    Query(Box<Query>),
    Tables(Vec<TableRef>),
}

impl Grammar<'_> {
    /// Tables with commas between.
    pub(super) fn table_refs(&mut self) -> Result<Vec<TableRef>> {
        let outer = std::mem::take(&mut self.height);
        let mut all = Vec::with_capacity(1);
        loop {
            all.push(self.table_ref()?);
            if !self.eat(T::Comma) {
                break;
            }
        }
        self.height = self.height.max(outer);
        Ok(all)
    }

    /// A table or a join.
    pub(super) fn table_ref(&mut self) -> Result<TableRef> {
        self.enter()?;
        // ODBC: `{ OJ a LEFT JOIN b … }`
        let left = if self.eat(T::LBrace) {
            self.ident()?;
            let inside = self.table_ref()?;
            self.expect(T::RBrace)?;
            inside
        } else {
            self.table_factor()?
        };
        let joined = self.joins(left)?;
        self.leave();
        Ok(joined)
    }

    fn join_kind(&self) -> Option<(JoinKind, bool)> {
        let kind = match self.kind() {
            T::JOIN | T::INNER | T::CROSS => JoinKind::Inner,
            T::STRAIGHT_JOIN => JoinKind::Straight,
            T::LEFT => JoinKind::Left,
            T::RIGHT => JoinKind::Right,
            T::NATURAL => {
                let kind = match self.kind_at(1) {
                    T::LEFT => JoinKind::Left,
                    T::RIGHT => JoinKind::Right,
                    _ => JoinKind::Inner,
                };
                return Some((kind, true));
            }
            _ => return None,
        };
        Some((kind, false))
    }

    /// What is joined to `left`.
    ///
    /// The right side of a join takes the joins behind it, up to its ON:
    /// `a JOIN b JOIN c ON x ON y` is `a JOIN (b JOIN c ON x) ON y`. A join that
    /// gets no ON in the end slides down the left side of what it took:
    /// `a JOIN b JOIN c ON x` is `(a JOIN b) JOIN c ON x`.
    fn joins(&mut self, mut left: TableRef) -> Result<TableRef> {
        while let Some((kind, natural)) = self.join_kind() {
            if natural {
                self.bump();
                if kind == JoinKind::Inner {
                    self.eat(T::INNER);
                } else {
                    self.bump();
                    self.eat(T::OUTER);
                }
                self.expect(T::JOIN)?;
                let right = self.table_factor()?;
                self.taller()?;
                let condition = JoinCondition::Natural;
                left = TableRef::Join(Box::new(Join { kind, left, right, condition }));
                continue;
            }
            match self.bump().kind {
                T::INNER | T::CROSS => {
                    self.expect(T::JOIN)?;
                }
                T::LEFT | T::RIGHT => {
                    self.eat(T::OUTER);
                    self.expect(T::JOIN)?;
                }
                _ => {}
            }
            let right = self.table_ref()?;
            self.taller()?;
            let condition = if self.eat(T::ON) {
                JoinCondition::On(self.expr()?)
            } else if self.at(T::USING) {
                self.bump();
                JoinCondition::Using(self.ident_list()?)
            } else if matches!(kind, JoinKind::Inner | JoinKind::Straight) {
                left = slide(left, kind, right);
                continue;
            } else {
                return Err(self.unexpected());
            };
            left = TableRef::Join(Box::new(Join { kind, left, right, condition }));
        }
        Ok(left)
    }

    fn table_factor(&mut self) -> Result<TableRef> {
        match self.kind() {
            T::LParen => match self.table_group()? {
                TableGroup::Query(query) => self.derived(query, false),
                TableGroup::Tables(mut tables) => {
                    if tables.len() > 1 {
                        self.taller()?;
                        return Ok(TableRef::List(tables));
                    }
                    if matches!(tables.first(), Some(TableRef::Derived(_) | TableRef::JsonTable(_)))
                    {
                        return Err(self.unexpected());
                    }
                    tables.pop().ok_or_else(|| self.unexpected())
                }
            },
            T::LATERAL => {
                self.bump();
                let query = self.subquery()?;
                self.derived(query, true)
            }
            T::JSON_TABLE => self.json_table(),
            _ => self.table(),
        }
    }

    /// `(` in FROM: see [`Grammar::group`].
    fn table_group(&mut self) -> Result<TableGroup> {
        self.enter()?;
        self.expect(T::LParen)?;
        let first = if self.query_starts() {
            let query = self.query()?;
            self.expect(T::RParen)?;
            self.leave();
            return self.without_into(query).map(TableGroup::Query);
        } else if self.at(T::LParen) {
            let start = self.here();
            match self.table_group()? {
                TableGroup::Query(query) if self.query_goes_on() => {
                    let query = if self.at(T::RParen) {
                        query
                    } else {
                        self.query_from(None, Self::operand(query), start)?
                    };
                    self.expect(T::RParen)?;
                    self.leave();
                    return self.without_into(query).map(TableGroup::Query);
                }
                TableGroup::Query(query) => {
                    let derived = self.derived(query, false)?;
                    self.joins(derived)?
                }
                TableGroup::Tables(mut tables) => {
                    let left = match tables.len() {
                        1 => tables.pop().ok_or_else(|| self.unexpected())?,
                        _ => TableRef::List(tables),
                    };
                    self.joins(left)?
                }
            }
        } else {
            self.table_ref()?
        };
        let mut tables = vec![first];
        while self.eat(T::Comma) {
            tables.push(self.table_ref()?);
        }
        self.expect(T::RParen)?;
        self.leave();
        Ok(TableGroup::Tables(tables))
    }

    fn derived(&mut self, query: Box<Query>, lateral: bool) -> Result<TableRef> {
        self.taller()?;
        if !self.eat(T::AS) && !self.at_name() {
            return Err(self.error(ErrorKind::DerivedAlias));
        }
        let alias = self.ident()?;
        let columns = self.maybe_ident_list()?;
        Ok(TableRef::Derived(Box::new(Derived { lateral, query, alias, columns })))
    }

    fn table(&mut self) -> Result<TableRef> {
        let name = self.object_name()?;
        let mut partitions = Vec::new();
        if self.eat(T::PARTITION) {
            partitions = self.ident_list()?;
        }
        let alias = self.table_alias()?;
        let sample = if self.eat(T::TABLESAMPLE) {
            let system = self.one_of(&[T::SYSTEM, T::BERNOULLI])? == T::SYSTEM;
            let percent = self.parens(|g| g.expr_at(level::PRIMARY))?;
            Some(TableSample { system, percent })
        } else {
            None
        };
        let mut hints = Vec::new();
        while self.at_any(&[T::USE, T::FORCE, T::IGNORE])
            && matches!(self.kind_at(1), T::INDEX | T::KEY)
        {
            hints.push(self.index_hint()?);
        }
        Ok(TableRef::Table(Box::new(TableFactor { name, partitions, alias, hints, sample })))
    }

    pub(super) fn table_alias(&mut self) -> Result<Option<Ident>> {
        if self.eat(T::AS) || self.at_name() {
            return self.ident().map(Some);
        }
        // `=` as AS is gone since MySQL 8.
        Ok(None)
    }

    fn index_hint(&mut self) -> Result<IndexHint> {
        let action = match self.bump().kind {
            T::USE => IndexAction::Use,
            T::FORCE => IndexAction::Force,
            _ => IndexAction::Ignore,
        };
        self.bump();
        let scope = if self.eat(T::FOR) {
            Some(match self.one_of(&[T::JOIN, T::ORDER, T::GROUP])? {
                T::JOIN => IndexScope::Join,
                kind => {
                    self.expect(T::BY)?;
                    if kind == T::ORDER { IndexScope::OrderBy } else { IndexScope::GroupBy }
                }
            })
        } else {
            None
        };
        let mut indexes = Vec::new();
        self.expect(T::LParen)?;
        if !(action == IndexAction::Use && self.at(T::RParen)) {
            indexes = self.list(Self::index_name)?;
        }
        self.expect(T::RParen)?;
        Ok(IndexHint { action, scope, indexes })
    }

    /// The name of an index; PRIMARY is one.
    pub(super) fn index_name(&mut self) -> Result<Ident> {
        if self.at(T::PRIMARY) {
            let token = self.bump();
            return Ok(Self::word("PRIMARY", token));
        }
        self.ident()
    }

    fn json_table(&mut self) -> Result<TableRef> {
        self.expect_all(&[T::JSON_TABLE, T::LParen])?;
        let expr = self.expr()?;
        self.expect(T::Comma)?;
        let path = self.text_expr()?;
        let columns = self.json_columns()?;
        self.expect(T::RParen)?;
        if !self.eat(T::AS) && !self.at_name() {
            return Err(self.error(ErrorKind::DerivedAlias));
        }
        let alias = self.ident()?;
        self.taller()?;
        Ok(TableRef::JsonTable(Box::new(JsonTable { expr, path, columns, alias })))
    }

    fn json_columns(&mut self) -> Result<Vec<JsonColumn>> {
        self.enter()?;
        self.expect(T::COLUMNS)?;
        let columns = self.paren_list(Self::json_column)?;
        self.leave();
        Ok(columns)
    }

    fn json_column(&mut self) -> Result<JsonColumn> {
        if self.at(T::NESTED) && (self.kind_at(1) == T::PATH || self.kind_at(1) == T::Text) {
            self.bump();
            self.eat(T::PATH);
            let path = self.text_expr()?;
            let columns = self.json_columns()?;
            return Ok(JsonColumn::Nested { path, columns });
        }
        let name = self.ident()?;
        if self.eat(T::FOR) {
            self.expect(T::ORDINALITY)?;
            return Ok(JsonColumn::Ordinality(name));
        }
        let data_type = Box::new(self.data_type()?);
        let collation = if self.eat(T::COLLATE) { Some(self.collation_name()?) } else { None };
        let exists = self.eat(T::EXISTS);
        self.expect(T::PATH)?;
        let path = self.text_expr()?;
        let (on_empty, on_error) = if exists { (None, None) } else { self.json_on()? };
        Ok(JsonColumn::Path { name, data_type, collation, exists, path, on_empty, on_error })
    }

    pub(super) fn without_into(&self, query: Box<Query>) -> Result<Box<Query>> {
        if query.into.is_some() { Err(self.error(ErrorKind::MisplacedInto)) } else { Ok(query) }
    }
}

/// `left` joined without a condition to the leftmost table of `right`.
fn slide(left: TableRef, kind: JoinKind, right: TableRef) -> TableRef {
    let mut whole = right;
    let mut leaf = &mut whole;
    while let TableRef::Join(join) = leaf {
        leaf = &mut join.left;
    }
    let placeholder = TableRef::List(Vec::new());
    let right = std::mem::replace(leaf, placeholder);
    let condition = JoinCondition::None;
    *leaf = TableRef::Join(Box::new(Join { kind, left, right, condition }));
    whole
}
