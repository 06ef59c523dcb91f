//! FIELDS and LINES of LOAD DATA: records out of a stream of bytes.
//!
//! Byte by byte as MySQL does it: a field that begins with the enclosing character ends
//! only where that character stands before a separator; a backslash (or what ESCAPED BY
//! says) takes the next character out of its meaning.

use firn_mysql_parser::ast::FileFormat;

/// What separates and encloses fields and lines.
#[derive(Debug, Clone)]
pub(crate) struct Format {
    field: Vec<u8>,
    line: Vec<u8>,
    start: Vec<u8>,
    enclosed: Option<u8>,
    escape: Option<u8>,
}

/// The separators make no sense: 1083.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WrongSeparators;

/// One field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    /// Its text, without escapes and enclosing characters.
    pub(crate) text: Vec<u8>,
    /// `\N`, or `NULL` where fields may be enclosed and this one is not.
    pub(crate) null: bool,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    /// Its fields, as many as were wanted or as there are.
    pub(crate) fields: Vec<Field>,
    /// There was more behind them.
    pub(crate) longer: bool,
}

/// What is there does not suffice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct More;

impl Format {
    /// With MySQL's defaults for what is not said; `backslash` if that escapes then.
    ///
    /// # Errors
    /// For enclosing and escape characters that are more than one.
    pub(crate) fn new(given: &FileFormat, backslash: bool) -> Result<Self, WrongSeparators> {
        let one = |given: Option<&[u8]>| match given {
            None | Some([]) => Ok(None),
            Some([one]) => Ok(Some(*one)),
            Some(_) => Err(WrongSeparators),
        };
        let text = |given: Option<&[u8]>, default: &[u8]| given.unwrap_or(default).to_vec();
        let escape = match given.escaped.as_deref() {
            None => backslash.then_some(b'\\'),
            given => one(given)?,
        };
        let field = text(given.fields_terminated.as_deref(), b"\t");
        let mut line = text(given.lines_terminated.as_deref(), b"\n");
        // The same text cannot end both.
        if field == line {
            line.clear();
        }
        Ok(Self {
            field,
            line,
            start: text(given.lines_starting.as_deref(), b""),
            enclosed: one(given.enclosed.as_deref())?,
            escape,
        })
    }

    /// Fields of fixed lengths: neither separated nor enclosed.
    pub(crate) fn is_fixed(&self) -> bool {
        self.field.is_empty() && self.enclosed.is_none()
    }
}

/// Bytes of a file, as far as they were read, and the place within.
#[derive(Debug)]
pub(crate) struct Records<'f> {
    format: &'f Format,
    bytes: Vec<u8>,
    /// Nothing comes behind `bytes`.
    complete: bool,
    at: Place,
}

/// Where reading stands: taken back when a record is not there as a whole yet.
#[derive(Debug, Clone, Copy)]
struct Place {
    position: usize,
    before_start: bool,
    end_of_line: bool,
    end: bool,
}

impl<'f> Records<'f> {
    /// Nothing yet.
    pub(crate) fn new(format: &'f Format) -> Self {
        let before_start = !format.start.is_empty();
        let at = Place { position: 0, before_start, end_of_line: false, end: false };
        Self { format, bytes: Vec::new(), complete: false, at }
    }

    /// Adds what was read.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        if self.at.position > 0 {
            self.bytes.drain(..self.at.position);
            self.at.position = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// Bytes that were not used yet.
    pub(crate) fn waiting(&self) -> usize {
        self.bytes.len() - self.at.position
    }

    /// The file ends here.
    pub(crate) fn complete(&mut self) {
        self.complete = true;
    }

    /// Passes over a line.
    ///
    /// # Errors
    /// [`More`]: add what comes next, and ask again.
    pub(crate) fn skip_line(&mut self) -> Result<(), More> {
        let before = self.at;
        let skipped = self.end_line();
        if skipped.is_err() {
            self.at = before;
        }
        skipped.map(drop)
    }

    /// The next record, with at most `wanted` fields; `None` at the end.
    ///
    /// # Errors
    /// [`More`]: add what comes next, and ask again.
    pub(crate) fn next(&mut self, wanted: usize) -> Result<Option<Record>, More> {
        let before = self.at;
        let record = self.record(wanted);
        if record.is_err() {
            self.at = before;
        }
        record
    }

