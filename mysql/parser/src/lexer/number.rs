//! Numbers, and names that start with a digit.

use super::{Lexer, T, Token, is_digit, is_name};

impl Lexer<'_> {
    /// A digit stands here: a number, or a name such as `1a` or `0xyz`.
    pub(super) fn number_or_name(&mut self) -> Token {
        let start = self.at;
        if self.peek(0) == b'0' && matches!(self.peek(1), b'x' | b'b') {
            let hex = self.peek(1) == b'x';
            let digits = self.sql[start + 2..]
                .iter()
                .take_while(|b| if hex { b.is_ascii_hexdigit() } else { matches!(b, b'0' | b'1') });
            let digits = digits.count();
            self.at += 2 + digits;
            if digits > 0 && !is_name(self.peek(0)) {
                return self.token(if hex { T::Hex } else { T::Bits }, start);
            }
            return self.name(start);
        }
        self.skip_digits();
        let b = self.peek(0);
        if !is_name(b) {
            if b != b'.' {
                return self.token(T::Int, start);
            }
            return self.fraction(start);
        }
        if matches!(b, b'e' | b'E') {
            // `1e5` and `1e+5` are numbers, whatever comes behind; `1e` is a name.
            let sign = matches!(self.peek(1), b'+' | b'-') as usize;
            if is_digit(self.peek(1 + sign)) {
                self.at += 1 + sign;
                self.skip_digits();
                return self.token(T::Float, start);
            }
        }
        self.name(start)
    }

    /// A point stands here, behind digits that began at `start` or none.
    pub(super) fn fraction(&mut self, start: usize) -> Token {
        self.at += 1;
        self.skip_digits();
        if matches!(self.peek(0), b'e' | b'E') {
            let sign = matches!(self.peek(1), b'+' | b'-') as usize;
            if !is_digit(self.peek(1 + sign)) {
                return self.bad(start);
            }
            self.at += 1 + sign;
            self.skip_digits();
            return self.token(T::Float, start);
        }
        self.token(T::Decimal, start)
    }

    fn skip_digits(&mut self) {
        while is_digit(self.peek(0)) {
            self.at += 1;
        }
    }
}
