//! The specification's random numbers and names.

use crate::generate::Rng;

/// The specification's constant C, the same for load and run.
const C: u64 = 137;

const SYLLABLES: [&str; 10] =
    ["BAR", "OUGHT", "ABLE", "PRI", "PRES", "ESE", "ANTI", "CALLY", "ATION", "EING"];

/// A number from `low` to `high`, both included.
pub(super) fn between(rng: &mut Rng, low: u32, high: u32) -> u32 {
    low + rng.below(u64::from(high - low) + 1) as u32
}

/// NURand over 1 to `n`: some of them are preferred. `part` is how many times
/// larger than the specification's A its range is, for ranges made smaller.
fn non_uniform(rng: &mut Rng, n: u32, part: u32) -> u32 {
    let a = u64::from(n / part).next_power_of_two().max(2) - 1;
    let mixed = rng.below(a + 1) | u64::from(between(rng, 1, n));
    ((mixed + C) % u64::from(n)) as u32 + 1
}

/// A customer's number.
pub(super) fn customer(rng: &mut Rng, customers: u32) -> u32 {
    non_uniform(rng, customers, 3)
}

/// An item's number.
pub(super) fn item(rng: &mut Rng, items: u32) -> u32 {
    non_uniform(rng, items, 13)
}

/// The number of a last name that some customer of a district has.
pub(super) fn name_number(rng: &mut Rng, customers: u32) -> u32 {
    non_uniform(rng, customers.min(1000), 4) - 1
}

/// A last name of three syllables.
pub(super) fn last_name(number: u32) -> String {
    [number / 100 % 10, number / 10 % 10, number % 10]
        .iter()
        .map(|digit| SYLLABLES[*digit as usize])
        .collect()
}

/// Letters and digits, `low` to `high` of them.
pub(super) fn text(rng: &mut Rng, low: u32, high: u32) -> String {
    const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let len = between(rng, low, high);
    (0..len).map(|_| char::from(LETTERS[rng.below(LETTERS.len() as u64) as usize])).collect()
}

/// Digits.
pub(super) fn digits(rng: &mut Rng, len: u32) -> String {
    (0..len).map(|_| char::from(b'0' + rng.below(10) as u8)).collect()
}

/// As [`text`]; one in ten holds the word ORIGINAL.
pub(super) fn data(rng: &mut Rng, low: u32, high: u32) -> String {
    let mut out = text(rng, low, high);
    if rng.below(10) == 0 {
        let at = rng.below(out.len() as u64 - 8) as usize;
        out.replace_range(at..at + 8, "ORIGINAL");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_specifications() {
        assert_eq!(last_name(0), "BARBARBAR");
        assert_eq!(last_name(371), "PRICALLYOUGHT");
        assert_eq!(last_name(999), "EINGEINGEING");
    }

    #[test]
    fn numbers_are_in_range_and_some_are_preferred() {
        let mut rng = Rng::new(5);
        for customers in [30, 300, 3000] {
            let mut counts = vec![0u32; customers as usize];
            for _ in 0..100_000 {
                counts[customer(&mut rng, customers) as usize - 1] += 1;
            }
            counts.sort_unstable();
            let upper: u32 = counts[customers as usize / 2..].iter().sum();
            assert!(upper > 60_000, "{customers}: {upper}");
            assert!((0..1000).all(|_| name_number(&mut rng, customers) < customers.min(1000)));
        }
        assert!((0..10_000).all(|_| (1..=100_000).contains(&item(&mut rng, 100_000))));
    }

    #[test]
    fn texts_have_their_lengths() {
        let mut rng = Rng::new(9);
        let mut original = 0;
        for _ in 0..1000 {
            let text = data(&mut rng, 26, 50);
            assert!((26..=50).contains(&text.len()));
            original += u32::from(text.contains("ORIGINAL"));
        }
        assert!((60..140).contains(&original), "{original}");
        assert_eq!(digits(&mut rng, 16).len(), 16);
    }
}
