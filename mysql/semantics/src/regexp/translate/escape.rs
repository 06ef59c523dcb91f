//! What a backslash begins.

use super::super::RegexpError;
use super::super::class::escape_class;
use super::{LINE_ENDS, Translator};

impl Translator {
    /// What follows a backslash; `false` if a quantifier may not follow.
    pub(super) fn escape(&mut self) -> Result<bool, RegexpError> {
        self.take();
        let Some(letter) = self.take() else { return Err(RegexpError::BadEscape) };
        if let Some(class) = escape_class(letter) {
            self.out.push_str(class);
            return Ok(true);
        }
        match letter {
            'A' => self.out.push_str(r"\A"),
            'z' => self.out.push_str(r"\z"),
            'Z' => self.dollar(false),
            'b' => self.out.push_str(r"\b"),
            'B' => self.out.push_str(r"\B"),
            'G' | 'N' => return Err(RegexpError::Unimplemented),
            'R' => {
                self.out.push_str(&format!(r"(?>\x{{D}}\x{{A}}|[{LINE_ENDS}])"));
                return Ok(true);
            }
            'X' => {
                self.out.push_str(r"(?>\x{D}\x{A}|(?s:.)\p{M}*)");
                return Ok(true);
            }
            'p' | 'P' => {
                let class = self.braced_property(letter == 'P')?;
                self.cased(&class);
                return Ok(true);
            }
            'Q' => {
                self.quoted();
                return Ok(true);
            }
            'E' => return Ok(false),
            'k' => {
                if !self.eat('<') {
                    return Err(RegexpError::InvalidGroupName);
                }
                let name = self.name()?;
                let group = self.names.iter().find(|(known, _)| *known == name);
                let group = group.ok_or(RegexpError::InvalidGroupName)?.1;
                self.reference(group)?;
                return Ok(true);
            }
            '1'..='9' => {
                let mut group = letter.to_digit(10).unwrap_or(0) as usize;
                while let Some(digit) = self.peek().and_then(|c| c.to_digit(10)) {
                    let longer = group * 10 + digit as usize;
                    if longer > self.groups {
                        break;
                    }
                    group = longer;
                    self.take();
                }
                self.reference(group)?;
                return Ok(true);
            }
            _ => {
                let c = self.escaped_char(letter)?;
                self.literal(c);
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn reference(&mut self, group: usize) -> Result<(), RegexpError> {
        if self.behind > 0 {
            return Err(RegexpError::LookBehindLimit);
        }
        self.referred = self.referred.max(group);
        if self.closed.contains(&group) {
            self.cased(&format!("(?:\\{group})"));
        } else {
            // What was not matched yet matches nothing.
            self.out.push_str("(?!)");
        }
        Ok(())
    }

    /// `\Q` up to `\E` or the end. A quantifier behind belongs to the last character.
    fn quoted(&mut self) {
        while let Some(c) = self.take() {
            if c == '\\' && self.peek() == Some('E') {
                self.take();
                return;
            }
            self.quoted = Some(self.out.len());
            self.literal(c);
        }
    }

    /// The character that a letter after a backslash stands for.
    pub(in crate::regexp) fn escaped_char(&mut self, letter: char) -> Result<char, RegexpError> {
        let code = match letter {
            'a' => 7,
            'e' => 0x1B,
            'f' => 0xC,
            'n' => 0xA,
            'r' => 0xD,
            't' => 9,
            'c' => u32::from(self.take().ok_or(RegexpError::BadEscape)?) & 0x1F,
            '0' => self.digits(8, 1, 3)?,
            'u' => self.digits(16, 4, 4)?,
            'U' => self.digits(16, 8, 8)?,
            'x' => {
                if self.eat('{') {
                    let code = self.digits(16, 1, 8)?;
                    if !self.eat('}') {
                        return Err(RegexpError::BadEscape);
                    }
                    code
                } else {
                    self.digits(16, 1, 2)?
                }
            }
            other => return Ok(other),
        };
        char::from_u32(code).ok_or(RegexpError::BadEscape)
    }

    fn digits(&mut self, radix: u32, least: usize, most: usize) -> Result<u32, RegexpError> {
        let (mut value, mut count) = (0u32, 0);
        while count < most {
            let Some(digit) = self.peek().and_then(|c| c.to_digit(radix)) else { break };
            value = value.saturating_mul(radix).saturating_add(digit);
            count += 1;
            self.take();
        }
        if count < least { Err(RegexpError::BadEscape) } else { Ok(value) }
    }
}
