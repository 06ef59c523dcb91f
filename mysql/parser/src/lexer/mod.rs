//! Text to tokens, by MySQL's rules.
//!
//! A token is a kind and the bytes it stands on; its value is made only when
//! the grammar asks for it ([`value`]). What is a keyword, and what ends a name,
//! depends on what came before:
//!
//! * after a dot that touches the next word, that word is a name (`t.select`,
//!   `t.1a`);
//! * after one `@` comes the name of a variable or a host, with dots in it;
//! * after `@@` words are keywords or names, never numbers;
//! * after SELECT, INSERT, REPLACE, UPDATE and DELETE, `/*+ … */` holds hints;
//! * `/*!NNNNN` starts text that is read as if the comment signs were blanks.

mod keywords;
mod number;
pub(crate) mod value;

pub(crate) use keywords::T;
pub use keywords::{is_keyword, keywords};

pub(crate) use keywords::keyword;

use crate::mode::{Options, SqlMode};

/// One token: what it is and where it stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Token {
    pub(crate) kind: T,
    /// The bytes between the quotes are not the value: something is escaped.
    pub(crate) escaped: bool,
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// What the next token may be, because of what came before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Anything,
    /// A dot that belongs to the name before it.
    Dot,
    /// A name, even where a keyword or a number stands.
    Name,
    /// The name of a variable or a host.
    Host,
    /// A keyword or a name, after `@@`.
    SystemVariable,
    /// Perhaps hints.
    Hint,
}

pub(crate) struct Lexer<'s> {
    sql: &'s [u8],
    at: usize,
    mode: SqlMode,
    version: u32,
    next: Next,
    in_version_comment: bool,
}

/// Classes of bytes.
const NAME: u8 = 1;
const DIGIT: u8 = 2;
const BLANK: u8 = 4;
const CLASS: [u8; 256] = {
    let mut class = [0u8; 256];
    let mut i = 0usize;
    while i < 256 {
        let b = i as u8;
        if b.is_ascii_alphanumeric() || b == b'_' || b == b'$' || b >= 0x80 {
            class[i] |= NAME;
        }
        if b.is_ascii_digit() {
            class[i] |= DIGIT;
        }
        if matches!(b, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c) {
            class[i] |= BLANK;
        }
        i += 1;
    }
    class
};

#[inline]
fn is_name(b: u8) -> bool {
    CLASS[b as usize] & NAME != 0
}

#[inline]
fn is_digit(b: u8) -> bool {
    CLASS[b as usize] & DIGIT != 0
}

