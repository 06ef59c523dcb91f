//! The registry of functions: name, arity, type derivation, kernel.
//!
//! What has syntax of its own (operators, CASE, CAST, IF, COALESCE, GREATEST …)
//! is bound in [`crate::expr`]; everything that is called by a name is here.

mod address;
mod aes;
mod amount;
mod compress;
mod digest;
mod encode;
mod info;
mod json;
mod locale;
mod math;
mod names;
mod number_text;
mod pattern;
pub(crate) mod random;
mod round;
mod search;
mod service;
mod str_to_date;
mod string;
mod substring;
mod temporal;
mod temporal_format;
mod trim;

use crate::error::SqlError;
use crate::expr::{Call, Cx, Result, Site};
use crate::types::SqlType;
use crate::value::Value;

pub(crate) use json::{Fallback, ON_EMPTY_SHIFT, ON_ERROR_SHIFT};
pub(crate) use names::{GEOMETRY, NAMELESS, NOT_BUILT_YET};
#[cfg(feature = "vector")]
pub(crate) use substring::Piece;
pub(crate) use trim::{BOTH, LEADING, TRAILING};

/// When a function gives NULL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nulls {
    /// When an argument may be NULL.
    Arguments,
    /// It always may.
    Always,
    /// Never.
    Never,
    /// As the type derivation says.
    Own,
}

/// The number of arguments has no bound but the packet's.
pub const MANY: u8 = u8::MAX;

/// A built-in function.
pub struct Function {
    /// In lower case.
    pub name: &'static str,
    /// How many arguments at least.
    pub min_args: u8,
    /// How many at most, or [`MANY`].
    pub max_args: u8,
    /// Whether the type says NULL may come out.
    pub nulls: Nulls,
    /// The same arguments give the same value within a statement.
    pub deterministic: bool,
    /// One line of documentation.
    pub doc: &'static str,
    pub(crate) derive: fn(&mut Site<'_, '_>) -> Result<SqlType>,
    pub(crate) kernel: fn(&Call<'_>, &mut Cx<'_>) -> Result<Value>,
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Function {
    /// A deterministic function that is NULL where an argument is.
    pub(crate) const fn new(
        name: &'static str,
        arity: (u8, u8),
        derive: fn(&mut Site<'_, '_>) -> Result<SqlType>,
        kernel: fn(&Call<'_>, &mut Cx<'_>) -> Result<Value>,
        doc: &'static str,
    ) -> Function {
        let (min_args, max_args) = arity;
        let nulls = Nulls::Arguments;
        Function { name, min_args, max_args, nulls, deterministic: true, doc, derive, kernel }
    }

    pub(crate) const fn nullable(mut self) -> Function {
        self.nulls = Nulls::Always;
        self
    }

    pub(crate) const fn never_null(mut self) -> Function {
        self.nulls = Nulls::Never;
        self
    }

    pub(crate) const fn own_nulls(mut self) -> Function {
        self.nulls = Nulls::Own;
        self
    }

    pub(crate) const fn changing(mut self) -> Function {
        self.deterministic = false;
        self
    }
}

/// All of them, in groups.
static GROUPS: &[&[Function]] = &[
    address::FUNCTIONS,
    aes::FUNCTIONS,
    amount::FUNCTIONS,
    compress::FUNCTIONS,
    digest::FUNCTIONS,
    encode::FUNCTIONS,
    info::FUNCTIONS,
    json::CHANGE,
    json::LOOK,
    json::MAKE,
    json::MERGE,
    json::SCHEMA,
    json::SEARCH,
    json::VALUE,
    math::FUNCTIONS,
    number_text::FUNCTIONS,
    pattern::FUNCTIONS,
    random::FUNCTIONS,
    round::FUNCTIONS,
    search::FUNCTIONS,
    service::FUNCTIONS,
    str_to_date::FUNCTIONS,
    string::FUNCTIONS,
    substring::FUNCTIONS,
    temporal::calendar::FUNCTIONS,
    temporal::clock::FUNCTIONS,
    temporal::period::FUNCTIONS,
    temporal::present::FUNCTIONS,
    temporal_format::FUNCTIONS,
    trim::FUNCTIONS,
];

/// All functions of the registry.
pub fn all() -> impl Iterator<Item = &'static Function> {
    GROUPS.iter().flat_map(|group| group.iter())
}

/// The function of a name in lower case.
pub fn find(name: &str) -> Option<&'static Function> {
    use std::collections::HashMap;
    use std::sync::LazyLock;
    static BY_NAME: LazyLock<HashMap<&'static str, &'static Function>> = LazyLock::new(|| {
        all()
            .map(|function| (function.name, function))
            .chain(names::SYNONYMS.iter().filter_map(|(synonym, name)| {
                Some((*synonym, all().find(|function| function.name == *name)?))
            }))
            .collect()
    });
    BY_NAME.get(name).copied()
}

/// NULL with warning 1301 if a string of so many bytes is too long.
pub(crate) fn fits_packet(bytes: u64, name: &str, cx: &mut Cx<'_>) -> bool {
    let limit = cx.settings.max_allowed_packet_bytes;
    if bytes > limit {
        cx.warn(SqlError::result_larger_than_packet(name, limit));
        return false;
    }
    true
}

/// The argument, or NULL is returned.
macro_rules! arg {
    ($value:expr) => {
        match $value? {
            Some(value) => value,
            None => return Ok($crate::value::Value::Null),
        }
    };
}
pub(crate) use arg;
