//! The `firn` command.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match firn::run(firn::cli::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => firn_services::exit::report(&error),
    }
}
