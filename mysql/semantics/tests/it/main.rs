//! Tests of the crate from outside.

mod fixture;
mod oracle;
mod regexp;
mod server;
