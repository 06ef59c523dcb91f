//! One way to serve gRPC and one way to call it, for all parts.
//!
//! - [`serve`]: a listener with authentication, load shedding, deadlines, metrics, health,
//!   reflection and a bounded drain.
//! - [`peers`] and [`call`]: the other side: addresses by name, retries by kind of error
//!   within a deadline and a budget.
//! - [`status`]: errors as they travel, with kind, retryability and chain.
//! - [`auth`]: the shared token; `contract`: which version of the contracts is spoken.
//! - `traced`: calls as spans of traces, on both sides.
//! - [`network`]: how connections are made, so that a simulation can have its own.
//!
//! What is served and called is generated from `proto/` (crate `firn-grpc`).

pub mod auth;
pub mod call;
mod contract;
pub mod network;
mod observe;
pub mod peers;
pub mod serve;
mod sever;
pub mod status;
#[cfg(test)]
mod tests;
mod traced;

use std::path::PathBuf;

use crate::config::Secret;

/// How one part proves to another who it is; the same on both sides.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// A text that every caller sends and every server asks for.
    pub token: Option<Secret>,
    /// Certificates; without them connections are in the clear.
    pub tls: Option<TlsFiles>,
}

/// PEM files of one part's certificate.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// Who signs the certificates of all parts. Both sides ask for one signed by it.
    pub ca: PathBuf,
    /// This part's certificate.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}
