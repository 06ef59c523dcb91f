//! Regular expressions: `REGEXP_LIKE`, `REGEXP_INSTR`, `REGEXP_SUBSTR`, `REGEXP_REPLACE`.
//!
//! The server's are those of ICU. A pattern is read by ICU's grammar and translated for
//! `fancy-regex`, which matches most of them in linear time; what needs backtracking has a
//! limit of steps. Patterns and texts are UTF-8; other sets are converted before.
//!
//! Not as ICU: a letter without case partners of one character (`ß` and `ss`) has none
//! here, `\N{…}`, `\G` and blocks (`\p{InGreek}`) are refused as unimplemented, `\X` knows
//! marks only, and groups may be nested about 60 deep.

mod class;
mod error;
mod replace;
#[cfg(test)]
mod tests;
mod translate;

use std::sync::OnceLock;

pub use error::RegexpError;
use translate::{Translated, translate};

/// Bytes of the longest pattern.
const MAX_PATTERN_BYTES: usize = 64 << 10;
/// Bytes of a compiled pattern, each of its parts.
const MAX_COMPILED_BYTES: usize = 4 << 20;
/// Steps back in one search.
const MAX_STEPS_BACK: usize = 1_000_000;

/// How a pattern is matched.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Mode {
    /// `i`: letters match in either case. The collation decides unless it is said.
    pub ignore_case: bool,
    /// `m`: `^` and `$` match at each line's ends.
    pub multi_line: bool,
    /// `n`: `.` matches line terminators.
    pub dot_matches_all: bool,
    /// `u`: only a line feed ends a line.
    pub unix_lines: bool,
}

impl Mode {
    /// This mode with the letters of a match type, of which the last one of `c` and `i` counts.
    ///
    /// # Errors
    ///
    /// [`RegexpError::InvalidFlag`] is what the server has for other letters too.
    pub fn with_match_type(mut self, letters: &str) -> Result<Self, RegexpError> {
        for letter in letters.chars() {
            match letter {
                'c' => self.ignore_case = false,
                'i' => self.ignore_case = true,
                'm' => self.multi_line = true,
                'n' => self.dot_matches_all = true,
                'u' => self.unix_lines = true,
                _ => return Err(RegexpError::InvalidFlag),
            }
        }
        Ok(self)
    }
}

/// A place in a text, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Match {
    /// Its first byte.
    pub start: usize,
    /// One past its last byte.
    pub end: usize,
}

/// A compiled pattern. Meant to be kept and used for many texts.
pub struct Regexp {
    /// For texts that have no line terminators: most, and the translation is simpler.
    plain: fancy_regex::Regex,
    /// For texts that have some; `None` where it makes no difference.
    lines: Option<(String, OnceLock<Result<fancy_regex::Regex, RegexpError>>)>,
    groups: usize,
    names: Vec<(String, usize)>,
}

fn build(pattern: &str) -> Result<fancy_regex::Regex, RegexpError> {
    fancy_regex::RegexBuilder::new(pattern)
        .delegate_size_limit(MAX_COMPILED_BYTES)
        .delegate_dfa_size_limit(MAX_COMPILED_BYTES)
        .backtrack_limit(MAX_STEPS_BACK)
        .build()
        .map_err(|error| match error {
            fancy_regex::Error::CompileError(inner) => match *inner {
                fancy_regex::CompileError::InvalidBackref(_) => RegexpError::InvalidBackReference,
                fancy_regex::CompileError::LookBehindNotConst => RegexpError::Unimplemented,
                fancy_regex::CompileError::InnerError(_) => RegexpError::TooBig,
                _ => RegexpError::Unimplemented,
            },
            fancy_regex::Error::ParseError(_, fancy_regex::ParseError::RecursionExceeded) => {
                RegexpError::Internal
            }
            _ => RegexpError::Unimplemented,
        })
}

fn run_error(error: fancy_regex::Error) -> RegexpError {
    match error {
        fancy_regex::Error::RuntimeError(fancy_regex::RuntimeError::BacktrackLimitExceeded) => {
            RegexpError::Timeout
        }
        fancy_regex::Error::RuntimeError(fancy_regex::RuntimeError::StackOverflow) => {
            RegexpError::StackOverflow
        }
        _ => RegexpError::Internal,
    }
}

/// Whether a text has what ends a line.
fn has_lines(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().any(|byte| matches!(byte, 0x0A..=0x0D))
        || (!text.is_ascii() && text.contains(['\u{85}', '\u{2028}', '\u{2029}']))
}

impl Regexp {
    /// Compiles a pattern.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn new(pattern: &str, mode: Mode) -> Result<Self, RegexpError> {
        if pattern.is_empty() {
            return Err(RegexpError::IllegalArgument);
        }
        if pattern.len() > MAX_PATTERN_BYTES {
            return Err(RegexpError::TooBig);
        }
        let Translated { pattern: plain, groups, names } = translate(pattern, mode, false)?;
        let lines = translate(pattern, mode, true)?.pattern;
        Ok(Self {
            lines: (lines != plain).then(|| (lines, OnceLock::new())),
            plain: build(&plain)?,
            groups,
            names,
        })
    }

    fn for_text(&self, text: &str) -> Result<&fancy_regex::Regex, RegexpError> {
        match &self.lines {
            Some((pattern, built)) if has_lines(text) => {
                built.get_or_init(|| build(pattern)).as_ref().map_err(Clone::clone)
            }
            _ => Ok(&self.plain),
        }
    }

    /// `REGEXP_LIKE`: whether it matches anywhere.
    ///
    /// # Errors
    ///
    /// [`RegexpError::Timeout`] or [`RegexpError::StackOverflow`].
    pub fn is_match(&self, text: &str) -> Result<bool, RegexpError> {
        self.for_text(text)?.is_match(text).map_err(run_error)
    }

    /// The match number `occurrence` (from 1; less counts as 1) at or after the character
    /// number `position` (from 1).
    ///
    /// # Errors
    ///
    /// [`RegexpError::OutOfBounds`] if the text has no such character, nor ends before it;
    /// and those of [`is_match`](Self::is_match).
    pub fn find(
        &self,
        text: &str,
        position: i64,
        occurrence: i64,
    ) -> Result<Option<Match>, RegexpError> {
        let mut from = Some(offset(text, position)?);
        let regex = self.for_text(text)?;
        let mut left = occurrence.max(1);
        while let Some(start) = from {
            let Some(found) = regex.find_from_pos(text, start).map_err(run_error)? else { break };
            left -= 1;
            if left == 0 {
                return Ok(Some(Match { start: found.start(), end: found.end() }));
            }
            from = after(text, found.start(), found.end());
        }
        Ok(None)
    }
}

/// Where the next search starts: after the match, and one character further if it was empty.
fn after(text: &str, start: usize, end: usize) -> Option<usize> {
    if start < end {
        return Some(end);
    }
    text.get(end..)?.chars().next().map(|next| end + next.len_utf8())
}

/// The byte where the character number `position` is.
fn offset(text: &str, position: i64) -> Result<usize, RegexpError> {
    let Some(chars) = position.checked_sub(1).and_then(|n| usize::try_from(n).ok()) else {
        return Err(RegexpError::OutOfBounds);
    };
    let mut places = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    places.nth(chars).ok_or(RegexpError::OutOfBounds)
}
