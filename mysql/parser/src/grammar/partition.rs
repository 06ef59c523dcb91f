//! PARTITION BY.

use super::Grammar;
use super::expr::level;
use crate::ast::{
    Ident, PartitionBy, PartitionDef, PartitionOption, PartitionValue, PartitionValues,
    Partitioning,
};
use crate::error::Result;
use crate::lexer::T;

impl Grammar<'_> {
    pub(super) fn partitioning(&mut self) -> Result<Partitioning> {
        self.expect_all(&[T::PARTITION, T::BY])?;
        let by = match self.kind() {
            T::RANGE | T::LIST => {
                let range = self.bump().kind == T::RANGE;
                if self.eat(T::COLUMNS) || self.eat(T::FIELDS) {
                    let columns = self.ident_list()?;
                    if range {
                        PartitionBy::RangeColumns(columns)
                    } else {
                        PartitionBy::ListColumns(columns)
                    }
                } else {
                    let expr = self.parens(Self::bit_expr)?;
                    if range { PartitionBy::Range(expr) } else { PartitionBy::List(expr) }
                }
            }
            _ => self.partition_key(true)?,
        };
        let count = if self.eat(T::PARTITIONS) { Some(self.number()?) } else { None };
        let mut subpartition = None;
        if self.eat(T::SUBPARTITION) {
            self.expect(T::BY)?;
            let by = self.partition_key(false)?;
            let count = if self.eat(T::SUBPARTITIONS) { Some(self.number()?) } else { None };
            subpartition = Some((by, count));
        }
        let partitions =
            if self.at(T::LParen) { self.paren_list(Self::partition_def)? } else { Vec::new() };
        let partitioning = Partitioning { by, count, subpartition, partitions };
        if !fits(&partitioning) {
            return Err(self.unexpected());
        }
        Ok(partitioning)
    }

    /// `[LINEAR] HASH (expr)` or `[LINEAR] KEY (columns)`.
    fn partition_key(&mut self, may_be_empty: bool) -> Result<PartitionBy> {
        let linear = self.eat(T::LINEAR);
        if self.one_of(&[T::HASH, T::KEY])? == T::HASH {
            return Ok(PartitionBy::Hash { linear, expr: self.parens(Self::bit_expr)? });
        }
        let mut algorithm = None;
        if self.eat(T::ALGORITHM) {
            self.expect(T::Eq)?;
            algorithm = Some(self.number()?);
        }
        self.expect(T::LParen)?;
        let mut columns: Vec<Ident> = Vec::new();
        if !(may_be_empty && self.at(T::RParen)) {
            columns = self.list(Self::ident)?;
        }
        self.expect(T::RParen)?;
        Ok(PartitionBy::Key { linear, algorithm, columns })
    }

    pub(super) fn partition_def(&mut self) -> Result<PartitionDef> {
        self.expect(T::PARTITION)?;
        let name = self.ident()?;
        let values = self.partition_values()?;
        let options = self.partition_options()?;
        let mut subpartitions = Vec::new();
        if self.at(T::LParen) {
            subpartitions = self.paren_list(|g| {
                g.expect(T::SUBPARTITION)?;
                Ok((g.ident_or_text()?, g.partition_options()?))
            })?;
        }
        Ok(PartitionDef { name, values, options, subpartitions })
    }

    fn partition_values(&mut self) -> Result<PartitionValues> {
        if !self.eat(T::VALUES) {
            return Ok(PartitionValues::None);
        }
        if self.eat(T::LESS) {
            self.expect(T::THAN)?;
            if self.eat(T::MAXVALUE) {
                return Ok(PartitionValues::LessThanMax);
            }
            return Ok(PartitionValues::LessThan(self.paren_list(Self::partition_value)?));
        }
        self.expect(T::IN)?;
        Ok(PartitionValues::In(self.paren_list(|g| {
            if g.at(T::LParen) && g.row_in_parens() {
                let row = g.paren_list(Self::partition_value)?;
                // One value has no parentheses.
                return if row.len() > 1 { Ok(row) } else { Err(g.unexpected()) };
            }
            Ok(vec![g.partition_value()?])
        })?))
    }

    /// Whether the parentheses that open here are those of a row: nothing but a
    /// comma or the end follows them.
    fn row_in_parens(&mut self) -> bool {
        let (mut depth, mut ahead) = (0usize, 0);
        loop {
            match self.kind_far(ahead) {
                T::LParen => depth += 1,
                T::RParen if depth == 1 => {
                    return matches!(self.kind_far(ahead + 1), T::Comma | T::RParen);
                }
                T::RParen => depth -= 1,
                T::End | T::Bad => return false,
                _ => {}
            }
            ahead += 1;
        }
    }

    fn partition_value(&mut self) -> Result<PartitionValue> {
        if self.eat(T::MAXVALUE) {
            return Ok(PartitionValue::Max);
        }
        Ok(PartitionValue::Expr(self.expr_at(level::BIT_OR)?))
    }

    fn partition_options(&mut self) -> Result<Vec<PartitionOption>> {
        let mut options = Vec::new();
        loop {
            let storage = self.at(T::STORAGE) && self.kind_at(1) == T::ENGINE;
            if storage {
                self.bump();
            }
            let kind = self.kind();
            match kind {
                T::DATA | T::INDEX if self.kind_at(1) == T::DIRECTORY => {
                    self.bump();
                }
                T::TABLESPACE
                | T::ENGINE
                | T::NODEGROUP
                | T::MAX_ROWS
                | T::MIN_ROWS
                | T::COMMENT => {}
                _ => return Ok(options),
            }
            self.bump();
            self.eat_eq();
            options.push(match kind {
                T::TABLESPACE => PartitionOption::Tablespace(self.ident()?),
                T::ENGINE => PartitionOption::Engine(self.ident_or_text()?),
                T::NODEGROUP => PartitionOption::NodeGroup(self.number()?),
                T::MAX_ROWS => PartitionOption::MaxRows(self.number()?),
                T::MIN_ROWS => PartitionOption::MinRows(self.number()?),
                T::DATA => PartitionOption::DataDirectory(self.text()?),
                T::INDEX => PartitionOption::IndexDirectory(self.text()?),
                _ => PartitionOption::Comment(self.text()?),
            });
        }
    }
}

