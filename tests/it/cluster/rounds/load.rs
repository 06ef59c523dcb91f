//! Writers that know what they were told, and the check of it.
//!
//! Transaction `n` of a writer adds rows `(writer, n, 0)` and `(writer, n, 1)` and sets the
//! writer's counter one higher. So a transaction that is lost, half there or there twice
//! shows. What is not known to be committed is resolved by a transaction that commits a
//! write of its own: what it reads is of whoever has the branch then, not of a compute that
//! does not know yet that it has lost it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use firn_mysql_protocol::Error;
use firn_mysql_protocol::client::{Client, ClientConfig};
use firn_mysql_protocol::tls::ClientTls;
use parking_lot::Mutex;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::parts::PASSWORD;
use crate::wire::server::{Rows, rows};

/// Writers. The first keeps to its connection whatever happens, until that has an answer.
pub(super) const WRITERS: usize = 4;
const CONNECT_MAX: Duration = Duration::from_millis(1000);
const ANSWER_MAX: Duration = Duration::from_secs(60);
/// Between a writer's transactions, and before it connects again.
const PAUSE: Duration = Duration::from_millis(5);

/// An acknowledged transaction.
#[derive(Clone, Copy)]
pub(super) struct Ack {
    pub(super) writer: usize,
    pub(super) begun: Instant,
    pub(super) at: Instant,
}

struct Shared {
    /// Characters of a row's text at most.
    pad_max: u64,
    address: watch::Sender<SocketAddr>,
    acks: Mutex<Vec<Ack>>,
    acked: [AtomicU64; WRITERS],
    stops: AtomicBool,
    /// What was found to be wrong.
    wrong: Mutex<Option<String>>,
    /// Answers other than success, by their text, and how often.
    errors: Mutex<std::collections::BTreeMap<String, u64>>,
}

/// Writers at work.
pub(super) struct Load {
    shared: Arc<Shared>,
    tasks: Vec<JoinHandle<()>>,
}

pub(super) async fn connect(address: SocketAddr) -> Result<Client, Error> {
    let late = || Error::Io(std::io::ErrorKind::TimedOut.into());
    let stream = tokio::time::timeout(CONNECT_MAX, TcpStream::connect(address));
    let stream = stream.await.map_err(|_| late())??;
    stream.set_nodelay(true)?;
    let config = ClientConfig {
        user: "root".into(),
        password: PASSWORD.into(),
        tls: ClientTls::Required,
        connect_timeout: 2 * CONNECT_MAX,
        answer_timeout: ANSWER_MAX,
        ..ClientConfig::default()
    };
    Client::connect(stream, &config).await
}

/// Makes the tables.
pub(super) async fn prepare(address: SocketAddr) -> Result<(), Error> {
    let mut client = connect(address).await?;
    let tables = [
        "CREATE DATABASE d",
        "CREATE TABLE d.log (writer INT, n INT, half INT, sum INT UNSIGNED, pad TEXT, \
         PRIMARY KEY (writer, n, half), KEY by_n (n))",
        "CREATE TABLE d.counter (writer INT PRIMARY KEY, v INT, probe INT)",
    ];
    for sql in tables {
        client.query_all(sql.as_bytes()).await?;
    }
    for writer in 0..=WRITERS {
        let sql = format!("INSERT INTO d.counter VALUES ({writer}, 0, 0)");
        client.query_all(sql.as_bytes()).await?;
    }
    Ok(())
}

