//! Compute: Firn's MySQL server, on an engine that somebody else has opened.
//!
//! From the outside in:
//!
//! * [`session`]: what a connection has: variables, a current database, prepared
//!   statements, a transaction. It answers the protocol's commands.
//! * [`accounts`]: users, roles, privileges.
//! * [`variables`]: system variables, their types, ranges and defaults.
//! * [`catalog`]: databases and tables by name, in the engine's own key space.
//! * [`txn`]: transactions over keys: snapshots, locks, savepoints, commit.
#![forbid(unsafe_code)]

pub mod accounts;
pub mod catalog;
pub mod session;
#[cfg(test)]
mod testing;
pub mod txn;
pub mod variables;
