//! Indexes.

use serde::{Deserialize, Serialize};

use super::ColumnId;

/// Names an index within its table, for ever. It is in every key, behind the table's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IndexId(pub u16);

impl IndexId {
    /// That of the rows themselves: the primary key, or the hidden row number.
    pub const ROWS: Self = Self(1);
}

/// An index.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndexDescriptor {
    /// Its id; [`IndexId::ROWS`] for a primary key.
    pub id: IndexId,
    /// Its name: `PRIMARY` for the primary key.
    pub name: String,
    /// What it is for.
    pub kind: IndexKind,
    /// Its columns, the first one first.
    pub parts: Vec<IndexPart>,
    /// COMMENT
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub comment: String,
    /// INVISIBLE: kept up to date, not used by plans.
    #[serde(default, skip_serializing_if = "is_false")]
    pub invisible: bool,
    /// USING, if it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub using: Option<IndexAlgorithm>,
    /// Whether it can be read yet.
    #[serde(default)]
    pub state: IndexState,
}

/// What an index is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IndexKind {
    /// The rows are stored in its order; no NULLs, no duplicates.
    Primary,
    /// No duplicates, except of keys with NULLs.
    Unique,
    /// Any keys.
    Plain,
}

/// A column of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndexPart {
    /// Which one; a hidden generated one for an expression.
    pub column: ColumnId,
    /// Only so many characters of it, bytes if it is binary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix_len: Option<u32>,
    /// DESC
    #[serde(default, skip_serializing_if = "is_false")]
    pub descending: bool,
}

/// USING
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IndexAlgorithm {
    /// BTREE
    Btree,
    /// HASH, which is a tree all the same.
    Hash,
}

/// How far an index is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IndexState {
    /// It has an entry for every row.
    #[default]
    Public,
    /// Being built beside writes: writers keep it up to date, nobody reads it.
    Building,
}

impl IndexDescriptor {
    /// Whether two rows may not have the same key.
    #[must_use]
    pub fn is_unique(&self) -> bool {
        self.kind != IndexKind::Plain
    }
}

fn is_false(flag: &bool) -> bool {
    !flag
}
