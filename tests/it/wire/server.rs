//! A `firn up` of its own, and its clients.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use firn_mysql_protocol::Error;
use firn_mysql_protocol::client::{Client, ClientConfig};
use firn_mysql_protocol::command::ParameterValue;
use firn_mysql_protocol::tls::ClientTls;
use tokio::net::TcpStream;

/// How long anything may take.
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(120);

/// A running `firn up`; killed when dropped.
pub(crate) struct Server {
    process: Process,
    address: SocketAddr,
}

/// A running part; killed when dropped.
pub(crate) struct Process(Child);

/// Rows as text.
pub(crate) type Rows = Vec<Vec<String>>;

/// The command with nothing of this process's settings.
pub(crate) fn firn(folder: &Path, args: &[&str]) -> Command {
    program(Path::new(env!("CARGO_BIN_EXE_firn")), folder, args)
}

/// The same of another `firn` than the one that was built with the tests.
pub(crate) fn program(program: &Path, folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("FIRN_") {
            command.env_remove(name);
        }
    }
    command.args(args).current_dir(folder);
    command.env("FIRN_DISK_CACHE_BYTES_MAX", "0").env("FIRN_MEMORY_BYTES_MAX", "256 MiB");
    command
}

impl Process {
    /// Starts a command of `firn`, whose log goes to `log`, and waits for the line that says
    /// that it is ready: what follows `ready: `.
    pub(crate) fn start(command: Command, log: &Path) -> (Self, String) {
        Self::try_start(command, log).unwrap_or_else(|why| panic!("{why}"))
    }

    /// As [`Self::start`]; what it said, if it ended instead.
    pub(crate) fn try_start(mut command: Command, log: &Path) -> Result<(Self, String), String> {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(log).unwrap())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        if out.read_line(&mut line).unwrap() == 0 {
            let _ = child.wait();
            return Err(format!("{command:?}: {}", std::fs::read_to_string(log).unwrap()));
        }
        let ready = line.trim_end().strip_prefix("ready: ").expect(&line).to_owned();
        Ok((Self(child), ready))
    }

    /// Whether it runs.
    pub(crate) fn runs(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }

    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(self.pid(), signal).unwrap();
    }

    pub(crate) fn pid(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_raw(i32::try_from(self.0.id()).unwrap()).unwrap()
    }

    /// Asks it to end.
    pub(crate) fn terminate(&self) {
        rustix::process::kill_process(self.pid(), rustix::process::Signal::TERM).unwrap();
    }

    /// Waits for its end; gives its exit code.
    pub(crate) fn wait(&mut self) -> Option<i32> {
        let deadline = Instant::now() + WAIT_MAX;
        while Instant::now() < deadline {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status.code();
            }
            std::thread::yield_now();
        }
        panic!("it does not end");
    }

    /// SIGKILL.
    pub(crate) fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Server {
    /// Starts `firn up` with a port of its own in `folder`, where its log goes
    /// too, and waits until it says that it is ready.
    pub(crate) fn start(folder: &Path, args: &[&str]) -> Self {
        let mut all = vec!["up", "--mysql-addr", "127.0.0.1:0", "--http-addr", "none"];
        all.extend_from_slice(args);
        Self::start_as(firn(folder, &all), &folder.join("stderr"))
    }

    /// Starts a command that ends up serving MySQL clients.
    pub(crate) fn start_as(command: Command, log: &Path) -> Self {
        let (process, line) = Process::start(command, log);
        let words: Vec<&str> = line.split_whitespace().collect();
        let ["mysql", "-h", host, "-P", port, "-u", "root"] = words[..] else {
            panic!("{line}");
        };
        let address = format!("{host}:{port}").parse().unwrap();
        Self { process, address }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn pid(&self) -> rustix::process::Pid {
        self.process.pid()
    }

    /// Asks it to end.
    pub(crate) fn terminate(&self) {
        self.process.terminate();
    }

    /// Waits for its end; gives its exit code.
    pub(crate) fn wait(&mut self) -> Option<i32> {
        self.process.wait()
    }

    /// Ends it in order.
    pub(crate) fn stop(mut self) {
        self.terminate();
        assert_eq!(self.wait(), Some(0));
    }

    /// SIGKILL.
    pub(crate) fn kill(self) {
        self.process.kill();
    }
}

/// Logs in as root.
pub(crate) async fn client(address: SocketAddr, schema: Option<&str>) -> Result<Client, Error> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let config = ClientConfig {
        user: "root".into(),
        schema: schema.map(str::to_owned),
        tls: ClientTls::Disabled,
        answer_timeout: WAIT_MAX,
        ..ClientConfig::default()
    };
    Client::connect(stream, &config).await
}

/// The rows of a statement's last result.
pub(crate) async fn rows(client: &mut Client, sql: &str) -> Result<Rows, Error> {
    let mut results = client.query_all(sql.as_bytes()).await?;
    let Some(result) = results.pop() else { return Ok(Rows::new()) };
    let text = |value: &ParameterValue<'_>| match value {
        ParameterValue::Bytes(text) => String::from_utf8_lossy(text).into_owned(),
        _ => "NULL".to_owned(),
    };
    let rows =
        result.rows.iter().map(|row| Ok(row.values(&result.columns)?.iter().map(text).collect()));
    rows.collect()
}

/// The number of an error that the server sent.
pub(crate) fn number(error: &Error) -> u16 {
    match error {
        Error::Sql(error) | Error::Protocol(error) => error.number,
        _ => 0,
    }
}
