//! A server in the test's own process, over real connections on a port that the system
//! chooses.

mod admin;
mod compared;
mod explain;
mod information_schema;
mod show;
mod support;
