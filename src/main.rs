//! The `firn` command.

use std::process::ExitCode;

use clap::Parser;

/// It gives pages that are free back to the system: with glibc's a server that changes
/// millions of rows in a transaction grew from statement to statement.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match firn::run(firn::cli::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => firn_services::exit::report(&error),
    }
}
