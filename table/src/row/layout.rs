//! Cells side by side: where each one is, and how they are written.

use std::borrow::Cow;

use firn_engine::key::VALUE_LEN_MAX;
use firn_mysql_semantics::decimal::Decimal;
use firn_mysql_semantics::{SqlType, TypeKind, Value};

use crate::Cell;
use crate::scalar::Scalar;

/// How the cells of a type are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// At a fixed width.
    Fixed(Scalar),
    /// Bytes as they are: strings, JSON.
    Bytes,
    /// A DECIMAL of more than 38 digits, in `Decimal`'s compact form.
    LongDecimal { scale: u8 },
}

/// Longest compact form of a DECIMAL of 65 digits: a header and 27 bytes, rounded up.
const LONG_DECIMAL_LEN_MAX: usize = 40;

impl Form {
    /// `None` for types that no row holds.
    pub(crate) fn of(ty: &SqlType) -> Option<Self> {
        match ty.kind {
            TypeKind::Null | TypeKind::Geometry => None,
            TypeKind::Decimal => {
                Some(Scalar::of(ty).map_or(Self::LongDecimal { scale: ty.decimals }, Self::Fixed))
            }
            _ => Some(Scalar::of(ty).map_or(Self::Bytes, Self::Fixed)),
        }
    }

    /// Appends the bytes of a cell that is not NULL; `None` if the type does not
    /// hold the value.
    #[inline]
    pub(crate) fn push(self, value: &Value, out: &mut Vec<u8>) -> Option<()> {
        match (self, value) {
            (Self::Fixed(scalar), _) => scalar.push(value, out),
            (Self::Bytes, Value::Bytes(bytes)) => {
                out.extend_from_slice(bytes);
                Some(())
            }
            (Self::LongDecimal { scale }, Value::Decimal(decimal)) => {
                if decimal.scale() == scale {
                    decimal.write_compact(out);
                    return Some(());
                }
                let fitted = decimal.fit(firn_mysql_semantics::decimal::MAX_PRECISION, scale).0;
                (fitted == *decimal).then(|| fitted.write_compact(out))
            }
            _ => None,
        }
    }

    /// Reads the bytes of a cell; `None` if they are none.
    #[inline]
    pub(crate) fn read(self, bytes: &[u8]) -> Option<Cell<'_>> {
        match self {
            Self::Fixed(scalar) => scalar.read(bytes),
            Self::Bytes => Some(Cell::Bytes(Cow::Borrowed(bytes))),
            Self::LongDecimal { scale } => {
                let decimal = Decimal::read_compact(bytes).ok()?;
                (decimal.scale() == scale).then_some(Cell::Decimal(decimal))
            }
        }
    }
}

/// Where a cell is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    form: Form,
    /// Its bit in the bitmap; [`NEVER_NULL`] if it has none.
    null_bit: u32,
    /// Fixed: offset in the body. Variable: which of the variable cells.
    at: u32,
}

const NEVER_NULL: u32 = u32::MAX;

/// The cells of a row: `bitmap, fixed cells, ends of the variable cells, their bytes`.
#[derive(Debug)]
pub(crate) struct Layout {
    pub(crate) places: Box<[Place]>,
    /// Offset of the ends, behind the fixed cells.
    ends_at: usize,
    /// How many variable cells.
    variable: usize,
}

/// The body of a row, checked as far as its parts go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Body<'a> {
    bytes: &'a [u8],
    ends_at: usize,
    /// Bytes of an end: 2 or 4.
    end_len: usize,
    variable_at: usize,
}

/// Why cells could not be written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum WriteError {
    /// The cell's type does not hold its value.
    Type(usize),
    /// More bytes than a value may have.
    TooLong,
}

impl Layout {
    /// Of cells in this order, each with whether it may be NULL. `Err` is the place
    /// of a cell whose type cannot be stored.
    pub(crate) fn new(cells: impl Iterator<Item = (SqlType, bool)>) -> Result<Self, usize> {
        let (mut places, mut bits, mut fixed, mut variable) = (Vec::new(), 0, 0, 0);
        for (i, (ty, nullable)) in cells.enumerate() {
            let form = Form::of(&ty).ok_or(i)?;
            let null_bit = if nullable {
                bits += 1;
                bits - 1
            } else {
                NEVER_NULL
            };
            let at = match form {
                Form::Fixed(scalar) => {
                    fixed += scalar.width() as u32;
                    fixed - scalar.width() as u32
                }
                _ => {
                    variable += 1;
                    variable - 1
                }
            };
            places.push(Place { form, null_bit, at });
        }
        let bitmap_len = bits.div_ceil(8);
        for place in &mut places {
            if matches!(place.form, Form::Fixed(_)) {
                place.at += bitmap_len;
            }
        }
        Ok(Self {
            places: places.into(),
            ends_at: (bitmap_len + fixed) as usize,
            variable: variable as usize,
        })
    }

