//! Columns.

use serde::{Deserialize, Serialize};

use firn_mysql_semantics::SqlType;

use super::sql_type;

/// Names a column within its table, for ever: a dropped column's id is not reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ColumnId(pub u32);

/// A column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnDescriptor {
    /// Its id.
    pub id: ColumnId,
    /// Its name.
    pub name: String,
    /// Its type, with length, decimals, collation and whether it takes NULL.
    #[serde(with = "sql_type")]
    pub ty: SqlType,
    /// ENUM and SET: the members, in UTF-8.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<String>,
    /// ZEROFILL
    #[serde(default, skip_serializing_if = "is_false")]
    pub zerofill: bool,
    /// The width that was written, where SHOW CREATE TABLE still prints it:
    /// `tinyint(1)` and ZEROFILL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_width: Option<u8>,
    /// COLLATE or CHARACTER SET was written for the column itself.
    #[serde(default, skip_serializing_if = "is_false")]
    pub collation_written: bool,
    /// What a row gets that says nothing of the column.
    #[serde(default)]
    pub default: ColumnDefault,
    /// ON UPDATE CURRENT_TIMESTAMP
    #[serde(default, skip_serializing_if = "is_false")]
    pub on_update_now: bool,
    /// AUTO_INCREMENT
    #[serde(default, skip_serializing_if = "is_false")]
    pub auto_increment: bool,
    /// Computed from other columns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generated: Option<Generated>,
    /// COMMENT
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub comment: String,
    /// INVISIBLE: not part of `SELECT *`.
    #[serde(default, skip_serializing_if = "is_false")]
    pub invisible: bool,
    /// Made for a functional index; no name reaches it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub hidden: bool,
    /// The value in rows whose layout has no cell for the column, as a cell holds it;
    /// `None` is NULL. Only for columns that were added later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instant_default: Option<Vec<u8>>,
}

/// A generated column's expression.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Generated {
    /// As SQL.
    pub expr: String,
    /// STORED: computed when the row is written, not when it is read.
    pub stored: bool,
}

/// DEFAULT
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum ColumnDefault {
    /// There is none: a row has to say (1364 in strict mode).
    #[default]
    None,
    /// NULL, written or implied.
    Null,
    /// A constant, in its text form in the column's own character set, ready to be
    /// shown; BIT and binary strings as their bytes.
    Constant(Vec<u8>),
    /// CURRENT_TIMESTAMP with the column's own decimals.
    Now,
    /// An expression in parentheses, as SQL.
    Expr(String),
}

impl ColumnDescriptor {
    /// Whether rows have a cell for it.
    #[must_use]
    pub fn is_stored(&self) -> bool {
        self.generated.as_ref().is_none_or(|generated| generated.stored)
    }

    /// Whether it is computed whenever it is read.
    #[must_use]
    pub fn is_virtual(&self) -> bool {
        !self.is_stored()
    }
}

fn is_false(flag: &bool) -> bool {
    !flag
}
