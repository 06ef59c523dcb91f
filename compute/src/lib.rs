//! Compute: Firn's MySQL server, on an engine that somebody else has opened.
//!
//! From the outside in:
//!
//! * [`server`]: what all sessions share, and the port that clients come in by.
//! * [`session`]: what a connection has: variables, a current database, prepared
//!   statements, a transaction. It answers the protocol's commands.
//! * [`accounts`]: users, roles, privileges.
//! * `bind`: from syntax to typed statements. `plan`: how they reach their rows.
//!   `plan_cache`: statements that need neither again.
//!   `execute`: running them, row by row. `output`: rows on the wire.
//!   `vector`: the heavy part of queries over batches of columns, with DataFusion.
//! * [`variables`]: system variables, their types, ranges and defaults.
//! * [`catalog`]: databases and tables by name, in the engine's own key space.
//!   `table`: an open table with all that is compiled from it. `statistics`: how many rows
//!   tables have, and how different their keys are.
//! * [`memory`]: what all statements together may keep in memory. [`spill`]: what does not
//!   fit into it, in temporary files.
//! * [`txn`]: transactions over keys: snapshots, locks, savepoints, commit.
#![forbid(unsafe_code)]

pub mod accounts;
mod bind;
pub mod catalog;
mod execute;
mod hints;
mod information_schema;
pub mod memory;
mod output;
mod plan;
mod plan_cache;
pub mod server;
pub mod session;
pub mod spill;
mod statistics;
mod table;
#[cfg(test)]
mod testing;
pub mod txn;
pub mod variables;
mod vector;
mod zone;
