//! What interleaved transactions see, at each isolation level, here and on a MySQL server.
//!
//! `tests/data/isolation/scripts.txt` has the scripts; `mysql.txt` what a MySQL server
//! showed, step by step; `firn.txt` what is shown here where that is meant to be something
//! else, with the reason. A statement that is blocked is told by time alone: one that is
//! expected to end is given long, one that is expected to wait must still do so after a
//! moment.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use firn_mysql_protocol::Error;
use firn_mysql_protocol::client::{Client, ClientConfig, ResultSet};
use firn_mysql_protocol::tls::ClientTls;
use futures::StreamExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{World, lines_of, rows_of};

/// A file of `tests/data/isolation`.
fn data(name: &str) -> String {
    let path = format!("{}/tests/data/isolation/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

const LEVELS: [&str; 4] = ["READ UNCOMMITTED", "READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"];

const USUAL_SETUP: [&str; 2] =
    ["CREATE TABLE t (id INT PRIMARY KEY, v INT)", "INSERT INTO t VALUES (1, 10), (2, 20)"];

/// What is expected to end, ends within this.
const LONG: Duration = Duration::from_secs(60);
/// What is expected to wait, waits at least this long.
const MOMENT: Duration = Duration::from_millis(100);
/// On a server of which nothing is known yet, who has not ended by then waits.
const UNKNOWN: Duration = Duration::from_millis(400);

/// Scripts that run at the same time.
const CONCURRENT: usize = 16;

struct Script {
    name: String,
    setup: Vec<String>,
    /// Session and statement; without one, the statement that is blocked is waited for.
    steps: Vec<(String, Option<String>)>,
}

fn scripts() -> Vec<Script> {
    let mut all: Vec<Script> = Vec::new();
    for line in
        data("scripts.txt").lines().filter(|line| !line.starts_with("# ") && !line.is_empty())
    {
        if let Some(name) = line.strip_prefix("## ") {
            all.push(Script { name: name.to_owned(), setup: Vec::new(), steps: Vec::new() });
            continue;
        }
        let script = all.last_mut().expect("a script begins with its name");
        if let Some(session) = line.strip_suffix(" ...") {
            script.steps.push((session.to_owned(), None));
            continue;
        }
        let (who, sql) = line.split_once(": ").expect("who: what");
        match who {
            "setup" => script.setup.push(sql.to_owned()),
            _ => script.steps.push((who.to_owned(), Some(sql.to_owned()))),
        }
    }
    all
}

/// What steps showed: for each its lines.
type Shown = Vec<Vec<String>>;

/// What was shown by level and script, in the form of the files.
fn recorded(text: &str) -> BTreeMap<(String, String), Shown> {
    let mut all: BTreeMap<(String, String), Shown> = BTreeMap::new();
    let mut last = None;
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("== ") {
            let (level, name) = title.split_once(" == ").expect("level and name");
            let key = (level.to_owned(), name.to_owned());
            all.insert(key.clone(), Vec::new());
            last = Some(key);
        } else if let Some(shown) = last.as_ref().and_then(|key| all.get_mut(key)) {
            if let Some(answer) = line.strip_prefix("  ") {
                shown.last_mut().expect("a step before its answer").push(answer.to_owned());
            } else if !line.is_empty() && !line.starts_with("# ") {
                shown.push(Vec::new());
            }
        }
    }
    all
}

fn print(level: &str, script: &Script, shown: &Shown, out: &mut String) {
    writeln!(out, "== {level} == {}", script.name).expect("a string");
    for ((who, sql), lines) in script.steps.iter().zip(shown) {
        match sql {
            Some(sql) => writeln!(out, "{who}: {sql}"),
            None => writeln!(out, "{who} ..."),
        }
        .expect("a string");
        for line in lines {
            writeln!(out, "  {line}").expect("a string");
        }
    }
    out.push('\n');
}

type Answer = Result<Vec<ResultSet>, Error>;
type Running = Pin<Box<dyn Future<Output = (Client, Answer)>>>;

struct Session {
    client: Option<Client>,
    running: Option<Running>,
}

impl Session {
    async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("the server is there");
        let config = ClientConfig {
            user: "root".into(),
            tls: ClientTls::Disabled,
            answer_timeout: Duration::from_secs(120),
            ..ClientConfig::default()
        };
        let client = Client::connect(stream, &config).await.expect("root gets in");
        Self { client: Some(client), running: None }
    }

    fn start(&mut self, sql: &str) {
        let mut client = self.client.take().expect("the session does nothing");
        let sql = sql.to_owned();
        self.running = Some(Box::pin(async move {
            let answer = client.query_all(sql.as_bytes()).await;
            (client, answer)
        }));
    }

    /// What the statement gave, if it has ended by then.
    async fn look(&mut self, limit: Duration) -> Option<String> {
        let running = self.running.as_mut()?;
        let (client, answer) = timeout(limit, running).await.ok()?;
        self.running = None;
        self.client = Some(client);
        Some(shown(answer))
    }

    async fn must(&mut self, sql: &str) {
        self.start(sql);
        let shown = self.look(LONG).await.unwrap_or_else(|| panic!("{sql}: no answer"));
        assert!(!shown.starts_with("error"), "{sql}: {shown}");
    }
}

