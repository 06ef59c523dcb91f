//! The `firn` command and what it puts together. This is the only crate that
//! links the services with each other.

mod bench;
pub mod cli;
mod commands;
pub mod data_dir;
pub mod inspect;
pub mod local;
pub mod metrics;
mod parts;
pub mod scrub;
pub mod status;
pub mod store;
pub mod table;

pub use commands::run;

/// The commit that this program was built from; empty if not known.
pub const COMMIT: &str = env!("SOURCE_COMMIT");

/// The name of this machine, for people.
fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match name.trim() {
        "" => "unnamed machine".to_owned(),
        name => name.to_owned(),
    }
}
