//! The parts together.

#![expect(clippy::print_stderr, reason = "failing seeds are printed")]

mod benchmark;
mod branches;
mod bucket;
mod cache;
mod cluster;
mod columns;
mod command;
mod crash;
mod model;
mod mysql_bench;
mod opening;
mod outage;
mod simulation;
mod tables;
mod wire;
mod world;
