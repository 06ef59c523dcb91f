//! Statements of replication, which Firn does not have: as a server that is no replica and
//! writes no binary log.

use firn_mysql_parser::ast::{Reset, StatementKind as S, Text};
use firn_mysql_semantics::error::{Arg, SqlError, code};

use super::Session;
use super::statement::{Done, Ended, Outcome};

impl Session {
    /// START REPLICA, STOP REPLICA, RESET REPLICA, RESET BINARY LOGS AND GTIDS.
    pub(crate) async fn replication(&mut self, kind: &S) -> Result<Outcome, Ended> {
        match kind {
            S::StopReplica { channel, .. } => {
                let channel = unnamed(channel.as_ref())?;
                let error = SqlError::new(code::ER_REPLICA_CHANNEL_WAS_NOT_RUNNING, &[channel]);
                self.warnings.note(error);
            }
            S::Reset(list) => {
                self.commit_open().await?;
                for reset in list {
                    match reset {
                        Reset::Replica { channel, .. } => {
                            unnamed(channel.as_ref())?;
                        }
                        // There are none.
                        Reset::BinaryLogs { .. } => {}
                    }
                }
            }
            _ => return Err(SqlError::new(code::ER_BAD_REPLICA, &[]).into()),
        }
        Ok(Done::default().into())
    }
}

/// The channel without a name is the only one.
fn unnamed(channel: Option<&Text>) -> Result<Arg<'static>, SqlError> {
    match channel {
        Some(name) if !name.is_empty() => {
            let arguments = [Arg::from(name.as_str())];
            Err(SqlError::new(code::ER_REPLICA_CHANNEL_DOES_NOT_EXIST, &arguments))
        }
        _ => Ok(Arg::from("")),
    }
}