fn number(rows: &Rows, row: usize, column: usize) -> u64 {
    let text = rows.get(row).and_then(|row| row.get(column));
    text.and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// One transaction of a writer.
async fn transaction(
    client: &mut Client,
    writer: usize,
    n: u64,
    pad_max: u64,
) -> Result<(), Error> {
    let len = (n * 2_654_435_761 + writer as u64) % pad_max;
    let pad = format!("REPEAT(CHAR({}), {len})", 97 + (n + writer as u64) % 26);
    let row = |half| format!("({writer}, {n}, {half}, CRC32({pad}), {pad})");
    let insert = format!("INSERT INTO d.log VALUES {}, {}", row(0), row(1));
    let update = format!("UPDATE d.counter SET v = v + 1 WHERE writer = {writer}");
    for sql in ["BEGIN", &insert, &update, "COMMIT"] {
        client.query_all(sql.as_bytes()).await?;
    }
    Ok(())
}

/// The writer's counter, as whoever has the branch knows it.
async fn resolve(client: &mut Client, writer: usize) -> Result<u64, Error> {
    let update = format!("UPDATE d.counter SET probe = probe + 1 WHERE writer = {writer}");
    client.query_all(b"BEGIN").await?;
    client.query_all(update.as_bytes()).await?;
    let select = format!("SELECT v FROM d.counter WHERE writer = {writer} FOR UPDATE");
    let found = rows(client, &select).await?;
    client.query_all(b"COMMIT").await?;
    Ok(number(&found, 0, 0))
}

impl Shared {
    fn failed(&self, error: &Error) {
        *self.errors.lock().entry(error.to_string()).or_default() += 1;
    }

    async fn write(&self, writer: usize) {
        let mut address = self.address.subscribe();
        let acked = &self.acked[writer];
        let mut connection = None;
        while !self.stops.load(Ordering::Relaxed) {
            tokio::time::sleep(PAUSE).await;
            let to = *address.borrow_and_update();
            let n = acked.load(Ordering::Relaxed) + 1;
            let begun = Instant::now();
            let step = async {
                let mut client = match connection.take() {
                    Some(client) => client,
                    None => {
                        let mut client = connect(to).await?;
                        let found = resolve(&mut client, writer).await?;
                        if found == n {
                            acked.store(n, Ordering::Relaxed);
                        } else if found + 1 != n {
                            let why = format!("writer {writer}: {found} after {} acks", n - 1);
                            self.wrong.lock().get_or_insert(why);
                        }
                        return Ok((client, None));
                    }
                };
                transaction(&mut client, writer, n, self.pad_max).await?;
                Ok((client, Some(Instant::now())))
            };
            let elsewhere = async {
                // A compute that is started again at the same address counts as well.
                if writer == 0 || address.changed().await.is_err() {
                    std::future::pending().await
                }
            };
            let done: Result<_, Error> = tokio::select! {
                done = step => done,
                () = elsewhere => continue,
            };
            match done {
                Ok((client, at)) => {
                    connection = Some(client);
                    if let Some(at) = at {
                        acked.store(n, Ordering::Relaxed);
                        self.acks.lock().push(Ack { writer, begun, at });
                    }
                }
                Err(error) => self.failed(&error),
            }
        }
    }
}

impl Load {
    /// Starts writers of the compute at `address`, whose tables were made; texts have
    /// less than `pad_max` characters.
    pub(super) fn start(address: SocketAddr, pad_max: u64) -> Self {
        let shared = Arc::new(Shared {
            pad_max,
            address: watch::Sender::new(address),
            acks: Mutex::default(),
            acked: Default::default(),
            stops: AtomicBool::new(false),
            wrong: Mutex::default(),
            errors: Mutex::default(),
        });
        let task = |writer| {
            let shared = Arc::clone(&shared);
            tokio::spawn(async move { shared.write(writer).await })
        };
        let tasks = (0..WRITERS).map(task).collect();
        Self { shared, tasks }
    }

    /// Sends writers there.
    pub(super) fn go_to(&self, address: SocketAddr) {
        self.shared.address.send_replace(address);
    }

    /// Acknowledged transactions so far, per writer.
    pub(super) fn acked(&self) -> [u64; WRITERS] {
        std::array::from_fn(|writer| self.shared.acked[writer].load(Ordering::Relaxed))
    }

    /// The acknowledgements since the last call.
    pub(super) fn take_acks(&self) -> Vec<Ack> {
        std::mem::take(&mut self.shared.acks.lock())
    }

    /// When each writer that is asked for had a transaction acknowledged that began after
    /// `since`, the last of them; `None` if one has not yet.
    pub(super) fn resumed(&self, since: Instant, writers: &[usize]) -> Option<Instant> {
        let acks = self.shared.acks.lock();
        let first = |writer: &usize| {
            let mut of = acks.iter().filter(|ack| ack.writer == *writer && ack.begun >= since);
            of.next().map(|ack| ack.at)
        };
        writers.iter().map(first).collect::<Option<Vec<_>>>()?.into_iter().max()
    }

    /// What a writer has found to be wrong.
    pub(super) fn wrong(&self) -> Result<(), String> {
        self.shared.wrong.lock().clone().map_or(Ok(()), Err)
    }

    /// Answers other than success, and how often.
    pub(super) fn errors(&self) -> Vec<(String, u64)> {
        self.shared.errors.lock().iter().map(|(text, count)| (text.clone(), *count)).collect()
    }

    /// Ends the writers.
    pub(super) async fn stop(&mut self) {
        self.shared.stops.store(true, Ordering::Relaxed);
        for task in self.tasks.drain(..) {
            task.await.expect("a writer");
        }
    }

    /// Checks transactions after the `from`th of each writer. Gives how many there are.
    ///
    /// The outer error is of the connection: then it is to be checked again.
    pub(super) async fn check(
        &self,
        address: SocketAddr,
        from: [u64; WRITERS],
    ) -> Result<Result<[u64; WRITERS], String>, Error> {
        let mut client = connect(address).await?;
        let before = self.acked();
        client.query_all(b"START TRANSACTION WITH CONSISTENT SNAPSHOT").await?;
        let mut there = [0; WRITERS];
        let mut wrong = None;
        for (writer, from) in from.into_iter().enumerate() {
            let counter = format!("SELECT v FROM d.counter WHERE writer = {writer}");
            let v = number(&rows(&mut client, &counter).await?, 0, 0);
            let filter = format!("WHERE writer = {writer} AND n > {from}");
            let sql = format!(
                "SELECT COUNT(*), SUM(half), COUNT(DISTINCT n), MAX(n), \
                 SUM(sum = CRC32(pad)) FROM d.log {filter}"
            );
            let found = rows(&mut client, &sql).await?;
            let found: Vec<u64> = (0..5).map(|column| number(&found, 0, column)).collect();
            let index = format!("SELECT COUNT(*) FROM d.log FORCE INDEX (by_n) {filter}");
            let by_index = number(&rows(&mut client, &index).await?, 0, 0);
            let new = v.saturating_sub(from);
            let last = if new == 0 { 0 } else { v };
            let all = found == [2 * new, new, new, last, 2 * new] && by_index == 2 * new;
            let after = self.shared.acked[writer].load(Ordering::Relaxed);
            if !all || v < before[writer] || v > after + 1 {
                wrong.get_or_insert(format!(
                    "writer {writer}: counter {v}; rows, halves, transactions, last, sums after \
                     {from}: {found:?}, {by_index} by index; acknowledged {} to {after}",
                    before[writer]
                ));
            }
            there[writer] = v;
        }
        // What was read is of whoever has the branch only if a write can be committed.
        let write = format!("UPDATE d.counter SET probe = probe + 1 WHERE writer = {WRITERS}");
        client.query_all(write.as_bytes()).await?;
        client.query_all(b"COMMIT").await?;
        Ok(wrong.map_or(Ok(there), Err))
    }
}

/// What the check is there for is seen by it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transactions_that_are_lost_halved_or_doubled_are_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["up", "--mysql-addr", "127.0.0.1:0", "--http-addr", "none"];
    let mut command = crate::wire::server::firn(folder.path(), &args);
    command.env("FIRN_MYSQL_ROOT_PASSWORD", PASSWORD);
    let server = crate::wire::server::Server::start_as(command, &folder.path().join("log"));
    let address = server.address();
    prepare(address).await.unwrap();
    let mut load = Load::start(address, 100);
    while load.acked().iter().any(|acked| *acked < 5) {
        assert!(load.errors().is_empty(), "{:?}", load.errors());
        tokio::time::sleep(PAUSE).await;
    }
    load.stop().await;
    load.wrong().unwrap();
    load.check(address, [0; WRITERS]).await.unwrap().unwrap();
    let mut root = connect(address).await.unwrap();
    let changes = [
        (
            "DELETE FROM d.log WHERE writer = 1 AND n = 3",
            "INSERT INTO d.log VALUES (1, 3, 0, CRC32(''), ''), (1, 3, 1, CRC32(''), '')",
        ),
        (
            "DELETE FROM d.log WHERE writer = 2 AND n = 4 AND half = 1",
            "INSERT INTO d.log VALUES (2, 4, 1, CRC32(''), '')",
        ),
        (
            "UPDATE d.counter SET v = v + 1 WHERE writer = 3",
            "UPDATE d.counter SET v = v - 1 WHERE writer = 3",
        ),
        (
            "UPDATE d.log SET pad = 'x' WHERE writer = 0 AND n = 2 AND half = 0",
            "UPDATE d.log SET sum = CRC32(pad) WHERE writer = 0",
        ),
    ];
    for (change, back) in changes {
        root.query_all(change.as_bytes()).await.unwrap();
        let found = load.check(address, [0; WRITERS]).await.unwrap();
        assert!(found.is_err(), "{change}: {found:?}");
        root.query_all(back.as_bytes()).await.unwrap();
        load.check(address, [0; WRITERS]).await.unwrap().unwrap();
    }
}
