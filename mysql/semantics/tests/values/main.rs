//! Values against a real MySQL server.
//!
//! `MYSQL_CLI` is a shell command that runs statements from its input with the
//! `mysql` client and takes more of the client's options at its end. Run with
//! `MYSQL_CLI=… cargo test -p firn-mysql-semantics --test values -- --ignored`.
//! `FIRN_TEST_SEED` repeats a run.

#![expect(clippy::print_stdout, reason = "differences are shown when a test fails")]

mod columns;
mod decimals;
mod server;
mod temporals;
mod zones;
