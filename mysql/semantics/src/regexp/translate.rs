//! From ICU's grammar of patterns to that of `fancy-regex`.
//!
//! One pass, no tree: modes are resolved here and letters that match in either case are
//! wrapped one by one, so that what is written has no modes of its own.

mod escape;

use super::class::push_literal;
use super::{Mode, RegexpError};

/// Groups within groups, at most.
const MAX_NESTING: usize = 90;
/// The greatest number of an interval.
const MAX_REPEAT: u32 = 1 << 24;

/// What ends a line, in brackets.
const LINE_ENDS: &str = r"\x{A}-\x{D}\x{85}\x{2028}\x{2029}";

/// A pattern for `fancy-regex`.
pub(super) struct Translated {
    pub(super) pattern: String,
    pub(super) groups: usize,
    pub(super) names: Vec<(String, usize)>,
}

#[derive(Clone, Copy)]
struct Flags {
    mode: Mode,
    /// `x`: blanks and comments are skipped.
    comments: bool,
}

pub(super) struct Translator {
    pub(super) pattern: Vec<char>,
    pub(super) at: usize,
    out: String,
    flags: Flags,
    /// Whether the texts have line terminators.
    lines: bool,
    groups: usize,
    names: Vec<(String, usize)>,
    /// Groups that are complete.
    closed: Vec<usize>,
    /// The greatest group that is referred to.
    referred: usize,
    /// How many look-behinds we are in.
    behind: usize,
    /// Where the last character of a quotation was written: a quantifier is of that.
    quoted: Option<usize>,
    line: u32,
    character: u32,
}

/// Translates a pattern for texts without line terminators, or for those with `lines`.
pub(super) fn translate(pattern: &str, mode: Mode, lines: bool) -> Result<Translated, RegexpError> {
    let mut translator = Translator {
        pattern: pattern.chars().collect(),
        at: 0,
        out: String::with_capacity(pattern.len() * 2),
        flags: Flags { mode, comments: false },
        lines,
        groups: 0,
        names: Vec::new(),
        closed: Vec::new(),
        referred: 0,
        behind: 0,
        quoted: None,
        line: 1,
        character: 0,
    };
    translator.alternatives(0)?;
    if translator.peek().is_some() {
        // A parenthesis that nothing opened.
        return Err(RegexpError::MismatchedParenthesis);
    }
    if translator.referred > translator.groups {
        return Err(RegexpError::InvalidBackReference);
    }
    Ok(Translated { pattern: translator.out, groups: translator.groups, names: translator.names })
}

impl Translator {
    pub(super) fn peek(&self) -> Option<char> {
        self.peek_at(0)
    }

    pub(super) fn peek_at(&self, ahead: usize) -> Option<char> {
        self.pattern.get(self.at + ahead).copied()
    }

    pub(super) fn take(&mut self) -> Option<char> {
        let c = self.peek()?;
        let after_return = c == '\n' && self.at > 0 && self.pattern[self.at - 1] == '\r';
        self.at += 1;
        if matches!(c, '\r' | '\n' | '\u{85}' | '\u{2028}') {
            if !after_return {
                self.line += 1;
            }
            self.character = 0;
        } else {
            self.character += 1;
        }
        Some(c)
    }

    pub(super) fn eat(&mut self, c: char) -> bool {
        let here = self.peek() == Some(c);
        if here {
            self.take();
        }
        here
    }

    /// An error at the character just taken.
    fn syntax(&self) -> RegexpError {
        RegexpError::Syntax { line: self.line, character: self.character }
    }

    /// An error at the character that comes.
    fn syntax_next(&mut self) -> RegexpError {
        self.take();
        self.syntax()
    }

    fn skip_comments(&mut self) {
        while self.flags.comments {
            match self.peek() {
                Some('#') => {
                    while self
                        .peek()
                        .is_some_and(|c| !matches!(c, '\r' | '\n' | '\u{85}' | '\u{2028}'))
                    {
                        self.take();
                    }
                }
                Some(c) if c.is_whitespace() => {
                    self.take();
                }
                _ => break,
            }
        }
    }

    /// Up to the end or to a closing parenthesis, which is left.
    fn alternatives(&mut self, depth: usize) -> Result<(), RegexpError> {
        if depth > MAX_NESTING {
            return Err(RegexpError::Internal);
        }
        loop {
            self.skip_comments();
            match self.peek() {
                None | Some(')') => return Ok(()),
                Some('|') => {
                    self.take();
                    self.out.push('|');
                }
                Some(c) => {
                    let start = self.out.len();
                    if self.atom(c, depth)? {
                        let start = self.quoted.take().unwrap_or(start);
                        self.quantifier(start)?;
                    }
                }
            }
        }
    }

