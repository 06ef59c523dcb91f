//! The 22 queries of TPC-H over its eight tables, one after the other on one connection, with
//! the specification's validation parameters. All servers must give the same answers; at
//! scale 1 those are compared with the ones that come with the specification's tools, too.
//! Nothing is refreshed and no streams run: figures are no TPC-H results.

mod answers;
mod load;
mod measure;
mod queries;

pub(crate) use answers::Answer;
pub(crate) use load::prepare;
pub(crate) use measure::measure;

use serde::{Deserialize, Serialize};

/// Queries there are.
pub(crate) const QUERIES: u8 = 22;

/// How large it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tpch {
    /// The specification's scale factor: 6 million line items at 1.
    #[serde(default = "Tpch::scale_default")]
    pub scale: f64,
    /// Which queries, by their numbers; all if not said.
    #[serde(default = "Tpch::queries_default")]
    pub queries: Vec<u8>,
}

impl Default for Tpch {
    fn default() -> Self {
        Self { scale: Self::scale_default(), queries: Self::queries_default() }
    }
}

impl Tpch {
    fn scale_default() -> f64 {
        0.1
    }

    fn queries_default() -> Vec<u8> {
        (1..=QUERIES).collect()
    }
}
