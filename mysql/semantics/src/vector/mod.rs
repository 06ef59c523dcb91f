//! Expressions over Arrow batches, as physical expressions of DataFusion.
//!
//! The typed tree that runs over rows ([`crate::expr::Node`]) is also what runs here:
//! [`Builder`] makes a [`VectorExpr`] of it. Where plain Arrow means the same as MySQL,
//! or nearly, parts of the tree run as kernels over whole arrays; everything else runs
//! the tree row by row. Kernels never raise errors of their own: where one meets what
//! would be an error, or warnings whose order would matter, the batch is run again row
//! by row, so values, errors and warnings are those of the row form.
//!
//! A plan is made once and run many times: settings, parameters, session and warnings
//! are in the [`Statement`] that all expressions of a plan share.
//!
//! ```text
//! Node ─▶ Builder ─▶ VectorExpr { columns, kernels | rows } ─ evaluate(batch) ─▶ array
//!                        └── Statement ◀── begin(Execution { settings, params, session })
//! ```

mod array;
mod expr;
mod kernel;
mod rows;
mod statement;
mod types;
mod views;

pub use array::{ArrayBuilder, ArrayReader};
pub use expr::{Builder, VectorExpr, is_volatile};
pub use statement::{Execution, SharedSession, Statement, plan_error, sql_error};
pub use types::{COLLATION_KEY, TYPE_KEY, arrow_type, field, scalar, sql_type};
pub use views::ByView;
