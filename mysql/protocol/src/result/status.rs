//! What an OK or EOF packet says of a statement.

use std::borrow::Cow;

use super::state::StateChange;
use crate::error::Result;
use crate::flags::{Capabilities, StatusFlags};
use crate::packet::Decoder;

/// How a statement ended.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Summary {
    /// Rows changed, inserted or deleted.
    pub affected_rows: u64,
    /// First value of AUTO_INCREMENT that was made, or 0.
    pub last_insert_id: u64,
    /// State of the session after it. More results and changes of the session
    /// need not be flagged here.
    pub status: StatusFlags,
    /// Number of warnings.
    pub warnings: u16,
    /// Text for people: `Rows matched: 1  Changed: 1  Warnings: 0`.
    pub info: Cow<'static, str>,
    /// Changes of the session.
    pub changes: Vec<StateChange>,
}

impl Summary {
    /// Nothing to say but the state of the session.
    pub fn new(status: StatusFlags) -> Self {
        Self { status, ..Self::default() }
    }

    /// Reads an OK packet behind its first byte.
    pub(crate) fn decode_ok(payload: &[u8], capabilities: Capabilities) -> Result<Self> {
        let mut from = Decoder::new(payload);
        let mut this = Self {
            affected_rows: from.lenenc()?,
            last_insert_id: from.lenenc()?,
            status: StatusFlags(from.u16()?),
            warnings: from.u16()?,
            ..Self::default()
        };
        if !from.is_empty() {
            let info = from.lenenc_bytes()?;
            this.info = String::from_utf8_lossy(info).into_owned().into();
        }
        if capabilities.contains(Capabilities::SESSION_TRACK)
            && this.status.contains(StatusFlags::SESSION_STATE_CHANGED)
        {
            this.changes = StateChange::decode_all(from.lenenc_bytes()?)?;
        }
        Ok(this)
    }

    /// Reads an EOF packet behind its first byte.
    pub(crate) fn decode_eof(payload: &[u8]) -> Result<Self> {
        let mut from = Decoder::new(payload);
        let warnings = from.u16()?;
        Ok(Self { warnings, ..Self::new(StatusFlags(from.u16()?)) })
    }
}
