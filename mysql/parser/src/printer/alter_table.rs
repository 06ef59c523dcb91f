//! ALTER TABLE.

use super::Printer;
use crate::ast::{
    AlterAction, AlterTable, CheckOption, Ident, PartitionAction, Position, RepairOption,
};

impl Printer {
    pub(super) fn alter_table(&mut self, alter: &AlterTable) {
        self.word("ALTER TABLE");
        self.object(&alter.name);
        for (i, action) in alter.actions.iter().enumerate() {
            // What partitions the table stands behind the list.
            let apart =
                matches!(action, AlterAction::PartitionBy(_) | AlterAction::RemovePartitioning);
            if i > 0 && !apart {
                self.put(",");
            }
            self.alter_action(action);
        }
    }

    fn verb(&mut self, words: &str, name: &Ident) {
        self.word(words);
        self.ident(name);
    }

    fn position(&mut self, position: Option<&Position>) {
        match position {
            None => {}
            Some(Position::First) => self.word("FIRST"),
            Some(Position::After(column)) => self.verb("AFTER", column),
        }
    }

    fn no_log(&mut self, no_write_to_binlog: bool) {
        self.word_if(no_write_to_binlog, "NO_WRITE_TO_BINLOG");
    }

    fn alter_action(&mut self, action: &AlterAction) {
        match action {
            AlterAction::AddColumn { column, position } => {
                self.word("ADD COLUMN");
                self.column_def(column);
                self.position(position.as_ref());
            }
            AlterAction::AddElements(elements) => {
                self.word("ADD COLUMN");
                self.paren_list(elements, Self::table_element);
            }
            AlterAction::Add(element) => {
                self.word("ADD");
                self.table_element(element);
            }
            AlterAction::Change { name, column, position } => {
                self.verb("CHANGE COLUMN", name);
                self.column_def(column);
                self.position(position.as_ref());
            }
            AlterAction::Modify { column, position } => {
                self.word("MODIFY COLUMN");
                self.column_def(column);
                self.position(position.as_ref());
            }
            AlterAction::DropColumn(name) => self.verb("DROP COLUMN", name),
            AlterAction::DropForeignKey(name) => self.verb("DROP FOREIGN KEY", name),
            AlterAction::DropPrimaryKey => self.word("DROP PRIMARY KEY"),
            AlterAction::DropIndex(name) => self.verb("DROP INDEX", name),
            AlterAction::DropCheck(name) => self.verb("DROP CHECK", name),
            AlterAction::DropConstraint(name) => self.verb("DROP CONSTRAINT", name),
            AlterAction::DisableKeys => self.word("DISABLE KEYS"),
            AlterAction::EnableKeys => self.word("ENABLE KEYS"),
            AlterAction::SetDefault { column, expr, parens } => {
                self.verb("ALTER COLUMN", column);
                self.word("SET");
                self.default(expr, *parens);
            }
            AlterAction::DropDefault(column) => {
                self.verb("ALTER COLUMN", column);
                self.word("DROP DEFAULT");
            }
            AlterAction::SetColumnVisible(name, visible) => {
                self.verb("ALTER COLUMN", name);
                self.word(if *visible { "SET VISIBLE" } else { "SET INVISIBLE" });
            }
            AlterAction::SetIndexVisible(name, visible) => {
                self.verb("ALTER INDEX", name);
                self.word(if *visible { "VISIBLE" } else { "INVISIBLE" });
            }
            AlterAction::SetCheckEnforced(name, enforced) => {
                self.verb("ALTER CHECK", name);
                self.word(if *enforced { "ENFORCED" } else { "NOT ENFORCED" });
            }
            AlterAction::SetConstraintEnforced(name, enforced) => {
                self.verb("ALTER CONSTRAINT", name);
                self.word(if *enforced { "ENFORCED" } else { "NOT ENFORCED" });
            }
            AlterAction::Rename(name) => {
                self.word("RENAME TO");
                self.object(name);
            }
            AlterAction::RenameColumn(from, to) => {
                self.verb("RENAME COLUMN", from);
                self.verb("TO", to);
            }
            AlterAction::RenameIndex(from, to) => {
                self.verb("RENAME INDEX", from);
                self.verb("TO", to);
            }
            AlterAction::ConvertCharset { charset, collation } => {
                self.word("CONVERT TO CHARACTER SET");
                match charset {
                    Some(charset) => self.ident(charset),
                    None => self.word("DEFAULT"),
                }
                self.collate(collation.as_ref());
            }
            AlterAction::Force => self.word("FORCE"),
            AlterAction::OrderBy(items) => self.order_by(items),
            AlterAction::Option(option) => self.table_option(option),
            AlterAction::Algorithm(name) => self.online_option("ALGORITHM", name),
            AlterAction::Lock(name) => self.online_option("LOCK", name),
            AlterAction::Validation(with) => self.validation(*with),
            AlterAction::DiscardTablespace => self.word("DISCARD TABLESPACE"),
            AlterAction::ImportTablespace => self.word("IMPORT TABLESPACE"),
            AlterAction::SecondaryLoad(names) => {
                self.word("SECONDARY_LOAD");
                self.partition(names);
            }
            AlterAction::SecondaryUnload(names) => {
                self.word("SECONDARY_UNLOAD");
                self.partition(names);
            }
            AlterAction::PartitionBy(partitioning) => self.partitioning(partitioning),
            AlterAction::RemovePartitioning => self.word("REMOVE PARTITIONING"),
            AlterAction::AddPartitions { no_write_to_binlog, partitions } => {
                self.word("ADD PARTITION");
                self.no_log(*no_write_to_binlog);
                self.partition_defs(partitions);
            }
            AlterAction::AddPartitionCount { no_write_to_binlog, count } => {
                self.word("ADD PARTITION");
                self.no_log(*no_write_to_binlog);
                self.word("PARTITIONS");
                self.number(*count);
            }
            AlterAction::DropPartitions(names) => {
                self.word("DROP PARTITION");
                self.list(names, Self::ident);
            }
            AlterAction::CoalescePartitions { no_write_to_binlog, count } => {
                self.word("COALESCE PARTITION");
                self.no_log(*no_write_to_binlog);
                self.number(*count);
            }
            AlterAction::ReorganizePartitions { no_write_to_binlog, names, into } => {
                self.word("REORGANIZE PARTITION");
                self.no_log(*no_write_to_binlog);
                if !names.is_empty() {
                    self.list(names, Self::ident);
                    self.word("INTO");
                    self.partition_defs(into);
                }
            }
            AlterAction::ExchangePartition { name, table, validation } => {
                self.verb("EXCHANGE PARTITION", name);
                self.word("WITH TABLE");
                self.object(table);
                if let Some(with) = validation {
                    self.validation(*with);
                }
            }
            AlterAction::Partitions { action, no_write_to_binlog, names } => {
                self.alter_partitions(action, *no_write_to_binlog, names);
            }
        }
    }

