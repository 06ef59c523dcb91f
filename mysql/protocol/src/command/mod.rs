//! What a client asks for, as its packets say it.

mod parameter;

pub use parameter::{
    ATTRIBUTE_NAMES_MAX_BYTES, ATTRIBUTES_MAX, PARAMETERS_MAX, Parameter, ParameterType,
    ParameterValue, encode_parameters,
};
pub(crate) use parameter::{LongData, decode_parameters, decode_value};

use crate::error::{Error, Result};
use crate::flags::Capabilities;
use crate::handshake::ChangeUser;
use crate::packet::Decoder;

/// One command, not yet carried out.
#[derive(Clone, PartialEq, Debug)]
pub enum Command<'a> {
    /// End of the connection.
    Quit,
    /// Another default schema.
    InitDb(&'a [u8]),
    /// A statement, or several.
    Query {
        /// Text, in the character set of the client.
        sql: &'a [u8],
        /// Attributes of the query.
        attributes: Vec<Parameter<'a>>,
    },
    /// Columns of a table (deprecated).
    FieldList {
        /// The table.
        table: &'a [u8],
        /// LIKE pattern of the columns' names, or nothing.
        pattern: &'a [u8],
    },
    /// A line about the server.
    Statistics,
    /// Ends another connection (deprecated).
    ProcessKill(u32),
    /// Writes debugging output into the server's log.
    Debug,
    /// Nothing, but an answer.
    Ping,
    /// Another account.
    ChangeUser(ChangeUser),
    /// Prepares a statement.
    Prepare(&'a [u8]),
    /// Executes a prepared statement.
    Execute(Execute<'a>),
    /// Appends to a parameter of a prepared statement. Has no answer.
    SendLongData {
        /// The statement.
        statement: u32,
        /// Index of the parameter, from 0.
        parameter: u16,
        /// The bytes.
        data: &'a [u8],
    },
    /// Forgets a prepared statement. Has no answer.
    Close(u32),
    /// Forgets the long data and the cursor of a prepared statement.
    Reset(u32),
    /// Turns several statements per query on or off.
    SetMultiStatements(bool),
    /// Rows of a cursor.
    Fetch {
        /// The statement.
        statement: u32,
        /// How many.
        rows: u32,
    },
    /// Everything of the session back to what it was at its start.
    ResetConnection,
    /// A number that has no command here.
    Unknown(u8),
}

/// COM_STMT_EXECUTE. Its parameters are read once the statement is found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Execute<'a> {
    /// The statement.
    pub statement: u32,
    /// A read-only cursor is wanted.
    pub cursor: bool,
    /// The packet says how many parameters it holds.
    pub counted: bool,
    /// The rest of the packet.
    pub parameters: &'a [u8],
}

impl<'a> Command<'a> {
    /// Reads a packet's payload.
    pub fn decode(payload: &'a [u8], capabilities: Capabilities) -> Result<Self> {
        let mut from = Decoder::new(payload);
        // An empty packet counts as COM_SLEEP, which is no command for clients.
        if from.is_empty() {
            return Ok(Self::Unknown(0));
        }
        Ok(match from.u8()? {
            0x01 => Self::Quit,
            0x02 => Self::InitDb(from.rest()),
            0x03 => {
                let attributes = decode_attributes(&mut from, capabilities)?;
                Self::Query { sql: from.rest(), attributes }
            }
            0x04 => {
                let table = from.zero_terminated()?;
                Self::FieldList { table, pattern: from.rest() }
            }
            0x09 => Self::Statistics,
            0x0c => Self::ProcessKill(from.u32()?),
            0x0d => Self::Debug,
            0x0e => Self::Ping,
            0x11 => Self::ChangeUser(ChangeUser::decode(from.rest(), capabilities)?),
            0x16 => Self::Prepare(from.rest()),
            0x17 => {
                let statement = from.u32()?;
                let flags = from.u8()?;
                from.u32()?;
                Self::Execute(Execute {
                    statement,
                    cursor: flags & 0x07 != 0,
                    counted: flags & 0x08 != 0,
                    parameters: from.rest(),
                })
            }
            0x18 => Self::SendLongData {
                statement: from.u32()?,
                parameter: from.u16()?,
                data: from.rest(),
            },
            0x19 => Self::Close(from.u32()?),
            0x1a => Self::Reset(from.u32()?),
            0x1b => match from.u16()? {
                0 => Self::SetMultiStatements(true),
                1 => Self::SetMultiStatements(false),
                _ => Self::Unknown(0x1b),
            },
            0x1c => Self::Fetch { statement: from.u32()?, rows: from.u32()? },
            0x1f => Self::ResetConnection,
            other => Self::Unknown(other),
        })
    }
}

/// The attributes in front of a query.
fn decode_attributes<'a>(
    from: &mut Decoder<'a>,
    capabilities: Capabilities,
) -> Result<Vec<Parameter<'a>>> {
    if !capabilities.contains(Capabilities::QUERY_ATTRIBUTES) {
        return Ok(Vec::new());
    }
    let count = from.lenenc()?;
    // Number of parameter sets: always one.
    if from.lenenc()? != 1 {
        return Err(Error::malformed());
    }
    decode_parameters(from, count, 0, &mut Vec::new(), true, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cut_commands_are_malformed_not_fatal() {
        for whole in [
            &b"\x0c\x01\0\0\0"[..],
            b"\x17\x01\0\0\0\0\x01\0\0\0",
            b"\x18\x01\0\0\0\x02\0",
            b"\x19\x01\0\0\0",
            b"\x1a\x01\0\0\0",
            b"\x1b\0\0",
            b"\x1c\x01\0\0\0\x01\0\0\0",
        ] {
            assert!(Command::decode(whole, Capabilities::EMPTY).is_ok());
            for len in 1..whole.len() {
                let cut = Command::decode(&whole[..len], Capabilities::EMPTY);
                assert!(matches!(cut, Err(Error::Protocol(e)) if e.number == 1835));
            }
        }
        assert_eq!(Command::decode(b"", Capabilities::EMPTY).unwrap(), Command::Unknown(0));
        assert_eq!(Command::decode(b"\x7f", Capabilities::EMPTY).unwrap(), Command::Unknown(0x7f));
    }
}