/// Whether the partitions are what PARTITION BY asks for. MySQL calls what does not
/// fit a syntax error.
fn fits(partitioning: &Partitioning) -> bool {
    let Partitioning { by, count, subpartition, partitions } = partitioning;
    let Some(first) = partitions.first() else {
        return true;
    };
    let values_fit = partitions.iter().all(|partition| match (by, &partition.values) {
        (PartitionBy::Range(_), PartitionValues::LessThan(row)) => row.len() == 1,
        (PartitionBy::Range(_), PartitionValues::LessThanMax) => true,
        (PartitionBy::RangeColumns(columns), PartitionValues::LessThan(row)) => {
            // Too many have a number of their own.
            row.len() >= columns.len()
        }
        (PartitionBy::RangeColumns(columns), PartitionValues::LessThanMax) => columns.len() == 1,
        (PartitionBy::List(_), PartitionValues::In(rows)) => rows.iter().all(|row| row.len() == 1),
        (PartitionBy::ListColumns(columns), PartitionValues::In(rows)) => {
            rows.iter().all(|row| row.len() == columns.len())
        }
        // Not for a partition of this kind: MySQL has numbers of its own for these.
        (_, PartitionValues::None) => {
            matches!(by, PartitionBy::Hash { .. } | PartitionBy::Key { .. })
        }
        _ => true,
    });
    let subpartitions = first.subpartitions.len();
    let same = partitions.iter().all(|partition| partition.subpartitions.len() == subpartitions);
    let declared = subpartition.as_ref().and_then(|(_, count)| *count);
    values_fit
        && same
        && count.is_none_or(|count| count == partitions.len() as u64)
        && (subpartitions == 0 || declared.is_none_or(|count| count == subpartitions as u64))
}
