//! A server in the test's own process, over real connections on a port that the system
//! chooses.
#![allow(clippy::disallowed_methods, reason = "real clients in real time")]

mod accounts;
mod admin;
mod auto_increment;
mod changes;
mod compared;
mod connections;
mod copies;
mod definitions;
mod differential;
mod dump;
mod executors;
mod explain;
mod fuzz;
mod having;
mod information_schema;
mod isolation;
mod large;
mod limits;
mod load;
mod memory;
mod online;
mod passwords;
mod plan_cache;
mod privileges;
mod ranges;
mod row_groups;
mod rows_read;
mod scripts;
mod show;
mod spill;
mod statistics;
mod support;
mod temporary;
mod versions;
