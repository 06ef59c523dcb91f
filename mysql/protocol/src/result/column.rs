//! Definitions of columns.

use crate::error::Result;
use crate::flags::{ColumnFlags, ColumnType};
use crate::packet::{Decoder, put_lenenc_bytes};

/// Collation id of binary strings and of everything that is no string.
pub const BINARY_COLLATION: u16 = 63;
/// Number of decimals that means "as many as the value has".
pub const DECIMALS_NOT_FIXED: u8 = 31;

/// One column of a result, or one placeholder of a prepared statement. Names
/// are in the character set of results.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Column {
    /// Schema of the table.
    pub schema: Vec<u8>,
    /// Table, or its alias in the statement.
    pub table: Vec<u8>,
    /// Table, as it is named in the schema.
    pub org_table: Vec<u8>,
    /// Column, or its alias in the statement.
    pub name: Vec<u8>,
    /// Column, as it is named in the table.
    pub org_name: Vec<u8>,
    /// Collation id: what text is sent in; 63 for binary strings, numbers, times.
    pub collation: u16,
    /// Largest length of a value, bytes in that character set.
    pub length: u32,
    /// Type.
    pub kind: ColumnType,
    /// Flags.
    pub flags: ColumnFlags,
    /// Decimals shown: 31 for floating point without fixed decimals, 0 to 6 for times.
    pub decimals: u8,
}

impl Column {
    /// A nullable column of no table.
    pub fn new(name: &str, kind: ColumnType, collation: u16, length: u32) -> Self {
        Self {
            schema: Vec::new(),
            table: Vec::new(),
            org_table: Vec::new(),
            name: name.into(),
            org_name: Vec::new(),
            collation,
            length,
            kind,
            flags: ColumnFlags::EMPTY,
            decimals: match kind {
                ColumnType::Float | ColumnType::Double => DECIMALS_NOT_FIXED,
                _ => 0,
            },
        }
    }

    /// Appends the packet's payload.
    pub fn encode(&self, out: &mut Vec<u8>) {
        put_lenenc_bytes(out, b"def");
        for text in [&self.schema, &self.table, &self.org_table, &self.name, &self.org_name] {
            put_lenenc_bytes(out, text);
        }
        out.push(0x0c);
        out.extend_from_slice(&self.collation.to_le_bytes());
        out.extend_from_slice(&self.length.to_le_bytes());
        out.push(self.kind as u8);
        out.extend_from_slice(&self.flags.0.to_le_bytes());
        out.push(self.decimals);
        out.extend_from_slice(&[0; 2]);
    }

    /// Reads a packet's payload. What follows is the default value of COM_FIELD_LIST.
    pub fn decode(from: &mut Decoder<'_>) -> Result<Self> {
        from.lenenc_bytes()?;
        let mut text = || from.lenenc_bytes().map(<[u8]>::to_vec);
        let (schema, table, org_table) = (text()?, text()?, text()?);
        let (name, org_name) = (text()?, text()?);
        let fixed = from.lenenc_bytes()?;
        let mut fixed = Decoder::new(fixed);
        Ok(Self {
            schema,
            table,
            org_table,
            name,
            org_name,
            collation: fixed.u16()?,
            length: fixed.u32()?,
            kind: ColumnType::from_wire(fixed.u8()?).ok_or_else(crate::Error::malformed)?,
            flags: ColumnFlags(fixed.u16()?),
            decimals: fixed.u8()?,
        })
    }
}

/// How the values of a column are written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Format {
    pub(crate) kind: ColumnType,
    pub(crate) decimals: u8,
}

/// The columns of a result, ready to be sent. Make them once per plan.
#[derive(Clone, Debug, Default)]
pub struct Columns {
    /// Payloads of the definitions, one after the other.
    encoded: Vec<u8>,
    /// Where each one ends.
    ends: Vec<u32>,
    pub(crate) formats: Vec<Format>,
}

impl Columns {
    /// These columns, in this order.
    pub fn new<'a>(columns: impl IntoIterator<Item = &'a Column>) -> Self {
        let mut this = Self::default();
        for column in columns {
            column.encode(&mut this.encoded);
            this.ends.push(this.encoded.len() as u32);
            this.formats.push(Format { kind: column.kind, decimals: column.decimals });
        }
        this
    }

    /// Number of columns.
    pub fn len(&self) -> usize {
        self.formats.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.formats.is_empty()
    }

    /// The payloads of the definitions.
    pub(crate) fn payloads(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.encoded[start as usize..end as usize])
    }
}
