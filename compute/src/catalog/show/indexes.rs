//! SHOW INDEX and what `information_schema.STATISTICS` says.

use firn_table::descriptor::{IndexKind, IndexState, TableDescriptor};

use super::columns::escaped;

/// A row of SHOW INDEX, but for the cardinality.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexInfo {
    /// The index: `PRIMARY` for the primary key.
    pub name: String,
    /// Whether keys may be there twice.
    pub non_unique: bool,
    /// The part's place, from 1.
    pub part: usize,
    /// Its column; `None` if it is an expression.
    pub column: Option<String>,
    /// Its expression, if it is one.
    pub expression: Option<String>,
    /// DESC
    pub descending: bool,
    /// How many characters of it count, if not all.
    pub prefix_len: Option<u32>,
    /// Whether it takes NULL.
    pub nullable: bool,
    /// COMMENT
    pub comment: String,
    /// Whether plans may use it.
    pub visible: bool,
}

/// The parts of all indexes, in order. An index that is still being built is not there.
#[must_use]
pub fn index_infos(table: &TableDescriptor) -> Vec<IndexInfo> {
    let mut out = Vec::new();
    for index in table.indexes.iter().filter(|index| index.state == IndexState::Public) {
        for (at, part) in index.parts.iter().enumerate() {
            let Some(column) = table.column(part.column) else { continue };
            let expression = match &column.generated {
                Some(generated) if column.hidden => Some(escaped(&generated.expr)),
                _ => None,
            };
            out.push(IndexInfo {
                name: index.name.clone(),
                non_unique: index.kind == IndexKind::Plain,
                part: at + 1,
                column: expression.is_none().then(|| column.name.clone()),
                expression,
                descending: part.descending,
                prefix_len: part.prefix_len,
                nullable: column.ty.nullable,
                comment: index.comment.clone(),
                visible: !index.invisible,
            });
        }
    }
    out
}
