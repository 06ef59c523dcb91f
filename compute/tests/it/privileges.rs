//! What accounts may do, here and on a MySQL server: `privileges.txt` has what such a
//! server answered. A line `@ user` goes on as that account, `@ +user` with a new
//! connection of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;

use firn_mysql_protocol::Error;
use firn_mysql_protocol::client::{Client, ClientConfig};
use tokio::net::TcpStream;

use crate::support::{TestClient, World, config, lines_of, rows_of};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/privileges.txt");

/// A line of the script, with what was answered.
struct Step {
    line: String,
    answers: Vec<String>,
}

fn script() -> Vec<Step> {
    let text = std::fs::read_to_string(FILE).expect("the script is there");
    let mut steps: Vec<Step> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix("  "), steps.last_mut()) {
            (Some(answer), Some(step)) => step.answers.push(answer.to_owned()),
            _ => steps.push(Step { line: line.to_owned(), answers: Vec::new() }),
        }
    }
    steps
}

/// Connections to one server.
struct Clients {
    address: SocketAddr,
    open: BTreeMap<String, TestClient>,
    current: String,
}

impl Clients {
    async fn step(&mut self, line: &str) -> Vec<String> {
        let Some(sql) = line.strip_prefix("> ") else {
            let user = line.trim_start_matches("@ ");
            let (anew, user) = match user.strip_prefix('+') {
                Some(user) => (true, user),
                None => (false, user),
            };
            user.clone_into(&mut self.current);
            if !anew && self.open.contains_key(user) {
                return Vec::new();
            }
            return match self.connect(user).await {
                Ok(client) => {
                    self.open.insert(user.to_owned(), client);
                    Vec::new()
                }
                Err(error) => vec![told(error)],
            };
        };
        let client = self.open.get_mut(&self.current).expect("somebody is there");
        match client.0.query_all(sql.as_bytes()).await {
            Ok(mut results) => {
                let result = results.pop().unwrap_or_default();
                let lines = lines_of(&rows_of(&result)).into_iter();
                lines.map(|line| line.replace('\n', "\\n")).collect()
            }
            Err(error) => vec![told(error)],
        }
    }

    async fn connect(&self, user: &str) -> Result<TestClient, Error> {
        let stream = TcpStream::connect(self.address).await?;
        let config = ClientConfig { user: user.into(), ..config() };
        Ok(TestClient(Client::connect(stream, &config).await?))
    }
}

fn told(error: Error) -> String {
    match error {
        Error::Sql(error) => format!("error {} {}", error.number, error.message),
        other => panic!("{other}"),
    }
}

async fn differences(address: SocketAddr) -> (usize, String) {
    let mut clients = Clients { address, open: BTreeMap::new(), current: String::new() };
    let (mut count, mut out) = (0, String::new());
    for step in script() {
        let given = clients.step(&step.line).await;
        count += 1;
        if given != step.answers {
            let user = &clients.current;
            let (line, expected) = (&step.line, step.answers.join("\n    "));
            let given = given.join("\n    ");
            writeln!(out, "{user}: {line}\n  recorded:\n    {expected}\n  given:\n    {given}")
                .expect("a string");
        }
    }
    (count, out)
}

#[tokio::test]
async fn privileges_are_those_of_a_server() {
    let server = World::new().start().await;
    let (count, differences) = differences(server.address()).await;
    assert!(differences.is_empty(), "of {count}:\n{differences}");
    assert!(count > 200, "{count}");
}

/// `MYSQL_ORACLE=127.0.0.1:13306 cargo test -p firn-compute --test it -- --ignored
/// a_server_allows`; with `RECORD=FILE` it writes the answers there instead of comparing
/// them. It makes and drops databases and accounts whose names begin with `acc_`.
#[tokio::test]
#[ignore = "needs a MySQL server at MYSQL_ORACLE"]
async fn a_server_allows_what_is_recorded() {
    let address = std::env::var("MYSQL_ORACLE").expect("MYSQL_ORACLE is host:port");
    let address: SocketAddr = address.parse().expect("an address and a port");
    let Ok(path) = std::env::var("RECORD") else {
        let (count, differences) = differences(address).await;
        assert!(differences.is_empty(), "of {count}:\n{differences}");
        return;
    };
    let mut clients = Clients { address, open: BTreeMap::new(), current: String::new() };
    let mut out = String::new();
    for step in script() {
        writeln!(out, "{}", step.line).expect("a string");
        for answer in clients.step(&step.line).await {
            writeln!(out, "  {answer}").expect("a string");
        }
    }
    std::fs::write(path, out).expect("the file can be written");
}
