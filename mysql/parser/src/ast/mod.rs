//! The syntax tree.
//!
//! The tree owns its text (short names and values lie inside the nodes), so it
//! can be kept as long as one likes. It says what the statement means, not how it
//! was written: synonyms, optional words and superfluous parentheses are gone,
//! what the text left out is `None` or an empty list. Where MySQL names a column
//! after the text of an expression, take the text at the expression's [`Span`].
//!
//! Trees compare by what they say: all spans are equal.

#![allow(missing_docs, reason = "fields and variants are named after the words of the grammar")]

mod expr;
mod query;
mod types;

pub use expr::*;
pub use query::*;
pub use types::*;

/// The bytes of a literal. Up to 16 lie inside.
pub type Bytes = smallvec::SmallVec<[u8; 16]>;
/// A name or another text that is UTF-8. Up to 23 bytes lie inside.
pub type Text = smol_str::SmolStr;

/// The bytes of the statement's text that a node was made from, end excluded.
/// Offsets count from the start of the text that was given to the parser.
#[derive(Clone, Copy, Default)]
pub struct Span {
    pub start: u32,
    pub end: u32,
}

impl Span {
    /// The piece of `sql` it stands for; empty if it is not one of `sql`.
    pub fn of(self, sql: &[u8]) -> &[u8] {
        sql.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

impl PartialEq for Span {
    fn eq(&self, _: &Span) -> bool {
        true
    }
}

impl Eq for Span {}

impl std::fmt::Debug for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}..{}", self.start, self.end)
    }
}

/// A name, as written but without its quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ident {
    pub text: Text,
    pub span: Span,
}

impl Ident {
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// The name of a table, view, routine, trigger or event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectName {
    pub schema: Option<Ident>,
    pub name: Ident,
}

/// One statement and where it stood.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    pub kind: StatementKind,
    pub span: Span,
}

/// The statements that are known so far.
#[derive(Debug, Clone, PartialEq)]
pub enum StatementKind {
    Query(Box<Query>),
}
