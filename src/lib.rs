//! The `firn` command and what it puts together. This is the only crate that
//! links the services with each other.

pub mod cli;
pub mod data_dir;
pub mod inspect;
pub mod scrub;
pub mod table;

/// The name of this machine, for people.
fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match name.trim() {
        "" => "unnamed machine".to_owned(),
        name => name.to_owned(),
    }
}
