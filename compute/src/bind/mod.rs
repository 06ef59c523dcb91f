//! From syntax to typed statements: names become places in one flat row.
//!
//! The flat row of a statement is, from the left: the columns of its tables in the
//! order of FROM, the results of its aggregates and of its window functions, the items of
//! its select list, and what a subquery takes from the row around it. Every expression of the query is bound
//! against it, so all of them run over one slice of values.

mod aggregate;
mod aggregate_names;
mod block;
mod change;
mod clauses;
mod conjuncts;
mod destination;
mod distinct;
mod doubt;
mod duplicates;
mod from;
mod full_group;
mod grouping;
mod insert;
mod items;
mod json_table;
mod load;
mod locking;
mod made;
mod nested_join;
mod outer_aggregate;
mod rollup;
mod scope;
mod select;
mod set;
mod set_row;
mod statement;
mod subquery;
mod unread;
mod used;
mod variables;
mod view;
mod window;
mod with;

pub(crate) use aggregate::{Aggregate, AggregateFunction};
pub(crate) use block::Block;
pub(crate) use change::{BoundDelete, BoundUpdate};
pub(crate) use clauses::{has_query, walk};
pub(crate) use conjuncts::{columns_of, conjuncts};
pub(crate) use destination::{Destination, Outfile};
pub(crate) use from::{
    Derived, FoundTable, JoinKind, Locked, NoTables, Source, TableSource, Tables, VirtualTable,
};
pub(crate) use grouping::{GroupingScope, Groupings};
pub(crate) use insert::{BoundInsert, Given, InsertSource};
pub(crate) use items::Item;
pub(crate) use json_table::{Instead, JsonColumn, JsonTable};
pub(crate) use load::{BoundLoad, LoadTarget};
pub(crate) use scope::{ItemNames, NamedItem, ScopeColumn, ScopeTable, StatementScope};

pub(crate) use select::{BoundSelect, LimitBound, OrderBy};
pub(crate) use set::{BoundSet, SetPart};
pub(crate) use statement::Statement;
pub(crate) use subquery::{Asked, BoundSubquery};
pub(crate) use used::{Used, Uses};
pub(crate) use variables::{NoVariables, VariableTypes};
pub(crate) use view::{ViewChain, ViewCheck, table as view_table};
pub(crate) use window::{
    Distance, Edge, Frame, Window, WindowCall, WindowFunction, WindowScope, Windowing, Windows,
};
pub(crate) use with::{CommonTable, Recursive, Shared};
