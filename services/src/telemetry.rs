//! Log events, panics and traces.
//!
//! A panic inside a task ends that task alone: whoever waits for it sees that
//! there is no result, and says what cannot go on without it. What the panic
//! hook adds is one line with place and reason, and a counter.

mod traces;

use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicU64, Ordering};

use firn_engine::{Error, ErrorKind, Result};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Layer, SubscriberExt};

pub(crate) use self::traces::collect as collect_spans;
pub use self::traces::{Exporting, TraceConfig, Traces};
use crate::config::LogFormat;

static PANICS: AtomicU64 = AtomicU64::new(0);

/// Panics since [`init`], in whatever thread.
pub fn panics() -> u64 {
    PANICS.load(Ordering::Relaxed)
}

/// Says whether a filter can be used: a level, or `target=level` pairs with
/// commas between, or both.
///
/// # Errors
/// A line that says what is wrong.
pub fn check_filter(filter: &str) -> std::result::Result<(), String> {
    parse(filter).map(drop)
}

fn parse(filter: &str) -> std::result::Result<Targets, String> {
    let mut targets = Targets::new();
    for directive in filter.split(',').map(str::trim).filter(|d| !d.is_empty()) {
        let level = |name: &str| {
            name.trim().parse::<LevelFilter>().map_err(|_| {
                format!("{name:?} is no level of logging: off, error, warn, info, debug or trace")
            })
        };
        // A lone target would mean all of its events: more often it is a level
        // with a spelling mistake.
        targets = match directive.split_once('=') {
            None => targets.with_default(level(directive)?),
            Some((target, name)) => targets.with_target(target.trim(), level(name)?),
        };
    }
    Ok(targets)
}

/// Starts to write log events to standard error, and panics with them. Once in a process.
///
/// # Errors
/// [`ErrorKind::BadRequest`] for a bad filter; [`ErrorKind::Internal`] if
/// someone else has taken the process's events.
pub fn init(filter: &str, format: LogFormat) -> Result<()> {
    init_with(filter, format, "firn", &TraceConfig { endpoint: None, share: 0.0 }).map(drop)
}

/// As [`init`], and with traces of the process `service` if there is a collector: they are
/// made from now on, and sent once [`Traces::export`] is called.
///
/// # Errors
/// As [`init`].
pub fn init_with(
    filter: &str,
    format: LogFormat,
    service: &str,
    config: &TraceConfig,
) -> Result<Option<Traces>> {
    let targets = parse(filter)
        .map_err(|why| Error::new(ErrorKind::BadRequest, format!("log filter: {why}")))?;
    let traces = config.endpoint.as_ref().map(|endpoint| Traces::new(service, endpoint));
    // Of spans log events say nothing.
    let targets = targets.with_target(firn_engine::trace::TARGET, LevelFilter::OFF);
    let lines = match format {
        LogFormat::Text => tracing_subscriber::fmt::layer()
            .with_writer(std::io::stderr)
            .with_ansi(std::io::stderr().is_terminal())
            .boxed(),
        LogFormat::Json => tracing_subscriber::fmt::layer()
            .json()
            .flatten_event(true)
            .with_writer(std::io::stderr)
            .boxed(),
    };
    let registry = tracing_subscriber::registry();
    let taken = match &traces {
        // A filter over all is cheaper than one for each layer.
        None => tracing::subscriber::set_global_default(registry.with(lines).with(targets)),
        Some(traces) => {
            let both = registry.with(lines.with_filter(targets)).with(traces.layer());
            tracing::subscriber::set_global_default(both)
        }
    };
    taken.map_err(|e| Error::with_source(ErrorKind::Internal, "starting to log", e))?;
    if traces.is_some() {
        Traces::turn_on(config.share);
    }
    std::panic::set_hook(Box::new(on_panic));
    Ok(traces)
}

