//! A file's records on a server, and what differs on another one.

use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use firn_mysql_protocol::client::{Client, ClientConfig, ResultSet};
use firn_mysql_protocol::tls::ClientTls;
use firn_mysql_protocol::{Error, SqlError};
use tokio::net::TcpStream;

use super::answer::Answer;
use super::file::{Asked, Expected, File, Query, Record};
use super::report::{Outcome, Report};

/// Where files run.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) server: SocketAddr,
    /// Another server that is asked for what the first one fails.
    pub(crate) peer: Option<SocketAddr>,
    /// How long a statement may take.
    pub(crate) statement_max: Duration,
}

/// Why a record does not pass.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Failure {
    /// The connection ended.
    Lost,
    /// No answer within the bound.
    Silent,
    /// The number of the error and its text, without what it names.
    Refused(u16, String),
    /// What has to fail does not.
    Accepted,
    /// The number or the kinds of columns are others.
    Columns(String),
    /// The values are others.
    Values,
    /// The values are others than those of a query with the same label.
    Label,
}

/// What a server gave for a statement.
enum Given {
    Results(Vec<ResultSet>),
    Refused(SqlError),
    Silent,
    Lost(String),
}

/// How one server met a record.
struct Met {
    failure: Option<Failure>,
    /// For a reader.
    detail: String,
    answer: Option<Answer>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost => f.write_str("lost connection"),
            Self::Silent => f.write_str("no answer in time"),
            Self::Refused(number, shape) => write!(f, "error {number}: {shape}"),
            Self::Accepted => f.write_str("no error"),
            Self::Columns(what) => write!(f, "columns: {what}"),
            Self::Values => f.write_str("other values"),
            Self::Label => f.write_str("other values than a query of the same label"),
        }
    }
}

async fn connect(address: SocketAddr, config: &ClientConfig) -> Result<Client, Error> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Client::connect(stream, config).await
}

/// A client of a server, connected again where it lost its connection.
struct Session {
    config: ClientConfig,
    address: SocketAddr,
    client: Option<Client>,
}

impl Session {
    /// In a schema that it makes.
    async fn begin(address: SocketAddr, schema: &str, max: Duration) -> Result<Self, String> {
        let config = ClientConfig {
            user: "root".into(),
            tls: ClientTls::Disabled,
            answer_timeout: max,
            allow_public_key_retrieval: true,
            ..ClientConfig::default()
        };
        let mut this = Self { config, address, client: None };
        for sql in [
            format!("DROP DATABASE IF EXISTS {schema}"),
            format!("CREATE DATABASE {schema}"),
            format!("USE {schema}"),
        ] {
            match this.ask(&sql).await {
                Given::Results(_) => {}
                Given::Refused(error) => return Err(format!("{sql}: {error}")),
                Given::Silent => return Err(format!("{sql}: no answer")),
                Given::Lost(why) => return Err(format!("{sql}: {why}")),
            }
        }
        this.config.schema = Some(schema.to_owned());
        Ok(this)
    }

    async fn ask(&mut self, sql: &str) -> Given {
        let mut client = match self.client.take() {
            Some(client) => client,
            None => match connect(self.address, &self.config).await {
                Ok(client) => client,
                Err(error) => return Given::Lost(error.to_string()),
            },
        };
        // The bound of the client is for each packet.
        let asked = client.query_all(sql.as_bytes());
        match tokio::time::timeout(self.config.answer_timeout, asked).await {
            Ok(Ok(results)) => {
                self.client = Some(client);
                Given::Results(results)
            }
            Ok(Err(Error::Sql(error))) => {
                self.client = Some(client);
                Given::Refused(error)
            }
            Ok(Err(Error::Io(error))) if error.kind() == std::io::ErrorKind::TimedOut => {
                Given::Silent
            }
            Ok(Err(error)) => Given::Lost(error.to_string()),
            Err(_) => Given::Silent,
        }
    }

