//! LOAD DATA, LOAD XML, IMPORT TABLE; EXPLAIN and DESCRIBE.

use super::Grammar;
use crate::ast::{
    Describe, Duplicates, Explain, ExplainTarget, Ident, Load, LoadColumn, LoadPriority,
    LoadSource, StatementKind,
};
use crate::error::Result;
use crate::lexer::T;

impl Grammar<'_> {
    pub(super) fn load(&mut self) -> Result<StatementKind> {
        self.expect(T::LOAD)?;
        if self.at(T::INDEX) {
            return self.load_index();
        }
        let xml = self.one_of(&[T::DATA, T::XML])? == T::XML;
        let priority = match self.eat_any(&[T::LOW_PRIORITY, T::CONCURRENT]) {
            Some(T::LOW_PRIORITY) => Some(LoadPriority::Low),
            Some(_) => Some(LoadPriority::Concurrent),
            None => None,
        };
        self.eat(T::FROM);
        let local = self.eat(T::LOCAL);
        let source = match self.one_of(&[T::INFILE, T::URL, T::S3])? {
            T::INFILE => LoadSource::Infile,
            T::URL => LoadSource::Url,
            _ => LoadSource::S3,
        };
        let file = self.text()?;
        let mut count = None;
        if self.eat(T::COUNT) || self.eat_word("count") {
            count = Some(self.number()?);
        }
        let in_primary_key_order = self.eat(T::IN);
        if in_primary_key_order {
            self.expect_all(&[T::PRIMARY, T::KEY, T::ORDER])?;
        }
        let duplicates = self.duplicates();
        self.expect_all(&[T::INTO, T::TABLE])?;
        let table = self.object_name()?;
        let partitions = if self.eat(T::PARTITION) { self.ident_list()? } else { Vec::new() };
        let charset = if self.eat_charset() { Some(self.charset_name()?) } else { None };
        let mut compression = None;
        if self.eat(T::COMPRESSION) {
            self.eat(T::Eq);
            compression = Some(self.text()?);
        }
        let mut rows_identified_by = None;
        if xml && self.eat(T::ROWS) {
            self.expect_all(&[T::IDENTIFIED, T::BY])?;
            rows_identified_by = Some(self.text()?);
        }
        let format = self.file_format()?;
        let mut skip = 0;
        if self.eat(T::IGNORE) {
            skip = self.number()?;
            self.one_of(&[T::LINES, T::ROWS])?;
        }
        let mut columns = Vec::new();
        if self.eat(T::LParen) {
            if !self.at(T::RParen) {
                columns = self.list(|g| {
                    if g.at(T::At) {
                        return g.user_variable().map(LoadColumn::Variable);
                    }
                    g.column_ref().map(LoadColumn::Column)
                })?;
            }
            self.expect(T::RParen)?;
        }
        let set = if self.eat(T::SET) { self.assignments()? } else { Vec::new() };
        let mut parallel = None;
        if self.eat(T::PARALLEL) {
            self.eat(T::Eq);
            parallel = Some(self.number()?);
        }
        let mut memory = None;
        if self.eat(T::MEMORY) {
            self.eat(T::Eq);
            let token = self.one_of_tokens(&[T::Int, T::Ident])?;
            memory = Some(self.ident_of(token)?.text);
        }
        let algorithm_bulk = self.eat(T::ALGORITHM);
        if algorithm_bulk {
            self.eat(T::Eq);
            self.expect(T::BULK)?;
        }
        Ok(StatementKind::Load(Box::new(Load {
            xml,
            priority,
            local,
            source,
            file,
            count,
            in_primary_key_order,
            duplicates,
            table,
            partitions,
            charset,
            compression,
            rows_identified_by,
            format,
            skip,
            columns,
            set,
            parallel,
            memory,
            algorithm_bulk,
        })))
    }

    /// IGNORE or REPLACE
    pub(super) fn duplicates(&mut self) -> Option<Duplicates> {
        self.eat_any(&[T::IGNORE, T::REPLACE]).map(|kind| match kind {
            T::IGNORE => Duplicates::Ignore,
            _ => Duplicates::Replace,
        })
    }

    pub(super) fn import_table(&mut self) -> Result<StatementKind> {
        self.expect_all(&[T::IMPORT, T::TABLE, T::FROM])?;
        Ok(StatementKind::ImportTable(self.list(Self::text)?))
    }

    /// EXPLAIN, DESCRIBE and DESC.
    pub(super) fn explain(&mut self) -> Result<StatementKind> {
        self.bump();
        let analyze = self.at(T::ANALYZE) && self.kind_at(1) != T::TABLE;
        if analyze {
            self.bump();
        }
        let mut format = None;
        if self.at(T::FORMAT) && self.kind_at(1) == T::Eq {
            self.bump();
            self.bump();
            format = Some(self.ident_or_text()?);
        }
        // A name of a table, unless a statement starts here.
        if !analyze && format.is_none() && (self.at_name() || self.at(T::Dot)) {
            let statement = self.explainable() || (self.at(T::INTO) && self.kind_at(1) == T::At);
            if !statement {
                return self.describe();
            }
        }
        let mut into = None;
        if self.eat(T::INTO) {
            into = Some(self.user_variable()?);
        }
        let mut schema: Option<Ident> = None;
        if self.at(T::FOR) && matches!(self.kind_at(1), T::SCHEMA | T::DATABASE) {
            self.bump();
            self.bump();
            schema = Some(self.ident()?);
        }
        let target = if schema.is_none() && self.eat_all(&[T::FOR, T::CONNECTION]) {
            ExplainTarget::Connection(self.number()?)
        } else if self.explainable() {
            ExplainTarget::Statement(Box::new(self.statement()?))
        } else {
            return Err(self.unexpected());
        };
        let explain = Explain { analyze, format, into, schema, target };
        Ok(StatementKind::Explain(Box::new(explain)))
    }

    fn explainable(&self) -> bool {
        self.at_any(&[
            T::SELECT,
            T::LParen,
            T::VALUES,
            T::TABLE,
            T::WITH,
            T::INSERT,
            T::REPLACE,
            T::UPDATE,
            T::DELETE,
        ])
    }

    fn describe(&mut self) -> Result<StatementKind> {
        let table = self.object_name()?;
        let columns = match self.kind() {
            T::Text => Some(self.text()?),
            _ if self.at_name() => Some(self.ident()?.text),
            _ => None,
        };
        Ok(StatementKind::Describe(Box::new(Describe { table, columns })))
    }
}
