//! CREATE TABLE, CREATE INDEX and what they are made of.

use super::Grammar;
use crate::ast::{
    Check, ColumnAttribute, ColumnDef, ColumnFormat, CreateIndex, CreateTable, DropIndex, Expr,
    ExprKind, ForeignKey, Generated, Ident, IndexAlgorithm, IndexDef, IndexKey, IndexKind,
    IndexOption, IndexPart, MatchKind, RefAction, References, StatementKind, StorageMedia,
    TableElement,
};
use crate::error::Result;
use crate::lexer::T;

impl Grammar<'_> {
    /// Behind CREATE [TEMPORARY] TABLE.
    pub(super) fn create_table(&mut self, temporary: bool) -> Result<StatementKind> {
        let if_not_exists = self.if_not_exists()?;
        let name = self.object_name()?;
        let mut table = CreateTable {
            temporary,
            if_not_exists,
            name,
            like: None,
            elements: Vec::new(),
            options: Vec::new(),
            partitioning: None,
            duplicates: None,
            query: None,
        };
        if self.eat(T::LIKE) {
            table.like = Some(self.object_name()?);
            return Ok(StatementKind::CreateTable(Box::new(table)));
        }
        if self.at(T::LParen) && self.kind_at(1) == T::LIKE {
            self.bump();
            self.bump();
            table.like = Some(self.object_name()?);
            self.expect(T::RParen)?;
            return Ok(StatementKind::CreateTable(Box::new(table)));
        }
        let nested = self.at(T::LParen)
            && (matches!(self.kind_at(1), T::SELECT | T::WITH | T::TABLE | T::LParen)
                || (self.kind_at(1) == T::VALUES && self.kind_at(2) == T::ROW));
        if self.at(T::LParen) && !nested {
            table.elements = self.paren_list(Self::table_element)?;
        }
        while let Some(option) = self.table_option()? {
            table.options.push(option);
            self.eat(T::Comma);
        }
        if self.at(T::PARTITION) {
            table.partitioning = Some(Box::new(self.partitioning()?));
        }
        table.duplicates = self.duplicates();
        let as_query = self.eat(T::AS);
        if as_query || self.query_starts() || self.at(T::LParen) {
            table.query = Some(self.query()?);
        } else if table.duplicates.is_some() {
            return Err(self.unexpected());
        }
        Ok(StatementKind::CreateTable(Box::new(table)))
    }

    pub(super) fn table_element(&mut self) -> Result<TableElement> {
        match self.kind() {
            T::KEY
            | T::INDEX
            | T::UNIQUE
            | T::PRIMARY
            | T::FULLTEXT
            | T::SPATIAL
            | T::CONSTRAINT
            | T::FOREIGN
            | T::CHECK => self.constraint(),
            _ => self.column_def().map(TableElement::Column),
        }
    }

    /// An index, a foreign key or a check, with or without CONSTRAINT.
    pub(super) fn constraint(&mut self) -> Result<TableElement> {
        let mut constraint = None;
        let named = self.eat(T::CONSTRAINT);
        if named && self.at_name() {
            constraint = Some(self.ident()?);
        }
        let kind = match self.kind() {
            T::CHECK => return self.check(constraint).map(TableElement::Check),
            T::FOREIGN => return self.foreign_key(constraint).map(TableElement::ForeignKey),
            T::PRIMARY => {
                self.bump();
                self.expect(T::KEY)?;
                IndexKind::Primary
            }
            T::UNIQUE => {
                self.bump();
                self.eat_any(&[T::KEY, T::INDEX]);
                IndexKind::Unique
            }
            T::FULLTEXT | T::SPATIAL if !named => {
                let fulltext = self.bump().kind == T::FULLTEXT;
                self.eat_any(&[T::KEY, T::INDEX]);
                if fulltext { IndexKind::Fulltext } else { IndexKind::Spatial }
            }
            T::KEY | T::INDEX if !named => {
                self.bump();
                IndexKind::Plain
            }
            _ => return Err(self.unexpected()),
        };
        self.index_def(kind, constraint).map(TableElement::Index)
    }

    fn index_def(&mut self, kind: IndexKind, constraint: Option<Ident>) -> Result<IndexDef> {
        let name = if self.at_name() { Some(self.ident()?) } else { None };
        let mut options = Vec::new();
        let typed = !matches!(kind, IndexKind::Fulltext | IndexKind::Spatial);
        if typed && self.at_any(&[T::USING, T::TYPE]) {
            options.push(self.index_type()?);
        }
        let parts = self.paren_list(Self::index_part)?;
        self.index_options(kind, &mut options)?;
        Ok(IndexDef { kind, constraint, name, parts, options })
    }

    /// USING BTREE
    fn index_type(&mut self) -> Result<IndexOption> {
        self.one_of(&[T::USING, T::TYPE])?;
        Ok(IndexOption::Using(match self.one_of(&[T::BTREE, T::RTREE, T::HASH])? {
            T::BTREE => IndexAlgorithm::Btree,
            T::RTREE => IndexAlgorithm::Rtree,
            _ => IndexAlgorithm::Hash,
        }))
    }

    pub(super) fn index_part(&mut self) -> Result<IndexPart> {
        let key = if self.at(T::LParen) {
            IndexKey::Expr(self.parens(Self::expr)?)
        } else {
            IndexKey::Column(self.ident()?, self.maybe_length()?)
        };
        let descending = self.eat_any(&[T::ASC, T::DESC]) == Some(T::DESC);
        Ok(IndexPart { key, descending })
    }

    fn index_options(&mut self, kind: IndexKind, options: &mut Vec<IndexOption>) -> Result<()> {
        let typed = !matches!(kind, IndexKind::Fulltext | IndexKind::Spatial);
        loop {
            let foreign = match self.kind() {
                T::USING | T::TYPE => !typed,
                T::WITH => kind != IndexKind::Fulltext,
                _ => false,
            };
            if foreign {
                return Err(self.unexpected());
            }
            match self.index_option()? {
                Some(option) => options.push(option),
                None => return Ok(()),
            }
        }
    }

    fn index_option(&mut self) -> Result<Option<IndexOption>> {
        let kind = self.kind();
        Ok(Some(match kind {
            T::USING | T::TYPE => self.index_type()?,
            T::KEY_BLOCK_SIZE => {
                self.bump();
                self.eat_eq();
                IndexOption::KeyBlockSize(self.number()?)
            }
            T::COMMENT => {
                self.bump();
                IndexOption::Comment(self.text()?)
            }
            T::VISIBLE | T::INVISIBLE => {
                self.bump();
                IndexOption::Visible(kind == T::VISIBLE)
            }
            T::WITH => {
                self.bump();
                self.expect(T::PARSER)?;
                IndexOption::Parser(self.ident()?)
            }
            T::ENGINE_ATTRIBUTE => {
                self.bump();
                self.eat_eq();
                IndexOption::EngineAttribute(self.text()?)
            }
            T::SECONDARY_ENGINE_ATTRIBUTE => {
                self.bump();
                self.eat_eq();
                IndexOption::SecondaryEngineAttribute(self.text()?)
            }
            _ => return Ok(None),
        }))
    }

    pub(super) fn check(&mut self, constraint: Option<Ident>) -> Result<Check> {
        self.expect(T::CHECK)?;
        let expr = self.parens(Self::expr)?;
        let enforced = if self.eat_all(&[T::NOT, T::ENFORCED]) {
            Some(false)
        } else if self.eat(T::ENFORCED) {
            Some(true)
        } else {
            None
        };
        Ok(Check { constraint, expr, enforced })
    }

    fn foreign_key(&mut self, constraint: Option<Ident>) -> Result<ForeignKey> {
        self.expect_all(&[T::FOREIGN, T::KEY])?;
        let name = if self.at_name() { Some(self.ident()?) } else { None };
        let columns = self.paren_list(Self::index_part)?;
        Ok(ForeignKey { constraint, name, columns, references: self.references()? })
    }

    fn references(&mut self) -> Result<References> {
        self.expect(T::REFERENCES)?;
        let table = self.object_name()?;
        let columns = self.maybe_ident_list()?;
        let mut matching = None;
        if self.eat(T::MATCH) {
            matching = Some(match self.one_of(&[T::FULL, T::PARTIAL, T::SIMPLE])? {
                T::FULL => MatchKind::Full,
                T::PARTIAL => MatchKind::Partial,
                _ => MatchKind::Simple,
            });
        }
        let (mut on_delete, mut on_update) = (None, None);
        while self.at(T::ON) {
            let slot = match self.kind_at(1) {
                T::DELETE if on_delete.is_none() => &mut on_delete,
                T::UPDATE if on_update.is_none() => &mut on_update,
                _ => {
                    self.bump();
                    return Err(self.unexpected());
                }
            };
            self.bump();
            self.bump();
            *slot = Some(match self.one_of(&[T::RESTRICT, T::CASCADE, T::SET, T::NO])? {
                T::RESTRICT => RefAction::Restrict,
                T::CASCADE => RefAction::Cascade,
                T::SET if self.one_of(&[T::NULL, T::DEFAULT])? == T::NULL => RefAction::SetNull,
                T::SET => RefAction::SetDefault,
                _ => {
                    self.expect(T::ACTION)?;
                    RefAction::NoAction
                }
            });
        }
        Ok(References { table, columns, matching, on_delete, on_update })
    }

    pub(super) fn column_def(&mut self) -> Result<ColumnDef> {
        let name = self.ident()?;
        self.field_def(name)
    }

    /// Type and attributes of a column.
    pub(super) fn field_def(&mut self, name: Ident) -> Result<ColumnDef> {
        let data_type = self.data_type()?;
        let collation = if self.eat(T::COLLATE) { Some(self.collation_name()?) } else { None };
        let mut generated = None;
        if self.eat_all(&[T::GENERATED, T::ALWAYS]) || self.at(T::AS) {
            self.expect(T::AS)?;
            let expr = self.parens(Self::expr)?;
            let stored = self.eat_any(&[T::VIRTUAL, T::STORED]) == Some(T::STORED);
            generated = Some(Generated { expr, stored });
        }
        let mut attributes = Vec::new();
        let mut collated = collation.is_some();
        while let Some(attribute) = self.column_attribute(collated)? {
            collated |= matches!(attribute, ColumnAttribute::Collate(_));
            attributes.push(attribute);
        }
        Ok(ColumnDef { name, data_type, collation, generated, attributes })
    }

    fn column_attribute(&mut self, collated: bool) -> Result<Option<ColumnAttribute>> {
        let kind = self.kind();
        let simple = match kind {
            T::NULL => Some(ColumnAttribute::Null),
            T::VISIBLE => Some(ColumnAttribute::Visible(true)),
            T::INVISIBLE => Some(ColumnAttribute::Visible(false)),
            T::AUTO_INCREMENT => Some(ColumnAttribute::AutoIncrement),
            _ => None,
        };
        if let Some(simple) = simple {
            self.bump();
            return Ok(Some(simple));
        }
        Ok(Some(match kind {
            T::NOT => {
                self.bump();
                match self.one_of(&[T::NULL, T::SECONDARY])? {
                    T::NULL => ColumnAttribute::NotNull,
                    _ => ColumnAttribute::NotSecondary,
                }
            }
            T::DEFAULT => {
                self.bump();
                let (expr, parens) = self.default_value()?;
                ColumnAttribute::Default { expr, parens }
            }
            T::ON => {
                self.expect_all(&[T::ON, T::UPDATE])?;
                ColumnAttribute::OnUpdate(self.now()?)
            }
            T::SERIAL => {
                self.expect_all(&[T::SERIAL, T::DEFAULT, T::VALUE])?;
                ColumnAttribute::SerialDefaultValue
            }
            T::PRIMARY | T::KEY => {
                self.eat(T::PRIMARY);
                self.expect(T::KEY)?;
                ColumnAttribute::PrimaryKey
            }
            T::UNIQUE => {
                self.bump();
                self.eat(T::KEY);
                ColumnAttribute::Unique
            }
            T::COMMENT => {
                self.bump();
                ColumnAttribute::Comment(self.text()?)
            }
            T::COLLATE if collated => return Err(self.unexpected()),
            T::COLLATE => {
                self.bump();
                ColumnAttribute::Collate(self.collation_name()?)
            }
            T::COLUMN_FORMAT => {
                self.bump();
                ColumnAttribute::ColumnFormat(
                    match self.one_of(&[T::DEFAULT, T::FIXED, T::DYNAMIC])? {
                        T::DEFAULT => ColumnFormat::Default,
                        T::FIXED => ColumnFormat::Fixed,
                        _ => ColumnFormat::Dynamic,
                    },
                )
            }
            T::STORAGE => {
                self.bump();
                ColumnAttribute::Storage(self.storage_media()?)
            }
            T::SRID => {
                self.bump();
                ColumnAttribute::Srid(self.number()?)
            }
            T::CONSTRAINT => {
                self.bump();
                let name = if self.at_name() { Some(self.ident()?) } else { None };
                ColumnAttribute::Check(self.check(name)?)
            }
            T::CHECK => ColumnAttribute::Check(self.check(None)?),
            T::ENGINE_ATTRIBUTE => {
                self.bump();
                self.eat_eq();
                ColumnAttribute::EngineAttribute(self.text()?)
            }
            T::SECONDARY_ENGINE_ATTRIBUTE => {
                self.bump();
                self.eat_eq();
                ColumnAttribute::SecondaryEngineAttribute(self.text()?)
            }
            T::REFERENCES => ColumnAttribute::References(self.references()?),
            _ => return Ok(None),
        }))
    }

    pub(super) fn storage_media(&mut self) -> Result<StorageMedia> {
        Ok(match self.one_of(&[T::DEFAULT, T::DISK, T::MEMORY])? {
            T::DEFAULT => StorageMedia::Default,
            T::DISK => StorageMedia::Disk,
            _ => StorageMedia::Memory,
        })
    }

    /// What follows DEFAULT, and whether it was in parentheses.
    pub(super) fn default_value(&mut self) -> Result<(Expr, bool)> {
        if self.at(T::LParen) {
            return Ok((self.parens(Self::expr)?, true));
        }
        if self.at_now() {
            return Ok((self.now()?, false));
        }
        Ok((self.signed_literal()?, false))
    }

    fn at_now(&self) -> bool {
        self.at_any(&[T::NOW, T::CURRENT_TIMESTAMP, T::LOCALTIME, T::LOCALTIMESTAMP])
    }

    fn now(&mut self) -> Result<Expr> {
        if !self.at_now() {
            return Err(self.unexpected());
        }
        let start = self.here();
        let name = Self::word("now", self.bump());
        let kind: ExprKind = self.time_function(name)?;
        Ok(Expr { kind, span: self.span_from(start) })
    }

    /// Behind CREATE: `[UNIQUE | FULLTEXT | SPATIAL] INDEX`.
    pub(super) fn create_index(&mut self) -> Result<StatementKind> {
        let kind = match self.eat_any(&[T::UNIQUE, T::FULLTEXT, T::SPATIAL]) {
            Some(T::UNIQUE) => IndexKind::Unique,
            Some(T::FULLTEXT) => IndexKind::Fulltext,
            Some(_) => IndexKind::Spatial,
            None => IndexKind::Plain,
        };
        self.expect(T::INDEX)?;
        let name = Some(self.ident()?);
        let mut options = Vec::new();
        let typed = !matches!(kind, IndexKind::Fulltext | IndexKind::Spatial);
        if typed && self.at_any(&[T::USING, T::TYPE]) {
            options.push(self.index_type()?);
        }
        self.expect(T::ON)?;
        let table = self.object_name()?;
        let parts = self.paren_list(Self::index_part)?;
        self.index_options(kind, &mut options)?;
        let (algorithm, lock) = self.algorithm_and_lock()?;
        let index = IndexDef { kind, constraint: None, name, parts, options };
        Ok(StatementKind::CreateIndex(Box::new(CreateIndex { index, table, algorithm, lock })))
    }

    /// ALGORITHM and LOCK, in either order.
    fn algorithm_and_lock(&mut self) -> Result<(Option<Ident>, Option<Ident>)> {
        let (mut algorithm, mut lock) = (None, None);
        loop {
            if self.at(T::ALGORITHM) && algorithm.is_none() {
                algorithm = Some(self.online_option()?);
            } else if self.at(T::LOCK) && lock.is_none() {
                lock = Some(self.online_option()?);
            } else {
                return Ok((algorithm, lock));
            }
        }
    }

    /// `ALGORITHM [=] name` and `LOCK [=] name`.
    pub(super) fn online_option(&mut self) -> Result<Ident> {
        self.bump();
        self.eat_eq();
        if self.at(T::DEFAULT) {
            let token = self.bump();
            return Ok(Self::word("DEFAULT", token));
        }
        self.ident()
    }

    pub(super) fn drop_index(&mut self) -> Result<StatementKind> {
        self.expect(T::INDEX)?;
        let name = self.ident()?;
        self.expect(T::ON)?;
        let table = self.object_name()?;
        let (algorithm, lock) = self.algorithm_and_lock()?;
        Ok(StatementKind::DropIndex(Box::new(DropIndex { name, table, algorithm, lock })))
    }
}
