//! INTO, the formats of files, hints.

use super::Grammar;
use crate::ast::{FileFormat, Hint, HintPlace, IntoClause, IntoVariable, Text};
use crate::error::{Error, ErrorKind, Result};
use crate::lexer::T;

impl Grammar<'_> {
    pub(super) fn select_into(&mut self) -> Result<IntoClause> {
        self.expect(T::INTO)?;
        if self.eat(T::OUTFILE) {
            let file = self.text()?;
            let charset = if self.eat_charset() { Some(self.charset_name()?) } else { None };
            return Ok(IntoClause::Outfile { file, charset, format: self.file_format()? });
        }
        if self.eat(T::DUMPFILE) {
            return Ok(IntoClause::Dumpfile(self.text()?));
        }
        let variables = self.list(|g| {
            if g.at(T::At) {
                g.user_variable().map(IntoVariable::User)
            } else {
                g.ident_or_text().map(IntoVariable::Local)
            }
        })?;
        Ok(IntoClause::Variables(variables))
    }

    /// `[FIELDS …] [LINES …]`
    pub(super) fn file_format(&mut self) -> Result<FileFormat> {
        let mut format = FileFormat::default();
        if self.eat_any(&[T::FIELDS, T::COLUMNS]).is_some() {
            let mut any = false;
            loop {
                let slot = match self.kind() {
                    T::TERMINATED => &mut format.fields_terminated,
                    T::ENCLOSED => &mut format.enclosed,
                    T::OPTIONALLY => {
                        format.optionally_enclosed = true;
                        self.bump();
                        &mut format.enclosed
                    }
                    T::ESCAPED => &mut format.escaped,
                    _ if any => break,
                    _ => return Err(self.unexpected()),
                };
                self.one_of(&[T::TERMINATED, T::ENCLOSED, T::ESCAPED])?;
                self.expect(T::BY)?;
                *slot = Some(self.text_or_bytes()?);
                any = true;
            }
        }
        if self.eat(T::LINES) {
            let mut any = false;
            loop {
                let slot = match self.kind() {
                    T::TERMINATED => &mut format.lines_terminated,
                    T::STARTING => &mut format.lines_starting,
                    _ if any => break,
                    _ => return Err(self.unexpected()),
                };
                self.bump();
                self.expect(T::BY)?;
                *slot = Some(self.text_or_bytes()?);
                any = true;
            }
        }
        Ok(format)
    }

    /// The hints behind SELECT and its like: `name(body)` and bare names.
    pub(super) fn hints(&mut self) -> Result<Vec<Hint>> {
        if !self.at(T::Hint) {
            return Ok(Vec::new());
        }
        let token = self.bump();
        let bytes = self.bytes(token);
        let Ok(text) = std::str::from_utf8(&bytes[3..bytes.len() - 2]) else {
            return Err(Error::at(ErrorKind::Utf8, self.sql, token.start as usize));
        };
        let (at, block) = (token.start as usize + 3, self.blocks.max(1));
        Ok(split_hints(text, HintPlace { start: at, body: at, block }))
    }
}

/// Cuts a hint comment, whose text is at a place, into hints. What cannot be cut becomes one
/// without name.
fn split_hints(text: &str, at: HintPlace) -> Vec<Hint> {
    let mut hints = Vec::new();
    let mut rest = text.trim();
    let place = |rest: &str| at.start + (rest.as_ptr().addr() - text.as_ptr().addr());
    loop {
        let start = place(rest);
        let name_end = rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'))
            .unwrap_or(rest.len());
        let behind = rest[name_end..].trim_start();
        let body = behind.strip_prefix('(').and_then(|inside| Some((inside, close(inside)?)));
        let Some((inside, end)) = body.filter(|_| name_end > 0) else {
            let place = HintPlace { start, body: start, ..at };
            hints.push(Hint { name: None, body: Text::new(rest), place });
            return hints;
        };
        let name = Some(Text::new(&rest[..name_end]));
        let body = inside[..end].trim();
        let place = HintPlace { start, body: place(body), ..at };
        hints.push(Hint { name, body: Text::new(body), place });
        rest = inside[end + 1..].trim_start();
        if rest.is_empty() {
            return hints;
        }
    }
}

/// Where the parenthesis closes that was open before `text`; quotes count.
fn close(text: &str) -> Option<usize> {
    let (mut depth, mut quote) = (0usize, None);
    for (i, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"' | '`') => quote = Some(c),
            (None, '(') => depth += 1,
            (None, ')') if depth == 0 => return Some(i),
            (None, ')') => depth -= 1,
            _ => {}
        }
    }
    None
}
