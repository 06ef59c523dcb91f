//! The servers that are measured: started here, or running already.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use firn_engine::{Error, ErrorKind, Result};
use firn_mysql_protocol::command::ParameterValue;

use super::config::{MysqlConfig, ServerKind, ServerSpec};
use super::connection::Login;
use super::process;
use super::report::ServerFacts;

/// How long a server may take to be there.
const START_MAX: Duration = Duration::from_secs(120);
/// How long it may take to end when it is asked to.
const STOP_MAX: Duration = Duration::from_secs(60);
/// Time between looks.
const LOOK: Duration = Duration::from_millis(50);
/// Names the command that starts `mysqld`, words with spaces between.
const MYSQLD: &str = "MYSQLD";

/// What is said of a server in reports, where it has it.
const VARIABLES: [&str; 6] = [
    "innodb_flush_log_at_trx_commit",
    "sync_binlog",
    "log_bin",
    "innodb_buffer_pool_size",
    "transaction_isolation",
    "max_connections",
];

/// A server that answers.
pub(crate) struct Server {
    pub(crate) name: String,
    pub(crate) login: Login,
    /// Its process, if it is on this machine and can be seen.
    pub(crate) pid: Option<u32>,
    /// Where its data is, if it was started here.
    pub(crate) dir: Option<PathBuf>,
    pub(crate) facts: ServerFacts,
    started: Option<Started>,
}

/// A process of ours; killed when dropped, and ended in order by [`Server::stop`].
struct Started {
    child: Child,
    log: PathBuf,
}

impl Drop for Started {
    fn drop(&mut self) {
        // It may have ended; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn failed(what: impl std::fmt::Display, error: std::io::Error) -> Error {
    Error::with_source(ErrorKind::Unavailable, what.to_string(), error)
}

impl Server {
    /// Starts it, or finds it, and waits until it answers.
    ///
    /// # Errors
    /// Why it does not, with what it has said.
    pub(crate) async fn start(spec: &ServerSpec, config: &MysqlConfig, dir: &Path) -> Result<Self> {
        let (address, started) = match spec.kind {
            ServerKind::Firn => start_firn(spec, config, dir).await?,
            ServerKind::Mysqld => start_mysqld(spec, config, dir).await?,
            ServerKind::Address => (resolve(spec).await?, None),
        };
        let user = spec.user.clone();
        let (password, session) = (spec.password.clone(), spec.session.clone());
        let login = Login { address, user, password, session };
        let pid = match &started {
            Some(started) => Some(started.child.id()),
            None => process::listening_at(address),
        };
        let facts = ServerFacts { name: spec.name.clone(), ..ServerFacts::default() };
        let dir = started.as_ref().map(|_| dir.to_owned());
        let mut server = Self { name: spec.name.clone(), login, pid, dir, facts, started };
        server.wait_until_it_answers().await?;
        server.ask_facts().await?;
        Ok(server)
    }

