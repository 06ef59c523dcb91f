//! Variables that show what the session knows, and are nowhere else.

use super::definition::VarId;
use super::id;
use super::setting::Setting;

/// What a session knows of itself and variables show.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The connection's number.
    pub connection_id: u64,
    /// When the statement began: microseconds since 1970 in UTC.
    pub statement_time_micros: i64,
    /// LAST_INSERT_ID(), `last_insert_id` and `identity`.
    pub last_insert_id: u64,
    /// What the next INSERT takes for AUTO_INCREMENT: `insert_id`. INSERT clears it.
    pub next_insert_id: Option<u64>,
    /// Warnings of the statement before: `warning_count`.
    pub warning_count: u64,
    /// Errors of the statement before: `error_count`.
    pub error_count: u64,
    /// What RAND() begins with, if `rand_seed1` and `rand_seed2` were set; it clears it.
    pub rand_seeds: Option<(u32, u32)>,
    /// `timestamp`, if it was set: microseconds since 1970 in UTC.
    pub timestamp_micros: Option<i64>,
    /// `pseudo_thread_id`, if it was set.
    pub pseudo_thread_id: Option<u64>,
}

impl Facts {
    pub(super) fn new(connection_id: u64) -> Facts {
        Facts {
            connection_id,
            statement_time_micros: 0,
            last_insert_id: 0,
            next_insert_id: None,
            warning_count: 0,
            error_count: 0,
            rand_seeds: None,
            timestamp_micros: None,
            pseudo_thread_id: None,
        }
    }

    /// The value of a variable that is one of these.
    pub(super) fn setting(&self, id: VarId) -> Option<Setting> {
        Some(Setting::Int(match id {
            id::last_insert_id | id::identity => self.last_insert_id,
            id::insert_id => self.next_insert_id.unwrap_or(0),
            id::warning_count => self.warning_count,
            id::error_count => self.error_count,
            id::pseudo_thread_id => self.pseudo_thread_id.unwrap_or(self.connection_id),
            id::timestamp => {
                let micros = self.timestamp_micros.unwrap_or(self.statement_time_micros);
                return Some(Setting::Double(micros as f64 / 1e6));
            }
            // They can be set, and always read 0.
            id::rand_seed1 | id::rand_seed2 => 0,
            _ => return None,
        }))
    }

    /// Takes over a new value; `false` if the variable is none of these.
    pub(super) fn store(&mut self, id: VarId, setting: &Setting) -> bool {
        let number = setting.as_u64();
        match id {
            id::last_insert_id | id::identity => self.last_insert_id = number,
            id::insert_id => self.next_insert_id = Some(number).filter(|number| *number > 0),
            id::pseudo_thread_id => self.pseudo_thread_id = Some(number),
            id::timestamp => {
                let micros = (setting.as_f64() * 1e6).round() as i64;
                self.timestamp_micros = Some(micros).filter(|micros| *micros > 0);
            }
            id::rand_seed1 => {
                self.rand_seeds = Some((number as u32, self.rand_seeds.unwrap_or_default().1));
            }
            id::rand_seed2 => {
                self.rand_seeds = Some((self.rand_seeds.unwrap_or_default().0, number as u32));
            }
            _ => return false,
        }
        true
    }

    /// `= DEFAULT` of those that have no setting to go back to.
    pub(super) fn store_default(&mut self, id: VarId) -> bool {
        match id {
            id::timestamp => self.timestamp_micros = None,
            id::pseudo_thread_id => self.pseudo_thread_id = None,
            _ => return false,
        }
        true
    }
}