    /// One atom; `false` if a quantifier may not follow.
    fn atom(&mut self, c: char, depth: usize) -> Result<bool, RegexpError> {
        match c {
            '(' => return self.group(depth),
            '[' => {
                let set = self.set(0)?;
                self.cased(&set);
            }
            '.' => {
                self.take();
                self.dot();
            }
            '^' => {
                self.take();
                self.caret();
            }
            '$' => {
                self.take();
                self.dollar(self.flags.mode.multi_line);
            }
            '\\' => return self.escape(),
            '*' | '+' | '?' | '{' | '}' => return Err(self.syntax_next()),
            _ => {
                self.take();
                self.literal(c);
            }
        }
        Ok(true)
    }

    fn literal(&mut self, c: char) {
        let mut text = String::new();
        push_literal(c, &mut text);
        if c.is_alphabetic() {
            self.cased(&text);
        } else {
            self.out.push_str(&text);
        }
    }

    /// Writes what matches in either case if the mode says so.
    fn cased(&mut self, text: &str) {
        if self.flags.mode.ignore_case {
            self.out.push_str("(?i:");
            self.out.push_str(text);
            self.out.push(')');
        } else {
            self.out.push_str(text);
        }
    }

    fn dot(&mut self) {
        let mode = self.flags.mode;
        self.out.push_str(match (self.lines, mode.dot_matches_all, mode.unix_lines) {
            (false, ..) => "(?s:.)",
            // The two that end a line together are one character here.
            (true, true, false) => r"(?>\x{D}\x{A}|(?s:.))",
            (true, true, true) => "(?s:.)",
            (true, false, true) => r"[^\x{A}]",
            (true, false, false) => r"[^\x{A}-\x{D}\x{85}\x{2028}\x{2029}]",
        });
    }

    fn caret(&mut self) {
        let mode = self.flags.mode;
        if !self.lines || !mode.multi_line {
            self.out.push_str(r"\A");
        } else if mode.unix_lines {
            self.out.push_str(r"(?:\A|(?<=\x{A})(?!\z))");
        } else {
            self.out.push_str(&format!(r"(?:\A|(?<=[{LINE_ENDS}])(?!\z)(?!(?<=\x{{D}})\x{{A}}))"));
        }
    }

    fn dollar(&mut self, multi_line: bool) {
        let end = if multi_line { "" } else { r"\z" };
        if !self.lines {
            self.out.push_str(r"\z");
        } else if self.flags.mode.unix_lines {
            self.out.push_str(&format!(r"(?:\z|(?=\x{{A}}{end}))"));
        } else {
            self.out.push_str(&format!(
                r"(?:\z|(?=\x{{D}}\x{{A}}{end})|(?<!\x{{D}})(?=\x{{A}}{end})|(?=[\x{{B}}-\x{{D}}\x{{85}}\x{{2028}}\x{{2029}}]{end}))"
            ));
        }
    }

    /// A group, from its parenthesis on.
    fn group(&mut self, depth: usize) -> Result<bool, RegexpError> {
        self.take();
        let flags = self.flags;
        let (mut behind, mut looks, mut captures) = (0, false, None);
        if !self.eat('?') {
            self.groups += 1;
            captures = Some(self.groups);
            self.out.push('(');
        } else {
            match self.take() {
                Some(':') => self.out.push_str("(?:"),
                Some('>') => self.out.push_str("(?>"),
                Some(c @ ('=' | '!')) => {
                    looks = true;
                    self.out.push_str("(?");
                    self.out.push(c);
                }
                Some('#') => {
                    while !self.eat(')') {
                        if self.take().is_none() {
                            return Err(RegexpError::MismatchedParenthesis);
                        }
                    }
                    return Ok(false);
                }
                Some('<') => match self.peek() {
                    Some(c @ ('=' | '!')) => {
                        self.take();
                        (behind, looks) = (1, true);
                        self.out.push_str("(?<");
                        self.out.push(c);
                    }
                    _ => {
                        let name = self.name()?;
                        if self.names.iter().any(|(known, _)| *known == name) {
                            return Err(RegexpError::InvalidGroupName);
                        }
                        self.groups += 1;
                        captures = Some(self.groups);
                        self.names.push((name, self.groups));
                        self.out.push('(');
                    }
                },
                // Conditions, which ICU knows and does not have.
                Some('(') => return Err(RegexpError::Unimplemented),
                Some(flag) => {
                    if !self.inline_flags(flag)? {
                        // To the end of the group around.
                        return Ok(false);
                    }
                    self.out.push_str("(?:");
                }
                None => return Err(self.syntax()),
            }
        }
        self.behind += behind;
        self.alternatives(depth + 1)?;
        self.behind -= behind;
        if !self.eat(')') {
            return Err(RegexpError::MismatchedParenthesis);
        }
        self.out.push(')');
        self.flags = flags;
        self.closed.extend(captures);
        Ok(!looks)
    }

