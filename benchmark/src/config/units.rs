//! Numbers as people write them: `10_000_000`, `10M`, `64 MiB`.

use std::fmt;

use serde::de::{Deserializer, Error, Unexpected, Visitor};

const COUNT_UNITS: [(&str, u64); 4] =
    [("", 1), ("k", 1_000), ("M", 1_000_000), ("G", 1_000_000_000)];

const BYTE_UNITS: [(&str, u64); 5] =
    [("", 1), ("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];

fn parse(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '_').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.replace('_', "").parse().ok()?;
    let (_, factor) = units.iter().find(|(name, _)| *name == unit.trim())?;
    number.checked_mul(*factor)
}

struct Units(&'static str, &'static [(&'static str, u64)]);

impl Visitor<'_> for Units {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<u64, E> {
        Ok(number)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<u64, E> {
        parse(text, self.1).ok_or_else(|| E::custom(format!("{text:?} is not {}", self.0)))
    }
}

/// A count: `5000`, `10_000_000`, `10M`.
pub(crate) fn count<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    from.deserialize_any(Units("a count such as 5000, 10_000 or 10M", &COUNT_UNITS))
}

/// As [`count`], of a key that may be missing.
pub(crate) fn some_count<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    count(from).map(Some)
}

/// A size: `4096`, `64 MiB`, `1GiB`.
pub(crate) fn bytes<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    from.deserialize_any(Units("a size such as 4096, 64 MiB or 1GiB", &BYTE_UNITS))
}

/// As [`bytes`], of a key that may be missing.
pub(crate) fn some_bytes<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    bytes(from).map(Some)
}

/// A number that may be large or have a fraction, of a key that may be missing.
pub(crate) fn some_number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    struct Number;

    impl Visitor<'_> for Number {
        type Value = f64;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a number such as 0.5, 136_000 or 10M")
        }

        fn visit_f64<E: Error>(self, number: f64) -> Result<f64, E> {
            Ok(number)
        }

        fn visit_u64<E: Error>(self, number: u64) -> Result<f64, E> {
            Ok(number as f64)
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<f64, E> {
            let number = parse(text, &COUNT_UNITS);
            number.map(|n| n as f64).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
        }
    }

    from.deserialize_any(Number).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_people_write_them() {
        for (text, want) in [("5", 5), ("10_000", 10_000), ("10M", 10_000_000), ("2 k", 2_000)] {
            assert_eq!(parse(text, &COUNT_UNITS), Some(want), "{text}");
        }
        for (text, want) in [("5", 5), ("64 MiB", 64 << 20), ("1GiB", 1 << 30), ("7B", 7)] {
            assert_eq!(parse(text, &BYTE_UNITS), Some(want), "{text}");
        }
        for text in ["", "M", "-1", "1.5M", "1 MB", "99999999999999999999", "20000000000GiB"] {
            assert_eq!(parse(text, &BYTE_UNITS), None, "{text}");
        }
    }
}
