//! Rows, as a client reads them.

use bytes::Bytes;

use crate::command::ParameterValue;
use crate::error::{Error, Result};
use crate::flags::{ColumnFlags, ColumnType};
use crate::packet::Decoder;
use crate::result::Column;

/// One row, not yet taken apart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// The packet's payload.
    pub payload: Bytes,
    /// The row is in binary form.
    pub binary: bool,
}

impl Row {
    /// The values. In a text row all are bytes or NULL.
    pub fn values(&self, columns: &[Column]) -> Result<Vec<ParameterValue<'_>>> {
        let mut from = Decoder::new(&self.payload);
        let values =
            if self.binary { binary(&mut from, columns) } else { text(&mut from, columns) }?;
        if from.is_empty() { Ok(values) } else { Err(Error::malformed()) }
    }
}

fn text<'a>(from: &mut Decoder<'a>, columns: &[Column]) -> Result<Vec<ParameterValue<'a>>> {
    let mut value = || {
        Ok(match from.lenenc_or_null()? {
            None => ParameterValue::Null,
            Some(len) => {
                let len = usize::try_from(len).map_err(|_| Error::malformed())?;
                ParameterValue::Bytes(from.bytes(len)?)
            }
        })
    };
    columns.iter().map(|_| value()).collect()
}

fn binary<'a>(from: &mut Decoder<'a>, columns: &[Column]) -> Result<Vec<ParameterValue<'a>>> {
    if from.u8()? != 0 {
        return Err(Error::malformed());
    }
    let nulls = from.bytes((columns.len() + 9) / 8)?;
    let mut values = Vec::with_capacity(columns.len());
    for (index, column) in columns.iter().enumerate() {
        let bit = index + 2;
        let null = nulls[bit / 8] & 1 << (bit % 8) != 0;
        let unsigned =
            column.flags.contains(ColumnFlags::UNSIGNED) || column.kind == ColumnType::Year;
        values.push(if null {
            ParameterValue::Null
        } else {
            crate::command::decode_value(from, column.kind, unsigned)?
        });
    }
    Ok(values)
}
