//! What stands between the parentheses of a hint.

use std::fmt;

/// A value for a variable.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// Digits, and K, M, G, T, P or E behind them.
    Number(String),
    Text(String),
    Word(String),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(value) | Self::Word(value) => f.write_str(value),
            Self::Text(value) => write!(f, "'{value}'"),
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Number(String),
    Text(String),
    Mark(char),
}

/// A place in the statement's text where a body cannot be read.
type Result<T> = std::result::Result<T, usize>;

/// A body that is being read.
pub(super) struct Body {
    tokens: Vec<(usize, Token)>,
    at: usize,
    /// Where it ends.
    behind: usize,
}

impl Body {
    /// Reads `text`, which stands at a place of the statement's.
    pub(super) fn new(text: &str, place: usize) -> Result<Self> {
        let mut tokens = Vec::new();
        let mut from = 0;
        while let Some(first) = text[from..].chars().next() {
            let rest = &text[from..];
            let end_of =
                |is_in: &dyn Fn(char) -> bool| rest.find(|c| !is_in(c)).unwrap_or(rest.len());
            let in_word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
            let (len, token) = match first {
                c if c.is_whitespace() => {
                    from += c.len_utf8();
                    continue;
                }
                '`' | '\'' | '"' => {
                    let (len, text) = quoted(rest, first).ok_or(place + from)?;
                    if text.is_empty() {
                        return Err(place + from);
                    }
                    let token = if first == '`' { Token::Word(text) } else { Token::Text(text) };
                    (len, token)
                }
                c if in_word(c) => {
                    let len = end_of(&in_word);
                    let word = rest[..len].to_owned();
                    let is_number = number_len(&word) == word.len();
                    // No part of a number, and no word either.
                    if is_number && rest[len..].starts_with('.') {
                        return Err(place + from);
                    }
                    (len, if is_number { Token::Number(word) } else { Token::Word(word) })
                }
                c => (c.len_utf8(), Token::Mark(c)),
            };
            tokens.push((place + from, token));
            from += len;
        }
        Ok(Self { tokens, at: 0, behind: place + text.len() })
    }

    /// Where it is read next.
    pub(super) fn place(&self) -> usize {
        self.tokens.get(self.at).map_or(self.behind, |(place, _)| *place)
    }

    fn take<T>(&mut self, which: impl FnOnce(&Token) -> Option<T>) -> Result<T> {
        let taken = self.tokens.get(self.at).and_then(|(_, token)| which(token));
        let taken = taken.ok_or_else(|| self.place())?;
        self.at += 1;
        Ok(taken)
    }

    fn mark(&mut self, mark: char) -> bool {
        self.take(|token| (*token == Token::Mark(mark)).then_some(())).is_ok()
    }

    /// Nothing follows.
    pub(super) fn end(&self) -> Result<()> {
        if self.at == self.tokens.len() { Ok(()) } else { Err(self.place()) }
    }

    pub(super) fn word(&mut self) -> Result<String> {
        self.take(|token| match token {
            Token::Word(word) => Some(word.clone()),
            _ => None,
        })
    }

    pub(super) fn number(&mut self) -> Result<String> {
        self.take(|token| match token {
            Token::Number(number) if number.bytes().all(|c| c.is_ascii_digit()) => {
                Some(number.clone())
            }
            _ => None,
        })
    }

    /// `@name`, if it is there.
    pub(super) fn block_name(&mut self) -> Result<Option<String>> {
        if self.mark('@') { self.word().map(Some) } else { Ok(None) }
    }

    /// `name = value`
    pub(super) fn assignment(&mut self) -> Result<(String, Value)> {
        if self.mark('@') {
            return Err(self.place());
        }
        let name = self.word()?;
        if !self.mark('=') {
            return Err(self.place());
        }
        let value = self.take(|token| match token {
            Token::Word(word) => Some(Value::Word(word.clone())),
            Token::Number(number) => Some(Value::Number(number.clone())),
            Token::Text(text) => Some(Value::Text(text.clone())),
            Token::Mark(_) => None,
        })?;
        Ok((name, value))
    }

    /// Some of `known`, as a list.
    pub(super) fn words_of(&mut self, known: &[&str]) -> Result<String> {
        let mut all: Vec<String> = Vec::new();
        while self.at < self.tokens.len() {
            if !all.is_empty() && !self.mark(',') {
                return Err(self.place());
            }
            let place = self.place();
            let word = self.word()?.to_ascii_uppercase();
            if !known.contains(&&*word) {
                return Err(place);
            }
            all.push(word);
        }
        Ok(all.join(", "))
    }

    /// A list of tables, and the blocks that they name.
    pub(super) fn tables(&mut self, some: bool, of: &mut Vec<String>) -> Result<Vec<String>> {
        let mut all = Vec::new();
        if !some && self.at == self.tokens.len() {
            return Ok(all);
        }
        loop {
            all.push(self.word()?);
            of.extend(self.block_name()?);
            if !self.mark(',') {
                return Ok(all);
            }
        }
    }

    /// A table, its block, and a list of indexes.
    pub(super) fn indexes(&mut self) -> Result<(String, Option<String>, Vec<String>)> {
        let table = self.word()?;
        let of = self.block_name()?;
        let mut indexes = Vec::new();
        if matches!(self.tokens.get(self.at), Some((_, Token::Word(_)))) {
            loop {
                indexes.push(self.word()?);
                if !self.mark(',') {
                    break;
                }
            }
        }
        Ok((table, of, indexes))
    }
}

/// How much of a word is a number.
fn number_len(word: &str) -> usize {
    let digits = word.bytes().take_while(u8::is_ascii_digit).count();
    let unit = word[digits..].bytes().next();
    match unit {
        Some(unit) if digits > 0 && b"kmgtpe".contains(&unit.to_ascii_lowercase()) => digits + 1,
        _ => digits,
    }
}

/// A quoted text at the beginning of `rest`, and how long it is with its quotes.
fn quoted(rest: &str, quote: char) -> Option<(usize, String)> {
    let mut text = String::new();
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            c if c == quote && chars.peek().is_some_and(|(_, next)| *next == quote) => {
                chars.next();
                text.push(quote);
            }
            c if c == quote => return Some((at + 1, text)),
            '\\' if quote != '`' => text.push(chars.next()?.1),
            c => text.push(c),
        }
    }
    None
}
