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

/// A running process; killed when dropped.
pub(crate) struct Server {
    child: Child,
    address: SocketAddr,
}

/// Rows as text.
pub(crate) type Rows = Vec<Vec<String>>;

/// The command with nothing of this process's settings.
pub(crate) fn firn(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_firn"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("FIRN_") {
            command.env_remove(name);
        }
    }
    command.args(args).current_dir(folder);
    command.env("FIRN_DISK_CACHE_BYTES_MAX", "0").env("FIRN_MEMORY_BYTES_MAX", "64 MiB");
    command
}

impl Server {
    /// Starts `firn up` with a port of its own in `folder`, where its log goes
    /// too, and waits until it says that it is ready.
    pub(crate) fn start(folder: &Path, args: &[&str]) -> Self {
        let mut all = vec!["up", "--mysql-addr", "127.0.0.1:0", "--http-addr", "none"];
        all.extend_from_slice(args);
        let log = folder.join("stderr");
        let mut child = firn(folder, &all)
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        if out.read_line(&mut line).unwrap() == 0 {
            let _ = child.wait();
            panic!("{all:?}: {}", std::fs::read_to_string(&log).unwrap());
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        let ["ready:", "mysql", "-h", host, "-P", port, "-u", "root"] = words[..] else {
            panic!("{line}");
        };
        let address = format!("{host}:{port}").parse().unwrap();
        Self { child, address }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn pid(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap()
    }

    /// Asks it to end.
    pub(crate) fn terminate(&self) {
        rustix::process::kill_process(self.pid(), rustix::process::Signal::TERM).unwrap();
    }

    /// Waits for its end; gives its exit code.
    pub(crate) fn wait(&mut self) -> Option<i32> {
        let deadline = Instant::now() + WAIT_MAX;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            std::thread::yield_now();
        }
        panic!("it does not end");
    }

    /// Ends it in order.
    pub(crate) fn stop(mut self) {
        self.terminate();
        assert_eq!(self.wait(), Some(0));
    }

    /// SIGKILL.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
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
