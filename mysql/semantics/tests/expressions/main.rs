//! Expressions against a real MySQL server, live and recorded.

#![allow(clippy::print_stdout, reason = "the comparison reports what differs")]

mod answer;
mod client;
mod deep;
mod formats;
mod generate;
mod generate_json;
mod literals;
mod mended;
mod oracle;
#[cfg(feature = "vector")]
mod quiet;
mod recorded;
#[cfg(feature = "vector")]
mod vector;
#[cfg(feature = "vector")]
mod vector_batch;
#[cfg(feature = "vector")]
mod vector_statement;
#[cfg(feature = "vector")]
mod vector_types;
