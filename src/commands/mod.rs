//! What the subcommands do.

mod compaction;
mod ctl;
mod health;
mod scrub;
mod storage;
mod up;

use std::io::Write;
use std::time::Duration;

use firn_engine::{Error, ErrorKind, Result};
use firn_services::config::Config;
use firn_services::machine::Machine;
use firn_services::runtime::Runtimes;
use firn_services::shutdown::Shutdown;
use firn_services::telemetry;

use crate::cli::{Cli, Command, ComputeArgs};

/// How long tasks may take to end when a command is done.
const RUNTIME_STOP_MAX: Duration = Duration::from_secs(10);

/// Runs a command to its end.
///
/// # Errors
/// What stopped it; the chain of causes is one line.
pub fn run(cli: Cli) -> Result<()> {
    let machine = Machine::detect();
    let arguments = match &cli.command {
        Command::Up(args) => args.settings(),
        Command::Storage(args) => args.settings(),
        Command::Compaction(args) => args.settings(),
        Command::Compute(args) => return Err(compute(args)),
        _ => Vec::new(),
    };
    let variables = std::env::vars_os();
    let config = Config::load_with(cli.config.as_deref(), variables, &arguments, &machine)?;
    if matches!(cli.command, Command::Config) {
        return print(&config.to_yaml());
    }
    telemetry::init(&config.log, config.log_format)?;
    let runtimes = Runtimes::start(machine.cores)?;
    let shutdown = Shutdown::new();
    shutdown.on_signals()?;
    let done = runtimes.block_on(async {
        match cli.command {
            Command::Up(_) => up::run(&config, &runtimes, &shutdown).await,
            Command::Storage(_) => storage::run(&config, &runtimes, &shutdown).await,
            Command::Compaction(_) => compaction::run(&config, &runtimes, &shutdown).await,
            // These may be cut off anywhere.
            Command::Bench(args) => {
                shutdown.interrupts(crate::bench::run(&config, &args, &runtimes)).await
            }
            Command::Scrub(args) => {
                shutdown.interrupts(scrub::run(&config, &args, &runtimes.env())).await
            }
            Command::Ctl(args) => {
                shutdown.interrupts(ctl::run(&config, &args, &runtimes.env())).await
            }
            Command::Config | Command::Compute(_) => Ok(()),
        }
    });
    let stopped = runtimes.shutdown(RUNTIME_STOP_MAX);
    done.and(stopped)
}

/// The front end alone needs a journal that answers over the network, and there
/// is none yet.
fn compute(args: &ComputeArgs) -> Error {
    let why = format!(
        "the journal service at {} cannot be used: the journal does not run over the network \
         yet; `firn up` with storage.addresses: {} keeps it in its own process",
        args.journal_addr, args.storage_addr
    );
    Error::new(ErrorKind::BadRequest, why)
}

/// Writes to standard output. That nobody reads it any more is not an error.
fn print(text: &str) -> Result<()> {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Error::with_source(ErrorKind::Unavailable, "writing to standard output", e))
        }
        _ => Ok(()),
    }
}
