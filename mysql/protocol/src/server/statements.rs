//! The prepared statements of a connection.

use std::collections::HashMap;

use crate::command::{LongData, ParameterType};
use crate::error::SqlError;
use crate::result::Cursor;

/// One statement and what the client has sent for it.
pub(super) struct Statement<S> {
    pub(super) statement: S,
    pub(super) parameter_count: usize,
    /// Types of the last execution.
    pub(super) types: Vec<ParameterType>,
    pub(super) long_data: LongData,
    long_data_bytes: usize,
    /// What went wrong with long data: the next execution tells.
    pub(super) long_data_error: Option<SqlError>,
    pub(super) cursor: Option<Cursor>,
}

/// All statements of a connection, by number.
pub(super) struct Statements<S> {
    by_id: HashMap<u32, Statement<S>>,
    last_id: u32,
    max: usize,
    long_data_bytes: usize,
    long_data_max_bytes: usize,
    packet_max_bytes: usize,
}

impl<S> Statements<S> {
    pub(super) fn new(max: usize, long_data_max_bytes: usize, packet_max_bytes: usize) -> Self {
        Self {
            by_id: HashMap::new(),
            last_id: 0,
            max,
            long_data_bytes: 0,
            long_data_max_bytes,
            packet_max_bytes,
        }
    }

    pub(super) fn check_room(&self) -> Result<(), SqlError> {
        if self.by_id.len() >= self.max {
            return Err(SqlError::too_many_statements(self.by_id.len()));
        }
        Ok(())
    }

    /// Keeps a statement; gives its number.
    pub(super) fn insert(&mut self, statement: S, parameter_count: usize) -> u32 {
        loop {
            self.last_id = self.last_id.wrapping_add(1);
            if self.last_id != 0 && !self.by_id.contains_key(&self.last_id) {
                break;
            }
        }
        let kept = Statement {
            statement,
            parameter_count,
            types: Vec::new(),
            long_data: LongData::new(),
            long_data_bytes: 0,
            long_data_error: None,
            cursor: None,
        };
        self.by_id.insert(self.last_id, kept);
        self.last_id
    }

    pub(super) fn get(&mut self, id: u32) -> Result<&mut Statement<S>, SqlError> {
        self.by_id.get_mut(&id).ok_or_else(|| SqlError::unknown_statement(id))
    }

    /// Appends long data. There is no answer, so errors wait for the execution.
    pub(super) fn append_long_data(&mut self, id: u32, parameter: u16, data: &[u8]) {
        let Some(statement) = self.by_id.get_mut(&id) else { return };
        if statement.long_data_error.is_some() {
            return;
        }
        if usize::from(parameter) >= statement.parameter_count {
            statement.long_data_error = Some(SqlError::new(
                1210,
                b"HY000",
                "Incorrect arguments to mysqld_stmt_send_long_data",
            ));
            return;
        }
        let held = statement.long_data.entry(parameter).or_default();
        if held.len() + data.len() > self.packet_max_bytes {
            statement.long_data_error = Some(SqlError::unknown(
                "Parameter of prepared statement which is set through mysql_send_long_data() is \
                 longer than 'max_allowed_packet' bytes",
            ));
        } else if self.long_data_bytes + data.len() > self.long_data_max_bytes {
            statement.long_data_error = Some(SqlError::out_of_resources());
        } else {
            held.extend_from_slice(data);
            statement.long_data_bytes += data.len();
            self.long_data_bytes += data.len();
        }
    }

    /// Forgets the long data of a statement.
    pub(super) fn clear_long_data(&mut self, id: u32) {
        if let Some(statement) = self.by_id.get_mut(&id) {
            self.long_data_bytes -= std::mem::take(&mut statement.long_data_bytes);
            statement.long_data.clear();
            statement.long_data_error = None;
        }
    }

    pub(super) fn remove(&mut self, id: u32) {
        self.clear_long_data(id);
        self.by_id.remove(&id);
    }

    pub(super) fn clear(&mut self) {
        self.by_id.clear();
        self.long_data_bytes = 0;
    }
}