    async fn wait_until_it_answers(&mut self) -> Result<()> {
        let begun = Instant::now();
        loop {
            let error = match self.login.client(None).await {
                Ok(client) => return client.quit().await.or(Ok(())),
                Err(error) => error,
            };
            if let Some(started) = &mut self.started
                && let Ok(Some(status)) = started.child.try_wait()
            {
                return Err(ended(&self.name, status, &started.log));
            }
            // Somebody else's server is there or is not.
            if self.started.is_none() || begun.elapsed() > START_MAX {
                return Err(error);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn ask_facts(&mut self) -> Result<()> {
        let mut client = self.login.client(None).await?;
        let mut settings = Vec::new();
        for variable in std::iter::once("version").chain(VARIABLES) {
            // Not every server knows every variable.
            let Ok(results) = client.query_all(format!("SELECT @@{variable}").as_bytes()).await
            else {
                continue;
            };
            let value = results.first().and_then(|result| {
                match result.rows.first()?.values(&result.columns).ok()?.first()? {
                    ParameterValue::Bytes(bytes) => {
                        Some(String::from_utf8_lossy(bytes).into_owned())
                    }
                    _ => None,
                }
            });
            settings.extend(value.map(|value| (variable.to_owned(), value)));
        }
        settings.push(("address".to_owned(), self.login.address.to_string()));
        self.facts.settings = settings;
        Ok(())
    }

    /// Ends it, if it was started here.
    ///
    /// # Errors
    /// If it does not end in order.
    pub(crate) async fn stop(mut self) -> Result<()> {
        let Some(mut started) = self.started.take() else { return Ok(()) };
        if let Some(pid) = rustix::process::Pid::from_raw(started.child.id() as i32) {
            // If it is gone already, the wait below says how.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let begun = Instant::now();
        while begun.elapsed() < STOP_MAX {
            match started.child.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(Some(status)) => return Err(ended(&self.name, status, &started.log)),
                Ok(None) => tokio::time::sleep(LOOK).await,
                Err(error) => return Err(failed(format!("waiting for {}", self.name), error)),
            }
        }
        let why = format!("{} has not ended within {STOP_MAX:?} and was killed", self.name);
        Err(Error::new(ErrorKind::Unavailable, why))
    }
}

fn ended(name: &str, status: ExitStatus, log: &Path) -> Error {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = lines[lines.len().saturating_sub(3)..].join(" | ");
    Error::new(ErrorKind::Unavailable, format!("{name} has ended with {status}: {last}"))
}

async fn resolve(spec: &ServerSpec) -> Result<SocketAddr> {
    let address = spec.address.as_deref().unwrap_or_default();
    let found = tokio::net::lookup_host(address).await;
    let found = found.map_err(|error| failed(format!("address {address:?}"), error))?.next();
    found.ok_or_else(|| Error::new(ErrorKind::Unavailable, format!("no address {address:?}")))
}

fn make_dir(dir: &Path) -> Result<PathBuf> {
    std::fs::create_dir_all(dir).map_err(|error| failed(dir.display(), error))?;
    std::path::absolute(dir).map_err(|error| failed(dir.display(), error))
}

type WhereAndWhat = (SocketAddr, Option<Started>);

/// `firn up` on a folder in `dir`; says on its standard output where it listens.
async fn start_firn(spec: &ServerSpec, config: &MysqlConfig, dir: &Path) -> Result<WhereAndWhat> {
    let dir = make_dir(dir)?;
    let program = std::env::current_exe().map_err(|error| failed("this program", error))?;
    let log = dir.join("firn.log");
    let log_file = std::fs::File::create(&log).map_err(|error| failed(log.display(), error))?;
    let mut command = Command::new(program);
    command.arg("up").env_remove("FIRN_CONFIG");
    command.env("FIRN_DATA_DIR", dir.join("data"));
    command.env("FIRN_MYSQL_LISTEN", "127.0.0.1:0").env("FIRN_HTTP_LISTEN", "none");
    command.env("FIRN_MEMORY_BYTES_MAX", config.memory.to_string());
    for option in &spec.options {
        let (key, value) = option.split_once('=').unwrap_or((option, ""));
        command.env(format!("FIRN_{}", key.to_uppercase().replace('.', "__")), value);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log_file);
    let mut child = command.spawn().map_err(|error| failed("starting firn", error))?;
    let out = child.stdout.take();
    let mut started = Started { child, log };
    let (told, mut ready) = tokio::sync::oneshot::channel();
    let reader = std::thread::Builder::new().name("bench-firn-out".to_owned());
    let read = move || {
        let Some(out) = out else { return };
        let mut lines = BufReader::new(out);
        let mut line = String::new();
        let mut told = Some(told);
        // Read on, so that it never waits for us.
        while lines.by_ref().take(64 << 10).read_line(&mut line).is_ok_and(|n| n > 0) {
            if let (Some(address), Some(told)) = (address_in(&line), told.take()) {
                let _ = told.send(address);
            }
            line.clear();
        }
    };
    reader.spawn(read).map_err(|error| failed("a thread for firn's output", error))?;
    let begun = Instant::now();
    loop {
        match tokio::time::timeout(LOOK, &mut ready).await {
            Ok(Ok(address)) => return Ok((address, Some(started))),
            Ok(Err(_)) => {
                let status = started.child.wait();
                let status = status.map_err(|error| failed("waiting for firn", error))?;
                return Err(ended(&spec.name, status, &started.log));
            }
            Err(_) if begun.elapsed() > START_MAX => {
                let why = format!("{} is not ready within {START_MAX:?}", spec.name);
                return Err(Error::new(ErrorKind::Unavailable, why));
            }
            Err(_) => {}
        }
    }
}

/// The address in the line that says how to connect: `mysql -h HOST -P PORT …`.
fn address_in(line: &str) -> Option<SocketAddr> {
    let mut words = line.split_whitespace();
    let host = words.by_ref().skip_while(|word| *word != "-h").nth(1)?;
    let port = words.skip_while(|word| *word != "-P").nth(1)?;
    Some(SocketAddr::new(host.parse().ok()?, port.parse().ok()?))
}

/// The words of the command that starts `mysqld`.
fn mysqld_words() -> Vec<OsString> {
    let command = std::env::var(MYSQLD).unwrap_or_default();
    let mut words: Vec<OsString> = command.split_whitespace().map(OsString::from).collect();
    if words.is_empty() {
        words.push("mysqld".into());
    }
    // Only the first option may say so, and what is measured is in no file of the machine's.
    let says = |word: &OsString| {
        word.to_str().is_some_and(|w| w == "--no-defaults" || w.starts_with("--defaults-"))
    };
    if !words.iter().any(says) {
        words.push("--no-defaults".into());
    }
    words
}

fn mysqld(datadir: &Path, log: &Path, options: &[String]) -> Result<Command> {
    let words = mysqld_words();
    let log_file = std::fs::OpenOptions::new().append(true).create(true).open(log);
    let log_file = log_file.map_err(|error| failed(log.display(), error))?;
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]);
    if rustix::process::getuid().is_root() {
        command.arg("--user=root");
    }
    // Distributions build in a folder that is not there.
    command.arg("--secure-file-priv=NULL");
    command.arg(format!("--datadir={}", datadir.display())).args(options);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log_file);
    Ok(command)
}

/// `mysqld` on a data directory in `dir`, its commits durable.
async fn start_mysqld(spec: &ServerSpec, config: &MysqlConfig, dir: &Path) -> Result<WhereAndWhat> {
    let dir = make_dir(dir)?;
    let (datadir, log) = (dir.join("data"), dir.join("mysqld.log"));
    let initialize = mysqld(&datadir, &log, &["--initialize-insecure".to_owned()])?;
    let mut initialize = tokio::process::Command::from(initialize);
    let status = initialize.kill_on_drop(true).status().await;
    let status = status.map_err(|error| {
        let hint = format!("starting mysqld; the variable {MYSQLD} names its command");
        failed(hint, error)
    })?;
    if !status.success() {
        return Err(ended("mysqld --initialize-insecure", status, &log));
    }
    let port = free_port()?;
    let mut options = vec![
        format!("--port={port}"),
        "--bind-address=127.0.0.1".to_owned(),
        // A name without a folder is in the data directory: paths of sockets are short.
        "--socket=mysqld.sock".to_owned(),
        "--mysqlx=OFF".to_owned(),
        "--innodb-flush-log-at-trx-commit=1".to_owned(),
        "--sync-binlog=1".to_owned(),
        format!("--innodb-buffer-pool-size={}", config.memory),
        "--max-connections=20000".to_owned(),
    ];
    options.extend_from_slice(&spec.options);
    let child = mysqld(&datadir, &log, &options)?;
    let mut child = child;
    let child = child.spawn().map_err(|error| failed("starting mysqld", error))?;
    Ok((SocketAddr::from(([127, 0, 0, 1], port)), Some(Started { child, log })))
}

/// A port that was free a moment ago.
fn free_port() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| failed("a port", error))?;
    Ok(listener.local_addr().map_err(|error| failed("a port", error))?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_in_the_line_that_says_how_to_connect() {
        let line = "ready: mysql -h 127.0.0.1 -P 3307 -u root\n";
        assert_eq!(address_in(line), Some("127.0.0.1:3307".parse().unwrap()));
        assert_eq!(address_in("mysql -h ::1 -P 1 -u root"), Some("[::1]:1".parse().unwrap()));
        for line in ["", "mysql -P 3306", "mysql -h 127.0.0.1 -P x", "-h 1.2.3.4 -P 99999"] {
            assert_eq!(address_in(line), None, "{line}");
        }
    }
}
