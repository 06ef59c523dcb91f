//! Queries for tests that do not compare them.

use super::blocks;
use super::tables::{self, Table};
use crate::differential::Random;

/// The tables `t`, `u` and `v`.
pub(crate) struct Tables {
    tables: Vec<Table>,
    /// Statements that make and fill them.
    pub(crate) setup: Vec<String>,
}

impl Tables {
    pub(crate) fn new(random: &mut Random) -> Tables {
        let mut setup = Vec::new();
        let mut all = Vec::new();
        for name in ["t", "u", "v"] {
            let (table, statements) = tables::table(random, name);
            setup.extend(statements);
            all.push(table);
        }
        Tables { tables: all, setup }
    }

    /// A query over them.
    pub(crate) fn query(&self, random: &mut Random) -> String {
        blocks::query(random, &self.tables)
    }
}
