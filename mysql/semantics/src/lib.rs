//! What MySQL's values mean: types, character sets, collations, coercion,
//! functions and errors. Knows no storage, no sessions and no network.
#![forbid(unsafe_code)]

pub mod charset;
pub mod collation;
pub mod convert;
pub mod decimal;
pub mod error;
pub mod expr;
pub mod functions;
pub mod json;
pub mod number;
#[cfg(test)]
mod random;
pub mod regexp;
pub mod temporal;
pub mod types;
pub mod value;
#[cfg(feature = "vector")]
pub mod vector;

pub use types::{CollationId, Derivation, NOT_FIXED_DECIMALS, SqlType, TypeKind};
pub use value::{Bytes, Value};
