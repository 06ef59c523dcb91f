//! Sizes in bytes as people write them.

use std::fmt;
use std::str::FromStr;

/// A number of bytes: reads `4 GiB`, `1.5GiB`, `500 MB`, `4096`; prints `4 GiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ByteSize(pub u64);

/// Largest unit first, so that printing finds the shortest form.
const BINARY: [(&str, u64); 4] =
    [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
const DECIMAL: [(&str, u64); 4] =
    [("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)];

impl FromStr for ByteSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "{text:?} is no size in bytes: write a number and B, KiB, MiB, GiB, TiB, kB, MB, GB or TB"
            )
        };
        let trimmed = text.trim();
        let digits = trimmed.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '_');
        let (number, unit) = trimmed.split_at(digits.unwrap_or(trimmed.len()));
        let unit = unit.trim();
        let factor = if unit.is_empty() || unit.eq_ignore_ascii_case("b") {
            1
        } else {
            let mut units = BINARY.iter().chain(&DECIMAL);
            units.find(|(name, _)| name.eq_ignore_ascii_case(unit)).ok_or_else(wrong)?.1
        };
        let number = number.replace('_', "");
        let (whole, fraction) = number.split_once('.').unwrap_or((&number, ""));
        // Six decimals of a TiB are about a megabyte: more are a typing error.
        if whole.is_empty() || fraction.len() > 6 || (factor == 1 && !fraction.is_empty()) {
            return Err(wrong());
        }
        let whole: u64 = whole.parse().map_err(|_| wrong())?;
        let millionths: u64 = if fraction.is_empty() {
            0
        } else {
            format!("{fraction:0<6}").parse().map_err(|_| wrong())?
        };
        let too_large = || format!("{text:?} is more bytes than can be counted");
        let part = u128::from(factor) * u128::from(millionths) / 1_000_000;
        let whole = u128::from(whole) * u128::from(factor);
        u64::try_from(whole + part).map(Self).map_err(|_| too_large())
    }
}

impl fmt::Display for ByteSize {
    /// Exact, in the largest binary unit that divides it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut units = BINARY.iter();
        match units.find(|(_, unit)| self.0 != 0 && self.0.is_multiple_of(*unit)) {
            Some((name, unit)) => write!(f, "{} {name}", self.0 / unit),
            None => write!(f, "{}", self.0),
        }
    }
}

impl<'de> serde::Deserialize<'de> for ByteSize {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = ByteSize;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a size in bytes, such as 4096 or \"4 GiB\"")
            }

            fn visit_u64<E: serde::de::Error>(self, bytes: u64) -> Result<ByteSize, E> {
                Ok(ByteSize(bytes))
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<ByteSize, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> u64 {
        text.parse::<ByteSize>().unwrap_or_else(|e| panic!("{e}")).0
    }

    #[test]
    fn sizes_are_read_as_people_write_them() {
        assert_eq!(parsed("0"), 0);
        assert_eq!(parsed("4096"), 4096);
        assert_eq!(parsed("12 B"), 12);
        assert_eq!(parsed(" 4 GiB "), 4 << 30);
        assert_eq!(parsed("4gib"), 4 << 30);
        assert_eq!(parsed("1.5GiB"), 3 << 29);
        assert_eq!(parsed("500 MB"), 500_000_000);
        assert_eq!(parsed("1_000 kB"), 1_000_000);
        assert_eq!(parsed("16777215 TiB"), 16_777_215 << 40);
    }

    #[test]
    fn what_is_no_size_is_refused() {
        // `G` could mean either of two units, so it means neither.
        for bad in ["", "GiB", "-1", "4 G", "4 GiB or so", "1.2.3 MiB", "1.5", "1.5 B", ".5 GiB"] {
            let e = bad.parse::<ByteSize>().expect_err(bad);
            assert!(e.contains("no size in bytes"), "{bad:?}: {e}");
        }
        assert!("16777216 TiB".parse::<ByteSize>().unwrap_err().contains("more bytes than"));
        assert!("99999999999999999999".parse::<ByteSize>().is_err());
    }

    #[test]
    fn what_is_printed_reads_back_the_same() {
        for (bytes, text) in [
            (0, "0"),
            (1, "1"),
            (1023, "1023"),
            (1024, "1 KiB"),
            (3 << 29, "1536 MiB"),
            (4 << 30, "4 GiB"),
            (u64::MAX, "18446744073709551615"),
        ] {
            assert_eq!(ByteSize(bytes).to_string(), text);
            assert_eq!(parsed(text), bytes);
        }
    }

    #[test]
    fn yaml_numbers_and_texts_are_both_sizes() {
        let sizes: Vec<ByteSize> = serde_yaml::from_str("[4096, '4 KiB', 4 KiB]").unwrap();
        assert_eq!(sizes, [ByteSize(4096); 3]);
        assert!(serde_yaml::from_str::<ByteSize>("-4").is_err());
    }
}
