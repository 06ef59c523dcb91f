//! The same scripts on a real MySQL.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::pin::Pin;
use std::time::Duration;

use firn_engine::Env;
use firn_mysql_protocol::Error;
use firn_mysql_protocol::client::{Client, ClientConfig, ResultSet};
use firn_mysql_protocol::command::ParameterValue;
use firn_mysql_protocol::tls::ClientTls;

use super::schedules::ALL;
use crate::txn::IsolationLevel;

/// A statement that is done sooner than this has not waited.
const SOON: Duration = Duration::from_millis(500);

thread_local! {
    static IS_MEANT: Cell<bool> = const { Cell::new(false) };
}

/// Whether scripts of this thread are meant for the server.
pub(super) fn is_meant() -> bool {
    IS_MEANT.get()
}

type Answer = Result<Vec<ResultSet>, Error>;

/// A statement that is on its way.
type Running = Pin<Box<dyn Future<Output = (Client, Answer)>>>;

struct Session {
    client: Option<Client>,
    running: Option<Running>,
    is_open: bool,
}

async fn connect(env: &Env, level: IsolationLevel) -> Session {
    let address = std::env::var("FIRN_MYSQL").unwrap_or_else(|_| "127.0.0.1:13306".to_owned());
    let stream = tokio::net::TcpStream::connect(&address)
        .await
        .unwrap_or_else(|error| panic!("no MySQL at {address}: {error}"));
    let config = ClientConfig {
        user: "root".into(),
        tls: ClientTls::Disabled,
        answer_timeout: Duration::from_secs(60),
        ..Default::default()
    };
    let client = Client::connect(stream, &config).await.expect("root may log in");
    let mut session = Session { client: Some(client), running: None, is_open: false };
    let level = match level {
        IsolationLevel::ReadCommitted => "read committed",
        IsolationLevel::RepeatableRead => "repeatable read",
        IsolationLevel::Serializable => "serializable",
    };
    session.must(env, &format!("set session transaction isolation level {level}")).await;
    session
}

impl Session {
    fn start(&mut self, sql: String) {
        let mut client = self.client.take().expect("the session is not waiting");
        self.running = Some(Box::pin(async move {
            let answer = client.query_all(sql.as_bytes()).await;
            (client, answer)
        }));
    }

    /// `None` if it is not done soon.
    async fn look(&mut self, env: &Env) -> Option<Answer> {
        let running = self.running.as_mut().expect("something runs");
        let (client, answer) = env.timeout(SOON, running).await?;
        self.running = None;
        self.client = Some(client);
        Some(answer)
    }

    async fn must(&mut self, env: &Env, sql: &str) {
        self.start(sql.to_owned());
        loop {
            if let Some(answer) = self.look(env).await {
                answer.unwrap_or_else(|error| panic!("{sql}: {error}"));
                return;
            }
        }
    }

    async fn run(&mut self, env: &Env, what: &str) -> String {
        if what != "goes on" {
            if !self.is_open {
                self.must(env, "begin").await;
                self.is_open = true;
            }
            self.start(statement(what));
        }
        let Some(answer) = self.look(env).await else { return "blocked".to_owned() };
        match answer {
            Ok(results) => {
                if what == "commit" || what == "rollback" {
                    self.is_open = false;
                }
                seen(&results)
            }
            Err(Error::Sql(error)) if error.number == 1213 => {
                self.is_open = false;
                "deadlock".to_owned()
            }
            Err(Error::Sql(error)) if error.number == 1062 => "duplicate".to_owned(),
            Err(error) => panic!("{what}: {error}"),
        }
    }
}

fn statement(what: &str) -> String {
    let words: Vec<&str> = what.split(' ').collect();
    let locking = match words.last() {
        Some(&"for-share") => " for share",
        Some(&"for-update") => " for update",
        _ => "",
    };
    match words[..] {
        ["get", k, ..] => format!("select v from t where k = '{k}'{locking}"),
        ["range", a, b, ..] => {
            format!("select k, v from t where k between '{a}' and '{b}' order by k{locking}")
        }
        ["update", k, v] => format!("update t set v = '{v}' where k = '{k}'"),
        ["insert", k, v] => format!("insert into t values ('{k}', '{v}')"),
        ["delete", k] => format!("delete from t where k = '{k}'"),
        _ => what.to_owned(),
    }
}

fn text(value: &ParameterValue<'_>) -> String {
    match value {
        ParameterValue::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        other => panic!("{other:?} is no text"),
    }
}

fn seen(results: &[ResultSet]) -> String {
    let Some(result) = results.first().filter(|r| !r.columns.is_empty()) else {
        return "ok".to_owned();
    };
    let row = |row: &firn_mysql_protocol::client::Row| {
        let values = row.values(&result.columns).expect("a row");
        values.iter().map(text).collect::<Vec<_>>().join(":")
    };
    let rows: Vec<_> = result.rows.iter().map(row).collect();
    if rows.is_empty() { "none".to_owned() } else { rows.join(" ") }
}

/// As [`super::schedule::schedule`], on the server.
pub(super) fn schedule(level: IsolationLevel, script: &str) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let env = Env::tokio(runtime.handle().clone(), runtime.handle().clone());
    runtime.block_on(async {
        let mut setup = connect(&env, level).await;
        for sql in [
            "create database if not exists firn_txn_schedules",
            "drop table if exists firn_txn_schedules.t",
            "create table firn_txn_schedules.t (k varbinary(10) primary key, v varbinary(20))",
            "insert into firn_txn_schedules.t values ('a', '10'), ('b', '20')",
        ] {
            setup.must(&env, sql).await;
        }
        let mut sessions: BTreeMap<u64, Session> = BTreeMap::new();
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (what, expected) = line.split_once(" = ").expect("what = expected");
            let (id, what) = what.split_once(' ').expect("who what");
            let id: u64 = id.parse().expect("a session");
            if let std::collections::btree_map::Entry::Vacant(vacant) = sessions.entry(id) {
                let mut session = connect(&env, level).await;
                session.must(&env, "use firn_txn_schedules").await;
                vacant.insert(session);
            }
            let session = sessions.get_mut(&id).expect("just there");
            let seen = session.run(&env, what).await;
            let expected = expected.split(" | ").last();
            assert_eq!(Some(&seen[..]), expected, "{level:?}: {line}");
        }
        drop(sessions);
        setup.must(&env, "drop database firn_txn_schedules").await;
    });
}

/// `FIRN_MYSQL=127.0.0.1:13306 cargo test -p firn-compute --lib txn::tests::server -- --ignored`
#[test]
#[ignore = "needs a MySQL server: FIRN_MYSQL=host:port"]
fn a_server_shows_the_same() {
    IS_MEANT.set(true);
    let failed: Vec<usize> = ALL
        .iter()
        .enumerate()
        .filter(|(_, script)| std::panic::catch_unwind(**script).is_err())
        .map(|(at, _)| at)
        .collect();
    IS_MEANT.set(false);
    assert!(failed.is_empty(), "scripts {failed:?} of the list show something else");
}
