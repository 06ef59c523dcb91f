//! SHOW and DESCRIBE.

use firn_mysql_parser::ast;
use firn_mysql_protocol::result::{Column, Columns, Response, Summary};
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::{CollationId, Derivation, SqlType};

use super::Session;
use super::run::Arguments;
use super::statement::{Ended, Outcome};
use crate::output;

/// A column of COM_FIELD_LIST, with its default value.
pub(crate) type ListedField = (Column, Option<Vec<u8>>);

/// A result of texts.
pub(crate) struct Texts {
    pub(crate) names: Vec<&'static str>,
    pub(crate) rows: Vec<Vec<Option<String>>>,
}

impl Session {
    /// SHOW
    pub(crate) async fn show(
        &mut self,
        sql: &[u8],
        show: &ast::Show,
        arguments: &Arguments,
        response: &mut Response<'_>,
    ) -> Result<Outcome, Ended> {
        let _ = (sql, arguments);
        let texts = match show {
            ast::Show::Warnings(limit) => self.conditions(limit.as_ref(), true)?,
            ast::Show::Errors(limit) => self.conditions(limit.as_ref(), false)?,
            _ => return Err(SqlError::not_supported_yet("this SHOW").into()),
        };
        self.send_texts(&texts, response).await
    }

    /// DESCRIBE
    pub(crate) async fn describe(
        &mut self,
        describe: &ast::Describe,
        response: &mut Response<'_>,
    ) -> Result<Outcome, Ended> {
        let _ = (describe, response);
        Err(SqlError::not_supported_yet("DESCRIBE").into())
    }

    /// COM_FIELD_LIST
    pub(crate) fn columns_of(
        &self,
        table: &str,
        pattern: &str,
    ) -> Result<Vec<ListedField>, SqlError> {
        let _ = (table, pattern);
        Err(SqlError::not_supported_yet("COM_FIELD_LIST"))
    }

    /// COM_STATISTICS
    pub(crate) fn statistics_line(&self) -> String {
        format!(
            "Uptime: {}  Threads: {}  Questions: {}",
            self.server.uptime_seconds(),
            self.server.processes.len(),
            self.server.questions()
        )
    }

    /// SHOW WARNINGS and SHOW ERRORS.
    fn conditions(&self, limit: Option<&ast::Limit>, all: bool) -> Result<Texts, SqlError> {
        let number = |expr: &ast::Expr| match &expr.kind {
            ast::ExprKind::Literal(ast::Literal::Int(number)) => {
                Ok(usize::try_from(*number).unwrap_or(usize::MAX))
            }
            _ => Err(SqlError::new(code::ER_WRONG_ARGUMENTS, &["LIMIT".into()])),
        };
        let (skip, take) = match limit {
            Some(limit) => {
                let offset = limit.offset.as_ref().map(number).transpose()?;
                (offset.unwrap_or(0), number(&limit.rows)?)
            }
            None => (0, usize::MAX),
        };
        let rows = self
            .warnings
            .kept()
            .iter()
            .filter(|one| all || one.level == firn_mysql_semantics::error::Level::Error)
            .skip(skip)
            .take(take)
            .map(|one| {
                vec![
                    Some(one.level.name().to_owned()),
                    Some(one.error.number().to_string()),
                    Some(one.error.message().to_owned()),
                ]
            })
            .collect();
        Ok(Texts { names: vec!["Level", "Code", "Message"], rows })
    }

    /// Sends a result of texts.
    pub(crate) async fn send_texts(
        &mut self,
        texts: &Texts,
        response: &mut Response<'_>,
    ) -> Result<Outcome, Ended> {
        let results = self.result_charset();
        let columns: Vec<Column> = texts
            .names
            .iter()
            .map(|name| {
                let ty =
                    SqlType::varchar(512, CollationId::UTF8MB3_GENERAL_CI, Derivation::Implicit);
                output::definition(name, &ty, true, results)
            })
            .collect();
        let columns = Columns::new(&columns);
        let mut rows = response.rows(&columns)?;
        for row in &texts.rows {
            for value in row {
                match value {
                    Some(text) => rows.bytes(text.as_bytes())?,
                    None => rows.null()?,
                }
            }
            rows.end_row().await?;
        }
        let summary =
            Summary { warnings: self.warnings.packet_count(), ..Summary::new(self.status_flags()) };
        rows.end(&summary)?;
        Ok(Outcome::Sent)
    }
}
