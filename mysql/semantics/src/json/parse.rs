//! Texts as documents.

use super::build::{Builder, JsonBuf};
use super::error::JsonError;

/// The document that a text is.
///
/// # Errors
/// [`JsonError::Text`] with MySQL's reason and position if it is none, and
/// [`JsonError::TooDeep`].
pub fn parse(text: &str) -> Result<JsonBuf, JsonError> {
    let mut builder = Builder::with_capacity(text.len() + text.len() / 4 + 16);
    parse_into(text, &mut builder)?;
    builder.finish()
}

/// [`parse`] without making the document.
///
/// # Errors
/// As [`parse`].
pub fn check_text(text: &str) -> Result<(), JsonError> {
    Parser::new(text).document(&mut Check { depth: 0 })
}

/// [`parse`] as a part of what is being built.
pub(super) fn parse_into(text: &str, builder: &mut Builder) -> Result<(), JsonError> {
    Parser::new(text).document(builder)
}

/// Takes what a parser meets.
trait Sink {
    fn begin(&mut self, is_object: bool) -> Result<(), JsonError>;
    fn end(&mut self) -> Result<(), JsonError>;
    fn name(&mut self, name: &str);
    fn string(&mut self, text: &str);
    fn null(&mut self);
    fn bool(&mut self, value: bool);
    fn int(&mut self, value: i64);
    fn uint(&mut self, value: u64);
    fn double(&mut self, value: f64) -> Result<(), JsonError>;
}

impl Sink for Builder {
    fn begin(&mut self, is_object: bool) -> Result<(), JsonError> {
        if is_object { self.begin_object() } else { self.begin_array() }
    }
    fn end(&mut self) -> Result<(), JsonError> {
        Builder::end(self)
    }
    fn name(&mut self, name: &str) {
        Builder::name(self, name);
    }
    fn string(&mut self, text: &str) {
        Builder::string(self, text);
    }
    fn null(&mut self) {
        Builder::null(self);
    }
    fn bool(&mut self, value: bool) {
        Builder::bool(self, value);
    }
    fn int(&mut self, value: i64) {
        Builder::int(self, value);
    }
    fn uint(&mut self, value: u64) {
        Builder::uint(self, value);
    }
    fn double(&mut self, value: f64) -> Result<(), JsonError> {
        Builder::double(self, value)
    }
}

/// Counts levels only.
struct Check {
    depth: u8,
}

impl Sink for Check {
    fn begin(&mut self, _: bool) -> Result<(), JsonError> {
        if self.depth >= super::MAX_DEPTH {
            return Err(JsonError::TooDeep);
        }
        self.depth += 1;
        Ok(())
    }
    fn end(&mut self) -> Result<(), JsonError> {
        self.depth -= 1;
        Ok(())
    }
    fn name(&mut self, _: &str) {}
    fn string(&mut self, _: &str) {}
    fn null(&mut self) {}
    fn bool(&mut self, _: bool) {}
    fn int(&mut self, _: i64) {}
    fn uint(&mut self, _: u64) {}
    fn double(&mut self, _: f64) -> Result<(), JsonError> {
        Ok(())
    }
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    /// A string with its escapes resolved.
    buffer: String,
}

impl<'t> Parser<'t> {
    fn new(text: &'t str) -> Self {
        Self { text, at: 0, buffer: String::new() }
    }

    /// The next byte; 0 at the end, which a zero byte in the text therefore is too.
    fn peek(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    fn consume(&mut self, byte: u8) -> bool {
        let there = self.peek() == byte;
        self.at += usize::from(there);
        there
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
        }
    }

    fn fail<T>(&self, reason: &'static str) -> Result<T, JsonError> {
        fail_at(reason, self.at)
    }

    fn document(&mut self, sink: &mut impl Sink) -> Result<(), JsonError> {
        self.skip_space();
        if self.peek() == 0 {
            return self.fail("The document is empty.");
        }
        self.value(sink)?;
        self.skip_space();
        if self.peek() != 0 {
            return self.fail("The document root must not be followed by other values.");
        }
        Ok(())
    }

    /// The sink bounds how deep this nests.
    fn value(&mut self, sink: &mut impl Sink) -> Result<(), JsonError> {
        match self.peek() {
            b'{' => self.object(sink),
            b'[' => self.array(sink),
            b'"' => {
                let text = self.string()?;
                sink.string(text);
                Ok(())
            }
            b'n' => self.word(b"null").map(|()| sink.null()),
            b't' => self.word(b"true").map(|()| sink.bool(true)),
            b'f' => self.word(b"false").map(|()| sink.bool(false)),
            _ => self.number(sink),
        }
    }

    fn object(&mut self, sink: &mut impl Sink) -> Result<(), JsonError> {
        self.at += 1;
        sink.begin(true)?;
        self.skip_space();
        if self.consume(b'}') {
            return sink.end();
        }
        loop {
            if self.peek() != b'"' {
                return self.fail("Missing a name for object member.");
            }
            let name = self.string()?;
            sink.name(name);
            self.skip_space();
            if !self.consume(b':') {
                return self.fail("Missing a colon after a name of object member.");
            }
            self.skip_space();
            self.value(sink)?;
            self.skip_space();
            if self.consume(b'}') {
                return sink.end();
            }
            if !self.consume(b',') {
                return self.fail("Missing a comma or '}' after an object member.");
            }
            self.skip_space();
        }
    }