fn shown(answer: Answer) -> String {
    match answer {
        Ok(mut results) => {
            let result = results.pop().unwrap_or_default();
            if result.columns.is_empty() {
                return format!("ok {}", result.summary.affected_rows);
            }
            let rows = lines_of(&rows_of(&result));
            if rows.is_empty() { "none".to_owned() } else { rows.join(", ") }
        }
        Err(Error::Sql(error)) => format!("error {} {}", error.number, error.message),
        Err(error) => format!("lost: {error}"),
    }
}

/// Runs a script in a database of its own. What is expected only says how long to wait.
async fn run(
    address: SocketAddr,
    level: &str,
    script: &Script,
    database: &str,
    expected: Option<&Shown>,
) -> Shown {
    let mut setup = Session::open(address).await;
    setup.must(&format!("DROP DATABASE IF EXISTS {database}")).await;
    setup.must(&format!("CREATE DATABASE {database}")).await;
    setup.must(&format!("USE {database}")).await;
    if script.setup.is_empty() {
        for sql in USUAL_SETUP {
            setup.must(sql).await;
        }
    }
    for sql in &script.setup {
        setup.must(sql).await;
    }
    let mut sessions: BTreeMap<&str, Session> = BTreeMap::new();
    let mut all = Vec::new();
    for (at, (who, sql)) in script.steps.iter().enumerate() {
        if !sessions.contains_key(who.as_str()) {
            let mut session = Session::open(address).await;
            session.must(&format!("USE {database}")).await;
            session.must(&format!("SET SESSION TRANSACTION ISOLATION LEVEL {level}")).await;
            session.must("SET SESSION innodb_lock_wait_timeout = 20").await;
            sessions.insert(who, session);
        }
        let hints = expected.and_then(|all| all.get(at));
        let wait = |blocked: bool| match (hints, blocked) {
            (None, _) => UNKNOWN,
            (Some(_), true) => MOMENT,
            (Some(_), false) => LONG,
        };
        let session = sessions.get_mut(who.as_str()).expect("just there");
        let mut lines = Vec::new();
        match sql {
            Some(sql) if session.client.is_some() => {
                session.start(sql);
                let blocked =
                    hints.is_some_and(|lines| lines.first().is_some_and(|l| l == "blocked"));
                lines.push(session.look(wait(blocked)).await.unwrap_or_else(|| "blocked".into()));
            }
            Some(_) => lines.push("cannot: it is blocked".to_owned()),
            None => lines.push(session.look(LONG).await.unwrap_or_else(|| "blocked".into())),
        }
        for (name, session) in &mut sessions {
            if session.running.is_none() || (*name == who.as_str() && lines[0] == "blocked") {
                continue;
            }
            let mark = format!("{name} goes on: ");
            let goes_on = hints.is_some_and(|lines| lines.iter().any(|l| l.starts_with(&mark)));
            if let Some(shown) = session.look(wait(!goes_on)).await {
                lines.push(format!("{mark}{shown}"));
            }
        }
        all.push(lines);
    }
    drop(sessions);
    setup.must(&format!("DROP DATABASE {database}")).await;
    all
}

