//! Changes of a session that an OK packet tells the client about.

use crate::error::{Error, Result};
use crate::packet::{Decoder, put_lenenc_bytes};

/// One change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StateChange {
    /// A system variable has this value now.
    SystemVariable {
        /// Name of the variable.
        name: String,
        /// Its value, as text.
        value: String,
    },
    /// The default schema is this one now.
    Schema(String),
    /// Something of the session changed (`session_track_state_change`).
    Session(bool),
    /// Ids of the transactions that committed.
    Gtids(String),
    /// The statements that would restart the open transaction's characteristics.
    TransactionCharacteristics(String),
    /// What the open transaction has done.
    Transaction(TransactionState),
}

/// Eight characters that describe the open transaction, for example `T_______`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TransactionState(pub [u8; 8]);

impl StateChange {
    pub(crate) fn encode(&self, out: &mut Vec<u8>, scratch: &mut Vec<u8>) {
        scratch.clear();
        let kind = match self {
            Self::SystemVariable { name, value } => {
                put_lenenc_bytes(scratch, name.as_bytes());
                put_lenenc_bytes(scratch, value.as_bytes());
                0
            }
            Self::Schema(name) => {
                put_lenenc_bytes(scratch, name.as_bytes());
                1
            }
            Self::Session(changed) => {
                // The one kind whose text has no length of its own.
                scratch.push(if *changed { b'1' } else { b'0' });
                2
            }
            Self::Gtids(set) => {
                // The first byte is the encoding of what follows: text.
                scratch.push(0);
                put_lenenc_bytes(scratch, set.as_bytes());
                3
            }
            Self::TransactionCharacteristics(text) => {
                put_lenenc_bytes(scratch, text.as_bytes());
                4
            }
            Self::Transaction(state) => {
                put_lenenc_bytes(scratch, &state.0);
                5
            }
        };
        out.push(kind);
        put_lenenc_bytes(out, scratch);
    }

    /// Reads all changes of an OK packet; kinds that are not known are left out.
    pub(crate) fn decode_all(block: &[u8]) -> Result<Vec<Self>> {
        let mut block = Decoder::new(block);
        let mut changes = Vec::new();
        while !block.is_empty() {
            let kind = block.u8()?;
            let mut data = Decoder::new(block.lenenc_bytes()?);
            let mut text =
                || data.lenenc_bytes().map(|text| String::from_utf8_lossy(text).into_owned());
            changes.push(match kind {
                0 => Self::SystemVariable { name: text()?, value: text()? },
                1 => Self::Schema(text()?),
                2 => Self::Session(data.u8()? == b'1'),
                3 => {
                    data.u8()?;
                    let set = data.lenenc_bytes()?;
                    Self::Gtids(String::from_utf8_lossy(set).into_owned())
                }
                4 => Self::TransactionCharacteristics(text()?),
                5 => {
                    let state = data.lenenc_bytes()?.try_into().map_err(|_| Error::malformed())?;
                    Self::Transaction(TransactionState(state))
                }
                _ => continue,
            });
        }
        Ok(changes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a server sent after `SET time_zone = 'SYSTEM'` within a transaction, with
    /// everything tracked.
    #[test]
    fn a_state_change_without_a_length_of_its_own_is_read() {
        let block = b"\0\x11\ttime_zone\x06SYSTEM\x02\x011\x01\x05\x04test\x05\x09\x08T_______";
        let changes = [
            StateChange::SystemVariable { name: "time_zone".into(), value: "SYSTEM".into() },
            StateChange::Session(true),
            StateChange::Schema("test".into()),
            StateChange::Transaction(TransactionState(*b"T_______")),
        ];
        assert_eq!(StateChange::decode_all(block).unwrap(), changes);
        let (mut written, mut scratch) = (Vec::new(), Vec::new());
        for change in &changes {
            change.encode(&mut written, &mut scratch);
        }
        assert_eq!(written, block);
    }
}
