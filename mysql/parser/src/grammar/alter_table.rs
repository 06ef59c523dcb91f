//! ALTER TABLE.

use super::Grammar;
use crate::ast::{
    AlterAction, AlterTable, CheckOption, Expr, ExprKind, Ident, OrderItem, PartitionAction,
    Position, RepairOption, StatementKind,
};
use crate::error::Result;
use crate::lexer::T;

impl Grammar<'_> {
    /// Behind ALTER.
    pub(super) fn alter_table(&mut self) -> Result<StatementKind> {
        self.expect(T::TABLE)?;
        let name = self.object_name()?;
        let mut actions = Vec::new();
        if !matches!(self.kind(), T::End | T::Semicolon) {
            self.alter_actions(&mut actions)?;
        }
        Ok(StatementKind::AlterTable(Box::new(AlterTable { name, actions })))
    }

    fn alter_actions(&mut self, actions: &mut Vec<AlterAction>) -> Result<()> {
        loop {
            actions.push(self.alter_action()?);
            loop {
                if matches!(
                    actions.last(),
                    Some(AlterAction::PartitionBy(_) | AlterAction::RemovePartitioning)
                ) {
                    return Ok(());
                }
                if self.eat(T::Comma) {
                    // What partitions the table stands behind the list.
                    if self.at_any(&[T::PARTITION, T::REMOVE]) {
                        return Err(self.unexpected());
                    }
                    break;
                }
                if self.at_any(&[T::PARTITION, T::REMOVE]) {
                    break;
                }
                // Options may follow each other without a comma.
                if !matches!(actions.last(), Some(AlterAction::Option(_))) {
                    return Ok(());
                }
                match self.table_option()? {
                    Some(option) => actions.push(AlterAction::Option(option)),
                    None => return Ok(()),
                }
            }
        }
    }

    fn alter_action(&mut self) -> Result<AlterAction> {
        match self.kind() {
            T::ADD => self.alter_add(),
            T::DROP => self.alter_drop(),
            T::CHANGE => {
                self.bump();
                self.eat(T::COLUMN);
                let name = self.ident()?;
                let column = self.column_def()?;
                Ok(AlterAction::Change { name, column, position: self.position()? })
            }
            T::MODIFY => {
                self.bump();
                self.eat(T::COLUMN);
                let column = self.column_def()?;
                Ok(AlterAction::Modify { column, position: self.position()? })
            }
            T::ALTER => self.alter_alter(),
            T::DISABLE | T::ENABLE => {
                let disable = self.bump().kind == T::DISABLE;
                self.expect(T::KEYS)?;
                Ok(if disable { AlterAction::DisableKeys } else { AlterAction::EnableKeys })
            }
            T::RENAME => self.alter_rename(),
            T::CONVERT => {
                self.expect_all(&[T::CONVERT, T::TO])?;
                if !self.eat_charset() {
                    return Err(self.unexpected());
                }
                let charset = if self.eat(T::DEFAULT) { None } else { Some(self.charset_name()?) };
                let mut collation = None;
                if self.eat(T::COLLATE) {
                    self.eat_eq();
                    collation = Some(self.collation_name()?);
                }
                Ok(AlterAction::ConvertCharset { charset, collation })
            }
            T::FORCE => {
                self.bump();
                Ok(AlterAction::Force)
            }
            T::ORDER => self.alter_order(),
            T::ALGORITHM => Ok(AlterAction::Algorithm(self.online_option()?)),
            T::LOCK => Ok(AlterAction::Lock(self.online_option()?)),
            T::WITH | T::WITHOUT => {
                let with = self.bump().kind == T::WITH;
                self.expect(T::VALIDATION)?;
                Ok(AlterAction::Validation(with))
            }
            T::DISCARD | T::IMPORT => self.alter_tablespace_of_table(),
            T::SECONDARY_LOAD | T::SECONDARY_UNLOAD => {
                let load = self.bump().kind == T::SECONDARY_LOAD;
                let mut names = Vec::new();
                if self.eat(T::PARTITION) {
                    names = self.ident_list()?;
                }
                Ok(if load {
                    AlterAction::SecondaryLoad(names)
                } else {
                    AlterAction::SecondaryUnload(names)
                })
            }
            T::PARTITION => Ok(AlterAction::PartitionBy(Box::new(self.partitioning()?))),
            T::REMOVE => {
                self.expect_all(&[T::REMOVE, T::PARTITIONING])?;
                Ok(AlterAction::RemovePartitioning)
            }
            T::COALESCE => {
                self.expect_all(&[T::COALESCE, T::PARTITION])?;
                let no_write_to_binlog = self.no_write_to_binlog();
                let count = self.number()?;
                Ok(AlterAction::CoalescePartitions { no_write_to_binlog, count })
            }
            T::REORGANIZE => {
                self.expect_all(&[T::REORGANIZE, T::PARTITION])?;
                let no_write_to_binlog = self.no_write_to_binlog();
                let (mut names, mut into) = (Vec::new(), Vec::new());
                if self.at_name() {
                    names = self.list(Self::ident)?;
                    self.expect(T::INTO)?;
                    into = self.paren_list(Self::partition_def)?;
                }
                Ok(AlterAction::ReorganizePartitions { no_write_to_binlog, names, into })
            }
            T::EXCHANGE => {
                self.expect_all(&[T::EXCHANGE, T::PARTITION])?;
                let name = self.ident()?;
                self.expect_all(&[T::WITH, T::TABLE])?;
                let table = self.object_name()?;
                let validation = self.eat_any(&[T::WITH, T::WITHOUT]).map(|kind| kind == T::WITH);
                if validation.is_some() {
                    self.expect(T::VALIDATION)?;
                }
                Ok(AlterAction::ExchangePartition { name, table, validation })
            }
            T::REBUILD | T::OPTIMIZE | T::ANALYZE | T::CHECK | T::REPAIR | T::TRUNCATE => {
                self.alter_partitions()
            }
            _ => match self.table_option()? {
                Some(option) => Ok(AlterAction::Option(option)),
                None => Err(self.unexpected()),
            },
        }
    }

    /// ORDER BY of columns; expressions are not allowed.
    fn alter_order(&mut self) -> Result<AlterAction> {
        self.expect_all(&[T::ORDER, T::BY])?;
        Ok(AlterAction::OrderBy(self.list(|g| {
            let start = g.here();
            let kind = ExprKind::Column(g.column_ref()?);
            let expr = Expr { kind, span: g.span_from(start) };
            let descending = g.eat_any(&[T::ASC, T::DESC]) == Some(T::DESC);
            Ok(OrderItem { expr, descending })
        })?))
    }

    fn position(&mut self) -> Result<Option<Position>> {
        if self.eat(T::FIRST) {
            return Ok(Some(Position::First));
        }
        if self.eat(T::AFTER) {
            return Ok(Some(Position::After(self.ident()?)));
        }
        Ok(None)
    }

    pub(super) fn no_write_to_binlog(&mut self) -> bool {
        self.eat_any(&[T::NO_WRITE_TO_BINLOG, T::LOCAL]).is_some()
    }

    fn alter_add(&mut self) -> Result<AlterAction> {
        self.expect(T::ADD)?;
        match self.kind() {
            T::KEY
            | T::INDEX
            | T::UNIQUE
            | T::PRIMARY
            | T::FULLTEXT
            | T::SPATIAL
            | T::CONSTRAINT
            | T::FOREIGN
            | T::CHECK => {
                return Ok(AlterAction::Add(self.constraint()?));
            }
            T::PARTITION => {
                self.bump();
                let no_write_to_binlog = self.no_write_to_binlog();
                if self.eat(T::PARTITIONS) {
                    let count = self.number()?;
                    return Ok(AlterAction::AddPartitionCount { no_write_to_binlog, count });
                }
                let partitions = self.paren_list(Self::partition_def)?;
                return Ok(AlterAction::AddPartitions { no_write_to_binlog, partitions });
            }
            _ => {}
        }
        self.eat(T::COLUMN);
        if self.at(T::LParen) {
            return Ok(AlterAction::AddElements(self.paren_list(Self::table_element)?));
        }
        let column = self.column_def()?;
        Ok(AlterAction::AddColumn { column, position: self.position()? })
    }

    fn alter_drop(&mut self) -> Result<AlterAction> {
        self.expect(T::DROP)?;
        Ok(match self.kind() {
            T::FOREIGN => {
                self.expect_all(&[T::FOREIGN, T::KEY])?;
                AlterAction::DropForeignKey(self.ident()?)
            }
            T::PRIMARY => {
                self.expect_all(&[T::PRIMARY, T::KEY])?;
                AlterAction::DropPrimaryKey
            }
            T::KEY | T::INDEX => {
                self.bump();
                AlterAction::DropIndex(self.ident()?)
            }
            T::CHECK => {
                self.bump();
                AlterAction::DropCheck(self.ident()?)
            }
            T::CONSTRAINT => {
                self.bump();
                AlterAction::DropConstraint(self.ident()?)
            }
            T::PARTITION => {
                self.bump();
                AlterAction::DropPartitions(self.list(Self::ident)?)
            }
            _ => {
                self.eat(T::COLUMN);
                let name = self.ident()?;
                self.eat_any(&[T::RESTRICT, T::CASCADE]);
                AlterAction::DropColumn(name)
            }
        })
    }

    fn alter_alter(&mut self) -> Result<AlterAction> {
        self.expect(T::ALTER)?;
        match self.kind() {
            T::INDEX => {
                self.bump();
                let name = self.ident()?;
                let visible = self.one_of(&[T::VISIBLE, T::INVISIBLE])? == T::VISIBLE;
                Ok(AlterAction::SetIndexVisible(name, visible))
            }
            T::CHECK | T::CONSTRAINT => {
                let check = self.bump().kind == T::CHECK;
                let name = self.ident()?;
                let not = self.eat(T::NOT);
                self.expect(T::ENFORCED)?;
                Ok(if check {
                    AlterAction::SetCheckEnforced(name, !not)
                } else {
                    AlterAction::SetConstraintEnforced(name, !not)
                })
            }
            _ => {
                self.eat(T::COLUMN);
                let column = self.ident()?;
                if self.eat(T::DROP) {
                    self.expect(T::DEFAULT)?;
                    return Ok(AlterAction::DropDefault(column));
                }
                self.expect(T::SET)?;
                if let Some(kind) = self.eat_any(&[T::VISIBLE, T::INVISIBLE]) {
                    return Ok(AlterAction::SetColumnVisible(column, kind == T::VISIBLE));
                }
                self.expect(T::DEFAULT)?;
                let (expr, parens) = if self.at(T::LParen) {
                    self.default_value()?
                } else {
                    (self.signed_literal()?, false)
                };
                Ok(AlterAction::SetDefault { column, expr, parens })
            }
        }
    }

    fn alter_rename(&mut self) -> Result<AlterAction> {
        self.expect(T::RENAME)?;
        match self.kind() {
            T::COLUMN => {
                self.bump();
                let from = self.ident()?;
                self.expect(T::TO)?;
                Ok(AlterAction::RenameColumn(from, self.ident()?))
            }
            T::INDEX | T::KEY => {
                self.bump();
                let from = self.ident()?;
                self.expect(T::TO)?;
                Ok(AlterAction::RenameIndex(from, self.ident()?))
            }
            _ => {
                self.eat_any(&[T::TO, T::AS, T::Eq]);
                Ok(AlterAction::Rename(self.object_name()?))
            }
        }
    }

    /// `DISCARD TABLESPACE`, `IMPORT PARTITION … TABLESPACE` and so on.
    fn alter_tablespace_of_table(&mut self) -> Result<AlterAction> {
        let discard = self.bump().kind == T::DISCARD;
        if self.eat(T::TABLESPACE) {
            return Ok(if discard {
                AlterAction::DiscardTablespace
            } else {
                AlterAction::ImportTablespace
            });
        }
        self.expect(T::PARTITION)?;
        let names = self.partition_names()?;
        self.expect(T::TABLESPACE)?;
        let action = if discard { PartitionAction::Discard } else { PartitionAction::Import };
        Ok(AlterAction::Partitions { action, no_write_to_binlog: false, names })
    }

    /// Names, or ALL, which is none.
    pub(super) fn partition_names(&mut self) -> Result<Vec<Ident>> {
        if self.eat(T::ALL) { Ok(Vec::new()) } else { self.list(Self::ident) }
    }

    fn alter_partitions(&mut self) -> Result<AlterAction> {
        let kind = self.bump().kind;
        self.expect(T::PARTITION)?;
        let may_log = !matches!(kind, T::CHECK | T::TRUNCATE);
        let no_write_to_binlog = may_log && self.no_write_to_binlog();
        let names = self.partition_names()?;
        let action = match kind {
            T::REBUILD => PartitionAction::Rebuild,
            T::OPTIMIZE => PartitionAction::Optimize,
            T::ANALYZE => PartitionAction::Analyze,
            T::CHECK => PartitionAction::Check(self.check_options()?),
            T::REPAIR => PartitionAction::Repair(self.repair_options()),
            _ => PartitionAction::Truncate,
        };
        Ok(AlterAction::Partitions { action, no_write_to_binlog, names })
    }

    pub(super) fn check_options(&mut self) -> Result<Vec<CheckOption>> {
        let mut options = Vec::new();
        loop {
            options.push(match self.kind() {
                T::FOR => {
                    self.bump();
                    if !self.at(T::UPGRADE) {
                        return Err(self.unexpected());
                    }
                    CheckOption::ForUpgrade
                }
                T::QUICK => CheckOption::Quick,
                T::FAST => CheckOption::Fast,
                T::MEDIUM => CheckOption::Medium,
                T::EXTENDED => CheckOption::Extended,
                T::CHANGED => CheckOption::Changed,
                _ => return Ok(options),
            });
            self.bump();
        }
    }

    pub(super) fn repair_options(&mut self) -> Vec<RepairOption> {
        let mut options = Vec::new();
        while let Some(kind) = self.eat_any(&[T::QUICK, T::EXTENDED, T::USE_FRM]) {
            options.push(match kind {
                T::QUICK => RepairOption::Quick,
                T::EXTENDED => RepairOption::Extended,
                _ => RepairOption::UseFrm,
            });
        }
        options
    }
}
