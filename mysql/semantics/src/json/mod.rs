//! MySQL's JSON type.
//!
//! A document is one run of bytes, the *binary form* ([`JsonBuf`] owns one,
//! [`JsonRef`] borrows one or a part of one): members are found by binary search,
//! a part is copied as it stands, and equal documents have equal bytes. Texts
//! are read by [`parse`] and written by [`JsonRef::print`], both as MySQL does it,
//! to the positions in its error messages.
//!
//! Everything here takes and gives documents and bytes; NULL arguments, character
//! sets and SQL types are the caller's. Errors are [`JsonError`]s, which know
//! MySQL's number and wording. A reader checks all that it reads: bytes that are no
//! document are an error, never a panic and never an endless walk.
//!
//! ```
//! use firn_mysql_semantics::json::{self, Path};
//!
//! let document = json::parse(r#"{"a": [1, {"b": "x"}]}"#)?;
//! let path = Path::parse("$.a[last].b")?;
//! let found = json::extract(document.root()?, &[path])?.ok_or("nothing there")?;
//! assert_eq!(found.root()?.print()?, r#""x""#);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod build;
mod compare;
mod convert;
mod error;
mod inspect;
mod layout;
mod merge;
mod modify;
mod number;
mod parse;
mod path;
mod print;
mod scalar;
mod schema;
mod search;
mod seek;
mod storage;
mod table;
mod view;

#[cfg(test)]
mod tests;

pub use build::{Builder, JsonBuf};
pub use error::{Argument, JsonError};
pub use inspect::{
    contains, contains_path, copy, depth, extract, find, keys, length, member_of, one_or_all,
    overlaps, quote, type_name, unquote,
};
pub use merge::{merge_patch, merge_preserve};
pub use modify::{SetMode, array_append, array_insert, remove, set};
pub use number::print_double;
pub use parse::{check_text, parse};
pub use path::{Index, Leg, Path};
pub use print::quote_to;
pub use scalar::{DecimalRef, PackedTime, field_type};
pub use schema::{SchemaFailure, schema_report, validate_schema, validate_schema_of_text};
pub use search::{Pattern, search};
pub use seek::seek;
pub use storage::storage_size;
pub use table::{TableCell, TableColumn, TablePlan, TableRows};
pub use view::{ArrayRef, JsonRef, Kind, ObjectRef};

/// How many arrays and objects may be nested in each other.
pub const MAX_DEPTH: u8 = 100;
