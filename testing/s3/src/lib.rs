//! An S3 server in process, for tests.
//!
//! HTTP, signatures and XML are `s3s`'s; what is stored, and all conditions,
//! are decided under one lock ([`buckets`]), so that races have one winner.
//! Checksums of every kind are verified. Faults come on demand: refusals,
//! failures before and after a request, replies that never come.
//!
//! It listens on a port of the loopback interface that the system picks, and
//! stops when it is dropped.

mod body;
mod buckets;
mod faults;
mod server;
mod service;

pub use buckets::Limits;
pub use faults::Fault;
pub use server::{ACCESS_KEY, REGION, SECRET_KEY, Server};
