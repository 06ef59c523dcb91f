//! How a statement reaches its rows.
//!
//! * [`interval`]: sets of encoded key parts.
//! * [`fit`]: a compared value among the values of a column.
//! * [`access`]: which index is read, from what conditions.
//! * [`union`]: several indexes of one table, for an OR.
//! * [`known`]: what is known of tables; [`cost`]: what is weighed by it.
//! * [`share`]: how many rows conditions leave, by the values that columns have.
//! * [`implied`]: what ORs of several tables say of each.
//! * [`order`]: in which order joined tables are read.
//! * [`point`]: reads of one row by its key.
//! * [`range`]: reads of one table whose columns go to the client as they are.
//! * [`derived`]: rows of queries within queries.
//! * [`merged`]: queries in FROM that become part of the query around them.
//! * [`pushed`]: conditions that queries in FROM look at themselves.
//! * [`semi`]: IN and EXISTS with a query.
//! * [`window`]: in which order windows run.

mod access;
mod condition;
pub(crate) mod cost;
mod derived;
mod fit;
mod implied;
mod interval;
mod known;
mod merged;
mod order;
mod over_batches;
mod partners;
mod point;
mod pushed;
mod range;
mod select;
mod semi;
mod share;
mod union;
mod window;

pub(crate) use access::{Access, Lookup, Wanted, choose};
pub(crate) use condition::{Condition, Term};
pub(crate) use derived::{DerivedPlan, PartPlan, RecursivePlan, SetPlan, SubqueryPlan};
pub(crate) use implied::{add_implied, implied};
pub(crate) use interval::{Interval, Intervals};
pub(crate) use known::{Known, Lacking, Learner};
pub(crate) use merged::merge;
pub(crate) use partners::Partners;
pub(crate) use point::PointPlan;
pub(crate) use range::{Distinct, Key, Output, RangePlan, Taken, Total};
pub(crate) use select::{SelectPlan, Step, StepRows};
pub(crate) use union::{Alternatives, Union};
pub(crate) use window::{End, Operand, WindowPlan};
