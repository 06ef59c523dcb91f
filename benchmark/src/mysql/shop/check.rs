//! All servers must answer alike.

use firn_engine::{Error, ErrorKind, Result};

use super::statements::shapes;
use super::{Worker, statements};
use crate::mysql::config::{MysqlConfig, Phase};
use crate::mysql::connection::Login;
use crate::mysql::tpch::Answer;

/// How often each statement is asked, with values by chance.
const TIMES: usize = 50;

/// Questions and their answers.
pub(crate) struct Answers(Vec<(String, Answer)>);

/// Asks the statements of a phase, and compares the answers with those of the first server, if
/// there are some.
///
/// # Errors
/// `Unavailable`; `Corrupt` if answers differ.
pub(crate) async fn answers(
    login: &Login,
    config: &MysqlConfig,
    phase: &Phase,
    first: Option<&Answers>,
) -> Result<Answers> {
    let distribution = phase.distribution.unwrap_or(config.distribution);
    let mut worker = Worker::new(phase.kind, config.shop.clone(), distribution, config.seed);
    let statements = statements(phase.kind);
    let mut client = login.client(Some(&config.database)).await?;
    let (mut all, mut text) = (Vec::new(), Vec::new());
    let mut rows = vec![0; statements.len()];
    for at in 0..TIMES * statements.len() {
        let statement = worker.choose();
        statements[statement].write(&worker.values(), &mut text);
        let sql = String::from_utf8_lossy(&text).into_owned();
        let answer = Answer::of(&mut client, &sql).await?;
        rows[statement] += answer.rows();
        if let Some((asked, first)) = first.and_then(|first| first.0.get(at)) {
            debug_assert_eq!(*asked, sql);
            if let Some(differs) = answer.differs(first, false) {
                let why = format!("not the first server's answer: {differs}: {sql}");
                return Err(Error::new(ErrorKind::Corrupt, why));
            }
        }
        all.push((sql, answer));
    }
    // A statement that never has an answer compares nothing.
    if let Some(at) = rows.iter().position(|rows| *rows == 0) {
        let why = format!("{} has no rows, whatever is asked for", shapes(phase.kind)[at].name);
        return Err(Error::new(ErrorKind::Corrupt, why));
    }
    Ok(Answers(all))
}
