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
                put_lenenc_bytes(scratch, if *changed { b"1" } else { b"0" });
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
                2 => Self::Session(text()? == "1"),
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
