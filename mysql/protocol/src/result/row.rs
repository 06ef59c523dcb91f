//! Rows, written straight into the write buffer.

use super::column::{Columns, Format};
use super::number::{put_double, put_float, put_signed, put_unsigned};
use super::response::{Response, put_eof};
use super::status::Summary;
use super::temporal::{Date, DateTime, Time};
use crate::error::{Error, Result};
use crate::flags::ColumnType;
use crate::packet::{PacketBuffer, put_lenenc, put_lenenc_bytes};

/// Writes the rows of one result: for each row every value in order, then
/// [`end_row`](Self::end_row); at last [`end`](Self::end).
///
/// The same calls write text and binary rows. In binary rows a value takes the
/// form of its column's type; a value that this type cannot hold as a number is
/// written as a string, which only string columns should come to.
pub struct Rows<'r, 'c, 's> {
    response: &'r mut Response<'c>,
    formats: &'s [Format],
    /// Next column of the open row.
    index: usize,
    /// Where the NULL bitmap of the open binary row starts.
    bitmap: usize,
    count: u64,
}

/// How [`Rows`] shall write a value that has an integer type on the wire.
enum IntegerForm {
    Text,
    Bytes(usize),
}

impl<'r, 'c, 's> Rows<'r, 'c, 's> {
    pub(super) fn new(response: &'r mut Response<'c>, columns: &'s Columns) -> Self {
        Self { response, formats: &columns.formats, index: 0, bitmap: 0, count: 0 }
    }

    fn buffer(&mut self) -> &mut PacketBuffer {
        self.response.row_buffer()
    }

    /// Begins a row if none is open; gives the format of the next column.
    /// Whether rows are binary: those of prepared statements.
    pub fn is_binary(&self) -> bool {
        self.response.is_binary()
    }

    fn next(&mut self) -> Result<Format> {
        let Some(&format) = self.formats.get(self.index) else {
            return Err(Error::Misuse("more values than columns"));
        };
        if self.index == 0 {
            self.begin_row();
        }
        self.index += 1;
        Ok(format)
    }

    fn begin_row(&mut self) {
        let binary = self.response.binary;
        self.response.row_open = true;
        let bitmap_len = (self.formats.len() + 9) / 8;
        let buffer = self.buffer();
        buffer.begin();
        let bytes = buffer.bytes();
        if binary {
            bytes.push(0);
            let start = bytes.len();
            bytes.resize(start + bitmap_len, 0);
            self.bitmap = start;
        }
    }

    /// NULL.
    pub fn null(&mut self) -> Result<()> {
        self.next()?;
        if self.response.binary {
            let bit = self.index - 1 + 2;
            let at = self.bitmap + bit / 8;
            self.buffer().bytes()[at] |= 1 << (bit % 8);
        } else {
            self.buffer().bytes().push(0xfb);
        }
        Ok(())
    }

    /// A string, or anything that is already text: DECIMAL, JSON, ENUM, SET,
    /// numbers with ZEROFILL; for BIT its bytes.
    ///
    /// In a binary row a number column wants [`i64`](Self::i64) and the like.
    pub fn bytes(&mut self, value: &[u8]) -> Result<()> {
        self.next()?;
        put_lenenc_bytes(self.buffer().bytes(), value);
        Ok(())
    }

    fn integer_form(&self, kind: ColumnType) -> IntegerForm {
        if !self.response.binary {
            return IntegerForm::Text;
        }
        match kind {
            ColumnType::Tiny | ColumnType::Bool => IntegerForm::Bytes(1),
            ColumnType::Short | ColumnType::Year => IntegerForm::Bytes(2),
            ColumnType::Long | ColumnType::Int24 => IntegerForm::Bytes(4),
            ColumnType::LongLong => IntegerForm::Bytes(8),
            _ => IntegerForm::Text,
        }
    }

    /// A signed integer.
    pub fn i64(&mut self, value: i64) -> Result<()> {
        let format = self.next()?;
        match self.integer_form(format.kind) {
            IntegerForm::Bytes(len) => {
                self.buffer().bytes().extend_from_slice(&value.to_le_bytes()[..len]);
            }
            IntegerForm::Text => match format.kind {
                ColumnType::Double | ColumnType::Float => self.put_real(format, value as f64),
                _ => self.put_text(format, |out, _| put_signed(out, value)),
            },
        }
        Ok(())
    }

    /// An unsigned integer, or a YEAR.
    pub fn u64(&mut self, value: u64) -> Result<()> {
        let format = self.next()?;
        match self.integer_form(format.kind) {
            IntegerForm::Bytes(len) => {
                self.buffer().bytes().extend_from_slice(&value.to_le_bytes()[..len]);
            }
            IntegerForm::Text => match format.kind {
                ColumnType::Double | ColumnType::Float => self.put_real(format, value as f64),
                ColumnType::Year if value == 0 => self.put_text(format, |out, _| {
                    out.extend_from_slice(b"0000");
                }),
                _ => self.put_text(format, |out, _| put_unsigned(out, value)),
            },
        }
        Ok(())
    }

