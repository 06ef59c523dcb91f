//! DROP TRIGGER, of which there are none.

use firn_mysql_parser::ast;
use firn_mysql_semantics::error::{SqlError, code};

use super::Session;
use super::statement::{Done, Ended, Outcome};

impl Session {
    /// 1360, or with IF EXISTS a note of it.
    pub(super) async fn drop_trigger(
        &mut self,
        if_exists: bool,
        name: &ast::ObjectName,
    ) -> Result<Outcome, Ended> {
        let (schema, _) = self.full_name(name)?;
        self.commit_open().await?;
        let known = self.known_schema(&schema);
        let missing = SqlError::new(code::ER_TRG_DOES_NOT_EXIST, &[]);
        match (known, if_exists) {
            (Ok(()), false) => return Err(missing.into()),
            (Ok(()), true) => self.warnings.note(missing),
            // The session's own database was dropped.
            (Err(_), _) if name.schema.is_none() => {
                return Err(SqlError::new(code::ER_NO_DB_ERROR, &[]).into());
            }
            (Err(error), false) => return Err(error.into()),
            (Err(error), true) => self.warnings.note(error),
        }
        Ok(Done::default().into())
    }
}