    fn record(&mut self, wanted: usize) -> Result<Option<Record>, More> {
        if self.at.end {
            return Ok(None);
        }
        let mut fields = Vec::with_capacity(wanted);
        while fields.len() < wanted {
            let Some(field) = self.field()? else { break };
            fields.push(field);
        }
        if fields.is_empty() {
            return Ok(None);
        }
        let longer = self.end_line()?;
        Ok(Some(Record { fields, longer }))
    }

    /// The next byte; `None` at the end of the file.
    fn get(&mut self) -> Result<Option<u8>, More> {
        match self.bytes.get(self.at.position) {
            Some(byte) => {
                self.at.position += 1;
                Ok(Some(*byte))
            }
            None if self.complete => Ok(None),
            None => Err(More),
        }
    }

    /// Whether `text`, whose first byte was just read, stands here; then it is read.
    fn rest_of(&mut self, text: &[u8]) -> Result<bool, More> {
        let rest = &text[1..];
        let there = &self.bytes[self.at.position..];
        if there.len() < rest.len() && !self.complete && rest.starts_with(there) {
            return Err(More);
        }
        let found = there.starts_with(rest);
        if found {
            self.at.position += rest.len();
        }
        Ok(found)
    }

    /// Passes over what stands before LINES STARTING BY, and over that; `false` at the end.
    fn find_start(&mut self) -> Result<bool, More> {
        let format = self.format;
        loop {
            let Some(byte) = self.get()? else {
                self.at.end_of_line = true;
                self.at.end = true;
                return Ok(false);
            };
            if byte == format.start[0] && self.rest_of(&format.start)? {
                return Ok(true);
            }
        }
    }

    /// The next field of the line; `None` if there is none.
    fn field(&mut self) -> Result<Option<Field>, More> {
        let format = self.format;
        if self.at.end_of_line || self.at.end {
            return Ok(None);
        }
        if std::mem::take(&mut self.at.before_start) && !self.find_start()? {
            return Ok(None);
        }
        let Some(first) = self.get()? else {
            self.at.end_of_line = true;
            self.at.end = true;
            return Ok(None);
        };
        let enclosed = format.enclosed == Some(first);
        if !enclosed {
            self.at.position -= 1;
        }
        let quote = if enclosed { Some(first) } else { None };
        let (mut text, mut escaped_n) = (Vec::new(), false);
        let is_first = |separator: &[u8], byte: u8| separator.first() == Some(&byte);
        let closed = loop {
            let Some(byte) = self.get()? else { break None };
            if format.escape == Some(byte) {
                let Some(next) = self.get()? else {
                    text.push(byte);
                    break None;
                };
                // An escape character that also encloses escapes itself only.
                if format.escape != format.enclosed || next == byte {
                    escaped_n |= next == b'N' && text.is_empty();
                    text.push(unescape(next));
                    continue;
                }
                self.at.position -= 1;
            }
            if quote.is_none() && is_first(&format.line, byte) && self.rest_of(&format.line)? {
                self.at.end_of_line = true;
                break Some(false);
            }
            if quote == Some(byte) {
                let next = self.get()?;
                if next == quote {
                    text.push(byte);
                    continue;
                }
                let Some(next) = next else {
                    self.at.end_of_line = true;
                    break Some(true);
                };
                if is_first(&format.line, next) && self.rest_of(&format.line)? {
                    self.at.end_of_line = true;
                    break Some(true);
                }
                if is_first(&format.field, next) && self.rest_of(&format.field)? {
                    break Some(true);
                }
                self.at.position -= 1;
            } else if quote.is_none()
                && is_first(&format.field, byte)
                && self.rest_of(&format.field)?
            {
                break Some(false);
            }
            text.push(byte);
        };
        let was_enclosed = match closed {
            Some(was_enclosed) => was_enclosed,
            None => {
                self.at.end_of_line = true;
                self.at.end = true;
                // What was never closed was not enclosed.
                if let Some(quote) = quote {
                    text.insert(0, quote);
                }
                false
            }
        };
        let null = (escaped_n && text == b"N")
            || (!was_enclosed && format.enclosed.is_some() && text == b"NULL");
        Ok(Some(Field { text, null }))
    }

