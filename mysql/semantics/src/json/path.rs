//! Path expressions: `$.a[1]`, `$[last-1]`, `$[1 to 3]`, `$**."a b"`.

use std::fmt;

use super::error::JsonError;
use super::print::quote_to;

/// A path expression.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Path {
    legs: Vec<Leg>,
}

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Leg {
    /// `.name`
    Member(String),
    /// `.*`
    AnyMember,
    /// `[n]`
    Cell(Index),
    /// `[*]`
    AnyCell,
    /// `[m to n]`
    Range(Index, Index),
    /// `**`: the value and all that is in it.
    Ellipsis,
}

/// A cell of an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Index {
    /// The number, from 0.
    pub number: u32,
    /// Whether it counts back from the last cell, which is 0.
    pub from_end: bool,
}

impl Index {
    /// The position in an array of `len` cells, and whether there is such a cell. A
    /// position that is none is the nearest end.
    pub(super) fn within(self, len: usize) -> (usize, bool) {
        let number = self.number as usize;
        let inside = number < len;
        let position = match (self.from_end, inside) {
            (true, true) => len - 1 - number,
            (true, false) => 0,
            (false, _) => number.min(len),
        };
        (position, inside)
    }
}

impl Leg {
    /// The cells of an array of `len` that a leg means; empty for legs of other kinds.
    pub(super) fn cells(&self, len: usize) -> std::ops::Range<usize> {
        match self {
            Self::Cell(index) => match index.within(len) {
                (position, true) => position..position + 1,
                _ => 0..0,
            },
            Self::AnyCell => 0..len,
            Self::Range(first, last) => {
                let (begin, _) = first.within(len);
                let (end, inside) = last.within(len);
                begin..(end + usize::from(inside)).max(begin)
            }
            Self::Member(_) | Self::AnyMember | Self::Ellipsis => 0..0,
        }
    }

    /// Whether the leg means a value that is no array, as if it were alone in one.
    pub(super) fn wraps(&self) -> bool {
        matches!(self, Self::Cell(_) | Self::Range(..)) && !self.cells(1).is_empty()
    }

    fn matches_many(&self) -> bool {
        !matches!(self, Self::Member(_) | Self::Cell(_))
    }
}

impl Path {
    /// Reads a path expression.
    ///
    /// # Errors
    /// [`JsonError::Path`] with the place.
    pub fn parse(text: &str) -> Result<Self, JsonError> {
        let mut parser = Parser { text, at: 0 };
        match parser.path() {
            Some(legs) => Ok(Self { legs }),
            None => Err(JsonError::Path { position: parser.at.min(text.len()) }),
        }
    }

    /// The legs after `$`.
    pub fn legs(&self) -> &[Leg] {
        &self.legs
    }

    /// Whether more than one value can match.
    pub fn matches_many(&self) -> bool {
        self.legs.iter().any(Leg::matches_many)
    }

    pub(super) fn has_ellipsis(&self) -> bool {
        self.legs.contains(&Leg::Ellipsis)
    }

    /// The path itself, if at most one value can match.
    ///
    /// # Errors
    /// [`JsonError::PathWildcard`] otherwise.
    pub fn single(self) -> Result<Self, JsonError> {
        if self.matches_many() { Err(JsonError::PathWildcard) } else { Ok(self) }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::from("$");
        for leg in &self.legs {
            match leg {
                Leg::Member(name) => print_member(name, &mut text),
                Leg::AnyMember => text.push_str(".*"),
                Leg::Cell(index) => text.push_str(&format!("[{index}]")),
                Leg::AnyCell => text.push_str("[*]"),
                Leg::Range(first, last) => text.push_str(&format!("[{first} to {last}]")),
                Leg::Ellipsis => text.push_str("**"),
            }
        }
        f.write_str(&text)
    }
}

impl fmt::Display for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.from_end, self.number) {
            (false, number) => write!(f, "{number}"),
            (true, 0) => f.write_str("last"),
            (true, number) => write!(f, "last-{number}"),
        }
    }
}

