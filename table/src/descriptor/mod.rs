//! Descriptors: what the catalog keeps of a table.
//!
//! A descriptor is one row of the catalog, stored as JSON: it is small, read
//! rarely, and people who look after a damaged database can read it. Fields are
//! only ever added, with defaults, so that old rows stay readable; a field that
//! this version does not know is an error, since a newer version wrote it.
//!
//! Texts of expressions (defaults, generated columns, checks) are kept as SQL in
//! the form that the parser's printer gives, and bound whenever the table is opened.

mod column;
mod foreign_key;
mod index;
mod sql_type;
#[cfg(test)]
mod tests;

pub use column::{ColumnDefault, ColumnDescriptor, ColumnId, Generated};
pub use foreign_key::{Check, ForeignKey, ReferentialAction};
pub use index::{IndexAlgorithm, IndexDescriptor, IndexId, IndexKind, IndexPart, IndexState};

use serde::{Deserialize, Serialize};

use firn_engine::SpaceId;
use firn_mysql_semantics::CollationId;

/// A table: its columns, its indexes, its rules.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableDescriptor {
    /// The key space of its rows and indexes. Never reused; TRUNCATE takes a new one.
    pub id: u32,
    /// The database that it belongs to.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// Grows with every change of this descriptor.
    pub version: u64,
    /// In the order of `SELECT *`, hidden ones last.
    pub columns: Vec<ColumnDescriptor>,
    /// The primary key first. A table without one has none here: its rows are
    /// then keyed by a number of their own ([`TableDescriptor::primary`]).
    pub indexes: Vec<IndexDescriptor>,
    /// References to other tables.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub foreign_keys: Vec<ForeignKey>,
    /// CHECK constraints.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
    /// Collation of columns that name none.
    #[serde(with = "sql_type::collation")]
    pub collation: CollationId,
    /// COMMENT
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub comment: String,
    /// Options that are kept and shown but change nothing (ROW_FORMAT, STATS_PERSISTENT,
    /// …), as SHOW CREATE TABLE prints them, in its order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<(String, String)>,
    /// AUTO_INCREMENT does not start before this.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub auto_increment_min: u64,
    /// How rows were laid out, oldest first; rows name theirs by its place here.
    /// The last is the one that is written.
    pub layouts: Vec<RowLayout>,
    /// The next column's id.
    pub next_column_id: u32,
    /// The next index's id.
    pub next_index_id: u16,
    /// When it was created: microseconds since 1970 in UTC.
    pub created_micros: i64,
}

/// The columns that a row stores, in the order in which it does: stored columns
/// by ascending id. Columns that an instant ALTER added are missing in older
/// layouts (their [`ColumnDescriptor::instant_default`] holds), and columns that
/// it dropped are there in them still, with the type they had.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowLayout {
    /// Ids and types of the cells.
    pub cells: Vec<RowCell>,
}

/// One cell of a layout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowCell {
    /// Whose value it is.
    pub column: ColumnId,
    /// The type that it had when the layout was made.
    #[serde(with = "sql_type")]
    pub ty: firn_mysql_semantics::SqlType,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl TableDescriptor {
    /// The stored form.
    ///
    /// # Panics
    /// Never: every field has a JSON form.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("descriptors have a JSON form")
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// `Corrupt` if it is none, or a newer version's.
    pub fn decode(bytes: &[u8]) -> firn_engine::Result<Self> {
        serde_json::from_slice(bytes).map_err(|e| {
            firn_engine::Error::new(
                firn_engine::ErrorKind::Corrupt,
                format!("table descriptor: {e}"),
            )
        })
    }

    /// The space that its keys are in.
    #[must_use]
    pub fn space(&self) -> SpaceId {
        SpaceId(self.id)
    }

    /// The primary key; `None` if rows are keyed by a hidden number.
    #[must_use]
    pub fn primary(&self) -> Option<&IndexDescriptor> {
        self.indexes.first().filter(|index| index.kind == IndexKind::Primary)
    }

    /// A column by its id.
    #[must_use]
    pub fn column(&self, id: ColumnId) -> Option<&ColumnDescriptor> {
        self.columns.iter().find(|column| column.id == id)
    }

    /// A column's place in [`TableDescriptor::columns`], by its name in any case.
    #[must_use]
    pub fn column_named(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| !column.hidden && same_name(&column.name, name))
    }

    /// An index by its name in any case.
    #[must_use]
    pub fn index_named(&self, name: &str) -> Option<&IndexDescriptor> {
        self.indexes.iter().find(|index| same_name(&index.name, name))
    }

    /// The layout that the columns as they are now ask for.
    #[must_use]
    pub fn wanted_layout(&self) -> RowLayout {
        let mut cells: Vec<_> = self
            .columns
            .iter()
            .filter(|column| column.is_stored())
            .map(|column| RowCell { column: column.id, ty: column.ty })
            .collect();
        cells.sort_by_key(|cell| cell.column);
        RowLayout { cells }
    }
}

/// Names of columns and indexes have no case: they compare by Unicode's simple
/// lower case, as `utf8mb3_general_ci` has it for letters without accents.
#[must_use]
pub fn same_name(a: &str, b: &str) -> bool {
    a == b || a.chars().flat_map(char::to_lowercase).eq(b.chars().flat_map(char::to_lowercase))
}
