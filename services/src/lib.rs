//! What every process of Firn shares: configuration, the machine it runs on,
//! runtimes, telemetry, health and shutdown.
//!
//! Nothing here knows what the engine's parts do; `src/main.rs` puts both
//! together.

pub mod allocator;
pub mod bytes;
pub mod clients;
pub mod config;
pub mod exit;
pub mod http;
pub mod journal;
pub mod machine;
pub mod metrics;
pub mod process;
pub mod rpc;
pub mod runtime;
pub mod shutdown;
pub mod telemetry;
