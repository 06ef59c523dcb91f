//! JSON_SEARCH.

use std::collections::HashSet;

use super::build::{Builder, JsonBuf};
use super::error::JsonError;
use super::path::Path;
use super::seek::{Hit, locate, seek_strictly};
use super::view::JsonRef;

/// A pattern of LIKE, compared by code points as utf8mb4_bin does.
#[derive(Debug, Clone)]
pub struct Pattern(Vec<Item>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Item {
    Char(char),
    One,
    Any,
}

impl Pattern {
    /// Reads a pattern; the escape takes the meaning from a `%`, a `_` or itself.
    pub fn new(pattern: &str, escape: Option<char>) -> Self {
        let mut items = Vec::new();
        let mut chars = pattern.chars();
        while let Some(char) = chars.next() {
            items.push(match char {
                _ if Some(char) == escape => match chars.next() {
                    Some(next) => Item::Char(next),
                    None => Item::Char(char),
                },
                '%' if items.last() == Some(&Item::Any) => continue,
                '%' => Item::Any,
                '_' => Item::One,
                _ => Item::Char(char),
            });
        }
        Self(items)
    }

    /// The escape that an argument of JSON_SEARCH means: none if it is empty. Without the
    /// argument, or if it is NULL, it is a backslash.
    ///
    /// # Errors
    /// If it has more than one character.
    pub fn escape(text: &str) -> Result<Option<char>, JsonError> {
        let mut chars = text.chars();
        match (chars.next(), chars.next()) {
            (escape, None) => Ok(escape),
            _ => Err(JsonError::Escape),
        }
    }

    /// Whether a text matches.
    pub fn matches(&self, text: &str) -> bool {
        let items = &self.0;
        let (mut at, mut rest) = (0, text.chars());
        // Where to go on after the last `%`, one character later each time.
        let mut back: Option<(usize, std::str::Chars<'_>)> = None;
        loop {
            let here = rest.clone();
            match (items.get(at), rest.next()) {
                (None, None) => return true,
                (Some(Item::Any), _) => {
                    if at + 1 == items.len() {
                        return true;
                    }
                    at += 1;
                    rest = here;
                    back = Some((at, rest.clone()));
                    continue;
                }
                (Some(Item::One), Some(_)) => {
                    at += 1;
                    continue;
                }
                (Some(&Item::Char(wanted)), Some(char)) if wanted == char => {
                    at += 1;
                    continue;
                }
                _ => {}
            }
            let Some((after, from)) = &mut back else { return false };
            if from.next().is_none() {
                return false;
            }
            at = *after;
            rest = from.clone();
        }
    }
}

/// JSON_SEARCH: the path to the first string that matches, or an array of the paths to all
/// (one alone stands for itself); nothing if none does. Without `paths` everywhere.
/// What matches is the caller's: a [`Pattern`], or LIKE in another collation.
///
/// # Errors
/// If the bytes are corrupt.
pub fn search(
    document: JsonRef<'_>,
    all: bool,
    matches: &dyn Fn(&str) -> bool,
    paths: &[Path],
) -> Result<Option<JsonBuf>, JsonError> {
    let mut search = Search { all, matches, found: Vec::new(), seen: HashSet::new() };
    if paths.is_empty() {
        search.visit(Hit { value: document, path: "$".into() })?;
    }
    for path in paths {
        // A path of one match is reported as it was written: `$[last]` stays that.
        if !path.matches_many() {
            if let Some(value) = seek_strictly(document, path)? {
                search.visit(Hit { value, path: path.to_string() })?;
            }
            continue;
        }
        for hit in locate(document, path, false)? {
            search.visit(hit)?;
        }
    }
    let mut builder = Builder::new();
    match &search.found[..] {
        [] => return Ok(None),
        [one] => builder.string(one),
        many => {
            builder.begin_array()?;
            many.iter().for_each(|path| builder.string(path));
            builder.end()?;
        }
    }
    builder.finish().map(Some)
}

struct Search<'p> {
    all: bool,
    matches: &'p dyn Fn(&str) -> bool,
    found: Vec<String>,
    seen: HashSet<String>,
}

impl Search<'_> {
    fn visit(&mut self, hit: Hit<'_>) -> Result<(), JsonError> {
        if !self.all && !self.found.is_empty() {
            return Ok(());
        }
        match hit.value.is_container() {
            true => hit.each_child(&mut |child| self.visit(child)),
            false => {
                if hit.value.as_str()?.is_some_and(self.matches)
                    && self.seen.insert(hit.path.clone())
                {
                    self.found.push(hit.path);
                }
                Ok(())
            }
        }
    }
}