    /// `i-m:` or `i-m)`, of which the first was taken; whether a group follows.
    fn inline_flags(&mut self, first: char) -> Result<bool, RegexpError> {
        let mut flags = self.flags;
        let mut on = true;
        let mut next = Some(first);
        loop {
            match next {
                Some('i') => flags.mode.ignore_case = on,
                Some('m') => flags.mode.multi_line = on,
                Some('s') => flags.mode.dot_matches_all = on,
                Some('d') => flags.mode.unix_lines = on,
                Some('x') => flags.comments = on,
                Some('w') if !on => {}
                Some('w') => return Err(RegexpError::Unimplemented),
                Some('-') if on => on = false,
                Some(')') => {
                    self.flags = flags;
                    return Ok(false);
                }
                Some(':') => {
                    self.flags = flags;
                    return Ok(true);
                }
                Some(_) => return Err(RegexpError::InvalidFlag),
                None => return Err(RegexpError::MismatchedParenthesis),
            }
            next = self.take();
        }
    }

    /// A group's name and the bracket after it.
    fn name(&mut self) -> Result<String, RegexpError> {
        let mut name = String::new();
        loop {
            match self.take() {
                Some('>') if !name.is_empty() => return Ok(name),
                Some(c) if c.is_ascii_alphabetic() => name.push(c),
                Some(c) if c.is_ascii_digit() && !name.is_empty() => name.push(c),
                _ => return Err(RegexpError::InvalidGroupName),
            }
        }
    }

    /// `*`, `+`, `?` or an interval, if one stands here, for what was written from `start`.
    fn quantifier(&mut self, start: usize) -> Result<(), RegexpError> {
        self.skip_comments();
        let (text, unbounded) = match self.peek() {
            Some(c @ ('*' | '+')) => {
                self.take();
                (c.to_string(), true)
            }
            Some('?') => {
                self.take();
                ("?".to_owned(), false)
            }
            Some('{') => self.interval()?,
            _ => return Ok(()),
        };
        if unbounded && self.behind > 0 {
            return Err(RegexpError::LookBehindLimit);
        }
        // What was written may be several atoms to `fancy-regex`, or one with a suffix.
        let atom = self.out.split_off(start);
        self.out.push_str("(?:");
        self.out.push_str(&atom);
        self.out.push(')');
        self.out.push_str(&text);
        if let Some(c @ ('?' | '+')) = self.peek() {
            self.take();
            if c == '?' {
                self.out.push('?');
            } else {
                // Possessive, which `fancy-regex` reads after signs only.
                let all = self.out.split_off(start);
                self.out.push_str("(?>");
                self.out.push_str(&all);
                self.out.push(')');
            }
        }
        self.skip_comments();
        match self.peek() {
            Some('*' | '+' | '?' | '{') => Err(self.syntax_next()),
            _ => Ok(()),
        }
    }

    fn interval(&mut self) -> Result<(String, bool), RegexpError> {
        self.take();
        let least = self.count()?.ok_or(RegexpError::BadInterval)?;
        let (mut most, mut unbounded) = (Some(least), false);
        if self.eat(',') {
            most = self.count()?;
            unbounded = most.is_none();
        }
        if !self.eat('}') {
            return Err(RegexpError::BadInterval);
        }
        match most {
            Some(most) if most < least => Err(RegexpError::MaxBelowMin),
            Some(most) if most == least => Ok((format!("{{{least}}}"), false)),
            Some(most) => Ok((format!("{{{least},{most}}}"), false)),
            None => Ok((format!("{{{least},}}"), unbounded)),
        }
    }

    fn count(&mut self) -> Result<Option<u32>, RegexpError> {
        let mut value = None;
        while let Some(digit) = self.peek().and_then(|c| c.to_digit(10)) {
            self.take();
            let longer = value.unwrap_or(0u32).saturating_mul(10).saturating_add(digit);
            if longer > MAX_REPEAT {
                return Err(RegexpError::BadInterval);
            }
            value = Some(longer);
        }
        Ok(value)
    }
}
