//! Statements as a shop asks them of five tables: joins by keys, subqueries and aggregates over
//! small sets. Each reads a few to some dozens of rows through indexes. Before a server is
//! measured it must give the first server's answers.

mod check;
mod load;
mod statements;
mod worker;

pub(crate) use check::{Answers, answers};
pub(crate) use load::prepare;
pub(crate) use statements::statements;
pub(crate) use worker::Worker;

use serde::{Deserialize, Serialize};

/// How large it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shop {
    /// Customers, each with ten orders of three lines on average.
    #[serde(default = "Shop::customers_default")]
    pub customers: u32,
}

impl Default for Shop {
    fn default() -> Self {
        Self { customers: Self::customers_default() }
    }
}

impl Shop {
    fn customers_default() -> u32 {
        10_000
    }

    /// Rows of `orders`.
    fn orders(&self) -> u32 {
        self.customers * 10
    }

    /// Rows of `product`.
    fn products(&self) -> u32 {
        (self.customers / 5).max(100)
    }

    /// Values of `category_id`, from 1 on.
    fn categories(&self) -> u32 {
        (self.products() / 20).max(5)
    }
}
