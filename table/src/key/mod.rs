//! Keys of rows and of index entries.
//!
//! Keys are what the engine takes: without the space in front. Compared as bytes
//! they have the order of the values, by the rules of the columns' collations, with
//! NULL first.
//!
//! ```text
//! key of a row   = 00 01, parts of the primary key
//!                | 00 01, row number u64 BE                    (no primary key)
//! key of an entry = index id u16 BE, parts, [the row's key behind its 00 01]
//! part           = [mark], column
//! ```
//!
//! - An entry's key ends with that of its row, unless the index is unique and no
//!   part is NULL: then it is in the entry's value, and two rows of the same parts
//!   have the same key.
//! - *mark*: 00 for NULL, which nothing follows, else 01. Parts of the primary key
//!   have none, all others have it, so that a column can be given leave to be NULL
//!   without its indexes being built anew.
//! - *column*: types of a fixed width as in rows (`scalar.rs` has the table), with
//!   -0 as 0. Strings by the sort key of their collation, or as they are for
//!   `binary` and `utf8mb4_0900_bin`, cut to the part's prefix beforehand; 00
//!   becomes 00 ff, and 00 01 ends them. DECIMAL of more than 38 digits likewise,
//!   in `Decimal`'s key form. JSON is refused.
//! - All bytes of a descending part are turned over, its mark too.
//!
//! ```text
//! value of an entry = [varint length, the row's key behind its 00 01], [cells]
//! ```
//!
//! - The row's key is there if the entry's key has it not.
//! - *cells*: a row ([`crate::row`]) of those columns of the index, and behind them
//!   of the primary key, that the key cannot give back: strings with a collation
//!   and floating point numbers. Missing if there is none. So an index covers all
//!   of its columns and the primary key's, but for those of which it has a prefix.

mod duplicate;
mod entry;
mod escape;
mod index;
mod part;
mod range;
#[cfg(test)]
mod tests;

pub use entry::EntryReader;
pub use index::IndexCodec;

use firn_mysql_semantics::SqlType;

use part::Part;

/// Bytes of the index id in front of a key.
pub const INDEX_ID_LEN: usize = 2;

/// Whether indexes over a column stay as they are if its type changes from `old`
/// to `new` and rows need not be written anew ([`crate::row::reads_as`]).
#[must_use]
pub fn same_key_form(old: &SqlType, new: &SqlType) -> bool {
    let part = |ty| Part::new(0, ty, None, false, false);
    matches!((part(old), part(new)), (Ok(old), Ok(new)) if old.same_form(&new))
}
