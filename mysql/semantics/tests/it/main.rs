//! Tests of the crate from outside.

mod docs;
mod fixture;
mod oracle;
mod regexp;
mod server;