    /// A DOUBLE. NaN and infinities are no values of MySQL.
    pub fn f64(&mut self, value: f64) -> Result<()> {
        let format = self.next()?;
        self.put_real(format, value);
        Ok(())
    }

    /// A FLOAT.
    pub fn f32(&mut self, value: f32) -> Result<()> {
        let format = self.next()?;
        if self.response.binary && format.kind == ColumnType::Float {
            self.buffer().bytes().extend_from_slice(&value.to_le_bytes());
        } else if self.response.binary && format.kind == ColumnType::Double {
            self.buffer().bytes().extend_from_slice(&f64::from(value).to_le_bytes());
        } else {
            self.put_text(format, |out, decimals| put_float(out, value, decimals));
        }
        Ok(())
    }

    fn put_real(&mut self, format: Format, value: f64) {
        match format.kind {
            ColumnType::Double if self.response.binary => {
                self.buffer().bytes().extend_from_slice(&value.to_le_bytes());
            }
            ColumnType::Float if self.response.binary => {
                self.buffer().bytes().extend_from_slice(&(value as f32).to_le_bytes());
            }
            _ => self.put_text(format, |out, decimals| put_double(out, value, decimals)),
        }
    }

    /// A DATE.
    pub fn date(&mut self, value: Date) -> Result<()> {
        let format = self.next()?;
        if self.binary_moment(format) {
            DateTime { date: value, ..Default::default() }.put_binary(self.buffer().bytes());
        } else {
            self.put_text(format, |out, _| value.put_text(out));
        }
        Ok(())
    }

    /// A DATETIME or TIMESTAMP; the column says how many decimals are shown.
    pub fn date_time(&mut self, value: DateTime) -> Result<()> {
        let format = self.next()?;
        if self.binary_moment(format) {
            value.put_binary(self.buffer().bytes());
        } else {
            self.put_text(format, |out, decimals| value.put_text(out, decimals));
        }
        Ok(())
    }

    fn binary_moment(&self, format: Format) -> bool {
        use ColumnType::{Date, DateTime, Timestamp};
        self.response.binary && matches!(format.kind, Date | DateTime | Timestamp)
    }

    /// A TIME; the column says how many decimals are shown.
    pub fn time(&mut self, value: Time) -> Result<()> {
        let format = self.next()?;
        if self.response.binary && format.kind == ColumnType::Time {
            value.put_binary(self.buffer().bytes());
        } else {
            self.put_text(format, |out, decimals| value.put_text(out, decimals));
        }
        Ok(())
    }

    /// Writes text behind its length; `put` writes at most 250 bytes, except
    /// for numbers with many decimals.
    fn put_text(&mut self, format: Format, put: impl FnOnce(&mut Vec<u8>, u8)) {
        let out = self.buffer().bytes();
        let start = out.len();
        out.push(0);
        put(out, format.decimals);
        let len = out.len() - start - 1;
        if len <= 0xfa {
            out[start] = len as u8;
        } else {
            let text = out.split_off(start + 1);
            out.truncate(start);
            put_lenenc(out, len as u64);
            out.extend_from_slice(&text);
        }
    }

    /// Ends a row. Sends what waits once it is much.
    pub async fn end_row(&mut self) -> Result<()> {
        if self.finish_row()? { self.flush().await } else { Ok(()) }
    }

    /// As [`end_row`](Self::end_row), but sends nothing: says whether so much waits that
    /// [`flush`](Self::flush) is to be called.
    pub fn finish_row(&mut self) -> Result<bool> {
        self.close_row()?;
        self.count += 1;
        self.response.finish_row()
    }

    /// Sends what waits.
    pub async fn flush(&mut self) -> Result<()> {
        self.response.flush().await
    }

    /// Ends a row and takes it back: it is not sent, but appended to `to`. For rows that
    /// are put in order before they are sent; [`put_row`](Self::put_row) does that.
    pub fn take_row(&mut self, to: &mut Vec<u8>) -> Result<()> {
        self.close_row()?;
        self.response.row_open = false;
        let buffer = self.response.row_buffer();
        to.extend_from_slice(buffer.payload());
        buffer.abandon();
        Ok(())
    }

    /// Writes a row that [`take_row`](Self::take_row) of this result gave; to be ended as
    /// others are.
    pub fn put_row(&mut self, row: &[u8]) -> Result<()> {
        if self.index != 0 {
            return Err(Error::Misuse("a row was not ended"));
        }
        self.response.row_open = true;
        let buffer = self.response.row_buffer();
        buffer.begin();
        buffer.bytes().extend_from_slice(row);
        self.index = self.formats.len();
        Ok(())
    }

    fn close_row(&mut self) -> Result<()> {
        if self.index != self.formats.len() {
            return Err(Error::Misuse("fewer values than columns"));
        }
        self.index = 0;
        Ok(())
    }

    /// Rows written.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Ends the result.
    pub fn end(self, summary: &Summary) -> Result<()> {
        if self.index != 0 {
            return Err(Error::Misuse("a row was not ended"));
        }
        let summary = &*self.response.end_summary(summary);
        let capabilities = self.response.capabilities;
        let at = put_eof(self.response.output(), capabilities, summary);
        self.response.result_ended(at);
        Ok(())
    }
}
