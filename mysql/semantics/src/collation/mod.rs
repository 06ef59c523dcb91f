//! Collations: which texts are equal, which comes first.
//!
//! A [`Collation`] compares the bytes of its [`Charset`]; nothing is allocated per
//! comparison. What is equal has one [`hash`](Collation::hash) and one
//! [`sort_key`](Collation::sort_key), and keys compared as bytes give the order.
//! Where a collation is known by name only, the answer is [`NotSupported`];
//! [`Collation::is_supported`] says so beforehand.

mod case;
pub(crate) mod compact;
mod compare;
mod hash;
mod instr;
mod key;
mod like;
mod list;
mod order;
mod scan;
mod short;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::LazyLock;

use crate::charset::{Charset, NotSupported};
pub use instr::Found;
pub use like::Escape;
use order::Order;

/// A row of the generated list.
pub(crate) struct Row {
    id: u16,
    name: &'static str,
    /// Its place in the list of character sets.
    charset: u8,
    is_default: bool,
    is_compiled: bool,
    sort_len: u8,
    pad_space: bool,
}

/// What happens to blanks at the end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PadAttribute {
    /// The shorter text is compared as if blanks followed it.
    PadSpace,
    /// Blanks are characters as others.
    NoPad,
}

/// A collation. There is one of each.
pub struct Collation {
    row: &'static Row,
    order: Order,
}

static ALL: LazyLock<Vec<Collation>> = LazyLock::new(|| {
    list::ROWS.iter().map(|row| Collation { row, order: Order::of(row) }).collect()
});

/// Places in [`ALL`] by id, plus one.
static BY_ID: LazyLock<Vec<u16>> = LazyLock::new(|| {
    let mut places = vec![0; 1 + ALL.last().map_or(0, |last| usize::from(last.row.id))];
    for (place, collation) in ALL.iter().enumerate() {
        places[usize::from(collation.row.id)] = place as u16 + 1;
    }
    places
});

impl Collation {
    /// All 286, by id.
    pub fn all() -> &'static [Self] {
        &ALL
    }

    /// The collation of an id, as handshakes and column definitions carry it.
    pub fn by_id(id: u16) -> Option<&'static Self> {
        match BY_ID.get(usize::from(id)) {
            None | Some(0) => None,
            Some(place) => ALL.get(usize::from(*place) - 1),
        }
    }

    /// The collation of a name in any case; `utf8_…` is `utf8mb3_…`.
    pub fn by_name(name: &str) -> Option<&'static Self> {
        let find = |name: &str| ALL.iter().find(|one| one.row.name.eq_ignore_ascii_case(name));
        find(name).or_else(|| match name.get(..5) {
            Some(head) if head.eq_ignore_ascii_case("utf8_") => {
                find(&format!("utf8mb3_{}", &name[5..]))
            }
            _ => None,
        })
    }

    /// `utf8mb4_0900_ai_ci`, the default.
    pub fn default_unicode() -> &'static Self {
        Self::of_generated_id(255)
    }

    /// `binary`: bytes.
    pub fn binary() -> &'static Self {
        Self::of_generated_id(63)
    }

    /// Of an id that is in the list.
    pub(crate) fn of_generated_id(id: u16) -> &'static Self {
        Self::by_id(id).unwrap_or(&ALL[0])
    }

    /// Its number in the protocol and in `information_schema`.
    pub fn id(&self) -> u16 {
        self.row.id
    }

    /// Its name, in lower case.
    pub fn name(&self) -> &'static str {
        self.row.name
    }

    /// The set whose texts it compares.
    pub fn charset(&self) -> &'static Charset {
        Charset::at(self.row.charset)
    }

    /// Whether it is the default of its set.
    pub fn is_default(&self) -> bool {
        self.row.is_default
    }

    /// `COMPILED` of `SHOW COLLATION`.
    pub fn is_compiled(&self) -> bool {
        self.row.is_compiled
    }

    /// `SORTLEN` of `SHOW COLLATION`.
    pub fn sort_len(&self) -> u8 {
        self.row.sort_len
    }

    /// What happens to blanks at the end.
    pub fn pad_attribute(&self) -> PadAttribute {
        if self.row.pad_space { PadAttribute::PadSpace } else { PadAttribute::NoPad }
    }

    /// Whether it compares the bytes or code points themselves: `binary` and `…_bin`.
    pub fn is_binary_order(&self) -> bool {
        self.row.name == "binary" || self.row.name.ends_with("_bin")
    }

    /// Whether texts can be compared by it here.
    pub fn is_supported(&self) -> bool {
        self.order != Order::Unsupported
    }

    /// `Ok` if [`is_supported`](Self::is_supported).
    ///
    /// # Errors
    ///
    /// [`NotSupported`] with its name.
    pub fn supported(&self) -> Result<(), NotSupported> {
        if self.is_supported() { Ok(()) } else { Err(NotSupported(self.name())) }
    }
}

impl PartialEq for Collation {
    fn eq(&self, other: &Self) -> bool {
        self.row.id == other.row.id
    }
}

impl Eq for Collation {}

impl fmt::Debug for Collation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.row.name)
    }
}
