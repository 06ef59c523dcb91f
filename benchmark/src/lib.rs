//! Runs workloads on Firn and on its peers, and reports what was measured.
//!
//! A workload is a YAML file: the parts, the data, the phases, what to compare
//! with and what should be reached. [`run`] does all of it. How figures come
//! about is said where they are made: the operations in [`generate`], the
//! workers' loop in `run/worker.rs`, rates in `run/pacer.rs`, latencies,
//! processor time and requests in [`measure`].
//!
//! Workloads over MySQL's protocol are in [`mysql`]; they drive servers in
//! processes of their own.
//!
//! The crate links no services: whoever does implements [`Provider`], which
//! opens a database for a topology and hands it over as a [`FirnTarget`].

pub mod config;
mod engine;
pub mod generate;
pub mod measure;
pub mod mysql;
mod peers;
pub mod report;
mod run;
mod target;

pub use config::{Config, Topology};
pub use engine::{Batch, Engine, Provider, Target};
pub use measure::{Metered, PartTimes};
pub use report::Report;
pub use run::{PhaseResult, Point, Summary, Work, run, run_config, run_tasks, run_threads};
pub use target::{FirnTarget, Surroundings};