    /// Appends a row: `number` and whether the ends are wide, then the body.
    /// `value` gives the value of each cell.
    pub(crate) fn write<'v>(
        &self,
        number: u64,
        value: impl Fn(usize) -> &'v Value,
        out: &mut Vec<u8>,
    ) -> Result<(), WriteError> {
        let mut variable_len = 0;
        for (i, place) in self.places.iter().enumerate() {
            variable_len += match (place.form, value(i)) {
                (Form::Bytes, Value::Bytes(bytes)) => bytes.len(),
                (Form::LongDecimal { .. }, _) => LONG_DECIMAL_LEN_MAX,
                _ => 0,
            };
        }
        let wide = variable_len > usize::from(u16::MAX);
        let end_len = if wide { 4 } else { 2 };
        let head_len = self.ends_at + self.variable * end_len;
        if variable_len + head_len + 10 > VALUE_LEN_MAX {
            return Err(WriteError::TooLong);
        }
        put_varint(out, number << 1 | u64::from(wide));
        let start = out.len();
        out.reserve(head_len + variable_len);
        out.resize(start + head_len, 0);
        for (i, place) in self.places.iter().enumerate() {
            let value = value(i);
            if value.is_null() {
                if place.null_bit == NEVER_NULL {
                    return Err(WriteError::Type(i));
                }
                let byte = start + place.null_bit as usize / 8;
                out[byte] |= 1 << (place.null_bit % 8);
            } else if let Form::Fixed(scalar) = place.form {
                let at = start + place.at as usize;
                let cell = &mut out[at..at + scalar.width()];
                scalar.put(value, cell).ok_or(WriteError::Type(i))?;
                continue;
            } else {
                place.form.push(value, out).ok_or(WriteError::Type(i))?;
            }
            if !matches!(place.form, Form::Fixed(_)) {
                let end = (out.len() - start - head_len) as u32;
                let at = start + self.ends_at + place.at as usize * end_len;
                out[at..at + end_len].copy_from_slice(&end.to_le_bytes()[..end_len]);
            }
        }
        Ok(())
    }

    /// Takes a body apart; `None` if it is too short for its parts, or has bytes
    /// beyond them.
    #[inline]
    pub(crate) fn body<'a>(&self, bytes: &'a [u8], wide: bool) -> Option<Body<'a>> {
        let end_len = if wide { 4 } else { 2 };
        let variable_at = self.ends_at + self.variable * end_len;
        let body = Body { bytes, ends_at: self.ends_at, end_len, variable_at };
        let len = match self.variable {
            0 => variable_at,
            some => variable_at + body.end(some - 1)?,
        };
        (len == bytes.len()).then_some(body)
    }
}

impl Place {
    #[inline]
    pub(crate) fn is_null(&self, body: &Body<'_>) -> Option<bool> {
        if self.null_bit == NEVER_NULL {
            return Some(false);
        }
        let byte = body.bytes.get(self.null_bit as usize / 8)?;
        Some(byte & 1 << (self.null_bit % 8) != 0)
    }

    /// The cell; `None` if its bytes are no value's.
    #[inline]
    pub(crate) fn read<'a>(&self, body: &Body<'a>) -> Option<Cell<'a>> {
        if self.is_null(body)? {
            return Some(Cell::Null);
        }
        let at = self.at as usize;
        if let Form::Fixed(scalar) = self.form {
            return scalar.read(body.bytes.get(at..at + scalar.width())?);
        }
        let start = if at == 0 { 0 } else { body.end(at - 1)? };
        let end = body.end(at)?;
        self.form.read(body.bytes.get(body.variable_at + start..body.variable_at + end)?)
    }
}

impl Body<'_> {
    /// End of a variable cell, counted from where the first one starts.
    #[inline]
    fn end(&self, which: usize) -> Option<usize> {
        let rest = self.bytes.get(self.ends_at + which * self.end_len..)?;
        Some(match self.end_len {
            2 => usize::from(u16::from_le_bytes(*rest.first_chunk()?)),
            _ => u32::from_le_bytes(*rest.first_chunk()?) as usize,
        })
    }
}

/// Appends an integer, seven bits a byte, the lowest first.
pub(crate) fn put_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Takes an integer from the front; `None` if it is cut short or over 32 bits.
#[inline]
pub(crate) fn take_varint(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    if first < 0x80 {
        return Some((u32::from(first), rest));
    }
    let mut number = 0_u64;
    for (i, byte) in bytes.iter().enumerate().take(5) {
        number |= u64::from(byte & 0x7f) << (7 * i);
        if byte & 0x80 == 0 {
            return Some((u32::try_from(number).ok()?, bytes.get(i + 1..)?));
        }
    }
    None
}
