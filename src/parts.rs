//! Parts of Firn as processes that this one starts, watches and ends.
//!
//! A part ends when its standard input does, so none is left behind, however this process
//! ends.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use firn_engine::{Context, Env, Error, ErrorKind, Result, TaskClass};

/// How long a part may take to say that it is ready.
const READY_MAX: Duration = Duration::from_secs(60);
/// How often it is looked whether a part has ended.
pub(crate) const WATCH_EVERY: Duration = Duration::from_millis(100);

/// How a part is started.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) name: String,
    pub(crate) args: Vec<String>,
    pub(crate) log: PathBuf,
}

/// A part that runs, or is to be started again; killed when dropped.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) plan: Plan,
    pub(crate) child: Option<Child>,
    /// When it was seen to have ended.
    pub(crate) ended: Option<firn_engine::Instant>,
}

impl Drop for Part {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

pub(crate) fn io_error(what: &str, path: &Path, e: std::io::Error) -> Error {
    Error::with_source(ErrorKind::Unavailable, format!("{what} {}", path.display()), e)
}

/// Ports that nobody uses now.
pub(crate) fn free_addresses(count: usize) -> Result<Vec<SocketAddr>> {
    let failed = |e| Error::with_source(ErrorKind::Unavailable, "looking for a free port", e);
    // All are held until all are found.
    let listeners: std::io::Result<Vec<TcpListener>> =
        (0..count).map(|_| TcpListener::bind("127.0.0.1:0")).collect();
    listeners.map_err(failed)?.iter().map(|l| l.local_addr().map_err(failed)).collect()
}

pub(crate) fn spawn(plan: &Plan) -> Result<Child> {
    let program = std::env::current_exe();
    let program = program.map_err(|e| io_error("the program of", Path::new(&plan.name), e))?;
    let mut log = File::options();
    let log = log.create(true).append(true).open(&plan.log);
    let log = log.map_err(|e| io_error("log", &plan.log, e))?;
    let mut command = Command::new(&program);
    command.args(&plan.args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
    // Ctrl-C is for this process, which ends the parts in order.
    command.process_group(0);
    command.spawn().map_err(|e| io_error("starting", &program, e))
}

/// Starts parts together and waits until each says that it is ready; what they say.
pub(crate) async fn start(
    env: &Env,
    plans: Vec<Plan>,
    running: &mut Vec<Part>,
) -> Result<Vec<String>> {
    let mut outs = Vec::new();
    for plan in plans {
        let mut child = spawn(&plan)?;
        outs.push((plan.clone(), child.stdout.take()));
        running.push(Part { plan, child: Some(child), ended: None });
    }
    let mut said = Vec::new();
    for (plan, out) in outs {
        let read = move || {
            let mut line = String::new();
            // At the end of what it says there is no line.
            let _ = BufReader::new(out?).read_line(&mut line).ok()?;
            Some(line)
        };
        let line = env.blocking(TaskClass::Background, "cluster-ready", read);
        let line = env.timeout(READY_MAX, line).await.flatten().flatten().unwrap_or_default();
        let Some(ready) = line.trim_end().strip_prefix("ready: ") else {
            let why = format!("{} did not start: see {}", plan.name, plan.log.display());
            return Err(Error::new(ErrorKind::Unavailable, why));
        };
        tracing::info!(part = plan.name, ready, log = %plan.log.display(), "started");
        said.push(ready.to_owned());
    }
    Ok(said)
}

pub(crate) fn has_ended(child: &mut Option<Child>) -> Result<Option<ExitStatus>> {
    let ended = child.as_mut().map_or(Ok(None), Child::try_wait);
    ended.map_err(|e| Error::with_source(ErrorKind::Unavailable, "waiting for a part", e))
}

/// Asks parts to end and waits for that.
pub(crate) async fn stop(env: &Env, mut parts: Vec<Part>) -> Result<()> {
    for part in &mut parts {
        // The end of its input tells a part to end.
        drop(part.child.as_mut().and_then(|child| child.stdin.take()));
    }
    let mut failed = Ok(());
    for part in &mut parts {
        while part.child.is_some() {
            if let Some(status) = has_ended(&mut part.child)? {
                part.child = None;
                if !status.success() {
                    let (name, log) = (&part.plan.name, part.plan.log.display());
                    let why = format!("{name} did not end in good order, {status}: see {log}");
                    failed = Err(Error::new(ErrorKind::Unavailable, why));
                }
            } else {
                env.sleep(WATCH_EVERY).await;
            }
        }
    }
    failed.context(|| "stopping parts")
}
