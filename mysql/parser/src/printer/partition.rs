//! PARTITION BY.

use super::Printer;
use crate::ast::{
    PartitionBy, PartitionDef, PartitionOption, PartitionValue, PartitionValues, Partitioning,
};
use crate::grammar::level;

impl Printer {
    pub(super) fn partitioning(&mut self, partitioning: &Partitioning) {
        self.word("PARTITION BY");
        self.partition_by(&partitioning.by);
        if let Some(count) = partitioning.count {
            self.word("PARTITIONS");
            self.number(count);
        }
        if let Some((by, count)) = &partitioning.subpartition {
            self.word("SUBPARTITION BY");
            self.partition_by(by);
            if let Some(count) = count {
                self.word("SUBPARTITIONS");
                self.number(*count);
            }
        }
        if !partitioning.partitions.is_empty() {
            self.partition_defs(&partitioning.partitions);
        }
    }

    fn partition_by(&mut self, by: &PartitionBy) {
        match by {
            PartitionBy::Hash { linear, expr } => {
                self.word_if(*linear, "LINEAR");
                self.word("HASH");
                self.parens(|p| p.expr_at(expr, level::BIT_OR));
            }
            PartitionBy::Key { linear, algorithm, columns } => {
                self.word_if(*linear, "LINEAR");
                self.word("KEY");
                if let Some(algorithm) = algorithm {
                    self.set_number("ALGORITHM", *algorithm);
                }
                self.idents(columns);
            }
            PartitionBy::Range(expr) => {
                self.word("RANGE");
                self.parens(|p| p.expr_at(expr, level::BIT_OR));
            }
            PartitionBy::RangeColumns(columns) => {
                self.word("RANGE COLUMNS");
                self.idents(columns);
            }
            PartitionBy::List(expr) => {
                self.word("LIST");
                self.parens(|p| p.expr_at(expr, level::BIT_OR));
            }
            PartitionBy::ListColumns(columns) => {
                self.word("LIST COLUMNS");
                self.idents(columns);
            }
        }
    }

    pub(super) fn partition_defs(&mut self, partitions: &[PartitionDef]) {
        self.paren_list(partitions, |p, partition| {
            p.word("PARTITION");
            p.ident(&partition.name);
            p.partition_values(&partition.values);
            p.partition_options(&partition.options);
            if !partition.subpartitions.is_empty() {
                p.paren_list(&partition.subpartitions, |p, (name, options)| {
                    p.word("SUBPARTITION");
                    p.ident(name);
                    p.partition_options(options);
                });
            }
        });
    }

    fn partition_values(&mut self, values: &PartitionValues) {
        match values {
            PartitionValues::None => {}
            PartitionValues::LessThanMax => self.word("VALUES LESS THAN MAXVALUE"),
            PartitionValues::LessThan(row) => {
                self.word("VALUES LESS THAN");
                self.paren_list(row, Self::partition_value);
            }
            PartitionValues::In(rows) => {
                self.word("VALUES IN");
                self.paren_list(rows, |p, row| match row.as_slice() {
                    [one] => p.partition_value(one),
                    row => p.paren_list(row, Self::partition_value),
                });
            }
        }
    }

    fn partition_value(&mut self, value: &PartitionValue) {
        match value {
            PartitionValue::Max => self.word("MAXVALUE"),
            PartitionValue::Expr(expr) => self.expr_at(expr, level::BIT_OR),
        }
    }

    fn partition_options(&mut self, options: &[PartitionOption]) {
        for option in options {
            match option {
                PartitionOption::Tablespace(name) => self.set_ident("TABLESPACE", name),
                PartitionOption::Engine(name) => self.set_ident("ENGINE", name),
                PartitionOption::NodeGroup(n) => self.set_number("NODEGROUP", *n),
                PartitionOption::MaxRows(n) => self.set_number("MAX_ROWS", *n),
                PartitionOption::MinRows(n) => self.set_number("MIN_ROWS", *n),
                PartitionOption::DataDirectory(text) => {
                    self.word_string("DATA DIRECTORY =", Some(text));
                }
                PartitionOption::IndexDirectory(text) => {
                    self.word_string("INDEX DIRECTORY =", Some(text));
                }
                PartitionOption::Comment(text) => self.word_string("COMMENT =", Some(text)),
            }
        }
    }
}
