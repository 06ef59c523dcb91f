//! Bracket expressions and properties.

use super::RegexpError;
use super::translate::Translator;

/// Classes in brackets of brackets, at most.
const MAX_NESTING: usize = 50;

/// A member of a set, translated.
enum Item {
    /// One character, which may start or end a range.
    Char(char),
    /// The inside of a class.
    Class(String),
}

/// Writes a character so that it stands for itself, within brackets or without.
pub(super) fn push_literal(c: char, out: &mut String) {
    match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '_' => out.push(c),
        c if c.is_ascii() || c.is_control() || c.is_whitespace() => {
            out.push_str(&format!("\\x{{{:X}}}", u32::from(c)));
        }
        c => out.push(c),
    }
}

/// The translation of a class of characters that a letter after a backslash stands for.
pub(super) fn escape_class(letter: char) -> Option<&'static str> {
    Some(match letter {
        'd' => r"\p{Nd}",
        'D' => r"\P{Nd}",
        's' => r"\p{White_Space}",
        'S' => r"\P{White_Space}",
        'w' => r"[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\x{200C}\x{200D}]",
        'W' => r"[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\x{200C}\x{200D}]",
        'h' => r"[\x{9}\p{Zs}]",
        'H' => r"[^\x{9}\p{Zs}]",
        'v' => r"[\x{A}-\x{D}\x{85}\x{2028}\x{2029}]",
        'V' => r"[^\x{A}-\x{D}\x{85}\x{2028}\x{2029}]",
        _ => return None,
    })
}

/// The translation of a property's name, or of the name of a class as POSIX has it.
fn property(name: &str, negated: bool) -> Result<String, RegexpError> {
    let plain: String = name
        .chars()
        .filter(|c| !matches!(c, ' ' | '_' | '-'))
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let set = match plain.as_str() {
        "alnum" => r"\p{Alphabetic}\p{Nd}",
        "alpha" => r"\p{Alphabetic}",
        "blank" => r"\x{9}\p{Zs}",
        "cntrl" => r"\p{Cc}",
        "digit" => r"\p{Nd}",
        "graph" => r"[^\p{White_Space}\p{Cc}\p{Cn}]",
        "lower" => r"\p{Lowercase}",
        "print" => r"[^\p{White_Space}\p{Cc}\p{Cn}]\p{Zs}",
        "punct" => r"\p{P}",
        "space" => r"\p{White_Space}",
        "upper" => r"\p{Uppercase}",
        "word" => r"\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\x{200C}\x{200D}",
        "xdigit" => r"\p{Nd}\p{Hex_Digit}",
        other => {
            if other.is_empty() || other.len() > 64 {
                return Err(RegexpError::IllegalArgument);
            }
            if other.starts_with("in") || other.starts_with("block=") || other.starts_with("blk=") {
                return Err(RegexpError::Unimplemented);
            }
            let known = |c: char| c.is_ascii_alphanumeric() || c == '=';
            let class = format!("\\p{{{other}}}");
            if !other.chars().all(known) || fancy_regex::Regex::new(&class).is_err() {
                return Err(RegexpError::IllegalArgument);
            }
            return Ok(if negated { format!("\\P{{{other}}}") } else { class });
        }
    };
    Ok(if negated { format!("[^{set}]") } else { format!("[{set}]") })
}

impl Translator {
    /// After `\p` or `\P`.
    pub(super) fn braced_property(&mut self, negated: bool) -> Result<String, RegexpError> {
        if !self.eat('{') {
            return Err(RegexpError::IllegalArgument);
        }
        let mut name = String::new();
        loop {
            match self.take() {
                Some('}') => break,
                Some(c) => name.push(c),
                None => return Err(RegexpError::IllegalArgument),
            }
        }
        match name.strip_prefix('^') {
            Some(name) => property(name, !negated),
            None => property(&name, negated),
        }
    }

