//! The `firn` command.

use std::process::ExitCode;

use clap::Parser;

/// Statements make and drop many small things, and futures of some kilobytes, for which the
/// system's own takes its slow path.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match firn::run(firn::cli::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => firn_services::exit::report(&error),
    }
}
