//! A server in the test's own process, over real connections on a port that the system
//! chooses.
#![allow(clippy::disallowed_methods, reason = "real clients in real time")]

mod accounts;
mod admin;
mod compared;
mod explain;
mod information_schema;
mod show;
mod support;
