//! `firn ctl`: reads the newest manifest, or asks the running process.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use firn_engine::manifest::Version;
use firn_engine::{Env, Error, ErrorKind, Result};
use firn_services::config::Config;
use firn_storage::manifests::Manifests;
use serde::Serialize;

use super::{branch_ctl, ctl_status, journal_ctl, print};
use crate::cli::{BranchWhat, CtlArgs, CtlWhat, SnapshotWhat};
use crate::inspect;
use crate::status::{self, Status};
use crate::store::Store;
use crate::table::TextTable;

/// How long the running process may take to answer.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// Bytes of an answer at most.
const ANSWER_BYTES_MAX: u64 = 64 << 20;

pub(super) async fn run(config: &Config, args: &CtlArgs, env: &Env) -> Result<()> {
    let text = match &args.what {
        CtlWhat::Caches => {
            let rows = ask(config)?.caches;
            show(args, &rows, status::caches_table)?
        }
        CtlWhat::Levels => {
            show(args, &inspect::levels(&newest(config, env).await?), inspect::levels_table)?
        }
        CtlWhat::Files => {
            show(args, &inspect::files(&newest(config, env).await?), inspect::files_table)?
        }
        CtlWhat::Jobs => {
            show(args, &inspect::jobs(&newest(config, env).await?), inspect::jobs_table)?
        }
        CtlWhat::Status => {
            let state = ctl_status::gather(config, env).await;
            if args.json { json(&state)? } else { state.text() }
        }
        CtlWhat::Journal { what } => {
            show(args, &journal_ctl::run(config, *what, env).await?, journal_ctl::table)?
        }
        CtlWhat::Branch { what } => {
            let rows = branch_ctl::branch(config, what, env).await?;
            match what {
                BranchWhat::Drop { .. } => String::new(),
                _ => show(args, &rows, branch_ctl::branches_table)?,
            }
        }
        CtlWhat::Snapshot { what } => {
            let rows = branch_ctl::snapshot(config, what, env).await?;
            match what {
                SnapshotWhat::Drop { .. } => String::new(),
                _ => show(args, &rows, branch_ctl::snapshots_table)?,
            }
        }
        CtlWhat::Pins => {
            show(args, &inspect::pins(&newest(config, env).await?), inspect::pins_table)?
        }
    };
    print(&text)
}

fn show<R: Serialize>(args: &CtlArgs, rows: &[R], table: fn(&[R]) -> TextTable) -> Result<String> {
    if !args.json {
        return Ok(table(rows).to_string());
    }
    json(rows)
}

fn json<T: Serialize + ?Sized>(value: &T) -> Result<String> {
    let json = serde_json::to_string_pretty(value)
        .map_err(|e| Error::with_source(ErrorKind::Internal, "encoding JSON", e))?;
    Ok(json + "\n")
}

/// The newest version of the branch, read from the object store.
pub(super) async fn newest(config: &Config, env: &Env) -> Result<Version> {
    let store = Store::open(config, env).await?;
    let manifests = Manifests::new(env.clone(), Arc::clone(&store.objects), store.layout.clone());
    let called = manifests.newest(&config.branch).await?;
    let found = match called {
        // Another may be called so now.
        Some(version) if version.dropped => manifests.last_called(&config.branch).await?,
        found => found,
    };
    found.ok_or_else(|| {
        let message = format!("branch {} does not exist in {}", config.branch, store.name);
        Error::new(ErrorKind::BadRequest, message)
    })
}

/// Asks the process that runs with this configuration.
pub(super) fn ask(config: &Config) -> Result<Status> {
    let Some(address) = config.http_listen else {
        let why = "http_listen is off, so the running process cannot be asked";
        return Err(Error::new(ErrorKind::BadRequest, why));
    };
    let failed = |e: std::io::Error| {
        let message = format!("asking the running process at http_listen {address}");
        Error::with_source(ErrorKind::Unavailable, message, e)
    };
    let exchange = || {
        let mut stream = TcpStream::connect_timeout(&address, ANSWER_MAX)?;
        stream.set_read_timeout(Some(ANSWER_MAX))?;
        write!(stream, "GET /status HTTP/1.0\r\nHost: {address}\r\n\r\n")?;
        let mut answer = String::new();
        stream.take(ANSWER_BYTES_MAX).read_to_string(&mut answer)?;
        Ok(answer)
    };
    let answer: String = exchange().map_err(failed)?;
    let strange = |why: String| failed(std::io::Error::other(why));
    let (head, body) =
        answer.split_once("\r\n\r\n").ok_or_else(|| strange("it does not speak HTTP".into()))?;
    let first = head.lines().next().unwrap_or_default();
    if first.split(' ').nth(1) != Some("200") {
        return Err(strange(format!("it answers {first:?}")));
    }
    serde_json::from_str(body).map_err(|e| strange(format!("it answers strangely: {e}")))
}
