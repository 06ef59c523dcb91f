//! `REGEXP_REPLACE`.

use super::{Regexp, RegexpError, after, offset, run_error};

/// A part of a replacement.
enum Part {
    Text(String),
    Group(usize),
}

impl Regexp {
    /// Appends `text` with the match number `occurrence` (0: all) at or after the character
    /// number `position` replaced. In `with`, `$1` and `${name}` are groups, and a backslash
    /// takes the meaning from what follows it.
    ///
    /// # Errors
    ///
    /// [`RegexpError::OutOfBounds`] for a position or group that there is not,
    /// [`RegexpError::InvalidGroupName`], [`RegexpError::TooBig`] if the result were longer
    /// than `max_bytes`, and those of a search.
    pub fn replace(
        &self,
        text: &str,
        with: &str,
        position: i64,
        occurrence: i64,
        max_bytes: usize,
        out: &mut String,
    ) -> Result<(), RegexpError> {
        let mut from = Some(offset(text, position)?);
        if text.is_empty() {
            // As the server has it, whatever the pattern.
            return Ok(());
        }
        let regex = self.for_text(text)?;
        let base = out.len();
        let (mut copied, mut count) = (0, 0);
        let mut parts = None;
        while let Some(start) = from {
            let Some(found) = regex.captures_from_pos(text, start).map_err(run_error)? else {
                break;
            };
            let Some(all) = found.get(0) else { break };
            count += 1;
            from = after(text, all.start(), all.end());
            if occurrence > 0 && count < occurrence {
                continue;
            }
            if parts.is_none() {
                parts = Some(self.parts(with)?);
            }
            out.push_str(text.get(copied..all.start()).unwrap_or_default());
            for part in parts.iter().flatten() {
                match part {
                    Part::Text(text) => out.push_str(text),
                    Part::Group(group) => {
                        out.push_str(found.get(*group).map_or("", |group| group.as_str()));
                    }
                }
            }
            if out.len() - base > max_bytes {
                return Err(RegexpError::TooBig);
            }
            copied = all.end();
            if occurrence > 0 {
                break;
            }
        }
        out.push_str(text.get(copied..).unwrap_or_default());
        Ok(())
    }

    fn parts(&self, with: &str) -> Result<Vec<Part>, RegexpError> {
        let mut parts = Vec::new();
        let mut text = String::new();
        let mut chars = with.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '\\' => match chars.next() {
                    Some(digits @ ('u' | 'U')) => {
                        let len = if digits == 'u' { 4 } else { 8 };
                        let rest: String = chars.clone().take(len).collect();
                        let code = u32::from_str_radix(&rest, 16).ok();
                        match code.filter(|_| rest.len() == len).and_then(char::from_u32) {
                            Some(c) => {
                                text.push(c);
                                chars.nth(len - 1);
                            }
                            None => text.push(digits),
                        }
                    }
                    Some(c) => text.push(c),
                    None => {}
                },
                '$' => {
                    let group = if chars.next_if_eq(&'{').is_some() {
                        let mut name = String::new();
                        loop {
                            match chars.next() {
                                Some('}') => break,
                                Some(c) if c.is_ascii_alphanumeric() => name.push(c),
                                _ => return Err(RegexpError::InvalidGroupName),
                            }
                        }
                        let known = self.names.iter().find(|(known, _)| *known == name);
                        known.ok_or(RegexpError::InvalidGroupName)?.1
                    } else {
                        let digit = |c: char| c.to_digit(10).map(|d| d as usize);
                        let first = chars.peek().and_then(|c| digit(*c));
                        let mut group = first.ok_or(RegexpError::InvalidGroupName)?;
                        chars.next();
                        while let Some(more) = chars.peek().and_then(|c| digit(*c)) {
                            if group * 10 + more > self.groups {
                                break;
                            }
                            group = group * 10 + more;
                            chars.next();
                        }
                        if group > self.groups {
                            return Err(RegexpError::OutOfBounds);
                        }
                        group
                    };
                    parts.push(Part::Text(std::mem::take(&mut text)));
                    parts.push(Part::Group(group));
                }
                c => text.push(c),
            }
        }
        parts.push(Part::Text(text));
        Ok(parts)
    }
}
