//! Which order a collation has, and the tables behind it.

use std::sync::LazyLock;

use super::Row;
use super::compact::Level;
use crate::charset::{Charset, Encoding, Single};

/// How a collation weighs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Order {
    /// The bytes as they are: `binary`, sets of single bytes and UTF-8 by code points,
    /// which is the same.
    Bytes,
    /// Code points, of sets whose bytes do not have their order.
    Codes,
    /// A weight for each byte.
    Single(&'static [u8; 256]),
    /// Weights of the code points.
    Unicode(Weights),
    /// `gbk_chinese_ci`.
    Gbk,
    /// Known by name only.
    Unsupported,
}

/// Tables of weights of code points.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Weights {
    /// One weight for each of the first 65,536.
    General,
    /// Unicode collation algorithm, version 4.0.0.
    Uca400,
    /// The same, but for the letters of one of [`LANGUAGES`].
    Uca400Of(u8),
    /// Version 5.2.0.
    Uca520,
    /// Version 9.0.0, by so many levels.
    Uca900(u8),
}

/// Languages whose collations of version 4.0.0 weigh some letters otherwise, in the order
/// of `data/uca_400_languages.bin`. Those in which two letters are one (`ch`), or have
/// cases of their own (Turkish), are not among them.
const LANGUAGES: [&str; 15] = [
    "icelandic",
    "latvian",
    "romanian",
    "slovenian",
    "polish",
    "estonian",
    "spanish",
    "swedish",
    "roman",
    "persian",
    "esperanto",
    "hungarian",
    "sinhala",
    "german2",
    "vietnamese",
];

/// Which of [`LANGUAGES`] a collation is of; `kind` is its name behind the set's.
fn language(kind: &str) -> Option<u8> {
    let name = kind.strip_prefix('_')?.strip_suffix("_ci")?;
    LANGUAGES.iter().position(|one| *one == name).map(|at| at as u8)
}

impl Order {
    pub(super) fn of(row: &Row) -> Self {
        let set = Charset::at(row.charset);
        let Some(kind) = row.name.strip_prefix(set.name()) else {
            return if set.is_binary() { Self::Bytes } else { Self::Unsupported };
        };
        match (set.encoding(), kind) {
            (Encoding::Unsupported, _) => Self::Unsupported,
            (Encoding::Binary, _) => Self::Bytes,
            (Encoding::Utf8mb4 | Encoding::Utf8mb3, "_bin" | "_0900_bin") => Self::Bytes,
            (Encoding::Gbk | Encoding::Ascii | Encoding::Single(_), "_bin") => Self::Bytes,
            // Big-endian of one width.
            (Encoding::Ucs2 | Encoding::Utf32, "_bin") => Self::Codes,
            (Encoding::Utf16 | Encoding::Utf16le, "_bin") => Self::Codes,
            (Encoding::Gbk, "_chinese_ci") => Self::Gbk,
            (Encoding::Ascii | Encoding::Single(_), _) => match Single::order(row.id) {
                Some(weights) => Self::Single(weights),
                None => Self::Unsupported,
            },
            (_, "_general_ci") => Self::Unicode(Weights::General),
            (_, "_unicode_ci") => Self::Unicode(Weights::Uca400),
            (_, "_unicode_520_ci") => Self::Unicode(Weights::Uca520),
            (Encoding::Utf8mb4, "_0900_ai_ci") => Self::Unicode(Weights::Uca900(1)),
            (Encoding::Utf8mb4, "_0900_as_ci") => Self::Unicode(Weights::Uca900(2)),
            (Encoding::Utf8mb4, "_0900_as_cs") => Self::Unicode(Weights::Uca900(3)),
            _ => match language(kind) {
                Some(language) => Self::Unicode(Weights::Uca400Of(language)),
                None => Self::Unsupported,
            },
        }
    }
}

static GENERAL: LazyLock<Level> = LazyLock::new(|| {
    let mut level = Level::unfold(include_bytes!("../../data/general.bin"));
    level.counts_zeros = true;
    level
});
static UCA_400: LazyLock<Level> =
    LazyLock::new(|| Level::unfold(include_bytes!("../../data/uca_400.bin")));
static UCA_400_LANGUAGES: LazyLock<Vec<Level>> = LazyLock::new(|| {
    let languages = include_bytes!("../../data/uca_400_languages.bin");
    Level::unfold_changes(include_bytes!("../../data/uca_400.bin"), languages, LANGUAGES.len())
});
static UCA_520: LazyLock<Level> =
    LazyLock::new(|| Level::unfold(include_bytes!("../../data/uca_520.bin")));
static UCA_900: LazyLock<Level> =
    LazyLock::new(|| Level::unfold(include_bytes!("../../data/uca_900.bin")));
static UCA_900_TAILS: LazyLock<[Level; 2]> =
    LazyLock::new(|| Level::unfold_tails(include_bytes!("../../data/uca_900_tails.bin")));

impl Weights {
    /// The table of the first level.
    #[inline]
    pub(super) fn primary(self) -> &'static Level {
        match self {
            Self::General => &GENERAL,
            Self::Uca400 => &UCA_400,
            Self::Uca400Of(language) => {
                UCA_400_LANGUAGES.get(usize::from(language)).unwrap_or(&UCA_400)
            }
            Self::Uca520 => &UCA_520,
            Self::Uca900(_) => &UCA_900,
        }
    }

    pub(super) fn levels(self) -> usize {
        match self {
            Self::Uca900(levels) => usize::from(levels),
            _ => 1,
        }
    }

    /// The table of a level, from 0.
    #[inline]
    pub(super) fn level(self, level: usize) -> &'static Level {
        match level {
            0 => self.primary(),
            1 => &UCA_900_TAILS[0],
            _ => &UCA_900_TAILS[1],
        }
    }
}