    /// Goes to the next line; whether anything of this one was left.
    fn end_line(&mut self) -> Result<bool, More> {
        let format = self.format;
        self.at.before_start = !format.start.is_empty();
        if self.at.end_of_line || self.at.end {
            self.at.end_of_line = false;
            return Ok(false);
        }
        if format.line.is_empty() {
            return Ok(false);
        }
        let mut longer = false;
        loop {
            let Some(byte) = self.get()? else {
                self.at.end = true;
                return Ok(longer);
            };
            if format.escape == Some(byte) {
                longer = true;
                if self.get()?.is_none() {
                    self.at.end = true;
                    return Ok(longer);
                }
                continue;
            }
            if byte == format.line[0] && self.rest_of(&format.line)? {
                return Ok(longer);
            }
            longer = true;
        }
    }
}

fn unescape(byte: u8) -> u8 {
    match byte {
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'b' => 8,
        b'0' => 0,
        b'Z' => 26,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(field: &str, enclosed: &str, escaped: &str, start: &str, line: &str) -> Format {
        let bytes = |text: &str| Some(text.as_bytes().into());
        let given = FileFormat {
            fields_terminated: bytes(field),
            enclosed: bytes(enclosed),
            optionally_enclosed: false,
            escaped: bytes(escaped),
            lines_starting: bytes(start),
            lines_terminated: bytes(line),
        };
        Format::new(&given, true).unwrap()
    }

    fn show(record: &Record) -> String {
        let field = |field: &Field| match field.null {
            true => "~".to_owned(),
            false => String::from_utf8_lossy(&field.text).into_owned(),
        };
        let fields: Vec<String> = record.fields.iter().map(field).collect();
        format!("{}{}", fields.join("|"), if record.longer { "+" } else { "" })
    }

    /// The records, with the file given in parts of every length.
    fn read(format: &Format, file: &[u8], wanted: usize) -> Vec<String> {
        let mut all: Option<Vec<String>> = None;
        for part in 1..=file.len().max(1) {
            let mut records = Records::new(format);
            let mut parts = file.chunks(part);
            let mut seen = Vec::new();
            loop {
                match records.next(wanted) {
                    Ok(Some(record)) => seen.push(show(&record)),
                    Ok(None) => break,
                    Err(More) => match parts.next() {
                        Some(part) => records.push(part),
                        None => records.complete(),
                    },
                }
            }
            let first = all.get_or_insert_with(|| seen.clone());
            assert_eq!(*first, seen, "in parts of {part}");
        }
        all.unwrap_or_default()
    }

    #[test]
    fn fields_between_tabs() {
        let usual = format("\t", "", "\\", "", "\n");
        assert_eq!(read(&usual, b"1\ta\n2\t\\N\n\\N\tb\\tc", 2), ["1|a", "2|~", "~|b\tc"]);
        assert_eq!(read(&usual, b"1\n2\tb\tc\n\n", 2), ["1", "2|b+", ""]);
        assert_eq!(read(&usual, b"", 2), Vec::<String>::new());
    }

    #[test]
    fn fields_in_quotes() {
        let quoted = format(",", "\"", "\\", "", "\r\n");
        let file = b"1,\"a,b\"\r\n2,\"say \"\"hi\"\"\"\r\n3,NULL\r\n4,\"NULL\"\r\n5,\"a\r\nb\"\r\n";
        let expected = ["1|a,b", "2|say \"hi\"", "3|~", "4|NULL", "5|a\r\nb"];
        assert_eq!(read(&quoted, file, 2), expected);
        assert_eq!(read(&quoted, b"1,\"a\"b\",c", 3), ["1|a\"b|c"]);
    }

    #[test]
    fn lines_that_start_with_something() {
        let starting = format(",", "", "\\", "xxx", "\n");
        let file = b"xxxabc,1\nsomething xxxdef,2\nghi,3\n";
        assert_eq!(read(&starting, file, 2), ["abc|1", "def|2"]);
    }

    #[test]
    fn one_text_for_fields_and_lines() {
        let same = format(";", "", "\\", "", ";");
        assert_eq!(read(&same, b"1;2;3;4", 2), ["1|2", "3|4"]);
    }

    #[test]
    fn without_an_escape_character() {
        let plain = format(",", "'", "", "", "\n");
        assert_eq!(read(&plain, b"a\\n,'b\\'\n", 2), ["a\\n|b\\"]);
    }

    #[test]
    fn an_escape_character_that_encloses() {
        let same = format(",", "\"", "\"", "", "\n");
        assert_eq!(read(&same, b"\"a\"\"b\",\"c\"\n", 2), ["a\"b|c"]);
    }
}
