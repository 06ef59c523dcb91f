//! The same statements on a real MySQL.

use std::time::Duration;

use firn_mysql_protocol::Error;
use firn_mysql_protocol::client::{Client, ClientConfig, ResultSet};
use firn_mysql_protocol::command::ParameterValue;
use firn_mysql_protocol::tls::ClientTls;
use firn_testing::datadriven;

use super::session::{DATABASE, Session, indented, row};
use super::{data, generate, run_case};

/// A connection to the server at `FIRN_MYSQL` (`127.0.0.1:13306` if it is not set),
/// as root without a password.
struct Oracle {
    runtime: tokio::runtime::Runtime,
    client: Client,
}

impl Oracle {
    fn connect() -> Self {
        let address = std::env::var("FIRN_MYSQL").unwrap_or_else(|_| "127.0.0.1:13306".to_owned());
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let config = ClientConfig {
            user: "root".into(),
            tls: ClientTls::Disabled,
            local: true,
            answer_timeout: Duration::from_secs(60),
            ..Default::default()
        };
        let client = runtime.block_on(async {
            let stream = tokio::net::TcpStream::connect(&address)
                .await
                .unwrap_or_else(|error| panic!("no MySQL at {address}: {error}"));
            Client::connect(stream, &config).await.expect("root may log in")
        });
        let mut oracle = Self { runtime, client };
        oracle.query("set time_zone = '+00:00'").expect("a zone");
        oracle
    }

    fn query(&mut self, sql: &str) -> Result<Vec<ResultSet>, Error> {
        self.runtime.block_on(self.client.query_all(sql.as_bytes()))
    }

    fn rows(&mut self, sql: &str) -> Result<Vec<Vec<String>>, Error> {
        let results = self.query(sql)?;
        let mut out = Vec::new();
        for result in &results {
            for one in &result.rows {
                let values = one.values(&result.columns)?;
                out.push(values.iter().map(text).collect());
            }
        }
        Ok(out)
    }

    /// An empty database, which is the current one, and a session as it begins.
    fn begin(&mut self) {
        for sql in [
            &format!("drop database if exists {DATABASE}")[..],
            &format!("create database {DATABASE}"),
            &format!("use {DATABASE}"),
            "set sql_mode = default",
            "set foreign_key_checks = 1",
        ] {
            self.query(sql).expect("a fresh database");
        }
    }

    fn run(&mut self, sql: &str) -> String {
        let words: Vec<_> = sql.split_whitespace().collect();
        let shown: &[usize] = match &words[..] {
            ["describe", _] => &[0, 1, 2, 3, 4, 5, 6, 8],
            ["show", "index", "from", _] => &[1, 2, 3, 4, 5, 7, 9, 12, 13, 14],
            _ => &[],
        };
        let real = match &words[..] {
            ["describe", table] => format!("show full columns from {table}"),
            _ => sql.to_owned(),
        };
        let mut out = String::new();
        let mut own = None;
        match self.rows(&real) {
            Ok(rows) => {
                out.push_str("ok\n");
                for cells in rows {
                    if let ["show", "create", ..] = &words[..] {
                        out.push_str(&indented(&cells[1]));
                    } else if shown.is_empty() {
                        let cells: Vec<_> = cells.iter().map(String::as_str).collect();
                        out.push_str(&row(&cells));
                    } else {
                        let cells: Vec<_> = shown.iter().map(|at| &cells[*at][..]).collect();
                        out.push_str(&row(&cells));
                    }
                }
            }
            Err(Error::Sql(error)) => {
                let state = String::from_utf8_lossy(&error.sqlstate).into_owned();
                out.push_str(&format!("ERROR {} ({state}): {}\n", error.number, error.message));
                own = Some((error.number.to_string(), error.message.into_owned()));
            }
            Err(error) => panic!("{sql}: {error}"),
        }
        for line in self.rows("show warnings").expect("SHOW WARNINGS") {
            let is_own = own.as_ref().is_some_and(|(number, message)| {
                line[0] == "Error" && *number == line[1] && *message == line[2]
            });
            if !is_own {
                out.push_str(&format!("{} {}: {}\n", line[0], line[1], line[2]));
            }
        }
        out
    }
}

fn text(value: &ParameterValue<'_>) -> String {
    match value {
        ParameterValue::Null => "NULL".to_owned(),
        ParameterValue::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        other => panic!("a text row has {other:?}"),
    }
}

/// `cargo test -p firn-compute catalog::tests::oracle::recorded -- --ignored`, and with
/// `FIRN_REWRITE=1` to record what the server answers. Cases of the command `differs`
/// keep the answer that is written: the comment above them says why.
#[test]
#[ignore = "needs a MySQL server at FIRN_MYSQL"]
fn recorded_answers_are_the_servers() {
    let mut oracle = Oracle::connect();
    datadriven::run_folder(data(), |file| {
        datadriven::run_file(file, |case| {
            if case.command == "differs" {
                let mut session = Session::new();
                return run_case(&case.input, |statement| session.run(statement));
            }
            oracle.begin();
            run_case(&case.input, |statement| oracle.run(statement))
        });
    });
}

/// `FIRN_SEED=1 FIRN_CASES=2000 cargo test -p firn-compute catalog::tests::oracle::generated
/// -- --ignored --nocapture`
#[test]
#[ignore = "needs a MySQL server at FIRN_MYSQL"]
#[allow(clippy::print_stderr, reason = "it reports figures and differences")]
fn generated_definitions_answer_as_the_server_does() {
    let number = |name: &str, default: u64| {
        std::env::var(name).ok().map_or(default, |text| text.parse().expect("a number"))
    };
    let (seed, cases) = (number("FIRN_SEED", 1), number("FIRN_CASES", 2000));
    eprintln!("seed {seed}, {cases} cases");
    let mut oracle = Oracle::connect();
    let mut different = 0;
    let mut accepted = 0;
    let mut statements = 0;
    for case in 0..cases {
        oracle.begin();
        let mut session = Session::new();
        for statement in generate::case(seed, case) {
            statements += 1;
            let (ours, theirs) = (session.run(&statement), oracle.run(&statement));
            accepted += u64::from(theirs.starts_with("ok"));
            // The rest is about a table that there is not.
            if ours == theirs && !theirs.starts_with("ok") && statement.starts_with("create") {
                break;
            }
            if ours != theirs {
                different += 1;
                eprintln!("case {case}: {statement}\n--- MySQL\n{theirs}--- Firn\n{ours}");
                // What follows would differ for the same reason.
                break;
            }
        }
    }
    eprintln!("{statements} statements, {accepted} accepted by MySQL, {different} answers differ");
    let allowed = number("FIRN_ALLOWED", 0);
    assert!(different <= allowed, "{different} of {statements} answers differ");
}
