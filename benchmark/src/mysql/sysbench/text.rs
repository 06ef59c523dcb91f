//! The texts that fill the tables: groups of eleven random digits.

use crate::generate::Rng;

/// Groups in column `c`, a CHAR(120).
pub(crate) const C_GROUPS: usize = 10;
/// Groups in column `pad`, a CHAR(60).
pub(crate) const PAD_GROUPS: usize = 5;

const DIGITS: usize = 11;
const NUMBERS: u64 = 100_000_000_000;

/// Appends groups of digits with dashes between.
pub(crate) fn push_groups(groups: usize, rng: &mut Rng, out: &mut Vec<u8>) {
    for group in 0..groups {
        if group > 0 {
            out.push(b'-');
        }
        let mut number = rng.below(NUMBERS);
        let start = out.len();
        out.resize(start + DIGITS, b'0');
        for digit in out[start..].iter_mut().rev() {
            *digit = b'0' + (number % 10) as u8;
            number /= 10;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_the_lengths_that_the_columns_are_made_for() {
        let mut rng = Rng::new(3);
        for (groups, len) in [(C_GROUPS, 119), (PAD_GROUPS, 59)] {
            let mut out = Vec::new();
            push_groups(groups, &mut rng, &mut out);
            assert_eq!(out.len(), len);
            let text = String::from_utf8(out).unwrap();
            assert!(text.split('-').all(|g| g.len() == 11 && g.parse::<u64>().is_ok()), "{text}");
        }
    }
}