/// Appends `.name`, in quotes if it needs them.
pub(super) fn print_member(name: &str, to: &mut String) {
    to.push('.');
    if is_identifier(name) { to.push_str(name) } else { quote_to(name, to) }
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(is_space) {
            self.at += 1;
        }
    }

    /// Another byte counts as read, for the place of the error.
    fn expect(&mut self, byte: u8) -> Option<()> {
        let next = self.peek()?;
        self.at += 1;
        (next == byte).then_some(())
    }

    fn path(&mut self) -> Option<Vec<Leg>> {
        self.skip_space();
        self.expect(b'$')?;
        let mut legs = Vec::new();
        loop {
            self.skip_space();
            let leg = match self.peek() {
                None => break,
                Some(b'[') => self.cell()?,
                Some(b'.') => self.member()?,
                Some(b'*') => self.ellipsis()?,
                Some(_) => return None,
            };
            legs.push(leg);
        }
        // What it would mean is all that there is.
        if legs.last() == Some(&Leg::Ellipsis) { None } else { Some(legs) }
    }

    fn ellipsis(&mut self) -> Option<Leg> {
        self.at += 1;
        self.expect(b'*')?;
        if self.peek() == Some(b'*') { None } else { Some(Leg::Ellipsis) }
    }

    fn cell(&mut self) -> Option<Leg> {
        self.at += 1;
        self.skip_space();
        let leg = if self.peek()? == b'*' {
            self.at += 1;
            Leg::AnyCell
        } else {
            let first = self.index()?;
            self.skip_space();
            self.peek()?;
            let bytes = self.text.as_bytes();
            let space_at = |at: usize| bytes.get(at).copied().is_some_and(is_space);
            let range = self.rest().len() > 3
                && self.rest().starts_with("to")
                && space_at(self.at.wrapping_sub(1))
                && space_at(self.at + 2);
            if range {
                self.at += 2;
                self.skip_space();
                let last = self.index()?;
                let empty = first.from_end == last.from_end
                    && if first.from_end {
                        first.number < last.number
                    } else {
                        last.number < first.number
                    };
                if empty {
                    return None;
                }
                Leg::Range(first, last)
            } else {
                Leg::Cell(first)
            }
        };
        self.skip_space();
        self.expect(b']')?;
        Some(leg)
    }

    fn index(&mut self) -> Option<Index> {
        let from_end = self.rest().starts_with("last");
        if from_end {
            self.at += 4;
            let back = self.at;
            self.skip_space();
            if self.peek() != Some(b'-') {
                self.at = back;
                return Some(Index { number: 0, from_end });
            }
            self.at += 1;
            self.skip_space();
        }
        let digits = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        let number = self.rest()[..digits].parse().ok()?;
        self.at += digits;
        Some(Index { number, from_end })
    }

    fn member(&mut self) -> Option<Leg> {
        self.at += 1;
        self.skip_space();
        if self.peek()? == b'*' {
            self.at += 1;
            return Some(Leg::AnyMember);
        }
        let start = self.at;
        let quoted = self.peek() == Some(b'"');
        self.skip_name(quoted);
        let name = &self.text[start..self.at];
        // Escapes mean what they mean in a document, in bare names too.
        let json = if quoted { name.to_owned() } else { format!("\"{name}\"") };
        let parsed = super::parse::parse(&json).ok()?;
        let name = parsed.root().ok()?.as_str().ok()??.to_owned();
        if quoted || is_identifier(&name) { Some(Leg::Member(name)) } else { None }
    }

    /// To the end of a name, quoted or bare.
    fn skip_name(&mut self, quoted: bool) {
        if !quoted {
            while self.peek().is_some_and(|b| !is_space(b) && !matches!(b, b'.' | b'[' | b'*')) {
                self.at += 1;
            }
            return;
        }
        self.at += 1;
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'"' => return,
                // Not into the middle of another character.
                b'\\' if self.peek().is_some_and(|b| b.is_ascii()) => self.at += 1,
                _ => {}
            }
        }
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Whether a name needs no quotes in a path: an identifier of ECMAScript, as the server
/// sees one. It tells letters and digits by the lowest byte of a character alone, so of
/// other scripts some letters are taken and some signs too.
pub(super) fn is_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(starts_identifier)
        && chars.all(|c| starts_identifier(c) || continues_identifier(c))
}

fn starts_identifier(char: char) -> bool {
    let low = char as u32 as u8;
    let is_letter = matches!(low, b'A'..=b'Z' | b'a'..=b'z' | 0x80..=0xfe);
    char == '$' || char == '_' || (is_letter && !is_combining(char))
}

fn continues_identifier(char: char) -> bool {
    let low = char as u32 as u8;
    let joins = matches!(char, '\u{200c}' | '\u{200d}' | '\u{203f}' | '\u{2040}' | '\u{ff3f}');
    low.is_ascii_digit() || joins || is_combining(char)
}

/// Of the marks that combine, the server knows these.
fn is_combining(char: char) -> bool {
    matches!(char, '\u{300}'..='\u{36f}')
}
