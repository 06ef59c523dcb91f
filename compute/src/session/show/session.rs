//! What a session shows of itself: variables, conditions, grants.

use crate::variables::Counter;
use firn_mysql_parser::ast::{self, Scope};
use firn_mysql_semantics::error::{Level, SqlError, code};

use super::Shown;
use crate::information_schema::cell::{number, text};
use crate::information_schema::server;
use crate::session::Session;

impl Session {
    pub(super) fn show_variables(&self, scope: Option<Scope>) -> Shown {
        let list = self.values.variables.show(scope == Some(Scope::Global), None);
        let row = |(name, value): (&str, String)| vec![text(name), text(value)];
        let shown = Shown::new("variables", list.into_iter().map(row).collect());
        if scope == Some(Scope::Global) { shown.of_table("global_variables") } else { shown }
    }

    pub(super) fn show_status(&self, scope: Option<Scope>) -> Shown {
        let session = (scope != Some(Scope::Global)).then_some(self);
        let list = server::status(&self.server, session);
        let row = |(name, value): (&str, String)| vec![text(name), text(value)];
        let shown = Shown::new("status", list.into_iter().map(row).collect());
        if scope == Some(Scope::Global) { shown.of_table("global_status") } else { shown }
    }

    /// SHOW WARNINGS and SHOW ERRORS.
    pub(super) fn conditions(
        &self,
        limit: Option<&ast::Limit>,
        all: bool,
    ) -> Result<Shown, SqlError> {
        let number_of = |expr: &ast::Expr| match &expr.kind {
            ast::ExprKind::Literal(ast::Literal::Int(number)) => {
                Ok(usize::try_from(*number).unwrap_or(usize::MAX))
            }
            _ => Err(SqlError::new(code::ER_WRONG_ARGUMENTS, &["LIMIT".into()])),
        };
        let (skip, take) = match limit {
            Some(limit) => {
                let offset = limit.offset.as_ref().map(number_of).transpose()?;
                (offset.unwrap_or(0), number_of(&limit.rows)?)
            }
            None => (0, usize::MAX),
        };
        let rows = self
            .warnings
            .kept()
            .iter()
            .filter(|one| all || one.level == Level::Error)
            .skip(skip)
            .take(take)
            .map(|one| {
                vec![
                    text(one.level.name()),
                    number(one.error.number().into()),
                    text(one.error.message()),
                ]
            })
            .collect();
        Ok(Shown::new("warnings", rows))
    }

    /// SHOW COUNT(*) WARNINGS and ERRORS.
    pub(super) fn count_conditions(&self, all: bool) -> Shown {
        let (name, count) = if all {
            ("count warnings", self.warnings.total())
        } else {
            ("count errors", self.warnings.errors())
        };
        Shown::new(name, vec![vec![number(count)]])
    }

    /// COM_STATISTICS
    pub(crate) fn statistics_line(&self) -> String {
        let server = &self.server;
        let (uptime, questions) = (server.uptime_seconds(), server.questions());
        let per_second = questions as f64 / uptime.max(1) as f64;
        let (opens, open) = server.opened.counts();
        format!(
            "Uptime: {uptime}  Threads: {}  Questions: {questions}  Slow queries: {}  \
             Opens: {opens}  Flush tables: {}  Open tables: {open}  \
             Queries per second avg: {per_second:.3}",
            server.processes.len(),
            server.counters.get(Counter::SlowQueries),
            server.counters.get(Counter::ComFlush),
        )
    }
}
