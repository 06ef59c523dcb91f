//! EXPLAIN FOR CONNECTION: the statement that another connection runs.

use firn_mysql_parser::ast::StatementKind as S;
use firn_mysql_semantics::error::{SqlError, code};

use super::Explained;
use crate::session::Session;
use crate::session::run::Arguments;

/// A statement of which nothing can be told.
fn not_supported() -> SqlError {
    SqlError::new(code::ER_EXPLAIN_NOT_SUPPORTED, &[])
}

impl Session {
    /// What a connection runs, planned as this session would; `None` if it runs nothing.
    ///
    /// # Errors
    /// 1094 if there is no such connection, 1227 if it is of somebody else, 3012 for other
    /// statements, and those of planning.
    pub(super) async fn explained_of(&mut self, id: u64) -> Result<Option<Explained>, SqlError> {
        let process = u32::try_from(id).ok().and_then(|id| self.server.processes.get(id));
        let Some(process) = process else {
            return Err(SqlError::new(code::ER_NO_SUCH_THREAD, &[id.into()]));
        };
        if process.user != self.user() {
            self.access().check_any(&["PROCESS"])?;
        }
        let (text, database) = {
            let doing = process.now.lock();
            (doing.statement().map(str::to_owned), doing.database.clone())
        };
        let Some(text) = text else { return Ok(None) };
        self.parser.set_mode(self.values.variables.parser_options().mode);
        let parsed = self.parser.parse_next(text.as_bytes(), 0).map_err(|_| not_supported())?;
        let rows = matches!(
            parsed.statement.kind,
            S::Query(_) | S::Insert(_) | S::Update(_) | S::Delete(_)
        );
        // Of what was prepared the types of the parameters are not known here.
        if !rows || parsed.params > 0 {
            return Err(not_supported());
        }
        let own = self.values.variables.database().map(str::to_owned);
        if own != database {
            self.set_schema(database.as_deref()).await?;
        }
        let statement = &parsed.statement;
        let explained = self.explained(text.as_bytes(), statement, &Arguments::default());
        if own != database {
            self.set_schema(own.as_deref()).await?;
        }
        explained.map(Some)
    }

    async fn set_schema(&mut self, name: Option<&str>) -> Result<(), SqlError> {
        match name {
            Some(name) => self.open_schema(name).await,
            None => {
                self.values.variables.set_database(None);
                Ok(())
            }
        }
    }
}