/// Runs all scripts at all levels.
async fn run_all(
    address: SocketAddr,
    expected: &BTreeMap<(String, String), Shown>,
) -> Vec<(&'static str, usize, Shown)> {
    let scripts = scripts();
    let (scripts, expected) = (&scripts, &expected);
    let only = std::env::var("SCRIPT").ok();
    let runs = LEVELS
        .iter()
        .enumerate()
        .flat_map(|(number, level)| (0..scripts.len()).map(move |at| (number, *level, at)));
    let runs = runs
        .filter(|(_, _, at)| only.as_ref().is_none_or(|only| scripts[*at].name.contains(only)))
        .map(|(number, level, at)| async move {
            let database = format!("firn_isolation_{number}_{at}");
            let key = (level.to_owned(), scripts[at].name.clone());
            let shown = run(address, level, &scripts[at], &database, expected.get(&key)).await;
            (level, at, shown)
        });
    let mut all: Vec<_> = futures::stream::iter(runs).buffer_unordered(CONCURRENT).collect().await;
    all.sort_by_key(|(level, at, _)| (*at, *level));
    all
}

/// `SCRIPT=…` runs only those whose name contains it; `RECORD=FILE` writes what is shown.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn interleaved_transactions_see_what_they_see_on_a_server() {
    let mut expected = recorded(&data("mysql.txt"));
    for (key, shown) in recorded(&data("firn.txt")) {
        let theirs = expected.insert(key.clone(), shown.clone());
        assert_ne!(theirs, Some(shown), "{key:?} is listed as different and is not");
    }
    let server = World::new().start().await;
    let scripts = scripts();
    let record = std::env::var("RECORD").ok();
    let hints = if record.is_some() { BTreeMap::new() } else { expected.clone() };
    let (mut out, mut all) = (String::new(), String::new());
    for (level, at, shown) in run_all(server.address(), &hints).await {
        print(level, &scripts[at], &shown, &mut all);
        let key = (level.to_owned(), scripts[at].name.clone());
        let wanted = expected.get(&key);
        if wanted != Some(&shown) {
            print(level, &scripts[at], &shown, &mut out);
            let nothing = Shown::new();
            out.push_str("-- expected:\n");
            print(level, &scripts[at], wanted.unwrap_or(&nothing), &mut out);
        }
    }
    if let Some(path) = record {
        std::fs::write(path, all).expect("the file can be written");
    }
    assert!(out.is_empty(), "{out}");
}

/// `MYSQL_ORACLE=127.0.0.1:13306 cargo test -p firn-compute --test it -- --ignored a_server_shows`;
/// with `RECORD=FILE` it writes what the server shows there instead of comparing.
#[tokio::test]
#[ignore = "needs a MySQL server at MYSQL_ORACLE"]
async fn a_server_shows_what_is_recorded_of_transactions() {
    let address = std::env::var("MYSQL_ORACLE").expect("MYSQL_ORACLE is host:port");
    let address: SocketAddr = address.parse().expect("an address and a port");
    let scripts = scripts();
    let record = std::env::var("RECORD").ok();
    let known = recorded(&data("mysql.txt"));
    let expected = if record.is_some() { BTreeMap::new() } else { known };
    let (mut out, mut all) = (String::new(), String::new());
    for (level, at, shown) in run_all(address, &expected).await {
        print(level, &scripts[at], &shown, &mut all);
        let key = (level.to_owned(), scripts[at].name.clone());
        if expected.get(&key) != Some(&shown) {
            print(level, &scripts[at], &shown, &mut out);
        }
    }
    match record {
        Some(path) => std::fs::write(path, all).expect("the file can be written"),
        None => assert!(out.is_empty(), "{out}"),
    }
}