    fn array(&mut self, sink: &mut impl Sink) -> Result<(), JsonError> {
        self.at += 1;
        sink.begin(false)?;
        self.skip_space();
        if self.consume(b']') {
            return sink.end();
        }
        loop {
            self.value(sink)?;
            self.skip_space();
            if self.consume(b']') {
                return sink.end();
            }
            if !self.consume(b',') {
                return self.fail("Missing a comma or ']' after an array element.");
            }
            self.skip_space();
        }
    }

    fn word(&mut self, word: &[u8]) -> Result<(), JsonError> {
        for &byte in word {
            if !self.consume(byte) {
                return self.fail("Invalid value.");
            }
        }
        Ok(())
    }

    /// A string with its quotes: the content, borrowed from the text where it has no
    /// escapes.
    fn string(&mut self) -> Result<&str, JsonError> {
        self.at += 1;
        let text: &'t str = self.text;
        let all = text.as_bytes();
        let mut start = self.at;
        let mut escaped = false;
        loop {
            // Quotes, backslashes and control characters stop the scan; they are
            // never inside another character of UTF-8.
            let rest = all.get(self.at..).unwrap_or_default();
            let plain = rest.iter().take_while(|&&b| b >= 0x20 && b != b'"' && b != b'\\').count();
            self.at += plain;
            match self.peek() {
                b'"' => {
                    let tail = &text[start..self.at];
                    self.at += 1;
                    if !escaped {
                        return Ok(tail);
                    }
                    self.buffer.push_str(tail);
                    return Ok(&self.buffer);
                }
                b'\\' => {
                    if !escaped {
                        self.buffer.clear();
                        escaped = true;
                    }
                    self.buffer.push_str(&text[start..self.at]);
                    self.escape()?;
                    start = self.at;
                }
                0 => return self.fail("Missing a closing quotation mark in string."),
                _ => return self.fail("Invalid encoding in string."),
            }
        }
    }

    fn escape(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        self.at += 1;
        let plain = match self.peek() {
            byte @ (b'"' | b'\\' | b'/') => byte as char,
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                self.at += 1;
                let surrogate = "The surrogate pair in string is invalid.";
                let first = self.hex4(start)?;
                let point = if (0xd800..0xdc00).contains(&first) {
                    if !self.consume(b'\\') || !self.consume(b'u') {
                        return fail_at(surrogate, start);
                    }
                    let second = self.hex4(start)?;
                    if !(0xdc00..0xe000).contains(&second) {
                        return fail_at(surrogate, start);
                    }
                    0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)
                } else {
                    first
                };
                match char::from_u32(point) {
                    Some(char) => self.buffer.push(char),
                    None => return fail_at(surrogate, start),
                }
                return Ok(());
            }
            _ => return fail_at("Invalid escape character in string.", start),
        };
        self.at += 1;
        self.buffer.push(plain);
        Ok(())
    }

    fn hex4(&mut self, escape: usize) -> Result<u32, JsonError> {
        let mut value = 0;
        for _ in 0..4 {
            let Some(digit) = (self.peek() as char).to_digit(16) else {
                return fail_at("Incorrect hex digit after \\u escape in string.", escape);
            };
            value = value << 4 | digit;
            self.at += 1;
        }
        Ok(value)
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.peek().is_ascii_digit() {
            self.at += 1;
        }
        self.at - start
    }

    fn number(&mut self, sink: &mut impl Sink) -> Result<(), JsonError> {
        let start = self.at;
        let negative = self.consume(b'-');
        if !self.consume(b'0') && self.digits() == 0 {
            return self.fail("Invalid value.");
        }
        let mut whole = true;
        if self.consume(b'.') {
            whole = false;
            if self.digits() == 0 {
                return self.fail("Miss fraction part in number.");
            }
        }
        if self.consume(b'e') || self.consume(b'E') {
            whole = false;
            if !self.consume(b'+') {
                self.consume(b'-');
            }
            if self.digits() == 0 {
                return self.fail("Miss exponent in number.");
            }
        }
        let text = &self.text[start..self.at];
        if whole {
            if negative {
                if let Ok(value) = text.parse::<i64>() {
                    sink.int(value);
                    return Ok(());
                }
            } else if let Ok(value) = text.parse::<u64>() {
                // The server's reader takes what has no sign as unsigned from 33 bits on.
                match u32::try_from(value) {
                    Ok(value) => sink.int(value.into()),
                    Err(_) => sink.uint(value),
                }
                return Ok(());
            }
        }
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => sink.double(value),
            _ => fail_at("Number too big to be stored in double.", start),
        }
    }
}

fn fail_at<T>(reason: &'static str, position: usize) -> Result<T, JsonError> {
    Err(JsonError::Text { reason, position })
}
