//! Rules between rows and within one: FOREIGN KEY and CHECK.

use serde::{Deserialize, Serialize};

use super::ColumnId;

/// FOREIGN KEY
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForeignKey {
    /// Name of the constraint, unique in its database.
    pub name: String,
    /// The referring columns.
    pub columns: Vec<ColumnId>,
    /// Database of the table referred to.
    pub parent_schema: String,
    /// The table referred to. It may not exist (foreign_key_checks=0).
    pub parent_table: String,
    /// Names of the columns referred to.
    pub parent_columns: Vec<String>,
    /// ON DELETE
    pub on_delete: ReferentialAction,
    /// ON UPDATE
    pub on_update: ReferentialAction,
}

/// What happens to referring rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReferentialAction {
    /// NO ACTION, the default: as RESTRICT.
    #[default]
    NoAction,
    /// RESTRICT
    Restrict,
    /// CASCADE
    Cascade,
    /// SET NULL
    SetNull,
    /// SET DEFAULT: known to the grammar, refused by InnoDB when it would act.
    SetDefault,
}

/// CHECK
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Name of the constraint, unique in its database.
    pub name: String,
    /// As SQL.
    pub expr: String,
    /// NOT ENFORCED: kept, never looked at.
    pub enforced: bool,
}