    /// `[:name:]`, if that is what stands here, before the bracket.
    fn posix(&mut self) -> Result<Option<String>, RegexpError> {
        let rest = &self.pattern[self.at..];
        if !rest.starts_with(&['[', ':']) {
            return Ok(None);
        }
        let Some(len) = rest.windows(2).position(|two| two == [':', ']']).filter(|len| *len > 1)
        else {
            return Ok(None);
        };
        let name: String = rest[2..len].iter().collect();
        if name.contains(['[', ']', '\\']) {
            return Ok(None);
        }
        for _ in 0..len + 2 {
            self.take();
        }
        Ok(Some(match name.strip_prefix('^') {
            Some(name) => property(name, true)?,
            None => property(&name, false)?,
        }))
    }

    /// A bracket expression, from its bracket on.
    pub(super) fn set(&mut self, depth: usize) -> Result<String, RegexpError> {
        if let Some(class) = self.posix()? {
            return Ok(class);
        }
        if depth > MAX_NESTING {
            return Err(RegexpError::TooBig);
        }
        self.take();
        let mut out = String::from(if self.eat('^') { "[^" } else { "[" });
        let mut items: Vec<Item> = Vec::new();
        if self.eat(']') {
            items.push(Item::Char(']'));
        }
        loop {
            let Some(c) = self.peek() else { return Err(RegexpError::MissingBracket) };
            match c {
                ']' => {
                    self.take();
                    break;
                }
                '[' => {
                    let inner = self.set(depth + 1)?;
                    items.push(Item::Class(inner));
                }
                '&' if self.peek_at(1) == Some('&') => {
                    self.take();
                    self.take();
                    flush(&mut items, &mut out);
                    out.push_str("&&");
                }
                '-' if self.peek_at(1) == Some('-') => {
                    self.take();
                    self.take();
                    flush(&mut items, &mut out);
                    out.push_str("--");
                }
                '&' | '-' if self.peek_at(1) == Some('[') && !items.is_empty() => {
                    self.take();
                    let right = self.set(depth + 1)?;
                    let mut left = String::from("[");
                    if let Some(item) = items.pop() {
                        item.push(&mut left);
                    }
                    left.push_str(if c == '&' { "&&" } else { "--" });
                    items.push(Item::Class(left + &right + "]"));
                }
                '-' => {
                    self.take();
                    match (items.last(), self.peek()) {
                        (_, None) => return Err(RegexpError::MissingBracket),
                        (Some(Item::Char(low)), Some(high)) if high != ']' => {
                            let low = *low;
                            match self.item()? {
                                Item::Char(high) if low > high => {
                                    return Err(RegexpError::InvalidRange);
                                }
                                Item::Char(high) => {
                                    items.pop();
                                    let mut range = String::new();
                                    push_literal(low, &mut range);
                                    range.push('-');
                                    push_literal(high, &mut range);
                                    items.push(Item::Class(range));
                                }
                                class => {
                                    items.push(Item::Char('-'));
                                    items.push(class);
                                }
                            }
                        }
                        _ => items.push(Item::Char('-')),
                    }
                }
                _ => {
                    let item = self.item()?;
                    items.push(item);
                }
            }
        }
        flush(&mut items, &mut out);
        out.push(']');
        Ok(out)
    }

    /// A character or an escape of a set.
    fn item(&mut self) -> Result<Item, RegexpError> {
        let Some(c) = self.take() else { return Err(RegexpError::MissingBracket) };
        if c != '\\' {
            return Ok(Item::Char(c));
        }
        let Some(letter) = self.take() else { return Err(RegexpError::BadEscape) };
        if let Some(class) = escape_class(letter) {
            return Ok(Item::Class(class.to_owned()));
        }
        match letter {
            'p' | 'P' => Ok(Item::Class(self.braced_property(letter == 'P')?)),
            'N' => Err(RegexpError::Unimplemented),
            _ => Ok(Item::Char(self.escaped_char(letter)?)),
        }
    }
}

impl Item {
    fn push(&self, out: &mut String) {
        match self {
            Item::Char(c) => push_literal(*c, out),
            Item::Class(class) => out.push_str(class),
        }
    }
}

fn flush(items: &mut Vec<Item>, out: &mut String) {
    for item in items.drain(..) {
        item.push(out);
    }
}
