//! Character sets: names and limits of all of MySQL's, and the working encodings.
//!
//! A text is bytes and a [`Charset`]. Where something is asked of a set that is known by
//! name only, the answer is [`NotSupported`]; [`Charset::is_supported`] says so beforehand.

mod convert;
mod decode;
mod encode;
mod gbk;
mod list;
mod single;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::LazyLock;

pub use convert::convert;
pub(crate) use decode::{
    AsciiDecoder, ByteDecoder, GbkDecoder, SingleDecoder, Ucs2, Utf8mb3, Utf8mb4, Utf16, Utf16le,
    Utf32,
};
pub use decode::{BAD, Decode, Unit};
pub(crate) use encode::encode;
pub(crate) use gbk::Gbk;
pub(crate) use single::Single;

use crate::collation::Collation;

/// A row of the generated list.
pub(crate) struct Row {
    name: &'static str,
    description: &'static str,
    default_collation: u16,
    min_bytes: u8,
    max_bytes: u8,
}

/// How bytes of a set are read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Encoding {
    Utf8mb4,
    Utf8mb3,
    Ucs2,
    Utf16,
    Utf16le,
    Utf32,
    Binary,
    Ascii,
    /// A byte is a character; which of the tables.
    Single(u8),
    Gbk,
    Unsupported,
}

/// A character set. There is one of each; compare with `==`, which compares names.
pub struct Charset {
    row: &'static Row,
    index: u8,
    encoding: Encoding,
}

static ALL: LazyLock<Vec<Charset>> = LazyLock::new(|| {
    list::ROWS
        .iter()
        .enumerate()
        .map(|(index, row)| Charset { row, index: index as u8, encoding: encoding_of(row.name) })
        .collect()
});

fn encoding_of(name: &str) -> Encoding {
    match name {
        "utf8mb4" => Encoding::Utf8mb4,
        "utf8mb3" => Encoding::Utf8mb3,
        "ucs2" => Encoding::Ucs2,
        "utf16" => Encoding::Utf16,
        "utf16le" => Encoding::Utf16le,
        "utf32" => Encoding::Utf32,
        "binary" => Encoding::Binary,
        "ascii" => Encoding::Ascii,
        "gbk" => Encoding::Gbk,
        _ => match Single::index_of(name) {
            Some(index) => Encoding::Single(index),
            None => Encoding::Unsupported,
        },
    }
}

/// A character set or collation that is known by name, and nothing more yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0} is not supported yet")]
pub struct NotSupported(
    /// The name of the character set or of the collation.
    pub &'static str,
);

impl Charset {
    /// All 41, by name.
    pub fn all() -> &'static [Self] {
        &ALL
    }

    /// The set of a name in any case; `utf8` is `utf8mb3`.
    pub fn by_name(name: &str) -> Option<&'static Self> {
        let name = if name.eq_ignore_ascii_case("utf8") { "utf8mb3" } else { name };
        ALL.iter().find(|set| set.row.name.eq_ignore_ascii_case(name))
    }

    pub(crate) fn at(index: u8) -> &'static Self {
        &ALL[usize::from(index)]
    }

    /// `utf8mb4`.
    pub fn utf8mb4() -> &'static Self {
        static ONE: LazyLock<&Charset> = LazyLock::new(|| named("utf8mb4"));
        &ONE
    }

    /// `utf8mb3`, the set of identifiers and of the server's own texts.
    pub fn utf8mb3() -> &'static Self {
        static ONE: LazyLock<&Charset> = LazyLock::new(|| named("utf8mb3"));
        &ONE
    }

    /// `binary`: bytes that are no text.
    pub fn binary() -> &'static Self {
        static ONE: LazyLock<&Charset> = LazyLock::new(|| named("binary"));
        &ONE
    }

    /// `latin1`, which is really Windows code page 1252.
    pub fn latin1() -> &'static Self {
        static ONE: LazyLock<&Charset> = LazyLock::new(|| named("latin1"));
        &ONE
    }

    /// `ascii`.
    pub fn ascii() -> &'static Self {
        static ONE: LazyLock<&Charset> = LazyLock::new(|| named("ascii"));
        &ONE
    }

    /// Its name, in lower case.
    pub fn name(&self) -> &'static str {
        self.row.name
    }

    /// As `SHOW CHARACTER SET` has it.
    pub fn description(&self) -> &'static str {
        self.row.description
    }

    /// The collation of a column of this set that names none.
    pub fn default_collation(&self) -> &'static Collation {
        Collation::of_generated_id(self.row.default_collation)
    }

    /// The collation that compares code points: `_bin`; of `binary`, `binary`.
    pub fn binary_collation(&self) -> &'static Collation {
        let name =
            if self.is_binary() { "binary".to_owned() } else { format!("{}_bin", self.name()) };
        Collation::by_name(&name).unwrap_or_else(|| self.default_collation())
    }

    /// Bytes of its shortest character.
    pub fn min_bytes(&self) -> usize {
        usize::from(self.row.min_bytes)
    }

    /// Bytes of its longest character.
    pub fn max_bytes(&self) -> usize {
        usize::from(self.row.max_bytes)
    }

    /// A comma, as it stands between the members of a SET.
    pub fn comma(&self) -> &'static [u8] {
        match self.encoding {
            Encoding::Ucs2 | Encoding::Utf16 => b"\0,",
            Encoding::Utf16le => b",\0",
            Encoding::Utf32 => b"\0\0\0,",
            _ => b",",
        }
    }

    /// What stands between the commas of a text.
    pub fn split_commas<'t>(&self, text: &'t [u8]) -> Vec<&'t [u8]> {
        let comma = self.comma();
        let (mut all, mut from) = (Vec::new(), 0);
        for (at, unit) in text.chunks(comma.len()).enumerate() {
            if unit == comma {
                let at = at * comma.len();
                all.push(&text[from..at]);
                from = at + comma.len();
            }
        }
        all.push(&text[from..]);
        all
    }

    /// Whether it is `binary`.
    pub fn is_binary(&self) -> bool {
        self.encoding == Encoding::Binary
    }

    /// Whether the bytes below 128 stand for ASCII, in every text of it.
    pub fn is_ascii_superset(&self) -> bool {
        self.min_bytes() == 1
            && !matches!(self.name(), "swe7" | "sjis" | "cp932" | "gbk" | "big5" | "gb18030")
    }

    /// Whether statements in it are read as they are, not converted to UTF-8 before.
    pub fn is_read_directly(&self) -> bool {
        matches!(
            self.encoding,
            Encoding::Utf8mb4 | Encoding::Utf8mb3 | Encoding::Ascii | Encoding::Binary
        )
    }

    /// Whether its texts can be read, converted and compared here.
    pub fn is_supported(&self) -> bool {
        self.encoding != Encoding::Unsupported
    }

    /// `Ok` if [`is_supported`](Self::is_supported).
    ///
    /// # Errors
    ///
    /// [`NotSupported`] with its name.
    pub fn supported(&self) -> Result<(), NotSupported> {
        if self.is_supported() { Ok(()) } else { Err(NotSupported(self.name())) }
    }

    pub(crate) fn encoding(&self) -> Encoding {
        self.encoding
    }
}

fn named(name: &str) -> &'static Charset {
    ALL.iter().find(|set| set.row.name == name).unwrap_or(&ALL[0])
}

impl PartialEq for Charset {
    fn eq(&self, other: &Self) -> bool {
        self.index == other.index
    }
}

impl Eq for Charset {}

impl fmt::Debug for Charset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.row.name)
    }
}
