//! From syntax to typed statements: names become places in one flat row.
//!
//! The flat row of a statement is, from the left: the columns of its tables in the
//! order of FROM, the results of its aggregates, the items of its select list. Every
//! expression of the statement is bound against it, so all of them run over one
//! slice of values.

mod aggregate;
mod change;
mod clauses;
mod conjuncts;
mod from;
mod insert;
mod load;
mod scope;
mod select;
mod statement;
mod variables;

pub(crate) use aggregate::{Aggregate, AggregateFunction};
pub(crate) use change::{BoundDelete, BoundUpdate};
pub(crate) use conjuncts::{columns_of, conjuncts};
pub(crate) use from::{FoundTable, JoinKind, Source, TableSource, Tables, VirtualTable};
pub(crate) use insert::{BoundInsert, Given, InsertSource};
pub(crate) use load::{BoundLoad, LoadTarget};
pub(crate) use scope::{ItemNames, NamedItem, ScopeColumn, ScopeTable, StatementScope};
pub(crate) use select::{BoundSelect, Item, LimitBound, OrderBy};
pub(crate) use statement::Statement;
pub(crate) use variables::{NoVariables, VariableTypes};
