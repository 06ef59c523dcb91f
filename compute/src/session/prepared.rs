//! PREPARE, EXECUTE and DEALLOCATE PREPARE.

use std::sync::Arc;

use firn_mysql_parser::ast::{self, PrepareSource, StatementKind as S};
use firn_mysql_protocol::result::Response;
use firn_mysql_semantics::SqlType;
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::{Node, Session as _};

use super::run::Arguments;
use super::statement::{Done, Ended, Outcome};
use super::{Session, from_parser, preparable};

/// Statements that one session may have prepared by name.
const PREPARED_MAX: usize = 16_382;

/// A statement that has a name.
#[derive(Debug)]
pub(crate) struct NamedStatement {
    sql: Box<[u8]>,
    statement: ast::Statement,
    parameters: usize,
}

fn unknown(name: &str, statement: &str) -> Ended {
    SqlError::new(code::ER_UNKNOWN_STMT_HANDLER, &[name.into(), statement.into()]).into()
}

impl Session {
    /// PREPARE
    pub(crate) fn prepare_named(
        &mut self,
        name: &str,
        source: &PrepareSource,
    ) -> Result<Outcome, Ended> {
        let sql: Box<[u8]> = match source {
            PrepareSource::Text(text) => text.as_bytes().into(),
            PrepareSource::Variable(variable) => {
                let variable = variable.as_str().to_ascii_lowercase();
                let value = self.values.user_variable(&variable);
                let text = match value {
                    Some((value, ty)) => {
                        Node::value(value.clone(), ty).text(&value)?.map(|text| text.to_vec())
                    }
                    None => None,
                };
                // What was never set is NULL, which reads as a statement of that name.
                text.unwrap_or_else(|| b"NULL".to_vec()).into()
            }
        };
        let name = name.to_lowercase();
        // A statement of this name goes even if the new one is no good.
        self.prepared.remove(&name);
        self.parser.set_mode(self.values.variables.parser_options().mode);
        let parsed = self.parser.parse_next(&sql, 0);
        let parsed = parsed.map_err(|error| from_parser(&error))?;
        if !sql[parsed.end..].iter().all(u8::is_ascii_whitespace) {
            let near = String::from_utf8_lossy(&sql[parsed.end..]).into_owned();
            return Err(SqlError::parse_error(near.trim_start(), 1).into());
        }
        preparable::check(&parsed.statement.kind)?;
        let parameters = parsed.params as usize;
        let statement = parsed.statement;
        if let S::Query(query) = &statement.kind {
            self.plan_query(&sql, query, &vec![SqlType::NULL; parameters])?;
        }
        if self.prepared.len() >= PREPARED_MAX {
            let limit = (PREPARED_MAX as u64).into();
            return Err(SqlError::new(code::ER_MAX_PREPARED_STMT_COUNT_REACHED, &[limit]).into());
        }
        self.prepared.insert(name, Arc::new(NamedStatement { sql, statement, parameters }));
        let info = "Statement prepared".to_owned();
        Ok(Done { info, ..Done::default() }.into())
    }

    /// EXECUTE
    pub(crate) async fn execute_named(
        &mut self,
        name: &str,
        using: &[ast::Ident],
        response: &mut Response<'_>,
    ) -> Result<Outcome, Ended> {
        let Some(named) = self.prepared.get(&name.to_lowercase()).map(Arc::clone) else {
            return Err(unknown(name, "EXECUTE"));
        };
        if using.len() != named.parameters {
            return Err(SqlError::new(code::ER_WRONG_ARGUMENTS, &["EXECUTE".into()]).into());
        }
        let (values, types) = using
            .iter()
            .map(|variable| {
                let known = self.values.user_variable(&variable.as_str().to_ascii_lowercase());
                known.unwrap_or((firn_mysql_semantics::Value::Null, SqlType::NULL))
            })
            .unzip();
        let arguments = Arguments { values, types };
        let run = self.dispatch(&named.sql, &named.statement, &arguments, response);
        Box::pin(run).await
    }

    /// DEALLOCATE PREPARE
    pub(crate) fn deallocate_named(&mut self, name: &str) -> Result<Outcome, Ended> {
        match self.prepared.remove(&name.to_lowercase()) {
            Some(_) => Ok(Done::default().into()),
            None => Err(unknown(name, "DEALLOCATE PREPARE")),
        }
    }
}
