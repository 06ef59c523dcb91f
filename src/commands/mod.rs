//! What the subcommands do.

mod branch_ctl;
mod cluster;
mod compaction;
mod compute;
mod ctl;
mod ctl_status;
mod health;
mod journal;
mod journal_ctl;
mod scrub;
mod storage;
mod up;

use std::io::Write;
use std::time::Duration;

use firn_engine::{Error, ErrorKind, Result};
use firn_services::allocator;
use firn_services::config::Config;
use firn_services::machine::Machine;
use firn_services::runtime::Runtimes;
use firn_services::shutdown::Shutdown;
use firn_services::telemetry;

use crate::cli::{Cli, Command};

/// How long tasks may take to end when a command is done.
const RUNTIME_STOP_MAX: Duration = Duration::from_secs(10);

/// Whether a command runs until it is stopped.
fn serves(command: &Command) -> bool {
    use Command::{Compaction, Compute, Journal, Storage, Up};
    matches!(command, Up(_) | Compute(_) | Journal(_) | Storage(_) | Compaction(_))
}

/// What a process calls itself in traces.
fn service(command: &Command) -> &'static str {
    match command {
        Command::Compute(_) => "firn-compute",
        Command::Journal(_) => "firn-journal",
        Command::Storage(_) => "firn-storage",
        Command::Compaction(_) => "firn-compaction",
        _ => "firn",
    }
}

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
        Command::Compute(args) => args.settings(),
        Command::Journal(args) => args.settings(),
        Command::Ctl(args) => args.settings(),
        _ => Vec::new(),
    };
    let variables = std::env::vars_os();
    let config = Config::load_with(cli.config.as_deref(), variables, &arguments, &machine)?;
    if matches!(cli.command, Command::Config) {
        return print(&config.to_yaml());
    }
    let (service, trace) = (service(&cli.command), config.trace.clone());
    let traces = telemetry::init_with(&config.log, config.log_format, service, &trace)?;
    let runtimes = match cli.command {
        // A member writes, sends and answers in turn.
        Command::Journal(_) => Runtimes::start_single(machine.cores)?,
        _ => Runtimes::start(machine.cores)?,
    };
    if serves(&cli.command) {
        allocator::keep_within(config.memory_bytes_max.0);
    }
    let shutdown = Shutdown::new();
    shutdown.on_signals()?;
    if cli.until_stdin_ends {
        until_stdin_ends(&shutdown)?;
    }
    let done = runtimes.block_on(async {
        let traces = traces.map(|traces| traces.export(&runtimes.env())).transpose()?;
        let done = match cli.command {
            Command::Up(args) if args.cluster => {
                cluster::run(&config, cli.config.as_deref(), &runtimes, &shutdown).await
            }
            Command::Up(_) => up::run(&config, &runtimes, &shutdown, up::Merges::Here).await,
            Command::Compute(_) => compute::run(&config, &runtimes, &shutdown).await,
            Command::Journal(_) => journal::run(&config, &runtimes, &shutdown).await,
            Command::Storage(_) => storage::run(&config, &runtimes, &shutdown).await,
            Command::Compaction(_) => compaction::run(&config, &runtimes, &shutdown).await,
            // These may be cut off anywhere.
            Command::Bench(args) => {
                let bench = crate::bench::run(&config, cli.config.as_deref(), &args, &runtimes);
                shutdown.interrupts(bench).await
            }
            Command::Scrub(args) => {
                shutdown.interrupts(scrub::run(&config, &args, &runtimes.env())).await
            }
            Command::Ctl(args) => {
                shutdown.interrupts(ctl::run(&config, &args, &runtimes.env())).await
            }
            Command::Config => Ok(()),
        };
        if let Some(traces) = traces {
            traces.finish().await;
        }
        done
    });
    let stopped = runtimes.shutdown(RUNTIME_STOP_MAX);
    done.and(stopped)
}

/// Requests the end when standard input ends, as it does when the parent has gone.
fn until_stdin_ends(shutdown: &Shutdown) -> Result<()> {
    let shutdown = shutdown.clone();
    let read = move || {
        // Whatever comes is not for us, and an error is an end as well.
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        shutdown.request("the end of its input");
    };
    let thread = std::thread::Builder::new().name("firn-stdin".to_owned()).spawn(read);
    let failed = |e| Error::with_source(ErrorKind::Unavailable, "watching standard input", e);
    thread.map(drop).map_err(failed)
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
