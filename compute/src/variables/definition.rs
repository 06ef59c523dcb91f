//! What is known of each variable, as [`table`](super::table) lists it.

use std::fmt;

/// A variable: its place in the list, which is by name. Constants of all are in
/// [`id`](super::id).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VarId(pub(super) u16);

/// Which values there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// One for all sessions.
    Global,
    /// One for each session, and the global one that new sessions take.
    Both,
    /// One for each session.
    Session,
}

/// What a variable holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shape {
    /// ON or OFF.
    Bool,
    /// Least, greatest, and what it is rounded down to a multiple of.
    Int(i128, i128, u64),
    /// Least and greatest.
    Double(f64, f64),
    /// One of these, by name or number from 0.
    Enum(&'static [&'static str]),
    /// Any of these.
    Set(&'static [&'static str]),
    /// Each of these on or off: `name=on,name=off`.
    Flags(&'static [&'static str]),
    /// `sql_mode`
    Mode,
    /// A locale, by name or number.
    Locale,
    /// Text.
    Text,
}

/// What a SET of it warns of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    /// Nothing.
    Current,
    /// That it will go (1287).
    Old,
    /// The same, with its successor's name.
    For(&'static str),
    /// The same, under another number (1681).
    Going,
    /// That it will become read-only (1681).
    Frozen,
}

/// It can be set.
pub(super) const WRITE: u8 = 1;
/// Setting it in a session takes a privilege, too.
pub(super) const ADMIN: u8 = 2;
/// The session's value is read-only (1621).
pub(super) const FIXED: u8 = 4;
/// `= DEFAULT` is refused (1230).
pub(super) const NO_DEFAULT: u8 = 8;
/// Hint SET_VAR may set it.
pub(super) const HINT: u8 = 16;

/// A variable.
#[derive(Debug)]
pub struct Definition {
    /// Its name.
    pub name: &'static str,
    /// Which values there are.
    pub reach: Reach,
    /// What it holds.
    pub shape: Shape,
    /// MySQL's default, as text; `None` is NULL.
    pub default: Option<&'static str>,
    pub(super) flags: u8,
    /// What a SET of it warns of.
    pub age: Age,
}

impl Definition {
    pub(super) fn is(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// Whether it can be set at all.
    pub fn is_writable(&self) -> bool {
        self.is(WRITE)
    }

    /// Whether hint SET_VAR may set it.
    pub fn is_hintable(&self) -> bool {
        self.is(HINT)
    }
}

/// What the generated list is written in.
macro_rules! variables {
    ($($index:literal $name:ident $reach:ident, $shape:expr, $default:expr, [$($flag:ident)*], $age:expr;)*) => {
        #[allow(unused_imports, reason = "not every kind occurs")]
        use super::definition::{
            ADMIN, Age::*, Definition, FIXED, HINT, NO_DEFAULT, Reach, Shape::*, WRITE,
        };

        /// The variables by name.
        #[allow(missing_docs, non_upper_case_globals, reason = "the names are MySQL's")]
        pub mod id {
            use crate::variables::VarId;
            $(pub const $name: VarId = VarId($index);)*
        }

        pub(super) static VARIABLES: &[Definition] = &[$(Definition {
            name: stringify!($name),
            reach: Reach::$reach,
            shape: $shape,
            default: $default,
            flags: 0 $(| $flag)*,
            age: $age,
        },)*];
    };
}
pub(super) use variables;

use super::table::VARIABLES;

impl VarId {
    /// The variable of a name, in any case.
    pub fn by_name(name: &str) -> Option<VarId> {
        let order = |known: &Definition| {
            let known = known.name.bytes();
            known.cmp(name.bytes().map(|byte| byte.to_ascii_lowercase()))
        };
        VARIABLES.binary_search_by(order).ok().map(|at| VarId(at as u16))
    }

    /// All of them, by name.
    pub fn all() -> impl Iterator<Item = VarId> {
        (0..VARIABLES.len() as u16).map(VarId)
    }

    /// What is known of it.
    pub fn definition(self) -> &'static Definition {
        &VARIABLES[usize::from(self.0)]
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.definition().name
    }
}

impl fmt::Debug for VarId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