fn on_panic(info: &std::panic::PanicHookInfo<'_>) {
    PANICS.fetch_add(1, Ordering::Relaxed);
    let message = crate::exit::one_line(info.payload_as_str().unwrap_or("no message"));
    let place = info.location().map_or_else(String::new, ToString::to_string);
    let thread = std::thread::current();
    let thread = thread.name().unwrap_or("unnamed");
    if tracing::enabled!(tracing::Level::ERROR) {
        tracing::error!(thread, place, "panic: {message}");
    } else {
        // Somebody who turned logging off still wants to know about a bug.
        let _ = writeln!(std::io::stderr(), "firn: panic in {thread} at {place}: {message}");
    }
    let backtrace = std::backtrace::Backtrace::capture();
    if backtrace.status() == std::backtrace::BacktraceStatus::Captured {
        let _ = writeln!(std::io::stderr(), "{backtrace}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn filters_are_checked() {
        for good in ["info", "OFF", "", "info,firn_engine=debug", "firn_engine::db = trace, warn"] {
            check_filter(good).unwrap_or_else(|e| panic!("{good:?}: {e}"));
        }
        for bad in ["inof", "firn_engine", "firn_engine=loud", "info,firn_engine"] {
            assert!(check_filter(bad).unwrap_err().contains("no level of logging"), "{bad:?}");
        }
    }

    #[test]
    fn a_filter_chooses_by_target() {
        let targets = parse("warn,firn_engine=debug").unwrap();
        let enabled = |target: &str, level| targets.would_enable(target, &level);
        assert!(enabled("firn_engine::db", tracing::Level::DEBUG));
        assert!(!enabled("firn_engine::db", tracing::Level::TRACE));
        assert!(enabled("hyper", tracing::Level::WARN));
        assert!(!enabled("hyper", tracing::Level::INFO));
    }

    /// Not a test by itself: the process whose events the next tests read.
    #[test]
    fn child_that_logs() {
        let Some(how) = std::env::var_os("FIRN_TEST_CHILD") else { return };
        let how = how.to_str().unwrap();
        let format = if how == "json" { LogFormat::Json } else { LogFormat::Text };
        init(if how == "off" { "off" } else { "info" }, format).unwrap();
        assert_eq!(init("info", format).unwrap_err().kind(), ErrorKind::Internal);
        tracing::info!(answer = 42, "hello");
        tracing::debug!("not shown");
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let task = runtime.spawn(async { panic!("two\nlines") });
        assert!(runtime.block_on(task).is_err());
        assert_eq!(panics(), 1);
    }

    fn events(how: &str) -> Vec<String> {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "telemetry::tests::child_that_logs", "--nocapture"])
            .env("FIRN_TEST_CHILD", how)
            .env("RUST_BACKTRACE", "0")
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stderr).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn events_and_panics_are_lines_for_people() {
        let lines = events("text");
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines[0].contains(" INFO ") && lines[0].contains("hello answer=42"), "{lines:?}");
        let panic = &lines[1];
        assert!(panic.contains("ERROR") && panic.contains("panic: two\\nlines"), "{panic}");
        assert!(panic.contains("telemetry.rs:"), "{panic}");
    }

    #[test]
    fn events_and_panics_are_json_objects() {
        let lines = events("json");
        assert_eq!(lines.len(), 2, "{lines:?}");
        let event: serde_json::Value = serde_json::from_str(&lines[0]).unwrap();
        assert_eq!((&event["level"], &event["answer"]), (&"INFO".into(), &42.into()));
        assert_eq!(event["message"], "hello");
        let panic: serde_json::Value = serde_json::from_str(&lines[1]).unwrap();
        assert_eq!(panic["message"], "panic: two\\nlines");
    }

    #[test]
    fn a_panic_is_told_even_with_logging_off() {
        let lines = events("off");
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].starts_with("firn: panic in telemetry::tests"), "{lines:?}");
        assert!(lines[0].ends_with(": two\\nlines"), "{lines:?}");
    }
}