/// The first of `one` or `other`, eight bytes at a time: strings are long.
#[inline]
fn find(bytes: &[u8], one: u8, other: u8) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    // The lowest byte whose high bit is set was zero.
    let zero = |v: u64| v.wrapping_sub(ONES) & !v & HIGH;
    let mut at = 0;
    while let Some(eight) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let v = u64::from_le_bytes(*eight);
        let hit = zero(v ^ (ONES * u64::from(one))) | zero(v ^ (ONES * u64::from(other)));
        if hit != 0 {
            return Some(at + hit.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    let tail = bytes[at..].iter().position(|&b| b == one || b == other)?;
    Some(at + tail)
}

impl<'s> Lexer<'s> {
    /// A lexer of `sql` from byte `at` on.
    pub(crate) fn new(sql: &'s [u8], at: usize, options: &Options) -> Lexer<'s> {
        debug_assert!(sql.len() < u32::MAX as usize && at <= sql.len());
        Lexer {
            sql,
            at,
            mode: options.mode,
            version: options.version,
            next: Next::Anything,
            in_version_comment: false,
        }
    }

    /// The byte `ahead` of the current one; zero past the end, which no token
    /// starts with or holds.
    #[inline]
    fn peek(&self, ahead: usize) -> u8 {
        self.sql.get(self.at + ahead).copied().unwrap_or(0)
    }

    #[inline]
    fn token(&self, kind: T, start: usize) -> Token {
        Token { kind, escaped: false, start: start as u32, end: self.at as u32 }
    }

    /// Takes `bytes` bytes as a token.
    #[inline]
    fn mark(&mut self, kind: T, bytes: usize) -> Token {
        let start = self.at;
        self.at += bytes;
        self.token(kind, start)
    }

    /// The rest of the text is no token.
    #[cold]
    fn bad(&mut self, start: usize) -> Token {
        self.at = self.sql.len();
        self.token(T::Bad, start)
    }

    /// The next token; [`T::End`] for ever at the end.
    pub(crate) fn next(&mut self) -> Token {
        match std::mem::replace(&mut self.next, Next::Anything) {
            Next::Anything => {}
            Next::Dot => {
                self.next = Next::Name;
                return self.mark(T::Dot, 1);
            }
            Next::Name => return self.name(self.at),
            Next::Host => return self.host(),
            Next::SystemVariable => {
                if is_name(self.peek(0)) {
                    let start = self.at;
                    let end = self.word_end(start);
                    self.at = end;
                    self.after_name();
                    // A function's name is a keyword only before a parenthesis.
                    let kind = keyword(&self.sql[start..end]).filter(|k| !k.is_function());
                    return self.token(kind.unwrap_or(T::Ident), start);
                }
            }
            Next::Hint => {
                if let Some(hint) = self.hint() {
                    return hint;
                }
            }
        }
        if let Err(start) = self.skip_blanks() {
            return self.bad(start);
        }
        if self.at >= self.sql.len() {
            // A version comment has to be closed.
            return if self.in_version_comment {
                self.in_version_comment = false;
                self.token(T::Bad, self.at)
            } else {
                self.token(T::End, self.at)
            };
        }
        let b = self.sql[self.at];
        match b {
            b'0'..=b'9' => self.number_or_name(),
            b'x' | b'X' | b'b' | b'B' | b'n' | b'N' if self.peek(1) == b'\'' => self.prefixed(b),
            _ if is_name(b) => self.word(),
            b'\'' => self.text(T::Text, self.at, b'\''),
            b'"' if !self.mode.has(SqlMode::ANSI_QUOTES) => self.text(T::Text, self.at, b'"'),
            b'"' | b'`' => self.quoted_name(b),
            _ => self.punctuation(b),
        }
    }

    fn punctuation(&mut self, b: u8) -> Token {
        let (kind, bytes) = match (b, self.peek(1)) {
            (b'(', _) => (T::LParen, 1),
            (b')', _) => (T::RParen, 1),
            (b',', _) => (T::Comma, 1),
            (b';', _) => (T::Semicolon, 1),
            (b'=' | b'<' | b'>' | b'!', _) => return self.comparison(b),
            (b'?', _) => (T::Param, 1),
            (b'.', next) => {
                if is_digit(next) {
                    return self.fraction(self.at);
                }
                if is_name(next) {
                    self.next = Next::Name;
                }
                (T::Dot, 1)
            }
            (b'@', b'@') => {
                self.next = Next::SystemVariable;
                (T::AtAt, 2)
            }
            (b'@', next) => {
                if !matches!(next, b'\'' | b'"' | b'`') {
                    self.next = Next::Host;
                }
                (T::At, 1)
            }
            (b'&', b'&') => (T::AndAnd, 2),
            (b'&', _) => (T::Amp, 1),
            (b'|', b'|') => (T::PipePipe, 2),
            (b'|', _) => (T::Pipe, 1),
            (b'-', b'>') if self.peek(2) == b'>' => (T::LongArrow, 3),
            (b'-', b'>') => (T::Arrow, 2),
            (b'-', _) => (T::Minus, 1),
            (b':', b'=') => (T::Assign, 2),
            (b':', _) => (T::Colon, 1),
            (b'+', _) => (T::Plus, 1),
            (b'*', _) => (T::Star, 1),
            (b'/', _) => (T::Slash, 1),
            (b'%', _) => (T::Percent, 1),
            (b'^', _) => (T::Caret, 1),
            (b'~', _) => (T::Tilde, 1),
            (b'{', _) => (T::LBrace, 1),
            (b'}', _) => (T::RBrace, 1),
            _ => return self.bad(self.at),
        };
        self.mark(kind, bytes)
    }

    /// Comparisons, shifts and `!`. MySQL takes all signs of this kind that touch,
    /// two or (after `<`) three, so that `a=!b` is an error and `!!a` one `!`.
    fn comparison(&mut self, first: u8) -> Token {
        let is_sign = |b: u8| matches!(b, b'=' | b'>' | b'!');
        let (second, third) = (self.peek(1), self.peek(2));
        let mut signs = 1;
        if is_sign(second) || second == b'<' {
            signs = if first == b'<' && is_sign(third) { 3 } else { 2 };
        }
        let kind = match &self.sql[self.at..self.at + signs] {
            b"=" => T::Eq,
            b"<=>" => T::NullSafeEq,
            b"<>" | b"!=" => T::Ne,
            b"<" => T::Lt,
            b"<=" => T::Le,
            b">" => T::Gt,
            b">=" => T::Ge,
            b"<<" => T::ShiftLeft,
            b">>" => T::ShiftRight,
            b"!" | b"!!" => T::Bang,
            _ => return self.bad(self.at),
        };
        self.mark(kind, signs)
    }

    /// Blanks and comments, and the signs of version comments. An error is the
    /// start of a comment that nothing ends.
    fn skip_blanks(&mut self) -> Result<(), usize> {
        loop {
            while CLASS[self.peek(0) as usize] & BLANK != 0 {
                self.at += 1;
            }
            match (self.peek(0), self.peek(1)) {
                (b'#', _) => self.skip_line(),
                (b'-', b'-') => {
                    // Two dashes are a comment only before a blank or a control
                    // character: `5--1` is six.
                    let next = self.peek(2);
                    if next > b' ' && next != 0x7f {
                        return Ok(());
                    }
                    self.skip_line();
                }
                (b'/', b'*') if self.peek(2) == b'!' => self.version_comment()?,
                (b'/', b'*') => self.skip_comment(false)?,
                (b'*', b'/') if self.in_version_comment => {
                    self.in_version_comment = false;
                    self.at += 2;
                }
                _ => return Ok(()),
            }
        }
    }

    fn skip_line(&mut self) {
        let rest = &self.sql[self.at..];
        self.at += rest.iter().position(|&b| b == b'\n').map_or(rest.len(), |i| i + 1);
    }

    /// `/*!NNNNN`: five or six digits, or none. What is for a newer server is
    /// skipped, with the comments inside it.
    fn version_comment(&mut self) -> Result<(), usize> {
        let start = self.at;
        let digits = self.sql[start + 3..].iter().take(6).take_while(|b| b.is_ascii_digit());
        let digits = digits.count();
        let mut version = 0;
        let mut length = 3;
        if digits >= 5 {
            length += digits;
            version = self.sql[start + 3..start + length]
                .iter()
                .fold(0u32, |v, b| v * 10 + u32::from(b - b'0'));
        }
        if version <= self.version {
            self.at += length;
            self.in_version_comment = true;
            return Ok(());
        }
        self.skip_comment(true)
    }

    /// Past the end of the comment that starts here.
    fn skip_comment(&mut self, nested: bool) -> Result<(), usize> {
        let start = self.at;
        let mut depth = 1;
        self.at += 2;
        while self.at < self.sql.len() {
            match (self.peek(0), self.peek(1)) {
                (b'*', b'/') => {
                    self.at += 2;
                    depth -= 1;
                    if depth == 0 {
                        return Ok(());
                    }
                }
                (b'/', b'*') if nested && depth == 1 => {
                    self.at += 2;
                    depth += 1;
                }
                _ => self.at += 1,
            }
        }
        Err(start)
    }

    fn hint(&mut self) -> Option<Token> {
        let mut at = self.at;
        while self.sql.get(at).is_some_and(|&b| CLASS[b as usize] & BLANK != 0) {
            at += 1;
        }
        if !self.sql[at..].starts_with(b"/*+") {
            return None;
        }
        let body = &self.sql[at + 3..];
        let length = body.windows(2).position(|two| two == b"*/")?;
        self.at = at + 3 + length + 2;
        Some(self.token(T::Hint, at))
    }

    #[inline]
    fn word_end(&self, from: usize) -> usize {
        let rest = &self.sql[from..];
        from + rest.iter().position(|&b| !is_name(b)).unwrap_or(rest.len())
    }

    /// Whether the dot that follows belongs to the name that ends here.
    #[inline]
    fn after_name(&mut self) -> bool {
        let dotted = self.peek(0) == b'.' && is_name(self.peek(1));
        if dotted {
            self.next = Next::Dot;
        }
        dotted
    }

    /// A word that is a name whatever it says. It may be empty.
    fn name(&mut self, start: usize) -> Token {
        self.at = self.word_end(self.at);
        self.after_name();
        self.token(T::Ident, start)
    }

    fn word(&mut self) -> Token {
        let start = self.at;
        let end = self.word_end(start);
        let word = &self.sql[start..end];
        // `$tag$` begins a string that only bodies in other languages may have.
        if word[0] == b'$' && word[1..].contains(&b'$') {
            return self.bad(start);
        }
        self.at = end;
        if self.after_name() {
            return self.token(T::Ident, start);
        }
        let Some(kind) = keyword(word) else {
            let kind = if word[0] == b'_' && value::is_charset(&word[1..]) {
                T::Introducer
            } else {
                T::Ident
            };
            return self.token(kind, start);
        };
        if kind.is_function() && !self.parenthesis_follows() {
            return self.token(T::Ident, start);
        }
        if matches!(kind, T::SELECT | T::INSERT | T::REPLACE | T::UPDATE | T::DELETE) {
            self.next = Next::Hint;
        }
        self.token(kind, start)
    }

    fn parenthesis_follows(&self) -> bool {
        let rest = &self.sql[self.at..];
        if self.mode.has(SqlMode::IGNORE_SPACE) {
            rest.iter().find(|&&b| CLASS[b as usize] & BLANK == 0) == Some(&b'(')
        } else {
            rest.first() == Some(&b'(')
        }
    }

    fn host(&mut self) -> Token {
        let start = self.at;
        let rest = &self.sql[start..];
        self.at += rest.iter().position(|&b| !is_name(b) && b != b'.').unwrap_or(rest.len());
        self.token(T::Host, start)
    }

    /// A string from the quote at the current byte to the same quote.
    fn text(&mut self, kind: T, start: usize, quote: u8) -> Token {
        let backslash = !self.mode.has(SqlMode::NO_BACKSLASH_ESCAPES);
        let mut escaped = false;
        let mut at = self.at + 1;
        let other = if backslash { b'\\' } else { quote };
        while let Some(found) = find(&self.sql[at.min(self.sql.len())..], quote, other) {
            at += found;
            if self.sql[at] == quote && self.sql.get(at + 1) != Some(&quote) {
                self.at = at + 1;
                return Token { escaped, ..self.token(kind, start) };
            }
            // A doubled quote, or a backslash and what follows it.
            escaped = true;
            at += 2;
        }
        self.bad(start)
    }

    fn quoted_name(&mut self, quote: u8) -> Token {
        let start = self.at;
        let mut escaped = false;
        let mut at = start + 1;
        while let Some(&b) = self.sql.get(at) {
            if b != quote {
                at += 1;
                continue;
            }
            if self.sql.get(at + 1) == Some(&quote) {
                escaped = true;
                at += 2;
                continue;
            }
            self.at = at + 1;
            return Token { escaped, ..self.token(T::Quoted, start) };
        }
        self.bad(start)
    }

    /// `x'…'`, `b'…'`, `n'…'`.
    fn prefixed(&mut self, prefix: u8) -> Token {
        let start = self.at;
        self.at += 1;
        if prefix.eq_ignore_ascii_case(&b'n') {
            return self.text(T::NText, start, b'\'');
        }
        let hex = prefix.eq_ignore_ascii_case(&b'x');
        let digits = &self.sql[self.at + 1..];
        let end = digits
            .iter()
            .position(|b| if hex { !b.is_ascii_hexdigit() } else { !matches!(b, b'0' | b'1') });
        match end {
            Some(end) if digits[end] == b'\'' && !(hex && end % 2 == 1) => {
                self.at += end + 2;
                self.token(if hex { T::Hex } else { T::Bits }, start)
            }
            _ => self.bad(start),
        }
    }
}

#[cfg(test)]
mod tests;