    async fn meet(&mut self, record: &Record) -> Met {
        let (failure, detail) = match (self.ask(&record.sql).await, &record.asked) {
            (Given::Silent, _) => (Some(Failure::Silent), String::new()),
            (Given::Lost(why), _) => (Some(Failure::Lost), why),
            (Given::Refused(_), Asked::Fails) | (Given::Results(_), Asked::Succeeds) => {
                (None, String::new())
            }
            (Given::Results(_), Asked::Fails) => (Some(Failure::Accepted), String::new()),
            (Given::Refused(error), _) => {
                let shape = shape(&error.message);
                (Some(Failure::Refused(error.number, shape)), error.message.to_string())
            }
            (Given::Results(mut results), Asked::Answers(query)) => {
                let result = results.pop().unwrap_or_default();
                return match Answer::of(&result, query) {
                    Err(why) => {
                        let failure = Some(Failure::Columns(why.clone()));
                        Met { failure, detail: why, answer: None }
                    }
                    Ok(answer) if answer.is(&query.expected) => {
                        Met { failure: None, detail: String::new(), answer: Some(answer) }
                    }
                    Ok(answer) => {
                        let detail = difference(&answer, &query.expected);
                        Met { failure: Some(Failure::Values), detail, answer: Some(answer) }
                    }
                };
            }
        };
        Met { failure, detail, answer: None }
    }
}

/// Runs a file in a schema of this name.
///
/// # Errors
/// Where the schema cannot be made.
pub(crate) async fn run(file: &File, schema: &str, place: &Place) -> Result<Report, String> {
    let mut session = Session::begin(place.server, schema, place.statement_max).await?;
    let mut peer = match place.peer {
        Some(address) => Some(Session::begin(address, schema, place.statement_max).await?),
        None => None,
    };
    let mut report = Report::new(file.skipped);
    let mut labels: HashMap<&str, String> = HashMap::new();
    for record in &file.records {
        let begun = Instant::now();
        let mut met = session.meet(record).await;
        let took = begun.elapsed();
        if let (None, Asked::Answers(Query { label: Some(label), .. }), Some(answer)) =
            (&met.failure, &record.asked, &met.answer)
        {
            let hash = answer.hash();
            let first = labels.entry(label).or_insert_with(|| hash.clone());
            if *first != hash {
                met.failure = Some(Failure::Label);
                met.detail = format!("{first}, here {hash}");
            }
        }
        // What changes something changes it on both.
        let changes = !matches!(record.asked, Asked::Answers(_));
        let theirs = match &mut peer {
            Some(peer) if changes || met.failure.is_some() => Some(peer.meet(record).await),
            _ => None,
        };
        let outcome = match met.failure {
            None => Outcome::Passes,
            Some(failure) => {
                let same = theirs.as_ref().is_some_and(|theirs| {
                    theirs.failure.as_ref() == Some(&failure) && theirs.answer == met.answer
                });
                if same { Outcome::AsPeer(failure) } else { Outcome::Fails(failure) }
            }
        };
        if let (Outcome::Fails(_), Some(theirs)) = (&outcome, theirs) {
            let said = match &theirs.failure {
                None => "as expected".to_owned(),
                Some(failure) => format!("{failure}; {}", theirs.detail),
            };
            met.detail = format!("{}; the other server: {said}", met.detail);
        }
        report.add(record, outcome, &met.detail, took);
    }
    Ok(report)
}

/// An error's text without quoted names and numbers.
fn shape(message: &str) -> String {
    let mut out = String::new();
    let mut quoted = false;
    for c in message.chars() {
        match c {
            '\'' => {
                if !quoted {
                    out.push_str("'…'");
                }
                quoted = !quoted;
            }
            _ if quoted => {}
            '0'..='9' => {
                if !out.ends_with('#') {
                    out.push('#');
                }
            }
            c => out.push(c),
        }
    }
    out
}

/// The first value in which an answer differs.
fn difference(answer: &Answer, expected: &Expected) -> String {
    let values = match expected {
        Expected::Hash(hash) => return format!("{}, expected {hash}", answer.hash()),
        Expected::Values(values) => values,
    };
    let at = answer.0.iter().zip(values).take_while(|(given, wanted)| given == wanted).count();
    let show = |value: Option<&String>| value.map_or("nothing", String::as_str).to_owned();
    format!(
        "value {at}: {}, expected {}; {} values of {}",
        show(answer.0.get(at)),
        show(values.get(at)),
        answer.0.len(),
        values.len()
    )
}

#[test]
fn errors_of_one_kind_have_one_shape() {
    assert_eq!(shape("Unknown column 'a.b' in 'field list'"), "Unknown column '…' in '…'");
    assert_eq!(shape("at row 17 of 4"), "at row # of #");
}

#[test]
fn the_first_value_that_differs_is_shown() {
    let answer = Answer(vec!["1".into(), "2".into()]);
    let expected = Expected::Values(vec!["1".into()]);
    assert_eq!(difference(&answer, &expected), "value 1: 2, expected nothing; 2 values of 1");
}
