//! A load after TPC-C: its nine tables, its five transactions in the standard
//! mix, and its consistency conditions checked afterwards. Waiting times
//! of terminals are a setting, and tables can be made smaller: figures are no
//! TPC-C results.

mod check;
mod load;
mod random;
mod statements;
mod terminal;

pub(crate) use check::check;
pub use check::check_tpcc;
pub(crate) use load::prepare;
pub(crate) use statements::statements;
pub(crate) use terminal::Terminal;

use serde::{Deserialize, Serialize};

/// Districts of a warehouse.
pub(crate) const DISTRICTS: u32 = 10;

/// How large it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tpcc {
    /// Warehouses.
    #[serde(default = "Tpcc::warehouses_default")]
    pub warehouses: u32,
    /// Items, customers and first orders are that many times fewer than the
    /// specification has: 100,000 items, 3,000 customers and orders of each district.
    #[serde(default = "Tpcc::one")]
    pub divide_by: u32,
    /// Share of the specification's keying and thinking times that terminals
    /// wait; 0 lets them ask all the time.
    #[serde(default)]
    pub keying: f64,
}

impl Default for Tpcc {
    fn default() -> Self {
        Self { warehouses: Self::warehouses_default(), divide_by: 1, keying: 0.0 }
    }
}

impl Tpcc {
    fn warehouses_default() -> u32 {
        2
    }

    fn one() -> u32 {
        1
    }

    /// Rows of `item`.
    pub(crate) fn items(&self) -> u32 {
        (100_000 / self.divide_by).max(100)
    }

    /// Customers of a district, and orders that it begins with.
    pub(crate) fn customers(&self) -> u32 {
        (3_000 / self.divide_by).max(30)
    }

    /// Which of the first orders is not delivered yet, and all after it.
    pub(crate) fn first_new_order(&self) -> u32 {
        self.customers() * 7 / 10 + 1
    }
}