    fn validation(&mut self, with: bool) {
        self.word(if with { "WITH VALIDATION" } else { "WITHOUT VALIDATION" });
    }

    fn alter_partitions(&mut self, action: &PartitionAction, no_log: bool, names: &[Ident]) {
        self.word(match action {
            PartitionAction::Rebuild => "REBUILD PARTITION",
            PartitionAction::Optimize => "OPTIMIZE PARTITION",
            PartitionAction::Analyze => "ANALYZE PARTITION",
            PartitionAction::Check(_) => "CHECK PARTITION",
            PartitionAction::Repair(_) => "REPAIR PARTITION",
            PartitionAction::Truncate => "TRUNCATE PARTITION",
            PartitionAction::Discard => "DISCARD PARTITION",
            PartitionAction::Import => "IMPORT PARTITION",
        });
        self.no_log(no_log);
        if names.is_empty() {
            self.word("ALL");
        } else {
            self.list(names, Self::ident);
        }
        match action {
            PartitionAction::Check(options) => self.check_options(options),
            PartitionAction::Repair(options) => self.repair_options(options),
            PartitionAction::Discard | PartitionAction::Import => self.word("TABLESPACE"),
            _ => {}
        }
    }

    pub(super) fn check_options(&mut self, options: &[CheckOption]) {
        for option in options {
            self.word(match option {
                CheckOption::ForUpgrade => "FOR UPGRADE",
                CheckOption::Quick => "QUICK",
                CheckOption::Fast => "FAST",
                CheckOption::Medium => "MEDIUM",
                CheckOption::Extended => "EXTENDED",
                CheckOption::Changed => "CHANGED",
            });
        }
    }

    pub(super) fn repair_options(&mut self, options: &[RepairOption]) {
        for option in options {
            self.word(match option {
                RepairOption::Quick => "QUICK",
                RepairOption::Extended => "EXTENDED",
                RepairOption::UseFrm => "USE_FRM",
            });
        }
    }
}
